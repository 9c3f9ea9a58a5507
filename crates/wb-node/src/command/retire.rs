//! `wb retire`: closes a whole instance.
//!
//! It is announced first, with a date. Until then it can be undone, and members take their data along. With the first
//! publish from that date on the card says it, everything else that was shared is taken back, and nothing leaves ever
//! again. What is here stays here, to read and to export.

use wb_core::time::Timestamp;

use super::peer_pause::must_be_admin;
use crate::card;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::sealed::keys::own_key;

/// Days between announcing and closing, unless another number is said: time to take data along.
pub const RETIRE_DAYS: u32 = 7;
/// The most that can be said.
pub const RETIRE_DAYS_MAX: u32 = 365;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Where closing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retirement {
    /// It is open.
    Open,
    /// It closes with the first publish from a date on.
    Announced(Timestamp),
    /// It is closed since then: nothing leaves any more.
    Retired(Timestamp),
}

/// Where closing stands.
///
/// # Errors
/// What the store reports.
pub fn retirement(node: &Node) -> Result<Retirement> {
    let cards = card::kept(node)?;
    if let Some(at) = cards.iter().find_map(|(_, card)| card.retired_at) {
        return Ok(Retirement::Retired(at));
    }
    Ok(match node.store.retires_at()? {
        Some(at) => Retirement::Announced(at),
        None => Retirement::Open,
    })
}

/// Announces it.
///
/// # Errors
/// That the actor is no admin, or that it is closed already.
pub fn retire(node: &Node, actor: &Actor, days: u32) -> Result<Timestamp> {
    must_be_admin(actor, "close this instance")?;
    check_open(node)?;
    let now = node.now();
    let days = days.min(RETIRE_DAYS_MAX);
    let at = now.plus_ms(i64::from(days) * DAY_MS);
    let write = node.store.write_in_sight()?;
    write.put_retires_at(Some(at))?;
    write.commit()?;
    node.audit(now, actor, "retire", &node.own_id(), format!("closes {at}"))?;
    Ok(at)
}

/// Takes the announcement back.
///
/// # Errors
/// That the actor is no admin, that nothing is announced, or that it is closed: others were told, and erased what they
/// had.
pub fn retire_undo(node: &Node, actor: &Actor) -> Result<()> {
    must_be_admin(actor, "close this instance")?;
    check_open(node)?;
    if retirement(node)? == Retirement::Open {
        return Err(NodeError::Refused(
            "this instance is not about to close; nothing was changed".to_owned(),
        ));
    }
    let write = node.store.write_in_sight()?;
    write.put_retires_at(None)?;
    write.commit()?;
    node.audit(node.now(), actor, "retire undo", &node.own_id(), "")
}

/// Refuses what would have records leave once it is closed.
///
/// # Errors
/// That it is closed.
pub(crate) fn check_open(node: &Node) -> Result<()> {
    match retirement(node)? {
        Retirement::Retired(at) => Err(NodeError::Refused(format!(
            "this instance was closed on {at}: nothing leaves it any more, and that cannot be undone, because others \
             were told. What is here can be read and exported; to go on, found another instance"
        ))),
        Retirement::Open | Retirement::Announced(_) => Ok(()),
    }
}

/// Writes it on the card once its date has come; called before everything that is published.
pub(crate) fn close_when_due(node: &Node, now: Timestamp) -> Result<()> {
    let Retirement::Announced(at) = retirement(node)? else {
        return Ok(());
    };
    if at > now {
        return Ok(());
    }
    let write = node.store.write_in_sight()?;
    let mut cards = card::kept(node)?;
    if cards.is_empty() {
        // Whoever follows must be told.
        let key = own_key(&node.store, now)?;
        let fresh = card::fresh(node.name(), Some(key.clone()));
        cards.push((card::record(node.name(), node.own_id(), key, now), fresh));
    }
    for (mut record, mut card) in cards {
        card.retired_at = Some(now);
        record.body = serde_json::to_string(&card).expect("a body has string keys and serialises");
        record.at = now;
        record.edit += 1;
        write.put_local(&record)?;
    }
    Ok(write.commit()?)
}
