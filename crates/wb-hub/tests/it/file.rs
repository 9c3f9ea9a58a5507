//! The hub's file while others use it.

use std::path::Path;

use rusqlite::Connection;
use tempfile::TempDir;
use wb_core::id::{InstanceId, LogId};
use wb_core::sync::{Cursor, Policy, Visibility};
use wb_hub::{HubStore as _, Registering, SqliteHub};
use wb_store::relay::Relay;

use crate::conformance::{publish, register};
use crate::origin::{Do, Origin};
use crate::world::{Instance, now};

const LOG: LogId = LogId([5; 16]);

/// A hub's file with one member.
async fn harbour() -> (TempDir, SqliteHub, InstanceId) {
    let dir = tempfile::tempdir().expect("a folder");
    let relay = Relay::open(&dir.path().join("hub.db"), LOG).expect("a new file");
    let (hub, alice) = (SqliteHub::new(relay), Instance::new(1));
    let registering = Registering {
        identity: alice.identity.clone(),
        name: "Alice".to_owned(),
        card: "{}".to_owned(),
        visibility: Visibility::Public,
        code: None,
        counter: 1,
    };
    let taken = hub.register(registering, Policy::Open, now()).await;
    taken.expect("a store").expect("a first registration");
    (dir, hub, alice.id())
}

/// A hub's file with one member and its feed of one record.
async fn with_feed() -> (TempDir, SqliteHub, Origin) {
    let dir = tempfile::tempdir().expect("a folder");
    let relay = Relay::open(&dir.path().join("hub.db"), LOG).expect("a new file");
    let (hub, mut north) = (SqliteHub::new(relay), Origin::new(9));
    register(&hub, &north).await;
    publish(&hub, &mut north, &[Do::Put(1)]).await;
    (dir, hub, north)
}

fn another(dir: &Path) -> Connection {
    Connection::open(dir.join("hub.db")).expect("a connection")
}

fn start() -> Cursor {
    let start = format!("{LOG}.0.0000000000000000");
    start.parse().expect("a cursor")
}

/// Each answer to a pull was refused with `busy` while somebody wrote, though nothing had to be written
/// but how far the member is.
#[tokio::test]
async fn pulls_go_on_while_nothing_can_be_written() {
    let (dir, hub, alice) = harbour().await;
    let other = another(dir.path());
    other.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    let page = hub.changes(alice, start(), now()).await;
    page.expect("a store").expect("a page");
    hub.check().await.expect("it can be read");
    other.execute_batch("ROLLBACK").expect("it is free");
    hub.changes(alice, start(), now())
        .await
        .expect("a store")
        .expect("a page");
    let member = hub.member(alice, now()).await.expect("a store");
    assert_eq!(member.expect("a row").seen_at, Some(now()));
}

/// A connection to read was opened under the lock of the writer, and `/readyz` wrote.
#[tokio::test]
async fn who_reads_does_not_wait_for_who_writes() {
    let (dir, hub, alice) = harbour().await;
    let other = another(dir.path());
    other.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    let writer = hub.clone();
    let writing = tokio::spawn(async move { writer.end_suspensions(now()).await });
    tokio::task::yield_now().await;
    hub.check().await.expect("it can be read");
    hub.standing(alice, now()).await.expect("a store");
    other.execute_batch("ROLLBACK").expect("it is free");
    writing.await.expect("it ends").expect("it got its turn");
}

/// What a file's log holds.
fn log(dir: &TempDir) -> Vec<u8> {
    std::fs::read(dir.path().join("hub.db-wal")).expect("a log")
}

/// What was taken back stayed in the log of the file until the next push.
#[tokio::test]
async fn a_log_that_somebody_read_is_emptied_later() {
    let (dir, hub, mut north) = with_feed().await;
    let other = another(dir.path());
    other
        .execute_batch("BEGIN; SELECT count(*) FROM members")
        .expect("a read");
    publish(&hub, &mut north, &[Do::Retract(1)]).await;
    assert_ne!(log(&dir).len(), 0);
    hub.end_suspensions(now()).await.expect("a store");
    assert_ne!(log(&dir).len(), 0);
    other.execute_batch("ROLLBACK").expect("it was read");
    hub.end_suspensions(now()).await.expect("a store");
    assert_eq!(log(&dir).len(), 0);
}

/// Each push waited for the disk three times, also where it took nothing back.
#[tokio::test]
async fn the_log_is_emptied_by_who_replaces_or_takes_back_and_by_nobody_else() {
    let (dir, hub, mut north) = with_feed().await;
    for (number, second) in [(2, Do::Put(2)), (3, Do::Retract(3))] {
        publish(&hub, &mut north, &[Do::Put(number)]).await;
        let words = format!("record {number} of {}, revision 1", north.id().short());
        let kept = String::from_utf8_lossy(&log(&dir)).into_owned();
        assert!(kept.contains(&words), "{number} was only added");
        publish(&hub, &mut north, &[second]).await;
        assert_eq!(log(&dir).len(), 0, "{number}");
    }
}
