//! Clocks that differ: believed when the hub signs it for this request, and then once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wb_core::scope::Scope;
use wb_core::sync::signature::{KeyId, sign_answer};
use wb_core::sync::{Cause, PeerCause, Policy, Problem};

use super::raw::{Raw, Someone, now};
use super::stand_in::{StandIn, answer};
use super::world::{HubUp, Member, key, titles};

/// An hour.
const HOUR: i64 = 3_600;
/// What a slow test machine may add to an offset.
const SLACK: i64 = 1_200;

#[test]
fn a_clock_that_is_an_hour_off_costs_one_round_trip_and_a_warning() {
    for ahead in [HOUR, -HOUR] {
        let hub = HubUp::with_clock("Harbour", ahead);
        let (mut north, mut south) = (Member::found("North"), Member::found("South"));
        for member in [&mut north, &mut south] {
            member.register(&hub);
        }
        north.ask("A ladder", Scope::Public);
        let synced = north.sync(&hub);
        assert_eq!(synced.end, None);
        let offset = synced.clock_offset;
        assert!((offset - ahead).abs() < SLACK, "{offset} and not {ahead}");
        south.follow_all(&hub, &[north.id()]);
        assert_eq!(south.sync(&hub).end, None);
        assert_eq!(titles(&south), ["A ladder"]);
        // With nothing new: one refusal, one answer.
        let synced = south.sync(&hub);
        assert_eq!((synced.end, synced.round_trips), (None, 2));
    }
    let hub = HubUp::start("Harbour", Policy::Open);
    let mut north = Member::found("North");
    north.register(&hub);
    assert_eq!(north.sync(&hub).clock_offset, 0);
}

/// A refusal for the time.
fn refusal(now: u64) -> Vec<u8> {
    let mut problem = Problem::new(Cause::Clock, "the times do not fit", "set the clock");
    problem.now = Some(now);
    wb_core::signed::payload(&problem)
}

/// The refusal as somebody signs it for a request with this signature.
fn signed(by: (KeyId, &wb_core::signed::Signer), request: Option<&str>, now: u64) -> Vec<u8> {
    let body = refusal(now);
    let fields = sign_answer(401, &body, request, by.0, by.1, now);
    let fields = format!(
        "content-type: application/problem+json\r\ncontent-digest: {}\r\nsignature-input: {}\r\nsignature: {}\r\n",
        fields.content_digest, fields.signature_input, fields.signature
    );
    answer("401 Unauthorized", &fields, &body)
}

#[test]
fn a_refusal_for_time_that_nobody_signed_for_this_request_is_not_believed() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let mut north = Member::found("North");
    north.register(&hub);
    assert_eq!(north.sync(&hub).end, None);
    let (hub_key, hub_signer) = key(hub.node());
    let stranger = Someone::new(1);
    let later = now() + 7_200;
    let other_request = Raw::get(&stranger, hub.id(), "/sync/v1/member");
    let other_signature = other_request.field("signature").map(str::to_owned);

    let not_signed = move || answer("401 Unauthorized", "", &refusal(later));
    let signer = Arc::clone(&hub_signer);
    let for_another = move || signed((hub_key, &signer), other_signature.as_deref(), later);
    let signer = Arc::clone(&hub_signer);
    let for_nothing = move || signed((hub_key, &signer), None, later);
    type Wrong = Box<dyn Fn() -> Vec<u8> + Send>;
    let wrong: [(Wrong, PeerCause); 3] = [
        (Box::new(not_signed), PeerCause::BadAnswer),
        (Box::new(for_another), PeerCause::NotProved),
        (Box::new(for_nothing), PeerCause::NotProved),
    ];
    for (wrong, cause) in wrong {
        let stand_in = StandIn::start(move |_| wrong());
        north.edit_peer(&hub, |peer| peer.address = stand_in.address());
        let synced = north.sync(&hub);
        assert_eq!(synced.end.expect("it is not believed").0, cause);
        assert_eq!(synced.clock_offset, 0);
    }
    // By somebody else, for this very request.
    let stand_in = StandIn::start(move |asked| {
        let request = asked.field("signature");
        signed((stranger.key, &stranger.signer), request.as_deref(), later)
    });
    north.edit_peer(&hub, |peer| peer.address = stand_in.address());
    let synced = north.sync(&hub);
    let (cause, detail) = synced.end.expect("it is not believed");
    assert_eq!(cause, PeerCause::NotProved, "{detail}");
    assert_eq!(synced.clock_offset, 0);
    north.edit_peer(&hub, |peer| peer.address = hub.address());
    assert_eq!(north.sync(&hub).end, None);
}

#[test]
fn a_hub_that_is_never_content_with_the_time_is_believed_once() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let mut north = Member::found("North");
    north.register(&hub);
    assert_eq!(north.sync(&hub).end, None);
    let (hub_key, signer) = key(hub.node());
    let asked_n = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&asked_n);
    let stand_in = StandIn::start(move |asked| {
        counted.fetch_add(1, Ordering::SeqCst);
        let request = asked.field("signature");
        signed((hub_key, &signer), request.as_deref(), now() + 7_200)
    });
    north.edit_peer(&hub, |peer| peer.address = stand_in.address());
    let synced = north.sync(&hub);
    assert_eq!(synced.end.expect("it does not end").0, PeerCause::Clock);
    assert_eq!(asked_n.load(Ordering::SeqCst), 2);
}
