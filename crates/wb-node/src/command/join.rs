//! `wb join`: what a hub offers, origin by origin, before anything is taken.

use std::collections::{BTreeMap, BTreeSet};

use wb_core::id::InstanceId;
use wb_core::kinds::{Card, check_name};
use wb_core::limits::FOLLOWS_MAX;
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

/// Origins that are read of a directory; protects memory and patience from one without end. As many as a
/// follow list can name.
pub const DIRECTORY_ROWS_MAX: usize = FOLLOWS_MAX;
/// Origins of which a sample is asked for: each is a round trip.
const SAMPLED_MAX: usize = 200;
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

/// What a hub offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offers {
    /// Origin by origin.
    pub list: Vec<Offer>,
    /// Whether it lists more than were read.
    pub more: bool,
}

/// Asks a hub for what it offers. What is taken later is verified then; what is shown here is the
/// hub's word, signed by it.
///
/// # Errors
/// Why it does not answer.
pub async fn offers(node: &Node, peer: &Peer) -> Result<Offers> {
    let mut hub = connect(node, peer)?;
    let (listed, more) = list(&mut hub, node).await.map_err(ended(&peer.name))?;
    let mut list = Vec::new();
    for row in listed {
        let asks = list.len() < SAMPLED_MAX;
        let offer = offer(&mut hub, node, row, asks).await;
        list.push(offer.map_err(ended(&peer.name))?);
    }
    Ok(Offers { list, more })
}

/// The rows of the directory but the own one, and whether there are more.
async fn list(
    hub: &mut HubClient,
    node: &Node,
) -> std::result::Result<(Vec<DirectoryRow>, bool), SyncEnd> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = hub.directory(after).await?;
        // A page that brings nobody is the last, whatever it says.
        let is_some = !page.members.is_empty();
        rows.extend(page.members);
        rows.retain(|row: &DirectoryRow| row.id != node.own_id());
        if rows.len() > DIRECTORY_ROWS_MAX {
            rows.truncate(DIRECTORY_ROWS_MAX);
            return Ok((rows, true));
        }
        match page.next {
            Some(next) if is_some && after.is_none_or(|after| after < next) => after = Some(next),
            _ => return Ok((rows, false)),
        }
    }
}

async fn offer(
    hub: &mut HubClient,
    node: &Node,
    row: DirectoryRow,
    asks: bool,
) -> std::result::Result<Offer, SyncEnd> {
    let card: Option<Card> = serde_json::from_str(row.card.get()).ok();
    let card = card.filter(|card| check_name(&card.name).is_ok());
    let mut counts = BTreeMap::new();
    let mut sample = Vec::new();
    for feed in &row.feeds {
        for (kind, count) in &feed.kinds {
            *counts.entry(kind.to_string()).or_default() += count;
        }
        if asks && feed.head.scope == FeedScope::Public && feed.kinds.contains_key(&request_kind())
        {
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
