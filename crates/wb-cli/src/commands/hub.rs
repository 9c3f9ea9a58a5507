//! `wb hub`: running a hub, and its members.

use anyhow::Result;
use clap::Subcommand;

use super::{hub_admin, hub_up};
use crate::context::Context;

/// The hub of this folder
#[derive(Debug, Subcommand)]
pub enum Hub {
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
}

/// Runs one of them.
pub fn run(context: &Context, command: &Hub) -> Result<()> {
    match command {
        Hub::Up(args) => hub_up::run(context, args),
        Hub::List(args) => hub_admin::list(context, args),
        Hub::Show(args) => hub_admin::show(context, args),
        Hub::Approve(args) => hub_admin::approve(context, args),
        Hub::Suspend(args) => hub_admin::suspend(context, args),
        Hub::Reinstate(args) => hub_admin::reinstate(context, args),
    }
}
