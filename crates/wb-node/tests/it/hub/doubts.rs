//! A hub that is behind is compared with what came by another road, and named with what proves it.

use wb_core::entry::Entry;
use wb_core::line::Line;
use wb_core::ndjson;
use wb_core::scope::{FeedScope, Scope};
use wb_core::sync::{PeerCause, Policy, ProofError};
use wb_core::time::Timestamp;
use wb_hub::ChangesPage;
use wb_node::query::doubts::{STALE_MS, doubts_of};
use wb_node::query::inbox::{inbox, inbox_item};
use wb_node::query::peers::peer_view;
use wb_node::query::sync_log::also;
use wb_node::view::DoubtView;
use wb_store::Doubt;

use super::world::{HubUp, Member};

/// North gives to two hubs, South takes from both, and then North gives to One only.
fn behind() -> (HubUp, HubUp, Member, Member) {
    let (one, two) = (
        HubUp::start("One", Policy::Open),
        HubUp::start("Two", Policy::Open),
    );
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    for hub in [&one, &two] {
        north.register(hub);
        south.register(hub);
        south.follow_all(hub, &[north.id()]);
    }
    let ladder = north.ask("A ladder", Scope::Public);
    for hub in [&one, &two] {
        north.sync(hub);
    }
    for hub in [&one, &two] {
        south.sync(hub);
    }
    let roads = also(&south.node, &ladder).expect("a store");
    let names: Vec<_> = roads.iter().map(|road| road.name.as_str()).collect();
    assert_eq!(names, ["Two"], "it came by One, and Two has it as well");
    north.ask("A saw", Scope::Public);
    north.sync(&one);
    south.sync(&one);
    (one, two, north, south)
}

fn doubts(south: &Member, hub: &HubUp) -> Vec<DoubtView> {
    doubts_of(&south.node, &hub.id()).expect("a store")
}

/// Makes what is in doubt older, as if it had been noticed and looked at so much earlier.
fn age(south: &mut Member, ms: i64) {
    let home = south.home();
    let mut store = wb_store::Store::open(&home).expect("it opens");
    let kept: Vec<Doubt> = store.doubts().expect("a store");
    let earlier = |at: Timestamp| Timestamp::from_unix_ms(at.unix_ms() - ms).expect("a time");
    let write = store.write().expect("a transaction");
    for doubt in kept {
        let older = Doubt {
            since: earlier(doubt.since),
            at: earlier(doubt.at),
            ..doubt
        };
        write.put_doubt(&older).expect("it is stored");
    }
    write.commit().expect("it counts");
}

fn told(south: &Member) -> Vec<&'static str> {
    let items = inbox(&south.node).expect("a store");
    items.iter().map(|item| item.cause).collect()
}

#[test]
fn a_hub_that_stays_behind_for_a_day_is_told_of_with_both_signatures_and_no_sooner() {
    let (_one, two, mut north, mut south) = behind();
    assert!(doubts(&south, &two).is_empty(), "nobody asked Two yet");
    let synced = south.sync(&two);
    assert_eq!(synced.end, None, "a hub that is behind is no failure");
    let found = doubts(&south, &two);
    let [doubt] = found.as_slice() else {
        panic!("one feed is behind: {found:?}");
    };
    assert_eq!(
        (doubt.kind, doubt.told, doubt.proved),
        ("stale", false, true)
    );
    assert!(told(&south).is_empty());
    let view = peer_view(&south.node, &south.peer(&two)).expect("a store");
    assert!(view.doubts.is_empty());

    age(&mut south, STALE_MS);
    assert_eq!(south.sync(&two).end, None);
    let doubt = doubts(&south, &two).remove(0);
    assert!(doubt.told && doubt.proved, "{doubt:?}");
    assert!(
        doubt.sentence.starts_with("Two signed"),
        "{}",
        doubt.sentence
    );
    assert_eq!(told(&south), ["stale"]);
    let key = inbox(&south.node).expect("a store").remove(0).key;
    let things = inbox_item(&south.node, &key).expect("it is there").1;
    let seqs: Vec<_> = things.iter().map(|thing| thing.seq).collect();
    assert_eq!(seqs, [Some(1), Some(0)], "the origin's, and the hub's");
    let view = peer_view(&south.node, &south.peer(&two)).expect("a store");
    assert_eq!(view.doubts.len(), 1);

    // Once it has it, nothing is in doubt.
    north.sync(&two);
    assert_eq!(south.sync(&two).end, None);
    assert!(doubts(&south, &two).is_empty());
    assert!(told(&south).is_empty());
}

#[test]
fn a_hub_that_catches_up_and_falls_behind_again_begins_its_day_anew() {
    let (one, two, mut north, mut south) = behind();
    south.sync(&two);
    age(&mut south, STALE_MS);
    north.sync(&two);
    north.ask("A hammer", Scope::Public);
    north.sync(&one);
    south.sync(&one);
    south.sync(&two);
    let doubt = doubts(&south, &two).remove(0);
    assert!(!doubt.told, "{doubt:?}");
    assert_eq!(doubt.seq, 2);
}

