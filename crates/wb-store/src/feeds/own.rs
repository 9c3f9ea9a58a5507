//! Comparing a feed of this instance that came from elsewhere with the one held.
//!
//! It is never taken: this instance is its one writer. One that goes further than what is held means
//! that the database is an older copy, or that another copy of the instance publishes.

use std::rc::Rc;

use wb_core::feed::{Delta, Outcome, Refusal, SnapshotOutcome, SnapshotReader, accept};
use wb_core::identity::IdentityLog;

use super::view::load_feed;
use crate::error::Result;
use crate::store::Write;

impl Write<'_> {
    /// Says what a snapshot would mean, and takes nothing.
    ///
    /// # Errors
    /// What the database reports; inside, the rule broken.
    pub fn compare_snapshot(
        &self,
        reader: &mut SnapshotReader,
        identity: Option<&IdentityLog>,
    ) -> Result<std::result::Result<SnapshotOutcome, Refusal>> {
        let totals = *reader.totals();
        match load_feed(&self.transaction, &totals.origin, totals.scope)? {
            Some(mut feed) => {
                feed.identity = identity.cloned().map(Rc::new);
                reader.place(identity, feed.state.as_ref(), &feed)
            }
            None => Ok(Ok(SnapshotOutcome::Early)),
        }
    }

    /// Says what a delta would mean, and takes nothing.
    ///
    /// # Errors
    /// What the database reports.
    pub fn compare_delta(&self, delta: &Delta<'_>) -> Result<Outcome> {
        let header = &delta.header;
        let identity = self.known.log(&self.transaction, &header.origin)?;
        match load_feed(&self.transaction, &header.origin, header.scope)? {
            Some(mut feed) => {
                feed.identity = identity;
                accept(delta, feed.identity.as_deref(), feed.state.as_ref(), &feed)
            }
            None => Ok(Outcome::Early(wb_core::feed::Early::Identity)),
        }
    }

    /// Starts a part of this transaction that can be undone alone.
    ///
    /// # Errors
    /// What the database reports.
    pub fn begin_part(&self) -> Result<()> {
        Ok(self.transaction.execute_batch("SAVEPOINT part")?)
    }

    /// Keeps what was done since [`Write::begin_part`].
    ///
    /// # Errors
    /// What the database reports.
    pub fn keep_part(&self) -> Result<()> {
        Ok(self.transaction.execute_batch("RELEASE part")?)
    }

    /// Undoes what was done since [`Write::begin_part`].
    ///
    /// # Errors
    /// What the database reports.
    pub fn undo_part(&self) -> Result<()> {
        self.known.forget();
        Ok(self
            .transaction
            .execute_batch("ROLLBACK TO part; RELEASE part")?)
    }
}
