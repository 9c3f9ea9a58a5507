//! There is no nonce: what comes twice, or old after new, changes nothing.

use serde_json::{Value, json};
use wb_core::bundle::Writer;
use wb_core::scope::{FeedScope, Scope};
use wb_core::sync::Policy;

use super::raw::{Raw, RawAnswer, Someone, now};
use super::world::{HubUp, Member};

/// A push of some of an instance's public deltas, in order.
fn push_body(member: &Member, deltas: std::ops::Range<usize>) -> Vec<u8> {
    let scope = FeedScope::Public;
    let served = member.node.store().served();
    let headers = served.all_headers(&member.id(), scope).expect("a store");
    let headers = &headers.expect("all of it is here")[deltas];
    let items = headers.iter().map(|header| header.entries).sum();
    let mut lines = vec![Writer::deltas(
        member.id(),
        scope,
        headers.len() as u64,
        items,
    )];
    for header in headers {
        lines.push(header.line.clone());
        lines.extend(served.items(header).expect("a store"));
    }
    let mut body = lines.join(&b'\n');
    body.push(b'\n');
    body
}

fn follows(counter: u64, all: bool) -> Vec<u8> {
    json!({"schema_version": 1, "counter": counter, "all": all, "follow": [], "except": []})
        .to_string()
        .into_bytes()
}

fn good(hub: &HubUp, request: &Raw) -> Value {
    let answer: RawAnswer = request.send(hub.socket());
    assert_eq!(
        answer.status,
        200,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
    answer.json()
}

#[test]
fn a_follow_list_that_comes_again_has_the_same_answer_and_an_older_one_is_stale() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let north = Someone::new(1);
    let body = north.registration("North", true);
    let register = ("POST", "/sync/v1/register", &body[..]);
    good(&hub, &Raw::signed(&north, hub.id(), register, now()));
    let list = |counter, all| {
        let body = follows(counter, all);
        Raw::signed(&north, hub.id(), ("PUT", "/sync/v1/follows", &body), now())
    };
    let (first, second) = (list(3, true), list(5, false));
    let answer = good(&hub, &first);
    assert_eq!(good(&hub, &first), answer);
    good(&hub, &second);
    let stale = first.send(hub.socket());
    assert_eq!(stale.refusal(), (409, "follows_stale".to_owned()));
    assert_eq!(stale.json()["counter"], 5);
    // The same counter with another list is as stale.
    let stale = list(5, true).send(hub.socket());
    assert_eq!(stale.refusal(), (409, "follows_stale".to_owned()));
    let held = hub.member(north.id()).expect("a member").follows;
    assert_eq!((held.counter, held.all), (5, false));
}

#[test]
fn a_registration_that_comes_again_changes_nothing_and_an_older_one_does_not_either() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let north = Someone::new(1);
    let register = |counter, name: &str, listed| {
        let body = north.registration_of(counter, name, listed);
        let call = ("POST", "/sync/v1/register", body.as_slice());
        Raw::signed(&north, hub.id(), call, now())
    };
    let first = register(1, "North", true);
    let answer = good(&hub, &first);
    let arrived = hub.heads(north.id()).cursor;
    assert_eq!(good(&hub, &first), answer);
    assert_eq!(
        hub.heads(north.id()).cursor,
        arrived,
        "nothing arrived by it"
    );

    // North does not want to be listed any more, and has another name.
    good(&hub, &register(2, "North Side", false));
    let held = hub.member(north.id()).expect("a member");
    assert_eq!((held.name.as_str(), held.listed), ("North Side", false));
    // Somebody who copied the first request sends it once more.
    let stale = first.send(hub.socket());
    assert_eq!(stale.refusal(), (409, "registration_stale".to_owned()));
    assert_eq!(stale.json()["counter"], 2);
    let held = hub.member(north.id()).expect("a member");
    assert_eq!((held.name.as_str(), held.listed), ("North Side", false));
    assert_eq!(hub.heads(north.id()).cursor, arrived);
    // North itself may list itself again.
    good(&hub, &register(3, "North", true));
    assert!(hub.member(north.id()).expect("a member").listed);
}

