//! Vouches between peers without a hub: two that never met, and the one that both know.

use std::collections::BTreeSet;

use wb_core::id::InstanceId;
use wb_core::kinds::Level;
use wb_node::command::vouch::{VouchAdd, vouch_add, vouch_revoke};
use wb_node::query::trust::why;
use wb_node::query::trust_graph::graph;

use super::street::House;

fn vouch(issuer: &House, subject: InstanceId) {
    let input = VouchAdd {
        subject,
        level: Level::Trusted,
        basis: "We met at the market",
        months: 12,
    };
    vouch_add(&issuer.node, &issuer.actor(), &input, None).expect("an admin may");
}

fn level(house: &House, of: &House) -> u8 {
    why(&house.node, of.id()).expect("another").level
}

/// The vouches of a graph, wherever it is looked at from.
fn arrows(house: &House) -> BTreeSet<(InstanceId, InstanceId)> {
    let graph = graph(&house.node).expect("a store");
    let counts = graph
        .vouches
        .iter()
        .filter(|vouch| vouch.counts_not.is_none());
    counts
        .map(|vouch| (vouch.issuer.id, vouch.subject.id))
        .collect()
}

#[test]
fn two_that_never_met_have_one_graph_by_the_vouches_of_a_direct_peer() {
    let mut east = House::open("East");
    let (mut north, mut south) = (House::quiet("North"), House::quiet("South"));
    for one in [&mut north, &mut south] {
        one.pair_with(&mut east);
        one.show(east.id());
        east.show(one.id());
    }
    vouch(&east, north.id());
    vouch(&east, south.id());
    east.seal();
    let sync = |north: &mut House, south: &mut House, east: &House| {
        for one in [north, south] {
            assert_eq!(one.sync(east.id()).end, None);
        }
    };
    sync(&mut north, &mut south, &east);
    assert_eq!(level(&north, &south), 2);
    assert_eq!(level(&south, &north), 2);
    assert_eq!(arrows(&north), arrows(&south));
    assert_eq!(arrows(&north).len(), 2);

    vouch_revoke(&east.node, &east.actor(), south.id(), None).expect("it vouched");
    vouch_revoke(&east.node, &east.actor(), north.id(), None).expect("it vouched");
    east.seal();
    sync(&mut north, &mut south, &east);
    assert_eq!((level(&north, &south), level(&south, &north)), (0, 0));
    assert!(arrows(&north).is_empty());
    north.assert_sound();
}
