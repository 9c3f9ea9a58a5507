//! A peer moves, and is followed; and no card leads anywhere that a person did not allow.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use wb_core::kinds::Body;
use wb_core::scope::Scope;
use wb_core::sync::{Notice, PeerCause};
use wb_net::network::{Answer, Internet, Network, Stream};
use wb_node::Node;

use super::street::{House, titles};

#[test]
fn one_that_moves_to_another_address_and_key_is_followed_without_an_act() {
    let (mut elm, mut oak) = (House::open("Elm"), House::open("Oak"));
    oak.pair_with(&mut elm);
    // Either can call the other.
    let at = oak.address();
    elm.edit_peer(oak.id(), |peer| (peer.address, peer.lan) = (at, true));
    elm.ask("Soup", Scope::Public);
    elm.seal();
    assert_eq!(oak.sync(elm.id()).end, None);
    oak.show(elm.id());
    let old = elm.address();

    // Elm has another key and another address, and says so in its own feed.
    elm.rotate();
    elm.cut_off();
    elm.listen("127.0.0.1:0".parse().expect("an address"));
    let new = elm.address();
    assert_ne!(old, new);
    elm.move_card(&new);
    elm.ask("Soup again", Scope::Public);
    // Oak learns of it because Elm calls: its want brings the longer log, its delivery the card.
    assert_eq!(elm.sync(oak.id()).end, None);
    assert_eq!(oak.peer(elm.id()).address, old);
    oak.ask("A ladder", Scope::Public);
    let synced = oak.sync(elm.id());
    assert_eq!(synced.end, None);
    assert!(synced.notices.contains(&Notice::PeerMoved));
    assert_eq!(oak.peer(elm.id()).address, new);
    assert_eq!(titles(&oak), ["A ladder", "Soup", "Soup again"]);
    elm.assert_has(&oak);
    oak.assert_has(&elm);
    // And it stays there.
    let again = oak.sync(elm.id());
    assert_eq!((again.end, again.round_trips), (None, 1));
    assert!(!again.notices.contains(&Notice::PeerMoved));
    oak.assert_sound();
}

#[test]
fn a_key_that_was_changed_is_learned_from_who_answers_as_well() {
    let (mut elm, mut oak) = (House::open("Elm"), House::quiet("Oak"));
    oak.pair_with(&mut elm);
    elm.ask("Soup", Scope::Public);
    elm.seal();
    oak.sync(elm.id());
    elm.rotate();
    elm.ask("Soup again", Scope::Public);
    elm.seal();
    // The service was not started anew.
    assert_eq!(oak.sync(elm.id()).end, None);
    oak.assert_has(&elm);
}

#[test]
fn another_instance_under_the_address_of_a_peer_holds_it() {
    let (mut elm, mut oak, mut eve) =
        (House::open("Elm"), House::quiet("Oak"), House::quiet("Eve"));
    oak.pair_with(&mut elm);
    let address = elm.socket();
    elm.cut_off();
    eve.listen(address);
    oak.ask("For Elm only", Scope::Public);
    let ended = oak.sync(elm.id());
    assert_eq!(ended.end.map(|end| end.0), Some(PeerCause::WrongIdentity));
    assert_eq!(eve.head(oak.id()), None);
    assert_eq!(oak.peer(elm.id()).address, format!("http://{address}"));
}

/// Something that listens and must not be connected to.
struct Trap(TcpListener);

impl Trap {
    fn set() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a socket");
        Self(listener)
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("an address")
    }

    /// Asserts that nobody connected.
    fn assert_untouched(&self) {
        let came = self.0.accept().map_err(|error| error.kind());
        assert_eq!(came.map(|_| ()), Err(ErrorKind::WouldBlock));
    }
}

