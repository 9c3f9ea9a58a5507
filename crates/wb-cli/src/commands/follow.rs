//! `wb follow` and `wb unfollow`

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use wb_core::id::InstanceId;
use wb_node::command::follow::{self, Target, find_peer, read_target};
use wb_node::command::sync;
use wb_node::{Node, NodeError};
use wb_store::Peer;

use super::registration::NAME_CHARS;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, clean, short};

/// Whom to follow, and where
#[derive(Debug, Args)]
pub struct Follow {
    /// The instance: its id, enough of it, or its name; or HUB/* for everybody a hub lists
    #[arg(value_name = "INSTANCE|HUB/*")]
    target: String,
    /// At this hub only
    #[arg(long)]
    hub: Option<String>,
}

#[derive(Serialize)]
struct FollowView {
    schema_version: u32,
    follows: bool,
    instance: Option<InstanceId>,
    hubs: Vec<HubView>,
}

#[derive(Serialize)]
struct HubView {
    id: InstanceId,
    name: String,
}

/// Follows from the next sync on.
pub fn follow(context: &Context, args: &Follow) -> Result<()> {
    let (mut node, actor) = context.acting()?;
    let (hub, target) = read(&node, args)?;
    // A sync that runs writes its peer when it ends, with the list it began with.
    let _lock = sync::lock(&node)?;
    let changed = follow::follow(&mut node, &actor, hub, &target)?;
    if context.json() {
        return output::json(&view(true, &target, &changed));
    }
    let hubs = names(&changed);
    match target {
        Target::All => {
            output::line(format!(
                "Everybody {hubs} lists is followed from the next `wb sync` on."
            ))?;
            context.say(
                "Whoever comes is held and counted, and shown once you follow them by name: `wb status` lists \
                 who waits.",
            );
        }
        Target::Instance(id) => {
            let who = name_of(&node, &id)?;
            output::line(format!(
                "{who} is followed at {hubs} from the next `wb sync` on."
            ))?;
            context.say("What is held of it already is shown from now on.");
        }
    }
    Ok(())
}

/// Follows no longer, from the next sync on.
pub fn unfollow(context: &Context, args: &Follow) -> Result<()> {
    let (mut node, actor) = context.acting()?;
    let (hub, target) = read(&node, args)?;
    let _lock = sync::lock(&node)?;
    let unfollowed = follow::unfollow(&mut node, &actor, hub, &target)?;
    let changed = unfollowed.hubs;
    if context.json() {
        return output::json(&view(false, &target, &changed));
    }
    let hubs = names(&changed);
    match target {
        Target::All => output::line(format!(
            "From the next `wb sync` on, only who is named is followed at {hubs}."
        ))?,
        Target::Instance(id) => output::line(format!(
            "{} is followed at {hubs} no longer, from the next `wb sync` on.",
            name_of(&node, &id)?
        ))?,
    }
    if unfollowed.emptied > 0 {
        context.say(format!(
            "{} of it went from here: nobody would tell this node any more when something is taken back. Following \
             again brings them back.",
            crate::output::count(unfollowed.emptied, "record", "records")
        ));
    }
    Ok(())
}

fn read(node: &Node, args: &Follow) -> Result<(Option<Peer>, Target)> {
    let (in_target, target) = read_target(node, &args.target)?;
    let named = args.hub.as_deref().map(|hub| find_peer(node, hub));
    let hub = match (in_target, named.transpose()?) {
        (Some(one), Some(other)) if one.id != other.id => {
            return Err(Failure::usage(
                format!("`{}` and --hub name two hubs", args.target),
                "nothing was changed; name one of them",
            )
            .into());
        }
        (one, other) => one.or(other),
    };
    Ok((hub, target))
}

fn view(follows: bool, target: &Target, changed: &[Peer]) -> FollowView {
    FollowView {
        schema_version: 1,
        follows,
        instance: match target {
            Target::All => None,
            Target::Instance(id) => Some(*id),
        },
        hubs: changed
            .iter()
            .map(|peer| HubView {
                id: peer.id,
                name: peer.name.clone(),
            })
            .collect(),
    }
}

fn names(peers: &[Peer]) -> String {
    let names = peers
        .iter()
        .map(|peer| clean(&short(&peer.name, NAME_CHARS)));
    names.collect::<Vec<_>>().join(", ")
}

fn name_of(node: &Node, id: &InstanceId) -> Result<String> {
    let known = node.store().instances().map_err(NodeError::from)?;
    let instance = known.into_iter().find(|instance| instance.id == *id);
    let name = instance.map_or_else(|| id.short(), |instance| instance.label());
    Ok(clean(&short(&name, NAME_CHARS)))
}
