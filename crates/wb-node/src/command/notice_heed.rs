//! What this node does with what hubs say: a setting for each hub, and a word about one notice.

use wb_core::id::InstanceId;
use wb_core::notice::{Answer, Heeds};
use wb_core::sync::Role;

use super::peer_pause::must_be_admin;
use crate::error::{NodeError, Result};
use crate::heeding::settle_in;
use crate::node::{Actor, Node};
use crate::query::hub_notices::NoticeView;

/// Sets what is done with the notices of a hub; none: the default.
///
/// # Errors
/// That it is no hub of this instance, or that the actor may not.
pub fn notice_heed(
    node: &Node,
    actor: &Actor,
    hub: InstanceId,
    heeds: Option<Heeds>,
) -> Result<()> {
    must_be_admin(actor, "say what is done with what a hub says")?;
    let is_hub = node
        .store
        .peers()?
        .iter()
        .any(|peer| peer.id == hub && peer.role == Role::Hub);
    if !is_hub {
        return Err(NodeError::unknown("hub", hub.to_string()));
    }
    let write = node.store.write_in_sight()?;
    write.put_heeds(&hub, heeds)?;
    settle_in(node, &write)?;
    write.commit()?;
    let word = heeds.map_or("default", Heeds::as_str);
    node.audit(node.now(), actor, "notice heed", &hub, word)
}

/// Says what one notice does here; none: what is set for its hub.
///
/// # Errors
/// That the actor may not.
pub fn notice_answer(
    node: &Node,
    actor: &Actor,
    notice: &NoticeView,
    answer: Option<Answer>,
) -> Result<()> {
    if !actor.is_steward() {
        return Err(NodeError::Forbidden {
            actor: actor.handle.clone(),
            act: "decide about what a hub says",
            why: "that is for stewards and admins",
        });
    }
    let now = node.now();
    let write = node.store.write_in_sight()?;
    write.put_notice_answer(&notice.hub, &notice.line, answer, now)?;
    settle_in(node, &write)?;
    write.commit()?;
    let word = answer.map_or("as set", Answer::as_str);
    let detail = format!("{word}: {}", notice.sentence);
    node.audit(now, actor, "notice answer", &notice.id, detail)
}
