//! A member whose key was stolen recovers: what the thief pushed is not handed on any more, and whoever
//! follows ends with what the owner has.

use wb_core::bundle::Driver;
use wb_core::sync::AgainSection;
use wb_store::relay::{LinesAsk, NotServed, RelaySink, SnapshotRefused};

use super::follower::Follower;
use super::harbour::Harbour;
use super::snapshots::{ask, page};
use crate::origin::{Do, Origin, now};

/// A hub that a thief pushed to, the owner's own copy, and who follows.
struct Theft {
    hub: Harbour,
    /// What the owner holds: what it sealed itself.
    own: Harbour,
    north: Origin,
    south: Origin,
    follower: Follower,
    cursor: wb_core::sync::Cursor,
}

impl Theft {
    fn new() -> Self {
        let (mut north, south) = (Origin::new(1), Origin::new(2));
        let mut hub = Harbour::with(&[&north, &south]);
        let mut own = Harbour::with(&[&north]);
        for what in [&[Do::Put(1), Do::Put(2)][..], &[Do::Put(3)]] {
            let delta = north.seal(what);
            assert_eq!(own.push(&delta).as_str(), "append");
            assert_eq!(hub.push(&delta).as_str(), "append");
        }
        let mut thief = north.thief();
        hub.publish(&mut thief, &[Do::Retract(1), Do::Put(2), Do::Put(66)]);
        hub.publish(&mut thief, &[Do::Put(67)]);
        let mut theft = Self {
            cursor: hub.start(),
            hub,
            own,
            north,
            south,
            follower: Follower::new(),
        };
        theft.pull();
        assert_eq!(theft.follower.held(), [thief.held()]);
        theft
    }

    /// The follower takes what arrived since; returns the head that it is to take by snapshot.
    fn pull(&mut self) -> Option<AgainSection> {
        let changes = self.hub.changes(&self.south.id(), &self.cursor);
        self.follower.take(&changes.body);
        self.cursor = changes.section.cursor;
        let lines = changes.body.split(|byte| *byte == b'\n');
        let mut agains = lines.filter(|line| line.starts_with(AgainSection::START));
        agains
            .next()
            .map(|line| AgainSection::read(line).expect("a good line"))
    }

    fn recover(&mut self) {
        self.north.recover();
        for harbour in [&mut self.hub, &mut self.own] {
            harbour
                .write(|write| write.push_identity(&self.north.identity, now()))
                .expect("a stored log");
        }
    }

    /// A whole snapshot out of one of the files.
    fn snapshot(&self, of: &Harbour) -> Vec<u8> {
        page(of, &ask(&self.north, usize::MAX)).expect("a page").1
    }

    /// Pushes the owner's snapshot to the hub.
    fn push_snapshot(&mut self) -> &'static str {
        let body = self.snapshot(&self.own);
        let pusher = self.north.id();
        self.hub.write(|write| {
            let mut sink = RelaySink::new(write, pusher, now());
            let mut driver = Driver::sections();
            for line in body
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
            {
                driver.push(line, &mut sink).expect("a readable store");
            }
            assert_eq!(driver.finish(), Ok(()));
            driver.feeds()[0].outcome
        })
    }
}

#[test]
fn what_a_thief_pushed_is_not_handed_on_after_the_recovery() {
    let mut theft = Theft::new();
    theft.recover();

    let (hub, reader) = (&theft.hub, theft.south.id());
    let id = theft.north.id().short();
    // Two entries of its log, and the two deltas that are its own.
    let told = hub.told(&reader, &hub.start());
    assert_eq!(told, [format!("identity {id} 2"), format!("deltas {id} 2")]);
    let heads = hub.relay.heads(&reader, None, 10, now()).expect("heads");
    assert_eq!(heads.feeds, []);
    let refused = page(hub, &ask(&theft.north, usize::MAX)).err();
    assert_eq!(refused, Some(SnapshotRefused::NotFound));
    let lines = LinesAsk {
        origin: theft.north.id(),
        scope: wb_core::scope::FeedScope::Public,
        after: None,
        kinds: None,
        newest: None,
        only: None,
        bytes: usize::MAX,
    };
    let lines = hub.relay.lines_page(&lines, now()).expect("readable");
    assert_eq!(lines.err(), Some(NotServed));

    // Who followed before hears of the recovery.
    assert_eq!(theft.pull(), None);
    theft.follower.check(0);
}