#[test]
fn a_hub_that_hides_what_it_took_is_behind_by_its_own_signature() {
    let (_one, two, mut north, mut south) = behind();
    // Two takes it and goes on saying what it said before.
    let old = two.heads(south.id());
    north.sync(&two);
    two.seam().lie_in_heads(move |mut heads| {
        heads.feeds.clone_from(&old.feeds);
        heads
    });
    // The first line alone, with a cursor behind what it hides.
    two.seam().lie_in_changes(|mut page| {
        let first = page.body.iter().position(|byte| *byte == b'\n');
        page.body.truncate(first.map_or(0, |end| end + 1));
        page
    });
    assert_eq!(south.sync(&two).end, None);
    two.seam().be_honest();
    let found = doubts(&south, &two);
    assert!(found.iter().any(|doubt| doubt.proved), "{found:?}");
}

#[test]
fn a_proof_of_which_anything_was_changed_proves_nothing() {
    let (_one, two, north, mut south) = behind();
    south.sync(&two);
    let proof = doubts(&south, &two).remove(0).proof.expect("it is kept");
    assert_eq!(proof.stale().expect("it holds").named.seq, 0);
    let mut other = proof.clone();
    other.exchange.asked.query = Some("after=0".to_owned());
    assert!(matches!(other.stale(), Err(ProofError::Asked(_))));
    let mut other = proof.clone();
    other.exchange.answered.body = proof.exchange.answered.body.replacen('A', "B", 1);
    assert!(matches!(other.stale(), Err(ProofError::Answered(_))));
    let mut other = proof.clone();
    other.header = proof.header.replacen("\"seq\":1", "\"seq\":2", 1);
    assert!(matches!(other.stale(), Err(ProofError::Header(_))));
    let mut other = proof.clone();
    other.answerer.clone_from(&proof.origin);
    assert!(other.stale().is_err());
    // An older header of the origin is no more than what the hub named.
    let served = north.node.store().served();
    let all = served.all_headers(&north.id(), FeedScope::Public);
    let all = all.expect("a store").expect("every delta is here");
    let mut other = proof;
    other.header = String::from_utf8(all[0].line.clone()).expect("headers are text");
    assert!(matches!(other.stale(), Err(ProofError::Says(_))));
}

#[test]
fn a_hub_that_does_not_carry_a_feed_at_all_is_in_no_doubt() {
    let one = HubUp::start("One", Policy::Open);
    let two = HubUp::start("Two", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    north.register(&one);
    for hub in [&one, &two] {
        south.register(hub);
        south.follow_all(hub, &[north.id()]);
    }
    north.ask("A ladder", Scope::Public);
    north.sync(&one);
    south.sync(&one);
    let asked = south.sync(&two).round_trips;
    assert!(doubts(&south, &two).is_empty());
    assert_eq!(
        south.sync(&two).round_trips,
        1,
        "and nothing more is asked ({asked})"
    );
    assert!(!told(&south).contains(&PeerCause::BadAnswer.as_str()));
}

/// Pages of changes in which no line of North stands, only what it is an entry of.
fn stripped(mut page: ChangesPage) -> ChangesPage {
    let mut body = Vec::new();
    for line in ndjson::lines(&page.body) {
        match Line::read(line) {
            Ok(line) => ndjson::put_line(&mut body, &Entry::of_line(&line).to_bytes()),
            Err(_) => ndjson::put_line(&mut body, line),
        }
    }
    page.body = body;
    page
}

#[test]
fn a_hub_that_has_the_head_and_gives_no_line_for_it_signs_that() {
    let (_one, two, mut north, mut south) = behind();
    north.sync(&two);
    south.sync(&two);
    let hammer = north.ask("A hammer", Scope::Public);
    north.sync(&two);
    two.seam().lie_in_changes(stripped);
    two.seam().hide_lines();
    assert_eq!(south.sync(&two).end, None);
    let found = doubts(&south, &two);
    let [doubt] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(
        (doubt.kind, doubt.told, doubt.proved),
        ("withheld", true, true),
        "{doubt:?}"
    );
    let view = peer_view(&south.node, &south.peer(&two)).expect("a store");
    assert_eq!(view.doubts.len(), 1);
    let proof = doubt.proof.clone().expect("it is kept");
    let shown = proof.withheld().expect("it holds");
    assert_eq!((shown.id, shown.put_is_proved), (hammer.id, true));
    assert_eq!(Some(shown.head), north.head(north.id()));
    assert!(proof.stale().is_err(), "it is no answer about heads");
    // Of another record nothing is shown, and entries that are not those of the delta prove no put.
    let mut other = proof.clone();
    other
        .put
        .as_mut()
        .expect("it came as a delta")
        .entries
        .clear();
    assert!(matches!(other.withheld(), Err(ProofError::Says(_))));
    let mut other = proof;
    other.put = None;
    assert!(!other.withheld().expect("it holds").put_is_proved);
    // It is asked once for each head.
    let trips = south.sync(&two).round_trips;
    assert_eq!(trips, 1);

    // Honest again, and the feed moves on.
    two.seam().be_honest();
    north.ask("Nails", Scope::Public);
    north.sync(&two);
    south.sync(&two);
    south.sync(&two);
    assert!(doubts(&south, &two).is_empty());
    south.assert_equals(&north);
}

#[test]
fn a_hub_that_only_lacks_what_it_was_not_given_for_kinds_nobody_asks_for_is_in_no_doubt() {
    let (_one, two, mut north, mut south) = behind();
    north.sync(&two);
    south.sync(&two);
    two.seam().lie_in_changes(stripped);
    north.ask("A hammer", Scope::Public);
    north.sync(&two);
    // The hub gives the line as soon as it is asked for it.
    assert_eq!(south.sync(&two).tally.filled, 1);
    assert!(doubts(&south, &two).is_empty());
}
