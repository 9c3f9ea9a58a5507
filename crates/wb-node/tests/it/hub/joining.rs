//! Joining, pulling, pushing, taking back.

use wb_core::scope::Scope;
use wb_core::sync::{PeerCause, Policy};
use wb_node::command::record_share::record_unshare;

use super::world::{HubUp, Member, titles};

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
    // One to take it, one to say so.
    assert_eq!((synced.tally.gone, synced.round_trips), (1, 2));
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
