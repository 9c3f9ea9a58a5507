//! Reading the audit log.

use rusqlite::{Row, params};

use crate::error::Result;
use crate::private::{AuditRow, Private};
use crate::sql::{Sql, some};

/// A line of the audit log, with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// Counts the lines.
    pub number: u64,
    /// What it says.
    pub row: AuditRow,
}

/// SQL for lines of acts that begin with the word `?1`.
const OF_WORD: &str = "SELECT audit_no, at, actor, act, target, detail FROM audit
    WHERE substr(act, 1, length(?1) + 1) = ?1 || ' '";

impl Private {
    /// Lines of acts that begin with a word, newest first, of numbers below one where it is given.
    ///
    /// # Errors
    /// What the database reports.
    pub fn audit_lines(
        &self,
        word: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<AuditLine>> {
        let sql =
            format!("{OF_WORD} AND (?2 IS NULL OR audit_no < ?2) ORDER BY audit_no DESC LIMIT ?3");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let rows = statement.query_map(params![word, before.map(Sql), rows_max(limit)], line)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Lines of acts that begin with a word and were done to one thing, newest first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn audit_lines_of(&self, word: &str, target: &str, limit: usize) -> Result<Vec<AuditLine>> {
        let sql = format!("{OF_WORD} AND target = ?2 ORDER BY audit_no DESC LIMIT ?3");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let rows = statement.query_map(params![word, target, rows_max(limit)], line)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn rows_max(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn line(row: &Row<'_>) -> rusqlite::Result<AuditLine> {
    Ok(AuditLine {
        number: row.get::<_, Sql<u64>>(0)?.0,
        row: AuditRow {
            at: row.get::<_, Sql<_>>(1)?.0,
            actor: some(row.get(2)?),
            act: row.get(3)?,
            target: row.get(4)?,
            detail: row.get(5)?,
        },
    })
}
