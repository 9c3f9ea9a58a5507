//! What must hold after a kill, told by plain SQL: nothing lost, nothing doubled, chains without a gap.
//!
//! `wb doctor` looks first, as a person would. What is here shares no code with it.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::support::database::{count, number, open, texts};
use crate::support::instance::Instance;

/// What a member wrote: the ids of all local records, and the handles of all accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Ids of local records, in hex.
    pub records: BTreeSet<String>,
    /// Handles.
    pub accounts: BTreeSet<String>,
}

impl Written {
    /// What is in the files of a home now.
    pub fn of(home: &Path) -> Self {
        let (main, private) = (home.join("wb.db"), home.join("private.db"));
        Self {
            records: unique(&main, "SELECT hex(id) FROM local_records"),
            accounts: unique(&private, "SELECT handle FROM accounts"),
        }
    }
}

#[track_caller]
fn unique(path: &Path, sql: &str) -> BTreeSet<String> {
    let all = texts(path, sql);
    let set: BTreeSet<String> = all.iter().cloned().collect();
    assert_eq!(set.len(), all.len(), "doubled in {}: {sql}", path.display());
    set
}

/// The guard on the disk right after a kill, before anything was opened: it never runs ahead of what was
/// committed, and is behind by one sealing at most.
#[track_caller]
pub fn guard_fits(home: &Path) {
    let guard = std::fs::read(home.join("guard.json")).expect("a guard");
    let guard: Value = serde_json::from_slice(&guard).expect("a whole guard file");
    let file = guard["counter"].as_i64().expect("a counter");
    let sql = "SELECT CAST(CAST(value AS TEXT) AS INTEGER) FROM meta WHERE key = 'seal_counter'";
    let database = number(&home.join("wb.db"), sql);
    assert!(
        file == database || file + 1 == database,
        "the guard says {file}, the database {database}"
    );
}

/// The files of a node are sound: `wb doctor` says so, and so does SQL of our own.
#[track_caller]
pub fn is_sound(instance: &Instance) {
    instance.ok(&["doctor"]);
    nothing_is_left_behind(&instance.home);
    let files = ["wb.db", "private.db", "hub.db"];
    for file in files.map(|name| instance.file(name)) {
        if file.exists() {
            whole(&file);
        }
    }
    chains(&instance.file("wb.db"));
    if instance.file("hub.db").exists() {
        chains(&instance.file("hub.db"));
        arrivals(&instance.file("hub.db"));
    }
    own_feed(&instance.file("wb.db"));
}

/// A private copy of another database holds everything it holds: it goes with the next command.
#[track_caller]
fn nothing_is_left_behind(home: &Path) {
    for entry in std::fs::read_dir(home).expect("a home") {
        let entry = entry.expect("a file");
        let is_file = entry.file_type().expect("it is there").is_file();
        assert!(is_file, "left behind: {}", entry.path().display());
    }
}

#[track_caller]
fn whole(path: &Path) {
    assert_eq!(
        texts(path, "PRAGMA integrity_check"),
        ["ok"],
        "{}",
        path.display()
    );
    let broken = texts(path, "SELECT \"table\" FROM pragma_foreign_key_check");
    assert!(broken.is_empty(), "{}: {broken:?}", path.display());
}

/// Every log from its first header to the head: no gap, each the successor of the one before, and every
/// line of the hash that its entry names.
#[track_caller]
fn chains(path: &Path) {
    let database = open(path);
    let sql = "SELECT log_no, seq, hash, body_hash FROM headers ORDER BY log_no, seq";
    let mut statement = database.prepare(sql).expect("the SQL is right");
    let mut rows = statement.query([]).expect("the SQL runs");
    let mut last: Option<(i64, i64, Vec<u8>)> = None;
    while let Some(row) = rows.next().expect("the file is sound") {
        let (log, seq): (i64, i64) = (row.get(0).expect("a log"), row.get(1).expect("a seq"));
        let (hash, body): (Vec<u8>, Vec<u8>) =
            (row.get(2).expect("a hash"), row.get(3).expect("a hash"));
        let prev = match &last {
            Some((of, before, hash)) if *of == log => {
                assert_eq!(seq, before + 1, "a gap in {}", path.display());
                hash.clone()
            }
            _ => {
                assert_eq!(seq, 0, "no first header in {}", path.display());
                vec![0; 32]
            }
        };
        let expected = Sha256::digest([&[2_u8][..], &prev, &body].concat());
        assert_eq!(
            hash,
            expected.to_vec(),
            "header {seq} of {}",
            path.display()
        );
        last = Some((log, seq, hash));
    }
    lines(&database);
}

#[track_caller]
fn lines(database: &Connection) {
    let sql = "SELECT line_hash, line FROM feed_lines WHERE line IS NOT NULL";
    let mut statement = database.prepare(sql).expect("the SQL is right");
    let mut rows = statement.query([]).expect("the SQL runs");
    while let Some(row) = rows.next().expect("the file is sound") {
        let hash: Vec<u8> = row.get(0).expect("a hash");
        let line: Vec<u8> = row.get(1).expect("a line");
        let expected = Sha256::digest([&[0_u8][..], &line].concat());
        assert_eq!(hash, expected.to_vec(), "a line of another hash");
    }
}

/// What arrived at a hub is counted without a gap, each delta once.
#[track_caller]
fn arrivals(path: &Path) {
    let sql = "SELECT count(*) = coalesce(max(n), 0) FROM arrivals";
    assert_eq!(number(path, sql), 1, "a gap in what arrived");
    let sql = "SELECT count(*) - count(DISTINCT hex(hash)) FROM arrivals WHERE kind = 'delta'";
    assert_eq!(number(path, sql), 0, "a delta arrived twice");
}

/// What was sealed here, and what members wrote, agree: each record once, under the revision it counts.
#[track_caller]
fn own_feed(path: &Path) {
    let own = "feed_lines JOIN feeds USING (feed_no) JOIN instances USING (instance_no)
               WHERE standing = 'self'";
    let sql =
        format!("SELECT count(*) - count(DISTINCT hex(feed_lines.id) || rev || op) FROM {own}");
    assert_eq!(number(path, &sql), 0, "a revision was sealed twice");
    let sql = format!(
        "SELECT count(*) FROM local_records AS l WHERE l.rev IS NOT
           (SELECT coalesce(max(rev), 0) FROM {own} AND feed_lines.id = l.id)"
    );
    assert_eq!(
        number(path, &sql),
        0,
        "a record counts a revision that is not in the feed, or the other way"
    );
    let sql = format!(
        "SELECT count(*) FROM {own} AND feed_lines.live = 1
           AND feed_lines.id NOT IN (SELECT id FROM local_records)"
    );
    assert_eq!(number(path, &sql), 0, "a line of no record");
}

/// How many lines of its own an instance has live in its feed.
pub fn sealed(home: &Path) -> usize {
    let sql = "SELECT count(*) FROM feed_lines JOIN feeds USING (feed_no)
               JOIN instances USING (instance_no) WHERE standing = 'self' AND feed_lines.live = 1";
    count(&home.join("wb.db"), sql)
}
