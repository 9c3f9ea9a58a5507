//! `wb hub`: becoming a member of a hub, running one, and its members.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use super::registration::{self, Where};
use super::{hub_admin, hub_bundle, hub_invite, hub_moderate, hub_move, hub_up};
use crate::context::Context;

/// Hubs
#[derive(Debug, Subcommand)]
pub enum Hub {
    /// Become a member of a hub; nothing is taken, and nothing of yours leaves before `sync`
    Register(Where),
    /// Run the hub of this folder until Ctrl-C
    Up(hub_up::Up),
    /// List the members of the hub of this folder
    List(hub_admin::List),
    /// Show one member: its feeds, who follows it, what waits for it
    Show(hub_admin::Show),
    /// Let a registration in
    Approve(hub_admin::Approve),
    /// Invitations to this hub
    #[command(subcommand)]
    Invite(hub_invite::HubInvite),
    /// Leave a member out: it cannot sync here, and what it published is not handed on
    Suspend(hub_moderate::Suspend),
    /// Leave a member out for good; members hide what came of it by this hub alone
    Revoke(hub_moderate::Revoke),
    /// Keep a member out of directory, pages and `*`
    Delist(hub_moderate::Delist),
    /// Hand one record on to nobody
    Withhold(hub_moderate::Withhold),
    /// Undo what was decided about a member or a record
    Reinstate(hub_moderate::Reinstate),
    /// List what this hub says in public about members and records
    Notices(hub_moderate::Notices),
    /// List what moderators did, or write all of it out with --json
    Audit(hub_moderate::Audit),
    /// Write the public feeds that the hub of this folder relays into one file
    Bundle(hub_bundle::Bundle),
    /// Move what the hub of this folder keeps to another store, and check it line for line
    Move(hub_move::Move),
    /// Make a link that lets a moderator in once, on a browser of their choice
    LoginLink(hub_admin::LoginLink),
}

/// Runs a command of this noun.
pub fn run(context: &Context, command: &Hub) -> Result<ExitCode> {
    let done = match command {
        Hub::Register(at) => return register(context, at),
        Hub::Up(args) => hub_up::run(context, args),
        Hub::List(args) => hub_admin::list(context, args),
        Hub::Show(args) => hub_admin::show(context, args),
        Hub::Approve(args) => hub_admin::approve(context, args),
        Hub::Invite(command) => hub_invite::run(context, command),
        Hub::Suspend(args) => hub_moderate::suspend(context, args),
        Hub::Revoke(args) => hub_moderate::revoke(context, args),
        Hub::Delist(args) => hub_moderate::delist(context, args),
        Hub::Withhold(args) => hub_moderate::withhold(context, args),
        Hub::Reinstate(args) => hub_moderate::reinstate(context, args),
        Hub::Notices(args) => hub_moderate::notices(context, args),
        Hub::Audit(args) => hub_moderate::audit(context, args),
        Hub::Bundle(args) => hub_bundle::run(context, args),
        Hub::Move(args) => hub_move::run(context, args),
        Hub::LoginLink(args) => hub_admin::login_link(context, args),
    };
    done.map(|()| ExitCode::SUCCESS)
}

fn register(context: &Context, at: &Where) -> Result<ExitCode> {
    let (mut node, actor) = context.acting()?;
    let Some(peer) = registration::register(context, &mut node, &actor, at)? else {
        return Ok(registration::not_agreed());
    };
    registration::tell(context, &node, &peer)?;
    let is_member = registration::is_member(&peer);
    if is_member && !context.json() {
        context.say(
            "Nothing else leaves until `wb sync`. `wb follow HUB/*` follows whom it lists, `wb join` shows them \
             first.",
        );
    }
    Ok(registration::exit_code(&peer))
}
