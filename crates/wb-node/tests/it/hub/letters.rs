//! Letters through a hub: a reply to what was shared with trusted peers only, its way, its receipt, and what becomes
//! of it at its home.

use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::letter::{Contact, LetterBody, Mail};
use wb_core::limits::LETTERS_PER_PAIR_MAX;
use wb_core::scope::Scope;
use wb_core::sync::{Cause, EnvelopeBody, GivenEnvelope, Policy};
use wb_core::time::Timestamp;
use wb_hub::Decision;
use wb_node::command::comment_publish::comment_publish;
use wb_node::command::comment_send::{comment_send, sending};
use wb_node::command::contact_send::{Chosen, contact_send, contact_sending};
use wb_node::command::peer_block::peer_block;
use wb_node::command::record_retract::record_retract;
use wb_node::query::comments::comments;
use wb_node::query::inbox::inbox;
use wb_node::query::letters::{contacts, letters};
use wb_store::Standing;

use super::sealed::{ask, home_holds, sync_all, three, trust};
use super::world::{HubUp, Member, key};

const CANARY: &str = "Heron at the letterbox";

/// North trusts East and asked something, which East sees.
pub(super) fn asked() -> (HubUp, Member, Member, Member, RecordRef) {
    let (hub, mut north, south, mut east) = three();
    trust(&mut north, east.id());
    let request = ask(&mut north, "Ladders for Saturday");
    sync_all(&hub, &mut [&mut north, &mut east]);
    (hub, north, south, east, request)
}

/// Replies by letter, as somebody who was shown what is sent and said yes.
pub(super) fn reply(member: &mut Member, request: &RecordRef, words: &str) -> RecordId {
    let actor = member.actor();
    let shown = sending(&member.node, &actor, request, words, Some("Ann"));
    let shown = shown.expect("it may go").expect("it goes by letter");
    comment_send(&mut member.node, &actor, request, &shown).expect("it may go")
}

fn state(member: &Member, thread: &RecordId) -> &'static str {
    let all = letters(&member.node, &member.actor()).expect("a store");
    let found = all.iter().find(|letter| letter.thread == *thread);
    found.map_or("none", |letter| letter.state.state)
}

/// What stands under a request: who wrote it, and the words.
pub(super) fn answers(member: &Member, request: &RecordRef) -> Vec<(String, String)> {
    let all = comments(&member.node, Some(*request)).expect("a store");
    all.into_iter()
        .map(|comment| (comment.base.author, comment.body))
        .collect()
}

fn hub_mail(hub: &HubUp) -> i64 {
    let file = rusqlite::Connection::open(hub.file()).expect("a file");
    file.query_row("SELECT count(*) FROM mail", [], |row| row.get(0))
        .expect("a table")
}

/// Changes the private file behind the back of the program: what a clock does in weeks.
pub(super) fn in_private(member: &Member, sql: &str) {
    let file = member.home().dir().join("private.db");
    let file = rusqlite::Connection::open(file).expect("a file");
    file.execute_batch(sql).expect("it is sound");
}

#[test]
fn a_reply_goes_to_its_home_alone_and_its_sender_sees_where_it_is() {
    let (hub, mut north, mut south, mut east, request) = asked();
    let thread = reply(&mut east, &request, CANARY);
    assert_eq!(state(&east, &thread), "waiting");
    assert_eq!(east.sync(&hub).letters.given, 1);
    assert_eq!((state(&east, &thread), hub_mail(&hub)), ("at_hub", 1));
    // A hub hands it to nobody else who asks.
    let page = south.with_client(&hub, async |client, _| client.mail(None).await);
    assert_eq!(page.expect("an answer").envelopes, []);
    assert!(!home_holds(&south, CANARY), "it is not for South");
    let words = CANARY.as_bytes();
    let seen = hub.bytes();
    assert!(!seen.windows(words.len()).any(|bytes| bytes == words));

    assert_eq!(north.sync(&hub).letters.taken, 1);
    let name = east.node.name().to_owned();
    assert_eq!(
        answers(&north, &request),
        [(format!("Ann at {name}"), CANARY.to_owned())]
    );
    sync_all(&hub, &mut [&mut east]);
    assert_eq!((state(&east, &thread), hub_mail(&hub)), ("arrived", 0));
    // Nothing goes twice, and nothing of it is in a feed of either.
    let idle = east.sync(&hub).letters;
    assert_eq!((idle.given, idle.taken), (0, 0));
    sync_all(&hub, &mut [&mut north, &mut south]);
    assert!(!home_holds(&south, CANARY));
    assert_eq!(answers(&south, &request), []);
}

