//! What is kept of letters, for how long, and what keeps them from being a burden: bounds, repeats, refusals, and keys
//! that somebody else put in the place of the receiver's.

use wb_core::entry::Reason;
use wb_core::id::{RecordId, RecordRef};
use wb_core::limits::LETTERS_KEPT_MAX;
use wb_node::command::contact_send::{Chosen, contact_send, contact_sending};
use wb_node::command::peer_block::peer_block;
use wb_node::command::record_retract::record_retract;
use wb_node::query::inbox::inbox;
use wb_node::query::letters::letters;

use super::letters::{answers, asked, in_private, reply, state};
use super::sealed::{home_holds, sync_all};
use super::world::{HubUp, Member};

const CANARY: &str = "Kingfisher in the pantry";
const PHONE: &str = "+32 470 99 88 77";

fn tell_phone(member: &Member, request: &RecordRef) -> RecordId {
    let (actor, chosen) = (
        member.actor(),
        Chosen {
            phone: Some(PHONE.to_owned()),
            ..Chosen::default()
        },
    );
    let shown = contact_sending(&member.node, &actor, request, chosen).expect("it may go");
    contact_send(&member.node, &actor, request, &shown).expect("it may go")
}

fn in_hub(hub: &HubUp, sql: &str) {
    let file = rusqlite::Connection::open(hub.file()).expect("a file");
    file.execute_batch(sql).expect("it is sound");
}

#[test]
fn of_one_instance_so_many_threads_are_kept_and_the_rest_waits_where_it_is() {
    let (hub, mut north, _south, mut east, request) = asked();
    let now = wb_node::entropy::now();
    let file = rusqlite::Connection::open(north.home().dir().join("private.db")).expect("a file");
    file.execute_batch("BEGIN").expect("a file");
    for _ in 0..LETTERS_KEPT_MAX {
        let thread = wb_node::entropy::record_id(now);
        file.execute(
            "INSERT INTO letters_in (origin, thread, n, kind, line, at, state, owes)
             VALUES (?1, ?2, 1, 'reply', x'', ?3, 'arrived', 0)",
            rusqlite::params![east.id().as_bytes(), thread.as_bytes(), now.unix_ms()],
        )
        .expect("a row");
    }
    file.execute_batch("COMMIT").expect("a file");
    drop(file);
    reply(&mut east, &request, CANARY);
    east.sync(&hub);
    let synced = north.sync(&hub);
    assert_eq!((synced.letters.taken, synced.letters.left), (0, 1));
    assert_eq!(synced.end, None);
    let told = inbox(&north.node).expect("a store");
    assert!(
        told.iter().any(|item| item.cause == "letters_full"),
        "{told:?}"
    );
    assert!(!home_holds(&north, CANARY));
    // Threads of which nothing is left make room, once no letter of them can come again.
    in_private(
        &north,
        "UPDATE letters_in SET state = 'erased', at = at - 32 * 86400000",
    );
    north
        .node
        .store()
        .private()
        .tidy_letters(wb_node::entropy::now())
        .expect("a store");
    let file = rusqlite::Connection::open(north.home().dir().join("wb.db")).expect("a file");
    file.execute_batch("UPDATE mail_passed SET at = at - 86400001")
        .expect("a table");
    assert_eq!(north.sync(&hub).letters.taken, 1);
    assert_eq!(answers(&north, &request)[0].1, CANARY);
}

#[test]
fn a_letter_that_comes_again_and_again_is_answered_once() {
    let (hub, mut north, _south, mut east, request) = asked();
    let thread = reply(&mut east, &request, CANARY);
    east.sync(&hub);
    in_hub(&hub, "CREATE TABLE copies AS SELECT * FROM mail");
    let first = north.sync(&hub).letters;
    assert_eq!((first.taken, first.given), (1, 1), "its receipt goes");
    for _ in 0..3 {
        in_hub(&hub, "INSERT OR IGNORE INTO mail SELECT * FROM copies");
        let again = north.sync(&hub).letters;
        assert_eq!((again.taken, again.given), (0, 0));
    }
    sync_all(&hub, &mut [&mut east]);
    assert_eq!(state(&east, &thread), "arrived");
}

#[test]
fn what_an_instance_told_goes_when_it_is_refused() {
    let (hub, mut north, _south, mut east, request) = asked();
    reply(&mut east, &request, CANARY);
    tell_phone(&east, &request);
    sync_all(&hub, &mut [&mut east, &mut north]);
    assert!(home_holds(&north, CANARY) && home_holds(&north, PHONE));
    let actor = north.actor();
    peer_block(&mut north.node, &actor, east.id()).expect("an admin may");
    assert!(!home_holds(&north, CANARY) && !home_holds(&north, PHONE));
    north.assert_sound();
}

#[test]
fn ways_to_reach_somebody_go_with_the_request_that_they_were_for() {
    let (hub, mut north, _south, mut east, request) = asked();
    let before = tell_phone(&east, &request);
    sync_all(&hub, &mut [&mut east, &mut north]);
    assert!(home_holds(&north, PHONE));
    let author = north.actor();
    record_retract(&north.node, &author, &request, Reason::Erase).expect("its own");
    assert!(!home_holds(&north, PHONE));
    // One that is on its way is not kept either, and both are answered.
    let after = tell_phone(&east, &request);
    east.sync(&hub);
    for _ in 0..2 {
        sync_all(&hub, &mut [&mut north, &mut east]);
    }
    assert!(!home_holds(&north, PHONE));
    for thread in [before, after] {
        assert_eq!(state(&east, &thread), "erased");
    }
}

#[test]
fn what_somebody_agreed_to_is_not_sealed_to_a_key_that_came_later() {
    let (hub, _north, _south, mut east, request) = asked();
    let thread = reply(&mut east, &request, CANARY);
    east.sync(&hub);
    // The card names another key than the one it was sealed to, and it would have to be sealed anew.
    in_private(
        &east,
        "UPDATE letters_out SET sealed_to = 'age1former', line = NULL, sealed = NULL, hash = NULL;
         DELETE FROM letters_given",
    );
    assert_eq!(east.sync(&hub).letters.given, 0);
    let all = letters(&east.node, &east.actor()).expect("a store");
    let found = all.iter().find(|letter| letter.thread == thread);
    let sentence = &found.expect("it is there").state.sentence;
    assert!(sentence.contains("sealing key"), "{sentence}");
}

#[test]
fn of_what_was_taken_back_nobody_is_told_that_it_did_not_arrive() {
    let (hub, mut north, _south, mut east, request) = asked();
    let thread = reply(&mut east, &request, CANARY);
    sync_all(&hub, &mut [&mut east, &mut north]);
    sync_all(&hub, &mut [&mut east]);
    let key = RecordRef {
        origin: east.id(),
        id: thread,
    };
    let author = east.actor();
    record_retract(&east.node, &author, &key, Reason::Erase).expect("its own");
    in_private(&east, "UPDATE letters_out SET expires = 1");
    east.sync(&hub);
    assert!(
        east.told().concat().contains("it may have it still"),
        "{}",
        east.told().concat()
    );
    let told = inbox(&east.node).expect("a store");
    assert!(
        told.iter().all(|item| item.cause != "letters_lost"),
        "{told:?}"
    );
}
