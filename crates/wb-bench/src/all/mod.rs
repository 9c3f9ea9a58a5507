//! `wb-bench all`: every figure beside its limit, in one table, within a time.
//!
//! What is short comes first; then everything that depends on the number of records, the least first, each number in
//! rounds in which limit and ours take turns; the largest number once, as large as the time that is left allows.

mod budget;
mod bundles;
mod crowd;
mod curve;
mod figure;
mod figures;
mod fixed;
mod node;
mod report;
mod request;
mod rounds;
mod sheet;
mod ten;

use std::path::{Path, PathBuf};

use crate::child::play;
use crate::cli::All;
use crate::error::{BenchError, Result};
use crate::folder;
use crate::limit::postgres::Postgres;
use crate::machine::Machine;
use crate::program;

use budget::{Budget, Size};
use report::Circumstances;
use sheet::Sheet;

/// What every part of a run shares.
struct Bench {
    dir: PathBuf,
    size: Size,
    budget: Budget,
    sheet: Sheet,
    /// Two servers; or why there are none.
    postgres: std::result::Result<Postgres, String>,
    /// The program `wb`; or why it is not there.
    wb: std::result::Result<PathBuf, String>,
}

/// Measures everything, prints the table, and saves it where that is asked for.
pub fn all(input: &All, within: Option<&Path>) -> Result<()> {
    let within = within.map_or_else(std::env::temp_dir, Path::to_owned);
    // What is built is not measured.
    let wb = program::wb().map_err(|error| error.to_string());
    let size = match input {
        All { smoke: true, .. } => Size::Smoke,
        All { quick: true, .. } => Size::Quick,
        All { .. } => Size::Full,
    };
    let begun = Machine::now();
    let dir = tempfile::tempdir_in(&within).map_err(BenchError::io("making a folder"))?;
    let mut bench = Bench {
        dir: dir.path().to_owned(),
        size,
        budget: Budget::begin(size),
        sheet: Sheet::default(),
        postgres: Postgres::start(&within).map_err(|error| error.to_string()),
        wb,
    };
    bench.run()?;
    let on = Circumstances {
        begun,
        ended: Machine::now(),
    };
    let (markdown, json) = (
        report::markdown(&bench.sheet, &on),
        report::json(&bench.sheet, &on),
    );
    if let Some(save) = &input.save {
        std::fs::create_dir_all(save).map_err(BenchError::file(save))?;
        let mut files = curve::curves(&bench.sheet);
        files.push(("table.md", markdown.clone()));
        files.push(("table.json", json.clone()));
        for (name, text) in files {
            let file = save.join(name);
            std::fs::write(&file, text).map_err(BenchError::file(&file))?;
        }
    }
    print!("{}", if input.as_json { json } else { markdown });
    Ok(())
}

impl Bench {
    fn run(&mut self) -> Result<()> {
        self.fixed()?;
        for step in self.size.steps() {
            if self.budget.fits(step.n) {
                self.records(step.n, step.rounds)?;
            } else {
                self.dropped(step.n);
            }
        }
        self.ten()?;
        self.crowds()?;
        let mut largest = self.size.largest().iter();
        if let Some(n) = largest.find(|n| {
            let fits = self.budget.fits(**n);
            if !fits {
                self.dropped(**n);
            }
            fits
        }) {
            self.records(*n, 1)?;
        }
        Ok(())
    }

    /// Says that a number of records was left out.
    fn dropped(&mut self, n: u64) {
        let left = self.budget.left().as_secs();
        let why = format!("it would have taken more than the {left} s that were left");
        self.sheet.note(figures::T1, Some(n), &why);
    }

    /// An instance with N sealed records, of which each round takes a copy.
    fn original(&mut self, n: u64) -> Result<Original> {
        let home = self.dir.join(format!("original-{n}"));
        let arguments = [
            "found",
            "--home",
            folder::text(&home)?,
            "--n",
            &n.to_string(),
        ];
        let (report, usage) = play(&arguments)?;
        Ok(Original {
            home,
            id: report.id,
            rate: n as f64 / report.wall_s,
            peak_kib: usage.peak_kib,
        })
    }
}

/// An instance with sealed records.
struct Original {
    home: PathBuf,
    id: String,
    /// Records that were sealed a second.
    rate: f64,
    /// Most memory of the process that sealed them.
    peak_kib: u64,
}

/// From KiB to MiB.
fn mebibytes(kib: u64) -> f64 {
    kib as f64 / 1_024.0
}
