//! What a place says that it keeps is its word: an envelope waits at its origin until its reader says what it has.

use rusqlite::params;
use wb_core::id::{Hash, InstanceId};
use wb_core::limits::{
    ENVELOPE_AGAIN_MS, ENVELOPES_PER_PAIR_MAX, TAKEN_HASHES_MAX, WANTS_AGAIN_MAX,
};
use wb_core::sync::{Cause, EnvelopesTaken, PeerCause, Policy};
use wb_node::command::bundle_sealed::{bundle_open, bundle_seal, sealed_beside};
use wb_node::command::peer_block::peer_block;

use super::letters::{answers, asked, in_private, reply};
use super::sealed::{ask, home_holds, states, sync_all, three, trust, untrust};
use super::world::{HubUp, Member, titles};

const CANARY: &str = "A canary that is kept";

/// A hub that answers as ever, and has nothing of what it was given.
fn lose(hub: &HubUp) {
    let file = rusqlite::Connection::open(hub.file()).expect("a file");
    file.execute_batch("PRAGMA foreign_keys = on; DELETE FROM envelopes; DELETE FROM mail")
        .expect("its tables");
}

/// Changes the main file behind the back of the program: what a clock does in days.
fn in_main(member: &Member, sql: &str) -> usize {
    let file = member.home().dir().join("wb.db");
    let file = rusqlite::Connection::open(file).expect("a file");
    file.execute_batch("PRAGMA foreign_keys = on").expect("on");
    file.execute(sql, []).expect("it is sound")
}

/// As when so much time went by since something was given.
fn later(member: &Member, ms: i64) {
    in_main(
        member,
        &format!("UPDATE envelopes_given SET at = at - {ms}"),
    );
    in_main(
        member,
        &format!("UPDATE envelopes_asked SET at = at - {ms}"),
    );
    in_main(
        member,
        &format!("UPDATE audience SET given_at = given_at - {ms}"),
    );
}

/// One place said that it keeps everything for everybody, and the others were given nothing.
#[test]
fn a_hub_that_throws_away_what_it_keeps_takes_it_from_nobody() {
    let (hub, mut north, mut south, _east) = three();
    let other = HubUp::start("Lighthouse", Policy::Open);
    for member in [&mut north, &mut south] {
        member.register(&other);
    }
    ask(&mut north, CANARY);
    trust(&mut north, south.id());
    assert_eq!(north.sync(&hub).envelopes.given, 1);
    lose(&hub);
    assert_eq!(south.sync(&hub).envelopes.taken, 0);
    // South is still a member there, and reads at the other.
    assert_eq!(north.sync(&other).envelopes.given, 1);
    assert_eq!(south.sync(&other).envelopes.taken, 1);
    assert_eq!(titles(&south), [CANARY]);
    north.sync(&other);
    assert_eq!(states(&north), ["has_all"]);
    // With its word nothing is given any more.
    later(&north, ENVELOPE_AGAIN_MS + 1);
    assert_eq!(north.sync(&hub).envelopes.given, 0);
}

#[test]
fn a_hub_that_was_restored_is_given_again_what_nobody_said_to_have() {
    let (hub, mut north, mut south, _east) = three();
    ask(&mut north, CANARY);
    trust(&mut north, south.id());
    north.sync(&hub);
    lose(&hub);
    assert_eq!(north.sync(&hub).envelopes.given, 0, "not at once");
    later(&north, ENVELOPE_AGAIN_MS + 1);
    assert_eq!(north.sync(&hub).envelopes.given, 1);
    assert_eq!(south.sync(&hub).envelopes.taken, 1);
    // South said that it has it, and by a folder or a copy it has not: it is given the rest from what its want named.
    lose(&hub);
    in_main(&north, "DELETE FROM envelopes_out");
    later(&north, -ENVELOPE_AGAIN_MS);
    assert_eq!(north.sync(&hub).envelopes.given, 0, "not at once");
    later(&north, ENVELOPE_AGAIN_MS + 1);
    assert_eq!(north.sync(&hub).envelopes.given, 1);
    // What came twice changes nothing, and its want ends it.
    sync_all(&hub, &mut [&mut south, &mut north]);
    assert_eq!(
        (states(&north), titles(&south)),
        (vec!["has_all"], vec![CANARY.to_owned()])
    );
}

