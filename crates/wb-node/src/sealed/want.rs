//! The want that answers an envelope: what is held of its origin's trusted feed, said to that origin alone.

use wb_core::bundle::Speaks;
use wb_core::id::InstanceId;
use wb_core::ndjson::{put_line, split_first};
use wb_core::rule::Rule;
use wb_core::scope::FeedScope;
use wb_core::sealed::Purpose;
use wb_core::signed::Signer;
use wb_core::time::Timestamp;
use wb_core::want::{Held, Want};
use wb_store::{AudienceRow, Belongs, Write};

use crate::error::Result;
use crate::node::Node;

/// Says what is held of the trusted feed of an instance. Of one that contradicts itself nothing is confirmed.
pub(super) fn want_for(node: &Node, origin: &InstanceId, signer: &Signer) -> Result<Vec<u8>> {
    let forked = node.store.forked_feeds()?;
    let is_forked = forked
        .iter()
        .any(|feed| (feed.origin, feed.scope) == (*origin, FeedScope::TrustedPeers));
    let head = node.store.served().head(origin, FeedScope::TrustedPeers)?;
    let feeds: Vec<Held> = head.filter(|_| !is_forked).into_iter().collect();
    let want = Want::new(node.identity(), Speaks::this(), feeds);
    let mut content = Vec::new();
    put_line(&mut content, &want.sign(signer));
    Ok(content)
}

/// Takes a want that came sealed: from the head it names its author is given the rest.
pub(super) fn take_want(
    node: &Node,
    write: &Write<'_>,
    from: InstanceId,
    content: &[u8],
    now: Timestamp,
) -> Result<std::result::Result<(), Rule>> {
    let (line, rest) = split_first(content);
    let Some(log) = write.identity_log(&from)? else {
        return Ok(Err(Rule::WrongKey));
    };
    let mut lines = vec![line];
    lines.extend(log.entries().iter().map(|entry| entry.line.as_slice()));
    let want = match Want::read(&lines) {
        Ok((want, _)) if rest.is_empty() => want,
        Ok(_) => return Ok(Err(Rule::SealedContent)),
        Err((_, rule)) => return Ok(Err(rule)),
    };
    let own = node.own_id();
    if want.instance != from || want.identity != log.newest().hash {
        return Ok(Err(Rule::WrongKey));
    }
    let mut feeds = want.feeds.into_iter();
    let held = feeds.find(|held| (held.origin, held.scope) == (own, FeedScope::TrustedPeers));
    // What waits for it leads on from a head that it may not have; what it lacks is sealed anew.
    write.outdone_for(&from, Purpose::Feed.as_str())?;
    if let Some(row) = node.store.in_audience(&from)?
        && row.belongs == Belongs::In
    {
        write.put_audience(&AudienceRow {
            given: held.clone(),
            given_at: Some(now),
            held,
            held_at: Some(now),
            ..row
        })?;
    }
    Ok(Ok(()))
}
