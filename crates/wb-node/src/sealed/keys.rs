//! Sealing keys: the own one, and those of others as their cards name them.

use wb_core::id::InstanceId;
use wb_core::kinds::{Body, Card};
use wb_core::limits::ENVELOPE_DAYS;
use wb_core::time::Timestamp;
use wb_store::{AudienceRow, Belongs, Filter, Standing, Store};

use super::crypt;
use crate::error::Result;
use crate::node::Node;

/// Milliseconds that an envelope lasts.
pub(super) const LASTS_MS: i64 = ENVELOPE_DAYS * 24 * 60 * 60 * 1_000;

/// The own public sealing key; made where there is none yet.
pub(crate) fn own_key(store: &Store, now: Timestamp) -> Result<String> {
    let private = store.private();
    match private.sealing_key()? {
        Some(key) => {
            private.destroy_sealing_keys(now.plus_ms(-LASTS_MS))?;
            Ok(key)
        }
        None => new_key(store, now),
    }
}

/// Puts a fresh key in the place of the own one, and destroys those to which nothing is on its way any more.
pub(crate) fn new_key(store: &Store, now: Timestamp) -> Result<String> {
    let (public, secret) = crypt::fresh_key();
    store.private().put_sealing_key(&public, &secret, now)?;
    store
        .private()
        .destroy_sealing_keys(now.plus_ms(-LASTS_MS))?;
    Ok(public)
}

/// The card of an instance as it is shown here; none where it has none, or it is hidden.
pub(crate) fn card_of(store: &Store, id: &InstanceId) -> Result<Option<Card>> {
    let filter = Filter {
        kind: Some("card".parse().expect("a kind")),
        origin: Some(*id),
        ..Filter::default()
    };
    let mut rows = store.records(&filter)?;
    rows.sort_by_key(|row| std::cmp::Reverse(row.at));
    for row in rows {
        let body = row.body.as_deref().unwrap_or_default();
        if let Ok(Body::Card(card)) = Body::read(&row.kind, 1, *id, body) {
            return Ok(Some(card));
        }
    }
    Ok(None)
}

/// The key that an instance can be sealed to now, with the recoveries its log has.
pub(crate) fn key_of(store: &Store, id: &InstanceId) -> Result<Option<(String, u64)>> {
    let Some(log) = store.identity_log(id)? else {
        return Ok(None);
    };
    let key = card_of(store, id)?.and_then(|card| card.sealing_key);
    let key = key.filter(|key| crypt::is_key(key));
    Ok(key.map(|key| (key, log.newest().position.era)))
}

/// How a member can be sealed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reachable {
    /// With the key held.
    Yes,
    /// It recovered its key, and no card with another sealing key came: somebody else may have the old one.
    KeyFromBeforeRecovery,
    /// Its card is not here, or names no sealing key.
    NoCard,
    /// It is not accepted here, or refused.
    NotAccepted,
}

/// Brings the key held of a member to that of its card. A changed one gets nothing of what was before, until
/// somebody here confirms it. Returns how it can be sealed to, and whether the row changed.
pub(crate) fn follow_card(
    node: &Node,
    row: &mut AudienceRow,
    now: Timestamp,
) -> Result<(Reachable, bool)> {
    if node.store.standing(&row.member)? != Some(Standing::Approved) {
        return Ok((Reachable::NotAccepted, false));
    }
    let Some((key, era)) = key_of(&node.store, &row.member)? else {
        return Ok((Reachable::NoCard, false));
    };
    if key == row.sealing_key {
        let reachable = if era > row.era {
            Reachable::KeyFromBeforeRecovery
        } else {
            Reachable::Yes
        };
        return Ok((reachable, false));
    }
    if row.belongs == Belongs::Leaving {
        // It is told that it may keep nothing, with whichever key it has.
        (row.sealing_key, row.era) = (key, era);
        return Ok((Reachable::Yes, true));
    }
    (row.sealing_key, row.era, row.rekeyed_at) = (key, era, Some(now));
    Ok((Reachable::Yes, true))
}

/// Notes which keys changed, as soon as the cards that say so are here: what is written from then on may go to them.
///
/// # Errors
/// What the store reports.
pub(crate) fn note_keys(node: &Node) -> Result<()> {
    let now = node.now();
    let mut changed = Vec::new();
    for mut row in node.store.audience()? {
        if follow_card(node, &mut row, now)?.1 {
            changed.push(row);
        }
    }
    if changed.is_empty() || node.store.unwritable().is_some() {
        return Ok(());
    }
    let write = node.store.write_in_sight()?;
    for row in &changed {
        write.put_audience(row)?;
    }
    Ok(write.commit()?)
}
