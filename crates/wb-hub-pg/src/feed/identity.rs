//! Taking an identity log: what it makes void is taken back, and what waited for it goes on.

use std::rc::Rc;

use wb_core::feed::Header;
use wb_core::id::{Hash, RecordId};
use wb_core::identity::{Above, IdentityLog, Merge, Placed};

use super::Feed;
use crate::error::{PgError, Result};
use crate::identity;
use crate::tx::{Columns as _, int};

/// Every header of a member. Of one whose line was forgotten the next one that is kept tells the log, and a position
/// that its own is not above.
const HEADERS: &str = "SELECT h.log_no, h.seq, h.hash, COALESCE(h.line, (SELECT n.line FROM headers n
        WHERE n.instance_no = h.instance_no AND n.log_no = h.log_no AND n.seq > h.seq AND n.line IS NOT NULL
        ORDER BY n.seq LIMIT 1)), h.line IS NULL, h.void
    FROM headers h WHERE h.instance_no = $1";
const ASIDES: &str = "SELECT aside_no, hash, line FROM asides WHERE instance_no = $1";

impl Feed<'_, '_, '_> {
    /// Takes a log that was verified.
    pub fn put_identity(&self, offered: &IdentityLog) -> Result<Merge> {
        let Some(held) = self.identity() else {
            identity::store(self.tx(), self.no, offered)?;
            self.now.borrow_mut().identity = Some(Rc::new(offered.clone()));
            // It is new, and so is everything that waits for it.
            return Ok(Merge::Extend);
        };
        let (merge, merged) = held.offer(offered);
        match merge {
            Merge::Known | Merge::Stale => {}
            Merge::TwoRecovers => identity::keep_evidence(self.tx(), self.no, &held, offered)?,
            Merge::TwoRotates => self.hold_to(merged)?,
            Merge::Extend | Merge::Replace => {
                self.hold_to(merged)?;
                self.mark_void()?;
                self.retry_after_identity()?;
            }
        }
        Ok(merge)
    }

    fn hold_to(&self, log: IdentityLog) -> Result<()> {
        identity::store(self.tx(), self.no, &log)?;
        self.now.borrow_mut().identity = Some(Rc::new(log));
        Ok(())
    }

    /// Takes back what void headers did: those that were applied, whose feed is forked when one is its head, and
    /// those that were set aside.
    fn mark_void(&self) -> Result<()> {
        self.flush()?;
        let Some(log) = self.identity() else {
            return Ok(());
        };
        let head = {
            let mut now = self.now.borrow_mut();
            // A mark that becomes void stands in no snapshot any more.
            now.moved = true;
            now.log_no.zip(now.state.as_ref().map(|state| state.seq))
        };
        for row in self.tx().rows(HEADERS, &[&self.no])? {
            let (log_no, seq, hash): (i64, u64, Hash) =
                (row.value(0)?, row.number(1)?, row.hash(2)?);
            let Some(line) = row.value::<Option<&[u8]>>(3)? else {
                continue;
            };
            let forgotten = row.value::<bool>(4)?.then_some(seq);
            let void = is_void(&log, line, forgotten, hash)?;
            if void != row.value::<bool>(5)? {
                self.tx().execute(
                    "UPDATE headers SET void = $4 WHERE instance_no = $1 AND log_no = $2 AND seq = $3",
                    &[&self.no, &log_no, &int(seq), &void],
                )?;
            }
            if void {
                if head == Some((log_no, seq)) {
                    self.note_fork();
                }
                let gone = self.tx().rows(
                    "UPDATE lines SET void = true WHERE instance_no = $1 AND log_no = $2 AND seq = $3
                       AND aside_no IS NULL RETURNING id",
                    &[&self.no, &log_no, &int(seq)],
                )?;
                self.list_rows(&gone)?;
            }
        }
        for row in self.tx().rows(ASIDES, &[&self.no])? {
            if is_void(&log, row.value(2)?, None, row.hash(1)?)? {
                let gone = self.tx().rows(
                    "UPDATE lines SET void = true WHERE instance_no = $1 AND aside_no = $2 RETURNING id",
                    &[&self.no, &row.value::<i64>(0)?],
                )?;
                self.list_rows(&gone)?;
            }
        }
        Ok(())
    }

    fn list_rows(&self, rows: &[tokio_postgres::Row]) -> Result<()> {
        let ids: Vec<RecordId> = rows
            .iter()
            .map(|row| row.record(0))
            .collect::<Result<_>>()?;
        self.to_list.borrow_mut().extend(ids);
        Ok(())
    }
}

/// Whether a header is void, by its line. Where that was forgotten, `line` is the one of the next header kept of the
/// same log, and `forgotten` the number of the one meant.
fn is_void(log: &IdentityLog, line: &[u8], forgotten: Option<u64>, hash: Hash) -> Result<bool> {
    let (header, _) = Header::read(line)
        .map_err(|rule| PgError::damaged(format!("a stored header breaks {rule}")))?;
    Ok(match forgotten {
        None => log.is_void(&header.identity, &header.placed(hash)),
        Some(seq) => {
            let placed = Placed {
                seq,
                ..header.placed(hash)
            };
            log.above_last_head(&placed) == Some(Above::Recover)
        }
    })
}
