//! What is decided about a peer on one side holds against its calls.

use wb_core::scope::Scope;
use wb_core::sync::PeerCause;
use wb_node::command::peer_block::peer_block;
use wb_node::command::peer_forget::{peer_forget, refusal_forget};
use wb_node::query::sync_log::{also, run};

use super::street::{House, contains, titles};

fn pair() -> (House, House) {
    let (mut elm, mut oak) = (House::open("Elm"), House::quiet("Oak"));
    oak.pair_with(&mut elm);
    oak.ask("A ladder", Scope::Public);
    oak.sync(elm.id());
    elm.show(oak.id());
    (elm, oak)
}

fn end(oak: &mut House, elm: &House) -> Option<PeerCause> {
    oak.sync(elm.id()).end.map(|(cause, _)| cause)
}

#[test]
fn whoever_is_refused_is_answered_nothing_and_nothing_of_it_is_shown() {
    let (mut elm, mut oak) = pair();
    assert_eq!(titles(&elm), ["A ladder"]);
    let (actor, id) = (elm.actor(), oak.id());
    let emptied = peer_block(&mut elm.node, &actor, id).expect("an admin may");
    assert!(titles(&elm).is_empty());
    // It was followed nowhere, and its words are gone all the same.
    assert!(emptied > 0);
    assert!(!contains(&elm.bytes(), "A ladder"));
    oak.ask("A saw", Scope::Public);
    assert_eq!(end(&mut oak, &elm), Some(PeerCause::NotPaired));
    assert!(titles(&elm).is_empty());
    refusal_forget(&mut elm.node, &actor, &id).expect("it is refused");
    assert_eq!(end(&mut oak, &elm), None);
    assert!(titles(&elm).is_empty(), "it has to be decided about anew");
    elm.show(oak.id());
    assert_eq!(titles(&elm), ["A ladder", "A saw"]);
}

#[test]
fn whoever_is_forgotten_has_to_pair_again_and_what_it_shared_stays() {
    let (mut elm, mut oak) = pair();
    let actor = elm.actor();
    let peer = elm.node.store().peer(&oak.id()).expect("a store");
    peer_forget(&mut elm.node, &actor, &peer.expect("it is paired")).expect("an admin may");
    assert_eq!(elm.node.store().pair(&oak.id()).expect("a store"), None);
    assert_eq!(end(&mut oak, &elm), Some(PeerCause::NotPaired));
    assert_eq!(titles(&elm), ["A ladder"]);
}

#[test]
fn what_went_straight_to_a_peer_is_listed_and_a_record_names_that_road() {
    let (elm, mut oak) = pair();
    let saw = oak.ask("A saw", Scope::Public);
    let run_no = oak.sync(elm.id()).run_no.expect("it moved something");
    let rows = run(&oak.node, run_no).expect("a run").1;
    let went = rows.iter().filter(|row| row.way == "went");
    let went: Vec<_> = went.map(|row| row.id).collect();
    assert_eq!(went, [saw.id]);
    // It came by one road, and no other was seen.
    assert!(also(&elm.node, &saw).expect("a store").is_empty());
    let road = wb_node::query::sync_log::road(&elm.node, &saw).expect("a store");
    assert_eq!(
        road.map(|road| (road.road, road.name)),
        Some(("direct", "Oak".to_owned()))
    );
}
