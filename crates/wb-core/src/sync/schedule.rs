//! When a peer is synced with next, where the program does so by itself.

use std::time::Duration;

use super::peer::{PeerState, Phase, RETRY_MS_MAX};
use crate::time::Timestamp;

/// The longest time between two syncs that can be chosen: a week.
pub const EVERY_MINUTES_MAX: u64 = 10_080;

/// How long what a hub said of its arrivals is believed without looking at its heads: a day.
pub const HEADS_EVERY_MS: i64 = 86_400_000;

/// When a peer is synced with next by itself, for one that goes every so often; `None` where it is
/// synced with by hand only (never: zero). A wait after failures comes first: it ends earlier than most
/// intervals, so an outage that is over is noticed, and may be longer than a short one. Where the peer waits
/// for somebody (an approval, a look), the interval follows that wait.
///
/// ```
/// use std::time::Duration;
///
/// use wb_core::sync::{PeerEvent, PeerState, next_sync};
/// use wb_core::time::Timestamp;
///
/// let at = |minutes: i64| Timestamp::from_unix_ms(1_760_000_000_000 + minutes * 60_000).unwrap();
/// let minutes = |n: u64| Duration::from_secs(60 * n);
/// let mut state = PeerState::new(at(0));
/// assert_eq!(next_sync(&state, minutes(15), at(3)), Some(at(3)), "never synced: now");
/// state.on(at(3), PeerEvent::Synced, 0);
/// assert_eq!(next_sync(&state, minutes(15), at(4)), Some(at(18)));
/// assert_eq!(next_sync(&state, minutes(0), at(4)), None, "by hand");
/// ```
#[must_use]
pub fn next_sync(state: &PeerState, every: Duration, now: Timestamp) -> Option<Timestamp> {
    if every.is_zero() {
        return None;
    }
    let waits_for_somebody = !matches!(state.phase(), Phase::Failing | Phase::Syncing);
    if !waits_for_somebody || state.failures == 0 {
        if !state.may_try(now) {
            return state.next_try;
        }
        if state.failures > 0 {
            return Some(now);
        }
    }
    let every_ms = u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
    let every_ms = every_ms.min(EVERY_MINUTES_MAX * 60_000);
    let after = |at: Timestamp| {
        let next = at.unix_ms().checked_add_unsigned(every_ms);
        next.and_then(Timestamp::from_unix_ms)
    };
    // Where somebody has to do something first, trying soon again helps nobody.
    let last = match state.failures {
        0 => state.last_synced,
        _ => state.next_try,
    };
    // A time ahead of now was noted while this computer's clock was wrong.
    let latest = now.unix_ms().checked_add_unsigned(RETRY_MS_MAX);
    let latest = latest.and_then(Timestamp::from_unix_ms).unwrap_or(now);
    let last = match state.failures {
        0 => last.map(|last| last.min(now)),
        _ => last.map(|last| last.min(latest)),
    };
    Some(last.and_then(after).map_or(now, |next| next.max(now)))
}

/// Whether the heads of a hub are to be compared with those held here, whatever the cursor says. The cursor is
/// the hub's word that nothing before it is missing; a feed that stays silent would never contradict it.
#[must_use]
pub fn heads_are_due(compared: Option<Timestamp>, now: Timestamp) -> bool {
    compared.is_none_or(|last| {
        let since = now.unix_ms().saturating_sub(last.unix_ms());
        // A time ahead of now was noted while this computer's clock was wrong.
        !(0..HEADS_EVERY_MS).contains(&since)
    })
}

#[cfg(test)]
mod tests {
    use super::super::peer::{PeerCause, PeerEvent};
    use super::*;

    fn minutes(n: u64) -> Duration {
        Duration::from_secs(60 * n)
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_unix_ms(1_760_000_000_000 + minutes * 60_000).unwrap()
    }

    #[test]
    fn a_failure_is_tried_again_before_the_interval_is_over_and_no_sooner_than_its_wait() {
        let mut state = PeerState::new(at(0));
        state.on(at(0), PeerEvent::Synced, 0);
        let failed = PeerEvent::Ended(PeerCause::Unreachable, String::new());
        state.on(at(60), failed.clone(), 0);
        let next = next_sync(&state, minutes(60), at(60)).unwrap();
        assert_eq!(Some(next), state.next_try);
        assert!(next < at(61), "the first wait is short");
        for _ in 0..20 {
            state.on(at(61), failed.clone(), 0);
        }
        assert_eq!(
            next_sync(&state, minutes(1), at(62)),
            Some(at(121)),
            "at most an hour"
        );
        state.on(at(63), PeerEvent::Contacted, 0);
        assert_eq!(
            next_sync(&state, minutes(1), at(63)),
            Some(at(63)),
            "it is there"
        );
    }

    #[test]
    fn who_waits_for_somebody_is_not_asked_again_before_the_interval_is_over() {
        let mut state = PeerState::new(at(0));
        let waits = PeerEvent::Ended(PeerCause::Approval, String::new());
        state.on(at(0), waits, 0);
        let next = next_sync(&state, minutes(15), at(1)).unwrap();
        assert!(next >= at(15) && next < at(16), "{next}");
        assert_eq!(next_sync(&state, minutes(15), at(20)), Some(at(20)));
        state.on(at(20), PeerEvent::Contacted, 0);
        assert_eq!(next_sync(&state, minutes(15), at(20)), Some(at(20)));
    }

    #[test]
    fn a_clock_that_was_wrong_does_not_put_it_off_for_good() {
        let mut state = PeerState::new(at(0));
        state.on(at(100_000), PeerEvent::Synced, 0);
        assert_eq!(next_sync(&state, minutes(15), at(0)), Some(at(15)));
    }

    #[test]
    fn heads_are_compared_once_a_day_and_after_a_clock_that_was_ahead() {
        let day = HEADS_EVERY_MS / 60_000;
        assert!(heads_are_due(None, at(0)));
        assert!(!heads_are_due(Some(at(0)), at(0)));
        assert!(!heads_are_due(Some(at(0)), at(day - 1)));
        assert!(heads_are_due(Some(at(0)), at(day)));
        assert!(heads_are_due(Some(at(1)), at(0)));
    }
}
