//! What a hub refuses, and how: every cause of the table, from bytes on a socket.

use wb_core::sync::Policy;
use wb_core::time::Timestamp;
use wb_hub::Decision;

use super::raw::{Raw, RawAnswer, Someone, now, other_entry};
use super::world::HubUp;

/// Asserts what every refusal has, and gives its cause.
fn refused(hub: &HubUp, request: &Raw, expected: (u16, &str)) -> RawAnswer {
    let answer = request.send(hub.socket());
    let problem = answer.json();
    assert_eq!(
        (answer.status, problem["cause"].as_str()),
        (expected.0, Some(expected.1)),
        "{problem}"
    );
    assert_eq!(problem["status"], expected.0);
    assert_eq!(problem["type"], format!("urn:wb:problem:{}", expected.1));
    assert_eq!(problem["schema_version"], 1);
    for words in ["title", "detail", "action"] {
        assert!(!problem[words].as_str().expect("words").is_empty());
    }
    assert_eq!(
        answer.field("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(answer.verify(request, hub.node().identity()), Ok(()));
    answer
}

fn register(hub: &HubUp, who: &Someone) -> RawAnswer {
    let body = who.registration("North", true);
    let call = ("POST", "/sync/v1/register", &body[..]);
    Raw::signed(who, hub.id(), call, now()).send(hub.socket())
}

const DIRECTORY: &str = "/sync/v1/directory";
const FOLLOWS: &str = "/sync/v1/follows";
const LIST: &[u8] = br#"{"schema_version":1,"counter":1,"all":true,"follow":[],"except":[]}"#;

#[test]
fn each_thing_that_is_wrong_with_a_request_has_its_cause() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let north = Someone::new(1);
    assert_eq!(register(&hub, &north).status, 200);
    let good = Raw::get(&north, hub.id(), DIRECTORY);
    let put = Raw::signed(&north, hub.id(), ("PUT", FOLLOWS, LIST), now());
    let input = "signature-input";

    let missing = (401, "signature_missing");
    refused(&hub, &Raw::unsigned("GET", DIRECTORY, b""), missing);
    refused(&hub, &good.clone().without("signature"), missing);
    refused(&hub, &good.clone().without(input), missing);
    let renamed = good.clone().edited(input, "wb=", "sig=");
    refused(&hub, &renamed.edited("signature", "wb=", "sig="), missing);

    let malformed = (400, "signature_malformed");
    refused(
        &hub,
        &good.clone().with("signature", "wb=:AAAA:"),
        malformed,
    );
    refused(&hub, &good.clone().with("signature", "wb=("), malformed);
    for (from, to) in [
        ("\"@query\" ", ""),
        ("\"@method\" \"@path\"", "\"@path\" \"@method\""),
        ("wb-sync-v1", "wb-answer-v1"),
        ("ed25519", "hmac-sha256"),
        (";created=", ";made="),
        ("expires=", "expires=1."),
        (&north.key.to_string()[..8], "nobody"),
    ] {
        refused(&hub, &good.clone().edited(input, from, to), malformed);
    }

    let recipient = (421, "wrong_recipient");
    refused(&hub, &good.clone().without("wb-to"), recipient);
    refused(&hub, &Raw::get(&north, north.id(), DIRECTORY), recipient);

    let digest = (400, "digest_mismatch");
    let longer = [LIST, b" "].concat();
    refused(&hub, &put.clone().with_body(&longer), digest);
    refused(&hub, &put.clone().without("content-digest"), digest);

    let unknown = (401, "key_unknown");
    refused(
        &hub,
        &Raw::get(&Someone::new(2), hub.id(), DIRECTORY),
        unknown,
    );
    let other = other_entry(north.key);
    let other = good.clone().edited(input, &north.key.to_string(), &other);
    refused(&hub, &other, unknown);

    let invalid = (401, "signature_invalid");
    refused(&hub, &good.clone().at("/sync/v1/heads"), invalid);
    refused(
        &hub,
        &good.clone().at("/sync/v1/directory?limit=1"),
        invalid,
    );
    refused(
        &hub,
        &good.clone().edited(input, ";created=1", ";created=2"),
        invalid,
    );
    let own_digest = wb_core::sync::signature::content_digest(&longer);
    let swapped = put.with_body(&longer).with("content-digest", &own_digest);
    refused(&hub, &swapped, invalid);

    for signed_at in [now() - 3_600, now() + 3_600] {
        let old = Raw::signed(&north, hub.id(), ("GET", DIRECTORY, b""), signed_at);
        let answer = refused(&hub, &old, (401, "clock"));
        assert!(
            answer.json()["now"].is_u64(),
            "the time there comes with it"
        );
    }
    refused(
        &hub,
        &Raw::get(&north, hub.id(), "/sync/v1/gossip"),
        (404, "not_found"),
    );
    refused(
        &hub,
        &Raw::get(&north, hub.id(), "/sync/v1/changes"),
        (400, "bad_request"),
    );
    let since = "/sync/v1/changes?since=yesterday";
    refused(
        &hub,
        &Raw::get(&north, hub.id(), since),
        (400, "bad_request"),
    );

    // After all that the good one is still good.
    let answer = good.send(hub.socket());
    assert_eq!(answer.status, 200);
    assert_eq!(answer.verify(&good, hub.node().identity()), Ok(()));
}

#[test]
fn a_key_that_was_followed_by_another_is_retired_and_registers_nothing() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let before = Someone::new(1);
    assert_eq!(register(&hub, &before).status, 200);
    let after = before.rotated(2);
    // The log with the new key comes with a registration; until then it is not known.
    let unknown = Raw::get(&after, hub.id(), DIRECTORY);
    refused(&hub, &unknown, (401, "key_unknown"));
    assert_eq!(register(&hub, &after).status, 200);
    assert_eq!(
        Raw::get(&after, hub.id(), DIRECTORY)
            .send(hub.socket())
            .status,
        200
    );
    refused(
        &hub,
        &Raw::get(&before, hub.id(), DIRECTORY),
        (401, "key_retired"),
    );
    // Also where the older log comes along, and where the newer one does under the older key.
    assert_eq!(
        register(&hub, &before).refusal(),
        (401, "key_retired".to_owned())
    );
    let body = after.registration("North", true);
    let call = ("POST", "/sync/v1/register", &body[..]);
    let stolen = Raw::signed(&before, hub.id(), call, now());
    refused(&hub, &stolen, (401, "key_retired"));
}

