//! Two nodes that never had a hub sync both ways, whichever of them can be called.

use std::time::Duration;

use wb_core::scope::Scope;
use wb_core::sync::{Notice, PeerCause};
use wb_node::command::sync::SyncInput;
use wb_node::query::peers::peer_view;
use wb_node::query::sync_log;
use wb_store::Road;

use super::street::{BOTH_WAYS, House, contains, titles};

const PREVIEW: SyncInput = SyncInput {
    dry_run: true,
    ..BOTH_WAYS
};

fn pair() -> (House, House) {
    let (mut elm, mut oak) = (House::open("Elm"), House::quiet("Oak"));
    oak.pair_with(&mut elm);
    (elm, oak)
}

#[test]
fn two_that_never_had_a_hub_sync_both_ways_though_only_one_can_be_called() {
    let (mut elm, mut oak) = pair();
    elm.ask("Soup on Friday", Scope::Public);
    elm.ask("NEVER-LEAVES-ELM", Scope::Private);
    oak.ask("A ladder", Scope::Public);
    oak.ask("NEVER-LEAVES-OAK", Scope::Private);
    elm.seal();

    // Oak calls, and both have everything of both.
    let synced = oak.sync(elm.id());
    assert_eq!(synced.end, None);
    oak.assert_has(&elm);
    elm.assert_has(&oak);
    // Nothing is shown before somebody looked at it.
    assert_eq!(titles(&oak), ["A ladder", "NEVER-LEAVES-OAK"]);
    assert_eq!(titles(&elm), ["NEVER-LEAVES-ELM", "Soup on Friday"]);
    assert!(synced.waiting.iter().any(|(id, ..)| *id == elm.id()));
    oak.show(elm.id());
    elm.show(oak.id());
    assert_eq!(
        titles(&oak),
        ["A ladder", "NEVER-LEAVES-OAK", "Soup on Friday"]
    );
    assert_eq!(
        titles(&elm),
        ["A ladder", "NEVER-LEAVES-ELM", "Soup on Friday"]
    );
    // What is private is in no byte of the other's files.
    assert!(
        contains(&elm.bytes(), "NEVER-LEAVES-ELM"),
        "the search finds"
    );
    assert!(!contains(&elm.bytes(), "NEVER-LEAVES-OAK"));
    assert!(!contains(&oak.bytes(), "NEVER-LEAVES-ELM"));

    // An idle sync is one round trip; one with news of ours has a turn and a delivery besides.
    assert_eq!(oak.sync(elm.id()).round_trips, 1);
    let ladder = oak.ask("Chairs", Scope::Public);
    let synced = oak.sync(elm.id());
    assert_eq!((synced.round_trips, synced.pushed.records), (3, 1));
    assert_eq!(titles(&elm).len(), 4);

    // What is taken back is gone there too.
    oak.take_back(&ladder);
    let synced = oak.sync(elm.id());
    assert_eq!((synced.end, synced.pushed.retracts), (None, 1));
    assert_eq!(titles(&elm).len(), 3);
    assert!(!contains(&elm.bytes(), "Chairs"), "its words are gone");
    elm.assert_has(&oak);

    // What was confirmed is told on both sides, and the log says by which road.
    let view = peer_view(&elm.node, &elm.peer(oak.id())).expect("a peer");
    assert_eq!(
        (view.confirmed.lacks_deltas, view.confirmed.records),
        (0, 2)
    );
    let view = peer_view(&oak.node, &oak.peer(elm.id())).expect("a peer");
    assert_eq!(view.confirmed.lacks_deltas, 0);
    for house in [&elm, &oak] {
        let runs = sync_log::runs(&house.node, 10, None).expect("a log");
        assert!(!runs.is_empty());
        assert!(runs.iter().all(|run| run.road == Road::Direct.as_str()));
        house.assert_sound();
    }
}

