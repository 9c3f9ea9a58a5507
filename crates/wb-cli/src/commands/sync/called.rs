//! `wb sync` where nodes call this one and are not called.

use anyhow::Result;
use wb_core::id::InstanceId;
use wb_node::command::publish_for_callers::publish_for_callers;
use wb_node::command::sync::SyncInput;
use wb_node::plan::plan;
use wb_node::{Actor, Node, NodeError};

use super::name;
use crate::context::Context;
use crate::output::count;

/// Nobody calls the nodes that call this one, so what they come for is sealed here.
pub fn seal(
    context: &Context,
    node: &mut Node,
    actor: &Actor,
    callers: &[InstanceId],
    input: SyncInput,
) -> Result<()> {
    let mut names = Vec::new();
    for id in callers {
        let peer = node.store().peer(id).map_err(NodeError::from)?;
        names.extend(peer.map(|peer| name(&peer)));
    }
    let (names, calls) = (
        names.join(", "),
        if callers.len() == 1 { "calls" } else { "call" },
    );
    if !input.push {
        context.say(format!(
            "{names} {calls} this node; nothing is taken from here."
        ));
        return Ok(());
    }
    let plan = plan(node, wb_node::entropy::now())?;
    if input.dry_run {
        context.say(format!(
            "{names} {calls} this node, and would find {} more with the next call.",
            count(plan.puts.len() as u64, "record", "records")
        ));
        return Ok(());
    }
    let sealed = publish_for_callers(node, actor, callers)?;
    context.say(format!(
        "{names} {calls} this node: {}",
        match sealed.deltas {
            0 => "nothing new to seal for the next call.".to_owned(),
            _ => format!(
                "sealed {} and took back {}, for the next call.",
                count(sealed.puts, "record", "records"),
                sealed.retracts
            ),
        }
    ));
    Ok(())
}
