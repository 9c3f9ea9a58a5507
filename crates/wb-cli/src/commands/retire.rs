//! `wb retire`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use wb_core::time::Timestamp;
use wb_node::command::retire::{RETIRE_DAYS, RETIRE_DAYS_MAX, retire, retire_undo};
use wb_node::{Actor, Node, NodeError};
use wb_store::AccountState;

use super::user::rights;
use crate::context::Context;
use crate::output::{self, clean, count};

/// Close this instance: announced with a date, then everything shared is taken back for good
#[derive(Debug, Args)]
pub struct Retire {
    /// Days until then, in which it can be undone and members take their data along; 0 closes with the next publish
    #[arg(long, default_value_t = RETIRE_DAYS, value_parser = clap::value_parser!(u32).range(0..=i64::from(RETIRE_DAYS_MAX)))]
    days: u32,
    /// Write everything held about each member into a folder of their own below this one, first
    #[arg(long, value_name = "FOLDER")]
    export: Option<PathBuf>,
    /// Take the announcement back, while there is time
    #[arg(long, conflicts_with_all = ["days", "export"])]
    undo: bool,
}

#[derive(Serialize)]
struct View {
    schema_version: u32,
    closes: Option<Timestamp>,
    exported: Vec<String>,
}

/// Runs it.
pub fn run(context: &Context, input: &Retire) -> Result<()> {
    let (node, actor) = context.acting()?;
    if input.undo {
        retire_undo(&node, &actor)?;
        if context.json() {
            return print(None, Vec::new());
        }
        return output::line("This instance stays open.");
    }
    if !context.yes() {
        let question = format!(
            "This closes {} for everybody: from {} on, everything it shared is taken back, and nothing leaves it ever \
             again. What is here stays here.{}\nType the name of the instance to go on: ",
            clean(node.name()),
            if input.days == 0 {
                "the next publish".to_owned()
            } else {
                format!("{} from now", count(u64::from(input.days), "day", "days"))
            },
            if input.export.is_none() {
                " With --export FOLDER each member's data is written out first."
            } else {
                ""
            }
        );
        if context.ask(&question)?.as_deref() != Some(node.name()) {
            return Err(NodeError::NeedsApproval(
                "nothing was changed; type the name of the instance at a terminal, or give --yes"
                    .to_owned(),
            )
            .into());
        }
    }
    let exported = match &input.export {
        Some(folder) => export_all(&node, &actor, folder)?,
        None => Vec::new(),
    };
    let at = retire(&node, &actor, input.days)?;
    if context.json() {
        return print(Some(at), exported);
    }
    for file in &exported {
        output::line(file)?;
    }
    output::line(format!(
        "This instance closes with the first publish or sync from {at} on."
    ))?;
    context.say(
        "Members read it on every page. Until then `wb retire --undo` takes it back; afterwards nothing does, because \
         others were told. Follow up with `wb publish` or `wb sync` when it is due, or leave `wb up` running; keep the \
         folder until every hub and peer has taken it back.",
    );
    Ok(())
}

fn print(closes: Option<Timestamp>, exported: Vec<String>) -> Result<()> {
    output::json(&View {
        schema_version: 1,
        closes,
        exported,
    })
}

fn export_all(node: &Node, actor: &Actor, folder: &std::path::Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for account in node.store().private().accounts()? {
        if account.state != AccountState::Gone {
            // A handle may hold what a name of a folder cannot: the id is always one.
            let to = folder.join(account.user.to_string());
            files.extend(rights::write_files(node, actor, &account.handle, &to)?);
        }
    }
    Ok(files)
}
