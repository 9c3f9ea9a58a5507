//! Instances that others suggest: their cards came by somebody's road, or somebody vouches for them.
//!
//! A suggestion is words. Nobody is added by it, and no address in it is connected to: whom to talk to is
//! decided here and by hand, and only the peers that were decided about are called.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use wb_core::id::InstanceId;
use wb_core::kinds::{Body, Card};
use wb_store::{Filter, RecordRow, Standing};

use super::peers::label;
use crate::error::Result;
use crate::node::Node;
use crate::view::{NamedView, SCHEMA_VERSION};

/// Addresses shown of a card; protects a page from one that names thousands.
const ADDRESSES_MAX: usize = 4;

/// An instance that is suggested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SuggestedView {
    /// Version of this form.
    pub schema_version: u32,
    /// Its id.
    pub id: InstanceId,
    /// Its name as its card says, or the first digits of its id.
    pub name: String,
    /// Who suggests it: whoever carries its card, and whoever vouches for it.
    pub by: Vec<NamedView>,
    /// Addresses that its card names. They are shown and not asked.
    pub addresses: Vec<String>,
    /// Whether something of it is held here, and not shown.
    pub held: bool,
    /// The next thing to do.
    pub action: String,
}

/// Instances that are suggested and not decided about, by name.
///
/// # Errors
/// What the store reports.
pub fn suggested(node: &Node) -> Result<Vec<SuggestedView>> {
    let mut names = BTreeMap::new();
    let mut standings = BTreeMap::new();
    for instance in node.store.instances()? {
        names.insert(instance.id, instance.label());
        standings.insert(instance.id, instance.standing);
    }
    let peers = node.store.peers()?;
    for peer in &peers {
        names.insert(peer.id, label(&peer.name, &peer.id));
    }
    let is_open = |id: &InstanceId| {
        let is_peer = peers.iter().any(|peer| peer.id == *id);
        !is_peer && matches!(standings.get(id), None | Some(Standing::Waiting))
    };
    let mut by: BTreeMap<InstanceId, BTreeSet<InstanceId>> = BTreeMap::new();
    for peer in &peers {
        for seen in node.store.seen_with(&peer.id)? {
            if is_open(&seen.held.origin) {
                by.entry(seen.held.origin).or_default().insert(peer.id);
            }
        }
    }
    // What came in a file is suggested by nobody who could be named; it waits all the same.
    let (mut cards, mut held) = (BTreeMap::new(), BTreeSet::new());
    for (row, card) in cards_of(node)? {
        if is_open(&row.key.origin) {
            held.insert(row.key.origin);
            by.entry(row.key.origin).or_default();
            cards.insert(row.key.origin, card);
        }
    }
    for (issuer, subject) in vouches(node)? {
        if is_open(&subject) && standings.get(&issuer) == Some(&Standing::Approved) {
            by.entry(subject).or_default().insert(issuer);
        }
    }
    let views = by.into_iter().map(|(id, by)| {
        let card: Option<&Card> = cards.get(&id);
        SuggestedView {
            schema_version: SCHEMA_VERSION,
            id,
            name: names.get(&id).cloned().unwrap_or_else(|| id.short()),
            by: by
                .into_iter()
                .map(|id| NamedView {
                    id,
                    name: names.get(&id).cloned(),
                })
                .collect(),
            addresses: card.map_or_else(Vec::new, |card| {
                card.addresses.iter().take(ADDRESSES_MAX).cloned().collect()
            }),
            held: held.contains(&id),
            action: if held.contains(&id) {
                format!("`wb review accept {}` shows what it shares", id.short())
            } else {
                "nothing of it is here; follow it where a hub lists it, or ask who suggests it"
                    .to_owned()
            },
        }
    });
    let mut views: Vec<SuggestedView> = views.collect();
    views.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
    Ok(views)
}

fn of_kind(node: &Node, kind: &str) -> Result<Vec<RecordRow>> {
    let filter = Filter {
        kind: kind.parse().ok(),
        hidden_too: true,
        ..Filter::default()
    };
    Ok(node.store.records(&filter)?)
}

fn cards_of(node: &Node) -> Result<Vec<(RecordRow, Card)>> {
    let rows = of_kind(node, "card")?.into_iter();
    let cards = rows.filter_map(|row| {
        let card: Card = serde_json::from_str(row.body.as_deref()?).ok()?;
        Some((row, card))
    });
    Ok(cards.collect())
}

/// Who vouches for whom.
fn vouches(node: &Node) -> Result<Vec<(InstanceId, InstanceId)>> {
    let rows = of_kind(node, "vouch")?.into_iter();
    let vouches = rows.filter_map(|row| {
        let body = Body::read(&row.kind, 1, row.key.origin, row.body.as_deref()?);
        match body {
            Ok(Body::Vouch(vouch)) => Some((row.key.origin, vouch.subject)),
            _ => None,
        }
    });
    Ok(vouches.collect())
}
