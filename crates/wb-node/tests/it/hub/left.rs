//! Letters that are left where they wait: how they are counted, and when they are asked for again.

use rusqlite::params;
use wb_core::id::InstanceId;
use wb_core::letter::Mail;
use wb_core::time::Timestamp;
use wb_node::query::inbox::inbox;

use super::letters::{asked, reply, strangers};
use super::sealed::sync_all;
use super::world::{HubUp, Member, key};

/// A hub that gives what nobody gave it.
fn put_mail(hub: &HubUp, origin: InstanceId, recipient: InstanceId, line: &[u8], body: &[u8]) {
    let file = rusqlite::Connection::open(hub.file()).expect("a file");
    file.execute(
        "INSERT INTO mail (origin, recipient, hash, line, body, expires) VALUES (?1, ?2, ?3, ?4, ?5, 9999999999999)",
        params![
            origin.as_bytes(),
            recipient.as_bytes(),
            wb_core::hash::sha256(body).as_bytes(),
            line,
            body
        ],
    )
    .expect("a table");
}

/// What the inbox says of letters that wait: the cause, of whom, and how many.
fn told(member: &Member) -> Vec<(&'static str, Option<InstanceId>, String)> {
    let all = inbox(&member.node).expect("a store").into_iter();
    let letters = all.filter(|item| item.cause.starts_with("letters_"));
    letters
        .map(|item| {
            let count = item.happened.split(' ').next().unwrap_or_default();
            (item.cause, item.origin, count.to_owned())
        })
        .collect()
}

fn soon(member: &Member) -> Timestamp {
    member.node.now().plus_ms(60_000)
}

/// A hub said "40 letters of South wait", and nobody had looked at a signature.
#[test]
fn letters_count_for_somebody_only_where_that_is_proved() {
    let (hub, mut north, south, mut east, request) = asked();
    for id in [south.id(), east.id()] {
        strangers(&north, id);
    }
    reply(&mut east, &request, "A real one");
    east.sync(&hub);
    // In the name of South, and not signed by it.
    let (_, eve) = key(&east.node);
    for n in 0..3_u8 {
        let body = [n; 40];
        let mail = Mail::new(south.node.identity(), north.id(), soon(&north), &body);
        put_mail(&hub, south.id(), north.id(), &mail.sign(&eve), &body);
    }
    // Real, and given a hundred times over.
    let page = north.with_client(&hub, async |client, _| client.mail(None).await);
    let real = page.expect("an answer").envelopes.remove(0);
    let file = rusqlite::Connection::open(hub.file()).expect("a file");
    for n in 0..100_u8 {
        file.execute(
            "INSERT INTO mail (origin, recipient, hash, line, body, expires) VALUES (?1, ?2, ?3, ?4, ?5, 9999999999999)",
            params![east.id().as_bytes(), north.id().as_bytes(), [n; 32], real.envelope.as_bytes(), real.body.0],
        )
        .expect("a table");
    }
    assert_eq!(north.sync(&hub).letters.left, 104);
    let both = [
        ("letters_wait", Some(east.id()), "50".to_owned()),
        ("letters_unknown", None, "3".to_owned()),
    ];
    assert_eq!(told(&north), both);
    // Looking once more changes no number.
    for _ in 0..2 {
        assert_eq!(north.sync(&hub).letters.left, 0);
        assert_eq!(told(&north), both);
    }
    // Nothing of it is asked for when somebody else is decided about, or comes; and all of it when its own home is.
    let passed = |north: &Member| {
        let passed = north
            .node
            .store()
            .mail_passed(&hub.id(), Timestamp::from_unix_ms(0).expect("a time"));
        passed.expect("a store")
    };
    assert!(passed(&north).is_some());
    let mut west = Member::found("West");
    west.register(&hub);
    west.seal();
    sync_all(&hub, &mut [&mut west, &mut north]);
    assert!(passed(&north).is_some(), "West is nobody's business here");
    north.follow_all(&hub, &[east.id(), west.id()]);
    assert_eq!(passed(&north), None);
    // South was followed all the while, so it is accepted with them, and what it did not sign is refused.
    let synced = north.sync(&hub);
    assert_eq!((synced.letters.taken, synced.letters.refused.len()), (1, 3));
    assert_eq!(told(&north), []);
}

/// Behind a letter whose key is not known nothing is passed over, and each sync counted the same ones again.
#[test]
fn letters_that_are_looked_at_again_are_not_counted_again() {
    let (hub, mut north, mut south, mut east, request) = asked();
    // One of South, who is accepted, with a key that nobody knows.
    let body = [9; 40];
    let (_, signer) = key(&south.node);
    let mail = Mail::new(south.node.identity(), north.id(), soon(&north), &body);
    let newest = south.node.identity().newest().hash;
    let line = String::from_utf8(mail.sign(&signer)).expect("text");
    let named = |hash: &str| format!("\"identity\":\"{hash}\"");
    let early = line.replace(&named(&newest.to_string()), &named(&"7".repeat(64)));
    assert_ne!(line, early);
    strangers(&north, east.id());
    reply(&mut east, &request, "The first");
    east.sync(&hub);
    north.sync(&hub);
    put_mail(&hub, south.id(), north.id(), early.as_bytes(), &body);
    reply(&mut east, &request, "The second");
    sync_all(&hub, &mut [&mut south, &mut east]);
    for _ in 0..3 {
        assert_eq!(north.sync(&hub).letters.left, 2);
        assert_eq!(
            told(&north),
            [("letters_wait", Some(east.id()), "1".to_owned())]
        );
    }
}
