//! Retention: old arrivals and what only they need go; the records live and the marks stay.

use rusqlite::{Connection, OptionalExtension as _, params};
use wb_core::time::Timestamp;

use super::arrival::Place;
use super::file::{Relay, RelayWrite};
use crate::error::Result;
use crate::sql::Sql;
use crate::store::put_meta;

/// Puts that ended before this row were forgotten; 0 while none were.
pub(super) fn ended_before(connection: &Connection) -> Result<i64> {
    let sql = "SELECT CAST(CAST(value AS TEXT) AS INTEGER) FROM meta WHERE key = 'ended_before'";
    let line = connection
        .prepare_cached(sql)?
        .query_row([], |row| row.get(0))
        .optional()?;
    // The row before is the last at which nothing that was forgotten was live.
    Ok(line.map_or(0, |line: i64| line - 1))
}

impl Relay {
    /// The number of the last arrival that came before a time; 0 for none.
    ///
    /// # Errors
    /// What the database reports.
    pub fn arrivals_before(&self, time: Timestamp) -> Result<u64> {
        self.at_one_moment(|connection| {
            let sql = "SELECT n FROM arrivals WHERE at < ?1 ORDER BY n DESC LIMIT 1";
            let n: Option<Sql<u64>> = connection
                .prepare_cached(sql)?
                .query_row([Sql(time)], |row| row.get(0))
                .optional()?;
            Ok(n.map_or(0, |Sql(n)| n))
        })
    }
}

impl RelayWrite<'_> {
    /// Forgets arrivals up to a number, the signed lines of their headers (but the first and the head
    /// of a log) and the puts they ended. Whoever stands before that takes snapshots. Returns how many
    /// arrivals went.
    ///
    /// # Errors
    /// What the database reports.
    pub fn forget_before(&self, n: u64) -> Result<u64> {
        let connection = &*self.transaction;
        let n = n.min(Place::last(connection)?.n);
        let floor = Place::floor(connection)?;
        let Some(place) = Place::at(connection, n)?.filter(|_| n > floor.n) else {
            return Ok(0);
        };
        let line = first_line_after(connection, n)?;
        connection.execute(
            "DELETE FROM feed_lines WHERE op = 'put' AND live = 0 AND ended < ?1",
            [line],
        )?;
        put_meta(connection, "ended_before", &line.to_string())?;
        connection.execute(
            "UPDATE headers SET line = NULL FROM (
               SELECT log_no, max(seq) AS last FROM arrivals WHERE n <= ?1 AND kind = 'delta' GROUP BY log_no) a
             WHERE headers.log_no = a.log_no AND headers.seq > 0 AND headers.seq <= a.last
               AND headers.line IS NOT NULL AND NOT EXISTS (
                 SELECT 1 FROM feeds f WHERE f.log_no = headers.log_no AND f.seq = headers.seq)",
            [Sql(n)],
        )?;
        place.put_floor(connection)?;
        let gone = connection.execute("DELETE FROM arrivals WHERE n <= ?1", [Sql(n)])?;
        Ok(gone as u64)
    }
}

/// The first row of the deltas that arrived after a number; the next one that will come, when there
/// is none.
fn first_line_after(connection: &Connection, n: u64) -> Result<i64> {
    let sql = "SELECT x.line_no FROM arrivals a CROSS JOIN feed_lines x
               WHERE a.n > ?1 AND a.kind = 'delta' AND x.log_no = a.log_no AND x.seq = a.seq AND x.aside_no IS NULL
               ORDER BY a.n, x.line_no LIMIT 1";
    let first: Option<i64> = connection
        .prepare_cached(sql)?
        .query_row(params![Sql(n)], |row| row.get(0))
        .optional()?;
    if let Some(first) = first {
        return Ok(first);
    }
    let next = "SELECT ifnull(max(line_no), 0) + 1 FROM feed_lines";
    Ok(connection.query_row(next, [], |row| row.get(0))?)
}
