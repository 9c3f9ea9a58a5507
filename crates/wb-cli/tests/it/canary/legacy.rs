//! What of a database of the Python program may leave, told from its rows alone.
//!
//! The rules are written down here a second time, as plain SQL and from the promise that they keep to
//! the people in that database, so that a mistake in the program's own rules is seen.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::Connection;

use super::needles::Needle;
use crate::support::database;

/// A request may leave when its author shared it, and it is no draft and not pending. Where nothing
/// says who the author is, nobody agreed to anything.
const REQUEST_LEAVES: &str = "sync_scope = 'public' AND status IN ('open', 'completed')
     AND created_by_user_id IN (SELECT id FROM users)";

/// An invite is an offer to others only while it admits somebody.
const INVITE_LEAVES: &str = "sync_scope = 'public' AND NOT disabled AND use_count < max_uses
     AND (expires_at IS NULL OR expires_at > datetime('now'))
     AND created_by_user_id IN (SELECT id FROM users)";

/// Columns that stay home in every row.
const NEVER: [(&str, &str); 16] = [
    ("users", "contact_email"),
    ("help_requests", "contact_email"),
    ("invite_tokens", "token"),
    ("invite_tokens", "suggested_bio"),
    ("vouches", "signature"),
    (
        "user_attributes",
        "CASE WHEN value GLOB '*[^0-9]*' THEN value END",
    ),
    ("request_attributes", "value"),
    ("comment_attributes", "value"),
    ("sessions", "id"),
    ("auth_requests", "id"),
    ("auth_requests", "verification_code"),
    ("auth_requests", "device_info"),
    ("auth_requests", "ip_address"),
    ("auth_approvals", "id"),
    ("rss_feed_tokens", "token"),
    ("user_profile_highlights", "bio_text"),
];

/// What must not and what must be found in everything that left.
#[derive(Debug, Default)]
pub struct Expected {
    /// What stays home.
    pub stays: BTreeSet<Needle>,
    /// What leaves.
    pub leaves: BTreeSet<Needle>,
}

impl Expected {
    /// Reads a database.
    pub fn of(path: &Path) -> Self {
        let database = database::open(path);
        let mut expected = Self::default();
        for (table, column) in NEVER {
            expected.sort(&database, table, column, "0");
        }
        expected.sort(&database, "users", "username", "sync_scope = 'public'");
        for column in ["title", "description"] {
            expected.sort(&database, "help_requests", column, REQUEST_LEAVES);
        }
        let parent = format!(
            "(SELECT {REQUEST_LEAVES} FROM help_requests WHERE help_requests.id = help_request_id)"
        );
        let comment = format!(
            "sync_scope = 'public' AND deleted_at IS NULL AND user_id IN (SELECT id FROM users)
             AND {parent}"
        );
        expected.sort(&database, "request_comments", "body", &comment);
        let name = "suggested_username";
        expected.sort(&database, "invite_tokens", name, INVITE_LEAVES);
        let invite = format!(
            "(SELECT {INVITE_LEAVES} FROM invite_tokens WHERE invite_tokens.token = personal.token)"
        );
        let personal = "invite_personalizations AS personal";
        for column in ["gratitude_note", "support_message", "fun_details"] {
            expected.sort(&database, personal, column, &invite);
        }
        // A list, one example a line.
        let examples = texts(&database, personal, "help_examples", &invite);
        for (leaves, text) in examples {
            for line in text.lines().filter(|line| !line.is_empty()) {
                expected.add("help_examples", leaves, line);
            }
        }
        // A photo that is kept on the node is no address that others could open.
        let photo = format!("{invite} AND photo_url LIKE 'http%'");
        expected.sort(&database, personal, "photo_url", &photo);
        expected.forget_what_both_say();
        expected
    }

    fn sort(&mut self, database: &Connection, table: &str, column: &str, leaves: &str) {
        for (leaves, text) in texts(database, table, column, leaves) {
            self.add(&format!("{table}.{column}"), leaves, &text);
        }
    }

    fn add(&mut self, place: &str, leaves: bool, text: &str) {
        let needle = Needle::text(format!("{place} {text:?}"), text);
        let set = if leaves {
            &mut self.leaves
        } else {
            &mut self.stays
        };
        set.insert(needle);
    }

    /// The same words may stand in a private and in a public row; then they say nothing.
    fn forget_what_both_say(&mut self) {
        let leaves = &self.leaves;
        self.stays.retain(|stays| {
            let within = |leaving: &Needle| contains(&leaving.bytes, &stays.bytes);
            !leaves.iter().any(within)
        });
    }
}

/// Whether `part` stands in `whole`.
pub fn contains(whole: &[u8], part: &[u8]) -> bool {
    whole.windows(part.len()).any(|window| window == part)
}

/// Every text that stands anywhere in a database and holds a mark, with the words of it that do.
pub fn marked(path: &Path, mark: &str) -> BTreeSet<Needle> {
    let mut needles = BTreeSet::from([
        Needle::text("the mark", mark),
        Needle::text("the mark, lower case", &mark.to_lowercase()),
    ]);
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table'";
    for table in database::texts(path, tables) {
        let sql = format!("SELECT name FROM pragma_table_info('{table}')");
        for column in database::texts(path, &sql) {
            let sql = format!(
                "SELECT \"{column}\" FROM \"{table}\"
                 WHERE instr(lower(\"{column}\"), lower('{mark}'))"
            );
            for text in database::texts(path, &sql) {
                let is_marked = |word: &&str| word.to_lowercase().contains(&mark.to_lowercase());
                let words = text.split_whitespace().filter(is_marked);
                for found in words.chain([text.as_str()]) {
                    let label = format!("{table}.{column} {found:?}");
                    needles.insert(Needle::text(label, found));
                }
            }
        }
    }
    needles
}

/// The texts of a column, each with whether it leaves.
fn texts(database: &Connection, table: &str, column: &str, leaves: &str) -> Vec<(bool, String)> {
    let sql = format!(
        "SELECT coalesce({leaves}, 0), CAST({column} AS TEXT) FROM {table}
         WHERE {column} IS NOT NULL AND length({column}) >= 4"
    );
    let mut statement = database
        .prepare(&sql)
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("the SQL runs");
    rows.map(|row| row.expect("a number and a text")).collect()
}
