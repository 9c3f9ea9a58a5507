//! A private folder for the time of one act. It goes with the value that holds it; what a killed process
//! leaves behind is swept by the next that opens the same home.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Locked in the folder while it is in use.
const IN_USE: &str = "in-use";

/// Folders that are made for one act, where others are swept away; more would be no accident.
const TRIES_MAX: u32 = 10;

/// How the folders of an act begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A copy of the database of another program.
    Legacy,
    /// Copies that go into a backup, or that an upgrade is tried on.
    Copy,
    /// What a backup is unpacked into.
    Restore,
}

impl Purpose {
    const ALL: [Self; 3] = [Self::Legacy, Self::Copy, Self::Restore];

    fn prefix(self) -> &'static str {
        match self {
            Self::Legacy => "wb-legacy-",
            Self::Copy => "wb-copy-",
            Self::Restore => "wb-restore-",
        }
    }
}

/// A folder that only its owner can read.
#[derive(Debug)]
pub(crate) struct Scratch {
    dir: TempDir,
    _in_use: File,
}

impl Scratch {
    /// Makes one below `parent`.
    pub fn new(parent: &Path, purpose: Purpose) -> io::Result<Self> {
        let mut tries = 1;
        loop {
            match Self::make(parent, purpose) {
                // It was swept by another process before it was seen to be in use.
                Err(error) if error.kind() == io::ErrorKind::NotFound && tries < TRIES_MAX => {
                    tries += 1;
                }
                made => return made,
            }
        }
    }

    fn make(parent: &Path, purpose: Purpose) -> io::Result<Self> {
        let dir = private_dir(parent, purpose)?;
        let path = dir.path().join(IN_USE);
        let in_use = File::create_new(&path)?;
        in_use.lock()?;
        // Whoever sweeps may have had the lock first; what is there from here on stays.
        fs::metadata(&path)?;
        Ok(Self {
            dir,
            _in_use: in_use,
        })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

fn private_dir(parent: &Path, purpose: Purpose) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(purpose.prefix());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o700));
    }
    builder.tempdir_in(parent)
}

/// Removes folders below `parent` that nobody uses: they hold what is private. What cannot be removed now
/// is tried again another time.
pub(crate) fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries
        .flatten()
        .filter(|entry| is_ours(&entry.file_name()))
    {
        let dir = entry.path();
        match File::open(dir.join(IN_USE)) {
            Ok(file) if file.try_lock().is_ok() => drop(fs::remove_dir_all(&dir)),
            Ok(_) => {}
            // Nothing was put into it yet: an empty folder goes, and any other stays.
            Err(_) => drop(fs::remove_dir(&dir)),
        }
    }
}

fn is_ours(name: &OsStr) -> bool {
    let starts = |purpose: &Purpose| {
        name.as_encoded_bytes()
            .starts_with(purpose.prefix().as_bytes())
    };
    Purpose::ALL.iter().any(starts)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn whoever_sweeps_meanwhile_takes_no_folder_that_is_being_made() {
        let parent = tempfile::tempdir().unwrap();
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    sweep(parent.path());
                }
            });
            for _ in 0..200 {
                let scratch = Scratch::new(parent.path(), Purpose::Copy);
                let there = scratch.map(|scratch| scratch.file(IN_USE).exists());
                assert!(there.is_ok_and(|there| there));
            }
            is_over.store(true, Ordering::Relaxed);
        });
    }
}
