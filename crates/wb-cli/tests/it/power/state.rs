//! What the files of a node or hub hold, as far as it was said to be done.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use rusqlite::{Connection, OpenFlags};

use crate::support::database::number;

/// What was written and what was sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Local records, and how often each was changed.
    written: BTreeMap<String, i64>,
    /// The hashes of all headers of the own feed's log, in order.
    sealed: Vec<String>,
}

impl State {
    /// What a main file holds, or a hub's.
    pub fn of(path: &Path) -> Self {
        let database = untouched(path);
        let is_node = path.ends_with("wb.db");
        let written = if is_node {
            written(&database)
        } else {
            BTreeMap::new()
        };
        // A hub's file has nobody who is itself: there one member publishes.
        let own = if is_node { "standing = 'self'" } else { "1" };
        let sql = format!(
            "SELECT hex(headers.hash) FROM headers JOIN logs USING (log_no)
             JOIN instances USING (instance_no) WHERE {own} ORDER BY seq"
        );
        let mut statement = database.prepare(&sql).expect("the SQL is right");
        let rows = statement.query_map([], |row| row.get(0));
        let sealed = rows.expect("the SQL runs").map(|row| row.expect("a hash"));
        Self {
            written,
            sealed: sealed.collect(),
        }
    }

    /// Nothing of an earlier state is lost.
    #[track_caller]
    pub fn holds(&self, earlier: &Self) {
        for (id, edit) in &earlier.written {
            let now = self.written.get(id);
            assert!(now >= Some(edit), "record {id}: change {edit}, now {now:?}");
        }
        self.holds_sealed(earlier);
    }

    /// What was sealed earlier is the beginning of what is sealed now.
    #[track_caller]
    pub fn holds_sealed(&self, earlier: &Self) {
        assert!(
            self.sealed.starts_with(&earlier.sealed),
            "{} headers are not the first of {}",
            earlier.sealed.len(),
            self.sealed.len()
        );
    }
}

/// Opens a file and makes none beside it: what makes them is being recorded, and this is not.
fn untouched(path: &Path) -> Connection {
    let is_open = path.with_extension("db-wal").exists();
    let immutable = if is_open { "" } else { "&immutable=1" };
    let uri = format!("file:{}?mode=ro{immutable}", path.display());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(uri, flags).expect("a sound file")
}

fn written(database: &Connection) -> BTreeMap<String, i64> {
    let mut statement = database
        .prepare("SELECT hex(id), edit FROM local_records")
        .expect("the SQL is right");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let rows = rows.expect("the SQL runs");
    rows.map(|row| row.expect("a row")).collect()
}

/// Guard and database as they are found: the guard is never ahead, which would be told as a restored copy,
/// and it is not behind either once something was sent.
#[track_caller]
pub fn guard_is_a_crash_at_most(home: &Path, was_sent: bool) {
    let guard = std::fs::read(home.join("guard.json")).expect("a guard");
    let guard: Value = serde_json::from_slice(&guard).expect("a whole guard file");
    let file = guard["counter"].as_i64().expect("a counter");
    let sql = "SELECT CAST(CAST(value AS TEXT) AS INTEGER) FROM meta WHERE key = 'seal_counter'";
    let database = number(&home.join("wb.db"), sql);
    assert!(
        file <= database,
        "the guard says {file}, the database {database}"
    );
    if was_sent {
        assert_eq!(file, database, "sent before the guard was on the disk");
    }
}
