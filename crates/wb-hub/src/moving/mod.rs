//! Moving a hub from one store to another: everything is copied, then both are read and held against each other, row for
//! row (decision 0079).
//!
//! What a store gives and takes are the rows of `wb_store::relay::contents`. A store is read on a thread of its own, a
//! bounded number of batches ahead. Who may write meanwhile, and when the other store counts, is left to the caller:
//! here nothing is switched.

mod compare;
mod file;

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

pub use compare::{Compared, Difference, TableSum, compare};
pub use file::{FileFilling, FileRows};
pub use wb_store::relay::contents::{Column, Kind, Row, Table, Value};

/// Batches that are read ahead of who takes them.
const AHEAD: usize = 2;

/// Why a hub could not be moved, in words for its operator.
#[derive(Debug, thiserror::Error)]
#[error("{store}: {problem}")]
pub struct MoveProblem {
    /// In which store: `the source` or `the destination`.
    pub store: &'static str,
    /// What it said.
    pub problem: String,
}

/// Rows of one table, a batch at a time.
pub type Batches = Receiver<Result<Vec<Row>, String>>;

/// A store that is read.
pub trait Rows {
    /// Begins to give every row of a table, in the order of its key.
    fn read(&self, table: Table) -> Batches;
}

/// A store that is filled.
pub trait Filling: Rows {
    /// Writes rows of a table, after those before them and in one transaction.
    ///
    /// # Errors
    /// What the store says.
    fn write(&mut self, table: Table, rows: Vec<Row>) -> Result<(), String>;
}

/// Collects rows into batches for whoever takes them.
#[derive(Debug)]
pub struct Giving {
    to: SyncSender<Result<Vec<Row>, String>>,
    rows_at_once: usize,
    rows: Vec<Row>,
}

impl Giving {
    /// Gives rows of a table to who reads the other end.
    #[must_use]
    pub fn begin(table: Table) -> (Self, Batches) {
        let (to, batches) = sync_channel(AHEAD);
        let giving = Self {
            to,
            rows_at_once: table.rows_at_once(),
            rows: Vec::new(),
        };
        (giving, batches)
    }

    /// Gives one; whether more are wanted.
    pub fn give(&mut self, row: Row) -> bool {
        self.rows.push(row);
        if self.rows.len() < self.rows_at_once {
            return true;
        }
        self.to.send(Ok(std::mem::take(&mut self.rows))).is_ok()
    }

    /// Gives what is left, or says why there is no more.
    pub fn end(self, done: Result<(), String>) {
        // Where nobody takes it any more, nobody misses it.
        let _ = match done {
            Ok(()) if self.rows.is_empty() => Ok(()),
            Ok(()) => self.to.send(Ok(self.rows)),
            Err(problem) => self.to.send(Err(problem)),
        };
    }
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The table.
    pub table: Table,
    /// Rows of it so far.
    pub rows: u64,
}

/// Copies every table.
///
/// # Errors
/// What one of the stores said.
pub fn copy(
    from: &impl Rows,
    to: &mut impl Filling,
    tell: &mut dyn FnMut(Progress),
) -> Result<(), MoveProblem> {
    for &table in Table::ALL {
        let mut rows = 0;
        for batch in from.read(table) {
            let batch = batch.map_err(in_source)?;
            rows += batch.len() as u64;
            to.write(table, batch).map_err(in_destination)?;
            tell(Progress { table, rows });
        }
    }
    Ok(())
}

fn in_source(problem: String) -> MoveProblem {
    MoveProblem {
        store: "the source",
        problem,
    }
}

fn in_destination(problem: String) -> MoveProblem {
    MoveProblem {
        store: "the destination",
        problem,
    }
}
