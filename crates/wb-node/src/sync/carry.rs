//! What a hub's own file lacks of the feed of the hub's own instance: the same sections as a push, within one folder.

use wb_core::scope::FeedScope;
use wb_core::want::Held;

use super::push::{Owed, lacking, page};
use super::whole::own_snapshot;
use super::{SyncEnd, bad_answer};
use crate::node::Node;

/// Pages of the own public feed that lead on from the heads held, in order; none where nothing is lacking.
///
/// # Errors
/// That the heads are of another copy of this folder, or what the store reports.
pub fn to_carry(node: &Node, held: &[Held]) -> Result<Vec<Vec<u8>>, SyncEnd> {
    let scope = FeedScope::Public;
    let mut headers = match lacking(node, node.store.served(), scope, held)? {
        Owed::Deltas(headers) => headers,
        Owed::Whole => {
            let whole = own_snapshot(node, scope)?;
            return Ok(whole.map(|(body, _)| body).into_iter().collect());
        }
    };
    let mut pages = Vec::new();
    while !headers.is_empty() {
        let page = page(node, scope, &headers)?;
        if page.deltas == 0 {
            return Err(bad_answer("a page of the own feed without a delta"));
        }
        headers.drain(..page.deltas);
        pages.push(page.body);
    }
    Ok(pages)
}
