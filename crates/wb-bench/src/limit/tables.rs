//! The limit with the tables of a node: the rows that it keeps, inserted into plain tables that have the same columns and the same
//! indexes as its own.
//!
//! What it leaves out is all that a node does besides: network, signatures, hashes, reading lines, triggers. So the two
//! limits together say what is lost to these, and what to keeping more than one row.

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};
use wb_store::Home;

use crate::clock::timed;
use crate::error::Result;
use crate::role::Report;
use crate::usage::Usage;

use super::sqlite::TRANSACTION;

/// What is kept of each record.
const TABLES: [&str; 2] = ["feed_lines", "records"];

/// A table as it stands in a node's file.
struct Table {
    /// How it is made, and each of its indexes.
    made: Vec<String>,
    insert: String,
    rows: Vec<Vec<Value>>,
}

/// Inserts what an instance keeps of others into plain tables in a file beside its own.
pub fn measure(home: &Path) -> Result<Report> {
    let main = Home::new(home).main();
    let connection = Connection::open_with_flags(main, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let tables: Vec<Table> = TABLES
        .iter()
        .map(|name| read(&connection, name))
        .collect::<Result<_>>()?;
    let path = home.join("tables.db");
    for name in ["tables.db", "tables.db-wal", "tables.db-shm"] {
        // There is none the first time.
        let _ = std::fs::remove_file(home.join(name));
    }
    let before = Usage::of(std::process::id())?;
    let (inserted, took) = timed(|| insert(&path, &tables));
    inserted?;
    let used = Usage::of(std::process::id())?.since(before);
    std::fs::remove_file(&path).map_err(crate::error::BenchError::file(&path))?;
    Ok(Report {
        wall_s: took.as_secs_f64(),
        cpu_s: used.cpu_s,
        records: tables[0].rows.len() as u64,
        ..Report::default()
    })
}

fn read(connection: &Connection, name: &str) -> Result<Table> {
    // What it refers to is not there.
    let made = "SELECT sql FROM sqlite_schema WHERE tbl_name = ?1 AND type IN ('table', 'index') AND sql IS NOT NULL
                ORDER BY type DESC";
    let made: Vec<String> = connection
        .prepare(made)?
        .query_map([name], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut statement = connection.prepare(&format!("SELECT * FROM {name} ORDER BY rowid"))?;
    let columns = statement.column_count();
    let rows = statement
        .query_map([], |row| {
            (0..columns).map(|column| row.get(column)).collect()
        })?
        .collect::<rusqlite::Result<_>>()?;
    let values = vec!["?"; columns].join(", ");
    Ok(Table {
        made,
        insert: format!("INSERT INTO {name} VALUES ({values})"),
        rows,
    })
}

/// Rows of both tables in turns, as a node puts them.
fn insert(path: &Path, tables: &[Table]) -> Result<()> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;",
    )?;
    for statement in tables.iter().flat_map(|table| &table.made) {
        connection.execute_batch(statement)?;
    }
    let most = tables
        .iter()
        .map(|table| table.rows.len())
        .max()
        .unwrap_or(0);
    for begin in (0..most).step_by(TRANSACTION) {
        let transaction = connection.transaction()?;
        for table in tables {
            let mut statement = transaction.prepare_cached(&table.insert)?;
            for row in table.rows.iter().skip(begin).take(TRANSACTION) {
                statement.execute(params_from_iter(row))?;
            }
        }
        transaction.commit()?;
    }
    Ok(())
}
