//! Sealing keys: the own one, and those of others as their cards name them.

use wb_core::id::InstanceId;
use wb_core::kinds::{Body, Card};
use wb_core::limits::ENVELOPE_DAYS;
use wb_core::time::Timestamp;
use wb_store::{AudienceRow, Belongs, Filter, RecordRow, Store};

use super::crypt;
use crate::error::Result;
use crate::levels::may_be_trusted;
use crate::node::Node;

/// Milliseconds that an envelope lasts.
pub(super) const LASTS_MS: i64 = ENVELOPE_DAYS * 24 * 60 * 60 * 1_000;

/// The own public sealing key; made where there is none yet, or only one from before a recovery, because whoever had
/// the folder then has that one too.
pub(crate) fn own_key(store: &Store, now: Timestamp) -> Result<String> {
    let held = store.private().sealing_key()?;
    match held {
        Some((key, era)) if era >= own_era(store)? => {
            forget_old_keys(store, now)?;
            Ok(key)
        }
        _ => new_key(store, now),
    }
}

/// Recoveries of this instance; none while it is being founded.
fn own_era(store: &Store) -> Result<u64> {
    let log = store.identity_log(&store.own_id()?)?;
    Ok(log.map_or(0, |log| log.newest().position.era))
}

/// Destroys the secrets to which nothing is on its way any more.
pub(super) fn forget_old_keys(store: &Store, now: Timestamp) -> Result<()> {
    store
        .private()
        .destroy_sealing_keys(now.plus_ms(-LASTS_MS))?;
    Ok(())
}

/// Puts a fresh key in the place of the own one, and destroys those to which nothing is on its way any more.
pub(crate) fn new_key(store: &Store, now: Timestamp) -> Result<String> {
    let (public, secret) = crypt::fresh_key();
    let era = own_era(store)?;
    store
        .private()
        .put_sealing_key(&public, &secret, era, now)?;
    forget_old_keys(store, now)?;
    Ok(public)
}

/// The card of an instance as it is shown here, with its record; none where it has none, or it is hidden.
fn card_of(store: &Store, id: &InstanceId) -> Result<Option<(RecordRow, Card)>> {
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
            return Ok(Some((row, card)));
        }
    }
    Ok(None)
}

/// A sealing key that a card names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CardKey {
    /// The key, as age writes it.
    pub key: String,
    /// Recoveries that its owner's log has.
    pub era: u64,
    /// Whether its owner recovered since it was written: somebody else may have the secret.
    pub is_old: bool,
}

impl CardKey {
    /// Whether nothing may be sealed to it by somebody who knew another or the same one before.
    pub fn is_in_doubt(&self, known: Option<&AudienceRow>) -> bool {
        self.is_old || known.is_some_and(|row| row.sealing_key == self.key && self.era > row.era)
    }
}

/// The key that the card of an instance names.
pub(crate) fn key_of(store: &Store, id: &InstanceId) -> Result<Option<CardKey>> {
    let (Some(log), Some((row, card))) = (store.identity_log(id)?, card_of(store, id)?) else {
        return Ok(None);
    };
    let Some(key) = card.sealing_key.filter(|key| crypt::is_key(key)) else {
        return Ok(None);
    };
    let era = log.newest().position.era;
    let signed_in = store.era_of_put(id, &row.key.id)?;
    // Of a card that came with a snapshot only the time is known.
    let is_old = match signed_in {
        Some(signed_in) => signed_in < era,
        None => {
            let mut entries = log.entries().iter();
            entries.any(|entry| entry.is_recover() && entry.at > row.at)
        }
    };
    Ok(Some(CardKey { key, era, is_old }))
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
    if !may_be_trusted(node, &row.member)? {
        return Ok((Reachable::NotAccepted, false));
    }
    let Some(card) = key_of(&node.store, &row.member)? else {
        return Ok((Reachable::NoCard, false));
    };
    if card.is_in_doubt(Some(row)) {
        return Ok((Reachable::KeyFromBeforeRecovery, false));
    }
    if card.key == row.sealing_key {
        return Ok((Reachable::Yes, false));
    }
    let CardKey { key, era, .. } = card;
    if row.belongs != Belongs::In {
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
    if changed_keys(node)?.is_empty() || node.store.unwritable().is_some() {
        return Ok(());
    }
    // Looked at once more inside: somebody may have been removed meanwhile.
    let write = node.store.write_in_sight()?;
    for row in changed_keys(node)? {
        write.put_audience(&row)?;
    }
    Ok(write.commit()?)
}

/// Members whose card names another key than the one held.
fn changed_keys(node: &Node) -> Result<Vec<AudienceRow>> {
    let now = node.now();
    let mut changed = Vec::new();
    for mut row in node.store.audience()? {
        if follow_card(node, &mut row, now)?.1 {
            changed.push(row);
        }
    }
    Ok(changed)
}
