//! A hub that is not what it was: an older copy, an older copy that went on, an empty database.

use wb_core::scope::Scope;
use wb_core::sync::PeerState;
use wb_core::sync::{Notice, PeerCause, Policy};

use super::world::{HubUp, Member, titles};

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

#[test]
fn an_older_copy_that_numbered_other_arrivals_is_told_by_its_running_hash() {
    let mut hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    for member in [&mut north, &mut south] {
        member.register(&hub);
    }
    south.follow_all(&hub, &[north.id()]);
    south.sync(&hub);
    let copy = hub.copy();
    north.ask("Of the first history", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
    assert_eq!(south.sync(&hub).end, None);
    assert_eq!(titles(&south), ["Of the first history"]);
    let known = south.peer(&hub).cursor.expect("it synced");

    hub.restore(&copy);
    // East takes the number under which South knows what North published, and more.
    let mut east = Member::found("East");
    east.register(&hub);
    east.ask("Of the second history", Scope::Public);
    east.sync(&hub);
    let east_stands = hub.heads(south.id()).cursor;
    assert!(east_stands.n >= known.n, "or the number alone would tell");
    assert_eq!(east_stands.log, known.log, "or the log alone would tell");

    let synced = south.sync(&hub);
    assert_eq!(synced.end, None);
    assert!(synced.notices.contains(&Notice::HubChanged), "{synced:?}");
    south.assert_equals(&east);
    assert_eq!(
        titles(&south),
        ["Of the first history"],
        "nobody decided about East"
    );
    north.sync(&hub);
    assert_eq!(south.sync(&hub).end, None);
    south.assert_equals(&north);
    south.assert_sound();
}

#[test]
fn a_follow_list_that_the_copy_lost_is_sent_again() {
    let mut hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    for member in [&mut north, &mut south] {
        member.register(&hub);
    }
    south.sync(&hub);
    let copy = hub.copy();
    south.follow_all(&hub, &[north.id()]);
    assert!(south.sync(&hub).notices.contains(&Notice::FollowsSent));
    let list = hub.member(south.id()).expect("a member").follows;
    assert!(list.all);

    hub.restore(&copy);
    assert!(!hub.member(south.id()).expect("a member").follows.all);
    north.ask("After the restore", Scope::Public);
    north.sync(&hub);
    let synced = south.sync(&hub);
    assert_eq!(synced.end, None);
    assert!(synced.notices.contains(&Notice::FollowsSent), "{synced:?}");
    assert_eq!(hub.member(south.id()).expect("a member").follows, list);
    assert_eq!(titles(&south), ["After the restore"]);
}

#[test]
fn a_hub_that_begins_anew_says_that_nobody_is_registered_and_then_everything_flows() {
    let mut hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    for member in [&mut north, &mut south] {
        member.register(&hub);
    }
    north.ask("The first", Scope::Public);
    north.sync(&hub);
    south.follow_all(&hub, &[north.id()]);
    south.sync(&hub);

    hub.forget_everything();
    north.ask("The second", Scope::Public);
    for member in [&mut north, &mut south] {
        let synced = member.sync(&hub);
        let (cause, detail) = synced.end.expect("nobody knows it");
        assert_eq!(cause, PeerCause::NotRegistered, "{detail}");
        let state: &PeerState = &synced.state;
        assert_eq!(
            state.sentence("Harbour"),
            "Harbour does not know this instance"
        );
        assert_eq!(state.cause.action(), "run `wb hub register` again");
        assert_eq!(synced.published.puts, 0, "nothing is sealed for nobody");
    }
    assert_eq!(titles(&south), ["The first"], "nothing is lost");

    for member in [&mut north, &mut south] {
        member.register(&hub);
        assert_eq!(member.sync(&hub).end, None);
    }
    // South was there before everything of North was: that is new to it, and no duplicate of anything.
    south.sync(&hub);
    assert_eq!(titles(&south), ["The first", "The second"]);
    south.assert_equals(&north);
    assert_eq!(south.held_rows(), Vec::<String>::new());
    south.assert_sound();
}
