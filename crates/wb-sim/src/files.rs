//! Copies of databases, taken and put back while nobody has them open.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::error::{SimError, files};

/// A file that SQLite keeps beside a database.
fn beside(file: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", file.display()))
}

/// Copies a database as it is on the disk, whatever is in its log.
pub fn copy_database(from: &Path, to: &Path) -> Result<(), SimError> {
    remove_database(to);
    let connection = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    drop(connection);
    std::fs::copy(from, to).map_err(files(to))?;
    Ok(())
}

/// Removes a database with what is beside it, where it is there.
pub fn remove_database(file: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        // What is not there need not be removed.
        let _ = std::fs::remove_file(beside(file, suffix));
    }
}

/// Every byte of a database, with what is in its log.
pub fn bytes_of(file: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for suffix in ["", "-wal"] {
        bytes.extend(std::fs::read(beside(file, suffix)).unwrap_or_default());
    }
    bytes
}
