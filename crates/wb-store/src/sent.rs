//! Which deltas of own feeds went out by a run, and which delta brought a line.

use rusqlite::{OptionalExtension as _, params};
use wb_core::id::{LogId, RecordId};
use wb_core::scope::FeedScope;
use wb_core::want::Held;

use crate::error::Result;
use crate::feeds::StoredHeader;
use crate::sql::{Sql, word};
use crate::store::{Store, Write};

/// Deltas that went out one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentPlace {
    /// The feed.
    pub scope: FeedScope,
    /// The log.
    pub log: LogId,
    /// Number of the first.
    pub first: u64,
    /// Number of the last.
    pub last: u64,
    log_no: i64,
}

impl SentPlace {
    /// The number that SQLite has for the log.
    pub(crate) fn log_no(&self) -> i64 {
        self.log_no
    }
}

impl Store {
    /// What went out by a run, in the order of logs and numbers.
    ///
    /// # Errors
    /// What the database reports.
    pub fn run_sent(&self, run_no: i64) -> Result<Vec<SentPlace>> {
        let sql = "SELECT l.scope, l.log, s.first, s.last, s.log_no FROM run_sent s JOIN logs l USING (log_no)
                   WHERE s.run_no = ?1 ORDER BY s.log_no, s.first";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([run_no], |row| {
            Ok(SentPlace {
                scope: word(row, 0)?,
                log: row.get::<_, Sql<LogId>>(1)?.0,
                first: row.get::<_, Sql<u64>>(2)?.0,
                last: row.get::<_, Sql<u64>>(3)?.0,
                log_no: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The headers of deltas that went out, one after the other.
    ///
    /// # Errors
    /// What the database reports.
    pub fn sent_headers(&self, sent: &SentPlace) -> Result<Vec<StoredHeader>> {
        let served = self.served();
        (sent.first..=sent.last)
            .map(|seq| served.header(sent.log_no(), seq))
            .collect()
    }
}

impl Store {
    /// The header of the delta that put the line live for a record, where that came as a delta.
    ///
    /// # Errors
    /// What the database reports.
    pub fn header_of_live(&self, feed: &Held, id: &RecordId) -> Result<Option<StoredHeader>> {
        let sql = "SELECT x.log_no, x.seq FROM feed_lines x JOIN feeds f USING (feed_no)
                   JOIN instances i USING (instance_no)
                   WHERE i.id = ?1 AND f.scope = ?2 AND x.id = ?3 AND x.live = 1 AND x.idx IS NOT NULL";
        let mut statement = self.main().prepare_cached(sql)?;
        let place: Option<(i64, Sql<u64>)> = statement
            .query_row(
                params![Sql(feed.origin), feed.scope.as_str(), Sql(id)],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        place
            .map(|(log_no, Sql(seq))| self.served().header(log_no, seq))
            .transpose()
    }
}

impl Write<'_> {
    /// Notes that deltas went out by a run.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_sent(&self, run_no: i64, headers: &[(i64, u64)]) -> Result<()> {
        // One row for what follows without a gap.
        let mut rows: Vec<(i64, u64, u64)> = Vec::new();
        for (log_no, seq) in headers {
            match rows.last_mut() {
                Some((no, _, last)) if no == log_no && *last + 1 == *seq => *last = *seq,
                _ => rows.push((*log_no, *seq, *seq)),
            }
        }
        for (log_no, first, last) in rows {
            let sql = "INSERT INTO run_sent (run_no, log_no, first, last) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (run_no, log_no, first) DO UPDATE SET last = max(last, excluded.last)";
            self.transaction.prepare_cached(sql)?.execute(params![
                run_no,
                log_no,
                Sql(first),
                Sql(last)
            ])?;
        }
        Ok(())
    }
}
