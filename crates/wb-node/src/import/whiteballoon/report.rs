//! What an import did, or would do.

use serde::Serialize;
use wb_store::legacy::{Dump, LeftBehind, SourceId};

use super::problem::Problem;
use super::sharing::Sharing;
use crate::view::SCHEMA_VERSION;

/// What an import did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Version of this form.
    pub schema_version: u32,
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// Tells the same source again.
    pub source: SourceId,
    /// By table, what became of its rows.
    pub tables: Vec<TableCount>,
    /// New requests that are drafts.
    pub drafts: u64,
    /// Titles made of the first words of a description, because there was none.
    pub titles_made: u64,
    /// Comments deleted here because they were deleted in the old program since an earlier import.
    pub deleted_now: u64,
    /// Records made private here because they became so in the old program since an earlier import.
    pub narrowed_now: u64,
    /// Handles of new members who are admins here now.
    pub admins: Vec<String>,
    /// What is public in the file, by kind: what leaves with the next publish, and why the rest stays.
    pub sharing: Vec<Sharing>,
    /// Everything odd, one by one: first what reading found, then what moving over found.
    pub problems: Vec<Problem>,
    /// What does not move, with its rows counted.
    pub left_behind: Vec<LeftBehind>,
}

/// What became of the rows of a table. The other three are all there are in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TableCount {
    /// The table.
    pub table: &'static str,
    /// Rows in the file.
    pub in_file: u64,
    /// Rows that came with this import.
    pub new: u64,
    /// Rows that an earlier import brought.
    pub already_here: u64,
    /// Rows that do not move.
    pub not_moved: u64,
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It came with this import.
    New,
    /// An earlier import brought it.
    Here,
    /// It does not move.
    Left,
}

/// Tables that move.
const TABLES: [&str; 7] = [
    "users",
    "user_attributes",
    "help_requests",
    "request_comments",
    "invite_tokens",
    "invite_personalizations",
    "vouches",
];

impl Report {
    /// One that counts nothing yet but what reading the file found.
    pub(super) fn new(dump: &Dump) -> Self {
        let mut report = Self {
            schema_version: SCHEMA_VERSION,
            dry_run: false,
            source: dump.source,
            tables: TABLES.map(TableCount::new).to_vec(),
            drafts: 0,
            titles_made: 0,
            deleted_now: 0,
            narrowed_now: 0,
            admins: Vec::new(),
            sharing: Vec::new(),
            problems: dump.problems.iter().cloned().map(Problem::File).collect(),
            left_behind: dump.left_behind.clone(),
        };
        for left in &dump.left_behind {
            if let Some(table) = TABLES.iter().find(|table| **table == left.table) {
                report.count(table, Outcome::Left, left.rows.unwrap_or(0));
            }
        }
        report
    }

    /// Counts rows of a table.
    pub(super) fn count(&mut self, table: &'static str, outcome: Outcome, rows: u64) {
        let mut tables = self.tables.iter_mut();
        let count = tables.find(|count| count.table == table);
        let count = count.expect("rows are counted only of tables that move");
        count.in_file += rows;
        *match outcome {
            Outcome::New => &mut count.new,
            Outcome::Here => &mut count.already_here,
            Outcome::Left => &mut count.not_moved,
        } += rows;
    }

    /// Counts one row that does not move, for a reason in words.
    pub(super) fn leave(&mut self, table: &'static str, why: &'static str) {
        self.count(table, Outcome::Left, 1);
        let mut left = self.left_behind.iter_mut();
        match left.find(|left| left.table == table && left.why == why) {
            Some(left) => left.rows = left.rows.map(|rows| rows + 1),
            None => self.left_behind.push(LeftBehind {
                table: table.to_owned(),
                rows: Some(1),
                why,
            }),
        }
    }

    /// How many rows change something here.
    #[must_use]
    pub fn changes(&self) -> u64 {
        let new: u64 = self.tables.iter().map(|table| table.new).sum();
        new + self.deleted_now + self.narrowed_now
    }

    /// What became of the rows of one table.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&TableCount> {
        self.tables.iter().find(|table| table.table == name)
    }
}

impl TableCount {
    fn new(table: &'static str) -> Self {
        Self {
            table,
            in_file: 0,
            new: 0,
            already_here: 0,
            not_moved: 0,
        }
    }
}