/// A hub that was full was sent the same megabytes with every sync.
#[test]
fn a_hub_that_is_full_is_not_sent_the_same_at_every_sync() {
    let (hub, mut north, south, _east) = three();
    let file = rusqlite::Connection::open(hub.file()).expect("a file");
    for n in 0..ENVELOPES_PER_PAIR_MAX {
        let hash = wb_core::hash::sha256(&n.to_be_bytes());
        file.execute(
            "INSERT INTO envelopes (origin, hash, line, body, expires) VALUES (?1, ?2, x'7b7d', x'00', 9999999999999)",
            params![north.id().as_bytes(), hash.as_bytes()],
        )
        .expect("a table");
        file.execute(
            "INSERT INTO envelopes_for (recipient, envelope_no, origin) VALUES (?1, last_insert_rowid(), ?2)",
            params![south.id().as_bytes(), north.id().as_bytes()],
        )
        .expect("a table");
    }
    ask(&mut north, CANARY);
    trust(&mut north, south.id());
    let synced = north.sync(&hub);
    assert_eq!((synced.end, synced.envelopes.given), (None, 0));
    let offered = |north: &Member| {
        let now = north.node.now();
        let offered = north.node.store().envelopes_for_hub(&hub.id(), now);
        offered.expect("a store").len()
    };
    assert_eq!(offered(&north), 0, "it waits for an hour");
    later(&north, 60 * 60 * 1_000 + 1);
    assert_eq!(offered(&north), 1);
}

/// A hub that refused one letter ended each sync, and nothing behind it went on.
#[test]
fn one_letter_or_envelope_that_is_refused_keeps_no_other_from_going() {
    let (hub, mut north, mut south, mut east, request) = asked();
    // What East wrote first was broken in its file.
    reply(&mut east, &request, "The first");
    east.sync(&hub);
    lose(&hub);
    in_private(
        &east,
        "UPDATE letters_out SET sealed = x'00'; DELETE FROM letters_given",
    );
    reply(&mut east, &request, "The second");
    let synced = east.sync(&hub);
    assert_eq!(synced.letters.given, 1);
    let Some((PeerCause::BadAnswer, words)) = synced.end else {
        panic!("it is told: {:?}", synced.end);
    };
    assert!(words.contains("envelope_mismatch"), "{words}");
    // What was refused is offered again later, and troubles no sync until then.
    assert_eq!(east.sync(&hub).end, None);
    north.sync(&hub);
    let words: Vec<String> = answers(&north, &request)
        .into_iter()
        .map(|(_, words)| words)
        .collect();
    assert_eq!(words, ["The second"]);

    // Of three envelopes the first is broken.
    ask(&mut north, CANARY);
    north.sync(&hub);
    std::thread::sleep(std::time::Duration::from_millis(20));
    trust(&mut north, south.id());
    north.sync(&hub);
    lose(&hub);
    let broken = "UPDATE envelopes_out SET body = x'00'
                  WHERE envelope_no = (SELECT min(envelope_no) FROM envelopes_out WHERE purpose = 'feed')";
    assert_eq!(in_main(&north, broken), 1);
    later(&north, ENVELOPE_AGAIN_MS + 1);
    let synced = north.sync(&hub);
    assert!(synced.end.is_some(), "it is told");
    assert_eq!(synced.envelopes.given, 2, "one for East, and one for South");
    assert_eq!(south.sync(&hub).envelopes.taken, 1);
    assert_eq!(north.sync(&hub).end, None);
}

#[test]
fn a_call_says_of_so_many_that_they_are_there_and_no_more() {
    let (hub, north, _south, _east) = three();
    let said = |count: usize| {
        let taken = EnvelopesTaken {
            schema_version: 1,
            hashes: vec![Hash([7; 32]); count],
        };
        let envelopes =
            north.with_client(&hub, async |client, _| client.envelopes_taken(&taken).await);
        let mail = north.with_client(&hub, async |client, _| client.mail_taken(&taken).await);
        let refusal = |error: wb_net::signed::CallError| error.refusal();
        [
            envelopes.err().and_then(refusal),
            mail.err().and_then(refusal),
        ]
    };
    assert_eq!(said(TAKEN_HASHES_MAX), [None, None]);
    assert_eq!(said(TAKEN_HASHES_MAX + 1), [Some(Cause::BadRequest); 2]);
}

