//! What lies in the tables, read by SQL that the program has no part in.
//!
//! A file in which every table has rows, and every column a value, goes into a database and back; then both files are
//! written out and compared. A table or column that is new, and that nobody carries, turns this red: its names come from
//! the databases themselves.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use tokio::runtime::Runtime;
use wb_core::hash::live_element;
use wb_core::id::{Hash, LogId, RecordId};
use wb_core::live::LiveHash;
use wb_hub_pg::moving as pg;
use wb_store::relay::Relay;
use wb_store::relay::contents::{NOT_CARRIED, Table};

use super::{held, into_database, into_file};
use crate::server::{database, server};

/// Columns that have no value in the file of these tests, and where they are held instead.
const ELSEWHERE: [(&str, &str); 3] = [
    ("identity_entries.n", "histories with other keys (agree)"),
    ("feeds.valid_until", "no hub has one"),
    ("feed_lines.run_no", "no hub has one"),
];

/// Each table as it is written out: numbers that only lead from one row to another are followed, and rows that have an
/// order of their own stand in it. What is left out says why.
const DUMPS: &[(&str, &str)] = &[
    ("instances", "SELECT instance_no, id, standing, name, first_seen FROM instances ORDER BY id"),
    ("members", "SELECT * FROM members ORDER BY id"),
    ("identity_entries", "SELECT * FROM identity_entries ORDER BY instance_no, hash"),
    (
        "feeds",
        "SELECT f.instance_no, f.scope, g.log, g.replaced, f.seq, f.hash, f.era, f.key, f.live, f.live_n, f.forked, f.valid_until
         FROM feeds f LEFT JOIN logs g ON g.log_no = f.log_no ORDER BY f.instance_no",
    ),
    (
        "logs",
        "SELECT instance_no, scope, log, generation, first, replaced FROM logs ORDER BY instance_no, log_no",
    ),
    (
        "headers",
        "SELECT g.log, g.replaced, h.seq, h.hash, h.body_hash, h.line FROM headers h JOIN logs g USING (log_no)
         ORDER BY g.instance_no, g.log_no, h.seq",
    ),
    (
        "asides",
        "SELECT g.log, g.replaced, a.hash, a.line FROM asides a JOIN logs g USING (log_no) ORDER BY g.instance_no, a.aside_no",
    ),
    // Of `ended` only that it did: those who were in the midst of a snapshot begin it again.
    (
        "feed_lines",
        "SELECT f.instance_no, g.log, g.replaced, x.seq, a.hash, x.idx, x.op, x.id, x.rev, x.kind, x.line_hash, x.drops, x.reason,
           x.line, x.live, x.void, x.run_no, x.ended IS NULL
         FROM feed_lines x JOIN feeds f USING (feed_no) JOIN logs g ON g.log_no = x.log_no
         LEFT JOIN asides a ON a.aside_no = x.aside_no ORDER BY f.instance_no, x.line_no",
    ),
    (
        "withheld_lines",
        "SELECT x.id, x.rev, w.line FROM withheld_lines w JOIN feed_lines x USING (line_no) ORDER BY x.id, x.rev",
    ),
    (
        "held",
        "SELECT origin, scope, outcome, rule, hash, log, seq, header, items, at, digest FROM held ORDER BY origin, held_no",
    ),
    (
        "held_lines",
        "SELECT h.digest, x.id, x.rev FROM held_lines x JOIN held h USING (held_no) ORDER BY h.digest, x.id, x.rev",
    ),
    (
        "arrivals",
        "SELECT a.n, a.kind, a.instance_no, a.scope, g.log, g.replaced, a.seq, a.hash, a.running, a.at
         FROM arrivals a LEFT JOIN logs g ON g.log_no = a.log_no ORDER BY a.n",
    ),
    ("withheld", "SELECT * FROM withheld ORDER BY id, instance_no"),
    ("replies", "SELECT * FROM replies ORDER BY notice"),
    ("receipts", "SELECT * FROM receipts ORDER BY origin, scope, follower"),
    ("envelopes", "SELECT * FROM envelopes ORDER BY envelope_no"),
    ("envelopes_for", "SELECT * FROM envelopes_for ORDER BY recipient, envelope_no"),
    ("mail", "SELECT * FROM mail ORDER BY mail_no"),
    ("turns", "SELECT * FROM turns ORDER BY instance, turn"),
    (
        "listings",
        "SELECT l.instance_no, l.id, x.id, x.rev, x.live, l.kind, l.parent_origin, l.parent_id, l.placed_at, l.line_at,
           l.changed_at, l.status, l.contested, l.open, l.words
         FROM listings l LEFT JOIN feed_lines x USING (line_no) ORDER BY l.instance_no, l.id",
    ),
    // What was forgotten before which line is set anew.
    (
        "meta",
        "SELECT key, CAST(value AS TEXT) FROM meta WHERE key NOT IN ('ended_before') ORDER BY key",
    ),
    ("sqlite_sequence", "SELECT name, seq FROM sqlite_sequence ORDER BY name"),
    // Counts while the file is open.
    ("served_changes", "SELECT 0"),
];

