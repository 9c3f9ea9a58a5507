//! T4: ten followers at once, beside one alone, from the same hub.

use super::Bench;
use super::figures::T4;
use super::rounds::{check, file};
use crate::child::Running;
use crate::child::play;
use crate::clock::Stopwatch;
use crate::error::Result;
use crate::folder::{self, text};

/// Followers at once.
const FOLLOWERS: usize = 10;

impl Bench {
    pub(super) fn ten(&mut self) -> Result<()> {
        let n = self.size.of_ten();
        let original = self.original(n)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..self.size.rounds_of_ten() {
            let dir = self.dir.join("ten");
            folder::make(&dir)?;
            let hub_dir = dir.join("hub");
            let (hub, says) = Running::start(&["hub", "--home", text(&hub_dir)?])?;
            let north = dir.join("north");
            folder::copy(&original.home, &north)?;
            play(&["join", "--home", text(&north)?, "--hub", &says.link])?;
            play(&["push", "--home", text(&north)?])?;
            let mut homes = Vec::new();
            for nth in 0..=FOLLOWERS {
                let home = file(&dir, &format!("south-{nth}"))?;
                let join = ["join", "--home", &home, "--hub", &says.link];
                play(&[join.as_slice(), &["--follow", &original.id]].concat())?;
                homes.push(home);
            }
            let (alone, together) = homes.split_at(1);
            let one = pull_at_once(n, alone)?;
            let ten = pull_at_once(n, together)?;
            self.sheet.add(T4, Some(n), ten, Some(one * cores as f64));
            for home in &homes {
                check(home, n)?;
            }
            hub.end()?;
            folder::remove(&dir)?;
        }
        folder::remove(&original.home)
    }
}

/// Records a second of all followers together, from the start of the first process to the end of the last pull.
fn pull_at_once(n: u64, homes: &[String]) -> Result<f64> {
    let watch = Stopwatch::start();
    let mut all = Vec::new();
    for home in homes {
        all.push(Running::begin(&["pull", "--home", home])?);
    }
    for one in &mut all {
        one.hear()?;
    }
    let took = watch.elapsed().as_secs_f64();
    for one in all {
        one.end()?;
    }
    Ok((n * homes.len() as u64) as f64 / took)
}
