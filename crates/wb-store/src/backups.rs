//! Which backups were made, and the public key that they are encrypted to.

use rusqlite::{OptionalExtension as _, Row, params};
use wb_core::id::Hash;
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::private::Private;
use crate::sql::{Sql, some};

/// Backups that are remembered; bounds the list of whoever makes one each hour for years.
pub const BACKUPS_MAX: usize = 500;

/// What backups are encrypted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupRecipient {
    /// The public key, as age writes it.
    pub key: String,
    /// Commitment of the recovery words that it was made from, as the identity log has it.
    pub of: Hash,
}

/// A backup, or one that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupRow {
    /// When.
    pub at: Timestamp,
    /// Where.
    pub path: String,
    /// Whether the node made it by itself.
    pub scheduled: bool,
    /// Its size.
    pub bytes: u64,
    /// Its hash.
    pub sha256: Option<Hash>,
    /// What stood in the way; none for a good one.
    pub problem: Option<String>,
}

const SELECT: &str = "SELECT at, path, scheduled, bytes, sha256, problem FROM backups";

impl Private {
    /// Notes a backup, and forgets those from long ago.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_backup(&self, row: &BackupRow) -> Result<()> {
        let sql = "INSERT INTO backups (at, path, scheduled, bytes, sha256, problem) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.connection().execute(
            sql,
            params![
                Sql(row.at),
                row.path,
                row.scheduled,
                Sql(row.bytes),
                row.sha256.map(Sql),
                row.problem
            ],
        )?;
        let sql =
            "DELETE FROM backups WHERE backup_no <= (SELECT max(backup_no) FROM backups) - ?1";
        self.connection()
            .execute(sql, [BACKUPS_MAX as u64].map(Sql))?;
        Ok(())
    }

    /// The newest backups first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn backups(&self, limit: usize) -> Result<Vec<BackupRow>> {
        let sql = format!("{SELECT} ORDER BY backup_no DESC LIMIT ?1");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let rows = statement.query_map([limit as u64].map(Sql), read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The newest good backup.
    ///
    /// # Errors
    /// What the database reports.
    pub fn last_good_backup(&self) -> Result<Option<BackupRow>> {
        self.newest_backup("problem IS NULL")
    }

    /// The newest backup that the node made or tried by itself.
    ///
    /// # Errors
    /// What the database reports.
    pub fn last_scheduled_backup(&self) -> Result<Option<BackupRow>> {
        self.newest_backup("scheduled = 1")
    }

    fn newest_backup(&self, which: &str) -> Result<Option<BackupRow>> {
        let sql = format!("{SELECT} WHERE {which} ORDER BY backup_no DESC LIMIT 1");
        let mut statement = self.connection().prepare_cached(&sql)?;
        Ok(statement.query_row([], read).optional()?)
    }

    /// The public key that backups are encrypted to, as age writes it; none in an instance that was founded
    /// before there were backups, until somebody brings its words.
    ///
    /// # Errors
    /// What the database reports.
    pub fn backup_recipient(&self) -> Result<Option<BackupRecipient>> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT key, of FROM backup_recipient")?;
        let read = |row: &Row<'_>| {
            Ok(BackupRecipient {
                key: row.get(0)?,
                of: row.get::<_, Sql<_>>(1)?.0,
            })
        };
        Ok(statement.query_row([], read).optional()?)
    }

    /// Keeps the public key that backups are encrypted to from now on, and of which words it is.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_backup_recipient(&self, recipient: &str, of: &Hash) -> Result<()> {
        let sql = "INSERT INTO backup_recipient (row_no, key, of) VALUES (1, ?1, ?2)
                   ON CONFLICT (row_no) DO UPDATE SET key = excluded.key, of = excluded.of";
        let values = params![recipient, Sql(of)];
        self.connection().execute(sql, values)?;
        Ok(())
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<BackupRow> {
    Ok(BackupRow {
        at: row.get::<_, Sql<_>>(0)?.0,
        path: row.get(1)?,
        scheduled: row.get(2)?,
        bytes: row.get::<_, Sql<_>>(3)?.0,
        sha256: some(row.get(4)?),
        problem: row.get(5)?,
    })
}
