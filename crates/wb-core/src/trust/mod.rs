//! How far other instances are trusted here, and why (spec: trust).
//!
//! Pure and deterministic: vouches that count come in, with what was approved and refused by hand; levels and
//! reasons go out. Acceptance is a flow with capacities by distance, so that somebody who was fooled can let in a few
//! false instances and never a crowd.

mod flow;
mod graph;
mod lone;
mod why;

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{InstanceId, RecordId};
use crate::kinds::Level;
use crate::time::Timestamp;

pub use lone::{LoneError, LoneSignature, LoneVouch, VerifiedVouch};
pub use why::{Step, Why};

/// Vouches of level trusted or steward that count of one issuer: whoever vouches for everybody vouches for nobody.
pub const VOUCHES_MAX: usize = 20;
/// Months that a vouch may last; a longer one does not count, because nobody would look at it again.
pub const VOUCH_MONTHS_MAX: i64 = 24;
/// Milliseconds in the longest month.
const MONTH_MS: i64 = 31 * 24 * 60 * 60 * 1_000;
/// What an instance at each distance may accept, itself included; the bound on what a fooled one lets in.
const CAPACITIES: [usize; 5] = [200, 40, 10, 3, 1];
/// Every level that vouches speak of, the lowest first.
const LEVELS: [Level; 3] = [Level::Known, Level::Trusted, Level::Steward];

/// A vouch as it is shown here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    /// The record.
    pub id: RecordId,
    /// Who vouches.
    pub issuer: InstanceId,
    /// For whom.
    pub subject: InstanceId,
    /// How far.
    pub level: Level,
    /// Since when.
    pub issued_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// Until when the feed that it stands in is valid; none where that is not limited.
    pub feed_valid_until: Option<Timestamp>,
}

impl Vouched {
    /// The time from which it does not count any more by itself.
    fn until(&self) -> Timestamp {
        self.feed_valid_until
            .map_or(self.expires_at, |valid| valid.min(self.expires_at))
    }
}

/// Everything that levels are worked out from.
#[derive(Debug, Clone)]
pub struct Ground {
    /// This instance.
    pub me: InstanceId,
    /// Whom this instance approved by hand, and how far.
    pub approved: BTreeMap<InstanceId, Level>,
    /// Whom it refuses.
    pub refused: BTreeSet<InstanceId>,
    /// Vouches that are shown here.
    pub vouches: Vec<Vouched>,
    /// A secret of this instance, from which ties are decided.
    pub secret: [u8; 32],
}

/// The levels of all instances that have one.
pub type Levels = BTreeMap<InstanceId, Level>;

/// An instance of which the level changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Which.
    pub instance: InstanceId,
    /// Its level before.
    pub before: Option<Level>,
    /// Its level after.
    pub after: Option<Level>,
}

impl Ground {
    /// The level of each instance that has one.
    #[must_use]
    pub fn levels(&self, now: Timestamp) -> Levels {
        let mut levels: Levels = self
            .approved
            .iter()
            .filter(|(id, _)| !self.refused.contains(id) && **id != self.me)
            .map(|(id, level)| (*id, *level))
            .collect();
        let counted = graph::Counted::at(self, now);
        for level in LEVELS {
            for id in accepted(&counted.graph(level)) {
                let known = levels.entry(id).or_insert(level);
                *known = level.max(*known);
            }
        }
        levels
    }

    /// Why an instance has its level; none for who has none, and for this instance.
    #[must_use]
    pub fn why(&self, subject: InstanceId, now: Timestamp) -> Option<Why> {
        why::why(self, subject, now)
    }

    /// How many arrows each instance within reach is from here, over what counts for a level.
    #[must_use]
    pub fn distances(&self, level: Level, now: Timestamp) -> BTreeMap<InstanceId, usize> {
        let graph = graph::Graph::of(self, level, now);
        graph.ids.into_iter().zip(graph.distances).collect()
    }

    /// The shortest way from here to each of some instances, over what counts for a level; empty where there is none.
    #[must_use]
    pub fn ways(
        &self,
        level: Level,
        subjects: &BTreeSet<InstanceId>,
        now: Timestamp,
    ) -> BTreeMap<InstanceId, Vec<Step>> {
        why::ways(self, level, subjects, now)
    }

    /// What changes in the levels when some vouches are taken back.
    #[must_use]
    pub fn without(
        &self,
        vouches: &BTreeSet<(InstanceId, RecordId)>,
        now: Timestamp,
    ) -> Vec<Moved> {
        let mut other = self.clone();
        other
            .vouches
            .retain(|vouch| !vouches.contains(&(vouch.issuer, vouch.id)));
        moved(&self.levels(now), &other.levels(now))
    }

    /// Who is accepted at a level.
    fn accepted(&self, level: Level, now: Timestamp) -> BTreeSet<InstanceId> {
        accepted(&graph::Graph::of(self, level, now))
    }
}

/// Who is accepted in a graph.
fn accepted(graph: &graph::Graph) -> BTreeSet<InstanceId> {
    let accepted = flow::accepted(graph);
    accepted.into_iter().map(|at| graph.ids[at]).collect()
}

/// The instances of which the level differs, by id.
#[must_use]
pub fn moved(before: &Levels, after: &Levels) -> Vec<Moved> {
    let ids: BTreeSet<&InstanceId> = before.keys().chain(after.keys()).collect();
    ids.into_iter()
        .map(|id| Moved {
            instance: *id,
            before: before.get(id).copied(),
            after: after.get(id).copied(),
        })
        .filter(|moved| moved.before != moved.after)
        .collect()
}
