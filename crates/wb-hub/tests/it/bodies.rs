//! Whose bodies are read, and how many at once. A large one was read and unpacked for anybody, before
//! its sender was looked at.

use std::time::Duration;

use wb_core::sync::Policy;
use wb_hub::{HubLimits, LARGE_BODIES, LargeBodies};

use crate::world::{Asked, HubUp, Instance};

const PUSH: &str = "/sync/v1/push";

fn large() -> Vec<u8> {
    vec![b'x'; 1_048_576]
}

#[tokio::test]
async fn a_stranger_is_refused_before_a_byte_of_its_large_body() {
    let hub = HubUp::start(Policy::Open).await;
    let eve = Instance::new(1);
    let asked = hub.begin(&eve, "POST", PUSH, Some(&large())).await;
    assert_eq!(asked.answer().await.cause(), "key_unknown");
}

#[tokio::test]
async fn who_waits_for_approval_is_refused_before_a_byte_of_its_large_body() {
    let hub = HubUp::start(Policy::Approval).await;
    let alice = Instance::new(1);
    assert_eq!(hub.register(&alice).await.body["standing"], "waiting");
    let asked = hub.begin(&alice, "POST", PUSH, Some(&large())).await;
    assert_eq!(asked.answer().await.cause(), "waiting");
}

#[tokio::test]
async fn a_small_body_is_looked_at_before_its_sender() {
    let hub = HubUp::start(Policy::Open).await;
    let eve = Instance::new(1);
    let mut asked = hub.begin(&eve, "POST", PUSH, Some(b"one")).await;
    asked.send(b"two").await;
    assert_eq!(asked.answer().await.cause(), "digest_mismatch");
}

#[tokio::test]
async fn a_members_large_body_is_read_and_compared_with_its_digest() {
    let hub = HubUp::start(Policy::Open).await;
    let alice = Instance::new(1);
    hub.register(&alice).await;
    let body = vec![b'x'; 100_000];
    let answer = hub.call(&alice, "POST", PUSH, Some(&body)).await;
    assert_eq!(answer.cause(), "bad_request", "{answer:?}");

    let mut asked = hub.begin(&alice, "POST", PUSH, Some(&body)).await;
    asked.send(&vec![b'y'; 100_000]).await;
    assert_eq!(asked.answer().await.cause(), "digest_mismatch");
}

#[tokio::test]
async fn so_many_large_bodies_are_read_at_once_and_no_more() {
    let hub = HubUp::start(Policy::Open).await;
    let alice = Instance::new(1);
    hub.register(&alice).await;
    let body = vec![b'x'; 100_000];
    let mut taken = slow_senders(&hub, 4, &body).await;
    let asked = hub.begin(&alice, "POST", PUSH, Some(&body)).await;
    let answer = asked.answer().await;
    assert_eq!((answer.status, answer.cause()), (503, "busy"));

    // Strangers' registrations have places of their own.
    let eve = Instance::new(2);
    let path = "/sync/v1/register";
    let answer = hub.call(&eve, "POST", path, Some(&body)).await;
    assert_eq!(answer.cause(), "bad_request");

    let mut first = taken.remove(0);
    first.send(&body).await;
    assert_eq!(first.answer().await.cause(), "bad_request");
    let answer = hub.call(&alice, "POST", PUSH, Some(&body)).await;
    assert_eq!(answer.cause(), "bad_request");
}

/// Every call of the protocol, with the cause that a body of 128 MiB of zeros, packed into a few KiB, has there.
const BOMBED: [(&str, &str, &str); 9] = [
    ("POST", "/sync/v1/register", "too_large"),
    ("GET", "/sync/v1/member", "too_large"),
    ("GET", "/sync/v1/directory", "too_large"),
    ("PUT", "/sync/v1/follows", "too_large"),
    ("GET", "/sync/v1/heads", "too_large"),
    ("GET", "/sync/v1/changes", "too_large"),
    ("GET", "/sync/v1/snapshot/x/public", "too_large"),
    ("GET", "/sync/v1/lines/x/public", "too_large"),
    ("POST", PUSH, "bad_request"),
];

