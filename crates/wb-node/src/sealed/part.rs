//! Parting: who was removed from the audience is given the empty beginning of the next log, and no more.
//!
//! By the rules of feeds nothing of the trusted feed is live there any more, and its lines are erased.

use wb_core::id::InstanceId;
use wb_core::scope::FeedScope;
use wb_core::sealed::Purpose;
use wb_core::signed::Signer;
use wb_core::time::Timestamp;
use wb_store::{Belongs, Write};

use super::content::{Given, snapshot};
use super::keys::follow_card;
use super::prepare::{Recipients, seal_to};
use crate::error::Result;
use crate::node::Node;

/// Seals the empty log that was just opened to everybody who is leaving, and forgets them. Called in the transaction
/// that opened it, before anything is put into it.
pub(crate) fn part(node: &Node, write: &Write<'_>, signer: &Signer, now: Timestamp) -> Result<()> {
    let mut leaving = node.store.audience()?;
    leaving.retain(|row| row.belongs == Belongs::Leaving);
    let served = node.store.served();
    let head = served.head(&node.own_id(), FeedScope::TrustedPeers)?;
    let (mut ids, mut keys): (Vec<InstanceId>, Vec<String>) = (Vec::new(), Vec::new());
    for mut row in leaving {
        follow_card(node, &mut row, now)?;
        // The key it had is better than none: what is sealed says that nothing is there.
        if row.given.is_some() {
            ids.push(row.member);
            keys.push(row.sealing_key.clone());
        }
        write.drop_audience(&row.member)?;
    }
    let Some(head) = head.filter(|_| !ids.is_empty()) else {
        return Ok(());
    };
    if let Given::Pieces(pieces) = snapshot(served, &head, None)? {
        for piece in pieces {
            let to = Recipients {
                audience: &ids.clone(),
                ids: ids.clone(),
                keys: keys.clone(),
            };
            let what = (Purpose::Feed, None, piece.content.as_slice());
            seal_to(node, write, signer, &to, what, now)?;
        }
    }
    Ok(())
}
