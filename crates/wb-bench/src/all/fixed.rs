//! What does not depend on the number of records.

use super::Bench;
use super::figures::{BINARY, TRUST};
use crate::child::play;
use crate::error::{BenchError, Result};

const MEBIBYTE: f64 = 1_048_576.0;

impl Bench {
    pub(super) fn fixed(&mut self) -> Result<()> {
        match &self.wb {
            Ok(wb) => {
                let size = std::fs::metadata(wb).map_err(BenchError::file(wb))?.len();
                self.sheet.add(BINARY, None, size as f64 / MEBIBYTE, None);
            }
            Err(why) => self.sheet.note(BINARY, None, why),
        }
        let times = self.size.repeats().to_string();
        for n in self.size.instances() {
            let (trust, _) = play(&["trust", "--n", &n.to_string(), "--times", &times])?;
            for (ours, limit) in trust.samples_s.iter().zip(&trust.beside_s) {
                self.sheet
                    .add(TRUST, Some(*n), ours * 1_000.0, Some(limit * 1_000.0));
            }
        }
        Ok(())
    }
}