#[test]
fn a_reply_that_was_published_is_the_homes_record_and_goes_when_its_author_takes_it_back() {
    let (hub, mut north, mut south, mut east, request) = asked();
    trust(&mut north, south.id());
    let thread = reply(&mut east, &request, CANARY);
    sync_all(&hub, &mut [&mut east, &mut north, &mut south]);
    assert_eq!(answers(&south, &request), [], "nobody published it");
    let (actor, letter) = (
        north.actor(),
        RecordRef {
            origin: east.id(),
            id: thread,
        },
    );
    comment_publish(&mut north.node, &actor, &letter).expect("a steward may");
    sync_all(&hub, &mut [&mut north, &mut south, &mut east]);
    let seen = answers(&south, &request);
    assert!(seen.len() == 1 && seen[0].1.ends_with(CANARY), "{seen:?}");
    assert!(seen[0].1.starts_with("Ann at East"), "{seen:?}");
    assert_eq!(state(&east, &thread), "published");
    assert_eq!(
        answers(&north, &request).len(),
        1,
        "once, as what it became"
    );
    let again = comment_publish(&mut north.node, &actor, &letter);
    assert!(again.is_err(), "it is published already");

    let key = RecordRef {
        origin: east.id(),
        id: thread,
    };
    let author = east.actor();
    record_retract(&east.node, &author, &key, wb_core::entry::Reason::Erase).expect("its own");
    for _ in 0..2 {
        sync_all(&hub, &mut [&mut east, &mut north, &mut south]);
    }
    assert_eq!(state(&east, &thread), "erased");
    for member in [&north, &south] {
        assert!(
            !answers(member, &request)
                .iter()
                .any(|(_, words)| words.contains(CANARY))
        );
        assert!(!home_holds(member, CANARY), "{}", member.node.name());
    }
    north.assert_sound();
}

#[test]
fn a_reply_that_is_taken_back_before_it_came_never_appears() {
    let (hub, mut north, _south, mut east, request) = asked();
    let thread = reply(&mut east, &request, CANARY);
    east.sync(&hub);
    let first = north.with_client(&hub, async |client, _| client.mail(None).await);
    let first = first.expect("an answer").envelopes.remove(0);
    let key = RecordRef {
        origin: east.id(),
        id: thread,
    };
    let author = east.actor();
    record_retract(&east.node, &author, &key, wb_core::entry::Reason::Mistake).expect("its own");
    east.sync(&hub);
    // Both wait there, in whatever order they come.
    assert_eq!(hub_mail(&hub), 2);
    sync_all(&hub, &mut [&mut north]);
    assert_eq!(answers(&north, &request), []);
    // A hub that brings the first one again changes nothing.
    let file = rusqlite::Connection::open(hub.file()).expect("a file");
    let outside = Mail::read(first.envelope.as_bytes()).expect("mail").0;
    file.execute(
        "INSERT INTO mail (origin, recipient, hash, line, body, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        rusqlite::params![
            outside.outside().origin.as_bytes(),
            outside.recipient().as_bytes(),
            outside.outside().hash.as_bytes(),
            first.envelope.as_bytes(),
            first.body.0,
            outside.outside().expires.unix_ms()
        ],
    )
    .expect("a row");
    sync_all(&hub, &mut [&mut north, &mut east]);
    assert_eq!(answers(&north, &request), []);
    assert!(!home_holds(&north, CANARY));
    assert_eq!(state(&east, &thread), "erased");
}

