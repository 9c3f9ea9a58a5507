//! Whether a program that syncs by itself runs in a folder, and how often it was told to.
//!
//! It holds a lock on a file for as long as it lives, so a process that was killed is not taken for one
//! that runs. What is in the file is only shown.

use std::fs::File;
use std::io::Write as _;
use std::time::Duration;

use wb_store::Home;

use crate::command::sync::{LOCK_PAUSE, LOCK_TRIES};

/// The file: seconds for those peers for which nothing else was chosen, 0 for none.
const FILE: &str = "auto.lock";

/// Held while the program runs.
#[derive(Debug)]
pub(super) struct Mark(#[expect(dead_code, reason = "the lock goes with it")] File);

/// Says that this process syncs by itself. Where nothing can be written, or another process says so
/// already, it syncs all the same.
pub(super) fn mark(home: &Home, every: Duration) -> Option<Mark> {
    let path = home.dir().join(FILE);
    let options = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path);
    let mut file = options.ok()?;
    hold(&file)?;
    file.set_len(0).ok()?;
    write!(file, "{}", every.as_secs()).ok()?;
    Some(Mark(file))
}

/// Takes the lock; somebody may only be looking.
fn hold(file: &File) -> Option<()> {
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Some(()),
            Err(std::fs::TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(std::fs::TryLockError::Error(_)) => return None,
        }
    }
    None
}

/// The time between two syncs with peers for which nothing else was chosen, where a program that syncs by
/// itself runs in this folder: zero says that those go by hand. None where no program runs.
#[must_use]
pub fn runs_every(home: &Home) -> Option<Duration> {
    let path = home.dir().join(FILE);
    let file = File::open(&path).ok()?;
    match file.try_lock_shared() {
        Ok(()) => None,
        Err(std::fs::TryLockError::WouldBlock) => {
            let text = std::fs::read_to_string(path).ok()?;
            Some(Duration::from_secs(text.trim().parse().unwrap_or(0)))
        }
        Err(std::fs::TryLockError::Error(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_only_looks_for_an_instant_keeps_nobody_from_being_seen_to_run() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::new(dir.path());
        let looks = File::create(dir.path().join(FILE)).unwrap();
        looks.lock_shared().unwrap();
        let looking = std::thread::spawn(move || {
            std::thread::sleep(2 * LOCK_PAUSE);
            drop(looks);
        });
        let mark = mark(&home, Duration::from_secs(60));
        assert!(mark.is_some());
        assert_eq!(runs_every(&home), Some(Duration::from_secs(60)));
        looking.join().unwrap();
    }
}
