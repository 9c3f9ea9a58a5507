//! Reads `app.db` of the Python WhiteBalloon into plain typed values.
//!
//! Promises that the folder of the source is never written to, that what cannot be read as it stands
//! is named one by one in [`Dump::problems`] with what was done about it, and that doubt never widens
//! anything: an unknown scope is private, an unknown status is pending, an invite with an unreadable
//! end is over. A row that does not move, for whatever reason, is counted in [`Dump::left_behind`].
//! Leaves it to the caller what becomes of the values, and to check them against the rules of records:
//! what is longer than a record allows is marked `too_long` and must stay private.
//!
//! Line ends (CRLF, CR and their relatives) become LF without a word, because browsers send CRLF.

mod attributes;
mod cells;
mod comments;
mod copy;
mod dump;
mod error;
mod handles;
mod invites;
mod known;
mod left;
mod open;
mod problem;
mod report;
mod requests;
mod source;
mod tables;
mod text;
mod times;
mod users;
mod vouches;

use std::path::Path;

pub use dump::{
    Dump, LegacyAttribute, LegacyComment, LegacyInvite, LegacyPersonalisation, LegacyRequest,
    LegacyStatus, LegacyUser, LegacyVouch,
};
pub use error::LegacyError;
pub use left::LeftBehind;
pub use problem::{Consequence, Problem, What};
pub use source::SourceId;
pub use times::fallback;

use known::Known;
use report::Report;
use tables::Tables;

/// Bytes of the database and of each file beside it; protects the disk that holds the copy.
pub const FILE_BYTES_MAX: u64 = 16 * 1_024 * 1_024 * 1_024;
/// Rows of one table; protects memory, far above what the Python program can serve.
pub const ROWS_MAX: u64 = 5_000_000;
/// Bytes of one value; protects memory against a single giant text.
pub const VALUE_BYTES_MAX: usize = 16 * 1_024 * 1_024;
/// Bytes of all texts that are read; protects memory.
pub const TEXT_BYTES_MAX: u64 = 2 * 1_024 * 1_024 * 1_024;
/// Problems in one file; beyond it the file is not what it says, and nobody would read the list.
pub const PROBLEMS_MAX: usize = 1_000_000;
/// Tables and views in one file; protects the list of what is left behind.
pub const TABLES_MAX: usize = 1_000;

/// Reads an `app.db`, through a private copy in the system's temporary folder.
///
/// # Errors
/// Why nothing of the file can be read, with what to do about it.
pub fn read(path: &Path) -> Result<Dump, LegacyError> {
    read_through(path, &std::env::temp_dir())
}

/// Reads an `app.db`, through a private copy in a folder made below `scratch` and removed afterwards.
///
/// The copy holds everything the file holds, so `scratch` belongs on a disk of the operator's own.
///
/// # Errors
/// Why nothing of the file can be read, with what to do about it.
pub fn read_through(path: &Path, scratch: &Path) -> Result<Dump, LegacyError> {
    let copy = copy::take(path, scratch)?;
    let db = open::open(copy.path())?;
    let tables = Tables::list(&db)?;
    let mut report = Report::default();

    let mut users = users::read(&db, &tables, &mut report)?;
    handles::offer(&mut users, &mut report);
    let known_users = Known::of(&users);
    let invites = invites::read(&db, &tables, &known_users, &mut report)?;
    attributes::read(&db, &tables, &mut users, &invites, &mut report)?;
    let requests = requests::read(&db, &tables, &known_users, &mut report)?;
    let comments = comments::read(&db, &tables, &known_users, &requests, &mut report)?;
    let vouches = vouches::read(&db, &tables, &known_users, &mut report)?;

    let source = SourceId::of(&users, &requests, &invites);
    let (problems, skipped) = report.finish()?;
    let left_behind = left::list(&db, &tables, skipped)?;
    Ok(Dump {
        source,
        users,
        requests,
        comments,
        invites,
        vouches,
        problems,
        left_behind,
    })
}
