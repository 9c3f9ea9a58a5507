//! What an operator decides about a peer: paused, tried again, refused, forgotten.

use wb_core::scope::Scope;
use wb_core::sync::{PeerCause, PeerEvent, Policy};
use wb_node::NodeError;
use wb_node::command::follow::{Target, follow};
use wb_node::command::peer_block::{find_instance, is_blocked, peer_block};
use wb_node::command::peer_contact::contacted;
use wb_node::command::peer_forget::{peer_forget, refusal_forget, what_stays};
use wb_node::command::peer_pause::{Every, peer_pause, peer_resume};
use wb_node::command::peer_retry::peer_retry;
use wb_node::command::sync::sync;
use wb_node::query::outbox::outbox;
use wb_node::query::peers::{goes_by_itself, peer_view};
use wb_node::query::refused::refused;
use wb_node::query::sync_log::run;
use wb_store::Standing;

use super::world::{BOTH_WAYS, HubUp, Member, titles};

/// North and South at a hub, South following everybody it lists and North by name.
fn world() -> (HubUp, Member, Member) {
    let hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    for member in [&mut north, &mut south] {
        member.register(&hub);
    }
    north.ask("A ladder", Scope::Public);
    north.sync(&hub);
    south.follow_all(&hub, &[north.id()]);
    south.sync(&hub);
    (hub, north, south)
}

#[test]
fn a_paused_peer_is_synced_with_when_it_is_named_and_what_waits_for_it_is_listed() {
    let (hub, mut north, _south) = world();
    let actor = north.actor();
    let peer = north.peer(&hub);
    peer_pause(&mut north.node, &actor, &peer).expect("an admin may");
    assert!(!goes_by_itself(&north.node, &north.peer(&hub)).expect("a store"));
    let view = peer_view(&north.node, &north.peer(&hub)).expect("a store");
    assert_eq!((view.phase, view.cause), ("idle", "paused"));
    assert!(view.sentence.contains("paused here"), "{}", view.sentence);

    let saw = north.ask("A saw", Scope::Public);
    north.seal();
    let waits = outbox(&north.node, &north.peer(&hub)).expect("a store");
    let waits: Vec<_> = waits.iter().map(|row| (row.id, row.action)).collect();
    assert_eq!(waits, [(saw.id, "put")]);
    // Naming it is the operator's word, and a sync does not end the pause.
    assert_eq!(north.sync(&hub).end, None);
    assert!(north.peer(&hub).paused);
    assert!(
        outbox(&north.node, &north.peer(&hub))
            .expect("a store")
            .is_empty()
    );

    let peer = north.peer(&hub);
    let every = Some(Every::Minutes(15));
    peer_resume(&mut north.node, &actor, &peer, every).expect("an admin may");
    let view = peer_view(&north.node, &north.peer(&hub)).expect("a store");
    assert_eq!((view.paused, view.auto.every_minutes), (false, Some(15)));
    let wrong = peer_resume(&mut north.node, &actor, &peer, Some(Every::Minutes(0)));
    assert!(matches!(wrong, Err(NodeError::Refused(_))), "{wrong:?}");
}

#[test]
fn what_went_out_by_a_sync_is_listed_and_stays_so_when_it_is_taken_back_later() {
    let (hub, mut north, _south) = world();
    let saw = north.ask("A saw", Scope::Public);
    let first = north.sync(&hub).run_no.expect("it moved something");
    let went = |north: &Member, run_no| {
        let rows = run(&north.node, run_no).expect("a run").1;
        let went = rows.into_iter().filter(|row| row.way == "went");
        went.map(|row| (row.id, row.action, row.live, row.headline))
            .collect::<Vec<_>>()
    };
    let put = |live: bool, text: &str| vec![(saw.id, "put", live, text.to_owned())];
    assert_eq!(went(&north, first), put(true, "A saw"));
    north.take_back(&saw);
    let second = north.sync(&hub).run_no.expect("it moved something");
    assert_eq!(went(&north, second)[0].1, "take back");
    // That it went is not forgotten, and its words are not kept for it.
    assert_eq!(went(&north, first), put(false, ""));
    assert_eq!(run(&north.node, first).expect("a run").0.pushed.records, 1);
}

