//! An instance of which nothing was here before: what it brings goes in many rows at a time, unlooked at, and what is
//! stored and shown is the same as line by line.

use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;
use wb_core::bundle::Driver;
use wb_core::entry::Reason;
use wb_core::id::{RecordId, RecordRef};
use wb_core::kinds::{Body, Comment, Request};
use wb_core::leave::Life;
use wb_core::scope::Scope;
use wb_core::time::Timestamp;
use wb_node::Node;
use wb_node::command::bundle_export::{BundleExport, bundle_export};
use wb_node::command::bundle_import::{BundleImport, Imported, bundle_import};
use wb_node::command::init::{Init, init};
use wb_node::command::publish::publish;
use wb_node::command::record_retract::record_retract;
use wb_node::import::lines::{Lines, Next};
use wb_node::import::sink::StoreSink;
use wb_store::{Difference, Home, LocalRecord, Standing, Store};

/// More than a thousand, from which on a preview counts an instance that is new as a whole; and no multiple of
/// anything that goes in at once.
const RECORDS: u64 = 1_237;
/// Records that are taken back before anybody has them.
const TAKEN_BACK: u64 = 3;

fn founded(dir: &TempDir, name: &str) -> Node {
    let input = Init {
        name,
        admin: "alice",
        words_file: None,
    };
    init(&Home::new(dir.path().join(name)), &input)
        .expect("a new instance")
        .node
}

