//! Peers and runs are read as they were written, and each line says by which run it came.

use wb_core::id::{LogId, RecordRef};
use wb_core::sync::{Cursor, FollowList, Role, Standing as Member, Standings};
use wb_store::{Peer, RUNS_MAX, Road, RunCounts, RunEnd, RunStart, Standing};

use crate::node::Node;
use crate::origin::{Do, Origin, now};

fn start(detail: &str) -> RunStart<'_> {
    RunStart {
        peer: None,
        road: Road::Bundle,
        detail,
        at: now(),
    }
}

#[test]
fn a_peer_is_read_as_it_was_written() {
    let mut node = Node::new();
    let (mut north, harbour) = (Origin::new(1), Origin::new(2));
    north.seal(&[Do::Put(1)]);
    let mut peer = Peer {
        id: harbour.id(),
        role: Role::Hub,
        address: "https://harbour.example/wb".to_owned(),
        lan: true,
        name: "Harbour".to_owned(),
        follows: FollowList::default(),
        cursor: None,
        heads_at: None,
        acked: Vec::new(),
        paused: false,
        registered: None,
        counter: 0,
        state: "{}".to_owned(),
        first_seen: now(),
        last_ok: None,
    };
    for _ in 0..2 {
        let write = node.store.write().expect("a transaction");
        write.put_peer(&peer).expect("a row");
        write.commit().expect("a commit");
        let held = node.store.peer(&harbour.id()).expect("a readable row");
        assert_eq!(held.as_ref(), Some(&peer));
        assert_eq!(node.store.peers().expect("rows"), [peer.clone()]);

        peer.follows.all = true;
        peer.follows.counter = 7;
        peer.follows.add(north.id());
        peer.cursor = Some(Cursor::new(LogId([3; 16]), 9, &north.held().hash));
        peer.acked = vec![north.held()];
        let write = node.store.write().expect("a transaction");
        write.set_paused(&harbour.id(), true).expect("a row");
        write.commit().expect("a commit");
        peer.paused = true;
        peer.registered = Some(Standings {
            schema_version: 1,
            standing: Member::Suspended,
            reason: Some("noise".to_owned()),
            until: Some(now()),
            visibility: None,
        });
        peer.counter = 5;
        peer.last_ok = Some(now());
    }
    let write = node.store.write().expect("a transaction");
    assert!(write.remove_peer(&harbour.id()).expect("a row"));
    assert!(!write.remove_peer(&harbour.id()).expect("no row"));
    write.commit().expect("a commit");
    assert_eq!(node.store.peer(&harbour.id()).expect("no row"), None);
}

#[test]
fn of_too_many_runs_the_oldest_go() {
    let mut node = Node::new();
    let write = node.store.write().expect("a transaction");
    let numbers: Vec<i64> = (0..RUNS_MAX + 3)
        .map(|_| write.start_run(&start("a.wb")).expect("a run"))
        .collect();
    let end = RunEnd {
        at: now(),
        outcome: "failed",
        cause: Some("unreachable"),
        counts: RunCounts {
            deltas_in: 5,
            round_trips: 2,
            ..RunCounts::default()
        },
    };
    let last = *numbers.last().expect("runs");
    write.end_run(last, &end).expect("a run");
    write.commit().expect("a commit");

    let kept = node.store.runs(2 * RUNS_MAX, None).expect("runs");
    assert_eq!(kept.len() as u64, RUNS_MAX);
    assert_eq!(node.store.run(numbers[2]).expect("no run"), None);
    let run = node.store.run(last).expect("a run").expect("it is kept");
    assert_eq!(run, kept[0]);
    assert_eq!(run.cause.as_deref(), Some("unreachable"));
    assert_eq!((run.counts.deltas_in, run.counts.round_trips), (5, 2));
    let harbour = Origin::new(2).id();
    assert_eq!(node.store.runs(9, Some(&harbour)).expect("runs"), []);
}

#[test]
fn a_line_says_by_which_run_it_came() {
    let mut node = Node::new();
    let mut north = Origin::new(1);
    let deltas = [
        north.seal(&[Do::Put(1), Do::Put(2)]),
        north.seal(&[Do::Put(2), Do::Retract(1)]),
    ];
    let write = node.store.write().expect("a transaction");
    write
        .put_identity(&north.identity, Standing::Approved, now())
        .expect("a stored log");
    let mut runs = Vec::new();
    for delta in &deltas {
        let run = write.start_run(&start("a.wb")).expect("a run");
        let ingest = write.ingest(now()).of_run(run);
        ingest.delta(&delta.read()).expect("a readable feed");
        runs.push(run);
    }
    write.commit().expect("a commit");

    let records = node.store.run_records(runs[1], 9).expect("records");
    let told: Vec<_> = records
        .iter()
        .map(|record| (record.key.id, record.is_put, record.rev, record.live))
        .collect();
    let (one, two) = (north.record(1), north.record(2));
    assert_eq!(told, [(two, true, 2, true), (one, false, 1, false)]);
    assert!(
        records[0]
            .body
            .as_deref()
            .is_some_and(|body| body.contains("revision 2"))
    );
    assert_eq!(
        node.store.run_records(runs[0], 1).expect("records").len(),
        1
    );
    let key = |id| RecordRef {
        origin: north.id(),
        id,
    };
    let road = |id| node.store.road_of(&key(id)).expect("a readable row");
    assert_eq!(road(two).map(|run| run.run_no), Some(runs[1]));
    assert_eq!(road(one), None);
}
