//! Snapshots that take a while: the feed moves on meanwhile, or the hub goes away.

use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use wb_core::scope::Scope;
use wb_core::sync::{PeerCause, Policy};
use wb_hub::PageRefused;

use super::world::{BOTH_WAYS, HubUp, Member, titles};

/// Small enough that a page holds a few lines.
const PAGE_BYTES: usize = 1_000;
/// Records in the feed before the newcomer asks.
const RECORDS: usize = 24;
/// Far beyond what a page takes, so that a test that hangs ends.
const PATIENCE: Duration = Duration::from_secs(60);

/// A hub with small pages and North in it with [`RECORDS`] requests, and South, who follows it.
fn harbour() -> (HubUp, Member, Member, Vec<wb_core::id::RecordRef>) {
    let mut hub = HubUp::start("Harbour", Policy::Open);
    hub.page_bytes(PAGE_BYTES);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    north.register(&hub);
    south.register(&hub);
    let asked = (0..RECORDS).map(|n| north.ask(&format!("Request {n:02}"), Scope::Public));
    let asked = asked.collect();
    north.sync(&hub);
    south.follow_all(&hub, &[north.id()]);
    (hub, north, south, asked)
}

#[test]
fn a_newcomer_pages_a_snapshot_while_north_publishes_and_ends_with_what_north_has() {
    let (hub, mut north, mut south, asked) = harbour();
    let (gate, id) = (hub.seam().gate(), hub.id());
    let (mut south, pages) = std::thread::scope(|scope| {
        let newcomer = scope.spawn(move || {
            let synced = south.sync_by_id(id, BOTH_WAYS);
            assert_eq!(synced.end, None);
            south
        });
        let mut pages = 0;
        loop {
            let waiting = match gate.recv_timeout(Duration::from_millis(20)) {
                Ok(waiting) => waiting,
                Err(RecvTimeoutError::Timeout) if !newcomer.is_finished() => continue,
                Err(_) => break,
            };
            // Nothing moves before the first page; then each page finds North elsewhere.
            if (1..=6).contains(&pages) {
                // Of what was paged already and of what is still to come, and something new.
                north.reword(&asked[pages], &format!("Reworded {pages}"));
                north.reword(&asked[RECORDS - pages], &format!("Reworded late {pages}"));
                north.take_back(&asked[6 + pages]);
                north.take_back(&asked[RECORDS - 6 - pages]);
                north.ask(&format!("New {pages}"), Scope::Public);
                assert_eq!(north.sync(&hub).end, None);
            }
            pages += 1;
            drop(waiting);
        }
        (newcomer.join().expect("South ends well"), pages)
    });
    hub.seam().be_honest();
    assert!(pages > 6, "{pages} pages are too few to publish between");
    south.assert_equals(&north);
    // North still shows itself what it took back.
    assert!(
        titles(&south)
            .iter()
            .all(|title| titles(&north).contains(title))
    );
    assert_eq!(south.held_rows(), Vec::<String>::new());
    south.assert_sound();
    // Nothing is left that a later sync would have to mend.
    let again = south.sync(&hub);
    assert_eq!((again.round_trips, again.run_no), (1, None));
}

#[test]
fn a_hub_that_goes_away_between_pages_leaves_nothing_half_taken() {
    let (mut hub, north, mut south, _) = harbour();
    let (gate, id) = (hub.seam().gate(), hub.id());
    let mut south = std::thread::scope(|scope| {
        let newcomer = scope.spawn(move || {
            let synced = south.sync_by_id(id, BOTH_WAYS);
            let (cause, detail) = synced.end.expect("the hub went away");
            assert_eq!(cause, PeerCause::Unreachable, "{detail}");
            south
        });
        for _ in 0..2 {
            drop(gate.recv_timeout(PATIENCE).expect("a page is asked for"));
        }
        let _third = gate.recv_timeout(PATIENCE).expect("a third page");
        hub.cut_off();
        newcomer.join().expect("South ends well")
    });
    assert_eq!(titles(&south), Vec::<String>::new());
    assert_eq!(south.head(north.id()), None, "not even a part of the feed");
    assert_eq!(south.peer(&hub).cursor, None);
    south.assert_sound();

    hub.seam().be_honest();
    hub.up();
    assert_eq!(south.sync(&hub).end, None);
    south.assert_equals(&north);
    assert_eq!(titles(&south).len(), RECORDS);
}

/// Pages that come at once are taken while more come, with the file locked; those that are slow are waited for without.
#[test]
fn who_writes_does_not_wait_for_pages_that_are_slow_to_come() {
    let (hub, north, mut south, _) = harbour();
    let (gate, id) = (hub.seam().gate(), hub.id());
    let mut other = south.at_same_folder();
    let south = std::thread::scope(|scope| {
        let newcomer = scope.spawn(move || {
            let synced = south.sync_by_id(id, BOTH_WAYS);
            assert_eq!(synced.end, None);
            south
        });
        drop(gate.recv_timeout(PATIENCE).expect("a page is asked for"));
        let second = gate.recv_timeout(PATIENCE).expect("a second page");
        other.ask("Written meanwhile", Scope::Private);
        assert_eq!(titles(&other), ["Written meanwhile"], "nothing counts yet");
        drop(second);
        let mut pages = 2;
        while !newcomer.is_finished() {
            pages += u32::from(gate.recv_timeout(Duration::from_millis(20)).is_ok());
        }
        assert!(pages > 6, "{pages} pages are too few");
        newcomer.join().expect("South ends well")
    });
    hub.seam().be_honest();
    let mut expected = titles(&north);
    expected.push("Written meanwhile".to_owned());
    expected.sort();
    let mut shown = titles(&south);
    shown.sort();
    assert_eq!(shown, expected);
}

#[test]
fn pages_that_are_gone_are_asked_for_anew() {
    let (hub, north, mut south, _) = harbour();
    hub.seam().refuse_a_page(PageRefused::HeadGone);
    let synced = south.sync(&hub);
    assert_eq!(synced.end, None);
    south.assert_equals(&north);
}

#[test]
fn a_hub_whose_pages_are_always_gone_is_left_and_nothing_is_taken() {
    let (hub, north, mut south, _) = harbour();
    for _ in 0..20 {
        hub.seam().refuse_a_page(PageRefused::HeadGone);
    }
    let (cause, detail) = south.sync(&hub).end.expect("it does not lead to an end");
    assert_eq!(cause, PeerCause::BadAnswer, "{detail}");
    assert_eq!(south.head(north.id()), None);
    hub.seam().be_honest();
    assert_eq!(south.sync(&hub).end, None);
    south.assert_equals(&north);
}