#[test]
fn a_push_that_comes_again_or_late_changes_nothing() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let mut north = Member::found("North");
    north.register(&hub);
    let ladder = north.ask("A ladder", Scope::Public);
    north.seal();
    let older = push_body(&north, 0..1);
    north.take_back(&ladder);
    north.seal();
    let newer = push_body(&north, 1..2);
    let who = Someone::of(&north.node);
    let push = |body: &[u8]| Raw::signed(&who, hub.id(), ("POST", "/sync/v1/push", body), now());
    let (older, newer) = (push(&older), push(&newer));

    let early = good(&hub, &newer);
    assert_eq!(early["feeds"][0]["outcome"], "need_snapshot");
    assert_eq!(
        early["own"],
        json!([]),
        "nothing counts before what comes first"
    );
    good(&hub, &older);
    let done = good(&hub, &newer);
    let arrived = hub.heads(north.id()).cursor;
    for again in [&newer, &older, &newer] {
        let answer = good(&hub, again);
        assert_eq!(answer["feeds"][0]["outcome"], "duplicate");
        assert_eq!(answer["own"], done["own"]);
    }
    assert_eq!(
        hub.heads(north.id()).cursor,
        arrived,
        "nothing arrived twice"
    );
    let row = hub.member(north.id()).expect("a member");
    assert_eq!(row.feeds[0].head.seq, 1);
    // What was taken back did not come back with the older page.
    assert_eq!(row.feeds[0].live, 1, "the card alone");
    let bytes = hub.bytes();
    assert!(!bytes.windows(8).any(|window| window == b"A ladder"));
    // North goes on as if nothing had been.
    north.ask("Another", Scope::Public);
    assert_eq!(north.sync(&hub).end, None);
}

#[test]
fn the_bytes_of_every_call_can_be_sent_again_and_nothing_changes() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let mut north = Member::found("North");
    north.ask("A ladder", Scope::Public);
    north.seal();
    let who = Someone::of(&north.node);
    let registration = who.registration("North", true);
    let deltas = push_body(&north, 0..1);
    let list = follows(1, true);
    let signed = |method, target: &str, body: &[u8]| {
        Raw::signed(&who, hub.id(), (method, target, body), now())
    };
    let calls = [
        signed("POST", "/sync/v1/register", &registration),
        signed("PUT", "/sync/v1/follows", &list),
        signed("POST", "/sync/v1/push", &deltas),
        signed("GET", "/sync/v1/member", b""),
        signed("GET", "/sync/v1/heads", b""),
        signed("GET", "/sync/v1/directory", b""),
    ];
    for call in &calls {
        good(&hub, call);
    }
    let state = |hub: &HubUp| {
        let row = hub.member(north.id()).expect("a member");
        (
            format!("{:?}", hub.heads(north.id())),
            row.follows,
            row.listed,
            row.standings,
        )
    };
    let before = state(&hub);
    for call in calls.iter().chain(calls.iter().rev()) {
        good(&hub, call);
        assert_eq!(state(&hub), before);
    }
}

#[test]
fn a_push_of_what_is_not_ones_own_or_not_public_counts_for_nothing() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    for member in [&mut north, &mut south] {
        member.register(&hub);
    }
    north.ask("For everybody", Scope::Public);
    north.seal();
    let who = Someone::of(&north.node);
    let push = |who: &Someone, body: &[u8]| {
        let call = ("POST", "/sync/v1/push", body);
        Raw::signed(who, hub.id(), call, now()).send(hub.socket())
    };
    let public = push_body(&north, 0..1);
    let trusted = who.trusted_section("For named peers");
    // Also what stands before it in the same body does not count.
    for body in [trusted.clone(), [&public[..], &trusted[..]].concat()] {
        let refused = push(&who, &body);
        assert_eq!(refused.refusal(), (400, "bad_request".to_owned()));
        assert_eq!(hub.heads(north.id()).own, []);
    }
    let thief = Someone::of(&south.node);
    assert_eq!(
        push(&thief, &public).refusal(),
        (403, "not_yours".to_owned())
    );
    let broken = &public[..public.len() - 20];
    assert_eq!(
        push(&who, broken).refusal(),
        (400, "bad_request".to_owned())
    );
    assert_eq!(hub.heads(north.id()).own, []);
    let words = b"For named peers";
    let bytes = hub.bytes();
    assert!(!bytes.windows(words.len()).any(|window| window == words));
    assert_eq!(push(&who, &public).status, 200);
}