#[test]
fn a_retry_and_whatever_is_heard_of_a_peer_end_its_wait() {
    let (mut hub, mut north, _south) = world();
    hub.down();
    for _ in 0..8 {
        let end = north.sync(&hub).end.expect("nobody answers");
        assert_eq!(end.0, PeerCause::Unreachable);
    }
    let waits = |north: &Member| {
        let view = peer_view(&north.node, &north.peer(&hub)).expect("a store");
        (view.failures, view.next_try.is_some())
    };
    assert_eq!(waits(&north), (8, true));
    // Of somebody else something is heard.
    let south = _south.id();
    contacted(&mut north.node, &south).expect("a store");
    assert_eq!(waits(&north), (8, true));
    contacted(&mut north.node, &hub.id()).expect("a store");
    assert_eq!(waits(&north), (0, false));

    north.sync(&hub);
    assert_eq!(waits(&north), (1, true));
    let (actor, peer) = (north.actor(), north.peer(&hub));
    peer_retry(&mut north.node, &actor, &peer).expect("an admin may");
    assert_eq!(waits(&north), (0, false));
    hub.up();
    assert_eq!(north.sync(&hub).end, None);
}

#[test]
fn what_a_hub_brings_of_a_peer_ends_the_wait_for_it() {
    let (hub, mut north, mut south) = world();
    // North is a direct peer of South as well, and was away for long.
    let mut direct = south.peer(&hub);
    direct.id = north.id();
    direct.name = "North".to_owned();
    direct.role = wb_core::sync::Role::Node;
    let mut state = wb_core::sync::PeerState::new(wb_node::entropy::now());
    for _ in 0..5 {
        let end = PeerEvent::Ended(PeerCause::Unreachable, String::new());
        state.on(wb_node::entropy::now(), end, 0);
    }
    direct.state = serde_json::to_string(&state).expect("a state serialises");
    let home = south.home();
    let mut store = wb_store::Store::open(&home).expect("it opens");
    let write = store.write().expect("a transaction");
    write.put_peer(&direct).expect("it is stored");
    write.commit().expect("it counts");
    let failures = |south: &Member| {
        let peer = south.node.store().peer(&direct.id).expect("a store");
        let view = peer_view(&south.node, &peer.expect("it is there")).expect("a store");
        (view.failures, view.next_try.is_some())
    };
    south.sync(&hub);
    assert_eq!(failures(&south), (5, true), "nothing was heard of it");
    north.ask("A saw", Scope::Public);
    north.sync(&hub);
    south.sync(&hub);
    assert_eq!(failures(&south), (0, false));
}

#[test]
fn a_refusal_lasts_whatever_a_hub_lists_and_whoever_follows_everybody() {
    let (hub, mut north, mut south) = world();
    assert_eq!(titles(&south), ["A ladder"]);
    let (actor, id) = (south.actor(), north.id());
    let found = find_instance(&south.node, "North").expect("it is known");
    assert_eq!(found, id);
    peer_block(&mut south.node, &actor, id).expect("an admin may");
    assert!(titles(&south).is_empty());

    north.ask("A saw", Scope::Public);
    north.sync(&hub);
    // Everybody is followed anew, the hub lists North, and its identity comes again.
    south.follow_all(&hub, &[]);
    south.edit_peer(&hub, |peer| {
        peer.follows.except.clear();
        peer.follows.counter += 1;
        peer.cursor = None;
    });
    south.sync(&hub);
    assert!(is_blocked(&south.node, &id).expect("a store"));
    assert!(titles(&south).is_empty());
    let by_name = follow(&mut south.node, &actor, None, &Target::Instance(id));
    assert!(matches!(by_name, Err(NodeError::Refused(_))), "{by_name:?}");
    let names: Vec<String> = refused(&south.node)
        .expect("a store")
        .into_iter()
        .map(|it| it.name)
        .collect();
    assert_eq!(names, ["North"]);

    refusal_forget(&mut south.node, &actor, &id).expect("it is refused");
    let standing = south.node.store().standing(&id).expect("a store");
    assert_eq!(
        standing,
        Some(Standing::Waiting),
        "it has to be decided about"
    );
    follow(&mut south.node, &actor, None, &Target::Instance(id)).expect("it is not refused");
    south.sync(&hub);
    assert_eq!(titles(&south), ["A ladder", "A saw"]);
}

