//! What is shared with trusted peers only, between two nodes and through a folder.

use tempfile::TempDir;
use wb_core::scope::Scope;
use wb_node::command::peer_add::{look_into, peer_add_folder};
use wb_node::command::peer_trust::{peer_trust, peer_untrust, would_show};
use wb_node::command::request_add::{RequestAdd, request_add};
use wb_node::query::audience::audience;

use super::street::{House, titles};

const CANARY: &str = "A canary for trusted peers";

/// Elm answers, Oak calls; each shows the other and has its card.
pub(super) fn pair() -> (House, House) {
    let (mut elm, mut oak) = (House::open("Elm"), House::quiet("Oak"));
    oak.pair_with(&mut elm);
    elm.seal();
    assert_eq!(oak.sync(elm.id()).end, None);
    oak.show(elm.id());
    elm.show(oak.id());
    (elm, oak)
}

pub(super) fn trust(house: &mut House, other: &House) {
    let shows = would_show(&house.node, other.id(), None).expect("its card is here");
    let actor = house.actor();
    peer_trust(&mut house.node, &actor, other.id(), None, &shows.key).expect("its card is here");
}

fn ask_trusted(house: &mut House, description: &str) {
    let actor = house.actor();
    let input = RequestAdd {
        title: "Much to say",
        description,
        scope: Scope::TrustedPeers,
    };
    request_add(&mut house.node, &actor, &input).expect("a request");
}

fn state(house: &House) -> &'static str {
    audience(&house.node).expect("a store")[0].state
}

#[test]
fn whichever_side_is_called_both_read_what_the_other_trusts_them_with() {
    let (mut elm, mut oak) = pair();
    elm.ask(CANARY, Scope::TrustedPeers);
    oak.ask("A canary of Oak", Scope::TrustedPeers);
    trust(&mut elm, &oak);
    trust(&mut oak, &elm);
    elm.seal();
    let synced = oak.sync(elm.id());
    assert_eq!((synced.end, synced.envelopes.taken), (None, 1));
    let both = ["A canary for trusted peers", "A canary of Oak"];
    assert_eq!(titles(&oak), both);
    assert_eq!(titles(&elm), both);
    // Elm said what it has when Oak asks next, and Oak did when it gave its own.
    oak.sync(elm.id());
    assert_eq!((state(&elm), state(&oak)), ("has_all", "has_all"));
    let idle = oak.sync(elm.id());
    assert_eq!(idle.envelopes.given + idle.envelopes.taken, 0);

    // Who is removed keeps nothing.
    let actor = elm.actor();
    peer_untrust(&mut elm.node, &actor, oak.id()).expect("it is trusted");
    elm.seal();
    oak.sync(elm.id());
    assert_eq!(titles(&oak), ["A canary of Oak"]);
    let bytes = oak.bytes();
    let words = CANARY.as_bytes();
    assert!(!bytes.windows(words.len()).any(|part| part == words));
    elm.assert_sound();
    oak.assert_sound();
}

#[test]
fn a_changed_key_goes_on_in_the_same_audience() {
    let (mut elm, mut oak) = pair();
    elm.ask(CANARY, Scope::TrustedPeers);
    trust(&mut elm, &oak);
    elm.seal();
    oak.sync(elm.id());
    elm.rotate_by_command();
    elm.ask("Said with the next key", Scope::TrustedPeers);
    elm.seal();
    oak.sync(elm.id());
    assert_eq!(titles(&oak), [CANARY, "Said with the next key"]);
}

#[test]
fn after_a_recovery_nothing_is_sealed_to_the_card_from_before() {
    let (mut elm, mut oak) = pair();
    elm.ask(CANARY, Scope::TrustedPeers);
    trust(&mut elm, &oak);
    oak.recover();
    // Elm hears of the recovery, and not of a new card: Oak publishes nothing.
    let pull = wb_node::command::sync::SyncInput {
        push: false,
        ..super::street::BOTH_WAYS
    };
    elm.seal();
    let synced = oak.sync_as(elm.id(), pull);
    assert_eq!(synced.envelopes.taken, 0);
    assert_eq!(titles(&oak), Vec::<String>::new());
    assert!(
        ["key_in_doubt", "no_key"].contains(&state(&elm)),
        "{}",
        state(&elm)
    );

    // With the card that follows it is sealed to, from then on.
    assert_eq!(oak.sync(elm.id()).end, None);
    assert_eq!(state(&elm), "new_key");
    std::thread::sleep(std::time::Duration::from_millis(20));
    elm.ask("Said to the new key", Scope::TrustedPeers);
    elm.seal();
    oak.sync(elm.id());
    assert_eq!(titles(&oak), ["Said to the new key"]);
}

/// Nobody was in the audience yet, so nothing but the card says which key it was.
#[test]
fn a_card_from_before_a_recovery_is_not_trusted() {
    let (mut elm, mut oak) = pair();
    elm.ask(CANARY, Scope::TrustedPeers);
    oak.recover();
    let pull = wb_node::command::sync::SyncInput {
        push: false,
        ..super::street::BOTH_WAYS
    };
    elm.seal();
    oak.sync_as(elm.id(), pull);
    let shows = would_show(&elm.node, oak.id(), None);
    let words = shows
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    assert!(
        words.contains("recovered its key") || words.contains("card"),
        "{words}"
    );
    // With the card that follows it can be.
    assert_eq!(oak.sync(elm.id()).end, None);
    trust(&mut elm, &oak);
    elm.seal();
    oak.sync(elm.id());
    assert_eq!(titles(&oak), [CANARY]);
}

