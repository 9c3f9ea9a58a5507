//! `wb doctor`

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use wb_node::ErrorKind;
use wb_store::relay::Relay;
use wb_store::{Finding, Store};

use crate::context::Context;
use crate::hub_store::noted_elsewhere;
use crate::output;

#[derive(Serialize)]
struct Check<'a> {
    schema_version: u32,
    check: &'a str,
    looked_at: u64,
    sound: bool,
    problems: &'a [String],
}

/// Checks every file; ends with 1 when something is wrong.
pub fn run(context: &Context) -> Result<ExitCode> {
    let mut store = Store::open(context.home()).map_err(wb_node::NodeError::from)?;
    let mut findings = store.check().map_err(wb_node::NodeError::from)?;
    let hub = context.home().hub();
    if hub.exists() {
        let relay = Relay::existing(&hub).map_err(wb_node::NodeError::from)?;
        findings.extend(relay.check().map_err(wb_node::NodeError::from)?);
    }
    for finding in &findings {
        show(context, finding)?;
    }
    if let Some(store) = noted_elsewhere(context.home()) {
        context.say(format!(
            "The data of the hub of this folder are in {store}. They were not looked at: that is for the server's own tools."
        ));
    }
    let sound = findings.iter().all(|finding| finding.problems.is_empty());
    if sound {
        context.say("Everything is sound.");
        return Ok(ExitCode::SUCCESS);
    }
    context
        .say("Something is wrong. Nothing was changed; keep a copy of the folder before you act.");
    Ok(ExitCode::from(ErrorKind::Failed.exit_code()))
}

fn show(context: &Context, finding: &Finding) -> Result<()> {
    let Finding {
        check,
        looked_at,
        problems,
    } = finding;
    let sound = problems.is_empty();
    if context.json() {
        return output::json(&Check {
            schema_version: 1,
            check,
            looked_at: *looked_at,
            sound,
            problems,
        });
    }
    let word = if sound { "sound" } else { "WRONG" };
    output::line(format!("{word}  {check} ({looked_at} looked at)"))?;
    problems
        .iter()
        .try_for_each(|problem| output::line(format!("       {}", output::clean(problem))))
}
