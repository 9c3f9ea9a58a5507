//! The graph of trust as one page shows it: who is how far from here, every vouch that is known, and what each is worth.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use wb_core::id::InstanceId;
use wb_core::kinds::Level;
use wb_store::Standing;

use super::trust::{Trust, TrustView, VouchView, number};
use crate::error::{NodeError, Result};
use crate::node::Node;

/// An instance in the graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The instance.
    pub id: InstanceId,
    /// Its name, or the first digits of its id.
    pub name: String,
    /// 0 to 3.
    pub level: u8,
    /// How far it is trusted and by which way, in one sentence.
    pub says: String,
    /// What was decided about it.
    pub standing: Option<&'static str>,
    /// Arrows from here to it over vouches of any level; none where there is no way.
    pub distance: Option<usize>,
}

/// The graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// This instance.
    pub me: InstanceId,
    /// Its name.
    pub name: String,
    /// Every other instance that vouches, is vouched for, or was decided about; the nearest first, then by name.
    pub places: Vec<Place>,
    /// Vouches known here, the oldest first.
    pub vouches: Vec<VouchView>,
}

/// What one page says of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WhyPage {
    /// How far it is trusted, and why.
    pub trust: TrustView,
    /// What was decided about it.
    pub standing: Option<&'static str>,
    /// Whether it was approved by hand as a steward.
    pub steward: bool,
    /// What this instance vouches for it.
    pub own: Option<OwnWord>,
    /// Vouches for it.
    pub of_it: Vec<VouchView>,
    /// Vouches by it.
    pub by_it: Vec<VouchView>,
}

/// What this instance vouches for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnWord {
    /// The vouch.
    pub vouch: VouchView,
    /// Whether nobody else has it yet as it stands: it goes with the next publish or sync.
    pub waits: bool,
}

/// Everything the graph shows.
///
/// # Errors
/// What the store reports.
pub fn graph(node: &Node) -> Result<Graph> {
    let trust = Trust::of(node)?;
    let standings = standings(node)?;
    let (distances, outline) = (trust.distances(Level::Known), trust.outline());
    let vouches = trust.all();
    let mut ids: BTreeSet<InstanceId> = vouches
        .iter()
        .flat_map(|vouch| [vouch.issuer.id, vouch.subject.id])
        .chain(outline.levels.keys().copied())
        .collect();
    ids.remove(&node.own_id());
    let mut places: Vec<Place> = ids
        .into_iter()
        .map(|id| Place {
            id,
            name: trust.name(&id),
            level: number(outline.levels.get(&id).copied()),
            says: trust.says(&outline, &id),
            standing: standings.get(&id).map(|standing| standing.as_str()),
            distance: distances.get(&id).copied(),
        })
        .collect();
    places.sort_by(|a, b| {
        let of = |place: &Place| place.distance.unwrap_or(usize::MAX);
        (of(a), &a.name, a.id).cmp(&(of(b), &b.name, b.id))
    });
    Ok(Graph {
        me: node.own_id(),
        name: node.name().to_owned(),
        places,
        vouches,
    })
}

/// Why one instance is trusted as far as it is.
///
/// # Errors
/// That it is this one, or not known here; what the store reports.
pub fn why_page(node: &Node, id: InstanceId) -> Result<WhyPage> {
    let trust = Trust::of(node)?;
    let vouches = trust.all();
    let known = node.store.instances()?;
    let known = known.into_iter().find(|instance| instance.id == id);
    let is_named = |vouch: &VouchView| vouch.issuer.id == id || vouch.subject.id == id;
    if id == node.own_id() || known.is_none() && !vouches.iter().any(is_named) {
        return Err(NodeError::unknown("other instance", id.to_string()));
    }
    let (of_it, rest): (Vec<VouchView>, Vec<VouchView>) = vouches
        .into_iter()
        .partition(|vouch| vouch.subject.id == id);
    let own = of_it.iter().find(|vouch| vouch.issuer.id == node.own_id());
    let own = own.map(|vouch| own_word(node, vouch)).transpose()?;
    Ok(WhyPage {
        trust: trust.why(id),
        standing: known.as_ref().map(|known| known.standing.as_str()),
        steward: known.is_some_and(|known| known.standing == Standing::Approved && known.steward),
        own,
        of_it,
        by_it: rest
            .into_iter()
            .filter(|vouch| vouch.issuer.id == id)
            .collect(),
    })
}

fn own_word(node: &Node, vouch: &VouchView) -> Result<OwnWord> {
    let record = node.store.local(&vouch.id)?;
    Ok(OwnWord {
        vouch: vouch.clone(),
        waits: record.is_some_and(|record| record.edit != record.sealed_edit),
    })
}

fn standings(node: &Node) -> Result<BTreeMap<InstanceId, Standing>> {
    let known = node.store.instances()?.into_iter();
    Ok(known
        .map(|instance| (instance.id, instance.standing))
        .collect())
}
