//! An instance that goes on in a new log: who is there already downloads a delta, others a snapshot.

use wb_core::scope::{FeedScope, Scope};
use wb_core::sync::Policy;
use wb_node::entropy;
use wb_store::NewLog;

use super::world::{HubUp, Member, titles};

/// Lets the next sealing open another log.
fn due(member: &mut Member, opens: NewLog) {
    let mut store = wb_store::Store::open(&member.home()).expect("it opens");
    let write = store.write().expect("a transaction");
    write
        .due_new_log(FeedScope::Public, opens, "a test", entropy::now())
        .expect("it is noted");
    write.commit().expect("it counts");
}

/// North, South who follows it, and a hub between.
fn street() -> (HubUp, Member, Member) {
    let hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    for member in [&mut north, &mut south] {
        member.register(&hub);
    }
    south.follow_all(&hub, &[north.id()]);
    (hub, north, south)
}

#[test]
fn who_is_at_the_head_downloads_nothing_but_the_delta_that_opens_a_new_log() {
    let (hub, mut north, mut south) = street();
    for number in 0..5 {
        north.ask(&format!("Number {number}"), Scope::Public);
    }
    assert_eq!(north.sync(&hub).end, None);
    assert_eq!(south.sync(&hub).end, None);
    let before = north.head(north.id()).expect("it sealed");

    due(&mut north, NewLog::Follow);
    let synced = north.sync(&hub);

    assert_eq!((synced.end, synced.published.new_logs), (None, 1));
    let head = north.head(north.id()).expect("it sealed");
    assert_eq!((head.generation, head.seq), (before.generation + 1, 0));
    assert_ne!(head.log, before.log);
    let pulled = south.sync(&hub);
    assert_eq!(pulled.end, None);
    assert_eq!((pulled.tally.deltas, pulled.tally.snapshots), (1, 0));
    assert_eq!(pulled.tally.set_aside, []);
    south.assert_equals(&north);
    // It is opened once, and both go on in it.
    north.ask("After that", Scope::Public);
    assert_eq!(north.sync(&hub).published.new_logs, 0);
    assert_eq!(south.sync(&hub).end, None);
    south.assert_equals(&north);
    assert_eq!(titles(&south).len(), 6);
    for member in [&mut north, &mut south] {
        member.assert_sound();
    }
}

#[test]
fn who_is_elsewhere_takes_a_snapshot_of_a_new_log() {
    let (hub, mut north, mut south) = street();
    let mut other = HubUp::start("Pier", Policy::Open);
    north.register(&other);
    north.ask("Both have this", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    assert_eq!(north.sync(&other).end, None);
    let behind = other.copy();
    north.ask("The pier loses this", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    assert_eq!(north.sync(&other).end, None);
    other.restore(&behind);

    due(&mut north, NewLog::Follow);
    let asked = north.ask("In the new log", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);

    // No delta leads from where the pier stands into the new log.
    let pushed = north.sync(&other);
    assert_eq!(pushed.end, None, "{pushed:?}");
    assert_eq!(other.heads(north.id()).own, hub.heads(north.id()).own);
    let kept = north.head(north.id());
    assert_eq!(other.heads(north.id()).own.first(), kept.as_ref());
    // And south, which was never here before, takes the whole.
    assert_eq!(south.sync(&hub).end, None);
    south.assert_equals(&north);
    north.take_back(&asked);
    for hub in [&hub, &other] {
        assert_eq!(north.sync(hub).end, None);
    }
    assert_eq!(south.sync(&hub).end, None);
    south.assert_equals(&north);
    assert_eq!(titles(&south).len(), 2);
}

#[test]
fn a_log_that_starts_afresh_puts_everything_that_stays_above_all_that_was_seen() {
    let (hub, mut north, mut south) = street();
    let stays = north.ask("It stays", Scope::Public);
    let goes = north.ask("It goes", Scope::Public);
    let gone = north.ask("It went before", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    north.take_back(&gone);
    assert_eq!(north.sync(&hub).end, None);
    north.take_back(&goes);
    due(&mut north, NewLog::Afresh);
    let actor = north.actor();

    let (_, published) =
        wb_node::command::publish::publish(&mut north.node, &actor).expect("it seals");

    assert_eq!(published.new_logs, 1);
    let head = north.head(north.id()).expect("it sealed");
    assert_eq!((head.generation, head.seq), (1, 0));
    let store = north.node.store();
    let sealed = store.sealed(&stays.id).expect("a store");
    assert_eq!((sealed.len(), sealed[0].rev), (1, 2));
    assert_eq!(store.sealed(&goes.id).expect("a store"), []);
    // What was taken back stays in the list that everybody gets.
    let rows = store
        .served()
        .snapshot(&north.id(), FeedScope::Public)
        .expect("a store")
        .expect("a feed");
    assert_eq!(rows.totals.retracted, 1);
    north.assert_sound();
    // A newcomer takes it, and goes on in it.
    let other = HubUp::start("Pier", Policy::Open);
    north.register(&other);
    south.register(&other);
    assert_eq!(north.sync(&other).end, None);
    south.follow_all(&other, &[north.id()]);
    assert_eq!(south.sync(&other).end, None);
    south.assert_equals(&north);
    assert_eq!(titles(&south), ["It stays"]);
}
