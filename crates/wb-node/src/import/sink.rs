//! Driving a bundle into the store, inside one transaction.

use std::collections::BTreeSet;

use wb_core::bundle::Sink;
use wb_core::feed::{
    Delta, Early, Header, Item, Outcome, Refusal, SnapshotOutcome, SnapshotReader,
};
use wb_core::id::{Hash, InstanceId, RecordId};
use wb_core::identity::{IdentityLog, Merge, merge};
use wb_core::rule::Rule;
use wb_core::scope::FeedScope;
use wb_core::time::Timestamp;
use wb_core::want::Held;
use wb_store::{Ingest, Standing, StoreError, Taken, Write};

/// Takes a bundle into a transaction.
pub struct StoreSink<'w, 's> {
    write: &'w Write<'s>,
    now: Timestamp,
    own: InstanceId,
    taken: Option<Taken>,
    /// Whether the bundle holds more of this instance's own feed than is here.
    pub own_is_ahead: bool,
    /// Whether the own feed is taken as any other is: this database is an older copy, and what it published
    /// comes back to it.
    pub takes_own: bool,
    /// Whether something of the own feed was taken.
    pub own_came_back: bool,
    /// Instances the bundle brought an identity log of.
    pub origins: BTreeSet<InstanceId>,
    /// Deltas that were appended.
    pub deltas: u64,
    /// The run by which it came.
    pub run_no: Option<i64>,
    /// Instances whose log came longer by a recovery.
    pub recovered: BTreeSet<InstanceId>,
    /// Instances approved by hand before they came.
    pub approved: BTreeSet<InstanceId>,
    /// Whose trusted feed may come, because it came sealed; by every other road it is refused.
    pub trusted_of: Option<InstanceId>,
    /// The head that the section being read shows its carrier to have, as far as it verified.
    carried: Option<Held>,
}

impl<'w, 's> StoreSink<'w, 's> {
    /// Starts with nothing taken.
    #[must_use]
    pub fn new(write: &'w Write<'s>, own: InstanceId, now: Timestamp) -> Self {
        Self {
            write,
            now,
            own,
            taken: None,
            own_is_ahead: false,
            takes_own: false,
            own_came_back: false,
            origins: BTreeSet::new(),
            deltas: 0,
            run_no: None,
            recovered: BTreeSet::new(),
            approved: BTreeSet::new(),
            trusted_of: None,
            carried: None,
        }
    }

    /// Notes up to where whom this run is with has a feed: also what came before by another road.
    fn note_road(&mut self) -> Result<(), StoreError> {
        if let (Some(held), Some(run_no)) = (self.carried.take(), self.run_no) {
            self.write.note_road(run_no, &held, self.now)?;
        }
        Ok(())
    }

    /// Refuses a trusted feed that did not come sealed by its origin.
    fn check_sealed(&self, origin: InstanceId, scope: FeedScope) -> Result<(), Refusal> {
        if scope == FeedScope::Public || self.trusted_of == Some(origin) {
            return Ok(());
        }
        Err(Refusal {
            rule: Rule::NotInAudience,
            item: None,
        })
    }

    fn ingest(&self) -> Ingest<'w> {
        self.write.ingest(self.now).of_run(self.run_no)
    }
}

impl Sink for StoreSink<'_, '_> {
    type Error = StoreError;

    fn begin_section(&mut self) -> Result<(), StoreError> {
        self.carried = None;
        self.write.begin_part()
    }

    fn keep_section(&mut self) -> Result<(), StoreError> {
        self.write.keep_part()?;
        self.note_road()
    }

    fn undo_section(&mut self) -> Result<(), StoreError> {
        self.taken = None;
        self.carried = None;
        self.write.undo_part()
    }

    fn known_identity(&mut self, id: &InstanceId) -> Result<Option<IdentityLog>, StoreError> {
        self.write.identity_log(id)
    }

    fn identity(&mut self, log: IdentityLog) -> Result<(Merge, IdentityLog), StoreError> {
        let id = log.id();
        self.origins.insert(id);
        if id == self.own && self.takes_own {
            let merge = self.write.put_identity(&log, Standing::Own, self.now)?;
            self.own_came_back |= matches!(merge, Merge::Extend | Merge::Replace);
            let held = self.write.identity_log(&id)?.unwrap_or(log);
            return Ok((merge, held));
        }
        if id == self.own {
            // Nobody else continues the own log; who holds a longer one has seen another copy.
            let held = self.write.identity_log(&id)?.unwrap_or_else(|| log.clone());
            let merge = merge(&held, &log);
            self.own_is_ahead |= !matches!(merge, Merge::Known | Merge::Stale);
            return Ok((Merge::Known, held));
        }
        // A new instance waits until somebody approves it.
        let standing = if self.approved.contains(&id) {
            Standing::Approved
        } else {
            Standing::Waiting
        };
        let before = self.write.identity_log(&id)?;
        let merge = self.write.put_identity(&log, standing, self.now)?;
        let era = |log: &IdentityLog| log.newest().position.era;
        if before.is_some_and(|before| era(&before) < era(&log)) {
            self.recovered.insert(id);
        }
        let held = self.write.identity_log(&id)?.unwrap_or(log);
        Ok((merge, held))
    }

