//! `wb peer trust` and `wb peer untrust`: who may read what is shared with trusted peers only.
//!
//! One audience for the whole instance, chosen by hand and never by anybody's word. Adding somebody shows what was
//! shared before, so it says how much; removing somebody takes everything back from there, and what is sealed later
//! cannot be opened there.

use wb_core::id::InstanceId;
use wb_core::leave::Stays;
use wb_core::limits::ENVELOPE_RECIPIENTS_MAX;
use wb_core::scope::FeedScope;
use wb_core::time::Timestamp;
use wb_store::{AudienceRow, Belongs, NewLog, Standing};

use super::peer_pause::must_be_admin;
use super::publish::withdraw_sealed;
use crate::error::{NodeError, Result};
use crate::levels::may_be_trusted;
use crate::node::{Actor, Node};
use crate::plan::Reaches;
use crate::sealed::PART;
use crate::sealed::keys::{CardKey, key_of};

/// Why the next sealing opens a new log of the trusted feed.
const WHY_NEW_LOG: &str = "an instance was removed from the trusted audience";

/// What adding somebody would show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shows {
    /// The instance.
    pub id: InstanceId,
    /// Its name, where it is known.
    pub name: Option<String>,
    /// Records shared with trusted peers so far, that become visible there.
    pub records: u64,
    /// Records from before the from-date, of which only the number and the dates of changes are seen.
    pub before: u64,
    /// Whether it is in the audience already, and its key or its from-date changes.
    pub is_in: bool,
    /// Whether its sealing key changed and waits to be confirmed.
    pub rekeyed: bool,
    /// The sealing key that its card names now.
    pub key: String,
}

/// Says what adding an instance would show, and whether it can be added.
///
/// # Errors
/// That it is this instance, not accepted here, or its card with a sealing key is not here.
pub fn would_show(node: &Node, id: InstanceId, since: Option<Timestamp>) -> Result<Shows> {
    if id == node.own_id() {
        return Err(NodeError::Refused(
            "this instance reads everything of its own already; nothing was changed".to_owned(),
        ));
    }
    if node.store.standing(&id)? == Some(Standing::Vouched) && !may_be_trusted(node, &id)? {
        return Err(NodeError::Refused(format!(
            "{} is shown here because others vouch for it, and not as a steward, so nothing is sealed to it; nothing was \
             changed. `wb review accept {}` approves it by hand first",
            id.short(),
            id.short()
        )));
    }
    if !may_be_trusted(node, &id)? {
        return Err(NodeError::Refused(format!(
            "{} is not accepted here, so nothing is sealed to it; nothing was changed. `wb follow {}` at a hub, or \
             accepting it as a peer, comes first",
            id.short(),
            id.short()
        )));
    }
    let Some(card) = key_of(&node.store, &id)? else {
        return Err(NodeError::Refused(format!(
            "the card of {} with its sealing key is not here, so nothing can be sealed to it; nothing was changed. \
             Sync first; if it stays so, that instance has to upgrade and publish its card",
            id.short()
        )));
    };
    let row = node.store.in_audience(&id)?;
    if card.is_in_doubt(row.as_ref()) {
        return Err(NodeError::Refused(format!(
            "{} recovered its key, and its card still names the sealing key from before: somebody else may have that \
             one; nothing was changed. Sync once it has published its card anew",
            id.short()
        )));
    }
    let row = row.filter(|row| row.belongs == Belongs::In);
    let known = node.store.instances()?.into_iter();
    let mut named = known.filter(|instance| instance.id == id);
    let (records, before) = count_trusted(node, since)?;
    Ok(Shows {
        id,
        name: named.next().and_then(|instance| instance.name),
        records,
        before,
        is_in: row.is_some(),
        rekeyed: row.is_some_and(|row| row.rekeyed_at.is_some() || row.sealing_key != card.key),
        key: card.key,
    })
}

/// The from-date that was chosen for an instance before; it stays unless another is chosen.
///
/// # Errors
/// What the store reports.
pub fn chosen_since(node: &Node, id: InstanceId) -> Result<Option<Timestamp>> {
    Ok(node.store.in_audience(&id)?.and_then(|row| row.since))
}

/// Records that go to the trusted audience, once there is one: those after a from-date, and those before it.
fn count_trusted(node: &Node, since: Option<Timestamp>) -> Result<(u64, u64)> {
    let reaches = Reaches::new(node, node.now())?;
    let (mut after, mut before) = (0, 0);
    node.store.each_local(|record| -> Result<()> {
        let goes = reaches.of(&record)?;
        if matches!(goes, Ok(FeedScope::TrustedPeers) | Err(Stays::NoAudience)) {
            let is_shown = since.is_none_or(|since| record.at >= since);
            *(if is_shown { &mut after } else { &mut before }) += 1;
        }
        Ok(())
    })?;
    Ok((after, before))
}

