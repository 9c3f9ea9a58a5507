//! What could not move over as it stands, and what was done about it.
//!
//! As in the reader, a problem quotes no text that somebody wrote, only handles; of an invite it shows
//! the first two characters, because the token opens the door.

use std::fmt;

use serde::Serialize;
use wb_store::legacy;

/// One thing to know about a row: found while reading the file, or while moving it over. Both have
/// the same form in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Problem {
    /// Found while reading the file.
    File(legacy::Problem),
    /// Found while moving it over.
    Import(Trouble),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(problem) => problem.fmt(f),
            Self::Import(trouble) => trouble.fmt(f),
        }
    }
}

/// One thing found while moving a row over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// The table.
    pub table: &'static str,
    /// What names the row in its table.
    pub row: String,
    /// What was found.
    pub what: Found,
    /// What was done about it.
    pub consequence: Done,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            table,
            row,
            what,
            consequence,
        } = self;
        write!(f, "{table} {row}: {what}; {consequence}")
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum Found {
    /// The handle belongs to an account of this instance.
    #[error("the handle `{handle}` belongs to a member of this instance already")]
    HandleTaken {
        /// The handle.
        handle: String,
    },
    /// The name cannot be typed as a handle.
    #[error("`{handle}` cannot be a handle: it has white space in it or starts with a dash")]
    HandleRefused {
        /// The name.
        handle: String,
    },
    /// An administrator whose name had to change.
    #[error("an administrator whose name had to change")]
    AdminRenamed,
    /// The row is public, and nothing says who wrote it.
    #[error("it is public, but nothing says who wrote it")]
    NoAuthor,
    /// The row is public, and longer than a shared record may be.
    #[error("it is public, but longer than a shared record may be")]
    TooLong,
    /// The row is public, and a text in it cannot stand in a shared record.
    #[error("it is public, but a text in it cannot be shared: {why}")]
    BadText {
        /// What is wrong with it.
        why: String,
    },
    /// An invite of this instance has the token already.
    #[error("an invite of this instance has the same token")]
    TokenTaken,
    /// An earlier import brought another row of the same number.
    #[error("an earlier import brought another row of the same number")]
    AnotherRow,
    /// The row was changed in the old program after it was imported.
    #[error("it was changed in the old program after it was imported")]
    ChangedSince,
    /// The comment was deleted in the old program after it was imported.
    #[error("it was deleted in the old program after it was imported")]
    DeletedSince,
    /// The row is private in the old program and shared here.
    #[error("it is private in the old program, but shared here")]
    PrivateThere,
}

/// What was done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "done", rename_all = "snake_case")]
pub enum Done {
    /// The member got another handle; the old name is kept as a private attribute.
    #[error("the member is `{handle}` here")]
    Renamed {
        /// The handle.
        handle: String,
    },
    /// The rights are kept.
    #[error("is an admin here as `{handle}`; change that if it is wrong")]
    KeptAdmin {
        /// The handle.
        handle: String,
    },
    /// The row moves and is private.
    #[error("kept, private")]
    KeptPrivate,
    /// The row does not move.
    #[error("the row is left behind")]
    LeftBehind,
    /// What is here stays as it is.
    #[error("not taken; what is here stays as it is")]
    NotTaken,
    /// The record is deleted here too.
    #[error("deleted here too")]
    Deleted,
    /// Nobody changed it here since, so the record is private here too.
    #[error("made private here too")]
    MadePrivate,
}
