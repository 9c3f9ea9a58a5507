//! `wb hub`: becoming a member of a hub, running one, and its members.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use super::registration::{self, Where};
use super::{hub_admin, hub_bundle, hub_up};
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
    /// Leave a member out: it cannot sync here, and what it published is not handed on
    Suspend(hub_admin::Suspend),
    /// Let a suspended member in again
    Reinstate(hub_admin::Reinstate),
    /// Write the public feeds that the hub of this folder relays into one file
    Bundle(hub_bundle::Bundle),
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
        Hub::Suspend(args) => hub_admin::suspend(context, args),
        Hub::Reinstate(args) => hub_admin::reinstate(context, args),
        Hub::Bundle(args) => hub_bundle::run(context, args),
        Hub::LoginLink(args) => hub_admin::login_link(context, args),
    };
    done.map(|()| ExitCode::SUCCESS)
}

fn register(context: &Context, at: &Where) -> Result<ExitCode> {
    let (mut node, actor) = context.acting()?;
    let Some(peer) = registration::register(context, &mut node, &actor, at)? else {
        return Ok(registration::not_agreed());
    };
    registration::tell(context, &node, &peer, at)?;
    let is_member = registration::is_member(&peer);
    if is_member && !context.json() {
        context.say(
            "Nothing else leaves until `wb sync`. `wb follow HUB/*` follows whom it lists, `wb join` shows them \
             first.",
        );
    }
    Ok(registration::exit_code(&peer))
}
