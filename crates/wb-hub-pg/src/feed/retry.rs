//! Deltas that came too early: tried again, in the order in which they came, when what they wait for may have
//! arrived.

use wb_core::feed::{Delta, Outcome};

use super::Feed;
use crate::error::Result;
use crate::tx::{Columns as _, int};

/// The first delta that waits for others before it and may go on now: of another log than the one held, or the next
/// of that log.
const NEXT_WAITING: &str = "SELECT min(held_no) FROM held
    WHERE instance_no = $1 AND outcome = 'early' AND rule = 'gap' AND held_no > $4
      AND (log < $2 OR log > $2 OR (log = $2 AND seq <= $3::bigint + 1))";

impl Feed<'_, '_, '_> {
    /// Tries again every delta that waits: the identity log is another one now.
    pub(super) fn retry_after_identity(&self) -> Result<()> {
        if !self.now.borrow().has_held {
            return Ok(());
        }
        let rows = self.tx().rows(
            "SELECT held_no FROM held WHERE instance_no = $1 AND outcome = 'early' ORDER BY held_no",
            &[&self.no],
        )?;
        let mut appended = false;
        for row in rows {
            appended |= self.retry(row.value(0)?)?;
        }
        if appended {
            self.retry_early()?;
        }
        Ok(())
    }

    /// Tries again what waits, pass by pass in the order in which it came, until nothing goes on any more.
    pub(super) fn retry_early(&self) -> Result<()> {
        if !self.now.borrow().has_held {
            return Ok(());
        }
        loop {
            let (mut appended, mut last) = (false, 0);
            while let Some(held_no) = self.next_waiting(last)? {
                appended |= self.retry(held_no)?;
                last = held_no;
            }
            if !appended {
                return Ok(());
            }
        }
    }

    fn next_waiting(&self, last: i64) -> Result<Option<i64>> {
        let at = {
            let now = self.now.borrow();
            now.state.as_ref().map(|state| (state.log, state.seq))
        };
        let Some((log, seq)) = at else {
            return Ok(None);
        };
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&self.no, &&log.0[..], &int(seq), &last];
        self.tx().one(NEXT_WAITING, &values)?.value(0)
    }

    /// Takes one again; it is held anew when it has to be. Returns whether it was applied.
    fn retry(&self, held_no: i64) -> Result<bool> {
        let Some((header, items)) = self.held_bytes(held_no)? else {
            return Ok(false);
        };
        self.tx().execute(
            "DELETE FROM held WHERE instance_no = $1 AND held_no = $2",
            &[&self.no, &held_no],
        )?;
        let Ok(delta) = Delta::read(&header, &items) else {
            return Ok(false);
        };
        Ok(matches!(self.take(&delta)?, Outcome::Append(_)))
    }
}
