//! A node that holds N records of another: until it answers, and its pages.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::Bench;
use super::figure::Figure;
use super::figures::{FEED_PAGE, FEED_PAGE_MEDIAN, REQUEST_PAGE, REQUEST_PAGE_MEDIAN, START};
use super::rounds::Round;
use crate::child::Running;
use crate::client::Client;
use crate::clock::{Stopwatch, timed};
use crate::error::{BenchError, Result};
use crate::folder::text;
use crate::held::Held;
use crate::load::{self, Waits};
use crate::workload::{id_of, request_before};

/// Times that the program is started.
const STARTS: u32 = 3;
/// Pages of different requests that are asked for in turn.
const REQUESTS: u64 = 16;
/// Longest wait for the first page, and for a start.
const PATIENCE: Duration = Duration::from_secs(120);
const REST: Duration = Duration::from_millis(1);
/// The name of the file with the same page.
const PAGE: &str = "page";

impl Bench {
    pub(super) fn node(&mut self, round: &Round<'_>) -> Result<()> {
        self.starts(round)?;
        self.pages(round)
    }

    fn starts(&mut self, round: &Round<'_>) -> Result<()> {
        let n = Some(round.n);
        let wb = match &self.wb {
            Ok(wb) => wb.clone(),
            Err(why) => {
                self.sheet.note(START, n, &why.clone());
                return Ok(());
            }
        };
        for _ in 0..STARTS {
            let mut version = Command::new(&wb);
            version.arg("--version").stdout(Stdio::null());
            let (ran, limit) = timed(|| version.status());
            ran.map_err(BenchError::io("starting wb"))?;
            let ours = start(&wb, text(&round.south)?)?;
            let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
            self.sheet.add(START, n, ms(ours), Some(ms(limit)));
        }
        Ok(())
    }

    fn pages(&mut self, round: &Round<'_>) -> Result<()> {
        let origin = &round.original.id;
        let step = (round.n / REQUESTS).max(1);
        let requests: Vec<String> = (0..REQUESTS)
            .map(|nth| id_of(request_before(nth * step + step / 2, 0)))
            .map(|id| format!("/requests/{origin}/{id}"))
            .collect();
        let feed = vec!["/requests".to_owned()];
        let (site, says) = Running::start(&["site", "--home", text(&round.south)?])?;
        for (paths, most, half) in [
            (&feed, FEED_PAGE, FEED_PAGE_MEDIAN),
            (&requests, REQUEST_PAGE, REQUEST_PAGE_MEDIAN),
        ] {
            let mut first = Client::connect(&says.link, &says.cookie, PATIENCE)?;
            let (answer, alone) = timed(|| first.get(&paths[0]));
            let answer = answer?;
            if answer.status != 200 {
                return Err(BenchError::Wrong(format!(
                    "{}: status {}",
                    paths[0], answer.status
                )));
            }
            let page = round.files_dir.join(PAGE);
            std::fs::write(&page, answer.body).map_err(BenchError::file(&page))?;
            let length = self.size.pages_for();
            let plain = [format!("/{PAGE}")];
            let limit = load::ask(&round.files, "", &plain, length)?;
            let ours = load::ask(&says.link, &says.cookie, paths, length)?;
            self.waits(most, half, round.n, &ours, &limit);
            if ours.unanswered > 0 {
                let note = format!(
                    "{} pages did not come in time; one alone took {:.0} ms",
                    ours.unanswered,
                    alone.as_secs_f64() * 1_000.0
                );
                self.sheet.note(most, Some(round.n), &note);
            }
        }
        // What it still works on for somebody who left is of no interest: it is killed.
        drop(site);
        Ok(())
    }

    fn waits(&mut self, most: Figure, half: Figure, n: u64, ours: &Waits, limit: &Waits) {
        for (figure, share) in [(most, 0.99), (half, 0.5)] {
            self.sheet.add(
                figure,
                Some(n),
                ours.within(share),
                Some(limit.within(share)),
            );
        }
    }
}

/// Starts `wb up` in a folder, and waits until it says that it is well.
fn start(wb: &Path, home: &str) -> Result<Duration> {
    let watch = Stopwatch::start();
    let arguments = ["--home", home, "--json", "up", "--listen", "127.0.0.1:0"];
    let mut up = Held::start(text(wb)?, &arguments)?;
    let said: serde_json::Value = serde_json::from_str(&up.line()?)
        .map_err(|error| BenchError::Wrong(format!("wb up: {error}")))?;
    let address = said["address"].as_str().unwrap_or_default().to_owned();
    loop {
        let asked = Client::connect(&address, "", PATIENCE);
        if asked.and_then(|mut client| client.get("/readyz"))?.status == 200 {
            return Ok(watch.elapsed());
        }
        if watch.elapsed() > PATIENCE {
            return Err(BenchError::Wrong("wb up is not well".to_owned()));
        }
        std::thread::sleep(REST);
    }
}