/// A hub that keeps deltas for a short time has forgotten what the headers of the thief said, but the last one.
#[test]
fn what_a_thief_pushed_is_void_also_where_its_headers_were_forgotten() {
    let mut theft = Theft::new();
    let arrived = theft
        .hub
        .relay
        .arrivals_before(now().plus_ms(60_000))
        .expect("a store");
    theft
        .hub
        .write(|write| write.forget_before(arrived))
        .expect("a store");
    theft.recover();

    let file = rusqlite::Connection::open(theft.hub.path()).expect("a file");
    let counts = |void: i64| -> Vec<(String, i64)> {
        let sql = "SELECT op, count(*) FROM feed_lines WHERE void = ?1 AND seq >= 2 GROUP BY op ORDER BY op";
        let mut statement = file.prepare(sql).expect("a table");
        let rows = statement.query_map([void], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.expect("rows").map(|row| row.expect("a row")).collect()
    };
    assert_eq!(
        counts(0),
        [],
        "the thief's retract would keep the record away"
    );
    let void: i64 = counts(1).iter().map(|(_, count)| count).sum();
    assert_eq!(void, 4);
    theft.north.open(9, 1);
    let delta = theft.north.seal(&[Do::Put(1), Do::Put(4)]);
    assert_eq!(theft.own.push(&delta).as_str(), "append");
    assert_eq!(theft.push_snapshot(), "take");
    for finding in theft.hub.relay.check().expect("a check") {
        assert_eq!(finding.problems, [""; 0], "{}", finding.check);
    }
}

#[test]
fn followers_end_with_what_the_owner_has() {
    let mut theft = Theft::new();
    theft.recover();
    theft.north.open(9, 1);
    let delta = theft.north.seal(&[Do::Put(1), Do::Put(4)]);
    assert_eq!(theft.own.push(&delta).as_str(), "append");
    assert_eq!(theft.hub.push(&delta).as_str(), "need_snapshot");
    assert_eq!(theft.push_snapshot(), "take");

    // Who followed before: changes, and the snapshot that they name.
    let again = theft.pull().expect("the feed moved by more than deltas");
    assert_eq!(again.head, theft.north.held());
    let body = theft.snapshot(&theft.hub);
    assert_eq!(theft.follower.take(&body), ["take"]);
    // Who comes new.
    let mut newcomer = Follower::new();
    assert_eq!(newcomer.take(&body), ["take"]);
    let mut reader = Follower::new();
    let changes = theft.hub.changes(&theft.south.id(), &theft.hub.start());
    assert_eq!(reader.take(&changes.body)[0], "append");
    assert_eq!(reader.take(&body), ["take"]);

    // From there it goes on by deltas.
    let delta = theft.north.seal(&[Do::Retract(2)]);
    assert_eq!(theft.own.push(&delta).as_str(), "append");
    assert_eq!(theft.hub.push(&delta).as_str(), "append");
    assert_eq!(theft.pull(), None);
    let changes = theft
        .hub
        .changes(&theft.south.id(), &changes.section.cursor);
    for follower in [&mut newcomer, &mut reader] {
        follower.take(&changes.body);
    }
    for follower in [&mut theft.follower, &mut newcomer, &mut reader] {
        assert_eq!(follower.held(), [theft.north.held()]);
        follower.check(0);
        let feeds = follower.node.store.served().feeds().expect("feeds");
        assert_eq!(feeds[0].live_n, theft.north.live_n() as u64);
    }
    for finding in theft.hub.relay.check().expect("a check") {
        assert_eq!(finding.problems, [""; 0], "{}", finding.check);
    }
}
