//! A file that an earlier version of the format wrote is brought to this one with everything in it.

use rusqlite::Connection;
use wb_core::hash;
use wb_core::id::RecordId;
use wb_core::scope::Scope;
use wb_store::{Filter, SessionRow, Standing, Store};

use crate::node::Node;
use crate::origin::{Do, Origin, now};

/// A format as an earlier version had it.
struct Earlier {
    application_id: i64,
    version: i64,
    /// Its tables, as that version made them.
    tables: &'static str,
}

const MAIN_1: Earlier = Earlier {
    application_id: 0x5742_4d41,
    version: 1,
    tables: concat!(
        include_str!("../../src/migrations/feeds_0001.sql"),
        include_str!("../../src/migrations/main_0001.sql")
    ),
};

const PRIVATE_2: Earlier = Earlier {
    application_id: 0x5742_5052,
    version: 2,
    tables: concat!(
        include_str!("../../src/migrations/private_0001.sql"),
        include_str!("../../src/migrations/private_0002.sql")
    ),
};

/// Writes what a file holds into a new one of an earlier format, in the place of the old.
fn write_as(earlier: &Earlier, path: &std::path::Path) {
    let newer = path.with_extension("newer");
    std::fs::rename(path, &newer).expect("a file to move");
    let old = Connection::open(path).expect("a new file");
    old.execute_batch("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = OFF")
        .expect("settings");
    old.execute_batch(earlier.tables).expect("the old tables");
    old.pragma_update(None, "application_id", earlier.application_id)
        .expect("an id");
    old.pragma_update(None, "user_version", earlier.version)
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

    write_as(&MAIN_1, &node.home.main());
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

#[test]
fn a_private_file_of_version_2_keeps_everything() {
    let mut node = Node::new();
    let user = RecordId::new(now(), [1; 10]);
    let (browser, link) = (hash::sha256(b"browser"), hash::sha256(b"link"));
    let session = SessionRow {
        session: browser,
        handle: "mira".to_owned(),
        user: Some(user),
        label: "A browser".to_owned(),
        created_at: now(),
        seen_at: now(),
        ends_at: now().plus_ms(1),
        approved_by: None,
        renewed: true,
    };
    let private = node.store.private();
    private.put_session(&session).expect("a session");
    private.put_feed_link(&user, &link, now()).expect("a link");
    private
        .put_notice(&user, now(), "let in", "A browser was let in", None)
        .expect("a notice");
    let other = hash::sha256(b"other");
    let told = private.notices(&user, &other).expect("notices");
    assert_eq!(told.len(), 1);
    drop(std::mem::replace(&mut node.store, Node::new().store));

    write_as(&PRIVATE_2, &node.home.private());
    node.store = Store::open(&node.home).expect("an upgraded file");

    // What the file was is kept beside it, as the version before wrote it.
    let kept = Connection::open(node.home.dir().join("private.db.v2.bak")).expect("a copy");
    let version = rows(
        &kept,
        "SELECT CAST(user_version AS TEXT) FROM pragma_user_version",
    );
    let sessions = rows(&kept, "SELECT handle FROM sessions");
    assert_eq!(
        (version, sessions),
        (vec!["2".to_owned()], vec!["mira".to_owned()])
    );

    let private = node.store.private();
    assert_eq!(private.notices(&user, &other).expect("notices"), told);
    let kept = private.session(&browser, now()).expect("it is read");
    assert_eq!(kept, Some(session));
    let kept = private.feed_link(&link).expect("it is read");
    assert_eq!(kept.map(|row| row.user), Some(user));
    // What is new works: a notice goes with its browser to its new secret, and outlives it.
    private
        .put_default_scope(&user, Scope::Public)
        .expect("a choice");
    private
        .put_notice(&user, now(), "let in", "Another", Some(&browser))
        .expect("a notice");
    assert!(private.end_session(&browser).expect("it ends"));
    let told = private.notices(&user, &other).expect("notices");
    assert_eq!(told.last().map(|notice| notice.session), Some(None));
}