    fn place(
        &mut self,
        snapshot: &mut SnapshotReader,
        identity: Option<&IdentityLog>,
    ) -> Result<Result<SnapshotOutcome, Refusal>, StoreError> {
        let totals = snapshot.totals();
        if let Err(refusal) = self.check_sealed(totals.origin, totals.scope) {
            return Ok(Err(refusal));
        }
        if snapshot.totals().origin == self.own && !self.takes_own {
            let placed = self.write.compare_snapshot(snapshot, identity)?;
            return Ok(placed.map(|outcome| match outcome {
                SnapshotOutcome::Take => {
                    self.own_is_ahead = true;
                    SnapshotOutcome::Held
                }
                outcome => outcome,
            }));
        }
        let is_own = snapshot.totals().origin == self.own;
        let placed = self.ingest().place_snapshot(snapshot, identity)?;
        Ok(placed.map(|(outcome, taken)| {
            self.own_came_back |= is_own && taken.is_some();
            self.taken = taken;
            if matches!(outcome, SnapshotOutcome::Take | SnapshotOutcome::Duplicate) {
                self.carried = snapshot
                    .head()
                    .map(|(header, _, hash)| held_of(header, hash));
            }
            outcome
        }))
    }

    fn item(&mut self, item: &Item<'_>) -> Result<(), StoreError> {
        let taken = self
            .taken
            .as_ref()
            .expect("items are wanted only for a snapshot that is taken");
        self.ingest().snapshot_item(taken, item)
    }

    fn items(&mut self, items: &[Item<'_>]) -> Result<(), StoreError> {
        let taken = self
            .taken
            .as_ref()
            .expect("items are wanted only for a snapshot that is taken");
        self.ingest().snapshot_items(taken, items)
    }

    fn fill(&mut self, item: &Item<'_>) -> Result<(), StoreError> {
        self.ingest().fill_item(item)
    }

    fn retracted(&mut self, pairs: &[(RecordId, u64)]) -> Result<(), StoreError> {
        let taken = self
            .taken
            .as_ref()
            .expect("pairs are wanted only for a snapshot that is taken");
        self.ingest().snapshot_retracted(taken, pairs)
    }

    fn finish(&mut self, snapshot: &SnapshotReader) -> Result<Result<(), Refusal>, StoreError> {
        let taken = self
            .taken
            .take()
            .expect("only a snapshot that is taken is finished here");
        self.ingest().finish_snapshot(snapshot, &taken)
    }

    fn delta(&mut self, delta: &Delta<'_>) -> Result<Outcome, StoreError> {
        if let Err(refusal) = self.check_sealed(delta.header.origin, delta.header.scope) {
            return Ok(Outcome::Refused(refusal));
        }
        if delta.header.origin == self.own && self.takes_own {
            let outcome = self.ingest().delta(delta)?;
            self.own_came_back |= matches!(outcome, Outcome::Append(_));
            return Ok(outcome);
        }
        if delta.header.origin == self.own {
            let outcome = self.write.compare_delta(delta)?;
            let is_ahead = matches!(
                outcome,
                Outcome::Append(_) | Outcome::Early(Early::Gap) | Outcome::NeedSnapshot
            );
            self.own_is_ahead |= is_ahead;
            if matches!(outcome, Outcome::Void) && self.write.proves_own(delta)? {
                // What somebody else signed with a key of this instance: its owner decides about it.
                self.write.list_void(delta)?;
            }
            return Ok(if is_ahead { Outcome::Held } else { outcome });
        }
        let outcome = self.ingest().delta(delta)?;
        self.deltas += u64::from(matches!(outcome, Outcome::Append(_)));
        if matches!(outcome, Outcome::Append(_) | Outcome::Duplicate) {
            self.carried = Some(held_of(&delta.header, delta.hash));
        }
        Ok(outcome)
    }
}

/// The head that a header is.
fn held_of(header: &Header, hash: Hash) -> Held {
    Held {
        origin: header.origin,
        scope: header.scope,
        log: header.log,
        generation: header.generation,
        seq: header.seq,
        hash,
    }
}
