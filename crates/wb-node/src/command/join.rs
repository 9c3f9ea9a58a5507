//! `wb join`: what a hub offers, origin by origin, before anything is taken.

use std::collections::{BTreeMap, BTreeSet};

use wb_core::id::InstanceId;
use wb_core::kinds::{Card, check_name};
use wb_core::line::Line;
use wb_core::ndjson;
use wb_core::scope::FeedScope;
use wb_core::sync::{Cause, DirectoryRow};
use wb_net::HubClient;
use wb_store::{Peer, Standing};

use super::hub_register::ended;
use crate::error::{NodeError, Result};
use crate::node::Node;
use crate::plan::headline;
use crate::sync::{SyncEnd, connect};

/// Records shown of each origin before it is accepted.
pub const SAMPLE_RECORDS: usize = 5;

/// An origin that a hub lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its id.
    pub id: InstanceId,
    /// The name on its card.
    pub name: String,
    /// What it says about itself.
    pub about: Option<String>,
    /// What was decided about it here.
    pub standing: Option<Standing>,
    /// Records live at the hub, by kind.
    pub counts: BTreeMap<String, u64>,
    /// Its newest requests, as the hub shows them: they are verified when they are taken.
    pub sample: Vec<String>,
}

/// Asks a hub for everything it offers. What is taken later is verified then; what is shown here is the
/// hub's word, signed by it.
///
/// # Errors
/// Why it does not answer.
pub async fn offers(node: &Node, peer: &Peer) -> Result<Vec<Offer>> {
    let mut hub = connect(node, peer)?;
    let listed = list(&mut hub, node).await.map_err(ended(&peer.name))?;
    let mut offers = Vec::new();
    for row in listed {
        if row.id == node.own_id() {
            continue;
        }
        let offer = offer(&mut hub, node, row).await;
        offers.push(offer.map_err(ended(&peer.name))?);
    }
    Ok(offers)
}

async fn list(hub: &mut HubClient, node: &Node) -> std::result::Result<Vec<DirectoryRow>, SyncEnd> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = hub.directory(after).await?;
        // A page that brings nobody is the last, whatever it says.
        let is_some = !page.members.is_empty();
        rows.extend(page.members);
        match page.next {
            Some(next) if is_some && after.is_none_or(|after| after < next) => after = Some(next),
            _ => {
                rows.retain(|row| row.id != node.own_id());
                return Ok(rows);
            }
        }
    }
}

async fn offer(
    hub: &mut HubClient,
    node: &Node,
    row: DirectoryRow,
) -> std::result::Result<Offer, SyncEnd> {
    let card: Option<Card> = serde_json::from_str(row.card.get()).ok();
    let card = card.filter(|card| check_name(&card.name).is_ok());
    let mut counts = BTreeMap::new();
    let mut sample = Vec::new();
    for feed in &row.feeds {
        for (kind, count) in &feed.kinds {
            *counts.entry(kind.to_string()).or_default() += count;
        }
        if feed.head.scope == FeedScope::Public && feed.kinds.contains_key(&request_kind()) {
            sample = newest(hub, row.id).await?;
        }
    }
    Ok(Offer {
        id: row.id,
        name: card
            .as_ref()
            .map_or_else(|| row.id.short(), |card| card.name.clone()),
        about: card.and_then(|card| card.about),
        standing: node.store.standing(&row.id).map_err(NodeError::from)?,
        counts,
        sample,
    })
}

fn request_kind() -> wb_core::scope::Kind {
    "request".parse().expect("a kind")
}

async fn newest(
    hub: &mut HubClient,
    origin: InstanceId,
) -> std::result::Result<Vec<String>, SyncEnd> {
    let kinds = BTreeSet::from([request_kind()]);
    let body = match hub
        .newest(origin, FeedScope::Public, &kinds, SAMPLE_RECORDS)
        .await
    {
        Ok(body) => body,
        // It went since the directory was read.
        Err(error) if error.refusal() == Some(Cause::NotFound) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let lines = ndjson::lines(&body).filter_map(|bytes| {
        let line = Line::read(bytes).ok()?;
        (line.origin == origin).then(|| headline(line.kind.as_str(), line.body()))
    });
    Ok(lines.take(SAMPLE_RECORDS).collect())
}
