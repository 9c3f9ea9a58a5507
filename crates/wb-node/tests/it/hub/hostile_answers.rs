//! Answers that would hurt whoever takes them whole: bombs, and redirects into somebody's own network. For
//! each call of the protocol, with everything signed as a hub signs it.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use wb_core::scope::FeedScope;
use wb_core::signed::Signer;
use wb_core::sync::signature::{KeyId, sign_answer};
use wb_core::sync::{Cursor, FollowList, Policy, Registration};
use wb_net::HubClient;
use wb_net::body::{BodyError, encode_zstd};
use wb_net::signed::CallError;

use super::raw::now;
use super::stand_in::{Asked, StandIn, answer};
use super::world::{HubUp, Member, key};

/// Every call that a member makes, by name, with what came of it.
async fn every_call(hub: &mut HubClient, bob: &Member) -> Vec<(&'static str, CallError)> {
    let (id, scope) = (bob.id(), FeedScope::Public);
    let since: Cursor = "05050505050505050505050505050505.0.0000000000000000"
        .parse()
        .expect("a cursor");
    let registration = Registration {
        schema_version: 1,
        identity: Vec::new(),
        card: serde_json::value::RawValue::from_string("{}".to_owned()).expect("an object"),
        listed: true,
        visibility: None,
        code: None,
        counter: 1,
    };
    let page = wb_net::SnapshotPage::default();
    vec![
        failed("who", hub.who_is_this().await),
        failed("register", hub.register(&registration).await),
        failed("member", hub.member().await),
        failed("directory", hub.directory(None).await),
        failed("follows", hub.put_follows(&FollowList::default()).await),
        failed("heads", hub.heads(None).await),
        failed("changes", hub.changes(&since, Duration::ZERO, None).await),
        failed("snapshot", hub.snapshot(id, scope, &page).await),
        failed("lines", hub.lines(id, scope, None, None).await),
        failed("push", hub.push(b"x".to_vec()).await),
    ]
}

fn failed<T>(call: &'static str, called: Result<T, CallError>) -> (&'static str, CallError) {
    match called {
        Ok(_) => panic!("the answer to {call} was taken"),
        Err(error) => (call, error),
    }
}

/// Calls everything at a stand-in for a hub that a member is registered at.
fn call_everything(
    answers: impl FnMut(&Asked, &HubKey) -> Vec<u8> + Send + 'static,
) -> Vec<(&'static str, CallError)> {
    let hub = HubUp::start("Harbour", Policy::Open);
    let mut bob = Member::found("South");
    bob.register(&hub);
    let hub_key = HubKey(key(hub.node()));
    let mut answers = answers;
    let stand_in = StandIn::start(move |asked| answers(asked, &hub_key));
    bob.edit_peer(&hub, |peer| peer.address = stand_in.address());
    bob.with_client(&hub, async |client, bob| every_call(client, bob).await)
}

/// The key of the hub that is stood in for.
pub(super) struct HubKey(pub(super) (KeyId, Arc<Signer>));

impl HubKey {
    /// An answer of the hub, signed for what was asked.
    pub(super) fn answer(&self, asked: &Asked, status: u16, fields: &str, body: &[u8]) -> Vec<u8> {
        let (key, signer) = &self.0;
        let request = asked.field("signature");
        let signed = sign_answer(status, body, request.as_deref(), *key, signer, now());
        let fields = format!(
            "{fields}content-digest: {}\r\nsignature-input: {}\r\nsignature: {}\r\n",
            signed.content_digest, signed.signature_input, signed.signature
        );
        answer(&format!("{status} Whatever"), &fields, body)
    }
}

#[test]
fn a_bomb_is_refused_as_the_answer_to_every_call() {
    let bomb = encode_zstd(3, &vec![0; 96 * 1_048_576]);
    let called = call_everything(move |asked, hub| {
        hub.answer(asked, 200, "content-encoding: zstd\r\n", &bomb)
    });
    assert_eq!(called.len(), 10);
    for (call, error) in called {
        let is_bomb = matches!(
            error,
            CallError::Body(BodyError::Ratio | BodyError::TooLarge { .. })
        );
        assert!(is_bomb, "{call}: {error}");
    }
}

#[test]
fn a_refusal_can_be_a_bomb_as_well_and_is_none_then() {
    let bomb = encode_zstd(3, &vec![0; 96 * 1_048_576]);
    let called = call_everything(move |asked, hub| {
        hub.answer(asked, 400, "content-encoding: zstd\r\n", &bomb)
    });
    for (call, error) in called.iter().filter(|(call, _)| *call != "who") {
        let is_bomb = matches!(
            error,
            CallError::Body(BodyError::Ratio | BodyError::TooLarge { .. })
        );
        assert!(is_bomb, "{call}: {error}");
    }
}

#[test]
fn a_redirect_to_an_internal_address_is_followed_by_no_call() {
    let inside = TcpListener::bind("127.0.0.1:0").expect("a port");
    inside.set_nonblocking(true).expect("it does not block");
    let to = inside.local_addr().expect("an address");
    let asked_n = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked_n);
    let called = call_everything(move |asked, hub| {
        // All that there are.
        let status = [301, 302, 303, 307, 308][counted.fetch_add(1, Ordering::SeqCst) % 5];
        let location = format!("location: http://{to}{}\r\n", asked.target());
        hub.answer(asked, status, &location, b"")
    });
    for (call, error) in called {
        assert!(
            matches!(error, CallError::NotOurs(301..=308)),
            "{call}: {error}"
        );
    }
    assert_eq!(asked_n.load(Ordering::SeqCst), 10);
    let nobody = inside.accept().expect_err("nobody came");
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}