/// Adds an instance to the trusted audience, or confirms the key that somebody was asked about, where it still has
/// that one; with a from-date, nothing of records before it is given from then on.
///
/// # Errors
/// As [`would_show`]; that the actor may not, or that the audience is full.
pub fn peer_trust(
    node: &mut Node,
    actor: &Actor,
    id: InstanceId,
    since: Option<Timestamp>,
    asked: &str,
) -> Result<Shows> {
    must_be_admin(actor, "choose who is trusted")?;
    let write = node.store.write_in_sight()?;
    // All of it is looked at inside: what was decided while this waited counts.
    let shows = would_show(node, id, since)?;
    let now = node.now();
    let card = key_of(&node.store, &id)?.filter(|card| card.key == asked);
    let Some(CardKey { key, era, .. }) = card else {
        return Err(NodeError::Refused(
            "its sealing key is another than a moment ago; nothing was changed. Run it again to look at that one"
                .to_owned(),
        ));
    };
    let mut audience = node.store.audience()?;
    let held = audience.iter().find(|row| row.member == id).cloned();
    audience.retain(|row| row.belongs == Belongs::In && row.member != id);
    if audience.len() >= ENVELOPE_RECIPIENTS_MAX {
        return Err(NodeError::Refused(format!(
            "the trusted audience has {ENVELOPE_RECIPIENTS_MAX} instances, and no envelope is sealed to more; nothing was changed"
        )));
    }
    if held
        .as_ref()
        .is_some_and(|row| row.belongs == Belongs::Leaving)
    {
        return Err(NodeError::Refused(
            "it was removed, and that is not sealed yet; nothing was changed. `wb publish` or `wb sync` does that \
             first"
                .to_owned(),
        ));
    }
    // What asks it to erase is not for it any more.
    write.outdone_for(&id, PART)?;
    let row = match held {
        // What it was not given before is given now: from the beginning, as lines that were stubs are filled.
        Some(row) => AudienceRow {
            belongs: Belongs::In,
            parting: None,
            since,
            sealing_key: key,
            era,
            rekeyed_at: None,
            whole: true,
            ..row
        },
        None => AudienceRow {
            member: id,
            belongs: Belongs::In,
            since,
            added_at: now,
            sealing_key: key,
            era,
            rekeyed_at: None,
            whole: true,
            held: None,
            held_at: None,
            given: None,
            given_at: None,
            had: false,
            parting: None,
        },
    };
    write.put_audience(&row)?;
    write.commit()?;
    let from = since.map_or_else(|| "the beginning".to_owned(), |since| since.to_string());
    node.audit(now, actor, "peer trust", &id, format!("from {from}"))?;
    Ok(shows)
}

/// What removing somebody did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untrusted {
    /// The instance.
    pub id: InstanceId,
    /// Whether something was sealed to it, so that it is asked to erase that.
    pub asks: bool,
}

/// Removes an instance from the trusted audience. With the next sealing the feed goes on in a new log, of which it
/// gets nothing but the empty beginning.
///
/// # Errors
/// That it is not in the audience, or that the actor may not.
pub fn peer_untrust(node: &mut Node, actor: &Actor, id: InstanceId) -> Result<Untrusted> {
    must_be_admin(actor, "choose who is trusted")?;
    untrust(node, actor, id)
}

/// The same for whoever refuses it, which a steward may: who is refused reads nothing.
pub(super) fn untrust(node: &mut Node, actor: &Actor, id: InstanceId) -> Result<Untrusted> {
    let now = node.now();
    let write = node.store.write_in_sight()?;
    // Both are read inside: what another process changed meanwhile counts.
    let row = node.store.in_audience(&id)?;
    let Some(row) = row.filter(|row| matches!(row.belongs, Belongs::In | Belongs::Unsure)) else {
        return Err(NodeError::Refused(format!(
            "{} is not in the trusted audience; nothing was changed. `wb peer trust` lists who is",
            id.short()
        )));
    };
    let asks = row.had;
    let audience = node.store.audience()?;
    // What waits and names it is thrown away, and sealed anew for the others.
    let others = write.drop_envelopes_for(&id)?;
    for other in audience
        .into_iter()
        .filter(|row| others.contains(&row.member))
    {
        write.put_audience(&AudienceRow {
            given: other.held.clone(),
            ..other
        })?;
    }
    if asks {
        write.put_audience(&AudienceRow {
            belongs: Belongs::Leaving,
            ..row
        })?;
        write.due_new_log(FeedScope::TrustedPeers, NewLog::Afresh, WHY_NEW_LOG, now)?;
    } else {
        write.drop_audience(&id)?;
    }
    write.commit()?;
    withdraw_sealed(node, Some(id))?;
    node.audit(now, actor, "peer untrust", &id, "")?;
    Ok(Untrusted { id, asks })
}
