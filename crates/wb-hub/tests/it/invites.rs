//! Registering by invitation, as somebody finds it who speaks HTTP by hand: what is asked for, what is said to whom, and
//! how often somebody may try.

use serde_json::{Value, json};
use wb_core::sync::Policy;
use wb_hub::{HubInvites as _, HubLimits, NewInvite, Rate, code_hash};

use super::world::{Answer, HubUp, Instance, now};

const CODE: &str = "5d41402abc4b2a76b9719d911017c592";

async fn make(hub: &HubUp, code: &str, uses_max: Option<u64>) {
    let invite = NewInvite {
        code: code_hash(code),
        note: "for a friend".to_owned(),
        uses_max,
        until: None,
    };
    let made = hub.store().put_invite(invite, now()).await;
    assert!(made.expect("a store").is_some());
}

/// Registers with more members in the body.
async fn register(hub: &HubUp, from: &Instance, beside: &[(&str, Value)]) -> Answer {
    let mut body = from.registration("somebody");
    for (name, value) in beside {
        body[*name] = value.clone();
    }
    let (body, path) = (body.to_string(), "/sync/v1/register");
    hub.call(from, "POST", path, Some(body.as_bytes())).await
}

async fn with_code(hub: &HubUp, from: &Instance, code: &str) -> Answer {
    register(hub, from, &[("code", json!(code))]).await
}

#[tokio::test]
async fn who_brings_no_code_is_told_who_has_to_do_what_and_a_code_lets_in_once() {
    let hub = HubUp::start(Policy::Invite).await;
    let says = hub.ask("/.well-known/wb/node").await.body;
    // Versions that know no invitations read a word that they know.
    assert_eq!(
        (&says["policy"], &says["invite"]),
        (&json!("approval"), &json!(true))
    );
    make(&hub, CODE, Some(1)).await;
    let (alice, bob) = (Instance::new(1), Instance::new(2));

    let needed = hub.register(&alice).await;
    assert_eq!((needed.status, needed.cause()), (403, "invite_needed"));
    let action = "ask the operator of Harbour for the code of an invitation, and register with it";
    assert_eq!(needed.body["action"], action);
    let unknown = with_code(&hub, &alice, "0").await;
    assert_eq!((unknown.status, unknown.cause()), (403, "invite_unknown"));

    // As it was read aloud: spaces around it and large letters are no other code.
    let spelled = format!(" {} ", CODE.to_uppercase());
    let came = with_code(&hub, &alice, &spelled).await;
    assert_eq!(
        (came.status, &came.body["standing"]),
        (200, &json!("member"))
    );
    // It comes twice, and then without.
    for _ in 0..2 {
        assert_eq!(with_code(&hub, &alice, CODE).await.status, 200);
    }
    assert_eq!(hub.register(&alice).await.status, 200);
    let used = with_code(&hub, &bob, CODE).await;
    assert_eq!((used.status, used.cause()), (410, "invite_used"));
    let member = hub.call(&bob, "GET", "/sync/v1/member", None).await;
    assert_eq!(member.cause(), "key_unknown", "nothing of it is kept");
}

#[tokio::test]
async fn whoever_tries_codes_is_soon_told_to_wait_and_members_are_not() {
    let limits = HubLimits {
        code: Rate {
            burst: 5,
            every_ms: 60_000,
        },
        ..HubLimits::default()
    };
    let hub = HubUp::with_limits(Policy::Invite, limits).await;
    make(&hub, CODE, None).await;
    let (alice, eve) = (Instance::new(1), Instance::new(2));
    assert_eq!(with_code(&hub, &alice, CODE).await.status, 200);
    for guess in 0..4 {
        let answer = with_code(&hub, &eve, &format!("{guess}")).await;
        assert_eq!(answer.cause(), "invite_unknown");
    }
    // Also with the right one, and as anybody else.
    for from in [&eve, &Instance::new(3)] {
        let answer = with_code(&hub, from, CODE).await;
        assert_eq!((answer.status, answer.cause()), (429, "too_many"));
        assert_eq!(answer.retry_after, Some(60));
    }
    assert_eq!(with_code(&hub, &alice, CODE).await.status, 200);
}

#[tokio::test]
async fn both_words_of_a_registration_are_heeded_and_the_narrower_counts() {
    let hub = HubUp::start(Policy::Open).await;
    for (seed, listed, visibility, shown) in [
        (1, true, None, "public"),
        (2, false, None, "unlisted"),
        (3, false, Some("members"), "members"),
        (4, true, Some("unlisted"), "unlisted"),
        (5, false, Some("public"), "unlisted"),
        // A later version's.
        (6, false, Some("friends"), "unlisted"),
    ] {
        let from = Instance::new(seed);
        let mut beside = vec![("listed", json!(listed))];
        beside.extend(visibility.map(|word| ("visibility", json!(word))));
        let answer = register(&hub, &from, &beside).await;
        assert_eq!(answer.body["visibility"], shown, "{listed} {visibility:?}");
        let member = hub.call(&from, "GET", "/sync/v1/member", None).await;
        assert_eq!(member.body["visibility"], shown);
    }
    let path = "/sync/v1/directory";
    let directory = hub.call(&Instance::new(2), "GET", path, None).await.body;
    let rows = directory["members"].as_array().expect("members");
    let said: Vec<&Value> = rows.iter().map(|row| &row["visibility"]).collect();
    assert_eq!(said.len(), 2, "{directory}");
    assert!(said.contains(&&Value::Null) && said.contains(&&json!("members")));
}
