//! A transaction that the store's own readers see before it counts.
//!
//! What a use case would lead to is then computed by the code that computes it afterwards, and a
//! rehearsal is the act itself, dropped at its end.

use rusqlite::{Transaction, TransactionBehavior};

use crate::error::Result;
use crate::store::{Store, Write};

impl Store {
    /// Starts a transaction on the main file that other writers wait for, and that every reading of
    /// this store sees while it is open. Only one can be open.
    ///
    /// # Errors
    /// What the database reports, also that a transaction is open already.
    pub fn write_in_sight(&self) -> Result<Write<'_>> {
        self.check_writable()?;
        let transaction = Transaction::new_unchecked(self.main(), TransactionBehavior::Immediate)?;
        Ok(Write::new(transaction, self.home()))
    }
}