/// 32 bytes, or as many as are wanted, that are a number's own.
fn bytes(n: u8, len: usize) -> String {
    format!("x'{}'", format!("{n:02x}").repeat(len))
}

/// An id of a record that is a number's own: a UUID of version 7.
fn record_id(n: u8) -> [u8; 16] {
    let mut id = [n; 16];
    (id[6], id[8]) = (0x70 | (n & 15), 0x80 | (n & 15));
    id
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file in which every table has rows.
pub fn full_file(path: &Path) {
    drop(Relay::open(path, LogId([9; 16])).expect("a new file"));
    let database = Connection::open(path).expect("the file");
    let live = live_lines();
    let id = |n| bytes(n, 32);
    let record = |n| format!("x'{}'", hex(&record_id(n)));
    let log = |n| bytes(n, 16);
    let sql = format!(
        "INSERT INTO instances (instance_no, id, standing, first_seen) VALUES (3, {a}, 'approved', 1000), (8, {b}, 'approved', 2000);
         INSERT INTO members VALUES (3, {a}, 'Ash', '{{\"a\":1}}', 1, 7, 'suspended', 'a reason', 5000, 1000, {h1}, 4, 1, {a}, {b}, 2,
           3000, 1, 1, 1, 2, 1, {h2}),
           (8, {b}, 'Birch', '{{}}', 0, 1, 'waiting', NULL, NULL, 2000, NULL, 0, 0, x'', x'', 0, NULL, 0, 0, NULL, 0, 0, NULL);
         INSERT INTO identity_entries VALUES (3, {h1}, 0, x'6101', 0), (3, {h2}, 0, x'6102', 2), (8, {h3}, 0, x'6201', 0);
         INSERT INTO feeds (feed_no, instance_no, scope, log_no, seq, hash, era, key, live, live_n, forked)
           VALUES (21, 8, 'public', 55, 1, {h1}, 1, 2, x'{live}', 2, 1), (22, 3, 'public', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0);
         INSERT INTO logs (log_no, instance_no, scope, log, generation, first, replaced)
           VALUES (51, 8, 'public', {l1}, 1, x'f1', 1), (53, 3, 'public', {l3}, 1, NULL, 0), (55, 8, 'public', {l1}, 2, x'f2', 0);
         INSERT INTO headers VALUES (55, 0, {h1}, {h2}, x'0a'), (55, 1, {h2}, {h3}, NULL), (51, 0, {h3}, {h1}, x'0b'),
           (53, 4, {h4}, {h1}, x'0c');
         INSERT INTO asides VALUES (11, 55, {h1}, x'1a'), (13, 51, {h2}, x'1b'), (12, 53, {h3}, x'1c');
         INSERT INTO feed_lines VALUES (101, 21, 55, 0, NULL, 0, 'put', {r1}, 1, 'request', {h1}, NULL, NULL, x'31', 1, 0, NULL, NULL),
           (102, 22, 53, 4, 12, NULL, 'retract', {r9}, 6, 'comment', NULL, {h4}, 'spam', NULL, 0, 1, NULL, NULL),
           (104, 21, 55, 1, NULL, 1, 'put', {r2}, 2, 'request', {h2}, {h3}, NULL, NULL, 1, 0, NULL, NULL),
           (105, 21, 51, 1, 13, 3, 'put', {r3}, 1, 'comment', {h3}, NULL, NULL, NULL, 0, 1, NULL, 110);
         INSERT INTO withheld_lines VALUES (104, x'32');
         INSERT INTO withheld VALUES ({r2}, 8, {h2}), ({r7}, 3, NULL);
         INSERT INTO held VALUES (31, {b}, 'public', 'early', 'gap', {h1}, {l1}, 5, x'41', x'4141', 4000, {d1}),
           (32, {a}, 'public', 'refused', NULL, {h2}, {l3}, 6, x'42', x'4242', 4100, {d2}),
           (33, {b}, 'public', 'held', 'fork', {h3}, {l1}, 7, x'43', x'4343', 4200, {d3});
         INSERT INTO held_lines VALUES ({r1}, 9, 33), ({r2}, 8, 31);
         INSERT INTO arrivals VALUES (5, 'identity', 8, NULL, NULL, NULL, {h1}, {d1}, 100), (6, 'delta', 8, 'public', 55, 0, {h1}, {d2}, 200),
           (7, 'again', 3, 'public', 53, 4, {h4}, {d3}, 300);
         INSERT INTO listings VALUES (71, 8, {r1}, 101, 'request', {a}, {r9}, 10, 20, 30, 'open', 1, 1, 'a ladder'),
           (72, 8, {r2}, 104, 'comment', NULL, NULL, 11, 21, 31, NULL, 0, 0, NULL);
         INSERT INTO receipts VALUES ({a}, 'public', {b}, 1, 2, 3, x'51', 9), ({b}, 'trusted', {a}, 1, 1, 4, x'52', 2);
         INSERT INTO envelopes VALUES (4, {a}, {h1}, x'61', x'6161', 9000), (6, {b}, {h2}, x'62', x'6262', 9100);
         INSERT INTO envelopes VALUES (19, {a}, {h3}, x'', x'', 1); DELETE FROM envelopes WHERE envelope_no = 19;
         INSERT INTO envelopes_for VALUES ({b}, 4, {a}), ({a}, 6, {b});
         INSERT INTO mail VALUES (5, {a}, {b}, {h1}, x'71', x'7171', 9200);
         INSERT INTO mail VALUES (23, {a}, {b}, {h3}, x'', x'', 1); DELETE FROM mail WHERE mail_no = 23;
         INSERT INTO turns VALUES ({a}, {r1}, 3, 'a machine', 77, 'latest', {r2}, 1), ({a}, {r2}, 2, 'another', 76, 'beside', x'', 0);
         INSERT INTO replies VALUES ({r1}, {a}, x'81', 88);
         INSERT OR REPLACE INTO meta VALUES ('floor_n', '4'), ('floor_running', '{floor}'), ('waiting_let_go', '12');",
        a = id(0xa1), b = id(0xb2), h1 = id(1), h2 = id(2), h3 = id(3), h4 = id(4), d1 = id(0xd1), d2 = id(0xd2), d3 = id(0xd3),
        l1 = log(0xe1), l3 = log(0xe3), r1 = record(0x11), r2 = record(0x12), r3 = record(0x13), r7 = record(0x17), r9 = record(0x19),
        floor = Hash([5; 32]),
    );
    database.execute_batch(&sql).expect("the rows fit");
}

/// The digest of the two lines that are live there.
fn live_lines() -> String {
    let mut live = LiveHash::default();
    for (record, rev, hash) in [(0x11, 1, 1), (0x12, 2, 2)] {
        let id = RecordId::from_slice(&record_id(record)).expect("an id");
        live.add(&live_element(&id, rev, "request", &Hash([hash; 32])));
    }
    hex(&live.to_bytes())
}

fn tables(database: &Connection) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_stat%' ORDER BY name";
    let mut statement = database.prepare(sql).expect("SQL");
    let names = statement.query_map([], |row| row.get(0)).expect("rows");
    names.map(|name| name.expect("a name")).collect()
}