#[test]
fn a_hub_that_lost_a_letter_is_given_it_again_and_one_that_never_arrives_is_told() {
    let (mut hub, mut north, _south, mut east, request) = asked();
    let thread = reply(&mut east, &request, CANARY);
    east.sync(&hub);
    let file = rusqlite::Connection::open(hub.file()).expect("a file");
    file.execute("DELETE FROM mail", []).expect("a table");
    drop(file);
    assert_eq!(east.sync(&hub).letters.given, 0, "not at once");
    in_private(&east, "UPDATE letters_given SET at = at - 86400001");
    assert_eq!(east.sync(&hub).letters.given, 1);
    assert_eq!(north.sync(&hub).letters.taken, 1);

    // The receipt is lost as well; the letter comes again and is answered again.
    hub.down();
    hub.up();
    let file = rusqlite::Connection::open(hub.file()).expect("a file");
    file.execute("DELETE FROM mail", []).expect("a table");
    drop(file);
    in_private(&east, "UPDATE letters_given SET at = at - 86400001");
    sync_all(&hub, &mut [&mut east, &mut north]);
    sync_all(&hub, &mut [&mut east]);
    assert_eq!(state(&east, &thread), "arrived");
    assert_eq!(answers(&north, &request).len(), 1);

    let second = reply(&mut east, &request, "Another");
    in_private(
        &east,
        "UPDATE letters_out SET expires = 1 WHERE receipt IS NULL",
    );
    east.sync(&hub);
    assert_eq!(state(&east, &second), "lost");
    let told = inbox(&east.node).expect("a store");
    assert!(
        told.iter()
            .any(|item| item.cause == "letters_lost" && item.news),
        "{told:?}"
    );
    let notices = east.node.store().private().all_notices(&east.actor().user);
    let notices = notices.expect("a store");
    assert!(
        notices
            .iter()
            .any(|(notice, _)| notice.detail.contains("did not arrive"))
    );
}

#[test]
fn so_many_letters_of_one_pair_wait_and_no_more() {
    let (hub, _north, _south, mut east, request) = asked();
    for n in 0..LETTERS_PER_PAIR_MAX {
        reply(&mut east, &request, &format!("Letter {n}"));
    }
    assert_eq!(east.sync(&hub).letters.given, LETTERS_PER_PAIR_MAX);
    let thread = reply(&mut east, &request, "One more");
    let synced = east.sync(&hub);
    assert_eq!((synced.letters.given, synced.end), (0, None));
    assert_eq!(state(&east, &thread), "waiting");
    assert_eq!(
        hub_mail(&hub),
        i64::try_from(LETTERS_PER_PAIR_MAX).expect("few")
    );
}

/// Whoever is neither accepted nor refused: North knows South by the hub only.
pub(super) fn strangers(member: &Member, id: InstanceId) {
    let write = member.node.store().write_in_sight().expect("a store");
    write.set_standing(&id, Standing::Waiting).expect("a row");
    write.commit().expect("a store");
}

#[test]
fn letters_of_who_is_not_accepted_are_a_number_until_somebody_accepts_them() {
    let (hub, mut north, _south, mut east, request) = asked();
    reply(&mut east, &request, CANARY);
    east.sync(&hub);
    strangers(&north, east.id());
    assert_eq!(north.sync(&hub).letters.left, 1);
    assert_eq!(answers(&north, &request), []);
    assert!(!home_holds(&north, CANARY), "nothing of it is here");
    let told = inbox(&north.node).expect("a store");
    assert!(
        told.iter().any(|item| item.cause == "letters_wait"),
        "{told:?}"
    );
    assert_eq!(hub_mail(&hub), 1);

    north.follow_all(&hub, &[east.id()]);
    assert_eq!(north.sync(&hub).letters.taken, 1);
    assert_eq!(answers(&north, &request).len(), 1);
    // What is held of somebody who is accepted no more is not shown either.
    strangers(&north, east.id());
    assert_eq!(answers(&north, &request), []);
    let actor = north.actor();
    let all = letters(&north.node, &actor).expect("a store");
    assert!(all.iter().all(|letter| letter.text.is_none()), "{all:?}");
}

#[test]
fn letters_of_who_is_refused_are_let_go_of_and_never_answered() {
    let (hub, mut north, _south, mut east, request) = asked();
    let thread = reply(&mut east, &request, CANARY);
    east.sync(&hub);
    let actor = north.actor();
    peer_block(&mut north.node, &actor, east.id()).expect("an admin may");
    north.sync(&hub);
    assert_eq!((hub_mail(&hub), answers(&north, &request)), (0, vec![]));
    assert!(!home_holds(&north, CANARY));
    east.sync(&hub);
    assert_eq!(state(&east, &thread), "at_hub", "no receipt came");
}

