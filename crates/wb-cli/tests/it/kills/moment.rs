//! The moment a process is killed at, and whether a transaction was under way in it.
//!
//! Nothing is guessed: the process is stopped, Linux is asked in `/proc/locks` which locks it holds, and
//! then it is killed where it stands. SQLite's locks are bytes of files (its file format, "WAL-mode
//! file locks" and "locking").

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::chance::Chance;

/// The byte of a `-shm` file that whoever writes to the log holds.
const WAL_WRITE: u64 = 120;
/// The byte that whoever moves the log into the file holds.
const WAL_CHECKPOINT: u64 = 121;
/// The bytes of a database that is not in WAL mode: pending, and reserved by a writer.
const PENDING: u64 = 0x4000_0000;
const RESERVED: u64 = PENDING + 1;

/// How long to rest before looking at the locks again.
const REST: Duration = Duration::from_micros(60);
/// Where learning how long something takes begins, and the least it comes down to.
const FIRST_WAIT_US: u64 = 4_000;
const LEAST_WAIT_US: u64 = 50;
const FIRST_LIFE_US: u64 = 60_000;
/// Transactions let pass at most before one is hit.
const SKIPPED_MAX: usize = 4;

/// What a process was doing when it was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// It held the lock of a writer: a transaction was begun and not yet at its end.
    Transaction,
    /// It was moving the log into the file.
    Checkpoint,
    /// Neither.
    Between,
}

/// Learns how long an act and its transactions take, so that moments fall into them and not after.
#[derive(Debug)]
pub struct Aim {
    wait_us: u64,
    life_us: u64,
}

impl Aim {
    pub fn new() -> Self {
        Self {
            wait_us: FIRST_WAIT_US,
            life_us: FIRST_LIFE_US,
        }
    }

    /// Lets a process run until a moment of chance and stops it there. `None` when it, or what it is
    /// needed for, was over before. The caller kills it.
    pub fn stop(
        &mut self,
        pid: u32,
        chance: &mut Chance,
        mut is_over: impl FnMut() -> bool,
    ) -> Option<Hit> {
        // One of four at any time; the others once a lock is seen.
        if chance.below(4) == 0 {
            let life = Duration::from_micros(below(chance, self.life_us));
            rest(life, &mut is_over);
            let hit = stop(pid);
            let was_late = is_over() || hit.is_none();
            self.life_us = learn(self.life_us, !was_late);
            return hit.filter(|_| !was_late);
        }
        for _ in 0..=chance.below(SKIPPED_MAX) {
            until(&mut is_over, || !is_writing(pid));
            until(&mut is_over, || is_writing(pid));
        }
        rest(
            Duration::from_micros(below(chance, self.wait_us)),
            &mut is_over,
        );
        let hit = stop(pid);
        self.wait_us = learn(self.wait_us, hit == Some(Hit::Transaction));
        hit.filter(|_| !is_over())
    }
}

/// Longer while it works, shorter while it does not.
fn learn(us: u64, worked: bool) -> u64 {
    if worked {
        us * 5 / 4 + 1
    } else {
        (us * 3 / 4).max(LEAST_WAIT_US)
    }
}

fn below(chance: &mut Chance, limit: u64) -> u64 {
    chance.bits() % limit.max(1)
}

fn rest(time: Duration, is_over: &mut impl FnMut() -> bool) {
    let mut left = time;
    while !left.is_zero() && !is_over() {
        std::thread::sleep(REST.min(left));
        left = left.saturating_sub(REST);
    }
}

fn until(is_over: &mut impl FnMut() -> bool, mut holds: impl FnMut() -> bool) {
    while !holds() && !is_over() {
        std::thread::sleep(REST);
    }
}

/// Stops a process with all its threads and says what it holds. `None` when it has ended.
fn stop(pid: u32) -> Option<Hit> {
    let number = Pid::from_raw(i32::try_from(pid).expect("a process number"))?;
    // A process that has ended, and that nobody has asked for yet, can be signalled all the same.
    kill_process(number, Signal::STOP).ok()?;
    loop {
        let states = thread_states(pid);
        if states.is_empty() || states.contains(&'Z') {
            return None;
        }
        if states.iter().all(|state| *state == 'T') {
            break;
        }
        std::thread::sleep(REST);
    }
    let held = locks(pid);
    Some(if held.writes {
        Hit::Transaction
    } else if held.checkpoints {
        Hit::Checkpoint
    } else {
        Hit::Between
    })
}

/// Whether a process has ended; nobody need have asked for it.
pub fn has_ended(pid: u32) -> bool {
    let states = thread_states(pid);
    states.is_empty() || states.contains(&'Z')
}

/// One letter for each thread, as the system writes it.
fn thread_states(pid: u32) -> Vec<char> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let state = |task: fs::DirEntry| {
        let stat = fs::read_to_string(task.path().join("stat")).ok()?;
        // The name of the thread stands in brackets and may hold anything.
        stat.rsplit_once(") ")?.1.chars().next()
    };
    tasks.flatten().filter_map(state).collect()
}

fn is_writing(pid: u32) -> bool {
    locks(pid).writes
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Locks {
    writes: bool,
    checkpoints: bool,
}

fn locks(pid: u32) -> Locks {
    let text = fs::read_to_string("/proc/locks").expect("Linux lists its locks");
    read_locks(&text, pid)
}

fn read_locks(text: &str, pid: u32) -> Locks {
    let mut locks = Locks::default();
    for line in text.lines() {
        // 1: POSIX  ADVISORY  WRITE 8728 fe:00:11018420 120 120
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, "POSIX", _, "WRITE", holder, _, first, last] = words[..] else {
            continue;
        };
        if holder.parse() != Ok(pid) {
            continue;
        }
        let first: u64 = first.parse().expect("a byte");
        let last = last.parse().unwrap_or(u64::MAX);
        let covers = |byte| (first..=last).contains(&byte);
        locks.writes |= covers(WAL_WRITE) || covers(RESERVED);
        locks.checkpoints |= covers(WAL_CHECKPOINT);
    }
    locks
}

#[test]
fn locks_are_read_as_the_system_writes_them() {
    let text = "1: POSIX  ADVISORY  READ 7 fe:00:11 128 128\n\
                2: POSIX  ADVISORY  WRITE 7 fe:00:12 120 120\n\
                3: POSIX  ADVISORY  WRITE 8 fe:00:13 121 121\n\
                3: -> POSIX  ADVISORY  WRITE 9 fe:00:12 120 120\n\
                4: POSIX  ADVISORY  WRITE 10 fe:00:14 1073741824 1073742335\n\
                5: FLOCK  ADVISORY  WRITE 11 fe:00:15 0 EOF\n";
    let of = |pid| {
        let locks = read_locks(text, pid);
        (locks.writes, locks.checkpoints)
    };
    assert_eq!(of(7), (true, false));
    assert_eq!(of(8), (false, true));
    assert_eq!(of(9), (false, false), "it waits and holds nothing");
    assert_eq!(of(10), (true, false));
    assert_eq!(of(11), (false, false));
}
