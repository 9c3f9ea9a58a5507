//! Why nothing of a file can be read, and what its operator can do.

use std::io;
use std::path::PathBuf;

/// Why nothing of a file can be read.
#[derive(Debug, thiserror::Error)]
pub enum LegacyError {
    /// The system does not let us read a file.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A folder or a device.
    #[error("{0} is not a file; name the database itself, usually called app.db")]
    NotAFile(PathBuf),
    /// A file of no bytes.
    #[error("{0} is empty; the Python WhiteBalloon keeps its data in another file")]
    Empty(PathBuf),
    /// Something else, or encrypted.
    #[error("{0} is not an SQLite file, or it is encrypted; name a decrypted app.db")]
    NotSqlite(PathBuf),
    /// More than [`super::FILE_BYTES_MAX`].
    #[error("{path} has {bytes} bytes, at most {max} are read")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The limit.
        max: u64,
    },
    /// It changed while it was copied.
    #[error("{0} changes while it is read; stop the Python WhiteBalloon and try again")]
    Changing(PathBuf),
    /// The journal of a crash that speaks of other files, which nothing here may touch.
    #[error(
        "{0} belongs to an unfinished change over several databases; \
         let the Python WhiteBalloon start and stop once, then try again"
    )]
    LinkedJournal(PathBuf),
    /// The place for the copy is missing, full or not ours.
    #[error("cannot keep a private copy below {path}: {source}")]
    Scratch {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// SQLite finds the file damaged.
    #[error(
        "the database is damaged ({0}); \
         repair a copy with `sqlite3 app.db .recover | sqlite3 repaired.db` and read that"
    )]
    Damaged(String),
    /// It is no database of the Python program.
    #[error("not a database of the Python WhiteBalloon: it has no table `{0}`")]
    MissingTable(&'static str),
    /// A view or a virtual table in place of a table.
    #[error("`{0}` is not a plain table; this is no database of the Python WhiteBalloon")]
    NotATable(&'static str),
    /// A table without what tells its rows apart.
    #[error("the table `{table}` has no column `{column}`, without which it cannot be read")]
    MissingColumn {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// More than [`super::ROWS_MAX`].
    #[error("the table `{table}` has more than {max} rows")]
    TooManyRows {
        /// The table.
        table: &'static str,
        /// The limit.
        max: u64,
    },
    /// More than [`super::VALUE_BYTES_MAX`] in one value.
    #[error("row {row} of `{table}` holds a value of {bytes} bytes, at most {max} are read")]
    ValueTooLarge {
        /// The table.
        table: &'static str,
        /// The row.
        row: String,
        /// Its size.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// More than [`super::TEXT_BYTES_MAX`] in all.
    #[error("the file holds more than {0} bytes of text")]
    TooMuchText(u64),
    /// More than [`super::PROBLEMS_MAX`].
    #[error("more than {0} values cannot be read as they stand; is this the right file?")]
    TooManyProblems(usize),
    /// More than [`super::TABLES_MAX`].
    #[error("the file has more than {0} tables; is this the right file?")]
    TooManyTables(usize),
    /// SQLite says something else.
    #[error("SQLite: {0}")]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for LegacyError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => Self::Damaged(error.to_string()),
            _ => Self::Sqlite(error),
        }
    }
}