#[tokio::test]
async fn a_bomb_is_refused_on_every_route_and_the_hub_goes_on() {
    let hub = HubUp::start(Policy::Open).await;
    let alice = Instance::new(1);
    hub.register(&alice).await;
    let bomb = wb_net::body::encode_zstd(3, &vec![0; 128 * 1_048_576]);
    assert!(bomb.len() < 65_536, "{}", bomb.len());
    for (method, target, cause) in BOMBED {
        let answer = hub.call_packed(&alice, method, target, &bomb).await;
        assert_eq!(answer.cause(), cause, "{target}: {answer:?}");
    }
    // One that is large as it travels is read in a place, and refused as well.
    let large = [bomb.as_slice(), &[0; 100_000]].concat();
    let answer = hub.call_packed(&alice, "POST", PUSH, &large).await;
    assert_eq!(answer.cause(), "bad_request", "{answer:?}");
    assert_eq!(hub.register(&alice).await.status, 200);
}

/// A hub where who sends slowly has to give way at once.
async fn strict_hub() -> HubUp {
    let limits = HubLimits {
        large_bodies: LargeBodies {
            grace: Duration::ZERO,
            ..LARGE_BODIES
        },
        ..HubLimits::default()
    };
    HubUp::with_limits(Policy::Open, limits).await
}

/// So many members that each began to send a body, and send no more of it.
async fn slow_senders(hub: &HubUp, count: u8, body: &[u8]) -> Vec<Asked> {
    let mut taken = Vec::new();
    for seed in 0..count {
        let eve = Instance::new(50 + seed);
        hub.register(&eve).await;
        let mut asked = hub.begin(&eve, "POST", PUSH, Some(body)).await;
        asked.is_read().await;
        taken.push(asked);
    }
    taken
}

/// A place was held for as long as its sender kept a byte coming now and then, and four senders held all.
#[tokio::test]
async fn slow_senders_give_way_to_an_honest_one() {
    let hub = strict_hub().await;
    let alice = Instance::new(1);
    hub.register(&alice).await;
    let body = large();
    let slow = slow_senders(&hub, 4, &body).await;
    // It is read whole; that it is no push is another matter.
    let answer = hub.call(&alice, "POST", PUSH, Some(&body)).await;
    assert_eq!(answer.cause(), "bad_request", "{answer:?}");

    let mut gave_up = 0;
    for mut asked in slow {
        asked.send(&body).await;
        let answer = asked.answer().await;
        match answer.cause() {
            "too_slow" => {
                assert_eq!((answer.status, answer.retry_after), (408, Some(5)));
                gave_up += 1;
            }
            cause => assert_eq!(cause, "bad_request"),
        }
    }
    assert_eq!(gave_up, 1, "one place was wanted");
}

#[tokio::test]
async fn who_sends_slowly_may_take_its_time_while_nobody_waits() {
    let hub = strict_hub().await;
    let alice = Instance::new(1);
    hub.register(&alice).await;
    let body = large();
    let slow = slow_senders(&hub, 3, &body).await;
    for _ in 0..5 {
        let answer = hub.call(&alice, "POST", PUSH, Some(&body)).await;
        assert_eq!(answer.cause(), "bad_request", "{answer:?}");
    }
    for mut asked in slow {
        asked.send(&body).await;
        assert_eq!(asked.answer().await.cause(), "bad_request");
    }
}

/// A node whose connection broke comes again, and must not find its own place taken by itself.
#[tokio::test]
async fn a_member_has_one_place_and_its_later_body_takes_it() {
    let hub = HubUp::start(Policy::Open).await;
    let alice = Instance::new(1);
    hub.register(&alice).await;
    let body = large();
    let mut first = hub.begin(&alice, "POST", PUSH, Some(&body)).await;
    first.is_read().await;
    for _ in 0..8 {
        let mut next = hub.begin(&alice, "POST", PUSH, Some(&body)).await;
        next.is_read().await;
        let answer = first.answer().await;
        let detail =
            "the body was given up: a later body of the same instance came; nothing was changed";
        assert_eq!(
            (answer.cause(), &answer.body["detail"]),
            ("too_slow", &detail.into())
        );
        first = next;
    }
    first.send(&body).await;
    assert_eq!(first.answer().await.cause(), "bad_request");
}
