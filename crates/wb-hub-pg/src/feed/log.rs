//! The logs of a feed: one row for each, made when it is first seen.

use wb_core::id::{Hash, LogId};

use super::{Feed, LogRow};
use crate::error::Result;
use crate::tx::{Columns as _, int};

impl Feed<'_, '_, '_> {
    /// The row of a log, made when it is new. The first header that was held of it stays.
    pub(super) fn log_no(&self, log: &LogId, generation: u64, first: Option<&[u8]>) -> Result<i64> {
        let mut now = self.now.borrow_mut();
        let known = now
            .logs
            .iter_mut()
            .find(|row| !row.replaced && row.log == *log);
        if let Some(row) = known {
            if row.first.is_none() && first.is_some() {
                row.first = first.map(<[u8]>::to_vec);
                self.tx().execute(
                    "UPDATE logs SET first = $3 WHERE instance_no = $1 AND log_no = $2",
                    &[&self.no, &row.no, &first],
                )?;
            }
            return Ok(row.no);
        }
        now.last_log += 1;
        now.moved = true;
        let no = now.last_log;
        now.logs.push(LogRow {
            no,
            log: *log,
            generation,
            first: first.map(<[u8]>::to_vec),
            replaced: false,
        });
        self.tx().execute(
            "INSERT INTO logs (instance_no, log_no, log, generation, first) VALUES ($1, $2, $3, $4, $5)",
            &[&self.no, &no, &&log.0[..], &int(generation), &first],
        )?;
        Ok(no)
    }

    /// The row of a log that is taken from the header `first` on, whatever other header of that place was seen
    /// before. A log that was taken before from another header keeps its row, set apart.
    pub(super) fn open_log(
        &self,
        log: &LogId,
        generation: u64,
        first: (&[u8], &Hash),
    ) -> Result<i64> {
        let (first, body_hash) = first;
        let no = self.log_no(log, generation, Some(first))?;
        self.flush()?;
        let taken_from = self.tx().row(
            "SELECT body_hash FROM headers WHERE instance_no = $1 AND log_no = $2 AND seq = 0",
            &[&self.no, &no],
        )?;
        let taken_from = taken_from.map(|row| row.hash(0)).transpose()?;
        if taken_from.is_some_and(|taken_from| taken_from != *body_hash) {
            self.tx().execute(
                "UPDATE logs SET replaced = true WHERE instance_no = $1 AND log_no = $2",
                &[&self.no, &no],
            )?;
            for row in &mut self.now.borrow_mut().logs {
                row.replaced |= row.no == no;
            }
            return self.log_no(log, generation, Some(first));
        }
        self.tx().execute(
            "UPDATE logs SET generation = $3, first = $4 WHERE instance_no = $1 AND log_no = $2",
            &[&self.no, &no, &int(generation), &first],
        )?;
        let mut now = self.now.borrow_mut();
        if let Some(row) = now.logs.iter_mut().find(|row| row.no == no) {
            (row.generation, row.first) = (generation, Some(first.to_vec()));
        }
        Ok(no)
    }
}
