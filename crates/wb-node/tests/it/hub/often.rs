//! A hub that grants only so many requests, and nodes that honour it. What came is counted, and no time
//! is looked at.

use wb_core::scope::Scope;
use wb_core::sync::{PeerCause, Phase, Policy};
use wb_hub::{HubLimits, Rate};
use wb_node::entropy;

use super::world::{HubUp, Member};

/// One request after the other, and never two at once.
const SPARING: Rate = Rate {
    burst: 2,
    every_ms: 100,
};

/// Three requests, and then none for an hour.
const SPENT: Rate = Rate {
    burst: 3,
    every_ms: 3_600_000,
};

fn member_rate(member: Rate) -> HubLimits {
    HubLimits {
        member,
        ..HubLimits::default()
    }
}

/// A hub with two members: one published, one follows everybody and has nothing yet.
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

#[test]
fn a_node_that_is_told_to_wait_a_little_waits_and_takes_everything() {
    let (mut hub, alice, mut bob) = world(4);
    // Each record is a page of its own.
    hub.page_bytes(1);
    hub.limit(member_rate(SPARING));
    let synced = bob.sync(&hub);
    assert_eq!(synced.end, None);
    assert_eq!(bob.live_lines(alice.id()), alice.live_lines(alice.id()));
}

#[test]
fn a_node_that_is_told_to_wait_for_long_keeps_what_it_has_and_comes_again_later() {
    let (mut hub, alice, mut bob) = world(2);
    assert_eq!(bob.sync(&hub).end, None);
    let held = bob.live_lines(alice.id());
    hub.page_bytes(1);
    hub.limit(member_rate(SPENT));
    bob.edit_peer(&hub, |peer| peer.cursor = None);
    // Somebody looks at the screen again and again.
    for _ in 0..3 {
        bob.sync(&hub);
    }
    let synced = bob.sync(&hub);
    let (cause, detail) = synced.end.expect("it is refused");
    assert_eq!((cause, cause.phase()), (PeerCause::TooMany, Phase::Waiting));
    assert_eq!(
        detail,
        "this instance asks too often; nothing was changed (too_many)"
    );
    // Refusals are not counted again and again: the wait is the hour that was told.
    let now = entropy::now();
    let half_an_hour = now.plus_ms(1_800_000);
    assert!(!synced.state.may_try(half_an_hour));
    assert_eq!(bob.live_lines(alice.id()), held);
    assert_eq!(alice.live_lines(alice.id()), held);
}

#[test]
fn a_large_bootstrap_is_never_told_to_wait() {
    let (mut hub, alice, mut bob) = world(150);
    // As many pages as some 600 MB have.
    hub.page_bytes(1);
    let synced = bob.sync(&hub);
    assert_eq!(synced.end, None);
    assert_eq!(
        bob.live_lines(alice.id()).len(),
        alice.live_lines(alice.id()).len()
    );
    assert!(synced.round_trips > 150, "{}", synced.round_trips);
}
