//! How often one may ask. Answers are counted, and the clock stands still: what is granted at once is
//! granted, and nothing comes back meanwhile.

use wb_core::sync::Policy;
use wb_hub::{HubLimits, Rate, WAITS_PER_MEMBER_MAX};

use crate::world::{Answer, HubUp, Instance};

const MEMBER: &str = "/sync/v1/member";
const WHO: &str = "/.well-known/wb/node";

fn rate(burst: u32) -> Rate {
    Rate {
        burst,
        every_ms: 60_000,
    }
}

async fn hub(limits: HubLimits) -> HubUp {
    HubUp::with_limits(Policy::Open, limits).await
}

/// So many calls, one after the other.
async fn calls(hub: &HubUp, from: &Instance, times: usize) -> Vec<Answer> {
    let mut answers = Vec::new();
    for _ in 0..times {
        answers.push(hub.call(from, "GET", MEMBER, None).await);
    }
    answers
}

fn of_cause(answers: &[Answer], cause: &str) -> usize {
    answers
        .iter()
        .filter(|answer| answer.cause() == cause)
        .count()
}

#[tokio::test]
async fn who_floods_is_told_too_many_and_nobody_else_is() {
    let limits = HubLimits {
        member: rate(40),
        ..HubLimits::default()
    };
    let hub = hub(limits).await;
    let (alice, bob) = (Instance::new(1), Instance::new(2));
    hub.register(&alice).await;
    hub.register(&bob).await;

    // Alice and bob are behind one address, and ask at the same time.
    let (flood, honest) = tokio::join!(calls(&hub, &alice, 200), calls(&hub, &bob, 40));
    assert_eq!(of_cause(&flood, ""), 40);
    assert_eq!(of_cause(&flood, "too_many"), 160);
    assert_eq!(of_cause(&honest, ""), 40);

    let refused = flood.last().expect("200 answers");
    assert_eq!((refused.status, refused.retry_after), (429, Some(60)));
    assert_eq!(refused.body["retry_after"], 60);
    assert_eq!(refused.body["type"], "urn:wb:problem:too_many");
    assert_eq!(refused.body["action"], "ask again after 60 seconds");
}

#[tokio::test]
async fn what_nobody_is_known_to_have_sent_is_charged_to_its_address_and_members_there_go_on() {
    let limits = HubLimits {
        address: rate(10),
        ..HubLimits::default()
    };
    let hub = hub(limits).await;
    let (alice, eve) = (Instance::new(1), Instance::new(2));
    // A first registration is one of the ten.
    assert_eq!(hub.register(&alice).await.status, 200);
    let flood = calls(&hub, &eve, 50).await;
    assert_eq!(of_cause(&flood, "key_unknown"), 9);
    assert_eq!(of_cause(&flood, "too_many"), 41);

    assert_eq!(hub.ask(WHO).await.cause(), "too_many");
    assert_eq!(hub.ask("/sync/v1/nothing").await.cause(), "too_many");
    assert_eq!(hub.register(&eve).await.cause(), "too_many");
    assert_eq!(hub.ask("/livez").await.status, 200);

    let honest = calls(&hub, &alice, 50).await;
    assert_eq!(of_cause(&honest, ""), 50);
    assert_eq!(hub.register(&alice).await.status, 200);
}

#[tokio::test]
async fn behind_a_named_proxy_a_flood_keeps_nobody_else_from_registering() {
    let limits = HubLimits {
        address: rate(3),
        ..HubLimits::default()
    };
    for (proxies, others_go_on) in [("127.0.0.1", true), ("", false)] {
        let hub = HubUp::behind(Policy::Open, limits, proxies).await;
        let eve = Instance::new(2);
        let ask = async |address: &str| {
            let field = format!("x-forwarded-for: 203.0.113.9, {address}");
            let asked = hub.begin_with(&eve, "GET", MEMBER, None, &[&field]).await;
            asked.answer().await.cause().to_owned()
        };
        for _ in 0..3 {
            assert_eq!(ask("192.0.2.1").await, "key_unknown");
        }
        assert_eq!(ask("192.0.2.1").await, "too_many");
        let other = ask("192.0.2.2").await;
        assert_eq!(other == "key_unknown", others_go_on, "{proxies}: {other}");
    }
}

