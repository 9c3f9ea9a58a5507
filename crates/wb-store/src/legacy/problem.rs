//! What of a file cannot be read as it stands, and what was done about it.
//!
//! A problem quotes no text that somebody wrote: only odd words and numbers, shortened, and handles.
//! Of an invite it shows the first two characters and the row, because the token opens the door.

use std::fmt;

use serde::Serialize;
use wb_core::time::Timestamp;

/// One thing that cannot be read as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The table.
    pub table: &'static str,
    /// What names the row in its table; `None` for the table as a whole.
    pub row: Option<String>,
    /// What is odd.
    pub what: What,
    /// What was done about it.
    pub consequence: Consequence,
}

/// What is odd; `column` is always one of the table the problem is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum What {
    /// The file has no such table.
    #[error("the file has no such table")]
    MissingTable,
    /// The table has no such column.
    #[error("the table has no column {column}")]
    MissingColumn {
        /// The column.
        column: &'static str,
    },
    /// The row is not named by a number, or not by any text.
    #[error("{column} is `{found}`, which names no row")]
    BadId {
        /// The column.
        column: &'static str,
        /// Its value, shortened.
        found: String,
    },
    /// An earlier row has the same name.
    #[error("an earlier row has the same {column}")]
    DuplicateId {
        /// The column.
        column: &'static str,
    },
    /// Not a time, or nothing where a time must be.
    #[error("{column} is `{found}`, which is not a time")]
    BadTime {
        /// The column.
        column: &'static str,
        /// Its value, shortened.
        found: String,
    },
    /// Not a number that makes sense there.
    #[error("{column} is `{found}`, which is not a number that makes sense there")]
    BadNumber {
        /// The column.
        column: &'static str,
        /// Its value, shortened.
        found: String,
    },
    /// Neither yes nor no.
    #[error("{column} is `{found}`, neither yes nor no")]
    BadBoolean {
        /// The column.
        column: &'static str,
        /// Its value, shortened.
        found: String,
    },
    /// Not exactly `public` or `private`.
    #[error("the scope is `{found}`, neither `public` nor `private`")]
    UnknownScope {
        /// The word, shortened.
        found: String,
    },
    /// Not a status of the Python program.
    #[error("the status is `{found}`, which is unknown")]
    UnknownStatus {
        /// The word, shortened.
        found: String,
    },
    /// Bytes that are not UTF-8.
    #[error("{column} holds bytes that are not text")]
    NotUtf8 {
        /// The column.
        column: &'static str,
    },
    /// Control characters, or line breaks in a text of one line.
    #[error("{column} holds {count} control characters")]
    ControlCharacters {
        /// The column.
        column: &'static str,
        /// How many.
        count: usize,
    },
    /// Longer than a record allows.
    #[error("{column} has {chars} characters, a shared record at most {max}")]
    TooLong {
        /// The column.
        column: &'static str,
        /// Characters it has.
        chars: usize,
        /// Characters allowed.
        max: usize,
    },
    /// More lines than a record's list allows.
    #[error("{column} has {items} lines, a shared record at most {max}")]
    TooManyItems {
        /// The column.
        column: &'static str,
        /// Lines it has.
        items: usize,
        /// Lines allowed.
        max: usize,
    },
    /// No name to log in with.
    #[error("the user has no name")]
    NoHandle,
    /// A name to log in with that is longer than a handle may be.
    #[error("the user's name is too long for a handle")]
    LongHandle,
    /// Two names that differ at most in case.
    #[error("the name `{name}` belongs to user {holder} already")]
    DuplicateHandle {
        /// The name in lower case.
        name: String,
        /// Who has it.
        holder: i64,
    },
    /// It names a row that is not there.
    #[error("{column} names `{to}` of {to_table}, which is not there")]
    Dangling {
        /// The column, or the key of the attribute.
        column: &'static str,
        /// The other table.
        to_table: &'static str,
        /// The row it names, shortened.
        to: String,
    },
    /// Nothing says who wrote it.
    #[error("{column} is empty, so nothing says who wrote it")]
    NoAuthor {
        /// The column.
        column: &'static str,
    },
    /// A user invited by or vouching for themselves.
    #[error("{column} names the user itself")]
    SelfReference {
        /// The column, or the key of the attribute.
        column: &'static str,
    },
}

/// What was done about a problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "done", rename_all = "snake_case")]
pub enum Consequence {
    /// Nothing of the table moves.
    #[error("nothing of it moves")]
    NothingMoves,
    /// As if the column held nothing.
    #[error("read as empty in every row; a scope is private, a status pending")]
    UsedDefault,
    /// The row does not move.
    #[error("the row is left behind")]
    LeftBehind,
    /// The row moves and is private.
    #[error("kept, private")]
    KeptPrivate,
    /// The row moves and is pending, so it stays home.
    #[error("kept as pending, so it stays home")]
    KeptPending,
    /// The row moves without this member.
    #[error("kept without it")]
    KeptWithout,
    /// The row moves without an author.
    #[error("kept without an author")]
    KeptWithoutAuthor,
    /// The value moves as a private attribute only.
    #[error("kept as a private attribute only")]
    KeptAsAttribute,
    /// The row moves whole and is marked, so that it is not shared.
    #[error("kept in full, but it cannot be shared")]
    KeptUnshareable,
    /// Another time stands in.
    #[error("{time} is used instead")]
    UsedTime {
        /// The time.
        time: Timestamp,
    },
    /// Another number stands in.
    #[error("{number} is used instead")]
    UsedNumber {
        /// The number.
        number: u64,
    },
    /// The narrower answer stands in.
    #[error("read as {answer}")]
    UsedBoolean {
        /// The answer.
        answer: bool,
    },
    /// The bytes are replaced by U+FFFD.
    #[error("each is replaced by \u{fffd}")]
    Replaced,
    /// Control characters are removed; line breaks in a text of one line are spaces.
    #[error("they are removed, line breaks become spaces")]
    Removed,
    /// Another handle is offered.
    #[error("offered the handle `{handle}`")]
    Offered {
        /// The handle, unique in this file.
        handle: String,
    },
}

impl Problem {
    /// One of a table as a whole.
    pub(super) fn of_table(table: &'static str, what: What, consequence: Consequence) -> Self {
        Self {
            table,
            row: None,
            what,
            consequence,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.table)?;
        if let Some(row) = &self.row {
            write!(f, " {row}")?;
        }
        write!(f, ": {}; {}", self.what, self.consequence)
    }
}
