//! What a rehearsal of a sync shows, and that nobody waits for it.

use std::thread;
use std::time::Duration;

use wb_core::scope::Scope;
use wb_core::sync::{PeerCause, Policy};
use wb_node::Node;
use wb_node::command::request_add::{RequestAdd, request_add};
use wb_node::command::sync::SyncInput;

use super::world::{BOTH_WAYS, HubUp, Member, titles};

const DRY: SyncInput = SyncInput {
    pull: true,
    push: true,
    dry_run: true,
    wait: Duration::ZERO,
};

/// A hub, somebody who published a little, and somebody who follows and has nothing.
fn world(records: usize) -> (HubUp, Member, Member) {
    let hub = HubUp::start("Harbour", Policy::Open);
    let mut alice = Member::found("North");
    for n in 0..records {
        alice.ask(&format!("Ladder {n}"), Scope::Public);
    }
    alice.register(&hub);
    assert_eq!(alice.sync(&hub).end, None);
    let mut bob = Member::found("South");
    bob.register(&hub);
    bob.follow_all(&hub, &[alice.id()]);
    (hub, alice, bob)
}

/// The rehearsal held the write lock while it waited for the hub, so that a member could write nothing for as
/// long as a hub was slow.
#[test]
fn who_writes_does_not_wait_for_a_dry_run_that_waits_for_a_slow_hub() {
    let (hub, alice, mut bob) = world(2);
    let pages = hub.seam().gate();
    let home = bob.home();
    thread::scope(|scope| {
        scope.spawn(move || {
            let page = pages.recv().expect("the dry run asks for a snapshot");
            let mut other = Node::open(&home).expect("another command");
            let actor = other.actor(None).expect("the founder");
            let input = RequestAdd {
                title: "A saw",
                description: "Please.",
                scope: Scope::Private,
            };
            request_add(&mut other, &actor, &input).expect("nobody else writes");
            drop(page);
        });
        let synced = bob.sync_as(&hub, DRY);
        assert_eq!(synced.end, None);
        assert!(!synced.changed.is_empty());
    });
    assert_eq!(bob.live_lines(alice.id()), Vec::<Vec<u8>>::new());
    assert_eq!(titles(&bob), ["A saw"]);
}

#[test]
fn a_dry_run_lists_what_the_sync_then_does_however_many_pages_that_takes() {
    let (mut hub, mut alice, mut bob) = world(5);
    hub.page_bytes(1);
    let dry = bob.sync_as(&hub, DRY);
    let done = bob.sync_as(&hub, BOTH_WAYS);
    assert_eq!((&dry.end, &done.end), (&None, &None));
    assert_eq!(dry.changed.len() as u64, done.tally.new);
    assert_eq!(dry.tally.snapshots, 1);

    // By changes, a page each.
    for n in 5..9 {
        alice.ask(&format!("Ladder {n}"), Scope::Public);
        assert_eq!(alice.sync(&hub).end, None);
    }
    let before = bob.live_lines(alice.id());
    let dry = bob.sync_as(&hub, DRY);
    assert_eq!((dry.end, dry.changed.len(), dry.tally.deltas), (None, 4, 4));
    assert_eq!(bob.live_lines(alice.id()), before);
    let done = bob.sync_as(&hub, BOTH_WAYS);
    assert_eq!((done.tally.new, done.tally.deltas), (4, 4));
}

#[test]
fn a_dry_run_that_a_hub_refuses_says_so() {
    let (hub, _alice, mut bob) = world(1);
    let suspend = wb_hub::Decision::Suspend {
        reason: "too much noise".to_owned(),
        until: None,
    };
    hub.decide(bob.id(), suspend);
    let (cause, _) = bob.sync_as(&hub, DRY).end.expect("it is refused");
    assert_eq!(cause, PeerCause::Suspended);
}
