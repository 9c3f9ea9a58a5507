//! `wb vouch export`, `wb vouch verify` and `wb vouch list --hub`: vouches outside of their feeds.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use wb_core::id::InstanceId;
use wb_core::sync::Role;
use wb_node::Node;
use wb_node::command::follow::find_peer;
use wb_node::command::peer_block::find_instance;
use wb_node::command::vouch_alone::{AloneView, vouch_export, vouch_verify, write_vouch};
use wb_node::entropy;
use wb_node::query::trust::word;
use wb_node::query::vouches_at_hub::{Given, vouches_for_at};
use wb_store::Peer;

use super::{BASIS_CHARS, NAME_CHARS};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, clean, count, short};
use crate::runtime::wait_for;

#[derive(Serialize)]
struct ExportedView<'a> {
    schema_version: u32,
    file: &'a str,
}

/// Writes one vouch with what signs it.
pub fn export(context: &Context, which: &str, to: Option<&Path>) -> Result<ExitCode> {
    let node = context.node()?;
    let text = vouch_export(&node, which)?;
    let Some(file) = to else {
        output::line(&text)?;
        return Ok(ExitCode::SUCCESS);
    };
    write_vouch(file, &text)?;
    let name = file.display().to_string();
    if context.json() {
        output::json(&ExportedView {
            schema_version: 1,
            file: &name,
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    context.say(format!(
        "Written to {}. Whoever has it sees who signed it (`wb vouch verify`); alone it counts for nothing.",
        clean(&name)
    ));
    Ok(ExitCode::SUCCESS)
}

/// Says what a vouch that came alone is worth.
pub fn verify(context: &Context, file: &Path) -> Result<ExitCode> {
    let view = vouch_verify(file, entropy::now())?;
    if context.json() {
        output::json(&view)?;
        return Ok(ExitCode::SUCCESS);
    }
    output::line(format!(
        "{} signed this vouch and it is whole.",
        view.issuer
    ))?;
    output::line(format!("  for    {}", view.subject))?;
    output::line(format!("  level  {}", word(view.level)))?;
    output::line(format!("  why    {}", clean(&view.basis)))?;
    output::line(format!("  since  {}", view.issued_at))?;
    let over = if view.is_over { ", which is over" } else { "" };
    output::line(format!("  until  {}{over}", view.expires_at))?;
    output::line(format!("  record {}", view.id))?;
    if view.is_stale {
        output::line("Its issuer promised to be heard of again before now.")?;
    }
    output::line(
        "Alone it counts for nothing: whether it was taken back since is said only by the feed of its issuer, and how far \
         that one is trusted only where it is read.",
    )?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct HubRow<'a> {
    hub: &'a str,
    #[serde(flatten)]
    vouch: wb_node::query::vouches_at_hub::GivenView,
}

/// Asks hubs who vouches for an instance.
pub fn list_at_hubs(context: &Context, instance: Option<&str>, hub: &str) -> Result<ExitCode> {
    let node = context.node()?;
    let Some(instance) = instance else {
        return Err(Failure::usage(
            "nobody is named to ask hubs about",
            "`wb vouch list INSTANCE --hub` asks who vouches for it",
        )
        .into());
    };
    let subject = subject(&node, instance)?;
    let mut rows = Vec::new();
    let hubs = hubs(&node, hub)?;
    for hub in &hubs {
        let given = wait_for(vouches_for_at(&node, hub, subject))??;
        say_rest(context, hub, &given);
        rows.extend(given.vouches.into_iter().map(|vouch| HubRow {
            hub: &hub.name,
            vouch,
        }));
    }
    let columns = ["hub", "issuer", "level", "why", "until", "counts here"];
    let empty = "No hub that was asked knows anybody who vouches for it.";
    output::list(context, &rows, &columns, empty, |row| {
        let says: &AloneView = &row.vouch.says;
        let issuer = row.vouch.issuer_name.clone();
        let issuer = issuer.unwrap_or_else(|| says.issuer.to_string());
        let counts = if row.vouch.counts {
            "yes"
        } else if says.is_over {
            "no: it is over"
        } else {
            "no: the feed of its issuer is not followed here, or does not say so any more"
        };
        vec![
            short(&clean(row.hub), NAME_CHARS),
            clean(&issuer),
            word(says.level).to_owned(),
            short(&clean(&says.basis), BASIS_CHARS),
            says.expires_at.to_string(),
            counts.to_owned(),
        ]
    })?;
    Ok(ExitCode::SUCCESS)
}

/// An instance that is known here, or any by its id: nothing of it need be here.
fn subject(node: &Node, text: &str) -> Result<InstanceId> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    Ok(find_instance(node, text)?)
}

fn hubs(node: &Node, named: &str) -> Result<Vec<Peer>> {
    if !named.is_empty() {
        return Ok(vec![find_peer(node, named)?]);
    }
    let mut hubs = node.store().peers()?;
    hubs.retain(|peer| peer.role == Role::Hub);
    if hubs.is_empty() {
        return Err(Failure::usage(
            "this instance is a member of no hub",
            "`wb join HUB` makes it one; without --hub the vouches that are carried here are listed",
        )
        .into());
    }
    Ok(hubs)
}

fn say_rest(context: &Context, hub: &Peer, given: &Given) {
    let name = clean(&hub.name);
    if given.unproved > 0 {
        context.say(format!(
            "{name} holds {} more that it cannot prove one by one; following their issuers brings them.",
            count(given.unproved, "vouch", "vouches")
        ));
    }
    if given.broken > 0 {
        context.say(format!(
            "{name} gave {} that nobody signed; nothing of that is shown.",
            count(given.broken, "thing", "things")
        ));
    }
    if given.is_cut_off {
        context.say(format!("{name} has more than are read."));
    }
}
