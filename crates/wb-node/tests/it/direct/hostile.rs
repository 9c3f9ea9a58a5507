//! A peer that gives what it must not: each thing costs that delivery, and nothing that is here.

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use wb_core::ndjson::lines;
use wb_core::scope::Scope;
use wb_core::sync::Cause;
use wb_net::network::Internet;
use wb_net::signed::{CallError, Caller};
use wb_net::{Base, Connection, PeerClient, Reach};
use wb_node::command::bundle_export::{BundleExport, bundle_export};
use wb_node::service::clock;
use wb_node::sync::key_of;

use super::street::{House, titles};

/// Calls a node as another instance, whatever that may do there.
fn client(of: &House, at: &House) -> PeerClient {
    let base = Base::parse(&at.address()).expect("an address");
    let connection = Connection::new(base, Reach::Lan).with_network(Arc::new(Internet));
    let key = key_of(of.node.identity());
    let signer = Arc::new(of.signer());
    let identity = at.node.identity().clone();
    PeerClient::new(Caller::new(connection, key, signer, identity, clock()))
}

fn deliver(of: &House, at: &House, body: Vec<u8>) -> Result<Vec<String>, CallError> {
    let mut client = client(of, at);
    let pushed = of.block_on(client.deliver(body))?;
    Ok(pushed.feeds.into_iter().map(|feed| feed.outcome).collect())
}

fn refused(of: &House, at: &House, body: Vec<u8>) -> Option<Cause> {
    deliver(of, at, body).expect_err("it is refused").refusal()
}

/// A bundle of everything that may be handed on by file.
fn bundle(of: &mut House) -> Vec<u8> {
    let file = of.folder().join("all.wbb");
    let input = BundleExport {
        file: &file,
        want: None,
        zstd_level: None,
    };
    let actor = of.actor();
    bundle_export(&mut of.node, &actor, &input, &mut |_, _| {}).expect("a bundle");
    std::fs::read(file).expect("a file")
}

fn paired() -> (House, House) {
    let (mut elm, mut oak) = (House::open("Elm"), House::quiet("Oak"));
    oak.pair_with(&mut elm);
    oak.ask("A ladder", Scope::Public);
    assert_eq!(oak.sync(elm.id()).end, None);
    elm.show(oak.id());
    (elm, oak)
}

#[test]
fn what_is_not_the_sender_s_own_is_refused_whole() {
    let (mut elm, mut oak) = paired();
    let mut eve = House::open("Eve");
    eve.ask("Noise", Scope::Public);
    eve.seal();
    oak.pair_with(&mut eve);
    oak.sync(eve.id());
    oak.show(eve.id());
    oak.ask("Chairs", Scope::Public);
    // Oak's own feed, and Eve's beside it.
    let both = bundle(&mut oak);
    assert_eq!(refused(&oak, &elm, both), Some(Cause::NotYours));
    // Eve's own bundle, sent by Oak.
    let of_eve = bundle(&mut eve);
    assert_eq!(refused(&oak, &elm, of_eve), Some(Cause::BadRequest));
    // Elm's own feed, given to it as if it had lost it.
    elm.ask("Soup", Scope::Public);
    let of_elm = bundle(&mut elm);
    assert_eq!(refused(&oak, &elm, of_elm), Some(Cause::BadRequest));
    assert_eq!(elm.head(eve.id()), None);
    assert_eq!(titles(&elm), ["A ladder", "Soup"]);
    elm.assert_sound();
}

