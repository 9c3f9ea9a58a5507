//! The limit that everything is held against: the same rows, inserted into a plain SQLite file.
//!
//! Two indexes, transactions of 10,000, and as durable as ours: a write-ahead log, each commit on the
//! disk. No signature, no hash, nothing that is shown, nothing sent.

use std::path::Path;

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
const TRANSACTION: usize = 10_000;

struct Row {
    id: [u8; 16],
    kind: String,
    at: i64,
    line: Vec<u8>,
}

/// Inserts the lines that an instance sealed into a plain file beside its own.
pub fn measure(home: &Path) -> Result<Report> {
    let rows = rows(home)?;
    let path = home.join("plain.db");
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

fn rows(home: &Path) -> Result<Vec<Row>> {
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
