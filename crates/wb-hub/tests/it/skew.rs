//! A call in a protocol that this hub does not speak: it says what it speaks, to anybody and before
//! anything else, and does nothing.

use wb_core::sync::Policy;

use crate::world::{HubUp, Instance};

#[tokio::test]
async fn a_call_in_another_protocol_is_answered_with_what_is_spoken_here() {
    let hub = HubUp::start(Policy::Open).await;
    let alice = Instance::new(1);
    for target in [
        "/sync/v2/heads",
        "/wb/sync/v9/anything/else",
        "/sync/v4294967295/push",
    ] {
        // Also whoever is not registered: the form of its signature may be another one.
        let answer = hub.call(&alice, "GET", target, None).await;
        assert_eq!(
            (answer.status, answer.cause()),
            (409, "version_skew"),
            "{answer:?}"
        );
        assert_eq!(
            (
                &answer.body["protocol"]["min"],
                &answer.body["protocol"]["max"]
            ),
            (&1.into(), &1.into())
        );
        let action = answer.body["action"].as_str().unwrap_or_default();
        assert!(
            action.contains("has to upgrade it to a program that speaks protocol"),
            "{action}"
        );
    }
    for target in [
        "/sync/v0/heads",
        "/sync/v01/heads",
        "/sync/v/heads",
        "/sync/v4294967296/heads",
    ] {
        let answer = hub.call(&alice, "GET", target, None).await;
        assert_eq!(answer.cause(), "not_found", "{target}: {answer:?}");
    }
    hub.register(&alice).await;
    let answer = hub.call(&alice, "GET", "/sync/v1/heads", None).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}
