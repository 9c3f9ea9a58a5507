//! What one wait for the disk costs: a page written at the end of a file, and synced.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use crate::clock::timed;
use crate::error::{BenchError, Result};

/// Bytes of a page of SQLite.
const PAGE: [u8; 4_096] = [7; 4_096];

/// A file that grows by a page each time.
#[derive(Debug)]
pub struct Disk(File);

impl Disk {
    /// Opens a file in a folder, on the disk that is measured.
    pub fn open(dir: &Path) -> Result<Self> {
        let path = dir.join("fsync");
        let file = OpenOptions::new().create(true).append(true).open(&path);
        Ok(Self(file.map_err(BenchError::file(&path))?))
    }

    /// One page more, on the disk.
    pub fn sync(&mut self) -> Result<Duration> {
        let (synced, took) = timed(|| {
            self.0.write_all(&PAGE)?;
            self.0.sync_data()
        });
        synced.map_err(BenchError::io("syncing a file"))?;
        Ok(took)
    }
}
