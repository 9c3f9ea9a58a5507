//! Pairing: a link, eight words, two people; and whom a link does not admit.

use wb_core::pairing::{PairLink, safety_words};
use wb_core::scope::Scope;
use wb_core::sync::PeerCause;
use wb_core::time::Timestamp;
use wb_node::NodeError;
use wb_node::command::peer_accept::{look, peer_turn_down};
use wb_node::command::peer_add::{find, peer_add};
use wb_node::command::peer_block::peer_block;
use wb_node::command::peer_invite::{asking, used_by};
use wb_node::{entropy, secret};
use wb_store::{PairLinkRow, PairState, Standing};

use super::street::House;

fn refusal(error: &NodeError) -> String {
    match error {
        NodeError::Peer { detail, .. } => detail.clone(),
        other => other.to_string(),
    }
}

#[test]
fn both_sides_see_the_same_words_and_both_agree() {
    let (mut elm, mut oak) = (House::open("Elm"), House::quiet("Oak"));
    let link = elm.invite().link;
    assert_eq!(used_by(&elm.node, &link).expect("a store"), None);
    let accepted = oak.accept(&link).expect("it answers");
    let words = safety_words(elm.id(), oak.id(), &link.token);
    assert_eq!(accepted.pair.words, words);
    assert_eq!(accepted.pair.state, PairState::Offered);
    assert_eq!(accepted.peer.name, "Elm");
    // Whoever made the link sees who used it, with the same words, and nothing was decided yet.
    let (id, pair) = used_by(&elm.node, &link)
        .expect("a store")
        .expect("it was used");
    assert_eq!((id, pair.words.as_str()), (oak.id(), words.as_str()));
    assert_eq!(pair.state, PairState::Asked);
    assert_eq!(asking(&elm.node).expect("a store").len(), 1);
    let waits = oak.sync(elm.id());
    assert_eq!(waits.end.map(|end| end.0), Some(PeerCause::PairWaits));
    let asked = elm.sync(oak.id());
    assert_eq!(asked.end.map(|end| end.0), Some(PeerCause::PairAsked));

    elm.confirm(oak.id());
    assert_eq!(
        elm.pair(oak.id()).map(|pair| pair.state),
        Some(PairState::Paired)
    );
    assert_eq!(oak.sync(elm.id()).end, None);
    assert_eq!(
        oak.pair(elm.id()).map(|pair| pair.state),
        Some(PairState::Paired)
    );
    // A pair shows nothing of anybody: that is decided when there is something to look at.
    let standing = oak.node.store().standing(&elm.id()).expect("a store");
    assert_eq!(standing, Some(Standing::Waiting));
    // The token is kept by nobody any more.
    assert_eq!(oak.pair(elm.id()).and_then(|pair| pair.token), None);
    elm.assert_sound();
    oak.assert_sound();
}

#[test]
fn a_link_admits_one_instance_and_that_one_as_often_as_it_asks() {
    let (mut elm, mut oak, mut eve) =
        (House::open("Elm"), House::quiet("Oak"), House::quiet("Eve"));
    let link = elm.invite().link;
    oak.accept(&link).expect("it answers");
    oak.accept(&link).expect("its answer may have been lost");
    let error = eve.accept(&link).expect_err("it was used");
    assert!(refusal(&error).contains("used by another"), "{error:?}");
    // Nothing of it is left where it failed.
    assert_eq!(eve.node.store().peer(&elm.id()).expect("a store"), None);
    assert_eq!(elm.pair(eve.id()), None);
    let mut wrong = link.clone();
    wrong.token = wb_core::pairing::NO_TOKEN;
    let error = eve.accept(&wrong).expect_err("it was never made");
    assert!(refusal(&error).contains("not made here"), "{error:?}");
}

#[test]
fn a_link_that_is_over_admits_nobody() {
    let (mut elm, mut oak) = (House::open("Elm"), House::quiet("Oak"));
    let mut link = elm.invite().link;
    // As if it had been made long ago: of a link only the hash of its token is kept.
    link.token = entropy::token();
    let long_ago = Timestamp::from_unix_ms(1_000).expect("a time");
    let mut store = wb_store::Store::open(&elm.home()).expect("it opens");
    let write = store.write().expect("a transaction");
    let row = PairLinkRow {
        link: secret::name(&link.token.to_string()),
        made_at: long_ago,
        ends_at: long_ago,
        used_by: None,
    };
    write.put_pair_link(&row).expect("it is stored");
    write.commit().expect("it counts");
    let error = oak.accept(&link).expect_err("it is over");
    assert!(refusal(&error).contains("is over"), "{error:?}");
    assert_eq!(elm.pair(oak.id()), None);
}

