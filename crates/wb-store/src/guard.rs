//! The guard file: tells a crash from a restored copy (design: restore).
//!
//! It holds a counter of sealings and an incarnation, outside of the databases and never in a backup.
//! The order is commit, guard, send. A database ahead of its guard is a crash between the first two; a
//! database behind its guard, or one without a guard, is an older copy: what it would seal next could
//! contradict what was already sent, so it is *suspect* and seals nothing.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Result, StoreError};
use crate::home::write_private_file;

/// What the guard file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// Sealings committed before something was sent.
    pub counter: u64,
    /// Made at founding, and anew when a restore is settled.
    pub incarnation: String,
}

/// What guard and database say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// They agree.
    Sound,
    /// The database is ahead: a crash came between commit and guard.
    Crash,
    /// The database is an older copy, or a copy from elsewhere.
    Suspect,
}

impl Guard {
    /// Reads the file; `None` when there is none.
    ///
    /// # Errors
    /// What the operating system reports, or that the file is damaged.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        match std::fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|_| {
                StoreError::damaged(format!("{} is not a guard file", path.display()))
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io(path)(error)),
        }
    }

    /// Writes the file and waits for the disk.
    ///
    /// # Errors
    /// What the operating system reports.
    pub fn write(&self, path: &Path) -> Result<()> {
        let bytes = serde_json::to_vec(self).expect("a guard has string keys and serialises");
        write_private_file(path, &bytes)
    }

    /// Compares what the guard file says with what the database says.
    #[must_use]
    pub fn compare(file: Option<&Self>, database: &Self) -> Standing {
        match file {
            Some(file) if file.incarnation == database.incarnation => {
                match file.counter.cmp(&database.counter) {
                    std::cmp::Ordering::Less => Standing::Crash,
                    std::cmp::Ordering::Equal => Standing::Sound,
                    std::cmp::Ordering::Greater => Standing::Suspect,
                }
            }
            _ => Standing::Suspect,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(counter: u64, incarnation: &str) -> Guard {
        Guard {
            counter,
            incarnation: incarnation.to_owned(),
        }
    }

    #[test]
    fn a_crash_is_told_from_a_restored_copy() {
        let database = guard(5, "a");
        assert_eq!(
            Guard::compare(Some(&guard(5, "a")), &database),
            Standing::Sound
        );
        assert_eq!(
            Guard::compare(Some(&guard(4, "a")), &database),
            Standing::Crash
        );
        assert_eq!(
            Guard::compare(Some(&guard(6, "a")), &database),
            Standing::Suspect
        );
        assert_eq!(
            Guard::compare(Some(&guard(5, "b")), &database),
            Standing::Suspect
        );
        assert_eq!(Guard::compare(None, &database), Standing::Suspect);
    }
}
