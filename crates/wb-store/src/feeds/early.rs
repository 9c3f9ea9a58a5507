//! Deltas that came too early: tried again, in the order in which they came, when what they wait for
//! may have arrived.

use rusqlite::params;
use wb_core::feed::{Delta, FeedState, Outcome};
use wb_core::id::{InstanceId, LogId};
use wb_core::scope::FeedScope;

use super::held::Bytes;
use super::ingest::Ingest;
use super::view::load_feed;
use crate::error::Result;
use crate::sql::{Sql, word};

/// A delta that waits, without its bytes.
struct Waiting {
    held_no: i64,
    scope: FeedScope,
    log: LogId,
    seq: u64,
    for_identity: bool,
}

impl Waiting {
    /// Whether it is known without looking at its bytes that it still waits.
    fn is_idle(&self, state: Option<&FeedState>) -> bool {
        let behind_a_gap =
            state.is_some_and(|state| state.log == self.log && self.seq > state.seq + 1);
        self.for_identity || behind_a_gap
    }
}

impl Ingest<'_> {
    /// Tries again every delta of an instance that waits: its identity log is another one now.
    ///
    /// # Errors
    /// What the database reports.
    pub(crate) fn retry_after_identity(&self, origin: &InstanceId) -> Result<()> {
        let mut appended = false;
        for waiting in self.waiting(origin, None)? {
            appended |= self.retry(&waiting)?;
        }
        if appended {
            self.retry_early(origin, None)?;
        }
        Ok(())
    }

    /// Tries again what waits in a feed (or in all of an instance), until nothing goes on any more.
    pub(super) fn retry_early(&self, origin: &InstanceId, scope: Option<FeedScope>) -> Result<()> {
        loop {
            let mut appended = false;
            for waiting in self.waiting(origin, scope)? {
                let feed = load_feed(self.connection, origin, waiting.scope)?;
                let state = feed.and_then(|feed| feed.state);
                if !waiting.is_idle(state.as_ref()) {
                    appended |= self.retry(&waiting)?;
                }
            }
            if !appended {
                return Ok(());
            }
        }
    }

    /// Takes one again; it is held anew when it has to be. Returns whether it was applied.
    fn retry(&self, waiting: &Waiting) -> Result<bool> {
        let Some((header, items)) = self.unhold(waiting.held_no)? else {
            return Ok(false);
        };
        let Ok(delta) = Delta::read(&header, &items) else {
            return Ok(false);
        };
        Ok(matches!(self.take(&delta)?, Outcome::Append(_)))
    }

    fn waiting(&self, origin: &InstanceId, scope: Option<FeedScope>) -> Result<Vec<Waiting>> {
        let sql = "SELECT held_no, scope, log, seq, rule = 'identity' FROM held
                   WHERE origin = ?1 AND outcome = 'early' AND scope = ifnull(?2, scope) ORDER BY held_no";
        let mut statement = self.connection.prepare_cached(sql)?;
        let scope = scope.map(FeedScope::as_str);
        let rows = statement.query_map(params![Sql(origin), scope], |row| {
            Ok(Waiting {
                held_no: row.get(0)?,
                scope: word(row, 1)?,
                log: row.get::<_, Sql<LogId>>(2)?.0,
                seq: row.get::<_, Sql<u64>>(3)?.0,
                for_identity: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Takes the bytes of a delta out of what is held.
    fn unhold(&self, held_no: i64) -> Result<Option<Bytes>> {
        let bytes = self.held_bytes(held_no)?;
        self.connection
            .prepare_cached("DELETE FROM held WHERE held_no = ?1")?
            .execute([held_no])?;
        Ok(bytes)
    }
}
