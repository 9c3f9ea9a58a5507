//! What is read after a cursor, page by page.

use wb_core::id::LogId;
use wb_core::sync::{Cursor, FollowList};
use wb_store::relay::{CursorRefused, PageLimits};

use super::follower::Follower;
use super::harbour::{Harbour, sections};
use crate::origin::{Do, Origin, now};

#[test]
fn a_follower_comes_to_the_heads_page_by_page() {
    let mut origins: Vec<Origin> = (1..=4).map(Origin::new).collect();
    let mut harbour = Harbour::with(&origins.iter().collect::<Vec<_>>());
    for round in 0..6 {
        for origin in &mut origins[..3] {
            harbour.publish(origin, &[Do::Put(round), Do::Put(100 + round)]);
        }
    }
    let reader = origins[3].id();
    for limits in [
        PageLimits::default(),
        PageLimits {
            bytes: 1,
            arrivals: 1_000,
        },
        PageLimits {
            bytes: usize::MAX,
            arrivals: 5,
        },
    ] {
        let mut follower = Follower::new();
        let (mut cursor, mut pages, mut deltas) = (harbour.start(), 0, 0);
        loop {
            let page = harbour.page(&reader, &cursor, limits);
            follower.take(&page.body);
            assert!(page.section.more || page.section.cursor.n == page.newest_n);
            (cursor, pages) = (page.section.cursor, pages + 1);
            deltas += page.section.deltas;
            if !page.section.more {
                break;
            }
        }
        assert_eq!(deltas, 18);
        assert_eq!(cursor, harbour.relay.cursor().expect("a cursor"));
        let mut heads: Vec<_> = origins[..3].iter().map(Origin::held).collect();
        heads.sort_by_key(|held| held.origin);
        assert_eq!(follower.held(), heads);
        follower.check(0);
        assert_eq!(
            pages,
            if limits.bytes == 1 {
                21
            } else {
                22_u64.div_ceil(limits.arrivals)
            }
        );
    }
}

#[test]
fn the_first_delta_of_a_log_comes_with_the_identity_log_of_its_origin() {
    let (mut north, west) = (Origin::new(1), Origin::new(2));
    let mut harbour = Harbour::with(&[&north, &west]);
    // West has compared heads by now: North was there, and its feed was not.
    let since = harbour.relay.cursor().expect("a cursor");
    harbour.publish(&mut north, &[Do::Put(1)]);
    harbour.publish(&mut north, &[Do::Put(2)]);
    let n = north.id().short();
    let first = [format!("identity {n} 1"), format!("deltas {n} 2")];
    assert_eq!(harbour.told(&west.id(), &since), first);
    let since = harbour.relay.cursor().expect("a cursor");
    harbour.publish(&mut north, &[Do::Put(3)]);
    assert_eq!(harbour.told(&west.id(), &since), [format!("deltas {n} 1")]);
}

#[test]
fn deltas_of_one_feed_that_follow_each_other_are_one_section() {
    let (mut north, mut south, west) = (Origin::new(1), Origin::new(2), Origin::new(3));
    let mut harbour = Harbour::with(&[&north, &south, &west]);
    harbour.publish(&mut north, &[Do::Put(9)]);
    harbour.publish(&mut south, &[Do::Put(9)]);
    let since = harbour.relay.cursor().expect("a cursor");
    for n in 1..=3 {
        harbour.publish(&mut north, &[Do::Put(n)]);
    }
    harbour.publish(&mut south, &[Do::Put(1)]);
    harbour.publish(&mut north, &[Do::Retract(1)]);
    let (n, s) = (north.id().short(), south.id().short());
    let all = [
        format!("deltas {n} 3"),
        format!("deltas {s} 1"),
        format!("deltas {n} 1"),
    ];
    assert_eq!(harbour.told(&west.id(), &since), all);
    // Its own are left out, and stand in the first line.
    let own = harbour.changes(&north.id(), &since);
    assert_eq!(sections(&own.body), all[1..2]);
    assert_eq!(own.section.own, [north.held()]);
    assert_eq!((own.section.deltas, own.section.items), (1, 1));

    // Whom one does not follow is not told, and the cursor goes on all the same.
    let mut list = FollowList {
        counter: 9,
        ..FollowList::default()
    };
    list.add(south.id());
    harbour.put_follows(&west.id(), &list);
    let followed = harbour.changes(&west.id(), &since);
    assert_eq!(sections(&followed.body), all[1..2]);
    assert_eq!(
        followed.section.cursor,
        harbour.relay.cursor().expect("a cursor")
    );
    assert_eq!(followed.section.follows.hash, list.hash());
}

