//! An origin that opens a log a second time keeps the headers of the two apart.

use wb_core::feed::SnapshotReader;
use wb_core::scope::FeedScope;
use wb_store::{Standing, StoreError};

use crate::node::Node;
use crate::origin::{Do, Origin, now};

/// Found by review: the headers of both were stored under one log, so that the feed could not be
/// exported any more and was called damaged.
#[test]
fn a_log_opened_again_under_another_generation_is_another_log() {
    let mut eve = Origin::new(1);
    let mut node = Node::new();
    let mut deltas = vec![eve.seal(&[Do::Put(1)]), eve.seal(&[Do::Put(2)])];
    eve.open(9, 1);
    deltas.push(eve.seal(&[Do::Put(3)]));
    eve.open(1, 2);
    deltas.push(eve.seal(&[Do::Put(4)]));
    deltas.push(eve.seal(&[Do::Put(5)]));
    deltas.push(eve.seal(&[Do::Retract(1)]));

    let write = node.store.write().expect("a transaction");
    write
        .put_identity(&eve.identity, Standing::Approved, now())
        .expect("a stored log");
    for delta in &deltas {
        let outcome = write.ingest(now()).delta(&delta.read());
        assert_eq!(outcome.expect("a readable feed").as_str(), "append");
    }
    write.commit().expect("a commit");

    node.check();
    let served = node.store.served();
    let rows = served.snapshot(&eve.id(), FeedScope::Public);
    let rows = rows.expect("sound headers").expect("a feed");
    assert_eq!(rows.chain.len(), 3);
    let mut reader = SnapshotReader::start(&wb_core::feed::SnapshotWriter::totals(&rows.totals))
        .expect("good totals");
    let mut push = |line: &[u8]| drop(reader.push(line, Some(&eve.identity)).expect("a good line"));
    push(&rows.head);
    push(rows.first.as_deref().expect("a first header"));
    push(&wb_core::feed::SnapshotWriter::chain(&rows.chain));
    served
        .each_live(&rows, |item| {
            push(item);
            Ok::<(), StoreError>(())
        })
        .expect("readable lines");
    let mut pairs = Vec::new();
    served
        .each_retracted(&rows, |id, rev| {
            pairs.push((id, rev));
            Ok::<(), StoreError>(())
        })
        .expect("readable marks");
    push(&wb_core::feed::SnapshotWriter::retracted(&pairs));
    assert_eq!(reader.finish(), Ok(()));
    assert_eq!(
        served.headers_after(&eve.held()).expect("headers"),
        Some(Vec::new())
    );
}