#[test]
fn a_card_of_somebody_else_with_an_internal_address_is_never_called() {
    let trap = Trap::set();
    let (mut elm, mut oak, mut eve) = (House::open("Elm"), House::quiet("Oak"), House::open("Eve"));
    oak.pair_with(&mut elm);
    oak.pair_with(&mut eve);
    // Eve's own card names the trap and calls itself Elm; and a second card of hers does so too.
    eve.move_card(&format!("http://{}", trap.address()));
    eve.seal();
    eve.put_card("Elm", &format!("http://{}", trap.address()));
    eve.seal();
    // Oak never allowed Eve an address in its own network.
    let at = eve.address();
    oak.sync(eve.id());
    oak.show(eve.id());
    oak.edit_peer(eve.id(), |peer| peer.lan = false);
    for _ in 0..3 {
        assert_eq!(oak.sync(elm.id()).end, None);
        let ended = oak.sync(eve.id()).end.map(|end| end.0);
        assert_eq!(ended, Some(PeerCause::Unreachable), "it may not be called");
    }
    assert_eq!(oak.peer(elm.id()).address, elm.address());
    assert_eq!(oak.peer(eve.id()).address, at);
    trap.assert_untouched();
    // The trap works.
    drop(std::net::TcpStream::connect(trap.address()).expect("it listens"));
    assert!(trap.0.accept().is_ok());
}

/// Every name leads to one address.
struct LeadsTo(SocketAddr);

impl Network for LeadsTo {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> Answer<'a, Vec<SocketAddr>> {
        let address = self.0;
        Box::pin(async move { Ok(vec![address]) })
    }

    fn connect(&self, address: SocketAddr) -> Answer<'_, Box<dyn Stream>> {
        Internet.connect(address)
    }
}

#[test]
fn a_name_on_an_own_card_that_leads_inside_is_not_connected_to() {
    let trap = Trap::set();
    let (mut oak, mut eve) = (House::quiet("Oak"), House::open("Eve"));
    oak.pair_with(&mut eve);
    eve.move_card("https://eve.example");
    eve.seal();
    assert_eq!(oak.sync(eve.id()).end, None);
    oak.show(eve.id());
    oak.edit_peer(eve.id(), |peer| peer.lan = false);
    // Nothing is wrong with the name. Where it leads is known only once it was looked up.
    let node = Node::open(&oak.home()).expect("it opens");
    oak.node = node.with_network(Arc::new(LeadsTo(trap.address())));
    let ended = oak.sync(eve.id()).end.map(|end| end.0);
    trap.assert_untouched();
    assert_eq!(ended, Some(PeerCause::Unreachable));
    assert_eq!(oak.peer(eve.id()).address, eve.address());
}

#[test]
fn an_own_card_leads_only_where_that_instance_answers() {
    let (mut elm, mut oak, eve) = (House::open("Elm"), House::quiet("Oak"), House::open("Eve"));
    oak.pair_with(&mut elm);
    // Elm's card names the address of Eve: by mistake, or to make Oak call there.
    elm.move_card(&eve.address());
    elm.seal();
    assert_eq!(oak.sync(elm.id()).end, None);
    oak.ask("For Elm only", Scope::Public);
    let synced = oak.sync(elm.id());
    assert_eq!(synced.end, None, "the address that served serves on");
    assert_eq!(oak.peer(elm.id()).address, elm.address());
    assert_eq!(eve.head(oak.id()), None);
    elm.assert_has(&oak);
    // What is not new is not tried again each time.
    assert_eq!(oak.sync(elm.id()).round_trips, 1);
}

impl House {
    /// A second card in the own feed.
    fn put_card(&mut self, name: &str, address: &str) {
        let now = wb_node::entropy::now();
        let filter = wb_store::Filter {
            kind: Some(super::street::kind("card")),
            origin: Some(self.id()),
            ..wb_store::Filter::default()
        };
        let rows = self.node.store().records(&filter).expect("a store");
        let row = rows.first().expect("a card");
        let record = self.node.store().local(&row.key.id).expect("a store");
        let mut record = record.expect("a card is local");
        let body = Body::read(&record.kind, 1, self.id(), &record.body);
        let Ok(Body::Card(mut card)) = body else {
            panic!("a card that cannot be read");
        };
        name.clone_into(&mut card.name);
        card.addresses = vec![address.to_owned()];
        record.id = wb_node::entropy::record_id(now);
        record.body = serde_json::to_string(&Body::Card(card)).expect("it serialises");
        let mut store = wb_store::Store::open(&self.home()).expect("it opens");
        let write = store.write().expect("a transaction");
        write.put_local(&record).expect("it is stored");
        write.commit().expect("it counts");
    }
}
