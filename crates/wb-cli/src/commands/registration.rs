//! The first steps of `wb hub register` and `wb join`: who answers, whether that is wanted, and what the
//! hub says to it.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use wb_core::id::InstanceId;
use wb_core::sync::{PeerCause, Policy, Standing};
use wb_node::command::hub_register::{Found, find_hub, hub_register, split_link};
use wb_node::command::sync;
use wb_node::error::of_peer;
use wb_node::query::peers::peer_state;
use wb_node::{Actor, ErrorKind, Node, NodeError};
use wb_store::Peer;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, clean, heading, short};
use crate::runtime::wait_for;

/// Characters of a name that are shown: a name is whatever its owner wrote.
pub const NAME_CHARS: usize = 60;

/// A hub to register at.
#[derive(Debug, Args)]
pub struct Where {
    /// The hub's address, or a link to it: the address, `#` and its id
    #[arg(value_name = "URL[#ID]")]
    url: String,
    /// The id that has to answer there; then nothing is asked
    #[arg(long)]
    id: Option<InstanceId>,
    /// Stay out of the hub's directory: only who knows this instance's id can follow it
    #[arg(long)]
    unlisted: bool,
    /// The address may be one of your own network
    #[arg(long)]
    lan: bool,
}

#[derive(Serialize)]
struct RegisterView {
    schema_version: u32,
    hub: InstanceId,
    name: String,
    address: String,
    registered: bool,
    listed: bool,
    policy: Option<Policy>,
    standing: Option<&'static str>,
    reason: Option<String>,
    sentence: String,
    action: &'static str,
}

/// Finds the hub, shows who it is, asks, and registers. `None` when nobody agreed.
pub fn register(
    context: &Context,
    node: &mut Node,
    actor: &Actor,
    at: &Where,
) -> Result<Option<Peer>> {
    let (address, linked) = split_link(&at.url)?;
    let expected = match (at.id, linked) {
        (Some(id), Some(linked)) if id != linked => {
            return Err(Failure::usage(
                format!("--id is {id}, and the link names {linked}"),
                "nothing was sent; give the one that the operator of the hub told you",
            )
            .into());
        }
        (id, linked) => id.or(linked),
    };
    let found = wait_for(find_hub(address, at.lan, expected))??;
    if !context.json() {
        show(context, &found)?;
    }
    if expected.is_none() && !is_known(node, &found)? && !agreed(context, &found)? {
        if context.json() {
            output::json(&found_view(&found, at))?;
        } else {
            context.say(
                "Not registered; nothing was sent. `--id` with the id above agrees, or `--yes`.",
            );
        }
        return Ok(None);
    }
    let _lock = sync::lock(node)?;
    Ok(Some(wait_for(hub_register(
        node,
        actor,
        &found,
        !at.unlisted,
    ))??))
}

/// Who was agreed to once, at this address, is not asked about again.
fn is_known(node: &Node, found: &Found) -> Result<bool> {
    let peer = node.store().peer(&found.identified.says.id);
    let peer = peer.map_err(NodeError::from)?;
    Ok(peer.is_some_and(|peer| peer.address == found.address))
}

fn agreed(context: &Context, found: &Found) -> Result<bool> {
    if context.json() {
        return Ok(context.yes());
    }
    let says = &found.identified.says;
    let name = clean(&short(&says.name, NAME_CHARS));
    let id = says.id.short();
    context.confirm(&format!(
        "Register at {name} ({id}…)? It will know this instance's name and card."
    ))
}

fn show(context: &Context, found: &Found) -> Result<()> {
    let says = &found.identified.says;
    let name = clean(&short(&says.name, NAME_CHARS));
    output::line(format!("{}  {}", heading(context, &name), says.id))?;
    output::line(format!("address  {}", clean(&found.address)))?;
    let policy = match says.policy {
        Some(Policy::Open) => "open: whoever registers is a member at once",
        Some(Policy::Approval) => "its operator approves each member by hand",
        None => "it does not say whom it takes",
    };
    output::line(format!("policy   {policy}"))
}

fn found_view(found: &Found, at: &Where) -> RegisterView {
    let says = &found.identified.says;
    RegisterView {
        schema_version: 1,
        hub: says.id,
        name: says.name.clone(),
        address: found.address.clone(),
        registered: false,
        listed: !at.unlisted,
        policy: says.policy,
        standing: None,
        reason: None,
        sentence: "nobody agreed to register".to_owned(),
        action: "give --id with the id of the hub, or --yes",
    }
}

/// Tells what the hub said to the registration.
pub fn tell(context: &Context, node: &Node, peer: &Peer, at: &Where) -> Result<()> {
    let state = peer_state(node, peer)?;
    let told = peer.registered.as_ref();
    if context.json() {
        return output::json(&RegisterView {
            schema_version: 1,
            hub: peer.id,
            name: state.name,
            address: peer.address.clone(),
            registered: true,
            listed: !at.unlisted,
            policy: None,
            standing: told.map(|told| told.standing.as_str()),
            reason: told.and_then(|told| told.reason.clone()),
            sentence: state.sentence,
            action: state.action,
        });
    }
    let name = clean(&short(&state.name, NAME_CHARS));
    if is_member(peer) {
        return output::line(format!(
            "Registered at {name}: it knows this instance's name and card."
        ));
    }
    let reason = told.and_then(|told| told.reason.as_deref());
    let reason = reason.map(|reason| format!(": {}", clean(reason)));
    output::line(format!(
        "{}{}. It knows this instance's name and card, nothing else left.",
        clean(&state.sentence),
        reason.unwrap_or_default()
    ))?;
    context.say(format!("Next: {}.", state.action));
    Ok(())
}

/// Whether the hub took this instance as a member.
pub fn is_member(peer: &Peer) -> bool {
    let told = peer.registered.as_ref();
    told.is_some_and(|told| told.standing == Standing::Member)
}

/// How a registration ends.
pub fn exit_code(peer: &Peer) -> ExitCode {
    let told = peer.registered.as_ref().map(|told| told.standing);
    ExitCode::from(match told {
        Some(Standing::Member) => 0,
        Some(Standing::Suspended) => of_peer(PeerCause::Suspended).exit_code(),
        Some(Standing::Waiting) | None => ErrorKind::Pending.exit_code(),
    })
}

/// How it ends where nobody agreed.
pub fn not_agreed() -> ExitCode {
    ExitCode::from(ErrorKind::Pending.exit_code())
}