#[test]
fn where_the_inviter_cannot_be_reached_the_link_goes_back() {
    let (mut elm, mut oak) = (House::quiet("Elm"), House::open("Oak"));
    let link = elm.invite().link;
    assert!(link.addresses.is_empty());
    let accepted = oak
        .accept_with(&link, &[oak.address()])
        .expect("it is noted");
    let back = accepted.way_back.expect("a link for the way back");
    assert_eq!((back.id, back.token), (oak.id(), link.token));
    // Who found the link cannot put itself in the place of who made it.
    let mut eve = House::quiet("Eve");
    let error = eve.accept(&back).expect_err("it is not for Eve");
    assert!(refusal(&error).contains("not made here"), "{error:?}");

    let paired = elm.accept(&back).expect("Oak answers");
    assert_eq!(paired.pair.state, PairState::Paired);
    assert_eq!(paired.pair.words, accepted.pair.words);
    assert_eq!(
        oak.pair(elm.id()).map(|pair| pair.state),
        Some(PairState::Paired)
    );
    assert_eq!(elm.sync(oak.id()).end, None);
}

#[test]
fn a_local_address_in_a_link_is_not_called_without_being_allowed() {
    let (mut elm, oak) = (House::open("Elm"), House::quiet("Oak"));
    let link = elm.invite().link;
    let actor = oak.actor();
    let looked = oak.block_on(look(&oak.node, &actor, &link, false));
    let error = looked.expect_err("it is an address of this computer");
    assert!(error.to_string().contains("--lan"), "{error}");
}

#[test]
fn who_is_turned_down_or_refused_is_no_peer_and_a_refusal_beats_every_link() {
    let (mut elm, mut oak) = (House::open("Elm"), House::quiet("Oak"));
    oak.accept(&elm.invite().link).expect("it answers");
    let actor = elm.actor();
    peer_turn_down(&mut elm.node, &actor, oak.id()).expect("it asked");
    assert_eq!(elm.pair(oak.id()), None);
    let ended = oak.sync(elm.id()).end.map(|end| end.0);
    assert_eq!(ended, Some(PeerCause::NotPaired), "its link is over");
    assert_eq!(elm.pair(oak.id()), None);
    peer_block(&mut elm.node, &actor, oak.id()).expect("it is known");
    let fresh = elm.invite().link;
    let error = oak.accept(&fresh).expect_err("it is refused");
    assert!(refusal(&error).contains("not paired"), "{error:?}");
    assert_eq!(elm.pair(oak.id()), None);
}

#[test]
fn a_peer_that_is_refused_later_neither_gets_nor_gives_anything() {
    let (mut elm, mut oak) = (House::open("Elm"), House::quiet("Oak"));
    oak.pair_with(&mut elm);
    elm.seal();
    assert_eq!(oak.sync(elm.id()).end, None);
    let (there, here) = (oak.head(elm.id()), elm.head(oak.id()));
    elm.ask("Soup", wb_core::scope::Scope::Public);
    elm.seal();
    oak.ask("Noise", wb_core::scope::Scope::Public);
    let actor = elm.actor();
    peer_block(&mut elm.node, &actor, oak.id()).expect("it is known");
    let ended = oak.sync(elm.id()).end.map(|end| end.0);
    assert_eq!(ended, Some(PeerCause::NotPaired));
    assert_eq!((oak.head(elm.id()), elm.head(oak.id())), (there, here));
}

