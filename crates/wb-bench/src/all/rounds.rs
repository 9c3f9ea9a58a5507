//! Rounds of N records: a hub that is empty, a publisher with N sealed records, a follower that has nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::figures::{
    ONE, PUSH, PUSH_HUB_MEMORY, SEAL, SEAL_MEMORY, SERVING, T1, T1_MEMORY, T1_POSTGRES, T1_RATE,
    T1_TABLES, T1_WIRE, T2, T2_WIRE, T3, T3_ROUND_TRIPS, T3_SERVER, T3_WIRE,
};
use super::{Bench, Original, mebibytes, request};
use crate::child::{Running, play};
use crate::clock::{Stopwatch, timed};
use crate::error::{BenchError, Result};
use crate::folder::{self, text};
use crate::role::Report;
use crate::usage::forget_peak;
use crate::workload::ADDED;

const MEBIBYTE: f64 = 1_048_576.0;
/// Times that 100 records are changed in a round.
const CHANGES: u64 = 3;

/// One round.
pub(super) struct Round<'o> {
    pub n: u64,
    pub dir: PathBuf,
    pub original: &'o Original,
    /// The publisher's folder; the follower's; that of the plain server of files.
    pub north: PathBuf,
    pub south: PathBuf,
    pub files_dir: PathBuf,
    /// The plain server of files.
    pub files: String,
    /// Rows a second that PostgreSQL replicated in this round.
    pub postgres_rate: Option<f64>,
}

impl Bench {
    /// All rounds of N records, as many as there is time for.
    pub(super) fn records(&mut self, n: u64, rounds: u32) -> Result<()> {
        let watch = Stopwatch::start();
        let original = self.original(n)?;
        let mut longest = Duration::ZERO;
        for nth in 0..rounds {
            if nth > 0 && longest * 2 > self.budget.left() {
                break;
            }
            let (done, took) = timed(|| self.round(n, &original, nth));
            done?;
            longest = longest.max(took);
            if nth == 0 {
                self.budget.learn(n, watch.elapsed());
            }
        }
        folder::remove(&original.home)
    }

    fn round(&mut self, n: u64, original: &Original, nth: u32) -> Result<()> {
        let dir = self.dir.join("round");
        folder::make(&dir)?;
        let mut round = Round {
            n,
            original,
            north: dir.join("north"),
            south: dir.join("south"),
            files_dir: dir.join("files"),
            files: String::new(),
            postgres_rate: None,
            dir,
        };
        folder::copy(&original.home, &round.north)?;
        folder::make(&round.files_dir)?;
        let (files, report) = Running::start(&["files", "--home", text(&round.files_dir)?])?;
        round.files = report.link;
        self.bundles(&mut round, nth)?;
        let hub_dir = round.dir.join("hub");
        let (hub, hub_says) = Running::start(&["hub", "--home", text(&hub_dir)?])?;
        self.bootstrap(&round, &hub, &hub_says.link, nth)?;
        self.nothing_new(&round, &hub)?;
        self.changes(&round)?;
        self.one(&round)?;
        self.serving(&round)?;
        hub.end()?;
        self.node(&round)?;
        files.end()?;
        folder::remove(&round.dir)
    }

    /// Push, and T1 beside its limits.
    fn bootstrap(&mut self, round: &Round<'_>, hub: &Running, link: &str, nth: u32) -> Result<()> {
        let (n, north, south) = (round.n, text(&round.north)?, text(&round.south)?);
        let records = n as f64;
        let limit = self.sqlite(round)?;
        if nth == 0 {
            let Original { rate, peak_kib, .. } = round.original;
            self.sheet.add(SEAL, Some(n), *rate, Some(limit));
            self.sheet
                .add(SEAL_MEMORY, Some(n), mebibytes(*peak_kib), None);
        }
        play(&["join", "--home", north, "--hub", link])?;
        forget_peak(hub.pid())?;
        let (pushed, _) = play(&["push", "--home", north])?;
        let hub_peak = hub.usage()?.peak_kib;
        self.sheet
            .add(PUSH, Some(n), records / pushed.wall_s, Some(limit));
        self.sheet
            .add(PUSH_HUB_MEMORY, Some(n), mebibytes(hub_peak), None);
        let id = &round.original.id;
        play(&["join", "--home", south, "--hub", link, "--follow", id])?;
        let limit = self.sqlite(round)?;
        let (pulled, usage) = play(&["pull", "--home", south])?;
        check(south, n)?;
        let rate = records / pulled.wall_s;
        self.sheet.add(T1, Some(n), rate, Some(limit));
        let (tables, _) = play(&["tables", "--home", south])?;
        let limit_of_tables = tables.records as f64 / tables.wall_s;
        self.sheet
            .add(T1_TABLES, Some(n), rate, Some(limit_of_tables));
        match round.postgres_rate {
            Some(theirs) => self.sheet.add(T1_POSTGRES, Some(n), rate, Some(theirs)),
            None => self.without_postgres(n, rate),
        }
        self.sheet.add(T1_RATE, Some(n), rate, Some(limit));
        self.sheet
            .add(T1_MEMORY, Some(n), mebibytes(usage.peak_kib), None);
        let packed = std::fs::metadata(round.north.join("plain.zst"));
        let packed = packed.map_err(BenchError::file(&round.north))?.len() as f64;
        self.sheet
            .add(T1_WIRE, Some(n), both_ways(&pulled), Some(packed));
        Ok(())
    }