#[test]
fn a_preview_is_what_then_happens_and_changes_nothing() {
    let (mut elm, mut oak) = pair();
    elm.ask("Soup", Scope::Public);
    elm.ask("A ladder", Scope::Public);
    elm.seal();
    oak.ask("Chairs", Scope::Public);
    let before = (oak.head(elm.id()), oak.peer(elm.id()));
    let preview = oak.sync_as(elm.id(), PREVIEW);
    assert_eq!(preview.end, None);
    // Two requests, the card, and whoever asked is a pseudonym.
    let would_come = preview.changed.len();
    assert!(would_come >= 3, "{:?}", preview.changed);
    assert_eq!(preview.plan.map(|plan| plan.puts.len()), Some(2));
    assert_eq!((oak.head(elm.id()), oak.peer(elm.id())), before);
    let view = peer_view(&elm.node, &elm.peer(oak.id())).expect("a peer");
    assert_eq!(view.confirmed.records, 0, "a preview confirms nothing");
    let done = oak.sync(elm.id());
    assert_eq!(usize::try_from(done.tally.new), Ok(would_come));
}

#[test]
fn what_is_more_than_a_page_comes_page_by_page_and_in_parts() {
    let (mut elm, mut oak) = pair();
    // Twelve deltas of a megabyte each: more than a page, less than a body.
    for n in 0..12 {
        let text = format!("{n} {}", "long ".repeat(3_900));
        for m in 0..50 {
            elm.ask_with(&format!("Number {n} {m}"), &text);
        }
        elm.seal();
    }
    let preview = oak.sync_as(elm.id(), PREVIEW);
    assert_eq!(preview.end, None);
    assert_eq!(preview.changed.len(), 601);
    assert_eq!(oak.head(elm.id()), None);
    let synced = oak.sync(elm.id());
    assert_eq!((synced.end, synced.tally.new), (None, 601));
    assert!(synced.round_trips > 2, "{}", synced.round_trips);
    oak.assert_has(&elm);

    // Whoever holds the feed by a snapshot only hands it on as one, in parts.
    let mut pine = House::quiet("Pine");
    pine.pair_with(&mut elm);
    elm.forget_deltas();
    let synced = pine.sync(elm.id());
    assert_eq!((synced.end, synced.tally.snapshots), (None, 1));
    assert!(synced.round_trips > 2, "{}", synced.round_trips);
    pine.assert_has(&elm);
    // And by an own delivery, whole.
    let mut ash = House::open("Ash");
    elm.pair_with(&mut ash);
    assert_eq!(elm.sync(ash.id()).end, None);
    ash.assert_has(&elm);
}

#[test]
fn a_peer_that_goes_away_in_the_middle_is_gone_on_with() {
    let (mut elm, mut oak) = pair();
    elm.ask("Soup", Scope::Public);
    elm.seal();
    oak.ask("A ladder", Scope::Public);
    let address = elm.socket();
    elm.cut_off();
    let ended = oak.sync(elm.id());
    assert_eq!(ended.end.map(|end| end.0), Some(PeerCause::Unreachable));
    assert_eq!(ended.state.failures, 1);
    elm.listen(address);
    assert_eq!(oak.sync(elm.id()).end, None);
    oak.assert_has(&elm);
    elm.assert_has(&oak);
}

#[test]
fn whoever_waits_is_answered_as_soon_as_there_is_something() {
    let (mut elm, mut oak) = pair();
    elm.seal();
    oak.sync(elm.id());
    let input = SyncInput {
        wait: Duration::from_secs(20),
        ..BOTH_WAYS
    };
    let started = wb_node::entropy::now();
    let home = elm.home();
    let writer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(500));
        let mut node = wb_node::Node::open(&home).expect("it opens");
        let actor = node.actor(None).expect("the founder");
        let request = wb_node::command::request_add::RequestAdd {
            title: "Soup",
            description: "Please.",
            scope: Scope::Public,
        };
        wb_node::command::request_add::request_add(&mut node, &actor, &request).expect("a request");
        wb_node::command::publish::publish(&mut node, &actor).expect("it seals");
    });
    let synced = oak.sync_as(elm.id(), input);
    writer.join().expect("it writes");
    assert_eq!(synced.end, None);
    let now = wb_node::entropy::now();
    assert!(now < started.plus_ms(15_000), "it waited on");
    oak.assert_has(&elm);
}

