//! Copies that are settled: what another copy took back or shares no more, and who cannot be asked.

use wb_core::leave::{Life, ProfileShares};
use wb_core::scope::Scope;
use wb_core::sync::Policy;
use wb_node::command::peer_block::peer_block;
use wb_node::command::peer_pause::peer_pause;
use wb_node::command::profile_edit::{ProfileEdit, profile_edit};

use super::restoring::{backup, come_back, erase, names, scope_of, settle, street};
use super::world::{HubUp, Member, titles};

const ALL: ProfileShares = ProfileShares {
    handle: true,
    display_name: true,
    bio: true,
    avatar: true,
    home: true,
    inviter: true,
    attributes: true,
};

fn tell_of_oneself(member: &mut Member, bio: &str, shares: ProfileShares) {
    let edit = ProfileEdit {
        display_name: Some("Alice"),
        bio: Some(bio),
        avatar: None,
        shares,
        scope: Scope::Public,
        email: None,
    };
    profile_edit(&member.node, &member.actor(), &edit).expect("her own");
}

/// What the instance publishes, as text.
fn published(member: &Member, follower: &Member) -> String {
    let lines = follower.live_lines(member.id());
    lines
        .iter()
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect()
}

/// One peer that may not be asked kept every other from being asked.
#[test]
fn who_is_refused_or_paused_here_keeps_nobody_else_from_being_asked() {
    let (hub, mut north, _south) = street();
    let (pier, quay) = (
        HubUp::start("Pier", Policy::Open),
        HubUp::start("Quay", Policy::Open),
    );
    for other in [&pier, &quay] {
        north.register(other);
    }
    let actor = north.actor();
    let peer = north.peer(&pier);
    peer_pause(&mut north.node, &actor, &peer).expect("an admin");
    peer_block(&mut north.node, &actor, quay.id()).expect("an admin");
    north.ask("Before", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    let monday = backup(&mut north);
    north.ask("Written on Tuesday", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);

    come_back(&mut north, &monday);
    let restored = settle(&mut north, false).expect("the harbour is there");

    assert_eq!(names(&restored.came.back), ["Written on Tuesday"]);
    let trouble = |name: &str| {
        let place = restored.places.iter().find(|place| place.name == name);
        place.expect("it is listed").trouble.clone()
    };
    assert_eq!(trouble("Harbour"), None);
    assert!(trouble("Pier").expect("not asked").contains("paused"));
    assert!(trouble("Quay").expect("not asked").contains("refused"));
}

/// What another copy had erased, taken back or ceased to share was published on by the one that was settled.
#[test]
fn what_another_copy_took_back_is_not_published_on() {
    let (hub, mut north, mut south) = street();
    let pier = HubUp::start("Pier", Policy::Open);
    north.register(&pier);
    tell_of_oneself(&mut north, "Afraid of dogs", ALL);
    let erased = north.ask("Erased by the other", Scope::Public);
    let narrowed = north.ask("Taken back by the other", Scope::Public);
    let shared_again = north.ask("Shared again here", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    assert_eq!(north.sync(&pier).end, None);
    north.take_back(&shared_again);
    assert_eq!(north.sync(&hub).end, None);
    assert_eq!(north.sync(&pier).end, None);
    let mut twin = north.twin();
    let actor = north.actor();
    wb_node::command::record_share::record_share(
        &north.node,
        &actor,
        &shared_again,
        Scope::Public,
        None,
    )
    .expect("its own");
    north.ask("At the harbour", Scope::Public);
    north.reword(&narrowed, "Reworded here");
    assert_eq!(north.sync(&hub).end, None);
    erase(&mut twin, &erased);
    twin.take_back(&narrowed);
    let untold = ProfileShares { bio: false, ..ALL };
    tell_of_oneself(&mut twin, "Afraid of dogs", untold);
    assert_eq!(twin.sync(&pier).end, None);
    assert!(north.sync(&pier).end.is_some(), "two copies");

    let restored = settle(&mut north, false).expect("the hubs are there");

    // By a snapshot nobody learns why, so neither is erased, and both stay home.
    let told: Vec<_> = [&restored.came.private, &restored.came.erased]
        .into_iter()
        .flat_map(|told| names(told))
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_ne!(scope_of(&north, &narrowed), Scope::Public);
    assert_eq!(scope_of(&north, &shared_again), Scope::Public);
    let local = north.node.store().local(&erased.id).expect("a store");
    let local = local.expect("it is here");
    assert!(local.scope == Scope::Private || local.life == Life::Deleted);
    for hub in [&hub, &pier] {
        assert_eq!(north.sync(hub).end, None);
    }
    assert_eq!(south.sync(&hub).end, None);
    assert_eq!(titles(&south), ["At the harbour", "Shared again here"]);
    assert!(!published(&north, &south).contains("Afraid of dogs"));
    // And once more nothing changes.
    assert_eq!(north.sync(&hub).published.deltas, 0);
    south.assert_equals(&north);
    north.assert_sound();
}

/// A field that was unticked here, and not sealed yet, was shared again by a later revision that came back; and
/// what was written here last was lost to it.
#[test]
fn what_was_unticked_and_written_here_outlives_a_later_revision() {
    let (hub, mut north, mut south) = street();
    tell_of_oneself(&mut north, "Afraid of dogs", ALL);
    let request = north.ask("Soup", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    let untold = ProfileShares { bio: false, ..ALL };
    tell_of_oneself(&mut north, "Afraid of dogs", untold);
    let monday = backup(&mut north);
    tell_of_oneself(&mut north, "Afraid of dogs and cats", ALL);
    north.reword(&request, "Soup on Tuesday");
    assert_eq!(north.sync(&hub).end, None);

    come_back(&mut north, &monday);
    std::thread::sleep(std::time::Duration::from_millis(5));
    north.reword(&request, "Soup on Wednesday");
    settle(&mut north, false).expect("the hub is there");

    assert_eq!(north.sync(&hub).end, None);
    assert_eq!(south.sync(&hub).end, None);
    assert_eq!(titles(&south), ["Soup on Wednesday"]);
    assert!(!published(&north, &south).contains("Afraid of dogs"));
    south.assert_equals(&north);
}