    fn without_postgres(&mut self, n: u64, rate: f64) {
        self.sheet.add(T1_POSTGRES, Some(n), rate, None);
        if let Err(why) = &self.postgres {
            self.sheet.note(T1_POSTGRES, Some(n), why);
        }
    }

    /// Rows a second that a plain file takes now.
    pub(super) fn sqlite(&self, round: &Round<'_>) -> Result<f64> {
        let (plain, _) = play(&["limit", "--home", text(&round.north)?])?;
        Ok(plain.records as f64 / plain.wall_s)
    }

    fn nothing_new(&mut self, round: &Round<'_>, hub: &Running) -> Result<()> {
        let n = Some(round.n);
        request::prepare(&round.files_dir)?;
        // The first tells what came last; from then on there is nothing.
        play(&["pull", "--home", text(&round.south)?])?;
        for _ in 0..self.size.repeats() {
            let limit = request::one(&round.files)?;
            let before = hub.usage()?;
            let (pulled, _) = play(&["pull", "--home", text(&round.south)?])?;
            let served = hub.usage()?.since(before);
            self.sheet.add(T3, n, pulled.wall_s * 1_000.0, Some(limit));
            self.sheet.add(T3_SERVER, n, served.cpu_s * 1_000.0, None);
            self.sheet
                .add(T3_ROUND_TRIPS, n, pulled.round_trips as f64, None);
            self.sheet.add(T3_WIRE, n, both_ways(&pulled), None);
        }
        Ok(())
    }

    fn changes(&mut self, round: &Round<'_>) -> Result<()> {
        let (n, number) = (Some(round.n), round.n.to_string());
        let (north, south) = (text(&round.north)?, text(&round.south)?);
        for nth in 0..CHANGES {
            let nth_text = nth.to_string();
            let change = ["--home", north, "--n", &number, "--nth", &nth_text];
            play(&[&["change"], change.as_slice()].concat())?;
            play(&["push", "--home", north])?;
            let (pulled, _) = play(&["pull", "--home", south])?;
            check(south, round.n + ADDED * (nth + 1))?;
            let (limit, _) = play(&[&["changed"], change.as_slice()].concat())?;
            self.sheet
                .add(T2, n, pulled.wall_s * 1_000.0, Some(limit.wall_s * 1_000.0));
            self.sheet
                .add(T2_WIRE, n, both_ways(&pulled), Some(limit.bytes as f64));
        }
        Ok(())
    }

    fn one(&mut self, round: &Round<'_>) -> Result<()> {
        let times = self.size.repeats().to_string();
        let (one, _) = play(&["one", "--home", text(&round.north)?, "--times", &times])?;
        for (ours, limit) in one.samples_s.iter().zip(&one.beside_s) {
            let (ours, limit) = (ours * 1_000.0, limit * 1_000.0);
            self.sheet.add(ONE, Some(round.n), ours, Some(limit));
        }
        Ok(())
    }

    fn serving(&mut self, round: &Round<'_>) -> Result<()> {
        let times = self.size.repeats().to_string();
        let (served, _) = play(&[
            "serving",
            "--home",
            text(&round.north)?,
            "--files",
            &round.files,
            "--of",
            text(&round.files_dir)?,
            "--times",
            &times,
        ])?;
        let size = served.bytes as f64 / MEBIBYTE;
        for (ours, limit) in served.samples_s.iter().zip(&served.beside_s) {
            self.sheet
                .add(SERVING, Some(round.n), size / ours, Some(size / limit));
        }
        Ok(())
    }
}

fn both_ways(report: &Report) -> f64 {
    (report.bytes_sent + report.bytes_received) as f64
}

/// What is measured must be there: every record, shown.
pub(super) fn check(home: &str, n: u64) -> Result<()> {
    let (counted, _) = play(&["count", "--home", home])?;
    if counted.records == n {
        return Ok(());
    }
    Err(BenchError::Wrong(format!(
        "{} records are shown, not {n}",
        counted.records
    )))
}

/// The same file in another folder, as an argument.
pub(super) fn file(dir: &Path, name: &str) -> Result<String> {
    Ok(text(&dir.join(name))?.to_owned())
}
