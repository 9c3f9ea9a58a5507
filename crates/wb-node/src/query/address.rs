//! How others reach this node, as its card says.

use crate::card;
use crate::error::Result;
use crate::node::Node;

/// The address that invitations carry; none where nobody named one.
///
/// # Errors
/// What the store reports.
pub fn address(node: &Node) -> Result<Option<String>> {
    let cards = card::kept(node)?.into_iter();
    let mut addresses = cards.flat_map(|(_, card)| card.addresses);
    Ok(addresses.next())
}
