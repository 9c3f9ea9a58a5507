//! A feed as it was at an earlier head, while it moves on.
//!
//! Rows are numbered in the order in which they came, and a put that ended names the row that came
//! next. So what was live at a head is: every put up to the head's last row that is live still or ended
//! later. What ended has no line any more, and comes as its stub.

use rusqlite::{Connection, OptionalExtension as _, Statement, params};
use wb_core::id::{Hash, InstanceId};
use wb_core::scope::FeedScope;
use wb_core::time::Timestamp;

use super::forget;
use super::heads::{FeedAtHead, feeds_of};
use super::member::IS_SERVED;
use super::void::Voids;
use crate::error::Result;
use crate::sql::Sql;

/// A feed at one of its heads.
#[derive(Debug)]
pub(super) struct AsOf {
    pub feed: FeedAtHead,
    /// The head.
    pub seq: u64,
    pub line: Vec<u8>,
    /// The last row that counts.
    last_line: i64,
}

/// The feed of a member that is served, unless a recovery made its head void.
pub(super) fn served_feed(
    connection: &Connection,
    origin: &InstanceId,
    scope: FeedScope,
    now: Timestamp,
) -> Result<Option<FeedAtHead>> {
    let sql = format!("SELECT m.instance_no FROM members m WHERE {IS_SERVED} AND m.id = ?2");
    let no: Option<i64> = connection
        .prepare_cached(&sql)?
        .query_row(params![Sql(now), Sql(origin)], |row| row.get(0))
        .optional()?;
    let Some(no) = no else { return Ok(None) };
    let mut feeds = feeds_of(connection, no, origin)?.into_iter();
    match feeds.find(|feed| feed.held.scope == scope) {
        Some(feed) if Voids::new(connection).is_at_void(&feed)? => Ok(None),
        feed => Ok(feed),
    }
}

impl AsOf {
    /// The feed at a head of its log; `None` when it moved on from there by more than deltas, or what
    /// came after it was forgotten.
    pub fn load(connection: &Connection, feed: FeedAtHead, head: Hash) -> Result<Option<Self>> {
        let sql = "SELECT seq, line FROM headers INDEXED BY headers_hash
                   WHERE log_no = ?1 AND hash = ?2";
        let header: Option<(Sql<u64>, Option<Vec<u8>>)> = connection
            .prepare_cached(sql)?
            .query_row(params![feed.log_no, Sql(head)], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let Some((Sql(seq), Some(line))) = header else {
            return Ok(None);
        };
        if seq > feed.held.seq || moved_otherwise(connection, &feed, seq)? {
            return Ok(None);
        }
        let last_line = last_line(connection, feed.log_no, seq)?;
        if last_line < forget::ended_before(connection)? {
            return Ok(None);
        }
        Ok(Some(Self {
            feed,
            seq,
            line,
            last_line,
        }))
    }

    /// Items live at the head after an id, as a query that [`crate::feeds::read_item`] reads: an ended
    /// one has no line.
    pub fn live<'c>(&self, connection: &'c Connection) -> Result<rusqlite::CachedStatement<'c>> {
        // The second part reads what ended since, in whatever order, and not the feed from an id on.
        let sql = "SELECT op, id, rev, kind, line_hash, NULL, reason, line FROM feed_lines
                   WHERE feed_no = ?1 AND live = 1 AND id > ?2 AND line_no <= ?3
                   UNION ALL
                   SELECT op, id, rev, kind, line_hash, NULL, reason, NULL FROM feed_lines
                   WHERE feed_no = ?1 AND ended > ?3 AND +id > ?2 AND line_no <= ?3
                   ORDER BY 2";
        Ok(connection.prepare_cached(sql)?)
    }

    /// Records retracted and not live at the head, with the highest revision retracted.
    pub fn retracted<'c>(
        &self,
        connection: &'c Connection,
    ) -> Result<rusqlite::CachedStatement<'c>> {
        Ok(connection.prepare_cached(RETRACTED)?)
    }

    /// How many those are.
    pub fn retracted_n(&self, connection: &Connection) -> Result<u64> {
        let sql = format!("SELECT count(*) FROM ({RETRACTED})");
        let mut statement = connection.prepare_cached(&sql)?;
        let Sql(count): Sql<u64> =
            self.query_after(&mut statement, &[], |mut rows| rows_first(&mut rows))?;
        Ok(count)
    }

    /// Runs one of these queries for what comes after an id.
    pub fn query_after<T>(
        &self,
        statement: &mut Statement<'_>,
        after: &[u8],
        read: impl FnOnce(rusqlite::Rows<'_>) -> Result<T>,
    ) -> Result<T> {
        read(statement.query(params![self.feed.feed_no, after, self.last_line])?)
    }
}

fn rows_first(rows: &mut rusqlite::Rows<'_>) -> Result<Sql<u64>> {
    let row = rows.next()?.expect("a count has a row");
    Ok(row.get(0)?)
}

const RETRACTED: &str = "SELECT m.id, max(m.rev) FROM feed_lines m
    WHERE m.feed_no = ?1 AND m.op = 'retract' AND m.void = 0 AND m.aside_no IS NULL
      AND m.id > ?2 AND m.line_no <= ?3
      AND NOT EXISTS (SELECT 1 FROM feed_lines l
                      WHERE l.feed_no = m.feed_no AND l.id = m.id AND l.live = 1 AND l.line_no <= ?3)
      AND NOT EXISTS (SELECT 1 FROM feed_lines l
                      WHERE l.feed_no = m.feed_no AND l.id = m.id AND l.op = 'put' AND l.line_no <= ?3 AND +l.ended > ?3)
    GROUP BY m.id ORDER BY m.id";

/// Whether a snapshot moved the feed after a head, or headers after it were forgotten.
fn moved_otherwise(connection: &Connection, feed: &FeedAtHead, seq: u64) -> Result<bool> {
    let sql =
        "SELECT EXISTS (SELECT 1 FROM headers WHERE log_no = ?1 AND seq > ?2 AND line IS NULL)
                 OR EXISTS (SELECT 1 FROM feed_lines
                            WHERE log_no = ?1 AND seq > ?2 AND idx IS NULL AND aside_no IS NULL)";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row(params![feed.log_no, Sql(seq)], |row| row.get(0))?)
}

/// The last row before those of the deltas after a head; beyond all rows when nothing came.
fn last_line(connection: &Connection, log_no: i64, seq: u64) -> Result<i64> {
    let sql = "SELECT min(line_no) - 1 FROM feed_lines WHERE log_no = ?1 AND aside_no IS NULL AND seq = (
                 SELECT min(seq) FROM feed_lines WHERE log_no = ?1 AND seq > ?2 AND aside_no IS NULL)";
    let mut statement = connection.prepare_cached(sql)?;
    let before: Option<i64> = statement.query_row(params![log_no, Sql(seq)], |row| row.get(0))?;
    Ok(before.unwrap_or(i64::MAX))
}
