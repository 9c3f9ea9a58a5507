//! The trusted audience over time: a copy that comes back, a member that is removed or away, and two who decide at once.

use std::sync::mpsc;
use std::time::Duration;

use wb_core::hash;
use wb_core::id::InstanceId;
use wb_core::limits::ENVELOPES_PER_PAIR_MAX;
use wb_core::scope::Scope;
use wb_core::sync::Policy;
use wb_node::command::peer_trust::{peer_trust, would_show};
use wb_node::query::inbox::inbox;

use super::restoring::{backup, come_back, names, scope_of, settle};
use super::sealed::{ask, home_holds, states, sync_all, three, trust, untrust};
use super::world::{HubUp, Member, titles};

/// What the inbox of a member has.
fn causes(member: &Member) -> Vec<&'static str> {
    let views = inbox(&member.node).expect("a store");
    views.into_iter().map(|view| view.cause).collect()
}

#[test]
fn a_restored_copy_seals_nothing_to_anybody_until_it_is_told_whom_it_trusts() {
    let (hub, mut north, mut south, mut east) = three();
    let taken_back = ask(&mut north, "Taken back since");
    for id in [south.id(), east.id()] {
        trust(&mut north, id);
    }
    sync_all(&hub, &mut [&mut north, &mut south, &mut east]);
    sync_all(&hub, &mut [&mut north]);
    let monday = backup(&mut north);
    north.take_back(&taken_back);
    untrust(&mut north, south.id());
    sync_all(&hub, &mut [&mut north, &mut south, &mut east]);
    assert_eq!((titles(&south), titles(&east)), (vec![], vec![]));

    come_back(&mut north, &monday);
    let restored = settle(&mut north, false).expect("the hub is there");
    assert_eq!(restored.came.doubted.len(), 2);
    assert_eq!(names(&restored.came.private), ["Taken back since"]);
    assert_eq!(restored.came.private_unsure, 1);
    assert_eq!(scope_of(&north, &taken_back), Scope::Private);
    assert_eq!(states(&north), ["unsure", "unsure"]);
    assert!(causes(&north).contains(&"audience_unsure"));

    ask(&mut north, "Said after the restore");
    sync_all(&hub, &mut [&mut north, &mut south, &mut east]);
    assert_eq!((titles(&south), titles(&east)), (vec![], vec![]));

    // East is trusted again. It holds a log of the copy that is lost, so a later one is opened above it.
    trust(&mut north, east.id());
    for _ in 0..2 {
        sync_all(&hub, &mut [&mut north, &mut east]);
    }
    sync_all(&hub, &mut [&mut north]);
    assert_eq!(titles(&east), ["Said after the restore"]);
    assert_eq!(titles(&south), Vec::<String>::new());
    for words in ["Said after the restore", "Taken back since"] {
        assert!(!home_holds(&south, words), "{words}");
    }
    // And that ends it: nothing goes to and fro.
    for member in [&mut east, &mut north] {
        let idle = member.sync(&hub);
        assert_eq!(idle.envelopes.given + idle.envelopes.taken, 0);
    }
    untrust(&mut north, south.id());
    assert_eq!(causes(&north), Vec::<&str>::new());
}

/// A copy that is lost opened log after log. The one that comes back does not know of them, and whoever is trusted
/// again holds the last.
#[test]
fn a_restored_copy_opens_its_trusted_log_above_all_that_a_lost_copy_opened() {
    let (hub, mut north, mut south, mut east) = three();
    ask(&mut north, "Of Sunday");
    trust(&mut north, east.id());
    sync_all(&hub, &mut [&mut north, &mut east]);
    sync_all(&hub, &mut [&mut north]);
    let monday = backup(&mut north);
    for title in ["Of Monday", "Of Tuesday", "Of Wednesday"] {
        trust(&mut north, south.id());
        ask(&mut north, title);
        sync_all(&hub, &mut [&mut north, &mut south, &mut east]);
        untrust(&mut north, south.id());
        sync_all(&hub, &mut [&mut north, &mut south, &mut east]);
    }
    assert_eq!(titles(&east).len(), 4, "{:?}", titles(&east));

    come_back(&mut north, &monday);
    settle(&mut north, false).expect("the hub is there");
    ask(&mut north, "Said after the restore");
    sync_all(&hub, &mut [&mut north]);
    trust(&mut north, east.id());
    for _ in 0..3 {
        sync_all(&hub, &mut [&mut north, &mut east]);
    }

    assert_eq!(titles(&east), ["Said after the restore"]);
}

