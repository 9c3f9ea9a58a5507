//! A main file that version 1 of the format wrote is brought to this one with everything in it.

use rusqlite::Connection;
use wb_store::{Filter, Standing, Store};

use crate::node::Node;
use crate::origin::{Do, Origin, now};

/// The tables of version 1, as that version made them.
const VERSION_1: &str = concat!(
    include_str!("../../src/migrations/feeds_0001.sql"),
    include_str!("../../src/migrations/main_0001.sql")
);

/// Writes what a file holds into a new one of version 1, in the place of the old.
fn write_as_version_1(path: &std::path::Path) {
    let newer = path.with_extension("newer");
    std::fs::rename(path, &newer).expect("a file to move");
    let old = Connection::open(path).expect("a new file");
    old.execute_batch("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = OFF")
        .expect("settings");
    old.execute_batch(VERSION_1).expect("the old tables");
    old.pragma_update(None, "application_id", 0x5742_4d41)
        .expect("an id");
    old.pragma_update(None, "user_version", 1)
        .expect("a version");
    old.execute("ATTACH ?1 AS newer", [newer.to_string_lossy()])
        .expect("the newer file");
    let tables: Vec<String> = rows(&old, "SELECT name FROM sqlite_schema WHERE type = 'table'");
    for table in tables {
        let columns = rows(
            &old,
            &format!("SELECT name FROM pragma_table_info('{table}')"),
        );
        let columns = columns.join(", ");
        let copy = format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM newer.{table}");
        old.execute(&copy, []).expect("rows of the old form");
    }
}

fn rows(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).expect("a query");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.collect::<rusqlite::Result<_>>().expect("texts")
}

#[test]
fn a_file_of_version_1_keeps_everything() {
    let mut north = Origin::new(1);
    let mut node = Node::new();
    let deltas = [
        north.seal(&[Do::Put(1), Do::Put(2), Do::Comment(3)]),
        north.seal(&[Do::Put(1), Do::Retract(2)]),
    ];
    let write = node.store.write().expect("a transaction");
    write
        .put_identity(&north.identity, Standing::Approved, now())
        .expect("a stored log");
    for delta in &deltas {
        write
            .ingest(now())
            .delta(&delta.read())
            .expect("a readable feed");
    }
    write.commit().expect("a commit");
    let feeds = node.store.served().feeds().expect("feeds");
    let everything = Filter {
        hidden_too: true,
        ..Filter::default()
    };
    let records = node.store.records(&everything).expect("records");
    assert!(feeds.len() == 1 && records.len() == 2);
    drop(std::mem::replace(&mut node.store, Node::new().store));

    write_as_version_1(&node.home.main());
    node.store = Store::open(&node.home).expect("an upgraded file");

    assert_eq!(node.store.served().feeds().expect("feeds"), feeds);
    assert_eq!(node.store.records(&everything).expect("records"), records);
    node.check();
    // What comes after goes on from there.
    let next = north.seal(&[Do::Put(4)]);
    let write = node.store.write().expect("a transaction");
    let outcome = write.ingest(now()).delta(&next.read());
    assert_eq!(outcome.expect("a readable feed").as_str(), "append");
    write.commit().expect("a commit");
    node.check();
}