#[test]
fn an_instance_that_is_refused_before_anything_of_it_came_is_refused_when_it_comes() {
    let (hub, mut north, mut south) = world();
    let mut east = Member::found("East");
    let (actor, id) = (south.actor(), east.id());
    peer_block(&mut south.node, &actor, id).expect("an admin may");
    south.assert_sound();
    east.register(&hub);
    east.ask("A kettle", Scope::Public);
    east.sync(&hub);
    north.sync(&hub);
    south.sync(&hub);
    assert!(is_blocked(&south.node, &id).expect("a store"));
    assert_eq!(titles(&south), ["A ladder"]);
    let own = south.id();
    let itself = peer_block(&mut south.node, &actor, own);
    assert!(matches!(itself, Err(NodeError::Refused(_))), "{itself:?}");
}

#[test]
fn a_refused_peer_is_not_called_even_when_it_is_named() {
    let (hub, _north, mut south) = world();
    let asked = hub.seam().listen();
    let (actor, id) = (south.actor(), hub.id());
    peer_block(&mut south.node, &actor, id).expect("an admin may");
    let peer = south.peer(&hub);
    let mut progress = |_, _| {};
    let named = sync(
        &mut south.node,
        &actor,
        peer.clone(),
        BOTH_WAYS,
        &mut progress,
    );
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let refused = runtime.block_on(named);
    assert!(matches!(refused, Err(NodeError::Refused(_))), "{refused:?}");
    assert!(peer_retry(&mut south.node, &actor, &peer).is_err());
    assert!(asked.try_recv().is_err(), "nobody asked the hub anything");
    let view = peer_view(&south.node, &south.peer(&hub)).expect("a store");
    assert_eq!(
        (view.phase, view.cause, view.blocked),
        ("blocked", "refused", true)
    );
}

#[test]
fn a_peer_that_is_forgotten_leaves_its_records_and_keeps_its_refusal() {
    let (hub, north, mut south) = world();
    let (actor, peer) = (south.actor(), south.peer(&hub));
    let every = Some(Every::Minutes(5));
    peer_resume(&mut south.node, &actor, &peer, every).expect("an admin may");
    let stays = what_stays(&south.node, &peer).expect("a store");
    assert_eq!(stays.unheard, [(north.id(), "North".to_owned())]);
    assert!(stays.registered && !stays.blocked);
    let member = wb_node::Actor {
        role: wb_store::Role::Steward,
        ..actor.clone()
    };
    let steward = peer_forget(&mut south.node, &member, &peer);
    assert!(
        matches!(steward, Err(NodeError::Forbidden { .. })),
        "{steward:?}"
    );
    peer_forget(&mut south.node, &actor, &peer).expect("an admin may");
    assert_eq!(south.node.store().peer(&hub.id()).expect("a store"), None);
    assert!(south.node.store().intervals().expect("a store").is_empty());
    assert_eq!(titles(&south), ["A ladder"], "records stay");
    south.assert_sound();
    // It can be met again.
    south.register(&hub);
    south.follow_all(&hub, &[north.id()]);
    assert_eq!(south.sync(&hub).end, None);
}
