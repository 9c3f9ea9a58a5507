//! What a hub does not give although its origin signed it, with the two signatures that prove it.

use wb_core::id::InstanceId;
use wb_core::sync::Proof;
use wb_core::time::Timestamp;
use wb_store::{Doubt, DoubtKind};

use super::peers::label;
use crate::error::Result;
use crate::node::Node;
use crate::view::{DoubtView, SCHEMA_VERSION};

/// A hub that is behind is told of after so long: one that is given a feed once a day is not in doubt.
pub const STALE_MS: i64 = 24 * 3_600_000;

/// Whether a doubt is old enough to be told of.
pub(crate) fn is_told(doubt: &Doubt, now: Timestamp) -> bool {
    match doubt.kind {
        DoubtKind::Withheld => true,
        DoubtKind::Stale => now.unix_ms().saturating_sub(doubt.since.unix_ms()) >= STALE_MS,
    }
}

/// Everything that is in doubt of one peer, the oldest first, also what is too young to be told of.
///
/// # Errors
/// What the store reports.
pub fn doubts_of(node: &Node, peer: &InstanceId) -> Result<Vec<DoubtView>> {
    let doubts = node.store.doubts()?.into_iter();
    let own = doubts.filter(|doubt| doubt.peer == *peer);
    own.map(|doubt| view(node, &doubt)).collect()
}

/// One doubt in words, with its proof checked anew.
pub(crate) fn view(node: &Node, doubt: &Doubt) -> Result<DoubtView> {
    let peer = node.store.peer(&doubt.peer)?;
    let peer_name = peer.map_or_else(|| doubt.peer.short(), |peer| label(&peer.name, &peer.id));
    let known = node.store.instances()?.into_iter();
    let mut known = known.filter(|instance| instance.id == doubt.origin);
    let origin_name = known
        .next()
        .map_or_else(|| doubt.origin.short(), |instance| instance.label());
    let proof: Option<Proof> = doubt
        .proof
        .as_deref()
        .and_then(|proof| serde_json::from_str(proof).ok());
    let (scope, seq) = (doubt.scope, doubt.seq);
    let shown = proof.as_ref().and_then(|proof| proof.stale().ok());
    let proved = match doubt.kind {
        DoubtKind::Stale => shown.is_some(),
        DoubtKind::Withheld => proof.as_ref().is_some_and(|proof| proof.withheld().is_ok()),
    };
    let (sentence, action) = match doubt.kind {
        DoubtKind::Stale => (
            match &shown {
                Some(stale) => format!(
                    "{peer_name} signed that the {scope} feed of {origin_name} ends at number {}, and {origin_name} \
                     signed number {}, which came here by another road",
                    stale.named.seq, stale.signed.seq
                ),
                None => format!(
                    "{peer_name} has less of the {scope} feed of {origin_name} than number {seq}, which \
                     {origin_name} signed and which came here by another road"
                ),
            },
            format!(
                "ask {origin_name} whether it still syncs with {peer_name}; if it does, ask the operator of \
                 {peer_name}: `wb peer show --proof` prints both signatures"
            ),
        ),
        DoubtKind::Withheld => (
            format!(
                "{peer_name} has the {scope} feed of {origin_name} up to number {seq}, and does not give lines that \
                 are live in it"
            ),
            format!(
                "ask the operator of {peer_name}; `wb peer show --proof` prints both signatures"
            ),
        ),
    };
    Ok(DoubtView {
        schema_version: SCHEMA_VERSION,
        peer: doubt.peer,
        peer_name,
        origin: doubt.origin,
        origin_name,
        scope: scope.as_str(),
        kind: doubt.kind.as_str(),
        log: doubt.log.to_string(),
        seq,
        since: doubt.since,
        at: doubt.at,
        told: is_told(doubt, node.now()),
        proved,
        sentence,
        action,
        proof,
    })
}
