//! What is not the same is found, and named by its first row.

use tokio::runtime::Runtime;
use wb_core::id::LogId;
use wb_hub::moving::{Difference, FileRows, Table, compare};
use wb_hub_pg::moving::PgFilling;
use wb_store::relay::Relay;

use super::OWN;
use crate::server::{database, server};

/// One wrong word in the destination.
const WRONGS: [(Table, &str, &str); 7] = [
    (
        Table::Lines,
        "UPDATE lines SET line = '\\x99' WHERE line IS NOT NULL;",
        "differs in line",
    ),
    (
        Table::Lines,
        "DELETE FROM lines WHERE line_no = 3;",
        "missing in the destination",
    ),
    (
        Table::Arrivals,
        "UPDATE arrivals SET running = hash WHERE n = 6;",
        "differs in running",
    ),
    (
        Table::Envelopes,
        "INSERT INTO envelopes (envelope_no, origin, hash, line, body, bytes, expires) VALUES (9, '\\x01', '\\x02', '', '', 0, 1);",
        "not in the source",
    ),
    (
        Table::Members,
        "UPDATE members SET follows_counter = 99 WHERE instance_no = 3;",
        "differs in follows_counter",
    ),
    (
        Table::Relay,
        "UPDATE waiting SET let_go = 13;",
        "differs in let_go",
    ),
    (
        Table::Relay,
        "ALTER TABLE mail ALTER COLUMN mail_no RESTART WITH 6;",
        "differs in last_letter",
    ),
];

#[test]
fn what_differs_is_named() {
    let runtime = Runtime::new().expect("a runtime");
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("one.db");
    super::contents::full_file(&path);
    let rows = FileRows::new(&path);
    for (table, wrong, what) in WRONGS {
        let (url, number) = database();
        let address = url.parse().expect("an address");
        let mut filling = runtime
            .block_on(PgFilling::begin(&address, OWN, "a file"))
            .expect("empty");
        wb_hub::moving::copy(&rows, &mut filling, &mut |_| {}).expect("it can be copied");
        runtime.block_on(filling.finish()).expect("finished");
        server()
            .run_in(&format!("hub_{number}"), &[wrong])
            .expect("it can");
        let compared = compare(&rows, &filling, &mut |_| {}).expect("both can be read");
        let difference = compared
            .difference
            .unwrap_or_else(|| panic!("{wrong} was not noticed"));
        assert_eq!(
            (difference.table, difference.what.as_str()),
            (table, what),
            "{wrong}"
        );
        let sums = compared
            .tables
            .iter()
            .filter(|sum| sum.hashes[0] != sum.hashes[1]);
        assert!(sums.count() >= 1, "{wrong}");
        runtime.block_on(filling.give_up()).expect("given up");
    }
}

/// Both hold the same, and it is not what the head of the feed is signed with: a source that was damaged is not moved.
#[test]
fn what_a_head_does_not_commit_to_is_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("one.db");
    super::contents::full_file(&path);
    let database = rusqlite::Connection::open(&path).expect("the file");
    let changed = database.execute("UPDATE feed_lines SET rev = 7 WHERE line_no = 101", []);
    assert_eq!(changed, Ok(1));
    let rows = FileRows::new(&path);
    let compared = compare(&rows, &rows, &mut |_| {}).expect("it can be read");
    assert_eq!(
        compared.difference,
        Some(Difference {
            table: Table::Feeds,
            key: "instance_no 8".to_owned(),
            what: "its live lines do not make the digest of its head".to_owned(),
        })
    );
}

#[test]
fn rows_of_nobody_are_not_passed_over() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("one.db");
    drop(Relay::open(&path, LogId([9; 16])).expect("a new file"));
    let database = rusqlite::Connection::open(&path).expect("the file");
    let orphan = "PRAGMA foreign_keys = OFF; INSERT INTO asides VALUES (1, 99, x'01', x'02')";
    database.execute_batch(orphan).expect("it can");
    let rows = FileRows::new(&path);
    let error = compare(&rows, &rows, &mut |_| {}).expect_err("one row is of nobody");
    assert!(
        error.to_string().contains("1 rows of asides, of which 0"),
        "{error}"
    );
}
