//! What is told to a member on every page until it was seen: a browser that was let in.
//!
//! A browser neither sees nor puts away the notice about itself, or one from before it was let in: whoever
//! got in by it could otherwise hide that from its owner.

use rusqlite::{Row, params};
use wb_core::id::{Hash, RecordId};
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::private::Private;
use crate::sql::{Sql, some};

/// Something told to a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeRow {
    /// Names it.
    pub notice_no: i64,
    /// Since when.
    pub at: Timestamp,
    /// What it is about, in one word.
    pub what: String,
    /// The rest, in words.
    pub detail: String,
    /// The browser it is about, while that is in.
    pub session: Option<Hash>,
}

impl Private {
    /// Tells a member something.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_notice(
        &self,
        user: &RecordId,
        at: Timestamp,
        what: &str,
        detail: &str,
        session: Option<&Hash>,
    ) -> Result<()> {
        let sql =
            "INSERT INTO notices (user_id, at, what, detail, session) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.connection().prepare_cached(sql)?.execute(params![
            Sql(*user),
            Sql(at),
            what,
            detail,
            session.map(Sql)
        ])?;
        Ok(())
    }

    /// What a member was told and has not seen, for one of their browsers; the oldest first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn notices(&self, user: &RecordId, browser: &Hash) -> Result<Vec<NoticeRow>> {
        let sql = "SELECT notice_no, at, what, detail, session FROM notices
                   WHERE user_id = ?1 AND seen_at IS NULL AND notice_no > (
                     SELECT coalesce(max(notice_no), 0) FROM notices WHERE session = ?2)
                   ORDER BY notice_no";
        let mut statement = self.connection().prepare_cached(sql)?;
        let rows = statement.query_map(params![Sql(*user), Sql(*browser)], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Everything a member was told, with when it was put away; the oldest first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn all_notices(&self, user: &RecordId) -> Result<Vec<(NoticeRow, Option<Timestamp>)>> {
        let sql = "SELECT notice_no, at, what, detail, session, seen_at FROM notices
                   WHERE user_id = ?1 ORDER BY notice_no";
        let mut statement = self.connection().prepare_cached(sql)?;
        let rows = statement.query_map([Sql(*user)], |row| Ok((read(row)?, some(row.get(5)?))))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Puts a notice away. True where this browser of the member may.
    ///
    /// # Errors
    /// What the database reports.
    pub fn see_notice(
        &self,
        notice_no: i64,
        user: &RecordId,
        browser: &Hash,
        now: Timestamp,
    ) -> Result<bool> {
        let sql = "UPDATE notices SET seen_at = ?4 WHERE notice_no = ?1 AND user_id = ?2
                   AND seen_at IS NULL AND notice_no > (
                     SELECT coalesce(max(notice_no), 0) FROM notices WHERE session = ?3)";
        let mut statement = self.connection().prepare_cached(sql)?;
        let seen = statement.execute(params![notice_no, Sql(*user), Sql(*browser), Sql(now)])?;
        Ok(seen > 0)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<NoticeRow> {
    Ok(NoticeRow {
        notice_no: row.get(0)?,
        at: row.get::<_, Sql<_>>(1)?.0,
        what: row.get(2)?,
        detail: row.get(3)?,
        session: some(row.get(4)?),
    })
}
