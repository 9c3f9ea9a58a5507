//! How often this instance says that it syncs, and until when its public feed promises a newer header (spec: feeds).
//!
//! Whoever follows it is told once that time is over, and counts its vouches no more. So only a program that syncs by itself
//! promises anything, for far longer than it needs, and anew when half of the time is over.

use std::time::Duration;

use wb_core::kinds::SyncRhythm;
use wb_core::scope::FeedScope;
use wb_core::time::Timestamp;

use crate::card;
use crate::command::retire::{Retirement, retirement};
use crate::error::Result;
use crate::node::Node;
use crate::query::auto::shortest;
use crate::service::runs_every;

const HOUR_MS: i64 = 60 * 60 * 1_000;
/// Milliseconds for which a newer header is promised, at least: a computer that is off over a holiday keeps its word.
const PROMISED_MS: i64 = 14 * 24 * HOUR_MS;
/// Rounds that may fail before a promise is broken, where they are far apart.
const ROUNDS: i64 = 4;

/// How often this instance syncs, as its card says.
///
/// Where no program runs now, what was said stays said as long as what was promised by it: somebody who stops a program
/// for a moment does not take its word back.
pub(crate) fn rhythm(node: &Node, said: SyncRhythm, now: Timestamp) -> Result<SyncRhythm> {
    if matches!(retirement(node)?, Retirement::Retired(_)) {
        return Ok(SyncRhythm::ByHand(true));
    }
    if runs_every(node.store.home()).is_none() {
        let holds = promised(node)?.is_some_and(|until| until > now);
        return Ok(if holds {
            said
        } else {
            SyncRhythm::ByHand(true)
        });
    }
    Ok(match shortest(node)? {
        Some(every) => SyncRhythm::EveryHours(hours(every)),
        None => SyncRhythm::ByHand(true),
    })
}

/// Whole hours, at least one.
fn hours(every: Duration) -> u32 {
    let hours = every.as_secs().div_ceil(60 * 60).max(1);
    u32::try_from(hours).unwrap_or(u32::MAX)
}

/// Until when a header that is sealed now promises a newer one, by what the own card says; none where this instance is
/// synced by hand.
pub(crate) fn from_now(node: &Node, now: Timestamp) -> Result<Option<Timestamp>> {
    let cards = card::kept(node)?;
    Ok(cards.last().and_then(|(_, card)| until(card.sync, now)))
}

fn until(rhythm: SyncRhythm, now: Timestamp) -> Option<Timestamp> {
    match rhythm {
        SyncRhythm::ByHand(_) => None,
        SyncRhythm::EveryHours(hours) => {
            Some(now.plus_ms(PROMISED_MS.max(ROUNDS * i64::from(hours) * HOUR_MS)))
        }
    }
}

/// Until when the newest header of the own public feed promises a newer one.
fn promised(node: &Node) -> Result<Option<Timestamp>> {
    let served = node.store.served();
    Ok(served.valid_until(&node.own_id(), FeedScope::Public)?)
}

/// Whether a header has to be sealed for the promise alone: half of the time that one would have [`from_now`] is over.
pub(crate) fn is_due(node: &Node, anew: Option<Timestamp>, now: Timestamp) -> Result<bool> {
    let (Some(anew), Some(promised)) = (anew, promised(node)?) else {
        return Ok(false);
    };
    let whole = anew.unix_ms() - now.unix_ms();
    Ok(promised.unix_ms().saturating_sub(now.unix_ms()) < whole / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_kept_by_a_program_that_is_off_for_a_while() {
        let now = Timestamp::from_unix_ms(1_800_000_000_000).unwrap();
        let day = 24 * HOUR_MS;
        assert_eq!(until(SyncRhythm::ByHand(true), now), None);
        let days = |hours| {
            let until = until(SyncRhythm::EveryHours(hours), now).unwrap();
            (until.unix_ms() - now.unix_ms()) / day
        };
        assert_eq!((days(1), days(24), days(24 * 7)), (14, 14, 28));
        assert_eq!(hours(Duration::from_secs(1)), 1);
        assert_eq!(hours(Duration::from_secs(3_601)), 2);
    }
}
