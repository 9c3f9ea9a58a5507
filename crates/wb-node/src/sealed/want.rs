//! The want that answers an envelope: what is held of its origin's trusted feed, said to that origin alone.

use wb_core::bundle::Speaks;
use wb_core::id::InstanceId;
use wb_core::limits::WANTS_AGAIN_MAX;
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
            outdo(node, write, held.as_ref(), now)?;
            let is_heard = is_news(node, &row, held.as_ref())?
                || write.count_want_again(&from, now)? <= WANTS_AGAIN_MAX;
            let given = if is_heard {
                // What waits for it leads on from a head that it may not have; what it lacks is sealed anew.
                write.outdone_for(&from, Purpose::Feed.as_str())?;
                (held.clone(), Some(now))
            } else {
                // What was sealed to it for the wants before is on its way, or it is made to be sealed for nothing.
                (row.given.clone(), row.given_at)
            };
            write.put_audience(&AudienceRow {
                given: given.0,
                given_at: given.1,
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

/// Whether a want says something that was not said before: that its author has the head, or has come further. Of such
/// there are no more than there are heads, and nobody makes one up.
fn is_news(node: &Node, row: &AudienceRow, held: Option<&Held>) -> Result<bool> {
    let Some(held) = held else {
        return Ok(row.given.is_none());
    };
    let served = node.store.served();
    if served.head(&held.origin, held.scope)?.as_ref() == Some(held) {
        return Ok(true);
    }
    let before = row.held.as_ref();
    let is_further =
        before.is_none_or(|before| (held.generation, held.seq) > (before.generation, before.seq));
    Ok(is_further && served.has_passed(held)?)
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
    // It may be from before that came: what nobody carries yet is given all the same. Otherwise it came and was not
    // taken, or it did not come, and it is asked once more; now and then, however often it says so.
    let is_due = !write.waits_only_here(&row.member, PART)?
        && write.count_want_again(&row.member, now)? <= WANTS_AGAIN_MAX;
    Ok(write.put_audience(&AudienceRow {
        whole: is_due,
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
