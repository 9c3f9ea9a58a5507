//! Where a header stands to what is held of its feed: step 9 of accepting.

use super::header::Header;
use super::state::{FeedState, Opening};
use crate::id::Hash;
use crate::identity::Position;

/// What the order of logs and headers says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// It is next: go on.
    Next,
    /// It was applied before.
    Duplicate,
    /// It contradicts what is held: evidence.
    Fork,
    /// Its log is closed by the one held.
    Closed,
    /// Something between is missing.
    Gap,
    /// Only a snapshot leads there.
    NeedSnapshot,
    /// It is next, but the feed is forked.
    Held,
}

/// The order of logs: position of the first header's key, then generation.
#[must_use]
pub fn order(opening: &Opening) -> (Position, u64) {
    (opening.position, opening.generation)
}

/// Places a header of the log held. `known` is the header hash held at its `seq`.
pub(super) fn same_log(
    header: &Header,
    hash: &Hash,
    state: &FeedState,
    known: Option<Hash>,
) -> Placement {
    if header.seq <= state.seq {
        return if known.is_none_or(|known| known == *hash) {
            Placement::Duplicate
        } else {
            Placement::Fork
        };
    }
    if header.seq > state.seq + 1 {
        return Placement::Gap;
    }
    match header.prev {
        Some(prev) if prev != state.hash => Placement::Fork,
        _ if state.forked => Placement::Held,
        _ => Placement::Next,
    }
}

/// Places a log other than the one held, if one is; `None` when it comes later and nothing contradicts
/// it. `has_rival` says whether another log of its order is known, taken or not.
pub(super) fn other_log(
    opening: &Opening,
    has_rival: bool,
    state: Option<&FeedState>,
) -> Option<Placement> {
    let Some(state) = state else {
        return has_rival.then_some(Placement::Fork);
    };
    match order(opening).cmp(&order(&state.opening)) {
        std::cmp::Ordering::Less => Some(Placement::Closed),
        std::cmp::Ordering::Equal => Some(Placement::Fork),
        std::cmp::Ordering::Greater => {
            let leaves_beside = opening.follows.is_some_and(|follows| {
                opening.position == state.opening.position
                    && follows.generation == state.opening.generation
                    && follows.log != state.log
            });
            (has_rival || leaves_beside).then_some(Placement::Fork)
        }
    }
}

/// Places a delta of another log than the one held, if one is.
pub(super) fn other_log_delta(
    header: &Header,
    opening: &Opening,
    has_rival: bool,
    state: Option<&FeedState>,
) -> Placement {
    if let Some(placement) = other_log(opening, has_rival, state) {
        return placement;
    }
    let follows_head = match (header.follows, state) {
        (None, None) => true,
        (Some(f), Some(state)) => f.log == state.log && f.seq == state.seq && f.hash == state.hash,
        _ => false,
    };
    if header.seq == 0 && follows_head {
        Placement::Next
    } else {
        Placement::NeedSnapshot
    }
}
