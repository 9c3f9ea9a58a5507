//! The lists of `wb sync --dry-run`: what would be sealed, what is sealed and lacking, what would change
//! here, each record by record.

use anyhow::Result;
use serde::Serialize;
use wb_core::id::InstanceId;
use wb_core::scope::FeedScope;
use wb_core::sync::Role;
use wb_node::Node;
use wb_node::command::sync::{SyncInput, Synced};
use wb_node::plan::{Plan, headline};
use wb_node::query::letters::outbox;
use wb_node::sync::Lacking;
use wb_store::Changed;

use super::{name, names};
use crate::commands::publish;
use crate::context::Context;
use crate::output::{self, clean, count, heading, short};

/// Characters of a record's title in a table.
const HEADLINE_CHARS: usize = 40;

/// A row that says of which list it is.
#[derive(Serialize)]
struct Listed<R> {
    list: &'static str,
    peer: InstanceId,
    #[serde(flatten)]
    row: R,
}

#[derive(Serialize)]
struct LacksRow {
    schema_version: u32,
    action: &'static str,
    id: String,
    origin: InstanceId,
    home: String,
    kind: String,
    scope: &'static str,
    headline: String,
}

#[derive(Serialize)]
struct ChangeRow {
    schema_version: u32,
    action: &'static str,
    id: String,
    origin: InstanceId,
    home: String,
    kind: String,
    headline: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden: Option<String>,
}

#[derive(Serialize)]
struct LettersRow {
    schema_version: u32,
    action: &'static str,
    id: InstanceId,
    name: String,
    letters: u64,
}

/// Prints the lists of one peer. Of a rehearsal that ended early, what it found until then.
pub fn show(context: &Context, node: &Node, done: &Synced, input: SyncInput) -> Result<()> {
    let is_cut = done.end.is_some();
    let (peer, name) = (done.peer.id, name(&done.peer));
    let title = |text: String| {
        if context.json() {
            return Ok(());
        }
        output::line(format!("\n{}", heading(context, &text)))
    };
    if input.pull && !(is_cut && done.changed.is_empty()) {
        title(format!("{name}: would change here"))?;
        show_changes(context, node, done)?;
    }
    let Some(plan) = &done.plan else {
        return Ok(());
    };
    title(format!("{name}: would be sealed, then {}", who_reads(plan)))?;
    if context.json() {
        let rows = publish::rows(node, plan)?.into_iter();
        let list = "would_seal";
        rows.map(|row| Listed { list, peer, row })
            .try_for_each(|row| output::json(&row))?;
    } else {
        publish::preview(context, node, plan)?;
    }
    if is_cut {
        return Ok(());
    }
    title(format!("{name}: already sealed, and not there yet"))?;
    show_lacking(context, node, done)?;
    show_letters(context, node, done)
}

/// Letters, by their number alone: to a hub all that wait, to a node what is for it.
fn show_letters(context: &Context, node: &Node, done: &Synced) -> Result<()> {
    for (id, name, letters) in outbox(node)? {
        if done.peer.role == Role::Node && id != done.peer.id {
            continue;
        }
        if context.json() {
            let row = LettersRow {
                schema_version: 1,
                action: "send",
                id,
                name,
                letters,
            };
            output::json(&Listed {
                list: "letters",
                peer: done.peer.id,
                row,
            })?;
            continue;
        }
        let name = clean(&short(&name, HEADLINE_CHARS));
        output::line(format!(
            "{} for {name}",
            count(letters, "letter", "letters")
        ))?;
    }
    Ok(())
}

/// Who can read what a plan seals: a feed has other readers than the other.
fn who_reads(plan: &Plan) -> &'static str {
    let goes_to = |feed: FeedScope| {
        plan.puts.iter().any(|put| put.leaving.scope() == feed)
            || plan.retracts.iter().any(|retract| retract.scope == feed)
    };
    match (goes_to(FeedScope::Public), goes_to(FeedScope::TrustedPeers)) {
        (_, false) => "visible to all followers",
        (false, true) => "visible to those that `wb peer trust` lists",
        (true, true) => {
            "visible to all followers; trusted_peers only to those that `wb peer trust` lists"
        }
    }
}

fn show_lacking(context: &Context, node: &Node, done: &Synced) -> Result<()> {
    let row = |lacking: &Lacking| Listed {
        list: "peer_lacks",
        peer: done.peer.id,
        row: LacksRow {
            schema_version: 1,
            action: if lacking.is_retract {
                "take back"
            } else {
                "send"
            },
            id: lacking.id.to_string(),
            origin: node.own_id(),
            home: node.name().to_owned(),
            kind: lacking.kind.clone(),
            scope: lacking.scope.as_str(),
            headline: lacking.headline.clone(),
        },
    };
    let rows: Vec<_> = done.lacking.iter().map(row).collect();
    let columns = ["what", "scope", "kind", "id", "text"];
    let empty = "It has everything that is sealed.";
    output::list(context, &rows, &columns, empty, |listed| {
        let row = &listed.row;
        vec![
            row.action.to_owned(),
            row.scope.to_owned(),
            row.kind.clone(),
            row.id.clone(),
            short(&row.headline, HEADLINE_CHARS),
        ]
    })
}

fn show_changes(context: &Context, node: &Node, done: &Synced) -> Result<()> {
    let names = names(node, done)?;
    let row = |change: &Changed| {
        let body = change.body.as_deref().unwrap_or_default();
        Listed {
            list: "would_change",
            peer: done.peer.id,
            row: ChangeRow {
                schema_version: 1,
                action: change.difference.as_str(),
                id: change.id.to_string(),
                origin: change.origin,
                home: names
                    .get(&change.origin)
                    .cloned()
                    .unwrap_or_else(|| change.origin.short()),
                kind: change.kind.to_string(),
                headline: headline(change.kind.as_str(), body),
                hidden: change.cause.clone(),
            },
        }
    };
    let mut rows: Vec<_> = done.changed.iter().map(row).collect();
    rows.sort_by_key(|listed| listed.row.origin);
    let columns = ["what", "home", "kind", "id", "text", "hidden"];
    output::list(context, &rows, &columns, "Nothing.", |listed| {
        let row = &listed.row;
        vec![
            row.action.to_owned(),
            short(&row.home, HEADLINE_CHARS),
            row.kind.clone(),
            row.id.clone(),
            short(&row.headline, HEADLINE_CHARS),
            row.hidden.clone().unwrap_or_default(),
        ]
    })
}
