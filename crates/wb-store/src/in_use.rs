//! Whether a node or hub runs in a folder: it holds a lock there that goes with the process.
//!
//! Any number may hold it together; whoever puts other files into the folder holds it alone.

use std::fs::{File, TryLockError};

use crate::error::{Result, StoreError};
use crate::home::Home;

const LOCK_FILE: &str = "in-use.lock";

/// The lock; it goes when this is dropped.
#[derive(Debug)]
pub struct InUse {
    _file: File,
}

impl InUse {
    /// Says that something runs here. None where nothing can be written: nobody else can then change the
    /// folder either.
    ///
    /// # Errors
    /// `Busy` while somebody puts other files here, or what the operating system reports.
    pub fn share(home: &Home) -> Result<Option<Self>> {
        let file = match open(home) {
            Err(error) if error.is_read_only() || error.is_full() => return Ok(None),
            file => file?,
        };
        taken(home, file.try_lock_shared())?;
        Ok(Some(Self { _file: file }))
    }

    /// Keeps others out, where nothing runs.
    ///
    /// # Errors
    /// `Runs` when something does, or what the operating system reports.
    pub fn alone(home: &Home) -> Result<Self> {
        let file = open(home)?;
        taken(home, file.try_lock())?;
        Ok(Self { _file: file })
    }
}

fn open(home: &Home) -> Result<File> {
    let path = home.dir().join(LOCK_FILE);
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    options.open(&path).map_err(StoreError::io(path))
}

fn taken(home: &Home, tried: std::result::Result<(), TryLockError>) -> Result<()> {
    tried.map_err(|error| match error {
        TryLockError::WouldBlock => StoreError::Runs(home.dir().to_owned()),
        TryLockError::Error(source) => StoreError::io(home.dir())(source),
    })
}