fn id(number: u64) -> RecordId {
    let mut entropy = [7; 10];
    entropy[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    RecordId::new(at(number), entropy)
}

fn at(number: u64) -> Timestamp {
    let ms = i64::try_from(number).expect("a small number") * 1_000;
    Timestamp::from_unix_ms(1_760_000_000_000 + ms).expect("in range")
}

/// A request, or a comment on the last one.
fn record(node: &Node, number: u64, words: &str) -> LocalRecord {
    let body = if number.is_multiple_of(4) {
        Body::Request(Request {
            title: format!("{words} {number}"),
            description: "A ladder, for a day.".to_owned(),
            created_at: at(number),
        })
    } else {
        Body::Comment(Comment {
            request: RecordRef {
                origin: node.own_id(),
                id: id(number / 4 * 4),
            },
            body: format!("{words} {number}"),
            created_at: at(number),
        })
    };
    LocalRecord {
        id: id(number),
        kind: body.kind(),
        author: node.store().founder().expect("a store"),
        scope: Scope::Public,
        ceiling: Scope::Public,
        life: Life::Active,
        body: serde_json::to_string(&body).expect("a body"),
        shares: None,
        parent: body.parent(node.own_id()),
        created_at: at(number),
        at: at(number),
        edit: 1,
        sealed_edit: 0,
        rev: 0,
        left_by: None,
    }
}

fn put(node: &Node, numbers: impl Iterator<Item = u64>) {
    let records: Vec<LocalRecord> = numbers
        .map(|number| record(node, number, "Words"))
        .collect();
    let write = node.store().write_in_sight().expect("a store");
    for record in &records {
        write.put_local(record).expect("a store");
    }
    write.commit().expect("a store");
}

fn take_back(node: &Node, number: u64) {
    let actor = node.actor(None).expect("an actor");
    let key = RecordRef {
        origin: node.own_id(),
        id: id(number),
    };
    record_retract(node, &actor, &key, Reason::Mistake).expect("taken back");
}

/// Publishes what there is, takes some of it back, and writes all into a bundle.
fn bundle(dir: &TempDir, north: &mut Node) -> PathBuf {
    let actor = north.actor(None).expect("an actor");
    publish(north, &actor).expect("published");
    for number in 0..TAKEN_BACK {
        take_back(north, number * 4 + 1);
    }
    publish(north, &actor).expect("published");
    export(dir, north, "one.wbb")
}

fn export(dir: &TempDir, north: &mut Node, name: &str) -> PathBuf {
    let file = dir.path().join(name);
    let actor = north.actor(None).expect("an actor");
    let input = BundleExport {
        file: &file,
        want: None,
        zstd_level: Some(3),
    };
    bundle_export(north, &actor, &input, &mut |_, _| {}).expect("a bundle");
    file
}

fn import(node: &mut Node, file: &Path) -> Imported {
    let actor = node.actor(None).expect("an actor");
    let input = BundleImport {
        dry_run: false,
        accept: true,
        partial: false,
        lists: true,
    };
    bundle_import(node, &actor, file, input, &mut |_| {}).expect("it is taken")
}

/// The same file line by line, on one thread, each item by itself.
fn take_line_by_line(node: &Node, file: &Path, from: &Node) {
    let (own, now) = (node.own_id(), node.now());
    let write = node.store().write_in_sight().expect("a store");
    let mut sink = StoreSink::new(&write, own, now);
    let (mut driver, mut lines) = (Driver::default(), Lines::open(file).expect("a file"));
    while let Next::Line(line) = lines.next(file).expect("a whole file") {
        driver.push(line, &mut sink).expect("a store");
    }
    driver.finish().expect("a good bundle");
    write
        .set_standing(&from.own_id(), Standing::Approved)
        .expect("a store");
    write.commit().expect("a store");
}

/// Every row of a table but for what differs by the way it came.
fn rows(node: &Node, table: &str, but: &[&str]) -> Vec<Vec<(String, Value)>> {
    let path = node.store().home().dir().join("wb.db");
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a file");
    let mut statement = connection
        .prepare(&format!("SELECT * FROM {table}"))
        .expect("a table");
    let names: Vec<String> = statement.column_names().map(ToString::to_string).collect();
    let rows = statement.query_map([], |row| {
        let cells = names.iter().enumerate();
        let cells = cells.filter(|(_, name)| !but.contains(&name.as_str()));
        cells
            .map(|(place, name)| Ok((name.clone(), row.get(place)?)))
            .collect()
    });
    rows.expect("rows")
        .collect::<rusqlite::Result<_>>()
        .expect("rows")
}

/// What is shown of the other instance.
fn theirs(node: &Node) -> Vec<Vec<(String, Value)>> {
    let mut rows = rows(node, "records", &[]);
    let theirs = ("instance_no".to_owned(), Value::Integer(2));
    rows.retain(|row| row.contains(&theirs));
    rows
}

fn check(node: &Node) {
    let mut store = Store::open(node.store().home()).expect("a store");
    for finding in store.check().expect("a check") {
        assert_eq!(finding.problems, [""; 0], "{}", finding.check);
    }
}

#[test]
fn what_goes_in_many_rows_at_a_time_is_what_goes_in_line_by_line() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut north, mut south, west) = (
        founded(&dir, "north"),
        founded(&dir, "south"),
        founded(&dir, "west"),
    );
    put(&north, 0..RECORDS);
    let file = bundle(&dir, &mut north);

    let imported = import(&mut south, &file);
    take_line_by_line(&west, &file, &north);

    let lines = rows(&south, "feed_lines", &["run_no"]);
    assert_eq!(lines, rows(&west, "feed_lines", &["run_no"]));
    let shown = theirs(&south);
    assert_eq!(shown, theirs(&west));
    let live = RECORDS - TAKEN_BACK;
    assert!(shown.len() as u64 >= live && lines.len() as u64 >= RECORDS);
    check(&south);
    // What is told of it is what is there, in the order of a list.
    assert_eq!(imported.listed.len(), shown.len());
    assert!(
        imported
            .listed
            .iter()
            .all(|one| one.difference == Difference::New)
    );
    let place = |one: &wb_store::Changed| (one.origin, one.kind.to_string(), one.id);
    assert!(imported.listed.is_sorted_by_key(place));
    let counts = &imported
        .origins
        .iter()
        .find(|one| one.id == north.own_id())
        .expect("north")
        .counts;
    assert_eq!(counts.values().sum::<u64>(), shown.len() as u64);
}

#[test]
fn after_it_what_changes_is_told_record_by_record() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut north, mut south) = (founded(&dir, "north"), founded(&dir, "south"));
    put(&north, 0..RECORDS);
    let file = bundle(&dir, &mut north);
    import(&mut south, &file);

    put(&north, RECORDS..RECORDS + 5);
    take_back(&north, 401);
    let actor = north.actor(None).expect("an actor");
    publish(&mut north, &actor).expect("published");
    let file = export(&dir, &mut north, "two.wbb");
    let imported = import(&mut south, &file);

    let count = |what| {
        imported
            .listed
            .iter()
            .filter(|one| one.difference == what)
            .count()
    };
    let counts = [Difference::New, Difference::Changed, Difference::Gone].map(count);
    assert_eq!(counts, [5, 0, 1]);
    check(&south);
}
