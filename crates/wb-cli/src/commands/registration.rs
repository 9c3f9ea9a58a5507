//! The first steps of `wb hub register` and `wb join`: who answers, whether that is wanted, and what the
//! hub says to it.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use wb_core::id::InstanceId;
use wb_core::sync::{PeerCause, Policy, Standing, Visibility};
use wb_node::command::hub_register::{Asking, Found, find_hub, hub_register, split_link};
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
    /// To whom the hub shows this instance: public (everybody; the default), members (of the hub, and on no page) or unlisted
    /// (who knows its id). Registering again without it changes nothing
    #[arg(long, value_parser = visibility, value_name = "WHO")]
    visibility: Option<Visibility>,
    /// Stay out of the hub's directory: the same as --visibility unlisted
    #[arg(long, conflicts_with = "visibility")]
    unlisted: bool,
    /// The code of an invitation that the hub's operator gave you
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// The address may be one of your own network
    #[arg(long)]
    lan: bool,
}

/// Reads a word of `--visibility`.
pub fn visibility(text: &str) -> Result<Visibility, &'static str> {
    text.parse()
        .map_err(|()| "`public`, `members` or `unlisted` is needed")
}

impl Where {
    fn asking(&self) -> Asking {
        let unlisted = self.unlisted.then_some(Visibility::Unlisted);
        Asking {
            visibility: unlisted.or(self.visibility),
            code: self.code.clone(),
        }
    }
}

#[derive(Serialize)]
struct RegisterView {
    schema_version: u32,
    hub: InstanceId,
    name: String,
    address: String,
    registered: bool,
    listed: bool,
    visibility: Visibility,
    shown: Option<Visibility>,
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
            output::json(&found_view(node, &found, at)?)?;
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
        &at.asking(),
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
    let policy = match says.takes() {
        Some(Policy::Open) => "open: whoever registers is a member at once",
        Some(Policy::Approval) => "its operator approves each member by hand",
        Some(Policy::Invite) => "whoever brings the code of an invitation, with --code",
        None => "it does not say whom it takes",
    };
    output::line(format!("policy   {policy}"))
}

fn found_view(node: &Node, found: &Found, at: &Where) -> Result<RegisterView> {
    let says = &found.identified.says;
    let noted = node.store().asked_visibility(&says.id);
    let noted = noted.map_err(NodeError::from)?;
    let asked = at.asking().visibility.or(noted);
    let visibility = asked.unwrap_or(Visibility::Public);
    Ok(RegisterView {
        schema_version: 1,
        hub: says.id,
        name: says.name.clone(),
        address: found.address.clone(),
        registered: false,
        listed: visibility == Visibility::Public,
        visibility,
        shown: None,
        policy: says.takes(),
        standing: None,
        reason: None,
        sentence: "nobody agreed to register".to_owned(),
        action: "give --id with the id of the hub, or --yes",
    })
}

/// Tells what the hub said to the registration.
pub fn tell(context: &Context, node: &Node, peer: &Peer) -> Result<()> {
    let state = peer_state(node, peer)?;
    let told = peer.registered.as_ref();
    let asked = node.store().asked_visibility(&peer.id);
    let visibility = asked
        .map_err(NodeError::from)?
        .unwrap_or(Visibility::Public);
    let shown = told.and_then(|told| told.visibility);
    if context.json() {
        return output::json(&RegisterView {
            schema_version: 1,
            hub: peer.id,
            name: state.name,
            address: peer.address.clone(),
            registered: true,
            listed: visibility == Visibility::Public,
            visibility,
            shown,
            policy: None,
            standing: told.map(|told| told.standing.as_str()),
            reason: told.and_then(|told| told.reason.clone()),
            sentence: state.sentence,
            action: state.action,
        });
    }
    let name = clean(&short(&state.name, NAME_CHARS));
    if is_member(peer) {
        output::line(format!(
            "Registered at {name}: it knows this instance's name and card."
        ))?;
        return tell_shown(context, &name, visibility, shown);
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

/// Says to whom the hub shows this instance, where that is not everybody.
fn tell_shown(
    context: &Context,
    name: &str,
    asked: Visibility,
    shown: Option<Visibility>,
) -> Result<()> {
    match (asked, shown) {
        (Visibility::Members, None) => context.say(format!(
            "{name} is of a version that knows nothing of members alone: it shows this instance to nobody but who knows its id."
        )),
        (asked, Some(shown)) if shown < asked => context.say(format!(
            "{name} shows it no further than this: {}. `wb notice about` asks why.",
            to_whom(shown)
        )),
        (Visibility::Public, _) => {}
        (asked, _) => output::line(format!("It shows it to {}.", to_whom(asked)))?,
    }
    Ok(())
}

/// A visibility in words.
fn to_whom(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Public => "everybody",
        Visibility::Members => "members of the hub, and on no page",
        Visibility::Unlisted => "nobody but who knows its id",
    }
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
