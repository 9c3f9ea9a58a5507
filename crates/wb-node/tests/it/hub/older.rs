//! What a first pull tells of its progress, and what an older copy of a database does.

use wb_core::scope::Scope;
use wb_core::sync::{PeerCause, Phase, Policy};
use wb_node::command::publish::publish;

use super::world::{HubUp, Member, titles};

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
