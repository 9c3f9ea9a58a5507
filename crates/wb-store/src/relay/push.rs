//! Taking in what members push: deltas of their own feeds, each of which arrives once, and a snapshot
//! where nothing else leads on (spec: sync, push).

use wb_core::bundle::Sink;
use wb_core::feed::{Delta, Item, Outcome, Refusal, SnapshotOutcome, SnapshotReader};
use wb_core::id::{InstanceId, RecordId};
use wb_core::identity::{IdentityLog, Merge};
use wb_core::scope::FeedScope;
use wb_core::sync::Arrival;
use wb_core::time::Timestamp;
use wb_core::want::Held;

use super::arrival::Arrived;
use super::file::RelayWrite;
use super::heads::own_heads;
use crate::error::{Result, StoreError};
use crate::feeds::Taken;

/// Why a push is not taken. Nothing of it counts then: drop the transaction.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// It holds a section of another instance.
    #[error("a push brings what is of its sender alone, and this is of {0}")]
    NotYours(InstanceId),
    /// It holds a feed that is not public: a hub must not see it in the clear.
    #[error("a hub relays public feeds, and this is one for named peers")]
    NotPublic,
    /// The store reports a problem.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RelayWrite<'_> {
    /// Takes in a delta. Every delta that is applied by it, also one that waited for it, arrives.
    ///
    /// # Errors
    /// What the database reports.
    pub fn push_delta(&self, delta: &Delta<'_>, now: Timestamp) -> Result<Outcome> {
        let outcome = self.ingest(now).delta(delta)?;
        self.arrive_appended(now)?;
        Ok(outcome)
    }

    /// Takes in a longer identity log of a member. It arrives before the deltas that waited for it.
    ///
    /// # Errors
    /// What the database reports.
    pub fn push_identity(&self, log: &IdentityLog, now: Timestamp) -> Result<Merge> {
        let merge = self.put_log(log, now)?;
        self.tell_identity(&log.id(), now)?;
        self.arrive_appended(now)?;
        Ok(merge)
    }

    /// A feed was moved by a snapshot: its new head arrives again, then what waited for it.
    fn arrive_snapshot(
        &self,
        reader: &SnapshotReader,
        taken: &Taken,
        now: Timestamp,
    ) -> Result<()> {
        let (head, _, hash) = reader.head().expect("a snapshot that was taken has a head");
        let what = Arrived {
            origin: head.origin,
            feed: Some((head.scope, taken.log_no(), head.seq)),
            hash,
        };
        self.end_suspension(&head.origin, now)?;
        self.arrive(Arrival::Again, &what, now)?;
        self.arrive_appended(now)
    }

    /// The heads held of an instance's feeds, as this transaction sees them.
    ///
    /// # Errors
    /// What the database reports.
    pub fn own_heads(&self, id: &InstanceId) -> Result<Vec<Held>> {
        own_heads(&self.transaction, id)
    }
}

/// Takes the sections of a push into a transaction.
#[derive(Debug)]
pub struct RelaySink<'w, 'r> {
    write: &'w RelayWrite<'r>,
    pusher: InstanceId,
    now: Timestamp,
    /// The snapshot that is being taken.
    taken: Option<Taken>,
}

impl<'w, 'r> RelaySink<'w, 'r> {
    /// Takes what is of `pusher`.
    #[must_use]
    pub fn new(write: &'w RelayWrite<'r>, pusher: InstanceId, now: Timestamp) -> Self {
        Self {
            write,
            pusher,
            now,
            taken: None,
        }
    }

    fn check(&self, origin: InstanceId) -> std::result::Result<(), PushError> {
        if origin == self.pusher {
            Ok(())
        } else {
            Err(PushError::NotYours(origin))
        }
    }
}

impl RelaySink<'_, '_> {
    fn taken(&self) -> &Taken {
        let taken = self.taken.as_ref();
        taken.expect("items come only for a snapshot that is taken")
    }
}

fn check_public(scope: FeedScope) -> std::result::Result<(), PushError> {
    if scope == FeedScope::Public {
        Ok(())
    } else {
        Err(PushError::NotPublic)
    }
}

impl Sink for RelaySink<'_, '_> {
    type Error = PushError;

    fn begin_section(&mut self) -> std::result::Result<(), PushError> {
        Ok(self.write.begin_part()?)
    }

    fn keep_section(&mut self) -> std::result::Result<(), PushError> {
        Ok(self.write.keep_part()?)
    }

    fn undo_section(&mut self) -> std::result::Result<(), PushError> {
        Ok(self.write.undo_part()?)
    }

    fn known_identity(
        &mut self,
        id: &InstanceId,
    ) -> std::result::Result<Option<IdentityLog>, PushError> {
        self.check(*id)?;
        Ok(self.write.identity_log(id)?)
    }

    fn identity(
        &mut self,
        log: IdentityLog,
    ) -> std::result::Result<(Merge, IdentityLog), PushError> {
        self.check(log.id())?;
        let merge = self.write.push_identity(&log, self.now)?;
        let held = self.write.identity_log(&log.id())?.unwrap_or(log);
        Ok((merge, held))
    }

    fn place(
        &mut self,
        snapshot: &mut SnapshotReader,
        identity: Option<&IdentityLog>,
    ) -> std::result::Result<std::result::Result<SnapshotOutcome, Refusal>, PushError> {
        let totals = snapshot.totals();
        self.check(totals.origin)?;
        check_public(totals.scope)?;
        let placed = self
            .write
            .ingest(self.now)
            .place_snapshot(snapshot, identity)?;
        Ok(placed.map(|(outcome, taken)| {
            self.taken = taken;
            outcome
        }))
    }

    fn item(&mut self, item: &Item<'_>) -> std::result::Result<(), PushError> {
        let ingest = self.write.ingest(self.now);
        Ok(ingest.snapshot_item(self.taken(), item)?)
    }

    fn fill(&mut self, item: &Item<'_>) -> std::result::Result<(), PushError> {
        Ok(self.write.ingest(self.now).fill_item(item)?)
    }

    fn retracted(&mut self, pairs: &[(RecordId, u64)]) -> std::result::Result<(), PushError> {
        let ingest = self.write.ingest(self.now);
        Ok(ingest.snapshot_retracted(self.taken(), pairs)?)
    }

    fn finish(
        &mut self,
        snapshot: &SnapshotReader,
    ) -> std::result::Result<std::result::Result<(), Refusal>, PushError> {
        let ingest = self.write.ingest(self.now);
        let finished = ingest.finish_snapshot(snapshot, self.taken())?;
        if finished.is_ok() {
            self.write
                .arrive_snapshot(snapshot, self.taken(), self.now)?;
        }
        self.taken = None;
        Ok(finished)
    }

    fn delta(&mut self, delta: &Delta<'_>) -> std::result::Result<Outcome, PushError> {
        self.check(delta.header.origin)?;
        check_public(delta.header.scope)?;
        Ok(self.write.push_delta(delta, self.now)?)
    }
}
