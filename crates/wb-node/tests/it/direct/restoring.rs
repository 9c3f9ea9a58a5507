//! A lost disk where there is no hub: what was published comes back from a peer, also what another copy published.

use wb_core::scope::Scope;
use wb_core::sync::PeerCause;
use wb_node::command::restore::{Confirmed, Restore, Restored, confirm, restore};

use super::street::{House, titles};

fn settle(house: &mut House, offline: bool) -> wb_node::Result<Restored> {
    let actor = house.actor();
    let input = Restore {
        offline,
        bundles: &[],
    };
    let runtime = super::street::runtime();
    runtime.block_on(restore(&mut house.node, &actor, input))
}

fn came_back(restored: &Restored) -> Vec<&str> {
    let back = restored.came.back.iter();
    back.map(|told| told.headline.as_str()).collect()
}

/// The peer holds a branch that is shorter than what is here: it was thought to lack something, and gave nothing.
#[test]
fn what_another_copy_published_at_a_peer_comes_back_from_there() {
    let (mut elm, mut oak, mut ash) = (House::quiet("Elm"), House::open("Oak"), House::open("Ash"));
    elm.pair_with(&mut oak);
    elm.pair_with(&mut ash);
    let soup = elm.ask("Soup", Scope::Public);
    for peer in [&oak, &ash] {
        assert_eq!(elm.sync(peer.id()).end, None);
    }
    let mut twin = elm.twin();
    twin.ask("Of the other", Scope::Public);
    twin.take_back(&soup);
    assert_eq!(twin.sync(oak.id()).end, None);
    for title in ["One", "Two", "Three"] {
        elm.ask(title, Scope::Public);
        assert_eq!(elm.sync(ash.id()).end, None);
    }
    let (cause, _) = elm.sync(oak.id()).end.expect("two copies");
    assert!(matches!(
        cause,
        PeerCause::OwnIsAhead | PeerCause::TwoCopies
    ));

    let restored = settle(&mut elm, false).expect("the peers are there");

    assert_eq!(came_back(&restored), ["Of the other"]);
    for place in &restored.places {
        assert_eq!(place.trouble, None, "{}", place.name);
    }
    for peer in [&oak, &ash] {
        let synced = elm.sync(peer.id());
        assert_eq!(synced.end, None, "{synced:?}");
    }
    ash.show(elm.id());
    assert_eq!(titles(&ash), ["Of the other", "One", "Three", "Two"]);
    ash.assert_has(&elm);
    for house in [&elm, &ash] {
        house.assert_sound();
    }
    // Ash says that this is the newest copy, which it is; the other is told that it is none.
    let runtime = super::street::runtime();
    let confirmed = runtime.block_on(confirm(&elm.node)).expect("it answers");
    assert!(matches!(confirmed, Confirmed::By(_)));
    assert!(runtime.block_on(confirm(&twin.node)).is_err());
}
