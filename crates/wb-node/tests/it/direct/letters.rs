//! Letters between two nodes without a hub, and through a folder.

use wb_core::id::{RecordId, RecordRef};
use wb_core::scope::Scope;
use wb_node::command::comment_send::{comment_send, sending};
use wb_node::command::peer_add::{look_into, peer_add_folder};
use wb_node::query::comments::comments;
use wb_node::query::letters::letters;

use super::sealed::{pair, trust};
use super::street::House;

const CANARY: &str = "Heron at the letterbox";

fn reply(house: &mut House, request: &RecordRef, words: &str) -> RecordId {
    let actor = house.actor();
    let shown = sending(&house.node, &actor, request, words, None);
    let shown = shown.expect("it may go").expect("it goes by letter");
    comment_send(&mut house.node, &actor, request, &shown).expect("it may go")
}

fn state(house: &House, thread: &RecordId) -> &'static str {
    let all = letters(&house.node, &house.actor()).expect("a store");
    let found = all.iter().find(|letter| letter.thread == *thread);
    found.map_or("none", |letter| letter.state.state)
}

fn answers(house: &House, request: &RecordRef) -> Vec<String> {
    let all = comments(&house.node, Some(*request)).expect("a store");
    all.into_iter().map(|comment| comment.body).collect()
}

#[test]
fn whichever_side_is_called_letters_go_both_ways() {
    let (mut elm, mut oak) = pair();
    trust(&mut elm, &oak);
    trust(&mut oak, &elm);
    let of_elm = elm.ask("Ladders for Saturday", Scope::TrustedPeers);
    let of_oak = oak.ask("A cart for Sunday", Scope::TrustedPeers);
    elm.seal();
    for _ in 0..2 {
        assert_eq!(oak.sync(elm.id()).end, None);
    }
    let to_elm = reply(&mut oak, &of_elm, CANARY);
    let to_oak = reply(&mut elm, &of_oak, "A letter of Elm");
    let synced = oak.sync(elm.id());
    assert_eq!((synced.end, synced.letters.taken), (None, 1));
    assert_eq!(
        synced.letters.given, 2,
        "the letter, and the receipt for Elm's"
    );
    assert_eq!(answers(&elm, &of_elm), [CANARY]);
    assert_eq!(answers(&oak, &of_oak), ["A letter of Elm"]);
    // The receipt of Elm comes with the next call of Oak.
    oak.sync(elm.id());
    assert_eq!(
        (state(&oak, &to_elm), state(&elm, &to_oak)),
        ("arrived", "arrived")
    );
    let idle = oak.sync(elm.id()).letters;
    assert_eq!((idle.given, idle.taken), (0, 0));
}

#[test]
fn a_letter_that_waits_when_its_sender_changes_its_key_is_signed_anew() {
    let (mut elm, mut oak) = pair();
    trust(&mut elm, &oak);
    let request = elm.ask("Ladders for Saturday", Scope::TrustedPeers);
    elm.seal();
    oak.sync(elm.id());
    // Sealed with the first key, and on its way nowhere yet.
    let thread = reply(&mut oak, &request, CANARY);
    let actor = oak.actor();
    oak.seal();
    assert_eq!(state(&oak, &thread), "waiting");
    oak.rotate_by_command();
    for _ in 0..2 {
        assert_eq!(oak.sync(elm.id()).end, None);
    }
    assert_eq!(answers(&elm, &request), [CANARY]);
    assert_eq!(state(&oak, &thread), "arrived");
    assert_eq!(letters(&oak.node, &actor).expect("a store").len(), 1);
}

#[test]
fn a_folder_carries_letters_and_their_receipts() {
    let (mut elm, mut oak) = (House::quiet("Elm"), House::quiet("Oak"));
    let stick = tempfile::tempdir().expect("a folder");
    // The first leaves its want and finds nobody yet.
    let actor = elm.actor();
    let found = look_into(&elm.node, &actor, stick.path(), None).expect("a folder");
    assert!(found.is_none(), "nobody else was here");
    for house in [&mut oak, &mut elm] {
        let actor = house.actor();
        let found = look_into(&house.node, &actor, stick.path(), None).expect("a folder");
        let one = found.expect("the other left its want");
        peer_add_folder(&mut house.node, &actor, stick.path(), &one).expect("it pairs");
    }
    let (elm_id, oak_id) = (elm.id(), oak.id());
    elm.seal();
    oak.seal();
    let round = |elm: &mut House, oak: &mut House| {
        assert_eq!(elm.sync(oak_id).end, None);
        assert_eq!(oak.sync(elm_id).end, None);
    };
    round(&mut elm, &mut oak);
    round(&mut elm, &mut oak);
    elm.show(oak_id);
    oak.show(elm_id);
    round(&mut elm, &mut oak);
    trust(&mut elm, &oak);
    let request = elm.ask("Ladders for Saturday", Scope::TrustedPeers);
    round(&mut elm, &mut oak);
    let thread = reply(&mut oak, &request, CANARY);
    round(&mut elm, &mut oak);
    let file = stick.path().join(format!("{oak_id}-for-{elm_id}.wbl"));
    let bytes = std::fs::read(file).expect("it was left there");
    let words = CANARY.as_bytes();
    assert!(!bytes.windows(words.len()).any(|part| part == words));
    round(&mut elm, &mut oak);
    assert_eq!(answers(&elm, &request), [CANARY]);
    round(&mut elm, &mut oak);
    assert_eq!(state(&oak, &thread), "arrived");
    let left = stick.path().join(format!("{oak_id}-for-{elm_id}.wbl"));
    assert!(!left.exists(), "nothing waits any more");
}

/// What was left at a peer was counted for ever, also when nothing waits there any more.
#[test]
fn letters_that_wait_at_a_peer_no_more_are_not_counted_any_more() {
    let (mut elm, mut oak) = pair();
    trust(&mut oak, &elm);
    let request = oak.ask("Ladders for Saturday", Scope::TrustedPeers);
    for _ in 0..2 {
        assert_eq!(oak.sync(elm.id()).end, None);
    }
    reply(&mut elm, &request, CANARY);
    let write = oak.node.store().write_in_sight().expect("a store");
    write
        .set_standing(&elm.id(), wb_store::Standing::Waiting)
        .expect("a row");
    write.commit().expect("a store");
    assert_eq!(oak.sync(elm.id()).letters.left, 1);
    let left = |oak: &House| oak.node.store().mail_left().expect("a store");
    assert_eq!(left(&oak), [(elm.id(), 1)]);
    // It is over, and Elm says that nothing waits.
    let file = elm.home().dir().join("private.db");
    let file = rusqlite::Connection::open(file).expect("a file");
    file.execute("UPDATE letters_out SET expires = 1", [])
        .expect("it is sound");
    assert_eq!(oak.sync(elm.id()).end, None);
    assert_eq!(left(&oak), []);
}
