//! Emptying the logs of the databases, so that nothing erased stays behind in them.
//!
//! Who reads meanwhile, another process perhaps, keeps a log from being emptied. That it has to be is noted, and it is
//! tried again with the next sync and while a program runs that syncs by itself.

use rusqlite::Connection;

use crate::error::{Result, StoreError};
use crate::private::Private;
use crate::store::{Store, put_meta};

/// In `meta`: whether something was erased that may still stand in a log.
const LOGS_HOLD_ERASED: &str = "logs_hold_erased";

/// Writes a log into its file and empties it. False where somebody reads meanwhile, or the disk is full: then it is done
/// later, at the latest when the file is closed.
fn empty_log(connection: &Connection) -> Result<bool> {
    let is_busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    match is_busy.map_err(StoreError::from) {
        Err(error) if error.is_full() => Ok(false),
        other => other.map(|is_busy: bool| !is_busy),
    }
}

impl Store {
    /// Empties the log of the main file. What was committed counts either way. Returns whether it was done.
    ///
    /// # Errors
    /// What the database reports.
    pub fn checkpoint(&self) -> Result<bool> {
        empty_log(self.main())
    }

    /// Empties the logs of both files after something was erased, and notes where that has to be done again. Returns
    /// whether it was done.
    ///
    /// # Errors
    /// What the database reports.
    pub fn empty_logs(&self) -> Result<bool> {
        let (main, private) = (self.checkpoint()?, self.private().checkpoint()?);
        let is_done = main && private;
        if self.has_to_empty_logs()? == is_done {
            let word = if is_done { "no" } else { "yes" };
            match put_meta(self.main(), LOGS_HOLD_ERASED, word) {
                // On a full disk it is done when the files are closed.
                Err(error) if error.is_full() => {}
                other => other?,
            }
        }
        Ok(is_done)
    }

    /// Whether something erased may still stand in a log.
    ///
    /// # Errors
    /// What the database reports.
    pub fn has_to_empty_logs(&self) -> Result<bool> {
        Ok(self
            .meta(LOGS_HOLD_ERASED)?
            .is_some_and(|word| word == "yes"))
    }
}

impl Private {
    /// Empties the log of the private file, as [`Store::checkpoint`] does that of the main one.
    ///
    /// # Errors
    /// What the database reports.
    pub fn checkpoint(&self) -> Result<bool> {
        empty_log(self.connection())
    }
}
