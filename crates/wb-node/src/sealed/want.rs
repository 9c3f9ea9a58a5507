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

use super::prepare::PART;
use crate::error::Result;
use crate::node::Node;

/// Generations above the own one that a want is believed: who names a higher one would use up the numbers.
const GENERATIONS_AHEAD_MAX: u64 = 1 << 20;
/// Why the next sealing opens a new log of the trusted feed.
const WHY_NEW_LOG: &str = "a trusted peer holds a log of the trusted feed that is not known here";

/// Says what is held of the trusted feed of an instance, also of one that contradicts itself: its origin sees by it
/// that another log of it was taken.
pub(super) fn want_for(node: &Node, origin: &InstanceId, signer: &Signer) -> Result<Vec<u8>> {
    let head = node.store.served().head(origin, FeedScope::TrustedPeers)?;
    let feeds: Vec<Held> = head.into_iter().collect();
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
    let Some(row) = node.store.in_audience(&from)? else {
        return Ok(Ok(()));
    };
    match row.belongs {
        Belongs::In => {
            // What waits for it leads on from a head that it may not have; what it lacks is sealed anew.
            write.outdone_for(&from, Purpose::Feed.as_str())?;
            outdo(node, write, held.as_ref(), now)?;
            write.put_audience(&AudienceRow {
                given: held.clone(),
                given_at: Some(now),
                held,
                held_at: Some(now),
                ..row
            })?;
        }
        Belongs::Parted => has_parted(write, row, held, now)?,
        Belongs::Leaving | Belongs::Unsure => {}
    }
    Ok(Ok(()))
}

/// Somebody who parted said what it has: with the log that took everything back, or a later one, it is done.
fn has_parted(
    write: &Write<'_>,
    row: AudienceRow,
    held: Option<Held>,
    now: Timestamp,
) -> Result<()> {
    let parting = row.given.as_ref();
    let is_done = held.as_ref().is_some_and(|held| {
        parting
            .is_some_and(|parting| held.log == parting.log || held.generation > parting.generation)
    });
    if is_done {
        write.outdone_for(&row.member, PART)?;
        return Ok(write.drop_audience(&row.member)?);
    }
    // It may be from before that came; what waits is given all the same.
    let is_waiting = write.waiting_for(&row.member, PART)? > 0;
    Ok(write.put_audience(&AudienceRow {
        whole: !is_waiting,
        held,
        held_at: Some(now),
        ..row
    })?)
}

/// Lets a new log be opened above one that somebody holds and that is not known here: this copy was restored from
/// before that one was opened, and nobody takes its own log.
fn outdo(node: &Node, write: &Write<'_>, held: Option<&Held>, now: Timestamp) -> Result<()> {
    let served = node.store.served();
    let own = served.head(&node.own_id(), FeedScope::TrustedPeers)?;
    let (Some(own), Some(held)) = (own, held) else {
        return Ok(());
    };
    let ahead = own.generation..own.generation.saturating_add(GENERATIONS_AHEAD_MAX);
    if ahead.contains(&held.generation) && !served.has_passed(held)? {
        write.open_above(held.scope, held.generation, WHY_NEW_LOG, now)?;
    }
    Ok(())
}