#[test]
fn a_hub_takes_letters_of_their_sender_only_and_of_nobody_who_is_suspended() {
    let (hub, north, mut south, mut east, request) = asked();
    reply(&mut east, &request, CANARY);
    east.sync(&hub);
    let page = north.with_client(&hub, async |client, _| client.mail(None).await);
    let letter = page.expect("an answer").envelopes.remove(0);
    let given = |line: &str, body: &[u8]| GivenEnvelope {
        schema_version: 1,
        envelope: line.to_owned(),
        body: EnvelopeBody(body.to_vec()),
    };
    // What East wrote, given by South.
    let call = given(&letter.envelope, &letter.body.0);
    let refused = south.with_client(&hub, async |client, _| client.give_letter(&call).await);
    assert_eq!(
        refused.expect_err("not South's").refusal(),
        Some(Cause::NotYours)
    );

    // What East wrote to North, handed on by North to South under a letter of its own.
    let (_, signer) = key(&north.node);
    let expires =
        Timestamp::from_unix_ms(wb_node::entropy::now().unix_ms() + 60_000).expect("a time");
    let mail = Mail::new(north.node.identity(), south.id(), expires, &letter.body.0);
    let call = given(
        &String::from_utf8(mail.sign(&signer)).expect("text"),
        &letter.body.0,
    );
    let kept = north.with_client(&hub, async |client, _| client.give_letter(&call).await);
    assert_eq!(kept.expect("an answer").kept_for, [south.id()]);
    let synced = south.sync(&hub);
    assert_eq!(synced.letters.refused, ["not_for_us"]);
    assert!(!home_holds(&south, CANARY));

    hub.decide(
        east.id(),
        Decision::Suspend {
            reason: "a flood".to_owned(),
            until: None,
        },
    );
    let page = north.with_client(&hub, async |client, _| client.mail(None).await);
    assert_eq!(
        page.expect("an answer").envelopes,
        [],
        "it waits until East is let in again"
    );
}

#[test]
fn ways_to_reach_somebody_are_read_by_the_author_of_the_request_alone() {
    let (hub, mut north, _south, mut east, request) = asked();
    let (actor, chosen) = (
        east.actor(),
        Chosen {
            email: Some("ann@east.example".to_owned()),
            ..Chosen::default()
        },
    );
    let shown = contact_sending(&east.node, &actor, &request, chosen).expect("it may go");
    assert!(matches!(
        &shown.body,
        LetterBody::Contact(Contact { phone: None, .. })
    ));
    let thread = contact_send(&east.node, &actor, &request, &shown).expect("it may go");
    sync_all(&hub, &mut [&mut east, &mut north]);
    sync_all(&hub, &mut [&mut east]);
    assert_eq!(state(&east, &thread), "arrived");
    let author = north.actor();
    let found = contacts(&north.node, &author, &request).expect("a store");
    assert_eq!(found[0].1.email.as_deref(), Some("ann@east.example"));
    let other = wb_node::Actor {
        user: RecordId::from_slice(&[7; 16]).unwrap_or(thread),
        ..author
    };
    assert_eq!(
        contacts(&north.node, &other, &request).expect("a store"),
        []
    );
    let all = letters(&north.node, &other).expect("a store");
    assert!(all.iter().all(|letter| letter.text.is_none()), "{all:?}");
    assert_eq!(answers(&north, &request), []);
}

#[test]
fn two_hubs_carry_a_letter_and_it_counts_once() {
    let (hub, mut north, _south, mut east, request) = asked();
    let other = HubUp::start("Lighthouse", Policy::Open);
    for member in [&mut north, &mut east] {
        member.register(&other);
    }
    let thread = reply(&mut east, &request, CANARY);
    assert_eq!(east.sync(&hub).letters.given, 1);
    assert_eq!(east.sync(&other).letters.given, 1);
    assert_eq!(north.sync(&hub).letters.taken, 1);
    assert_eq!(north.sync(&other).letters.taken, 0);
    assert_eq!(answers(&north, &request).len(), 1);
    sync_all(&hub, &mut [&mut east]);
    assert_eq!(state(&east, &thread), "arrived");
    assert_eq!(east.sync(&other).letters.given, 0);
}

#[test]
fn an_answer_to_what_is_for_everybody_goes_by_no_letter() {
    let (hub, mut north, _south, mut east, _) = asked();
    let public = north.ask("For everybody", Scope::Public);
    sync_all(&hub, &mut [&mut north, &mut east]);
    let actor = east.actor();
    let shown = sending(&east.node, &actor, &public, "Words", None).expect("a store");
    assert_eq!(shown, None);
}
