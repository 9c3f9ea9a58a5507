//! Deltas that were set aside and whose retracts count: forks, what is held, closed logs.
//!
//! What is taken back on a closed log or another branch is taken back. Each such header is kept, so that a recovery
//! that makes it void takes its marks away again.

use wb_core::entry::Op;
use wb_core::feed::Delta;

use super::Feed;
use super::delta::Place;
use crate::error::Result;

impl Feed<'_, '_, '_> {
    /// Adds the retracts of a delta that was not applied as marks, once.
    pub(super) fn set_aside(&self, delta: &Delta<'_>) -> Result<()> {
        let header = &delta.header;
        let entries = delta.items.iter().map(|item| &item.entry);
        let retracts: Vec<_> = entries
            .filter(|entry| matches!(entry.op, Op::Retract { .. }))
            .collect();
        if retracts.is_empty() {
            return Ok(());
        }
        let log_no = self.log_no(&header.log, header.generation, None)?;
        let aside_no = {
            let mut now = self.now.borrow_mut();
            now.last_aside += 1;
            now.moved = true;
            now.last_aside
        };
        let is_new = self.tx().execute(
            "INSERT INTO asides (instance_no, aside_no, log_no, hash, line) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (instance_no, log_no, hash) DO NOTHING",
            &[&self.no, &aside_no, &log_no, &&delta.hash.0[..], &delta.header_line],
        )? > 0;
        if !is_new {
            return Ok(());
        }
        let at = Place {
            log_no,
            seq: header.seq,
            aside_no: Some(aside_no),
            index: None,
            applied: false,
        };
        for entry in retracts {
            self.put_entry(at, entry, None);
        }
        Ok(())
    }
}
