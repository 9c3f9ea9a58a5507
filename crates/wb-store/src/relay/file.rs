//! The file of a hub: made with a relay log, read at one moment, written in one transaction.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::hooks::Action;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};
use wb_core::id::LogId;
use wb_core::time::Timestamp;

use super::listing::{Touched, list_anew_if_needed};
use crate::error::{Result, StoreError};
use crate::feeds::{Appended, Ingest, Served};
use crate::gaps::Gaps;
use crate::instances::KnownIdentity;
use crate::open::{self, Opening, RELAY};
use crate::sql::Sql;
use crate::store::put_meta;

/// A hub's file, with one connection of its own.
#[derive(Debug)]
pub struct Relay {
    path: PathBuf,
    log: LogId,
    connection: Connection,
    /// Whether this connection let go of words since it emptied the log.
    let_go: Arc<AtomicBool>,
}

/// The tables with the words that a push may replace or take back. What is made from them goes with them.
const WORDS: [&str; 2] = ["feed_lines", "held"];

impl Relay {
    /// Opens the file, making it when it is missing: its arrivals then begin under the log given, 16
    /// fresh random bytes.
    ///
    /// # Errors
    /// `Newer`, `Foreign`, or what stands in the way.
    pub fn open(path: &Path, log_if_new: LogId) -> Result<Self> {
        let mut connection = open::open(path, RELAY, Opening::Make)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let log = if let Some(log) = relay_log(&transaction)? {
            log
        } else {
            put_meta(&transaction, "relay_log", &log_if_new.to_string())?;
            log_if_new
        };
        list_anew_if_needed(&transaction)?;
        transaction.commit()?;
        Self::on(connection, path, log)
    }

    /// Opens another connection to the same file, to read while this one writes.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn reader(&self) -> Result<Self> {
        self.file().reader()
    }

    /// The file itself, for whoever opens connections while this one is in use.
    #[must_use]
    pub fn file(&self) -> RelayFile {
        RelayFile {
            path: self.path.clone(),
        }
    }

    /// Opens a hub's file that is there, as it is: looking at a hub makes none, and brings none to another
    /// format under the program that runs it.
    ///
    /// # Errors
    /// `Older`, `Newer`, `Foreign`, or what stands in the way.
    pub fn existing(path: &Path) -> Result<Self> {
        let (connection, _) = open::open_at_least_to_read(path, RELAY, Opening::AsItIs)?;
        let log = relay_log(&connection)?.ok_or_else(|| StoreError::damaged("no relay log"))?;
        Self::on(connection, path, log)
    }

    fn on(mut connection: Connection, path: &Path, log: LogId) -> Result<Self> {
        let let_go = Arc::new(AtomicBool::new(false));
        let noted = Arc::clone(&let_go);
        let note = move |action, _: &str, table: &str, _| {
            if action != Action::SQLITE_INSERT && WORDS.contains(&table) {
                noted.store(true, Ordering::Relaxed);
            }
        };
        connection.update_hook(Some(note))?;
        Ok(Self {
            path: path.to_owned(),
            log,
            connection,
            let_go,
        })
    }

    /// The relay log: what arrived here is numbered under it.
    #[must_use]
    pub fn log(&self) -> LogId {
        self.log
    }

    /// The feeds held here, as they are served.
    #[must_use]
    pub fn served(&self) -> Served<'_> {
        Served::new(&self.connection)
    }

    /// Starts a transaction that other writers wait for.
    ///
    /// # Errors
    /// `Left` where the hub was moved elsewhere, or what the database reports.
    pub fn write(&mut self) -> Result<RelayWrite<'_>> {
        let write = self.begin()?;
        match left_for(&write.transaction)? {
            Some(to) => Err(StoreError::Left(to)),
            None => Ok(write),
        }
    }

    /// The same for whoever moves the hub elsewhere, also where that was begun before: nobody writes until it ends.
    ///
    /// # Errors
    /// `Left` where it was moved to another place, or what the database reports.
    pub fn hold(&mut self, to: &str) -> Result<RelayWrite<'_>> {
        let write = self.begin()?;
        match left_for(&write.transaction)? {
            Some(other) if other != to => Err(StoreError::Left(other)),
            _ => Ok(write),
        }
    }

    fn begin(&mut self) -> Result<RelayWrite<'_>> {
        let log = self.log;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        Ok(RelayWrite {
            transaction,
            log,
            known: KnownIdentity::default(),
            appended: RefCell::default(),
            touched: Touched::default(),
        })
    }

    /// Writes what is in the log of the file into the file itself and empties the log, so that nothing
    /// erased stays behind in it. Returns whether that was done: another connection may be reading, and
    /// then it has to be done later.
    ///
    /// # Errors
    /// What the database reports.
    pub fn checkpoint(&self) -> Result<bool> {
        let is_busy: bool =
            self.connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if !is_busy {
            self.let_go.store(false, Ordering::Relaxed);
        }
        Ok(!is_busy)
    }

    /// Whether a line of a feed, or a delta that waits, was replaced or removed since the log was emptied, also in a
    /// transaction that was dropped: then the log may hold what was taken back.
    #[must_use]
    pub fn has_let_go(&self) -> bool {
        self.let_go.load(Ordering::Relaxed)
    }

    /// The pages of the file that hold bytes of what was erased between their cells.
    ///
    /// # Errors
    /// What the database reports.
    pub fn gaps(&self) -> Result<Gaps> {
        Gaps::find(&self.connection)
    }

    /// Overwrites those bytes; they stand in the log then, until it is emptied. False where it could not be done now.
    ///
    /// # Errors
    /// What the database reports.
    pub fn overwrite(&self, gaps: &Gaps) -> Result<bool> {
        gaps.overwrite(&self.connection)
    }

    /// Rows that this connection changed since it was opened.
    ///
    /// # Errors
    /// What the database reports.
    pub fn rows_changed(&self) -> Result<u64> {
        let sql = "SELECT total_changes()";
        let Sql(changes) = self.connection.query_row(sql, [], |row| row.get(0))?;
        Ok(changes)
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Reads several things as of one moment, whatever is written meanwhile.
    pub(super) fn at_one_moment<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T>,
    ) -> Result<T> {
        // Dropped, it rolls back: there is nothing to keep.
        let moment = Transaction::new_unchecked(&self.connection, TransactionBehavior::Deferred)?;
        work(&moment)
    }
}

