//! A stolen key between two nodes and no hub: the recovery reaches the peer by the calls that go anyway.

use wb_core::scope::Scope;
use wb_core::sync::PeerCause;
use wb_core::words::RecoveryWords;
use wb_node::command::key_recover::{Recover, fresh_words, gather, key_recover};
use wb_node::keys::Behind;

use super::street::{House, titles};

#[test]
fn a_recovery_wins_at_a_direct_peer() {
    let (mut elm, words) = House::quiet_with_words("Elm");
    let mut oak = House::open("Oak");
    elm.pair_with(&mut oak);
    let own = elm.ask("Soup", Scope::Public);
    assert_eq!(elm.sync(oak.id()).end, None);
    oak.show(elm.id());
    assert_eq!(titles(&oak), ["Soup"]);

    let mut thief = elm.twin();
    thief.ask("Send money", Scope::Public);
    thief.take_back(&own);
    assert_eq!(thief.sync(oak.id()).end, None);
    assert_eq!(titles(&oak), ["Send money"]);
    // The owner sees that somebody publishes in its name, and gives nothing until it has decided.
    let (cause, _) = elm.sync(oak.id()).end.expect("more is there than here");
    assert_eq!(cause, PeerCause::OwnIsAhead);

    let actor = elm.actor();
    let words = RecoveryWords::parse(&words).expect("words");
    let gathering = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let gathered = gathering
        .block_on(gather(&mut elm.node))
        .expect("it gathers");
    let new_words = fresh_words();
    let input = Recover {
        words: &words,
        new_words: &new_words,
        last_good: gathered.suggested().map(|one| one.hash),
        gathered: &gathered,
        behind: Behind::AsBefore,
    };
    key_recover(&mut elm.node, &actor, &input).expect("it recovers");

    for _ in 0..2 {
        let synced = elm.sync(oak.id());
        assert_eq!(synced.end, None, "{synced:?}");
    }
    assert_eq!(titles(&oak), ["Soup"]);
    oak.assert_has(&elm);
    for house in [&elm, &oak] {
        house.assert_sound();
    }
    // The thief is out here, too.
    thief.ask("Again", Scope::Public);
    assert!(thief.sync(oak.id()).end.is_some());
    assert_eq!(titles(&oak), ["Soup"]);
}
