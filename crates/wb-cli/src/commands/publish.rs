//! `wb publish`, and the two lists of the preview that `bundle export` shows too.

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use wb_node::Node;
use wb_node::command::publish::{Published, publish};
use wb_node::command::restore::confirm;
use wb_node::plan::{Plan, headline, plan};

use crate::context::Context;
use crate::output::{self, clean, count};
use crate::runtime::wait_for;

/// Seal what is marked to be shared into the feeds of this instance
#[derive(Debug, Args)]
pub struct Publish {
    /// Show record by record what would be sealed and taken back, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Seal without asking a hub whether this is the newest copy of the folder
    #[arg(long)]
    offline: bool,
}

/// A record that would be sealed or taken back.
#[derive(Serialize)]
pub struct Row<'a> {
    schema_version: u32,
    action: &'static str,
    id: String,
    origin: String,
    home: &'a str,
    kind: &'a str,
    scope: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    headline: String,
}

#[derive(Serialize)]
struct Sealed {
    schema_version: u32,
    sealed: u64,
    taken_back: u64,
    deltas: u64,
    bytes: u64,
    new_logs: u64,
}

/// Publishes, or shows what would be published.
pub fn run(context: &Context, args: &Publish) -> Result<()> {
    if args.dry_run {
        let node = context.node()?;
        let plan = plan(&node, wb_node::entropy::now())?;
        return preview(context, &node, &plan);
    }
    let (mut node, actor) = context.acting()?;
    if !agreed(context, &node)? {
        return Ok(());
    }
    confirmed(&node, args.offline)?;
    if context.verbose() && !context.json() {
        let plan = plan(&node, wb_node::entropy::now())?;
        preview(context, &node, &plan)?;
    }
    let (_, published) = publish(&mut node, &actor)?;
    if context.json() {
        return output::json(&sealed(published));
    }
    output::line(sentence(published))
}

/// Shows the preview to a person and asks; without a terminal, marking was the decision.
pub fn agreed(context: &Context, node: &Node) -> Result<bool> {
    if context.yes() || context.json() || !context.can_ask() {
        return Ok(true);
    }
    let plan = plan(node, wb_node::entropy::now())?;
    if plan.is_empty() {
        return Ok(true);
    }
    preview(context, node, &plan)?;
    let agreed = context.confirm("Seal this? Whoever follows this instance can then see it.")?;
    if !agreed {
        context.say("Nothing was sealed.");
    }
    Ok(agreed)
}

/// Asks a hub whether this is the newest copy of the folder, where there is something to seal and a hub to ask.
pub fn confirmed(node: &Node, offline: bool) -> Result<()> {
    if offline || plan(node, wb_node::entropy::now())?.is_empty() {
        return Ok(());
    }
    wait_for(confirm(node))??;
    Ok(())
}

/// A sentence on what was sealed.
pub fn sentence(published: Published) -> String {
    if published.deltas == 0 {
        return "Nothing new to seal.".to_owned();
    }
    if published.puts + published.retracts + published.new_logs == 0 {
        return "Nothing new to seal; a header tells followers that this community goes on."
            .to_owned();
    }
    let log = if published.new_logs > 0 {
        " A new log was opened."
    } else {
        ""
    };
    format!(
        "Sealed {} and took back {} in {}.{log}",
        count(published.puts, "record", "records"),
        published.retracts,
        count(published.deltas, "delta", "deltas"),
    )
}

fn sealed(published: Published) -> Sealed {
    Sealed {
        schema_version: 1,
        sealed: published.puts,
        taken_back: published.retracts,
        deltas: published.deltas,
        bytes: published.bytes,
        new_logs: published.new_logs,
    }
}

/// Lists what would be sealed and taken back, record by record.
pub fn preview(context: &Context, node: &Node, plan: &Plan) -> Result<()> {
    let rows = rows(node, plan)?;
    let empty = "Nothing would be sealed or taken back.";
    let columns = ["what", "scope", "kind", "id", "as", "text"];
    output::list(context, &rows, &columns, empty, |row| {
        vec![
            row.action.to_owned(),
            row.scope.to_owned(),
            row.kind.to_owned(),
            row.id.clone(),
            row.by.as_deref().map(shown_as).unwrap_or_default(),
            output::short(&row.headline, 40),
        ]
    })?;
    if !context.json() {
        let stays = plan.tally.stays.iter();
        let stays: Vec<String> = stays
            .map(|(cause, n)| format!("{n} because {}", cause.sentence()))
            .collect();
        context.say(format!(
            "{} already published and unchanged.",
            count(plan.tally.unchanged, "record is", "records are")
        ));
        if !stays.is_empty() {
            context.say(format!("Staying home: {}.", stays.join("; ")));
        }
    }
    Ok(())
}

fn shown_as(by: &str) -> String {
    match by.split_once(':') {
        Some(("pseudonym", token)) => format!("a member ({})", &clean(token)[..4]),
        Some(("user", _)) => "its author".to_owned(),
        _ => "this instance".to_owned(),
    }
}

/// What would be sealed and taken back, record by record.
pub fn rows<'a>(node: &'a Node, plan: &'a Plan) -> Result<Vec<Row<'a>>> {
    let origin = node.own_id().to_string();
    let puts = plan.puts.iter().map(|put| Row {
        schema_version: 1,
        action: if put.is_new { "seal" } else { "seal again" },
        id: put.leaving.id().to_string(),
        origin: origin.clone(),
        home: node.name(),
        kind: put.leaving.kind().as_str(),
        scope: put.leaving.scope().as_str(),
        by: Some(put.leaving.by().to_string()),
        cause: None,
        headline: headline(put.leaving.kind().as_str(), put.leaving.body()),
    });
    let mut rows: Vec<Row<'a>> = puts.collect();
    for retract in &plan.retracts {
        let record = node
            .store()
            .local(&retract.id)
            .map_err(wb_node::NodeError::from)?;
        rows.push(Row {
            schema_version: 1,
            action: "take back",
            id: retract.id.to_string(),
            origin: origin.clone(),
            home: node.name(),
            kind: &retract.kind,
            scope: retract.scope.as_str(),
            by: None,
            cause: retract.cause.map(wb_core::leave::Stays::as_str),
            headline: record
                .map(|r| headline(&retract.kind, &r.body))
                .unwrap_or_default(),
        });
    }
    Ok(rows)
}
