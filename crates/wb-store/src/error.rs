//! What can go wrong with the files of a node, and whose fault it is.

use std::path::PathBuf;

use crate::unwritable::{Unwritable, is_index_without_room};

/// An error of the store. Nothing was changed when one is returned: every write is one transaction.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder holds no instance.
    #[error("no instance in {}", .0.display())]
    NoInstance(PathBuf),
    /// The folder holds an instance already.
    #[error("there is an instance in {} already", .0.display())]
    AlreadyFounded(PathBuf),
    /// A file was written by a newer program.
    #[error("{file} has format {found}, this program knows {known}")]
    Newer {
        /// Name of the file.
        file: &'static str,
        /// Its format.
        found: i64,
        /// The newest format known here.
        known: i64,
        /// The command that puts the copies from before in the place of the newer files.
        way_back: Option<String>,
    },
    /// A file could not be brought to the newest format.
    #[error("{file} could not be brought from format {found} to {known}: {problem}")]
    Upgrade {
        /// Name of the file.
        file: &'static str,
        /// The format it has, and keeps.
        found: i64,
        /// The newest format known here.
        known: i64,
        /// What went wrong.
        problem: String,
    },
    /// A file was written by an older program, and is not to be changed by looking at it.
    #[error("{file} has format {found}, older than the {known} of this program")]
    Older {
        /// Name of the file.
        file: &'static str,
        /// Its format.
        found: i64,
        /// The newest format known here.
        known: i64,
    },
    /// Nothing can be written.
    #[error("{} cannot be written to: {}", .0.display(), match .1 {
        Unwritable::ReadOnly => "the disk or the folder is read-only",
        Unwritable::Full => "there is no room on the disk",
    })]
    Unwritable(PathBuf, Unwritable),
    /// A file was not closed in good order, and its log cannot be read where nothing can be written.
    #[error("{} was not closed, and the index of its log is missing", .0.display())]
    UnreadLog(PathBuf),
    /// Something runs in a folder that is to be changed.
    #[error("a wb is running in {}", .0.display())]
    Runs(PathBuf),
    /// The hub of this file was moved elsewhere.
    #[error("the hub of this file was moved to {0}; nothing is written here")]
    Left(String),
    /// Somebody asked to stop.
    #[error("it was stopped")]
    Stopped,
    /// A file is not one of ours.
    #[error("{} is not a database of WhiteBalloon", .0.display())]
    Foreign(PathBuf),
    /// Something stored is not what was written.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// SQLite reports a problem.
    #[error("database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The operating system reports a problem.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it reports.
        source: std::io::Error,
    },
}

/// Result of the store.
pub type Result<T> = std::result::Result<T, StoreError>;

impl StoreError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }

    /// Whether what is stored is not what was written, and not the reading at fault.
    pub(crate) fn is_damage(&self) -> bool {
        match self {
            Self::Damaged(_) => true,
            Self::Sqlite(rusqlite::Error::SqliteFailure(error, _)) => matches!(
                error.code,
                rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase
            ),
            // A value is of another form than this program writes.
            Self::Sqlite(error) => matches!(
                error,
                rusqlite::Error::FromSqlConversionFailure(..)
                    | rusqlite::Error::IntegralValueOutOfRange(..)
                    | rusqlite::Error::InvalidColumnType(..)
                    | rusqlite::Error::Utf8Error(..)
            ),
            _ => false,
        }
    }

    /// Whether another process holds the file.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Sqlite(rusqlite::Error::SqliteFailure(error, _))
            if matches!(error.code, rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked))
    }

    /// Whether there is no room on the disk.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::Sqlite(error) => {
                error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
                    || is_index_without_room(error)
            }
            Self::Io { source, .. } => is_io_full(source),
            Self::Unwritable(_, why) => *why == Unwritable::Full,
            _ => false,
        }
    }

    /// Whether the disk or the folder is one that nothing can be written to.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        match self {
            Self::Sqlite(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::ReadOnly),
            Self::Io { source, .. } => is_io_read_only(source),
            Self::Unwritable(_, why) => *why == Unwritable::ReadOnly,
            _ => false,
        }
    }
}

/// Whether the operating system found no room.
#[must_use]
pub fn is_io_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}

/// Whether the operating system lets nobody write here, or not us.
#[must_use]
pub fn is_io_read_only(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    matches!(error.kind(), ReadOnlyFilesystem | PermissionDenied)
}
