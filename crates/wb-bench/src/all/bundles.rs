//! A bundle of N records: written, verified, taken into an empty node. And PostgreSQL, which is given the same rows.

use super::figures::{
    EXPORT, IMPORT, IMPORT_MEMORY, IMPORT_POSTGRES, T1_POSTGRES, VERIFY, VERIFY_MEMORY,
};
use super::rounds::{Round, check, file};
use super::{Bench, mebibytes};
use crate::child::play;
use crate::error::Result;
use crate::folder::text;

impl Bench {
    /// The limits that work on lines come first, then ours, in each round.
    pub(super) fn bundles(&mut self, round: &mut Round<'_>, nth: u32) -> Result<()> {
        let (n, records) = (Some(round.n), round.n as f64);
        let north = text(&round.north)?.to_owned();
        let (copy, bundle) = (file(&round.dir, "copy")?, file(&round.dir, "bundle.wbb")?);
        self.sqlite(round)?;
        let (lines, _) = play(&["lines", "--home", &north, "--file", &copy])?;
        let reading = lines.records as f64 / lines.wall_s;
        let checking = lines.records as f64 / lines.beside_s.first().copied().unwrap_or(f64::NAN);

        let (exported, _) = play(&["export", "--home", &north, "--file", &bundle])?;
        self.sheet
            .add(EXPORT, n, records / exported.wall_s, Some(reading));
        let (verified, usage) = play(&["verify", "--file", &bundle])?;
        self.sheet
            .add(VERIFY, n, records / verified.wall_s, Some(checking));
        self.sheet
            .add(VERIFY_MEMORY, n, mebibytes(usage.peak_kib), None);

        round.postgres_rate = self.replicate(round, &copy, nth)?;
        let limit = self.sqlite(round)?;
        let west = file(&round.dir, "west")?;
        let (imported, usage) = play(&["import", "--home", &west, "--file", &bundle])?;
        check(&west, round.n)?;
        let rate = records / imported.wall_s;
        self.sheet.add(IMPORT, n, rate, Some(limit));
        self.sheet
            .add(IMPORT_POSTGRES, n, rate, round.postgres_rate);
        self.sheet
            .add(IMPORT_MEMORY, n, mebibytes(usage.peak_kib), None);
        Ok(())
    }

    /// Rows a second that PostgreSQL replicates now; none where it is not there.
    fn replicate(&mut self, round: &Round<'_>, copy: &str, nth: u32) -> Result<Option<f64>> {
        let Ok(postgres) = &mut self.postgres else {
            return Ok(None);
        };
        let replicated = if nth == 0 {
            postgres.load(copy.as_ref())
        } else {
            Ok(())
        }
        .and_then(|()| postgres.replicate());
        match replicated {
            Ok(rate) => Ok(Some(rate)),
            Err(error) => {
                // A limit that could not be measured is no reason to measure nothing.
                self.postgres = Err(error.to_string());
                self.sheet
                    .note(T1_POSTGRES, Some(round.n), &error.to_string());
                Ok(None)
            }
        }
    }
}
