//! Whose bodies are read, and how many at once. A large one was read and unpacked for anybody, before
//! its sender was looked at.

use wb_core::sync::Policy;

use crate::world::{HubUp, Instance};

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
    let mut taken = Vec::new();
    for _ in 0..4 {
        let mut asked = hub.begin(&alice, "POST", PUSH, Some(&body)).await;
        asked.is_read().await;
        taken.push(asked);
    }
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
