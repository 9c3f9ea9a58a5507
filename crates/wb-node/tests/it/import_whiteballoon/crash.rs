//! A power cut between the two files: the private one has ids and accounts, the main one nothing.

use std::fs;
use std::path::Path;

use wb_node::Node;
use wb_store::Home;

use super::{Alice, FOR_REAL, assert_same, fixture_path, rows_of};

/// Closes the node, lets the work happen on its files, and opens it again.
fn reopen(alice: Alice, work: impl FnOnce(&Path)) -> Alice {
    let Alice { dir, node } = alice;
    drop(node);
    work(dir.path());
    let node = Node::open(&Home::new(dir.path())).expect("the node opens");
    Alice { dir, node }
}

/// The rows of the main file, without the codes that are made of chance.
fn main_rows(alice: &Alice) -> Vec<String> {
    let mut rows: Vec<String> = rows_of(&alice.dir.path().join("wb.db"))
        .into_iter()
        .map(|row| match row.split_once("\"share_code\":\"") {
            Some((before, after)) => format!("{before}{}", &after[32..]),
            None => row,
        })
        .collect();
    rows.sort();
    rows
}

fn private_rows(alice: &Alice) -> Vec<String> {
    let rows = rows_of(&alice.dir.path().join("private.db")).into_iter();
    rows.filter(|row| !row.starts_with("audit")).collect()
}

#[test]
fn an_import_cut_off_between_the_files_goes_on_to_the_same_state() {
    // Given an import of which only the private file got onto the disk,
    let alice = Alice::found("alice");
    let before = tempfile::tempdir().unwrap();
    let keep = before.path().join("wb.db");
    let mut alice = reopen(alice, |dir| {
        fs::copy(dir.join("wb.db"), &keep).unwrap();
        assert!(!dir.join("wb.db-wal").exists());
    });
    alice.import(&fixture_path(), FOR_REAL);
    let whole = (main_rows(&alice), private_rows(&alice));
    let mut alice = reopen(alice, |dir| {
        fs::copy(&keep, dir.join("wb.db")).unwrap();
        assert!(!dir.join("wb.db-wal").exists());
    });
    let accounts: i64 = alice.private("SELECT count(*) FROM accounts");
    let users: i64 = alice.main("SELECT count(*) FROM local_records WHERE kind = 'user'");
    assert_eq!((accounts, users), (51, 1));

    // when it is imported again,
    let report = alice.import(&fixture_path(), FOR_REAL);

    // then everything is there once, under the ids it got first.
    assert_same(&whole.0, &main_rows(&alice));
    assert_same(&whole.1, &private_rows(&alice));
    assert!(report.changes() > 0);
    let rows = alice.rows();
    alice.import(&fixture_path(), FOR_REAL);
    assert_same(&rows, &alice.rows());
    alice.check();
}

#[test]
fn nothing_is_shown_as_leaving_in_between() {
    let alice = Alice::found("alice");
    let before = tempfile::tempdir().unwrap();
    let keep = before.path().join("wb.db");
    let mut alice = reopen(alice, |dir| {
        fs::copy(dir.join("wb.db"), &keep).unwrap();
    });
    alice.import(&fixture_path(), FOR_REAL);
    let alice = reopen(alice, |dir| {
        fs::copy(&keep, dir.join("wb.db")).unwrap();
    });
    let kinds: Vec<String> = alice
        .plan()
        .puts
        .iter()
        .map(|put| put.leaving.kind().to_string())
        .collect();
    assert_eq!(kinds, ["card"]);
}
