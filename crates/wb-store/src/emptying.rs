//! Emptying the logs of the databases, and writing the files anew, so that nothing erased stays behind in them.
//!
//! `secure_delete` overwrites what is deleted where it stood last. A page that was split or joined keeps bytes of what
//! moved to another page between its pointers and its content, and those are overwritten by nothing. A file that is
//! written anew (VACUUM) has none: only what is there is copied into it.
//!
//! Who reads meanwhile, another process perhaps, keeps a log from being emptied. That it has to be is noted, and it is
//! tried again with the next sync and while a program runs that syncs by itself.

use rusqlite::Connection;

use crate::diff::{Changed, Difference};
use crate::error::{Result, StoreError};
use crate::private::Private;
use crate::store::{Store, put_meta};

/// In `meta`: whether something was erased that may still stand in a log.
const LOGS_HOLD_ERASED: &str = "logs_hold_erased";

/// Bytes of a file that is written anew after something was erased. It takes as much memory and time; a larger file keeps
/// what stands between pages until it is made smaller or upgraded.
const WRITTEN_ANEW_BYTES_MAX: i64 = 128 * 1_024 * 1_024;

/// Writes a log into its file and empties it. False where somebody reads meanwhile, or the disk is full: then it is done
/// later, at the latest when the file is closed.
fn empty_log(connection: &Connection) -> Result<bool> {
    let is_busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    match is_busy.map_err(StoreError::from) {
        Err(error) if error.is_full() => Ok(false),
        other => other.map(|is_busy: bool| !is_busy),
    }
}

/// Writes a file anew, up to a size. False where somebody writes meanwhile, the disk is full, or it is larger.
fn write_anew(connection: &Connection) -> Result<bool> {
    let of = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0));
    let (pages, size): (i64, i64) = (of("page_count")?, of("page_size")?);
    if pages.saturating_mul(size) > WRITTEN_ANEW_BYTES_MAX {
        return Ok(false);
    }
    match connection.execute_batch("VACUUM").map_err(StoreError::from) {
        Err(error) if error.is_full() || error.is_busy() => Ok(false),
        other => other.map(|()| true),
    }
}

impl Store {
    /// Empties the log of the main file, which is written anew before: what was erased stands in neither. Returns whether
    /// that was done; a large file is not written anew.
    ///
    /// # Errors
    /// What the database reports.
    pub fn forget_erased(&self) -> Result<bool> {
        let is_anew = write_anew(self.main())?;
        Ok(self.checkpoint()? && is_anew)
    }

    /// The same after what came, where that took something back; where it only changed something the log is emptied.
    ///
    /// # Errors
    /// What the database reports.
    pub fn forget_dropped(&self, changed: &[Changed]) -> Result<()> {
        let is = |difference| changed.iter().any(|change| change.difference == difference);
        if is(Difference::Gone) {
            self.forget_erased()?;
        } else if is(Difference::Changed) {
            self.checkpoint()?;
        }
        Ok(())
    }

    /// Empties the log of the main file. What was committed counts either way. Returns whether it was done.
    ///
    /// # Errors
    /// What the database reports.
    pub fn checkpoint(&self) -> Result<bool> {
        empty_log(self.main())
    }

    /// Empties the logs of both files, which are written anew before, after something was erased, and notes where that has to be done again. Returns
    /// whether it was done.
    ///
    /// # Errors
    /// What the database reports.
    pub fn empty_logs(&self) -> Result<bool> {
        write_anew(self.main())?;
        write_anew(self.private().connection())?;
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

#[cfg(test)]
mod tests {
    use rusqlite::params;

    use super::{empty_log, write_anew};
    use crate::open::{MAIN, Opening, open};

    const ERASED: &[u8] = b"Heron over the quiet boathouse";

    /// The files of a database in which half of the rows were deleted, in an order without any.
    fn bytes_after_deleting(seed: u64, writes_anew: bool) -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wb.db");
        let connection = open(&path, MAIN, Opening::Make).unwrap();
        connection
            .execute_batch("CREATE TABLE texts (id BLOB PRIMARY KEY, line BLOB) WITHOUT ROWID")
            .unwrap();
        let id = |n: u64| drawn(seed, n);
        for n in 0..120 {
            let text = if n % 2 == 0 { ERASED } else { b"what stays" };
            let line = text.repeat(4 + usize::from(id(n)[0] % 16));
            connection
                .execute("INSERT INTO texts VALUES (?1, ?2)", params![id(n), line])
                .unwrap();
        }
        for n in (0..120).step_by(2) {
            connection
                .execute("DELETE FROM texts WHERE id = ?1", params![id(n)])
                .unwrap();
        }
        if writes_anew {
            assert!(write_anew(&connection).unwrap());
        }
        assert!(empty_log(&connection).unwrap());
        std::fs::read(&path).unwrap()
    }

    fn drawn(seed: u64, n: u64) -> [u8; 16] {
        let mut bytes = [0; 16];
        let mut state =
            seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ n.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        for byte in &mut bytes {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = u8::try_from(state & 0xff).unwrap();
        }
        bytes
    }

    #[test]
    fn a_file_that_is_written_anew_holds_nothing_of_what_was_deleted() {
        let holds = |bytes: &[u8]| bytes.windows(ERASED.len()).any(|part| part == ERASED);
        let left = |anew| {
            (1..=20)
                .filter(|seed| holds(&bytes_after_deleting(*seed, anew)))
                .count()
        };
        assert!(
            left(false) > 0,
            "deleting alone leaves nothing: this shows nothing"
        );
        assert_eq!(left(true), 0);
    }
}