#[tokio::test]
async fn what_is_sent_in_a_members_name_costs_the_member_nothing() {
    let limits = HubLimits {
        member: rate(5),
        ..HubLimits::default()
    };
    let hub = hub(limits).await;
    let alice = Instance::new(1);
    hub.register(&alice).await;
    let forged = calls(&hub, &alice.forged_by(66), 50).await;
    assert_eq!(of_cause(&forged, "signature_invalid"), 50);
    let honest = calls(&hub, &alice, 6).await;
    assert_eq!(
        (of_cause(&honest, ""), of_cause(&honest, "too_many")),
        (5, 1)
    );
}

#[tokio::test]
async fn of_one_address_so_many_register_and_who_is_known_goes_on() {
    let limits = HubLimits {
        new_per_address: rate(11),
        ..HubLimits::default()
    };
    let hub = hub(limits).await;
    for seed in 1..=11 {
        assert_eq!(
            hub.register(&Instance::new(seed)).await.status,
            200,
            "{seed}"
        );
    }
    let refused = hub.register(&Instance::new(12)).await;
    assert_eq!(refused.cause(), "too_many");
    let detail = "as many as may from this address have registered within the last hour; nothing was changed";
    assert_eq!(refused.body["detail"], detail);
    // Whoever is known may bring a newer card all the same.
    assert_eq!(hub.register(&Instance::new(1)).await.status, 200);
    // The one refused is not known.
    let asked = hub.call(&Instance::new(12), "GET", MEMBER, None).await;
    assert_eq!(asked.cause(), "key_unknown");
}

#[tokio::test]
async fn of_all_addresses_so_many_register() {
    let limits = HubLimits {
        new: rate(2),
        ..HubLimits::default()
    };
    let hub = hub(limits).await;
    let statuses = [
        hub.register(&Instance::new(1)).await.status,
        hub.register(&Instance::new(2)).await.status,
        hub.register(&Instance::new(3)).await.status,
    ];
    assert_eq!(statuses, [200, 200, 429]);
}

#[tokio::test]
async fn a_registration_that_is_not_signed_by_whom_it_names_does_not_count_as_one() {
    let limits = HubLimits {
        new: rate(1),
        ..HubLimits::default()
    };
    let hub = hub(limits).await;
    let alice = Instance::new(1);
    let forged = hub.register(&alice.forged_by(66)).await;
    assert_eq!(forged.cause(), "signature_invalid");
    assert_eq!(hub.register(&alice).await.status, 200);
}

/// An answer that is held back holds a connection: one member could have had them all.
#[tokio::test]
async fn of_one_member_so_many_answers_are_held_back_and_the_rest_is_answered_at_once() {
    let hub = hub(HubLimits::default()).await;
    let (alice, bob) = (Instance::new(1), Instance::new(2));
    hub.register(&alice).await;
    let follows = br#"{"schema_version":1,"counter":1,"all":true,"follow":[],"except":[]}"#;
    let put = hub
        .call(&alice, "PUT", "/sync/v1/follows", Some(follows))
        .await;
    assert_eq!(put.status, 200);
    let heads = hub.call(&alice, "GET", "/sync/v1/heads", None).await;
    let cursor = heads.body["cursor"].as_str().expect("a cursor");
    let target = format!("/sync/v1/changes?since={cursor}&wait=55");

    let mut answers = tokio::task::JoinSet::new();
    for _ in 0..WAITS_PER_MEMBER_MAX + 4 {
        let asked = hub.begin(&alice, "GET", &target, None).await;
        answers.spawn(asked.answer());
    }
    // Four come with nothing new, so all have been looked at.
    for _ in 0..4 {
        let answer = answers
            .join_next()
            .await
            .expect("an answer")
            .expect("it ends");
        assert_eq!(answer.body["section"], "changes");
    }
    // The others were waiting, and come with what is new: more than one line.
    hub.register(&bob).await;
    let rest = answers.join_all().await;
    assert_eq!(rest.len(), WAITS_PER_MEMBER_MAX);
    assert!(
        rest.iter()
            .all(|answer| answer.status == 200 && answer.body.is_null())
    );
}

/// A hub of 100,000 records of 1 KiB each is some 25 pages, and eleven nodes behind one address ask who the
/// hub is and register.
#[test]
fn what_is_granted_is_far_more_than_honest_nodes_ask_for() {
    let limits = HubLimits::default();
    let pages = 100_000 * 1_024 / wb_core::limits::PAGE_BYTES_TARGET + 1;
    let member = usize::try_from(limits.member.burst).expect("a small number");
    assert!(member > 20 * pages, "{member}");
    assert!(limits.address.burst > 11 * 10);
    assert!(limits.new_per_address.burst >= 2 * 11);
}
