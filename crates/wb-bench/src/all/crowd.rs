//! Many instances at one hub, each with a few records, and a follower of all of them.

use std::time::Duration;

use super::figures::{CROWD, CROWD_NEWS, CROWD_NEWS_WIRE};
use super::rounds::{check, file};
use super::{Bench, request};
use crate::child::{Running, play};
use crate::clock::timed;
use crate::error::Result;
use crate::folder::{self, text};
use crate::role::EACH_OF_A_CROWD;

/// The larger crowd may take this much longer than the smaller one did, for each of them.
const LONGER: u32 = 2;

impl Bench {
    pub(super) fn crowds(&mut self) -> Result<()> {
        let mut of_one = Duration::ZERO;
        for n in self.size.crowds() {
            let predicted = of_one * u32::try_from(*n).unwrap_or(u32::MAX) * LONGER;
            // Half of what is left stays for the largest number of records.
            if predicted > self.budget.left() / 2 {
                let why = format!("it would have taken about {} s", predicted.as_secs());
                self.sheet.note(CROWD, Some(*n), &why);
                continue;
            }
            let (done, took) = timed(|| self.crowd(*n));
            done?;
            of_one = took / u32::try_from(*n).unwrap_or(u32::MAX);
        }
        Ok(())
    }

    fn crowd(&mut self, n: u64) -> Result<()> {
        let dir = self.dir.join("crowd");
        folder::make(&dir)?;
        let (files_dir, homes) = (dir.join("files"), dir.join("homes"));
        folder::make(&files_dir)?;
        folder::make(&homes)?;
        request::prepare(&files_dir)?;
        let (files, files_says) = Running::start(&["files", "--home", text(&files_dir)?])?;
        let hub_dir = dir.join("hub");
        let (hub, says) = Running::start(&["hub", "--home", text(&hub_dir)?])?;
        let number = n.to_string();
        let crowd = ["--home", text(&homes)?, "--n", &number, "--hub", &says.link];
        let (crowd, _) = play(&[&["crowd"], crowd.as_slice()].concat())?;
        let south = file(&dir, "south")?;
        let join = ["join", "--home", &south, "--hub", &says.link];
        play(&[join.as_slice(), &["--follow", &crowd.id]].concat())?;
        let records = n * EACH_OF_A_CROWD;
        let (pulled, _) = play(&["pull", "--home", &south])?;
        check(&south, records)?;
        self.sheet
            .add(CROWD, Some(n), records as f64 / pulled.wall_s, None);
        // The first tells what came last; from then on there is nothing.
        play(&["pull", "--home", &south])?;
        for _ in 0..self.size.repeats() {
            let limit = request::one(&files_says.link)?;
            let (pulled, _) = play(&["pull", "--home", &south])?;
            self.sheet
                .add(CROWD_NEWS, Some(n), pulled.wall_s * 1_000.0, Some(limit));
            let bytes = pulled.bytes_sent + pulled.bytes_received;
            self.sheet.add(CROWD_NEWS_WIRE, Some(n), bytes as f64, None);
        }
        hub.end()?;
        files.end()?;
        folder::remove(&dir)
    }
}
