//! `wb peer list --blocked` and `--suggested`, `wb peer show --outbox` and `--proof`

use anyhow::Result;
use wb_node::command::follow::find_peer;
use wb_node::query::doubts::doubts_of;
use wb_node::query::outbox::{OUTBOX_ROWS_MAX, outbox};
use wb_node::query::refused::refused;
use wb_node::query::suggested::suggested as query_suggested;

use super::super::registration::NAME_CHARS;
use crate::context::Context;
use crate::output::{self, short};

/// Lists whom this instance refuses.
pub fn blocked(context: &Context) -> Result<()> {
    let node = context.node()?;
    let columns = ["name", "id", "since", "peer", "lifted by"];
    let empty = "Nobody is refused here.";
    output::list(context, &refused(&node)?, &columns, empty, |row| {
        vec![
            short(&row.name, NAME_CHARS),
            row.id.to_string(),
            row.since.map_or_else(String::new, |at| at.to_string()),
            if row.is_peer { "yes" } else { "no" }.to_owned(),
            format!("wb peer forget --refusal {}", row.id.short()),
        ]
    })
}

/// Lists instances that others suggest by carrying their cards.
pub fn suggested(context: &Context) -> Result<()> {
    let node = context.node()?;
    let columns = ["name", "id", "suggested by", "addresses it names", "next"];
    let empty = "Nobody is suggested. Cards of instances that are not known here come in the feeds of others.";
    output::list(context, &query_suggested(&node)?, &columns, empty, |row| {
        let by: Vec<String> = row
            .by
            .iter()
            .map(|by| short(by.name.as_deref().unwrap_or(&by.id.short()), NAME_CHARS))
            .collect();
        vec![
            short(&row.name, NAME_CHARS),
            row.id.to_string(),
            by.join(", "),
            row.addresses.join(" "),
            row.action.clone(),
        ]
    })
}

/// Lists what waits for a peer.
pub fn waits(context: &Context, name: &str) -> Result<()> {
    let node = context.node()?;
    let rows = outbox(&node, &find_peer(&node, name)?)?;
    let columns = ["what", "kind", "id", "text"];
    let empty = "Nothing waits for it: it confirmed everything that is sealed here.";
    output::list(context, &rows, &columns, empty, |row| {
        vec![
            row.action.to_owned(),
            row.kind.clone(),
            row.id.to_string(),
            short(&row.headline, 40),
        ]
    })?;
    if rows.len() >= OUTBOX_ROWS_MAX {
        context.say("There may be more than are listed.");
    }
    Ok(())
}

/// Prints what proves that a peer does not give what an origin signed.
pub fn proofs(context: &Context, name: &str) -> Result<()> {
    let node = context.node()?;
    let peer = find_peer(&node, name)?;
    let doubts = doubts_of(&node, &peer.id)?;
    if doubts.is_empty() {
        context.say("Nothing of it is in doubt.");
    }
    for doubt in doubts {
        output::json(&doubt)?;
    }
    Ok(())
}
