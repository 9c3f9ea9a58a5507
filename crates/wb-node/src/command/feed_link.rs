//! The private address of a member's feed reader: made anew, and switched off.
//!
//! Its secret is computed from this node's own and kept nowhere, so that settings can show it again and the
//! table names it by its hash only.

use wb_core::hash;
use wb_core::id::{Hash, RecordId};
use wb_core::time::Timestamp;
use wb_store::{Account, AccountState};
use zeroize::Zeroizing;

use crate::error::Result;
use crate::node::{Actor, Node};
use crate::secret;

/// How often at most it is noted that a reader asked: readers ask often, and a write is not free.
const NOTE_EVERY_MS: i64 = 60 * 1_000;

/// Makes the actor's address, or another in the place of the one before, which is worth nothing from here.
///
/// # Errors
/// What the store reports.
pub fn feed_link_renew(node: &Node, actor: &Actor) -> Result<()> {
    let now = node.now();
    node.store.private().together(|private| {
        // Two within one millisecond are two all the same.
        let before = private.feed_link_of(&actor.user)?.map(|row| row.made_at);
        let made_at = before.map_or(now, |before| now.max(before.plus_ms(1)));
        let link = secret::name(&secret_of(node, &actor.user, made_at)?);
        Ok::<_, crate::NodeError>(private.put_feed_link(&actor.user, &link, made_at)?)
    })?;
    node.audit(now, actor, "feed link", &actor.user, "made")
}

/// Switches the actor's address off.
///
/// # Errors
/// What the store reports.
pub fn feed_link_drop(node: &Node, actor: &Actor) -> Result<()> {
    if node.store.private().drop_feed_link(&actor.user)? {
        node.audit(node.now(), actor, "feed link", &actor.user, "switched off")?;
    }
    Ok(())
}

/// Whose reader asks with a secret, noted as asking now. None where the address is over, or its owner is
/// no member any more.
///
/// # Errors
/// What the store reports.
pub fn feed_link_use(node: &Node, link: &Hash) -> Result<Option<Account>> {
    let (private, now) = (node.store.private(), node.now());
    let Some(row) = private.feed_link(link)? else {
        return Ok(None);
    };
    let account = private.account_of(&row.user)?;
    let Some(account) = account.filter(|account| account.state == AccountState::Approved) else {
        return Ok(None);
    };
    let is_due = |used: Timestamp| now.unix_ms() - used.unix_ms() > NOTE_EVERY_MS;
    if row.used_at.is_none_or(is_due) {
        private.note_feed_link(link, now)?;
    }
    Ok(Some(account))
}

/// The secret of the address that a member made at a time.
pub(crate) fn secret_of(
    node: &Node,
    user: &RecordId,
    made_at: Timestamp,
) -> Result<Zeroizing<String>> {
    let own = Zeroizing::new(node.store.private().secret("node")?);
    let made = made_at.unix_ms().to_be_bytes();
    let parts = [b"wb feed link\0", &own[..], &user.as_bytes()[..], &made[..]].concat();
    Ok(Zeroizing::new(
        hash::sha256(&Zeroizing::new(parts)).to_string(),
    ))
}
