//! Sections without the frame of a bundle, taken into a real store: the lines are those of the
//! vectors of bundles.

use std::path::Path;

use tempfile::TempDir;
use wb_core::bundle::Driver;
use wb_core::rule::Rule;
use wb_core::time::Timestamp;
use wb_node::command::init::{Init, init};
use wb_node::import::sink::StoreSink;
use wb_store::{Home, Store};

fn store() -> (Store, TempDir) {
    let dir = tempfile::tempdir().expect("a folder");
    let home = Home::new(dir.path().join("north"));
    let input = Init {
        name: "North",
        admin: "alice",
        words_file: None,
    };
    drop(init(&home, &input).expect("a new instance"));
    (Store::open(&home).expect("a store"), dir)
}

/// The lines of a vector without the bundle's head and end: identity logs, then feeds.
fn lines(name: &str) -> (Vec<String>, Vec<String>) {
    let file = format!("../../docs/spec/vectors/bundles/{name}.json");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(file).expect("a vector file");
    let vector: serde_json::Value = serde_json::from_str(&text).expect("a vector file is JSON");
    let lines = vector["lines"].as_array().expect("lines").iter();
    let mut lines: Vec<String> = lines
        .map(|line| line.as_str().expect("a text").to_owned())
        .collect();
    lines.pop();
    lines.remove(0);
    let is_feed = |line: &String| {
        ["snapshot", "deltas"]
            .iter()
            .any(|name| line.starts_with(&format!(r#"{{"section":"{name}""#)))
    };
    let feeds = lines.split_off(lines.iter().position(is_feed).expect("a feed"));
    (lines, feeds)
}

/// Takes a stream in one transaction, and keeps what is whole.
fn take(store: &mut Store, lines: &[String]) -> Driver {
    let own = store.own_id().expect("an own id");
    let now: Timestamp = "2026-11-22T10:23:59.123Z".parse().expect("a time");
    let write = store.write().expect("a transaction");
    let mut sink = StoreSink::new(&write, own, now);
    let mut driver = Driver::sections();
    for line in lines {
        driver.push(line.as_bytes(), &mut sink).expect("a store");
    }
    driver.cut_off(&mut sink).expect("a store");
    write.commit().expect("a store");
    driver
}

#[test]
fn a_refused_delta_is_held_by_name_and_what_came_before_stays() {
    let (mut store, _dir) = store();
    let (identities, feeds) = lines("a_revision_not_above_in_a_delta");

    // The logs come with an earlier answer.
    assert_eq!(take(&mut store, &identities).finish(), Ok(()));
    let driver = take(&mut store, &feeds);

    assert_eq!(driver.finish(), Ok(()));
    assert_eq!(driver.feeds()[0].rule, Some(Rule::RevNotAbove));
    let origin = driver.feeds()[0].origin;
    let held = store.held_counts().expect("a store");
    let held: Vec<_> = held
        .iter()
        .map(|held| (held.origin, held.rule.as_deref(), held.deltas))
        .collect();
    assert_eq!(held, [(origin, Some("rev_not_above"), 1)]);
    let rows = store.served().feeds().expect("a store");
    let rows: Vec<_> = rows
        .iter()
        .filter(|row| row.held.origin == origin)
        .map(|row| (row.held.seq, row.live_n))
        .collect();
    assert_eq!(rows, [(0, 2)]);
}

#[test]
fn a_refused_snapshot_leaves_nothing_and_the_next_feed_is_taken() {
    let (mut store, _dir) = store();
    let (identities, good) = lines("two_origins");
    let (_, bad) = lines("items_out_of_order");
    let deltas = good
        .iter()
        .position(|line| line.starts_with(r#"{"section":"deltas""#))
        .expect("two feeds");

    let all = [&identities[..], &bad, &good[deltas..]].concat();
    let driver = take(&mut store, &all);

    assert_eq!(driver.finish(), Ok(()));
    assert_eq!(driver.feeds()[0].rule, Some(Rule::WrongOrder));
    let rows = store.served().feeds().expect("a store");
    let taken: Vec<_> = rows.iter().map(|row| row.held.origin).collect();
    assert_eq!(taken, [driver.feeds()[1].origin]);
}

#[test]
fn a_stream_that_is_cut_off_leaves_whole_sections() {
    let (identities, feeds) = lines("two_origins");
    let all = [identities.clone(), feeds].concat();
    let whole: Vec<usize> = (0..all.len())
        .filter(|n| all[*n].starts_with(r#"{"section":"#))
        .chain([all.len()])
        .filter(|n| *n >= identities.len())
        .collect();
    for n in identities.len()..=all.len() {
        let (mut store, _dir) = store();
        let driver = take(&mut store, &all[..n]);
        assert_eq!(driver.finish().is_ok(), whole.contains(&n), "{n} lines");
        let sections = whole.iter().filter(|end| **end <= n).count() - 1;
        let rows = store.served().feeds().expect("a store");
        assert_eq!(rows.len(), sections, "{n} lines");
        if let Some(first) = rows.first() {
            assert_eq!(first.live_n, 3, "{n} lines");
        }
    }
}