#[test]
fn an_older_copy_has_its_history_back_from_a_peer() {
    let (elm, mut oak) = pair();
    oak.ask("A ladder", Scope::Public);
    oak.sync(elm.id());
    let copy = oak.copy();
    oak.ask("Chairs", Scope::Public);
    oak.sync(elm.id());
    let there = elm.head(oak.id());
    oak.become_copy(&copy);
    assert_ne!(oak.head(oak.id()), there);
    // Its guard is of the later state: it seals nothing, and takes back what the peer has of it.
    let cause = oak.sync(elm.id()).end.map(|end| end.0);
    assert_eq!(cause, Some(PeerCause::OlderCopy));
    assert_eq!(oak.head(oak.id()), there, "its history came back");
    assert_eq!(elm.head(oak.id()), there);
    // Settled, it goes on from there in a new log.
    let actor = oak.actor();
    let input = wb_node::command::restore::Restore::default();
    let restored = wb_node::command::restore::restore(&mut oak.node, &actor, input);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let restored = runtime.block_on(restored).expect("the peer is there");
    assert_eq!(restored.came.back.len(), 1, "{restored:?}");
    oak.ask("A table", Scope::Public);
    let synced = oak.sync(elm.id());
    assert_eq!((synced.end, synced.published.new_logs), (None, 1));
    elm.assert_has(&oak);
}

#[test]
fn an_older_copy_of_a_peer_is_given_again_what_it_had_confirmed() {
    let (mut elm, mut oak) = pair();
    let copy = elm.copy();
    oak.ask("A ladder", Scope::Public);
    oak.sync(elm.id());
    let address = elm.socket();
    elm.cut_off();
    elm.become_copy(&copy);
    elm.listen(address);
    let synced = oak.sync(elm.id());
    assert_eq!(synced.end, None);
    assert!(synced.notices.contains(&Notice::HubLostOurs));
    elm.assert_has(&oak);
}

#[test]
fn of_two_running_copies_a_peer_tells_both_and_neither_gives_anything() {
    let (elm, mut oak) = pair();
    oak.ask("A ladder", Scope::Public);
    assert_eq!(oak.sync(elm.id()).end, None);
    let mut twin = oak.twin();
    oak.ask("Chairs", Scope::Public);
    assert_eq!(oak.sync(elm.id()).end, None);
    let (there, id) = (elm.head(oak.id()), oak.id());
    twin.ask("Soup", Scope::Public);
    for copy in [&mut twin, &mut oak] {
        copy.ask("A lift", Scope::Public);
        let cause = copy.sync(elm.id()).end.map(|end| end.0);
        assert_eq!(cause, Some(PeerCause::TwoCopies));
        assert_eq!(elm.head(id), there);
    }
}

#[test]
fn a_recovery_reaches_a_peer_that_a_thief_was_first_at() {
    let (mut elm, mut oak) = pair();
    let ladder = oak.ask("A ladder", Scope::Public);
    assert_eq!(oak.sync(elm.id()).end, None);
    elm.show(oak.id());
    let mut thief = oak.twin();
    thief.ask("Send money here", Scope::Public);
    thief.take_back(&ladder);
    assert_eq!(thief.sync(elm.id()).end, None);
    thief.rotate_by_command();
    thief.ask("And here", Scope::Public);
    assert_eq!(thief.sync(elm.id()).end, None);
    assert_eq!(titles(&elm), ["And here", "Send money here"]);
    let cause = oak.sync(elm.id()).end.map(|end| end.0);
    assert_eq!(cause, Some(PeerCause::KeyRetired));

    oak.recover();
    assert_eq!(oak.sync(elm.id()).end, None);
    assert_eq!(titles(&elm), ["A ladder"]);
    elm.assert_has(&oak);
    // What the thief says now is said with a key that counts for nothing.
    thief.ask("Here as well", Scope::Public);
    assert!(thief.sync(elm.id()).end.is_some());
    elm.assert_has(&oak);
    elm.assert_sound();
}