#[test]
fn a_line_that_was_taken_back_is_served_as_its_entry() {
    let (mut north, south) = (Origin::new(1), Origin::new(2));
    let mut harbour = Harbour::with(&[&north, &south]);
    harbour.publish(&mut north, &[Do::Put(1), Do::Put(2)]);
    harbour.publish(&mut north, &[Do::Retract(1), Do::Put(2)]);
    let body = harbour.changes(&south.id(), &harbour.start()).body;
    let text = String::from_utf8(body.clone()).expect("text");
    assert!(!text.contains("record 1 of") && !text.contains("revision 1"));
    assert!(text.contains("record 2 of"));
    let mut follower = Follower::new();
    assert_eq!(follower.take(&body), ["append"]);
    follower.check(0);
}

#[test]
fn a_cursor_of_another_history_is_refused() {
    let (mut north, south) = (Origin::new(1), Origin::new(2));
    let mut harbour = Harbour::with(&[&north, &south]);
    harbour.publish(&mut north, &[Do::Put(1)]);
    let last = harbour.relay.cursor().expect("a cursor");
    let refused = |cursor: Cursor| {
        let changes = harbour
            .relay
            .changes(&south.id(), &cursor, PageLimits::default(), now());
        changes.expect("readable arrivals").err()
    };
    assert_eq!(refused(last), None);
    let others = [
        Cursor {
            log: LogId([9; 16]),
            ..last
        },
        Cursor {
            n: last.n + 1,
            ..last
        },
        Cursor {
            n: last.n - 1,
            ..last
        },
        Cursor {
            running: [0; 8],
            ..last
        },
    ];
    for other in others {
        assert_eq!(refused(other), Some(CursorRefused::Unknown), "{other}");
    }
}

#[test]
fn heads_come_in_pages_of_whole_origins_and_say_where_they_stand() {
    let mut origins: Vec<Origin> = (1..=5).map(Origin::new).collect();
    let mut harbour = Harbour::with(&origins.iter().collect::<Vec<_>>());
    for origin in &mut origins {
        harbour.publish(origin, &[Do::Put(1), Do::Comment(2), Do::Put(3)]);
    }
    let reader = origins[0].id();
    let mut wanted: Vec<_> = origins[1..].iter().map(Origin::held).collect();
    wanted.sort_by_key(|held| held.origin);
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let heads = harbour
            .relay
            .heads(&reader, after.as_ref(), 3, now())
            .expect("heads");
        assert_eq!(heads.cursor, harbour.relay.cursor().expect("a cursor"));
        assert_eq!(heads.own, [origins[0].held()]);
        for feed in heads.feeds {
            assert_eq!(feed.live, 3);
            let kinds: Vec<_> = feed
                .kinds
                .iter()
                .map(|(kind, n)| (kind.as_str(), *n))
                .collect();
            assert_eq!(kinds, [("comment", 1), ("request", 2)]);
            seen.push(feed.head);
        }
        after = heads.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, wanted);
}

#[test]
fn what_waits_is_counted_from_what_was_seen() {
    let (mut north, south) = (Origin::new(1), Origin::new(2));
    let mut harbour = Harbour::with(&[&north, &south]);
    for n in 1..=3 {
        harbour.publish(&mut north, &[Do::Put(n)]);
    }
    let pending = |harbour: &Harbour| harbour.relay.pending(&south.id(), now()).expect("a number");
    assert_eq!(pending(&harbour), 4);
    harbour
        .write(|write| write.note_seen(&south.id(), 4, now()))
        .expect("a note");
    assert_eq!(pending(&harbour), 1);
}

/// An origin that invents kinds made the heads of everybody who follows it large.
#[test]
fn heads_name_the_kinds_with_most_records_and_not_all() {
    let (mut north, south) = (Origin::new(1), Origin::new(2));
    let mut harbour = Harbour::with(&[&north, &south]);
    let mut what: Vec<Do> = (0..100).map(Do::Invented).collect();
    what.extend([Do::Put(200), Do::Put(201)]);
    harbour.publish(&mut north, &what);
    let heads = harbour.relay.heads(&south.id(), None, 9, now());
    let feed = &heads.expect("heads").feeds[0];
    assert_eq!((feed.live, feed.kinds.len()), (102, 64));
    let named: Vec<&str> = feed
        .kinds
        .keys()
        .map(wb_core::scope::Kind::as_str)
        .collect();
    assert_eq!(
        (named[0], named[62], named[63]),
        ("invented_000", "invented_062", "request")
    );
}
