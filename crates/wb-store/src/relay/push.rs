//! Taking in what members push: deltas of their own feeds, each of which arrives once.

use wb_core::bundle::Sink;
use wb_core::feed::{Delta, Item, Outcome, Refusal, SnapshotOutcome, SnapshotReader};
use wb_core::id::{InstanceId, RecordId};
use wb_core::identity::{IdentityLog, Merge};
use wb_core::scope::FeedScope;
use wb_core::time::Timestamp;
use wb_core::want::Held;

use super::file::RelayWrite;
use super::heads::own_heads;
use crate::error::{Result, StoreError};

/// Why a push is not taken. Nothing of it counts then: drop the transaction.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// It holds a section of another instance.
    #[error("a push brings what is of its sender alone, and this is of {0}")]
    NotYours(InstanceId),
    /// It holds a feed that is not public: a hub must not see it in the clear.
    #[error("a hub relays public feeds, and this is one for named peers")]
    NotPublic,
    /// It holds a snapshot.
    #[error("a push brings deltas, and no snapshots")]
    Snapshot,
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
}

impl<'w, 'r> RelaySink<'w, 'r> {
    /// Takes what is of `pusher`.
    #[must_use]
    pub fn new(write: &'w RelayWrite<'r>, pusher: InstanceId, now: Timestamp) -> Self {
        Self { write, pusher, now }
    }

    fn check(&self, origin: InstanceId) -> std::result::Result<(), PushError> {
        if origin == self.pusher {
            Ok(())
        } else {
            Err(PushError::NotYours(origin))
        }
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
        _identity: Option<&IdentityLog>,
    ) -> std::result::Result<std::result::Result<SnapshotOutcome, Refusal>, PushError> {
        self.check(snapshot.totals().origin)?;
        Err(PushError::Snapshot)
    }

    fn item(&mut self, _item: &Item<'_>) -> std::result::Result<(), PushError> {
        Err(PushError::Snapshot)
    }

    fn retracted(&mut self, _pairs: &[(RecordId, u64)]) -> std::result::Result<(), PushError> {
        Err(PushError::Snapshot)
    }

    fn finish(
        &mut self,
        _snapshot: &SnapshotReader,
    ) -> std::result::Result<std::result::Result<(), Refusal>, PushError> {
        Err(PushError::Snapshot)
    }

    fn delta(&mut self, delta: &Delta<'_>) -> std::result::Result<Outcome, PushError> {
        self.check(delta.header.origin)?;
        if delta.header.scope != FeedScope::Public {
            return Err(PushError::NotPublic);
        }
        Ok(self.write.push_delta(delta, self.now)?)
    }
}