#[test]
fn one_known_from_elsewhere_is_asked_at_the_address_of_its_own_card() {
    let (mut elm, mut oak) = (House::open("Elm"), House::open("Oak"));
    // Each knows the other from a bundle, as from a hub.
    elm.move_card(&elm.address());
    elm.seal();
    oak.seal();
    exchange_files(&mut elm, &mut oak);
    exchange_files(&mut oak, &mut elm);
    let wanted = find(&oak.node, "Elm", true).expect("its card has an address");
    assert_eq!(wanted.address, elm.address());
    let actor = oak.actor();
    let adding = async { peer_add(&mut oak.node, &actor, &wanted).await };
    let runtime = super::street::runtime();
    let (_, pair) = runtime.block_on(adding).expect("it answers");
    assert_eq!(pair.state, PairState::Offered);
    let asked = elm.pair(oak.id()).expect("it asked");
    assert_eq!((asked.state, asked.words), (PairState::Asked, wanted.words));
    elm.confirm(oak.id());
    assert_eq!(oak.sync(elm.id()).end, None);
    oak.assert_has(&elm);

    // A stranger without a link is nobody.
    let mut eve = House::quiet("Eve");
    let text = format!("{}#{}", elm.address(), elm.id());
    let wanted = find(&eve.node, &text, true).expect("an address and an id");
    let actor = eve.actor();
    let asked = runtime.block_on(peer_add(&mut eve.node, &actor, &wanted));
    let error = asked.expect_err("Elm never heard of Eve");
    assert!(refusal(&error).contains("not paired"), "{error:?}");
}

/// Carries a bundle from one to the other, which accepts it.
fn exchange_files(from: &mut House, to: &mut House) {
    use wb_node::command::bundle_export::{BundleExport, bundle_export};
    use wb_node::command::bundle_import::{BundleImport, bundle_import};
    let file = from.folder().join("feed.wbb");
    let input = BundleExport {
        file: &file,
        want: None,
        zstd_level: None,
    };
    let actor = from.actor();
    bundle_export(&mut from.node, &actor, &input, &mut |_, _| {}).expect("a bundle");
    let input = BundleImport {
        dry_run: false,
        accept: true,
        partial: false,
        lists: true,
    };
    let actor = to.actor();
    bundle_import(&mut to.node, &actor, &file, input, &mut |_| {}).expect("it is taken");
}

#[test]
fn a_link_that_names_a_folder_is_none_and_nothing_is_written_there() {
    let (elm, mut oak) = (House::quiet("Elm"), House::quiet("Oak"));
    let folder = tempfile::tempdir().expect("a folder");
    let path = format!("folder:{}", folder.path().display());
    let token = entropy::token();
    let text = format!("{path}/pair#{}.{token},https://elm.example.org", elm.id());
    assert!(text.parse::<PairLink>().is_err());
    // As if it had been read all the same.
    let link = PairLink {
        addresses: vec!["http://127.0.0.1:9".to_owned(), path.clone()],
        id: elm.id(),
        token,
    };
    let accepted = oak.accept(&link).expect("it is noted");
    assert_eq!(accepted.peer.address, "http://127.0.0.1:9");
    oak.edit_peer(elm.id(), |peer| peer.address = path);
    oak.ask("Ladder", Scope::Public);
    let synced = oak.sync(elm.id());
    assert_eq!(synced.end.map(|end| end.0), Some(PeerCause::PairWaits));
    let files = std::fs::read_dir(folder.path()).expect("a folder");
    assert_eq!(files.count(), 0);
}

#[test]
fn of_two_that_use_a_link_at_once_one_is_admitted() {
    let (mut elm, mut oak, mut eve) =
        (House::open("Elm"), House::quiet("Oak"), House::quiet("Eve"));
    for _ in 0..3 {
        let link = elm.invite().link;
        let admitted = std::thread::scope(|scope| {
            let tries = [&mut oak, &mut eve].map(|house| {
                let link = &link;
                scope.spawn(move || house.accept(link).is_ok())
            });
            tries.map(|one| one.join().expect("it ends"))
        });
        assert_ne!(admitted[0], admitted[1], "{admitted:?}");
        let actor = elm.actor();
        for id in [oak.id(), eve.id()] {
            if elm.pair(id).is_some() {
                peer_turn_down(&mut elm.node, &actor, id).expect("it asked");
            }
        }
    }
}

#[test]
fn a_link_that_failed_leaves_the_pair_as_it_was() {
    let (mut elm, mut oak) = (House::open("Elm"), House::quiet("Oak"));
    let link = elm.invite().link;
    oak.accept(&link).expect("it answers");
    let (peer, pair) = (oak.peer(elm.id()), oak.pair(elm.id()));
    let mut wrong = link.clone();
    wrong.token = entropy::token();
    oak.accept(&wrong).expect_err("it was never made");
    assert_eq!((oak.peer(elm.id()), oak.pair(elm.id())), (peer, pair));
    elm.confirm(oak.id());
    assert_eq!(oak.sync(elm.id()).end, None);
}
