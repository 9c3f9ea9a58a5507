//! `wb sync log`

use anyhow::Result;
use clap::Args;
use wb_node::Node;
use wb_node::command::follow::find_peer;
use wb_node::query::sync_log::{RUN_RECORDS_MAX, run as query_run, runs};
use wb_node::view::{RunRecordView, RunView};

use crate::commands::registration::NAME_CHARS;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, clean, count, short};

/// List exchanges that moved something or failed; with RUN, what came and went by it
#[derive(Debug, Args)]
pub struct SyncLog {
    /// A run of the list: what came and went by it, record by record
    run: Option<i64>,
    /// Only with this hub or peer
    #[arg(long)]
    peer: Option<String>,
    /// At most this many, the newest first
    #[arg(long, default_value_t = 20)]
    limit: u64,
}

/// Lists runs, or what came and went by one.
pub fn run(context: &Context, args: &SyncLog) -> Result<()> {
    match args.run {
        Some(_) if args.peer.is_some() => {
            Err(Failure::usage("a run is with one peer", "leave --peer away, or the run").into())
        }
        Some(run) => show(context, run),
        None => list(context, args),
    }
}

fn list(context: &Context, args: &SyncLog) -> Result<()> {
    let node = context.node()?;
    let peer = args.peer.as_deref().map(|peer| find_peer(&node, peer));
    let peer = peer.transpose()?.map(|peer| peer.id);
    let runs = runs(&node, args.limit, peer.as_ref())?;
    let columns = [
        "run", "when", "by", "with", "took", "gave", "bytes", "requests", "end",
    ];
    let empty = "Nothing was exchanged yet. A sync that moves nothing is not listed.";
    output::list(context, &runs, &columns, empty, |run| {
        vec![
            run.run.to_string(),
            run.at.to_string(),
            run.road.to_owned(),
            short(&run.name, NAME_CHARS),
            took(run),
            gave(run),
            format!("{} out, {} in", run.bytes_sent, run.bytes_received),
            run.round_trips.to_string(),
            end(run),
        ]
    })
}

fn took(run: &RunView) -> String {
    let pulled = &run.pulled;
    format!(
        "{} new, {} changed, {} gone",
        pulled.new, pulled.changed, pulled.gone
    )
}

fn gave(run: &RunView) -> String {
    let pushed = &run.pushed;
    format!("{}, {} taken back", pushed.records, pushed.retracts)
}

fn end(run: &RunView) -> String {
    match &run.sentence {
        Some(sentence) => format!("{}: {sentence}", run.outcome),
        None => run.outcome.clone(),
    }
}

fn show(context: &Context, run_no: i64) -> Result<()> {
    let node = context.node()?;
    let (run, rows) = query_run(&node, run_no)?;
    if context.json() {
        output::json(&run)?;
    } else {
        output::line(format!("run      {} ({})", run.run, run.road))?;
        output::line(format!("with     {}", clean(&short(&run.name, NAME_CHARS))))?;
        output::line(format!("when     {}", run.at))?;
        output::line(format!("end      {}", clean(&end(&run))))?;
        output::line(format!("took     {}", took(&run)))?;
        output::line(format!("gave     {}", gave(&run)))?;
    }
    records(context, &rows)
}

/// Lists what came and went by a run.
pub fn list_records(context: &Context, node: &Node, run_no: i64) -> Result<()> {
    records(context, &query_run(node, run_no)?.1)
}

fn records(context: &Context, records: &[RunRecordView]) -> Result<()> {
    let columns = ["way", "what", "home", "kind", "rev", "id", "text", "since"];
    let empty = "No record that came or went by it is held here still.";
    output::list(context, records, &columns, empty, |record| {
        vec![
            record.way.to_owned(),
            record.action.to_owned(),
            short(&record.home, NAME_CHARS),
            record.kind.to_string(),
            record.rev.to_string(),
            record.id.to_string(),
            short(&record.headline, 40),
            since(record).to_owned(),
        ]
    })?;
    if records.len() as u64 == RUN_RECORDS_MAX {
        context.say(format!(
            "The first {} are listed.",
            count(RUN_RECORDS_MAX, "record", "records")
        ));
    }
    Ok(())
}

/// What became of it since.
fn since(record: &RunRecordView) -> &'static str {
    match (record.action, record.live) {
        ("put", true) => "stands",
        ("put", false) => "replaced or taken back",
        _ => "",
    }
}