#[test]
fn what_another_process_decides_meanwhile_counts() {
    let (hub, mut north, south, _east) = three();
    trust(&mut north, south.id());
    ask(&mut north, "A ladder");
    sync_all(&hub, &mut [&mut north]);
    let file = north.home().dir().join("wb.db");
    let (began, has_begun) = mpsc::channel();
    let other = std::thread::spawn(move || {
        let connection = rusqlite::Connection::open(file).expect("a file");
        connection
            .execute_batch("BEGIN IMMEDIATE; UPDATE audience SET standing = 'leaving'")
            .expect("the lock is free");
        began.send(()).expect("somebody waits");
        std::thread::sleep(Duration::from_millis(500));
        connection.execute_batch("COMMIT").expect("it counts");
    });
    has_begun.recv().expect("it began");
    let actor = north.actor();
    let key = would_show(&north.node, south.id(), None)
        .expect("its card")
        .key;
    let trusted = peer_trust(&mut north.node, &actor, south.id(), None, &key);
    other.join().expect("it ends");
    assert!(trusted.is_err(), "it was removed meanwhile");
    assert_eq!(states(&north), ["leaving"]);
}

#[test]
fn a_key_that_nobody_was_asked_about_is_not_confirmed() {
    let (_hub, mut north, south, _east) = three();
    let actor = north.actor();
    let other = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    let trusted = peer_trust(&mut north.node, &actor, south.id(), None, other);
    let words = trusted.err().map(|error| error.to_string());
    assert!(words.is_some_and(|words| words.contains("another than a moment ago")));
    assert_eq!(states(&north), [""; 0]);
}

#[test]
fn a_receipt_on_its_way_does_not_keep_a_removed_member_from_being_asked_to_erase() {
    let (hub, mut north, mut south, _east) = three();
    ask(&mut north, "A canary that goes");
    trust(&mut north, south.id());
    // South has it, and its receipt waits at the hub.
    sync_all(&hub, &mut [&mut north, &mut south]);
    assert_eq!(titles(&south).len(), 1);
    untrust(&mut north, south.id());
    north.seal();
    assert_eq!(states(&north), ["parted"]);
    // First the receipt is taken, then what asks South to erase is given.
    sync_all(&hub, &mut [&mut north]);
    assert_eq!(states(&north), ["parted"]);
    sync_all(&hub, &mut [&mut south]);
    assert_eq!(titles(&south), Vec::<String>::new());
    assert!(!home_holds(&south, "A canary that goes"));
    // It said so, and nobody asks it any more.
    sync_all(&hub, &mut [&mut north]);
    assert_eq!(states(&north), [""; 0]);
}

/// Lets as many envelopes wait for somebody at a hub as fit beside one more.
fn stuff(hub: &HubUp, origin: InstanceId, recipient: InstanceId) {
    let file = rusqlite::Connection::open(hub.file()).expect("a file");
    for n in 1..ENVELOPES_PER_PAIR_MAX {
        let body = format!("stuffed {n}");
        let hash = hash::sha256(body.as_bytes());
        file.execute(
            "INSERT INTO envelopes (origin, hash, line, body, expires) VALUES (?1, ?2, x'7b7d', ?3, 9999999999999)",
            rusqlite::params![origin.as_bytes(), hash.as_bytes(), body.as_bytes()],
        )
        .expect("a table");
        file.execute(
            "INSERT INTO envelopes_for (recipient, envelope_no, origin) VALUES (?1, last_insert_rowid(), ?2)",
            rusqlite::params![recipient.as_bytes(), origin.as_bytes()],
        )
        .expect("a table");
    }
}

#[test]
fn one_that_is_away_does_not_keep_the_others_from_getting_theirs() {
    let (hub, mut north, mut south, mut east) = three();
    for id in [south.id(), east.id()] {
        trust(&mut north, id);
    }
    stuff(&hub, north.id(), east.id());
    let ladder = ask(&mut north, "A ladder");
    sync_all(&hub, &mut [&mut north, &mut south]);
    // For East the hub is full now.
    ask(&mut north, "A saw");
    sync_all(&hub, &mut [&mut north, &mut south]);
    assert_eq!(titles(&south), ["A ladder", "A saw"]);
    north.take_back(&ladder);
    sync_all(&hub, &mut [&mut north, &mut south]);
    assert_eq!(titles(&south), ["A saw"]);
    // East comes back, and what did not fit comes with its receipt.
    sync_all(&hub, &mut [&mut east, &mut north]);
    sync_all(&hub, &mut [&mut east]);
    assert_eq!(titles(&east), ["A saw"]);
}

#[test]
fn what_nobody_here_accepts_is_looked_at_once() {
    let hub = HubUp::start("Harbour", Policy::Open);
    let (mut north, mut south) = (Member::found("North"), Member::found("South"));
    for member in [&mut north, &mut south] {
        member.register(&hub);
    }
    north.follow_all(&hub, &[south.id()]);
    sync_all(&hub, &mut [&mut south, &mut north]);
    ask(&mut north, "Who is North");
    trust(&mut north, south.id());
    sync_all(&hub, &mut [&mut north]);
    assert_eq!(south.sync(&hub).envelopes.left, 1);
    assert_eq!(south.sync(&hub).envelopes.left, 0);
    // Somebody decides otherwise, and it is looked at again.
    south.follow_all(&hub, &[north.id()]);
    sync_all(&hub, &mut [&mut south]);
    assert_eq!(titles(&south), ["Who is North"]);
}
