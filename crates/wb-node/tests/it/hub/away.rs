//! Members that were away for longer than the hub keeps deltas.

use wb_core::scope::Scope;
use wb_core::sync::{Notice, Policy};

use super::world::{HubUp, Member, titles};

#[test]
fn who_was_away_too_long_takes_snapshots_and_what_north_took_back_is_gone() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    north.register(&hub);
    south.register(&hub);
    let kept = north.ask("Kept as it is", Scope::Public);
    let reworded = north.ask("Reworded twice", Scope::Public);
    let taken_back = north.ask("A secret by mistake", Scope::Public);
    north.sync(&hub);
    south.follow_all(&hub, &[north.id()]);
    south.sync(&hub);
    assert_eq!(titles(&south).len(), 3);

    // South is away. North goes on, delta by delta.
    north.reword(&reworded, "Reworded once");
    north.sync(&hub);
    north.take_back(&taken_back);
    north.sync(&hub);
    north.reword(&reworded, "Reworded for good");
    north.ask("New meanwhile", Scope::Public);
    north.sync(&hub);
    assert!(hub.forget_all() > 0);

    let synced = south.sync(&hub);
    assert_eq!(synced.end, None);
    assert!(synced.notices.contains(&Notice::AwayTooLong), "{synced:?}");
    assert_eq!(
        titles(&south),
        ["Kept as it is", "New meanwhile", "Reworded for good"]
    );
    south.assert_equals(&north);
    south.assert_sound();
    // The words that were taken back are not in the files any more.
    let main = std::fs::read(south.home().main()).expect("a file");
    let secret = b"A secret by mistake";
    assert!(!main.windows(secret.len()).any(|bytes| bytes == secret));

    // From here on it goes by deltas again.
    north.take_back(&kept);
    north.sync(&hub);
    let synced = south.sync(&hub);
    assert_eq!((synced.tally.deltas, synced.tally.gone), (1, 1));
    assert!(synced.notices.is_empty());
    south.assert_equals(&north);
}

#[test]
fn a_newcomer_after_the_hub_forgot_has_what_north_has_and_north_goes_on_by_deltas() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    north.register(&hub);
    south.register(&hub);
    for n in 0..4 {
        let record = north.ask(&format!("Request {n}"), Scope::Public);
        north.sync(&hub);
        north.reword(&record, &format!("Reworded {n}"));
        north.sync(&hub);
    }
    hub.forget_all();
    south.follow_all(&hub, &[north.id()]);
    assert_eq!(south.sync(&hub).end, None);
    south.assert_equals(&north);
    // The one who was there all the time has nothing to send again.
    let synced = north.sync(&hub);
    assert_eq!((synced.end, synced.pushed.deltas), (None, 0));
    north.ask("After it", Scope::Public);
    assert_eq!(north.sync(&hub).pushed.deltas, 1);
    assert_eq!(south.sync(&hub).tally.deltas, 1);
    south.assert_equals(&north);
}