#[test]
fn a_bundle_that_was_changed_costs_that_delivery_only() {
    let (mut elm, mut oak) = (House::open("Elm"), House::quiet("Oak"));
    oak.pair_with(&mut elm);
    oak.ask("A ladder", Scope::Public);
    let whole = bundle(&mut oak);
    let text = String::from_utf8(whole.clone()).expect("text");
    let changed = text.replace("A ladder", "A bigger").into_bytes();
    let cut = whole[..whole.len() - 40].to_vec();
    let mut longer = whole.clone();
    longer.extend_from_slice(b"{}\n");
    let mut swapped: Vec<&[u8]> = lines(&whole).collect();
    swapped.swap(3, 4);
    let swapped = swapped.join(&b'\n');
    for (what, body) in [
        ("changed", changed),
        ("cut", cut),
        ("longer", longer),
        ("swapped", swapped),
        ("noise", b"GET / HTTP/1.1".to_vec()),
    ] {
        assert_eq!(refused(&oak, &elm, body), Some(Cause::BadRequest), "{what}");
        assert_eq!(elm.head(oak.id()), None, "{what}");
    }
    assert_eq!(
        deliver(&oak, &elm, whole.clone()).expect("it is whole"),
        ["take"]
    );
    // Once more changes nothing.
    let runs = elm.node.store().runs(10, None).expect("a log").len();
    assert_eq!(
        deliver(&oak, &elm, whole).expect("it is known"),
        ["duplicate"]
    );
    assert_eq!(elm.node.store().runs(10, None).expect("a log").len(), runs);
    elm.assert_has(&oak);
}

#[test]
fn who_is_no_peer_delivers_nothing_and_is_given_nothing() {
    let (elm, _) = paired();
    let mut eve = House::quiet("Eve");
    eve.ask("Noise", Scope::Public);
    let body = bundle(&mut eve);
    assert_eq!(refused(&eve, &elm, body), Some(Cause::KeyUnknown));
    let want = want(&eve);
    let asked = eve.block_on(client(&eve, &elm).exchange(want, None, Duration::ZERO));
    let error = asked.expect_err("Eve is no peer");
    assert_eq!(error.refusal(), Some(Cause::NotPaired));
    assert_eq!(elm.head(eve.id()), None);
}

#[test]
fn who_asked_to_be_paired_and_was_not_confirmed_is_no_peer_yet() {
    let (mut elm, mut ash) = (House::open("Elm"), House::quiet("Ash"));
    elm.ask("Soup", Scope::Public);
    elm.seal();
    ash.accept(&elm.invite().link).expect("it answers");
    let asked = ash.block_on(client(&ash, &elm).exchange(want(&ash), None, Duration::ZERO));
    let error = asked.expect_err("nobody confirmed");
    assert_eq!(error.refusal(), Some(Cause::PairWaits));
    ash.ask("Noise", Scope::Public);
    let body = bundle(&mut ash);
    assert_eq!(refused(&ash, &elm, body), Some(Cause::PairWaits));
    assert_eq!(elm.head(ash.id()), None);
}

#[test]
fn a_want_of_somebody_else_is_no_proof_of_who_asks() {
    let (elm, oak) = paired();
    let eve = House::quiet("Eve");
    // Eve has a copy of Oak's want, and signs the request herself.
    let asked = eve.block_on(client(&eve, &elm).exchange(want(&oak), None, Duration::ZERO));
    let error = asked.expect_err("the log is not the sender's");
    assert_eq!(error.refusal(), Some(Cause::KeyUnknown));
}

#[test]
fn a_body_too_large_or_too_slow_is_given_up_and_nobody_waits_for_it() {
    let (elm, mut oak) = paired();
    let huge = vec![b' '; wb_core::limits::SYNC_BODY_BYTES_MAX + 1];
    // It compresses well, so it arrives; it is its unpacked size that is too large.
    let cause = refused(&oak, &elm, huge);
    assert!(
        matches!(cause, Some(Cause::TooLarge | Cause::BadRequest)),
        "{cause:?}"
    );
    // A stranger that announces a large body is answered before it is read.
    let mut socket = std::net::TcpStream::connect(elm.socket()).expect("it listens");
    socket
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a socket");
    let head = format!(
        "POST /sync/v1/deliver HTTP/1.1\r\nhost: {}\r\ncontent-length: 60000000\r\n\r\n",
        elm.socket()
    );
    socket.write_all(head.as_bytes()).expect("it is sent");
    let (started, mut answer) = (wb_node::entropy::now(), [0; 64]);
    let read = socket.read(&mut answer).expect("an answer");
    assert!(answer[..read].starts_with(b"HTTP/1.1 401"), "{answer:?}");
    assert!(wb_node::entropy::now() < started.plus_ms(5_000));
    // Meanwhile peers go on.
    oak.ask("Chairs", Scope::Public);
    assert_eq!(oak.sync(elm.id()).end, None);
    elm.assert_has(&oak);
}

