//! Emptying the logs of the databases, and overwriting what stays between the cells of their pages, so that nothing
//! erased stays behind in the files.
//!
//! Who reads meanwhile, another process perhaps, keeps a log from being emptied. That it has to be is noted, and it is
//! tried again with the next sync and while a program runs that syncs by itself.

use rusqlite::Connection;

use crate::diff::Difference;
use crate::error::{Result, StoreError};
use crate::gaps;
use crate::private::Private;
use crate::store::{Store, put_meta};

/// In `meta`: whether something was erased that may still stand in a log.
const LOGS_HOLD_ERASED: &str = "logs_hold_erased";

/// Writes a log into its file and empties it. False where somebody reads meanwhile, or the disk is full: then it is done
/// later, at the latest when the file is closed.
pub(crate) fn empty_log(connection: &Connection) -> Result<bool> {
    let is_busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    match is_busy.map_err(StoreError::from) {
        Err(error) if error.is_full() => Ok(false),
        other => other.map(|is_busy: bool| !is_busy),
    }
}

impl Store {
    /// Overwrites what stands between cells of the main file, and empties its log: what was erased stands in neither.
    /// Returns whether that was done.
    ///
    /// # Errors
    /// What the database reports.
    pub fn forget_erased(&self) -> Result<bool> {
        let is_overwritten = gaps::overwrite(self.main())?;
        Ok(self.checkpoint()? && is_overwritten)
    }

    /// The same after what came, where that took something back; where it only changed something the log is emptied. Of the
    /// differences that it made the last in their order decides.
    ///
    /// # Errors
    /// What the database reports.
    pub fn forget_dropped(&self, most: Option<Difference>) -> Result<()> {
        match most {
            Some(Difference::Gone) => self.forget_erased().map(drop),
            Some(Difference::Changed) => self.checkpoint().map(drop),
            Some(Difference::New) | None => Ok(()),
        }
    }

    /// Empties the log of the main file. What was committed counts either way. Returns whether it was done.
    ///
    /// # Errors
    /// What the database reports.
    pub fn checkpoint(&self) -> Result<bool> {
        empty_log(self.main())
    }

    /// The same for both files, after something was erased for a person. Where it was not done that is noted, to be done
    /// again. Returns whether it was done.
    ///
    /// # Errors
    /// What the database reports.
    pub fn empty_logs(&self) -> Result<bool> {
        let main = self.forget_erased()?;
        let private = gaps::overwrite(self.private().connection())?;
        let is_done = self.private().checkpoint()? && main && private;
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

    /// Notes that something is about to be erased, or with it where a transaction is under way: whoever is cut off before
    /// [`Store::empty_logs`] does that with the next sync, and says of nothing before that it is gone.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_erasing(&self) -> Result<()> {
        if self.has_to_empty_logs()? {
            return Ok(());
        }
        put_meta(self.main(), LOGS_HOLD_ERASED, "yes")
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
