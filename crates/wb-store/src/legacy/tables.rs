//! Which tables and columns a file has, and reading the rows of one.
//!
//! Nothing is assumed of the schema: only columns that are there are named, only plain tables are
//! opened, and indexes are not used, because a damaged one would hide rows.

use std::collections::BTreeMap;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::cells::Cells;
use super::problem::{Consequence, Problem, What};
use super::report::Report;
use super::{
    LegacyError, PROBLEMS_MAX, ROWS_MAX, TABLES_MAX, TEXT_BYTES_MAX, VALUE_BYTES_MAX, open,
};

/// What is expected of a table.
pub(super) struct Expected {
    /// Its name.
    pub(super) name: &'static str,
    /// Whether a file without it is no database of the Python program.
    pub(super) core: bool,
    /// Columns without which it cannot be read.
    pub(super) keys: &'static [&'static str],
    /// Columns that name a row in a [`Problem`].
    pub(super) label: &'static [&'static str],
    /// Whether those columns are a secret, of which a [`Problem`] shows the beginning only.
    pub(super) secret: bool,
    /// Columns that older files may lack.
    pub(super) others: &'static [&'static str],
}

/// How a table is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// In the file itself.
    Plain,
    /// By code, as virtual tables are.
    Virtual,
    /// A view.
    View,
}

/// The tables and views of a file, SQLite's own left out.
pub(super) struct Tables(BTreeMap<String, Form>);

impl Tables {
    /// Lists them.
    pub(super) fn list(db: &Connection) -> Result<Self, LegacyError> {
        let mut tables = BTreeMap::new();
        let mut statement = db.prepare(
            "SELECT name, type, coalesce(rootpage, 0) FROM sqlite_schema
             WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite~_%' ESCAPE '~'",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (name, kind, page): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let form = match kind.as_str() {
                "table" if page > 0 => Form::Plain,
                "table" => Form::Virtual,
                _ => Form::View,
            };
            tables.insert(name, form);
            if tables.len() > TABLES_MAX {
                return Err(LegacyError::TooManyTables(TABLES_MAX));
            }
        }
        Ok(Self(tables))
    }

    /// Every name with its form.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Form)> {
        self.0.iter().map(|(name, form)| (name.as_str(), *form))
    }

    fn form(&self, name: &str) -> Option<Form> {
        self.iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, form)| form)
    }

    /// Hands each row of a table to `take`, in no order that means anything.
    pub(super) fn read(
        &self,
        db: &Connection,
        expected: &Expected,
        report: &mut Report,
        mut take: impl FnMut(&mut Cells<'_>),
    ) -> Result<(), LegacyError> {
        let table = expected.name;
        match self.form(table) {
            Some(Form::Plain) => {}
            Some(Form::Virtual | Form::View) => return Err(LegacyError::NotATable(table)),
            None if expected.core => return Err(LegacyError::MissingTable(table)),
            None => {
                report.add(Problem::of_table(
                    table,
                    What::MissingTable,
                    Consequence::NothingMoves,
                ));
                return Ok(());
            }
        }
        open::check(db, table)?;
        let columns = columns(db, expected, report)?;
        let names: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).collect();
        let sql = format!("SELECT {} FROM \"{table}\" NOT INDEXED", names.join(", "));
        let mut statement = db.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let mut row_n: u64 = 0;
        while let Some(row) = rows.next()? {
            row_n += 1;
            if row_n > ROWS_MAX {
                return Err(LegacyError::TooManyRows {
                    table,
                    max: ROWS_MAX,
                });
            }
            let mut cells = Cells::new(expected, &columns, row, row_n, report)?;
            check_size(&mut cells)?;
            take(&mut cells);
            if report.problems_n() > PROBLEMS_MAX {
                return Err(LegacyError::TooManyProblems(PROBLEMS_MAX));
            }
        }
        Ok(())
    }
}

/// The columns to read, in the order they are selected.
fn columns(
    db: &Connection,
    expected: &Expected,
    report: &mut Report,
) -> Result<Vec<&'static str>, LegacyError> {
    let table = expected.name;
    let mut statement = db.prepare(&format!("PRAGMA table_info(\"{table}\")"))?;
    let found: Vec<String> = statement
        .query_map([], |row| row.get(1))?
        .collect::<Result<_, rusqlite::Error>>()?;
    let is_there = |column: &str| found.iter().any(|name| name.eq_ignore_ascii_case(column));
    if let Some(column) = expected.keys.iter().find(|column| !is_there(column)) {
        return Err(LegacyError::MissingColumn { table, column });
    }
    let mut columns = expected.keys.to_vec();
    for column in expected.others {
        if is_there(column) {
            columns.push(column);
        } else {
            let what = What::MissingColumn { column };
            report.add(Problem::of_table(table, what, Consequence::UsedDefault));
        }
    }
    Ok(columns)
}

fn check_size(cells: &mut Cells<'_>) -> Result<(), LegacyError> {
    let mut total = 0;
    for value in cells.values() {
        let (ValueRef::Text(bytes) | ValueRef::Blob(bytes)) = value else {
            continue;
        };
        if bytes.len() > VALUE_BYTES_MAX {
            let (table, row, bytes) = (cells.table(), cells.label().to_owned(), bytes.len());
            return Err(LegacyError::ValueTooLarge {
                table,
                row,
                bytes,
                max: VALUE_BYTES_MAX,
            });
        }
        total += bytes.len() as u64;
    }
    if cells.count_text(total) > TEXT_BYTES_MAX {
        return Err(LegacyError::TooMuchText(TEXT_BYTES_MAX));
    }
    Ok(())
}