#[test]
fn who_may_not_is_told_why_in_words() {
    let hub = HubUp::start("Harbour", Policy::Approval);
    let north = Someone::new(1);
    let waiting = register(&hub, &north);
    assert_eq!(waiting.json()["standing"], "waiting");
    let ask = Raw::get(&north, hub.id(), DIRECTORY);
    let answer = refused(&hub, &ask, (403, "waiting"));
    let action = answer.json()["action"].to_string();
    assert!(action.contains("Harbour"), "{action}");
    // Where it stands may be asked all the same.
    let member = Raw::get(&north, hub.id(), "/sync/v1/member").send(hub.socket());
    assert_eq!(member.json()["standing"], "waiting");

    hub.approve(north.id());
    assert_eq!(ask.send(hub.socket()).status, 200);
    let until: Timestamp = "2999-01-01T00:00:00.000Z".parse().expect("a time");
    let suspend = Decision::Suspend {
        reason: "too much noise".to_owned(),
        until: Some(until),
    };
    hub.decide(north.id(), suspend);
    let answer = refused(&hub, &ask, (403, "suspended"));
    let detail = answer.json()["detail"].to_string();
    assert!(detail.contains("too much noise"), "{detail}");
    assert!(detail.contains("2999-01-01"), "{detail}");
    // Registering again changes that for nobody.
    assert_eq!(register(&hub, &north).json()["standing"], "suspended");
    refused(&hub, &ask, (403, "suspended"));
    hub.decide(north.id(), Decision::Reinstate);
    assert_eq!(ask.send(hub.socket()).status, 200);
}

#[test]
fn a_proxy_may_put_anything_before_the_path() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let north = Someone::new(1);
    assert_eq!(register(&hub, &north).status, 200);
    let request = Raw::get(&north, hub.id(), "/sync/v1/directory?limit=1");
    let answer = request
        .at("/wb/sync/v1/directory?limit=1")
        .send(hub.socket());
    assert_eq!(answer.status, 200);
    let who = Raw::unsigned("GET", "/wb/.well-known/wb/node", b"").send(hub.socket());
    assert_eq!(who.json()["id"], hub.id().to_string());
    assert_eq!(who.json()["role"], "hub");
}

#[test]
fn an_answer_is_signed_for_its_request_and_no_other() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let north = Someone::new(1);
    register(&hub, &north);
    let one = Raw::get(&north, hub.id(), DIRECTORY);
    let other = Raw::get(&north, hub.id(), "/sync/v1/member");
    let answer = one.send(hub.socket());
    assert_eq!(answer.verify(&one, hub.node().identity()), Ok(()));
    assert!(answer.verify(&other, hub.node().identity()).is_err());
    assert!(answer.verify(&one, &north.log).is_err());
    let mut changed = answer.clone();
    changed.body.push(b' ');
    assert!(changed.verify(&one, hub.node().identity()).is_err());
    let mut changed = answer;
    changed.status = 201;
    assert!(changed.verify(&one, hub.node().identity()).is_err());
}
