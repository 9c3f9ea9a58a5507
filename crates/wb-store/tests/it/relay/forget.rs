//! Retention: who stands before it takes a snapshot, and everybody else goes on.

use wb_core::scope::FeedScope;
use wb_core::sync::FollowList;
use wb_store::relay::{CursorRefused, PageLimits, SnapshotAsk, SnapshotRefused};

use super::follower::Follower;
use super::harbour::{Harbour, later};
use crate::origin::{Do, Origin, now};

#[test]
fn what_is_older_goes_and_snapshots_still_lead_to_the_head() {
    let (mut north, mut south, west) = (Origin::new(1), Origin::new(2), Origin::new(3));
    let mut harbour = Harbour::with(&[&north, &south, &west]);
    let mut list = FollowList {
        counter: 9,
        ..FollowList::default()
    };
    list.add(north.id());
    harbour.put_follows(&west.id(), &list);
    let mut cursors = vec![harbour.start()];
    let mut heads = Vec::new();
    for round in 0..8 {
        harbour.publish(&mut north, &[Do::Put(1), Do::Put(10 + round)]);
        heads.push(north.held());
        harbour.publish(&mut south, &[Do::Put(1)]);
        cursors.push(harbour.relay.cursor().expect("a cursor"));
    }
    harbour.publish(&mut north, &[Do::Retract(10)]);
    let floor = cursors[4];
    assert_eq!(harbour.relay.arrivals_before(now()).expect("a number"), 0);
    let all = harbour.relay.arrivals_before(later(1)).expect("a number");
    assert_eq!(all, harbour.relay.cursor().expect("a cursor").n);
    let gone = harbour
        .write(|write| write.forget_before(floor.n))
        .expect("a change");
    assert_eq!(gone, floor.n);
    assert_eq!(
        harbour
            .write(|write| write.forget_before(floor.n))
            .expect("no change"),
        0
    );

    // The cursors before are too old, the ones from there on good.
    for (round, cursor) in cursors.iter().enumerate() {
        let changes = harbour
            .relay
            .changes(&west.id(), cursor, PageLimits::default(), now());
        let refused = changes.expect("readable arrivals").err();
        assert_eq!(
            refused,
            (round < 4).then_some(CursorRefused::TooOld),
            "{round}"
        );
    }
    // A snapshot of the head verifies, and so does one of a head that came after the floor.
    let ask = SnapshotAsk {
        origin: north.id(),
        scope: FeedScope::Public,
        head: None,
        after: None,
        kinds: None,
        bytes: usize::MAX,
    };
    for (at, head) in [(3, None), (6, Some(heads[6].hash))] {
        let ask = SnapshotAsk { head, ..ask };
        let body = harbour
            .relay
            .snapshot_page(&ask, now())
            .expect("a readable feed");
        let body = body.expect("a head that is there");
        let mut follower = Follower::new();
        assert_eq!(
            follower.take(&body[body.iter().position(|b| *b == b'\n').expect("a line") + 1..]),
            ["take"]
        );
        follower.check(if head.is_some() { 2 } else { 0 });
        follower.take(&harbour.changes(&west.id(), &cursors[at + 1]).body);
        assert!(follower.held().contains(&north.held()));
        follower.check(0);
    }
    for head in &heads[..3] {
        let ask = SnapshotAsk {
            head: Some(head.hash),
            ..ask
        };
        let refused = harbour
            .relay
            .snapshot_page(&ask, now())
            .expect("a readable feed")
            .err();
        assert_eq!(refused, Some(SnapshotRefused::HeadGone));
    }
    // Arrivals go on being numbered from there, also when none is kept.
    let last = harbour.relay.cursor().expect("a cursor");
    harbour
        .write(|write| write.forget_before(u64::MAX))
        .expect("a change");
    assert_eq!(harbour.relay.cursor().expect("a cursor"), last);
    harbour.publish(&mut north, &[Do::Put(2)]);
    let next = harbour.changes(&west.id(), &last);
    assert_eq!(
        (next.section.deltas, next.section.cursor.n),
        (1, last.n + 1)
    );
}