/// Small wants cost their reader's origin a whole feed each.
#[test]
fn whoever_asks_again_and_again_for_the_same_is_given_it_a_few_times_a_day() {
    let (hub, mut north, mut south, _east) = three();
    ask(&mut north, CANARY);
    trust(&mut north, south.id());
    assert_eq!(north.sync(&hub).envelopes.given, 1);
    let mut given = Vec::new();
    for _ in 0..WANTS_AGAIN_MAX + 2 {
        lose(&hub);
        let owed = format!(
            "INSERT OR IGNORE INTO wants_owed VALUES (x'{}')",
            north.id()
        );
        assert_eq!(in_main(&south, &owed), 1);
        assert_eq!(south.sync(&hub).envelopes.given, 1, "its want");
        given.push(north.sync(&hub).envelopes.given);
    }
    assert_eq!(given, [1, 1, 1, 1, 0, 0]);
    // What was given last waits all the same, and its receipt counts at once.
    later(&north, ENVELOPE_AGAIN_MS + 1);
    north.sync(&hub);
    sync_all(&hub, &mut [&mut south, &mut north]);
    assert_eq!(
        (states(&north), titles(&south)),
        (vec!["has_all"], vec![CANARY.to_owned()])
    );
}

/// Whoever was refused was heard by nobody, so it was asked to erase for ever.
#[test]
fn one_that_was_refused_is_heard_when_it_says_that_it_erased() {
    let (hub, mut north, mut south, _east) = three();
    ask(&mut north, CANARY);
    trust(&mut north, south.id());
    sync_all(&hub, &mut [&mut north, &mut south]);
    sync_all(&hub, &mut [&mut north]);
    let actor = north.actor();
    peer_block(&mut north.node, &actor, south.id()).expect("an admin may");
    sync_all(&hub, &mut [&mut north]);
    assert_eq!(states(&north), ["parted"]);
    sync_all(&hub, &mut [&mut south]);
    assert!(!home_holds(&south, CANARY));
    sync_all(&hub, &mut [&mut north]);
    assert_eq!(states(&north), [""; 0]);
}

/// Two were removed at once, and each read in its envelope who the other was.
#[test]
fn those_who_were_removed_do_not_see_each_other() {
    let (hub, mut north, mut south, mut east) = three();
    ask(&mut north, CANARY);
    for id in [south.id(), east.id()] {
        trust(&mut north, id);
    }
    sync_all(&hub, &mut [&mut north, &mut south, &mut east]);
    sync_all(&hub, &mut [&mut north]);
    for id in [south.id(), east.id()] {
        untrust(&mut north, id);
    }
    assert_eq!(north.sync(&hub).envelopes.given, 2);
    for member in [&south, &east] {
        let page = member.with_client(&hub, async |client, _| client.envelopes(None).await);
        let waiting = page.expect("an answer").envelopes;
        let lines: Vec<&str> = waiting.iter().map(|one| one.envelope.as_str()).collect();
        let names = |id: InstanceId| lines.iter().any(|line| line.contains(&id.to_string()));
        assert!(names(member.id()));
        assert_eq!(names(south.id()), member.id() == south.id());
        assert_eq!(names(east.id()), member.id() == east.id());
    }
    sync_all(&hub, &mut [&mut south, &mut east, &mut north]);
    assert_eq!(states(&north), [""; 0]);
}

/// A hub had taken the envelope, and for a stick nothing was left: "`wb peer trust` adds it".
#[test]
fn who_was_removed_is_given_by_a_stick_what_a_hub_took_before() {
    let (hub, mut north, mut south, _east) = three();
    ask(&mut north, CANARY);
    trust(&mut north, south.id());
    sync_all(&hub, &mut [&mut north, &mut south]);
    sync_all(&hub, &mut [&mut north]);
    untrust(&mut north, south.id());
    assert_eq!(north.sync(&hub).envelopes.given, 1);
    // South said that it has it, and was restored since.
    lose(&hub);
    in_main(&north, "DELETE FROM envelopes_out");
    let stick = tempfile::tempdir().expect("a folder");
    let bundle = stick.path().join("north.wbb");
    let (actor, of) = (north.actor(), [south.id()]);
    let carried = bundle_seal(&north.node, &actor, &bundle, &of).expect("it was removed");
    assert_eq!(carried[0].envelopes, 1);
    assert_eq!(titles(&south), [CANARY]);
    let actor = south.actor();
    bundle_open(&south.node, &actor, &sealed_beside(&bundle)).expect("a file");
    assert_eq!(titles(&south), Vec::<String>::new());
    assert!(!home_holds(&south, CANARY));
    sync_all(&hub, &mut [&mut south, &mut north]);
    assert_eq!(states(&north), [""; 0]);
}
