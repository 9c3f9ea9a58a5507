//! Deltas that came too early: tried again, in the order in which they came, when what they wait for
//! may have arrived.

use rusqlite::params;
use wb_core::feed::{Delta, Outcome};
use wb_core::id::InstanceId;
use wb_core::scope::FeedScope;

use super::held::Bytes;
use super::ingest::Ingest;
use super::view::FeedAt;
use crate::error::Result;
use crate::sql::Sql;

/// Deltas of one feed that wait for others before them and may go on now: those of other logs than the
/// one held (three ranges, so that what still waits is not even looked at), and the next of that log.
const NEXT_WAITING: &str = "SELECT min(held_no) FROM (
      SELECT held_no FROM held WHERE origin = ?1 AND scope = ?2 AND outcome = 'early' AND rule = 'gap' AND log < ?3
      UNION ALL
      SELECT held_no FROM held WHERE origin = ?1 AND scope = ?2 AND outcome = 'early' AND rule = 'gap' AND log > ?3
      UNION ALL
      SELECT held_no FROM held WHERE origin = ?1 AND scope = ?2 AND outcome = 'early' AND rule = 'gap' AND log = ?3
        AND seq <= ?4 + 1)
    WHERE held_no > ?5";

impl Ingest<'_> {
    /// Tries again every delta of an instance that waits: its identity log is another one now.
    ///
    /// # Errors
    /// What the database reports.
    pub(crate) fn retry_after_identity(&self, origin: &InstanceId) -> Result<()> {
        let mut appended = false;
        for held_no in self.waiting(origin)? {
            appended |= self.retry(held_no)?;
        }
        if appended {
            for scope in FeedScope::ALL {
                self.retry_early(origin, scope)?;
            }
        }
        Ok(())
    }

    /// Tries again what waits in a feed, pass by pass in the order in which it came, until nothing
    /// goes on any more.
    pub(super) fn retry_early(&self, origin: &InstanceId, scope: FeedScope) -> Result<()> {
        loop {
            let (mut appended, mut last) = (false, 0);
            while let Some(held_no) = self.next_waiting(origin, scope, last)? {
                appended |= self.retry(held_no)?;
                last = held_no;
            }
            if !appended {
                return Ok(());
            }
        }
    }

    fn next_waiting(
        &self,
        origin: &InstanceId,
        scope: FeedScope,
        last: i64,
    ) -> Result<Option<i64>> {
        let Some(at) = FeedAt::load(self.connection, origin, scope)? else {
            return Ok(None);
        };
        let mut statement = self.connection.prepare_cached(NEXT_WAITING)?;
        let values = params![Sql(origin), scope.as_str(), Sql(at.log), Sql(at.seq), last];
        Ok(statement.query_row(values, |row| row.get(0))?)
    }

    /// Takes one again; it is held anew when it has to be. Returns whether it was applied.
    fn retry(&self, held_no: i64) -> Result<bool> {
        let Some((header, items)) = self.unhold(held_no)? else {
            return Ok(false);
        };
        let Ok(delta) = Delta::read(&header, &items) else {
            return Ok(false);
        };
        Ok(matches!(self.take(&delta)?, Outcome::Append(_)))
    }

    fn waiting(&self, origin: &InstanceId) -> Result<Vec<i64>> {
        let sql =
            "SELECT held_no FROM held WHERE origin = ?1 AND outcome = 'early' ORDER BY held_no";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([Sql(origin)], |row| row.get(0))?;
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
