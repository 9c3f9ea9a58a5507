//! What a process used, read from `/proc` while it waits: CPU time of all its threads, peak memory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::error::{BenchError, Result};

/// What Linux counts processes in, whatever it is built for.
const TICK_MS: u64 = 10;

/// What a process used.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Usage {
    /// Seconds of CPU, of all threads.
    pub cpu_s: f64,
    /// Most memory it ever had in RAM, in KiB.
    pub peak_kib: u64,
}

impl Usage {
    /// Reads what a process used so far.
    pub fn of(pid: u32) -> Result<Self> {
        Ok(Self {
            cpu_s: cpu(pid)?.as_secs_f64(),
            peak_kib: peak_kib(pid)?,
        })
    }

    /// What was used since; the peak is the one of now.
    pub fn since(self, before: Self) -> Self {
        Self {
            cpu_s: self.cpu_s - before.cpu_s,
            peak_kib: self.peak_kib,
        }
    }
}

/// Lets the peak of a process begin anew.
pub fn forget_peak(pid: u32) -> Result<()> {
    let path = of(pid, "clear_refs");
    std::fs::write(&path, "5").map_err(BenchError::file(&path))
}

fn of(pid: u32, what: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{what}"))
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(BenchError::file(path))
}

/// The scheduler counts nanoseconds for each thread, and those of threads that ended are lost; the whole process has
/// all of them, in hundredths of a second. The greater is nearer: work that is as short as a hundredth ends no thread.
fn cpu(pid: u32) -> Result<Duration> {
    Ok(of_threads(pid)?.max(of_process(pid)?))
}

/// Time of user and system from the line of a process, whose second field is its name in brackets.
fn of_process(pid: u32) -> Result<Duration> {
    let path = of(pid, "stat");
    let text = read(&path)?;
    let fields = text.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: Option<u64> = ticks.map(|n| n.parse::<u64>().ok()).sum();
    let ticks = ticks.ok_or_else(|| BenchError::Wrong(format!("{}: {text}", path.display())))?;
    Ok(Duration::from_millis(ticks * TICK_MS))
}

fn of_threads(pid: u32) -> Result<Duration> {
    let tasks = of(pid, "task");
    let mut sum = Duration::ZERO;
    for task in std::fs::read_dir(&tasks).map_err(BenchError::file(&tasks))? {
        let path = task
            .map_err(BenchError::file(&tasks))?
            .path()
            .join("schedstat");
        let text = read(&path)?;
        let nanos = text.split_whitespace().next().and_then(|n| n.parse().ok());
        let nanos =
            nanos.ok_or_else(|| BenchError::Wrong(format!("{}: {text}", path.display())))?;
        sum += Duration::from_nanos(nanos);
    }
    Ok(sum)
}

/// Seconds of CPU that the processes below one used, with those that ended and were waited for.
pub fn below(pid: u32) -> Result<f64> {
    let proc = Path::new("/proc");
    let entries = std::fs::read_dir(proc).map_err(BenchError::file(proc))?;
    // What ends while it is looked at is in the times of whoever waited for it.
    let stats = entries
        .flatten()
        .filter_map(|entry| Stat::read(&entry.path().join("stat")));
    let stats: Vec<Stat> = stats.collect();
    let mut among = vec![pid];
    let mut ticks = 0;
    while let Some(parent) = among.pop() {
        for child in stats.iter().filter(|stat| stat.parent == parent) {
            ticks += child.ticks;
            among.push(child.pid);
        }
    }
    Ok(Duration::from_millis(ticks * TICK_MS).as_secs_f64())
}

/// One process as Linux lists it.
struct Stat {
    pid: u32,
    parent: u32,
    /// Of itself, and of its children that it waited for.
    ticks: u64,
}

impl Stat {
    fn read(path: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(path).ok()?;
        // The second field is its name in brackets, in which there may be anything.
        let (start, rest) = (text.split_once(' ')?.0, text.rsplit_once(')')?.1);
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let times = fields.get(11..15)?.iter();
        Some(Self {
            pid: start.parse().ok()?,
            parent: fields.get(1)?.parse().ok()?,
            ticks: times.filter_map(|ticks| ticks.parse::<u64>().ok()).sum(),
        })
    }
}

fn peak_kib(pid: u32) -> Result<u64> {
    kib(pid, "VmHWM:")
}

/// Memory that a process has in RAM now, in KiB.
pub fn now_kib(pid: u32) -> Result<u64> {
    kib(pid, "VmRSS:")
}

fn kib(pid: u32, name: &str) -> Result<u64> {
    let path = of(pid, "status");
    let text = read(&path)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| BenchError::Wrong(format!("{} has no {name}", path.display())))
}