/// A hub's file that was opened before, without a connection.
#[derive(Debug, Clone)]
pub struct RelayFile {
    path: PathBuf,
}

impl RelayFile {
    /// Opens a connection to read.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn reader(&self) -> Result<Relay> {
        Relay::existing(&self.path)
    }
}

pub(super) fn relay_log(connection: &Connection) -> Result<Option<LogId>> {
    let sql = "SELECT CAST(value AS TEXT) FROM meta WHERE key = 'relay_log'";
    let text: Option<String> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    text.map(|text| text.parse())
        .transpose()
        .map_err(|_| StoreError::damaged("the relay log"))
}

/// Where the hub was moved. Asked with each transaction that writes: a process that opened the file before, or waited
/// for whoever moved it, writes nothing that would be lost.
fn left_for(connection: &Connection) -> Result<Option<String>> {
    let sql = "SELECT CAST(value AS TEXT) FROM meta WHERE key = 'left_for'";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([], |row| row.get(0)).optional()?)
}

/// One transaction on a hub's file. Dropped without [`RelayWrite::commit`] it changes nothing.
#[derive(Debug)]
pub struct RelayWrite<'r> {
    pub(crate) transaction: Transaction<'r>,
    pub(super) log: LogId,
    known: KnownIdentity,
    appended: RefCell<Vec<Appended>>,
    pub(super) touched: Touched,
}

impl RelayWrite<'_> {
    /// Makes everything done in it count, on the disk.
    ///
    /// # Errors
    /// What the database reports; then nothing was changed.
    pub fn commit(self) -> Result<()> {
        self.tell_statuses()?;
        Ok(self.transaction.commit()?)
    }

    /// From here on the hub is elsewhere, and nobody writes to this file.
    ///
    /// # Errors
    /// What the database reports; then nothing was changed.
    pub fn leave(self, to: &str) -> Result<()> {
        put_meta(&self.transaction, "left_for", to)?;
        Ok(self.transaction.commit()?)
    }

    pub(super) fn ingest(&self, now: Timestamp) -> Ingest<'_> {
        let (known, appended) = (&self.known, &self.appended);
        Ingest::relaying(&self.transaction, known, appended, &self.touched, now)
    }

    /// The deltas that were applied since this was asked last, in order.
    pub(super) fn take_appended(&self) -> Vec<Appended> {
        self.appended.take()
    }

    /// Starts a part of this transaction that can be undone alone.
    pub(super) fn begin_part(&self) -> Result<()> {
        Ok(self.transaction.execute_batch("SAVEPOINT part")?)
    }

    /// Keeps what was done since the part began.
    pub(super) fn keep_part(&self) -> Result<()> {
        Ok(self.transaction.execute_batch("RELEASE part")?)
    }

    /// Undoes what was done since the part began.
    pub(super) fn undo_part(&self) -> Result<()> {
        self.known.forget();
        self.appended.take();
        Ok(self
            .transaction
            .execute_batch("ROLLBACK TO part; RELEASE part")?)
    }
}
