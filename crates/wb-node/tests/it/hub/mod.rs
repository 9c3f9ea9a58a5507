//! Nodes and a hub over real sockets: joining, pulling, pushing, and a hub that is not what it was.

mod world;

use wb_core::scope::Scope;
use wb_core::sync::{Notice, PeerCause, Phase, Policy};
use wb_node::command::publish::publish;
use wb_node::command::record_share::record_unshare;

use world::{HubUp, Member, titles};

#[test]
fn what_north_shares_reaches_south_and_what_it_takes_back_goes() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let mut north = Member::found("North");
    let mut south = Member::found("South");
    let shared = north.ask("A ladder for the roof", Scope::Public);
    north.ask("Something private", Scope::Private);
    north.register(&hub);
    south.register(&hub);
    let synced = north.sync(&hub);
    assert_eq!((synced.end, synced.pushed.deltas), (None, 1));

    south.follow_all(&hub, &[north.id()]);
    let synced = south.sync(&hub);
    assert_eq!(synced.end, None);
    assert_eq!(titles(&south), ["A ladder for the roof"]);
    assert_eq!(south.live_lines(north.id()), north.live_lines(north.id()));

    // With nothing new there is one round trip, and nothing is written down as a run.
    let again = south.sync(&hub);
    assert_eq!((again.round_trips, again.run_no), (1, None));

    record_unshare(&north.node, &north.actor(), &shared).expect("it is north's own");
    north.sync(&hub);
    let synced = south.sync(&hub);
    assert_eq!((synced.tally.gone, synced.round_trips), (1, 1));
    assert_eq!(titles(&south), Vec::<String>::new());
}

#[test]
fn who_registers_waits_where_the_operator_approves_and_says_so() {
    let hub = HubUp::start("Harbour", Policy::Approval);
    let mut north = Member::found("North");
    north.ask("A ladder for the roof", Scope::Public);
    north.register(&hub);
    let synced = north.sync(&hub);
    let (cause, detail) = synced.end.expect("it waits");
    assert_eq!(cause, PeerCause::Approval, "{detail}");
    assert_eq!(synced.published.puts, 0, "nothing is sealed for nobody");
    hub.approve(north.id());
    assert_eq!(north.sync(&hub).end, None);
}

/// A folder put back from a copy counts from where it was, and the hub holds a later registration.
#[test]
fn a_registration_goes_on_above_the_one_the_hub_holds() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let mut north = Member::found("North");
    north.register(&hub);
    assert_eq!(north.peer(&hub).counter, 1);
    let copy = north.copy();
    north.register(&hub);
    north.register(&hub);
    assert_eq!(north.peer(&hub).counter, 3);
    north.become_copy(&copy);
    north.register_as(&hub, false);
    assert_eq!(north.peer(&hub).counter, 4);
}

#[test]
fn a_hub_restored_from_an_older_copy_gets_everything_again() {
    let mut hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    for member in [&mut north, &mut south] {
        member.register(&hub);
    }
    north.ask("The first", Scope::Public);
    north.sync(&hub);
    south.follow_all(&hub, &[north.id()]);
    south.sync(&hub);
    let copy = hub.copy();
    north.ask("The second", Scope::Public);
    north.sync(&hub);
    south.sync(&hub);
    assert_eq!(titles(&south).len(), 2);

    hub.restore(&copy);
    // South knows more arrivals than the hub has: heads are compared, and nothing is lost here.
    let synced = south.sync(&hub);
    assert!(synced.notices.contains(&Notice::HubChanged), "{synced:?}");
    assert_eq!(titles(&south).len(), 2);
    north.ask("The third", Scope::Public);
    let synced = north.sync(&hub);
    assert_eq!(synced.end, None);
    assert!(synced.notices.contains(&Notice::HubLostOurs), "{synced:?}");
    assert_eq!(synced.pushed.deltas, 2, "what was lost and what is new");
    assert_eq!(south.sync(&hub).end, None);
    assert_eq!(titles(&south).len(), 3);
    assert_eq!(south.live_lines(north.id()), north.live_lines(north.id()));
}

/// Publishing from an older copy was told as a failure here that is tried again. It is for a person to look
/// at, and taking goes on.
#[test]
fn an_older_copy_gives_nothing_and_still_takes() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    for member in [&mut north, &mut south] {
        member.register(&hub);
    }
    south.follow_all(&hub, &[north.id()]);
    north.ask("The first", Scope::Public);
    north.sync(&hub);
    let older = south.copy();
    south.ask("Sealed and not sent", Scope::Public);
    let actor = south.actor();
    publish(&mut south.node, &actor).expect("it is the newest copy");
    south.become_copy(&older);
    south.ask("Something else", Scope::Public);

    let synced = south.sync(&hub);
    let (cause, _) = synced.end.expect("it is an older copy");
    assert_eq!((cause, cause.phase()), (PeerCause::OlderCopy, Phase::Held));
    assert_eq!((synced.tally.new, synced.pushed.deltas), (2, 0));
    assert!(titles(&south).contains(&"The first".to_owned()));
}

/// The bar of a first pull went beyond its end and back: lines of a snapshot were counted as records.
#[test]
fn progress_never_goes_back_and_reaches_its_total() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    let mut east = Member::found("East");
    for member in [&mut north, &mut south, &mut east] {
        member.register(&hub);
    }
    for member in [&mut north, &mut east] {
        for title in ["One", "Two", "Three"] {
            member.ask(title, Scope::Public);
        }
        member.sync(&hub);
    }
    south.follow_all(&hub, &[north.id(), east.id()]);
    let told = south.progress(&hub);
    // Three requests and a card of each.
    assert_eq!(told.last(), Some(&(8, 8)), "{told:?}");
    assert!(
        told.iter()
            .all(|(done, total)| done <= total && *total == 8)
    );
    assert!(told.is_sorted(), "{told:?}");
}
