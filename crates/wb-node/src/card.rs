//! The instance's own card: what tells others its name, and what it understands.

use std::collections::BTreeMap;

use wb_core::bundle::Speaks;
use wb_core::id::InstanceId;
use wb_core::kinds::{Body, Card, SyncRhythm};
use wb_core::scope::Scope;
use wb_core::time::Timestamp;
use wb_store::LocalRecord;

use crate::command::init::local;
use crate::entropy;
use crate::error::Result;
use crate::node::Node;

/// A card as this version of the program writes it.
pub(crate) fn fresh(name: &str, sealing_key: Option<String>) -> Card {
    let mut card = Card {
        name: name.to_owned(),
        about: None,
        addresses: Vec::new(),
        hubs: Vec::new(),
        sealing_key,
        sync: SyncRhythm::ByHand(true),
        protocol: Speaks::this().protocol,
        kinds: BTreeMap::new(),
        software: String::new(),
        retired_at: None,
    };
    put_speaks(&mut card);
    card
}

/// Writes into a card what this version of the program understands.
pub(crate) fn put_speaks(card: &mut Card) {
    let speaks = Speaks::this();
    card.protocol = speaks.protocol;
    card.kinds = speaks.kinds;
    card.software = speaks.software;
}

/// The record of a fresh card: it leaves once something is published.
pub(crate) fn record(
    name: &str,
    origin: InstanceId,
    sealing_key: String,
    now: Timestamp,
) -> LocalRecord {
    let body = Body::Card(fresh(name, Some(sealing_key)));
    let id = entropy::record_id(now);
    local(id, &body, None, Scope::Public, origin, now)
}

/// The cards kept here, with their records; there is one, unless somebody wrote another.
pub(crate) fn kept(node: &Node) -> Result<Vec<(LocalRecord, Card)>> {
    let card = "card".parse().expect("a kind");
    let mut cards = Vec::new();
    for record in node.store.local_of_kind(&card)? {
        let body = Body::read(&record.kind, 1, node.own_id(), &record.body);
        if let Ok(Body::Card(card)) = body {
            cards.push((record, card));
        }
    }
    Ok(cards)
}
