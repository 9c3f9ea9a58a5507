//! `wb peer invite`, `accept` and `add`: pairing with another node.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde::Serialize;
use wb_core::id::InstanceId;
use wb_core::pairing::PairLink;
use wb_core::sync::Role;
use wb_core::time::Timestamp;
use wb_node::command::follow::find_peer;
use wb_node::command::peer_accept::{look, peer_accept, peer_confirm, peer_turn_down};
use wb_node::command::peer_add::{find, look_into, peer_add, peer_add_folder};
use wb_node::command::peer_invite::{INVITE_MINUTES, asking, peer_invite, used_by};
use wb_node::query::peers::{peer_state, peer_view};
use wb_node::{Actor, ErrorKind, Node, NodeError};
use wb_store::{Pair, PairState, Peer};

use super::super::registration::NAME_CHARS;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, clean, heading, short};
use crate::runtime::wait_for;

/// Who waits at a terminal looks for an answer this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How to invite
#[derive(Debug, Args)]
pub struct Invite {
    /// Minutes until the link is over (default and most: a day)
    #[arg(long = "for", value_name = "MINUTES", default_value_t = INVITE_MINUTES, hide_default_value = true,
          value_parser = clap::value_parser!(u64).range(1..=INVITE_MINUTES))]
    minutes: u64,
    /// Where this node is reached, up to four times, best first; a public one is put on the card as well
    #[arg(long, value_name = "URL")]
    address: Vec<String>,
}

/// What to accept
#[derive(Debug, Args)]
pub struct Accept {
    /// A link from the other side; or who used one of yours: its name, or enough of its id
    #[arg(value_name = "LINK|PEER")]
    what: String,
    /// The peer's address may be one of your own network
    #[arg(long)]
    lan: bool,
    /// Where this node is reached, for a link back when the other side cannot be reached
    #[arg(long, value_name = "URL")]
    address: Vec<String>,
    /// Turn down who asks, instead of agreeing
    #[arg(long)]
    refuse: bool,
}

/// Whom to add
#[derive(Debug, Args)]
pub struct Add {
    /// An instance known from a hub: its name, or enough of its id; or an address with # and an id
    #[arg(value_name = "INSTANCE|URL#ID", required_unless_present = "folder")]
    instance: Option<String>,
    /// A folder that both sides share, or a stick that goes back and forth
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// The peer's address may be one of your own network
    #[arg(long)]
    lan: bool,
}

#[derive(Serialize)]
struct InviteView {
    schema_version: u32,
    link: String,
    id: InstanceId,
    addresses: Vec<String>,
    ends_at: Timestamp,
    on_card: bool,
}

#[derive(Serialize)]
struct PairView<'a> {
    schema_version: u32,
    id: InstanceId,
    name: String,
    address: &'a str,
    pair: &'static str,
    words: &'a str,
    way_back: Option<String>,
    sentence: String,
    action: &'static str,
}

