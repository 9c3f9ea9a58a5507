//! What does not move, with its rows counted and the reason in a sentence.

use rusqlite::Connection;
use serde::Serialize;

use super::LegacyError;
use super::tables::{Form, Tables};

/// Something that does not move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftBehind {
    /// The table.
    pub table: String,
    /// Its rows that stay; `None` where they cannot be counted.
    pub rows: Option<u64>,
    /// Why, in words.
    pub why: &'static str,
}

/// Tables that move.
const MOVED: [&str; 7] = [
    "users",
    "help_requests",
    "request_comments",
    "invite_tokens",
    "invite_personalizations",
    "vouches",
    "user_attributes",
];

/// Tables that are known and stay.
const STAY: [(&str, &str); 12] = [
    (
        "alembic_version",
        "it numbers the tables of the old program",
    ),
    ("auth_approvals", LOGINS),
    ("auth_requests", LOGINS),
    (
        "comment_attributes",
        "notes beside comments have no place here yet",
    ),
    (
        "comment_promotions",
        "both the comment and the request move, but not what joined them",
    ),
    (
        "invite_map_cache",
        "it is computed anew from who invited whom",
    ),
    ("recurring_request_runs", RECURRING),
    ("recurring_request_templates", RECURRING),
    (
        "request_attributes",
        "pins and notes beside requests have no place here yet",
    ),
    (
        "rss_feed_tokens",
        "private links are made anew, and old ones stop working",
    ),
    ("sessions", LOGINS),
    (
        "user_profile_highlights",
        "summaries written by a program about people are not moved",
    ),
];

const LOGINS: &str = "logins start anew, everybody logs in once";
const RECURRING: &str = "recurring requests are set up anew";
const MESSAGES: &str = "direct messages stay between the two who wrote them, in the old program";
const UNKNOWN: &str = "this version does not know the table";
const VIRTUAL: &str =
    "this version does not know the table, and it is kept by code that is not run";
const DAMAGED: &str = "this version does not know the table, and it is damaged";

impl LeftBehind {
    /// Rows of a table that stay for one reason.
    pub(super) fn new(table: &str, rows: Option<u64>, why: &'static str) -> Self {
        Self {
            table: table.to_owned(),
            rows,
            why,
        }
    }
}

/// Lists what stays: tables by name, known ones only if they hold rows, then single rows.
pub(super) fn list(
    db: &Connection,
    tables: &Tables,
    skipped: Vec<LeftBehind>,
) -> Result<Vec<LeftBehind>, LegacyError> {
    let mut list = Vec::new();
    for (table, form) in tables.iter() {
        let is = |name: &str| name.eq_ignore_ascii_case(table);
        // A view holds nothing of its own.
        if form == Form::View || MOVED.iter().any(|name| is(name)) {
            continue;
        }
        let known = STAY.iter().find(|(name, _)| is(name)).map(|(_, why)| *why);
        let messages = table
            .to_ascii_lowercase()
            .contains("message")
            .then_some(MESSAGES);
        let why = known.or(messages);
        if form == Form::Virtual {
            list.push(LeftBehind::new(table, None, VIRTUAL));
            continue;
        }
        match count(db, table) {
            Ok(0) if why.is_some() => {}
            Ok(rows) => list.push(LeftBehind::new(table, Some(rows), why.unwrap_or(UNKNOWN))),
            Err(LegacyError::Damaged(_)) => {
                list.push(LeftBehind::new(table, None, why.unwrap_or(DAMAGED)));
            }
            Err(error) => return Err(error),
        }
    }
    list.extend(skipped);
    Ok(list)
}

fn count(db: &Connection, table: &str) -> Result<u64, LegacyError> {
    let table = table.replace('"', "\"\"");
    let sql = format!("SELECT count(*) FROM \"{table}\" NOT INDEXED");
    let rows: i64 = db.query_row(&sql, [], |row| row.get(0))?;
    Ok(rows.unsigned_abs())
}
