//! `wb hub`

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use super::registration::{self, Where};
use crate::context::Context;

/// Hubs
#[derive(Debug, Subcommand)]
pub enum Hub {
    /// Become a member of a hub; nothing is taken, and nothing of yours leaves before `sync`
    Register(Where),
}

/// Runs a command of this noun.
pub fn run(context: &Context, command: &Hub) -> Result<ExitCode> {
    match command {
        Hub::Register(at) => register(context, at),
    }
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