fn columns(database: &Connection, table: &str) -> Vec<String> {
    let mut statement = database
        .prepare("SELECT name FROM pragma_table_info(?1)")
        .expect("SQL");
    let names = statement
        .query_map([table], |row| row.get(0))
        .expect("rows");
    names.map(|name| name.expect("a name")).collect()
}

fn dump(path: &Path) -> String {
    let database = Connection::open(path).expect("the file");
    let known: BTreeSet<&str> = DUMPS.iter().map(|(table, _)| *table).collect();
    let mut text = String::new();
    for table in tables(&database) {
        assert!(known.contains(table.as_str()), "nobody writes out {table}");
    }
    for (table, sql) in DUMPS {
        writeln!(text, "== {table}").expect("a string grows");
        let mut statement = database
            .prepare(sql)
            .unwrap_or_else(|error| panic!("{table}: {error}"));
        let count = statement.column_count();
        let mut rows = statement.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            for column in 0..count {
                match row.get_ref(column).expect("a column") {
                    ValueRef::Blob(blob) => write!(text, "{blob:02x?}|"),
                    value => write!(text, "{value:?}|"),
                }
                .expect("a string grows");
            }
            text.push('\n');
        }
    }
    text
}

#[test]
fn there_and_back_every_table_has_what_it_had() {
    let runtime = Runtime::new().expect("a runtime");
    let dir = tempfile::tempdir().expect("a folder");
    let (first, second) = (dir.path().join("one.db"), dir.path().join("two.db"));
    full_file(&first);
    let before = dump(&first);
    let (url, _) = database();
    into_database(&runtime, &first, &url);
    assert_eq!(dump(&first), before, "the source is as it was");
    into_file(&runtime, &url, &second);
    let after = dump(&second);
    for (one, other) in before.lines().zip(after.lines()) {
        assert_eq!(one, other);
    }
    assert_eq!(before, after);
}

