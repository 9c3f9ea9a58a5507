//! `wb join`: what a hub offers, origin by origin, before anything is taken.

use std::collections::{BTreeMap, BTreeSet};

use wb_core::id::InstanceId;
use wb_core::kinds::{Card, check_name};
use wb_core::limits::{DIRECTORY_PAGE_MAX, DIRECTORY_READ_MAX, FEED_KINDS_MAX};
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
use crate::sync::{SyncEnd, bad_answer, connect};

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
    /// Whether the hub shows it to members alone.
    pub for_members: bool,
    /// Records live at the hub, by kind.
    pub counts: BTreeMap<String, u64>,
    /// Its newest requests, as the hub shows them: they are verified when they are taken.
    pub sample: Vec<String>,
}

/// What a hub offers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Offers {
    /// Origins, by id.
    pub list: Vec<Offer>,
    /// Whether it lists more than are read.
    pub is_cut_off: bool,
}

/// Origins of which a sample is asked for; the others are shown by their counts. One question each.
const SAMPLED_MAX: usize = 200;
/// Pages of a directory that are read: a hub of this program has 50 for as many members as are read.
const PAGES_MAX: usize = 500;
/// Characters kept of what an origin says about itself.
const ABOUT_CHARS_MAX: usize = 500;

/// Asks a hub for everything it offers. What is taken later is verified then; what is shown here is the
/// hub's word, signed by it.
///
/// # Errors
/// Why it does not answer.
pub async fn offers(node: &Node, peer: &Peer) -> Result<Offers> {
    let mut hub = connect(node, peer)?;
    let offers = read_all(&mut hub, node).await;
    offers.map_err(ended(&peer.name))
}

/// Reads the directory, of which only what is shown is kept: a hub may list whatever it likes.
async fn read_all(hub: &mut HubClient, node: &Node) -> std::result::Result<Offers, SyncEnd> {
    let (mut offers, mut asks, mut after) = (Offers::default(), BTreeSet::new(), None);
    for _ in 0..PAGES_MAX {
        let page = hub.directory(after).await?;
        if page.members.len() > DIRECTORY_PAGE_MAX {
            return Err(bad_answer("a page of its directory that is too long"));
        }
        // A page that brings nobody is the last, whatever it says.
        let is_some = !page.members.is_empty();
        for row in page.members.iter().filter(|row| row.id != node.own_id()) {
            if offers.list.len() == DIRECTORY_READ_MAX {
                offers.is_cut_off = true;
                break;
            }
            if has_requests(row) {
                asks.insert(row.id);
            }
            offers.list.push(offer(node, row)?);
        }
        let goes_on = |next: &InstanceId| is_some && after.is_none_or(|after| after < *next);
        after = page.next.filter(goes_on);
        if after.is_none() || offers.is_cut_off {
            break;
        }
    }
    offers.is_cut_off |= after.is_some();
    let sampled = offers
        .list
        .iter_mut()
        .filter(|offer| asks.contains(&offer.id));
    for offer in sampled.take(SAMPLED_MAX) {
        offer.sample = newest(hub, offer.id).await?;
    }
    Ok(offers)
}

fn has_requests(row: &DirectoryRow) -> bool {
    let mut feeds = row.feeds.iter();
    feeds.any(|feed| {
        feed.head.scope == FeedScope::Public && feed.kinds.contains_key(&request_kind())
    })
}

fn offer(node: &Node, row: &DirectoryRow) -> std::result::Result<Offer, SyncEnd> {
    let card: Option<Card> = serde_json::from_str(row.card.get()).ok();
    let card = card.filter(|card| check_name(&card.name).is_ok());
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for (kind, count) in row.feeds.iter().flat_map(|feed| &feed.kinds) {
        if counts.len() < FEED_KINDS_MAX || counts.contains_key(kind.as_str()) {
            let counted = counts.entry(kind.to_string()).or_default();
            *counted = counted.saturating_add(*count);
        }
    }
    let about = card.as_ref().and_then(|card| card.about.as_ref());
    Ok(Offer {
        id: row.id,
        about: about.map(|about| about.chars().take(ABOUT_CHARS_MAX).collect()),
        name: card.map_or_else(|| row.id.short(), |card| card.name),
        standing: node.store.standing(&row.id).map_err(NodeError::from)?,
        for_members: row.visibility.is_some(),
        counts,
        sample: Vec::new(),
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
