//! Own requests about which home and helpers disagree, and since when this node sees that.
//!
//! What is contested follows from lines; only the time at which it was seen first is kept here, because no clock of
//! others is believed.

use rusqlite::params;
use wb_core::id::RecordId;
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::sql::Sql;
use crate::store::{Store, Write};

/// A contest that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contest {
    /// The own request.
    pub request: RecordId,
    /// What home had counted last then.
    pub home_n: u64,
    /// Since when it is seen here.
    pub since: Timestamp,
}

impl Store {
    /// Contests that were seen, ordered by request.
    ///
    /// # Errors
    /// What the database reports.
    pub fn contests(&self) -> Result<Vec<Contest>> {
        let sql = "SELECT request, home_n, since FROM contests ORDER BY request";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(Contest {
                request: row.get::<_, Sql<RecordId>>(0)?.0,
                home_n: row.get::<_, Sql<u64>>(1)?.0,
                since: row.get::<_, Sql<Timestamp>>(2)?.0,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Write<'_> {
    /// Notes that a contest is seen.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_contest(&self, contest: &Contest) -> Result<()> {
        self.transaction
            .prepare_cached(
                "INSERT INTO contests (request, home_n, since) VALUES (?1, ?2, ?3)
                 ON CONFLICT (request) DO UPDATE SET home_n = excluded.home_n, since = excluded.since",
            )?
            .execute(params![
                Sql(contest.request),
                Sql(contest.home_n),
                Sql(contest.since)
            ])?;
        Ok(())
    }

    /// Notes that a contest is over.
    ///
    /// # Errors
    /// What the database reports.
    pub fn drop_contest(&self, request: &RecordId) -> Result<()> {
        self.transaction
            .prepare_cached("DELETE FROM contests WHERE request = ?1")?
            .execute([Sql(request)])?;
        Ok(())
    }
}