#[test]
fn in_the_file_of_these_tests_every_column_says_something() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("one.db");
    full_file(&path);
    let database = Connection::open(&path).expect("the file");
    let mut silent = Vec::new();
    for table in tables(&database)
        .iter()
        .filter(|table| *table != "served_changes")
    {
        for column in columns(&database, table) {
            let sql = format!(
                "SELECT EXISTS (SELECT 1 FROM \"{table}\" WHERE \"{column}\" IS NOT NULL AND \"{column}\" NOT IN (0, '', x''))"
            );
            let says: bool = database
                .query_row(&sql, [], |row| row.get(0))
                .expect("a row");
            let name = format!("{table}.{column}");
            if !says
                && !ELSEWHERE.iter().any(|(elsewhere, _)| *elsewhere == name)
                && name != "instances.name"
            {
                silent.push(name);
            }
        }
    }
    assert!(
        silent.is_empty(),
        "nothing would be noticed of these: {silent:?}"
    );
}

/// What is carried, as `table.column`, with the table's name in one store.
fn carried(name: impl Fn(Table) -> &'static str) -> BTreeSet<String> {
    let columns = Table::ALL.iter().flat_map(|table| {
        let name = name(*table);
        table
            .columns()
            .iter()
            .map(move |column| format!("{name}.{}", column.name))
    });
    columns.collect()
}

/// Every column is carried, or named with the reason why it is not; and nothing is named that is not there.
fn check(found: &BTreeSet<String>, carried: &BTreeSet<String>, not: &[(&str, &str)]) {
    let table_of = |column: &str| column.split_once('.').expect("a column").0.to_owned();
    let is_named = |column: &str| {
        let table = table_of(column);
        not.iter()
            .any(|(name, _)| *name == column || *name == table)
    };
    let forgotten: Vec<&String> = found
        .iter()
        .filter(|column| !carried.contains(*column) && !is_named(column))
        .collect();
    assert!(forgotten.is_empty(), "nobody carries {forgotten:?}");
    for (name, _) in not {
        let is_there = found
            .iter()
            .any(|column| column == name || table_of(column) == *name);
        assert!(is_there, "there is no {name}");
        assert!(!carried.contains(*name), "{name} is carried");
    }
}

#[test]
fn every_column_of_a_file_is_carried_or_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("hub.db");
    drop(Relay::open(&path, LogId([9; 16])).expect("a new file"));
    let database = Connection::open(&path).expect("the file");
    let mut found = BTreeSet::new();
    for table in tables(&database) {
        found.extend(
            columns(&database, &table)
                .into_iter()
                .map(|column| format!("{table}.{column}")),
        );
    }
    let carried = carried(|table| match table {
        Table::Lines => "feed_lines",
        other => other.name(),
    });
    check(&found, &carried, NOT_CARRIED);
}

#[test]
fn every_column_of_a_database_is_carried_or_named() {
    let runtime = Runtime::new().expect("a runtime");
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("hub.db");
    drop(Relay::open(&path, LogId([9; 16])).expect("a new file"));
    let (url, number) = database();
    into_database(&runtime, &path, &url);
    // Once it was moved on, the table that says so is there as well.
    let left = held(&runtime, &url, "elsewhere");
    runtime.block_on(left.leave()).expect("it was left");
    let name = format!("hub_{number}");
    let sql = "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public';";
    let said = server().run_in(&name, &[sql]).expect("names");
    let found: BTreeSet<String> = said
        .lines()
        .map(str::trim)
        .filter(|line| line.contains('.'))
        .map(str::to_owned)
        .collect();
    let tables: BTreeSet<&str> = found
        .iter()
        .map(|column| column.split_once('.').expect("a column").0)
        .collect();
    let emptied: BTreeSet<&str> = pg::TABLES
        .into_iter()
        .chain(["hub_schema", "hub_move"])
        .collect();
    assert_eq!(
        tables, emptied,
        "a move that is begun again empties every table"
    );
    check(&found, &carried(Table::name), pg::NOT_CARRIED);
}
