//! Reading where nothing can be written: a read-only disk, a folder of somebody else, a full disk.
//!
//! SQLite writes even while it reads: beside a database in WAL mode it makes an index of the log. Where that
//! cannot be made, a file whose log is empty is read as it is, and one whose log is not, with an index in
//! memory. Nothing is changed either way (decision 0021).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use crate::error::{Result, StoreError};

/// Why a folder cannot be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unwritable {
    /// The disk is read-only, or the folder is not ours to write to.
    ReadOnly,
    /// There is no room.
    Full,
}

impl Unwritable {
    /// Why opening a file failed, where it failed because nothing can be written.
    pub(crate) fn of_opening(error: &StoreError) -> Option<Self> {
        if error.is_full() {
            return Some(Self::Full);
        }
        // The log or its index cannot be made: SQLite says no more than that it cannot open.
        let cannot_open = matches!(error, StoreError::Sqlite(rusqlite::Error::SqliteFailure(error, _))
            if error.code == ErrorCode::CannotOpen);
        (cannot_open || error.is_read_only()).then_some(Self::ReadOnly)
    }
}

/// Opens a file to read it, making nothing beside it.
pub(crate) fn open_to_read(path: &Path) -> Result<Connection> {
    // What has no log cannot be in the midst of a change of ours, and nobody can begin one here.
    let has_log = std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
    let how = if has_log {
        "mode=ro&readonly_shm=1"
    } else {
        "mode=ro&immutable=1"
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(format!("file:{}?{how}", encode(path)), flags)?;
    // The first look at it opens the log.
    let look = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
    look.map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly) if has_log => {
            StoreError::UnreadLog(path.to_owned())
        }
        _ => error.into(),
    })?;
    Ok(connection)
}

/// Whether making the index of the log failed for want of room.
pub(crate) fn is_index_without_room(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(error, _)
        if error.extended_code == ffi::SQLITE_IOERR_SHMSIZE)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A path as it stands in a URI.
fn encode(path: &Path) -> String {
    let mut encoded = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~:\\".contains(byte) {
            encoded.push(char::from(*byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a string grows");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stands_in_a_uri_whatever_is_in_it() {
        assert_eq!(
            encode(Path::new("/a b/c?d#e%/f.db")),
            "/a%20b/c%3Fd%23e%25/f.db"
        );
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("what? #1 100%.db");
        Connection::open(&path)
            .unwrap()
            .execute_batch("CREATE TABLE one (two)")
            .unwrap();
        let connection = open_to_read(&path).unwrap();
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM one", [], |row| row.get(0))
            .unwrap();
        assert_eq!(tables, 0);
    }
}