/// Makes a link, and waits for the other side where somebody is at the terminal.
pub fn invite(context: &Context, args: &Invite) -> Result<ExitCode> {
    let (mut node, actor) = context.acting()?;
    let invited = peer_invite(&mut node, &actor, args.minutes, &args.address)?;
    let text = invited.link.to_string();
    if context.json() {
        output::json(&InviteView {
            schema_version: 1,
            link: text,
            id: invited.link.id,
            addresses: invited.link.addresses,
            ends_at: invited.ends_at,
            on_card: invited.is_on_card,
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    output::line(&text)?;
    if context.can_ask() && !context.quiet() {
        context.say(code(&text));
    }
    if invited.link.addresses.is_empty() {
        context.say(
            "No address of this node is known, so the other side cannot call it: whoever accepts the link gets one \
             for the way back, which you give to `wb peer accept`. With --address URL the link names one.",
        );
    } else {
        context.say("`wb up` has to run here, so that the other side reaches this node.");
    }
    context.say(format!(
        "It pairs one other node with this one, until {}. Give it to the operator there, for `wb peer accept LINK`; \
         whoever has it could use it. Then compare eight words.",
        invited.ends_at
    ));
    if !context.can_ask() {
        context.say("`wb peer list` shows who used it, and `wb peer accept NAME` the eight words; it pairs once you say that they are the same.");
        return Ok(ExitCode::SUCCESS);
    }
    context.say("Waiting for the other side; Ctrl-C leaves the link open.");
    wait_and_confirm(context, &mut node, &actor, &invited.link, invited.ends_at)
}

/// A code for cameras, in characters.
fn code(text: &str) -> String {
    match QrCode::new(text.as_bytes()) {
        Ok(code) => code.render::<Dense1x2>().quiet_zone(true).build(),
        // A link too long for any code is given by hand.
        Err(_) => String::new(),
    }
}

fn wait_and_confirm(
    context: &Context,
    node: &mut Node,
    actor: &Actor,
    link: &PairLink,
    ends_at: Timestamp,
) -> Result<ExitCode> {
    loop {
        if let Some((id, pair)) = used_by(node, link)? {
            return decide(context, node, actor, id, &pair, false);
        }
        if wb_node::entropy::now() >= ends_at {
            context.say("The link is over; nobody used it.");
            return Ok(pending());
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn pending() -> ExitCode {
    ExitCode::from(ErrorKind::Pending.exit_code())
}

/// Shows who asks, and asks whether the words are the same there.
fn decide(
    context: &Context,
    node: &mut Node,
    actor: &Actor,
    id: InstanceId,
    pair: &Pair,
    lan: bool,
) -> Result<ExitCode> {
    let peer = peer_of(node, id)?;
    if pair.state == PairState::Asked {
        if !context.json() {
            show(context, &peer.name, id, Some(&peer.address), &pair.words)?;
        }
        let agreed = if context.json() {
            context.yes()
        } else {
            context.confirm("Does the operator there read the same eight words?")?
        };
        if !agreed {
            if context.json() {
                view(node, &peer, pair, None)?;
            } else {
                context.say(format!(
                    "Nothing was decided. `wb peer accept {}` asks again; with --refuse it turns it down.",
                    id.short()
                ));
            }
            return Ok(pending());
        }
        peer_confirm(node, actor, id, lan)?;
    }
    let (peer, pair) = (peer_of(node, id)?, pair_of(node, id)?);
    if context.json() {
        view(node, &peer, &pair, None)?;
        return Ok(ExitCode::SUCCESS);
    }
    tell_paired(context, &peer);
    Ok(ExitCode::SUCCESS)
}

fn tell_paired(context: &Context, peer: &Peer) {
    let name = name(&peer.name, &peer.id);
    let who = if peer.address.is_empty() {
        format!(
            "{name} has no address, so it calls this node: `wb sync` there moves records both ways"
        )
    } else {
        format!(
            "`wb sync {name}` shows what it publishes before anything of it is shown to members"
        )
    };
    context.say(format!("Paired with {name}. {who}."));
}

fn name(name: &str, id: &InstanceId) -> String {
    if name.trim().is_empty() {
        id.short()
    } else {
        clean(&short(name, NAME_CHARS))
    }
}

fn peer_of(node: &Node, id: InstanceId) -> Result<Peer> {
    let peer = node.store().peer(&id).map_err(NodeError::from)?;
    Ok(peer.ok_or_else(|| Failure::usage(format!("{id} is no peer here"), "`wb peer list`"))?)
}

fn pair_of(node: &Node, id: InstanceId) -> Result<Pair> {
    let pair = node.store().pair(&id).map_err(NodeError::from)?;
    Ok(pair.ok_or_else(|| Failure::usage(format!("{id} is no peer here"), "`wb peer list`"))?)
}

fn show(
    context: &Context,
    told: &str,
    id: InstanceId,
    address: Option<&str>,
    words: &str,
) -> Result<()> {
    output::line(format!("{}  {id}", heading(context, &name(told, &id))))?;
    let address = address.filter(|address| !address.is_empty());
    let address = address.map_or_else(|| "none that is known here".to_owned(), clean);
    output::line(format!("address  {address}"))?;
    output::line(format!("words    {}", heading(context, words)))
}

fn view(node: &Node, peer: &Peer, pair: &Pair, way_back: Option<String>) -> Result<()> {
    let state = peer_state(node, peer)?;
    output::json(&PairView {
        schema_version: 1,
        id: peer.id,
        name: peer.name.clone(),
        address: &peer.address,
        pair: pair.state.as_str(),
        words: &pair.words,
        way_back,
        sentence: state.sentence,
        action: state.action,
    })
}

/// Accepts a link, or confirms who used one of ours.
pub fn accept(context: &Context, args: &Accept) -> Result<ExitCode> {
    let (mut node, actor) = context.acting()?;
    if args.what.contains('#') {
        return accept_link(context, &mut node, &actor, args);
    }
    let peer = find_peer(&node, &args.what)?;
    if peer.role == Role::Hub {
        return Err(Failure::usage(
            format!("{} is a hub, and none is paired with", clean(&peer.name)),
            "`wb join` becomes a member of a hub",
        )
        .into());
    }
    if args.refuse {
        peer_turn_down(&mut node, &actor, peer.id)?;
        context.say(format!(
            "Turned down: {} is no peer. It may ask again; `wb peer block` refuses it for good.",
            name(&peer.name, &peer.id)
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let pair = pair_of(&node, peer.id)?;
    if pair.state == PairState::Offered {
        if context.json() {
            view(&node, &peer, &pair, None)?;
        } else {
            let state = peer_state(&node, &peer)?;
            context.say(format!(
                "{}; next: {}.",
                clean(&state.sentence),
                state.action
            ));
        }
        return Ok(pending());
    }
    decide(context, &mut node, &actor, peer.id, &pair, args.lan)
}

fn accept_link(
    context: &Context,
    node: &mut Node,
    actor: &Actor,
    args: &Accept,
) -> Result<ExitCode> {
    let link: PairLink = args.what.parse().map_err(|error| {
        Failure::usage(
            format!("{error}"),
            "nothing was sent; copy the whole link, in quotes",
        )
    })?;
    let inviter = wait_for(look(node, actor, &link, args.lan))??;
    let told = inviter.name.clone().unwrap_or_default();
    if !context.json() {
        let address = inviter.address.as_deref();
        show(context, &told, inviter.id, address, &inviter.words)?;
        if let Some(trouble) = &inviter.trouble {
            context.say(format!("It was not reached: {}", clean(trouble)));
        }
    }
    let agreed = if context.json() {
        context.yes()
    } else {
        context.confirm(
            "Pair with it? Both operators compare the eight words; each sees what the other marked to be public.",
        )?
    };
    if !agreed {
        context.say("Not paired; nothing was sent. `--yes` agrees.");
        return Ok(pending());
    }
    let done = wait_for(peer_accept(node, actor, &inviter, &args.address))??;
    let is_paired = done.pair.state == PairState::Paired;
    let way_back = done.way_back.as_ref().map(ToString::to_string);
    if context.json() {
        view(node, &done.peer, &done.pair, way_back)?;
    } else if is_paired {
        tell_paired(context, &done.peer);
    } else if let Some(link) = way_back {
        output::line(&link)?;
        context.say(
            "Nobody answered there. Give the link above to its operator, for `wb peer accept LINK`: it is the way back, \
             with the same eight words. `wb up` has to run here.",
        );
    } else {
        let name = name(&done.peer.name, &done.peer.id);
        let state = peer_state(node, &done.peer)?;
        context.say(format!(
            "{}; next: {}.",
            clean(&state.sentence),
            state.action
        ));
        if done.way_back.is_none() && inviter.address.is_none() {
            context.say(format!(
                "Nobody answered, and no address of this node is known: `wb peer accept LINK --address URL` makes a link \
                 for the way back. Where neither side can be reached, a hub or `wb peer add --folder` leads to {name}."
            ));
        }
    }
    Ok(if is_paired {
        ExitCode::SUCCESS
    } else {
        pending()
    })
}

/// Asks an instance that is known to be a peer, or pairs through a folder.
pub fn add(context: &Context, args: &Add) -> Result<ExitCode> {
    let (mut node, actor) = context.acting()?;
    if let Some(folder) = &args.folder {
        return add_folder(context, &mut node, &actor, folder, args);
    }
    let text = args.instance.as_deref().unwrap_or_default();
    let wanted = find(&node, text, args.lan)?;
    if !context.json() {
        let address = Some(wanted.address.as_str());
        show(context, &wanted.name, wanted.id, address, &wanted.words)?;
    }
    let agreed = if context.json() {
        context.yes()
    } else {
        context.confirm("Ask it to be a peer? Its operator compares the words and confirms.")?
    };
    if !agreed {
        context.say("Not asked; nothing was sent. `--yes` agrees.");
        return Ok(pending());
    }
    let (peer, pair) = wait_for(peer_add(&mut node, &actor, &wanted))??;
    if context.json() {
        view(&node, &peer, &pair, None)?;
    } else if pair.state == PairState::Paired {
        tell_paired(context, &peer);
    } else {
        let state = peer_state(&node, &peer)?;
        context.say(format!(
            "{}; next: {}.",
            clean(&state.sentence),
            state.action
        ));
    }
    Ok(match pair.state {
        PairState::Paired => ExitCode::SUCCESS,
        PairState::Asked | PairState::Offered => pending(),
    })
}

fn add_folder(
    context: &Context,
    node: &mut Node,
    actor: &Actor,
    folder: &std::path::Path,
    args: &Add,
) -> Result<ExitCode> {
    let Some(one) = look_into(node, actor, folder, args.instance.as_deref())? else {
        context.say(
            "This node left its mark in the folder, and found no other one. Do the same on the other side, then again \
             here.",
        );
        return Ok(pending());
    };
    let told = one.name.clone().unwrap_or_default();
    if !context.json() {
        show(context, &told, one.id, folder.to_str(), &one.words)?;
    }
    let agreed = if context.json() {
        context.yes()
    } else {
        context.confirm("Does the operator there read the same eight words?")?
    };
    if !agreed {
        context.say("Not paired. `--yes` agrees.");
        return Ok(pending());
    }
    let (peer, pair) = peer_add_folder(node, actor, folder, &one)?;
    if context.json() {
        view(node, &peer, &pair, None)?;
        return Ok(ExitCode::SUCCESS);
    }
    let name = name(&peer.name, &peer.id);
    context.say(format!(
        "Paired with {name} through the folder. `wb sync {}` takes what it left there and leaves yours; the other side \
         does the same.",
        peer.id.short()
    ));
    Ok(ExitCode::SUCCESS)
}

/// Lists who asks to be paired, below the list of peers.
pub fn tell_asking(context: &Context, node: &Node) -> Result<()> {
    for pair in asking(node)? {
        let peer = peer_view(node, &peer_of(node, pair.id)?)?;
        context.say(format!(
            "{} asks to be paired; the words are: {}. `wb peer accept {}` confirms.",
            name(&peer.name, &pair.id),
            pair.words,
            pair.id.short()
        ));
    }
    Ok(())
}
