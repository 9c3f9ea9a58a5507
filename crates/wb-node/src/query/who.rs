//! Who has a record of this instance, as far as that is known here: sealed in the own feed, and confirmed by
//! hubs. Whom a hub handed it on to, the hub knows; receipts of followers come later.

use wb_core::id::RecordRef;
use wb_core::scope::FeedScope;
use wb_core::time::Timestamp;
use wb_core::want::Held;
use wb_store::SealedMove;

use super::own_any;
use super::peers::label;
use crate::error::Result;
use crate::node::Node;

/// Who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhoView {
    /// The move that counts now, in the order of feeds; none where it never left.
    pub moves: Vec<MoveView>,
}

/// What a feed says of the record last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveView {
    /// The feed.
    pub scope: FeedScope,
    /// Number of the delta.
    pub seq: u64,
    /// When it was sealed.
    pub at: Timestamp,
    /// Whether it was put there; else it was taken back.
    pub is_put: bool,
    /// Hubs, and what each confirmed.
    pub hubs: Vec<HubView>,
}

/// A hub, and whether it confirmed that it holds the feed up to there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubView {
    /// Its name.
    pub name: String,
    /// Whether it confirmed this.
    pub confirmed: bool,
    /// The last sync that went well.
    pub synced_at: Option<Timestamp>,
}

impl MoveView {
    /// The feed, as a word in a sentence.
    #[must_use]
    pub fn feed(&self) -> &'static str {
        match self.scope {
            FeedScope::Public => "public",
            FeedScope::TrustedPeers => "trusted",
        }
    }
}

/// Who has a record.
///
/// # Errors
/// That it is another instance's, or not here.
pub fn who(node: &Node, key: &RecordRef) -> Result<WhoView> {
    let record = own_any(node, key)?;
    let moves = node.store.sealed_moves(&record.id)?.into_iter();
    let moves = moves.map(|last| view(node, &last));
    Ok(WhoView {
        moves: moves.collect::<Result<_>>()?,
    })
}

fn view(node: &Node, last: &SealedMove) -> Result<MoveView> {
    let own = node.own_id();
    let reaches = |held: &Held| {
        held.origin == own
            && held.scope == last.scope
            && held.log == last.log
            && held.seq >= last.seq
    };
    let peers = node.store.peers()?.into_iter();
    let hubs = peers.map(|peer| HubView {
        name: label(&peer.name, &peer.id),
        confirmed: peer.acked.iter().any(reaches),
        synced_at: peer.last_ok,
    });
    Ok(MoveView {
        scope: last.scope,
        seq: last.seq,
        at: last.at,
        is_put: last.is_put,
        hubs: hubs.collect(),
    })
}
