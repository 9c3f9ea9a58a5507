//! The limit that everything is held against: the same rows, inserted into a plain SQLite file.
//!
//! Two indexes, transactions of 10,000, and as durable as ours: a write-ahead log, each commit on the
//! disk. No signature, no hash, nothing that is shown, nothing sent.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, params};
use wb_core::line::Line;
use wb_core::scope::FeedScope;
use wb_node::Node;
use wb_store::{Home, StoreError};

use crate::clock::timed;
use crate::error::{BenchError, Result};
use crate::role::Report;
use crate::usage::Usage;

/// Rows in one transaction.
pub const TRANSACTION: usize = 10_000;

/// What a plain table keeps of a line.
#[derive(Debug)]
pub struct Row {
    /// The record's id.
    pub id: [u8; 16],
    /// Its kind.
    pub kind: String,
    /// When it was written.
    pub at: i64,
    /// The line.
    pub line: Vec<u8>,
}

/// Where the plain file is.
pub fn plain(home: &Path) -> PathBuf {
    home.join("plain.db")
}

/// Inserts the lines that an instance sealed into a plain file beside its own, which stays.
pub fn measure(home: &Path) -> Result<Report> {
    let rows = rows(home)?;
    let path = plain(home);
    for name in ["plain.db", "plain.db-wal", "plain.db-shm"] {
        // There is none the first time.
        let _ = std::fs::remove_file(home.join(name));
    }
    let before = Usage::of(std::process::id())?;
    let (inserted, took) = timed(|| insert(&path, &rows));
    inserted?;
    let used = Usage::of(std::process::id())?.since(before);
    Ok(Report {
        wall_s: took.as_secs_f64(),
        cpu_s: used.cpu_s,
        records: rows.len() as u64,
        ..Report::default()
    })
}

/// The lines that an instance sealed, as rows.
pub fn rows(home: &Path) -> Result<Vec<Row>> {
    let node = Node::open(&Home::new(home))?;
    let served = node.store().served();
    let mut rows = Vec::new();
    if let Some(snapshot) = served.snapshot(&node.own_id(), FeedScope::Public)? {
        served.each_live(&snapshot, |bytes| -> Result<()> {
            let line = Line::read(bytes)
                .map_err(|rule| StoreError::Damaged(format!("a line breaks {rule}")))?;
            rows.push(Row {
                id: *line.id.as_bytes(),
                kind: line.kind.to_string(),
                at: line.at.unix_ms(),
                line: bytes.to_vec(),
            });
            Ok(())
        })?;
    }
    Ok(rows)
}

fn insert(path: &Path, rows: &[Row]) -> std::result::Result<(), BenchError> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE plain (no INTEGER PRIMARY KEY, id BLOB NOT NULL, kind TEXT NOT NULL, at INTEGER NOT NULL,
                             line BLOB NOT NULL);
         CREATE UNIQUE INDEX plain_id ON plain (id);
         CREATE INDEX plain_kind ON plain (kind, at);",
    )?;
    for some in rows.chunks(TRANSACTION) {
        let transaction = connection.transaction()?;
        {
            let mut statement = transaction
                .prepare_cached("INSERT INTO plain (id, kind, at, line) VALUES (?1, ?2, ?3, ?4)")?;
            for row in some {
                statement.execute(params![row.id, row.kind, row.at, row.line])?;
            }
        }
        transaction.commit()?;
    }
    Ok(())
}

/// Puts some rows in the place of those with the same ids, in one commit; tells how long that took.
pub fn put_again(home: &Path, rows: &[Row]) -> Result<Duration> {
    let mut connection = Connection::open(plain(home))?;
    connection.execute_batch("PRAGMA synchronous = FULL;")?;
    let (put, took) = timed(|| -> rusqlite::Result<()> {
        let transaction = connection.transaction()?;
        for row in rows {
            transaction.execute(
                "INSERT OR REPLACE INTO plain (id, kind, at, line) VALUES (?1, ?2, ?3, ?4)",
                params![row.id, row.kind, row.at, row.line],
            )?;
        }
        transaction.commit()
    });
    put?;
    Ok(took)
}