/// The key is made after the recovery is committed, and the power may go between both.
#[test]
fn a_recovery_that_was_cut_off_leaves_no_key_from_before() {
    let (mut elm, mut oak) = pair();
    let before = would_show(&elm.node, oak.id(), None).expect("its card").key;
    oak.recover();
    let file = oak.home().dir().join("private.db");
    let private = rusqlite::Connection::open(file).expect("a file");
    let as_if_cut = "DELETE FROM sealing_keys WHERE retired_at IS NULL; UPDATE sealing_keys SET retired_at = NULL";
    private.execute_batch(as_if_cut).expect("a table");
    drop(private);
    assert_eq!(oak.sync(elm.id()).end, None);
    elm.seal();
    let after = would_show(&elm.node, oak.id(), None).expect("its card").key;
    assert_ne!(before, after);
}

#[test]
fn who_was_removed_is_asked_to_erase_also_with_the_next_key() {
    let (mut elm, mut oak) = pair();
    elm.ask(CANARY, Scope::TrustedPeers);
    trust(&mut elm, &oak);
    elm.seal();
    oak.sync(elm.id());
    let actor = elm.actor();
    let untrusted = peer_untrust(&mut elm.node, &actor, oak.id()).expect("it is trusted");
    assert!(untrusted.asks);
    elm.seal();
    elm.rotate_by_command();
    oak.sync(elm.id());
    assert_eq!(titles(&oak), Vec::<String>::new());
    oak.sync(elm.id());
    assert_eq!(audience(&elm.node).expect("a store"), []);
}

#[test]
fn the_owner_of_a_trusted_feed_recovers_and_its_audience_reads_on() {
    let (mut elm, mut oak) = pair();
    elm.ask(CANARY, Scope::TrustedPeers);
    trust(&mut elm, &oak);
    elm.seal();
    oak.sync(elm.id());
    elm.recover();
    elm.ask("Said after the recovery", Scope::TrustedPeers);
    elm.seal();
    oak.sync(elm.id());
    oak.sync(elm.id());
    assert_eq!(titles(&oak), [CANARY, "Said after the recovery"]);
    elm.assert_sound();
    oak.assert_sound();
}

fn add(house: &mut House, stick: &TempDir) -> bool {
    let actor = house.actor();
    let found = look_into(&house.node, &actor, stick.path(), None).expect("a folder");
    let Some(one) = found else { return false };
    peer_add_folder(&mut house.node, &actor, stick.path(), &one).expect("it pairs");
    true
}

#[test]
fn a_stick_carries_envelopes_that_nobody_else_can_open() {
    let (mut elm, mut oak) = (House::quiet("Elm"), House::quiet("Oak"));
    let stick = tempfile::tempdir().expect("a folder");
    while !(add(&mut elm, &stick) & add(&mut oak, &stick)) {}
    for _ in 0..2 {
        elm.sync(oak.id());
        oak.sync(elm.id());
    }
    oak.show(elm.id());
    elm.show(oak.id());
    elm.ask(CANARY, Scope::TrustedPeers);
    trust(&mut elm, &oak);
    assert_eq!(elm.sync(oak.id()).envelopes.given, 1);
    let sealed = stick
        .path()
        .join(format!("{}-for-{}.wbs", elm.id(), oak.id()));
    assert!(sealed.is_file());
    for file in std::fs::read_dir(stick.path()).expect("a folder") {
        let bytes = std::fs::read(file.expect("a file").path()).expect("it is read");
        let words = CANARY.as_bytes();
        assert!(!bytes.windows(words.len()).any(|part| part == words));
    }
    assert_eq!(oak.sync(elm.id()).envelopes.taken, 1);
    assert_eq!(titles(&oak), [CANARY]);
    // What is taken back does not wait in the file, nor in what would be left next.
    let second = elm.ask("A second canary", Scope::TrustedPeers);
    assert_eq!(elm.sync(oak.id()).envelopes.given, 1);
    elm.take_back(&second);
    elm.seal();
    assert!(!sealed.is_file());
    let waiting = elm.node.store().envelopes_waiting(Some(&oak.id()));
    assert_eq!(waiting.expect("a store"), [0; 0]);
    elm.sync(oak.id());
    oak.sync(elm.id());
    // With its want Elm takes the file away.
    elm.sync(oak.id());
    assert_eq!(state(&elm), "has_all");
    assert!(!sealed.is_file());
}

#[test]
fn what_is_larger_than_a_small_body_goes_as_well() {
    let (mut elm, mut oak) = pair();
    for _ in 0..12 {
        ask_trusted(&mut elm, &"Long ".repeat(3_000));
        ask_trusted(&mut oak, &"Longer ".repeat(2_000));
    }
    trust(&mut elm, &oak);
    trust(&mut oak, &elm);
    elm.seal();
    let synced = oak.sync(elm.id());
    assert_eq!(
        (synced.end, synced.envelopes.taken, synced.envelopes.given),
        (None, 1, 2)
    );
    assert_eq!(titles(&oak).len(), 24);
    assert_eq!(titles(&elm).len(), 24);
}
