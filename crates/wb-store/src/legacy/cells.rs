//! One row while it is read: its raw values, its name in problems, and what is said about it.
//! What the values mean is in `values`.

mod values;

use std::collections::BTreeMap;

use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::LegacyError;
use super::problem::{Consequence, Problem, What};
use super::report::Report;
use super::tables::Expected;
use super::text::shown;

pub(super) use values::Shape;

/// Why a row that nothing names does not move.
pub(super) const UNNAMED: &str = "nothing tells these rows from others";

/// One row while it is read.
pub(super) struct Cells<'a> {
    table: &'static str,
    label: String,
    values: Vec<(&'static str, ValueRef<'a>)>,
    report: &'a mut Report,
    too_long: bool,
}

impl<'a> Cells<'a> {
    /// The values of `row`, selected in the order of `columns`.
    pub(super) fn new(
        expected: &Expected,
        columns: &[&'static str],
        row: &'a Row<'_>,
        row_n: u64,
        report: &'a mut Report,
    ) -> Result<Self, LegacyError> {
        let mut values = Vec::with_capacity(columns.len());
        for (place, column) in columns.iter().enumerate() {
            values.push((*column, row.get_ref(place)?));
        }
        let table = expected.name;
        let mut cells = Self {
            table,
            label: String::new(),
            values,
            report,
            too_long: false,
        };
        let names: Vec<String> = expected
            .label
            .iter()
            .map(|column| cells.shown(column))
            .collect();
        cells.label = if expected.secret {
            format!("{} (row {row_n})", cells.masked(expected.label[0]))
        } else if names.iter().all(String::is_empty) {
            format!("(row {row_n})")
        } else {
            names.join(" ")
        };
        Ok(cells)
    }

    /// The table.
    pub(super) fn table(&self) -> &'static str {
        self.table
    }

    /// What names the row.
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// Every value.
    pub(super) fn values(&self) -> impl Iterator<Item = ValueRef<'a>> {
        self.values.iter().map(|(_, value)| *value)
    }

    /// Adds bytes of text that are read; the sum of the whole file so far.
    pub(super) fn count_text(&mut self, bytes: u64) -> u64 {
        self.report.count_text(bytes)
    }

    /// Whether a text so far is longer than a record allows.
    pub(super) fn too_long(&self) -> bool {
        self.too_long
    }

    /// Reports a problem of this row.
    pub(super) fn problem(&mut self, what: What, consequence: Consequence) {
        let (table, row) = (self.table, Some(self.label.clone()));
        self.report.add(Problem {
            table,
            row,
            what,
            consequence,
        });
    }

    /// Reports that this row does not move.
    pub(super) fn leave(&mut self, what: What, why: &'static str) {
        self.problem(what, Consequence::LeftBehind);
        self.report.skip(self.table, why);
    }

    /// The value; null also where the file has no such column.
    fn value(&self, column: &str) -> ValueRef<'a> {
        let found = self.values.iter().find(|(name, _)| *name == column);
        found.map_or(ValueRef::Null, |(_, value)| *value)
    }

    fn has(&self, column: &str) -> bool {
        self.values.iter().any(|(name, _)| *name == column)
    }

    /// Whether the file has no such column.
    pub(super) fn is_absent(&self, column: &str) -> bool {
        !self.has(column)
    }

    /// Whether the value is null, or the file has no such column.
    pub(super) fn is_null(&self, column: &str) -> bool {
        self.value(column) == ValueRef::Null
    }

    /// The id of the row; `None`, with a problem, where it names no row or one that is taken.
    pub(super) fn id<T>(&mut self, taken: &BTreeMap<i64, T>) -> Option<i64> {
        let column = "id";
        let what = match self.number(column) {
            Some(id) if !taken.contains_key(&id) => return Some(id),
            Some(_) => What::DuplicateId { column },
            None => What::BadId {
                column,
                found: self.shown(column),
            },
        };
        self.leave(what, UNNAMED);
        None
    }

    /// The value shortened for a problem; empty for null.
    pub(super) fn shown(&self, column: &str) -> String {
        match self.value(column) {
            ValueRef::Null => String::new(),
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Real(number) => number.to_string(),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => shown(bytes),
        }
    }

    /// The first two characters of a secret, for a problem.
    pub(super) fn masked(&self, column: &str) -> String {
        self.shown(column).chars().take(2).chain(['…']).collect()
    }
}