#[test]
fn a_stranger_that_tries_tokens_is_stopped_at_its_address() {
    let mut elm = House::open("Elm");
    let link = elm.invite().link;
    let eve = House::quiet("Eve");
    let mut client = client(&eve, &elm);
    let entries = eve.node.identity().entries().iter();
    let mut pairing = wb_core::sync::Pairing {
        schema_version: 1,
        identity: entries
            .map(|entry| String::from_utf8_lossy(&entry.line).into_owned())
            .collect(),
        name: "Eve".to_owned(),
        address: None,
        token: None,
    };
    let mut causes = Vec::new();
    for _ in 0..80 {
        pairing.token = Some(wb_node::entropy::token());
        let tried = eve.block_on(async {
            // A wait of seconds is not waited out here.
            tokio::time::timeout(Duration::from_millis(900), client.pair(&pairing)).await
        });
        let Ok(tried) = tried else {
            causes.push(Some(Cause::TooMany));
            break;
        };
        causes.push(tried.expect_err("no such token").refusal());
    }
    assert_eq!(causes[0], Some(Cause::LinkOver));
    assert_eq!(causes.last(), Some(&Some(Cause::TooMany)), "{causes:?}");
    assert!(causes.len() < 80);
    assert_eq!(elm.node.store().pairs().expect("a store"), []);
    let row = wb_node::secret::name(&link.token.to_string());
    let row = elm.node.store().pair_link(&row).expect("a store");
    assert_eq!(row.and_then(|row| row.used_by), None);
}

#[test]
fn who_makes_ids_as_fast_as_calls_is_stopped_at_its_address() {
    let (mut elm, mut oak) = (House::open("Elm"), House::quiet("Oak"));
    oak.pair_with(&mut elm);
    let (eve, ash) = (House::quiet("Eve"), House::quiet("Ash"));
    let mut causes = Vec::new();
    for round in 0..80 {
        let house = if round % 2 == 0 { &eve } else { &ash };
        let mut client = client(house, &elm);
        let asked = client.exchange(want(house), None, Duration::ZERO);
        let tried = house.block_on(async {
            // A wait of seconds is not waited out here.
            tokio::time::timeout(Duration::from_millis(900), asked).await
        });
        let Ok(tried) = tried else {
            causes.push(Some(Cause::TooMany));
            break;
        };
        causes.push(tried.expect_err("no peer").refusal());
    }
    assert_eq!(causes[0], Some(Cause::NotPaired));
    assert_eq!(causes.last(), Some(&Some(Cause::TooMany)), "{causes:?}");
    // A peer at the same address is served.
    oak.ask("A ladder", Scope::Public);
    assert_eq!(oak.sync(elm.id()).end, None);
    elm.assert_has(&oak);
}

/// A want that lists nothing.
fn want(of: &House) -> Vec<u8> {
    use wb_core::bundle::Speaks;
    use wb_core::ndjson::put_line;
    use wb_core::want::Want;
    let want = Want::new(of.node.identity(), Speaks::this(), Vec::new());
    let mut bytes = Vec::new();
    put_line(&mut bytes, &want.sign(&of.signer()));
    for entry in of.node.identity().entries() {
        put_line(&mut bytes, &entry.line);
    }
    bytes
}
