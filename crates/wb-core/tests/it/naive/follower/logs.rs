//! The order of logs.

use super::super::delta::Header;
use super::{Feed, Follower};

/// The order of logs, by their first headers.
pub(super) fn order(first: &Header) -> (u64, u64, u64) {
    (first.position.0, first.position.1, first.generation)
}

/// A log that follows another log of our log's generation, opened in our log's era and key.
pub(super) fn leaves_beside(first: &Header, ours: &Header) -> bool {
    first.position == ours.position
        && first
            .follows
            .as_ref()
            .is_some_and(|f| f.generation == ours.generation && f.log != ours.log)
}

impl Follower {
    /// Whether the first header of another log of this order is held, by a key that had not stopped.
    pub(super) fn has_rival(&self, feed: &Feed, first: &Header) -> bool {
        feed.firsts.values().any(|other| {
            other.log != first.log
                && order(other) == order(first)
                && !self.is_void(other)
                && !self.is_above(other, "rotate")
        })
    }
}
