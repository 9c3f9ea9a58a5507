//! What the instance of a hub says about a member or a record, sealed into its public feed (spec: notices).
//!
//! Nothing else is sealed by it: what is marked to leave waits until somebody publishes it. What follows at the hub is
//! the hub's, which reads the feed.

use wb_core::id::RecordId;
use wb_core::kinds::{Body, Notice};
use wb_core::notice::Deciding;
use wb_core::scope::Scope;
use wb_store::{Filter, GuardStanding};

use super::init::local;
use super::publish::publish_notices;
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};

/// Seals a notice. Its number is above every one of this instance's, and above `highest`, the highest that the hub's
/// own file knows: that may have seen what an older copy of this folder does not have.
///
/// # Errors
/// That the words are none a notice may have, that the actor may not, or that nothing can be sealed; then nothing was
/// changed.
pub fn notice_say(
    node: &mut Node,
    actor: &Actor,
    deciding: &Deciding,
    highest: u64,
) -> Result<RecordId> {
    if !actor.is_steward() {
        return Err(NodeError::Forbidden {
            actor: actor.handle.clone(),
            act: "moderate a hub",
            why: "that is for stewards and admins of its own instance",
        });
    }
    // Before anything is written: what cannot be sealed must not wait and be said later.
    if node.store.guard() == GuardStanding::Suspect {
        return Err(NodeError::Suspect);
    }
    node.signer()?;
    let now = node.now();
    let n = highest.max(highest_own(node)?) + 1;
    let body = Body::Notice(deciding.notice(n, now));
    let own = node.own_id();
    body.check(own).map_err(NodeError::text("notice"))?;
    let id = entropy::record_id(now);
    let write = node.store.write_in_sight()?;
    write.put_local(&local(id, &body, None, Scope::Public, own, now))?;
    write.commit()?;
    publish_notices(node, actor)?;
    let act = format!("hub {}", deciding.act.as_str());
    node.audit(now, actor, &act, &deciding.target(), deciding.detail())?;
    Ok(id)
}

fn highest_own(node: &Node) -> Result<u64> {
    let numbers = own_notices(node)?.into_iter().map(|notice| notice.n);
    Ok(numbers.max().unwrap_or(0))
}

/// The notices of this instance, sealed or not.
fn own_notices(node: &Node) -> Result<Vec<Notice>> {
    let filter = Filter {
        kind: Some("notice".parse().expect("a kind")),
        origin: Some(node.own_id()),
        hidden_too: true,
        ..Filter::default()
    };
    let rows = node.store.records(&filter)?.into_iter();
    let bodies = rows.filter_map(|row| {
        let body = Body::read(&row.kind, 1, row.key.origin, row.body.as_deref()?).ok()?;
        match body {
            Body::Notice(notice) => Some(notice),
            _ => None,
        }
    });
    Ok(bodies.collect())
}

/// Whether this instance ever said anything as a hub.
///
/// # Errors
/// What the store reports.
pub fn has_notices(node: &Node) -> Result<bool> {
    Ok(!own_notices(node)?.is_empty())
}

/// The body of the own card, as a hub keeps it of a member.
///
/// # Errors
/// What the store reports.
pub fn card_body(node: &Node) -> Result<String> {
    let kept = crate::card::kept(node)?;
    let card = kept.into_iter().next().map(|(record, _)| record.body);
    Ok(card.unwrap_or_else(|| {
        let fresh = crate::card::fresh(node.name(), None);
        serde_json::to_string(&Body::Card(fresh)).expect("a body serialises")
    }))
}
