//! `wb conflict`

use std::process::ExitCode;

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use wb_core::kinds::To;
use wb_node::ErrorKind;
use wb_node::command::conflict_settle::conflict_settle;
use wb_node::query::conflicts::{ConflictView, conflict, conflicts};

use super::request::tell_standing;
use crate::context::{self, Context};
use crate::output::{self, clean, short};

/// Requests about which their home and those who help disagree
#[derive(Debug, Subcommand)]
pub enum Conflict {
    /// List requests about which their home and those who help disagree
    List,
    /// Show who says what about one request; exit code 5 while it is contested
    Show {
        /// The request: its id, enough of it, or ORIGIN/ID
        id: String,
    },
    /// End it with one word of this community, which has heard everybody who helps
    Settle {
        /// The own request
        id: String,
        /// Where it stands
        #[arg(long, value_enum)]
        to: Value,
        /// A word along with it
        #[arg(long)]
        note: Option<String>,
    },
}

/// Where a request can stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Value {
    /// Help is needed
    Open,
    /// Help was given
    Completed,
    /// Help is not needed any more
    Cancelled,
}

impl From<Value> for To {
    fn from(value: Value) -> Self {
        match value {
            Value::Open => Self::Open,
            Value::Completed => Self::Completed,
            Value::Cancelled => Self::Cancelled,
        }
    }
}

/// Runs a command of this noun.
pub fn run(context: &Context, command: Conflict) -> Result<ExitCode> {
    match command {
        Conflict::List => list(context).map(|()| ExitCode::SUCCESS),
        Conflict::Show { id } => show(context, &id),
        Conflict::Settle { id, to, note } => settle(context, &id, to.into(), note.as_deref()),
    }
}

fn list(context: &Context) -> Result<()> {
    let conflicts = conflicts(&context.node()?)?;
    let columns = ["id", "shown as", "home", "title", "who settles it"];
    let empty = "Nobody disagrees about a request.";
    output::list(context, &conflicts, &columns, empty, |conflict| {
        let request = &conflict.request;
        vec![
            request.base.id.to_string(),
            request.status.as_str().to_owned(),
            request.base.home.clone(),
            short(&request.title, 50),
            who_settles(conflict),
        ]
    })
}

fn who_settles(conflict: &ConflictView) -> String {
    match (conflict.settled_here, conflict.settles_at) {
        (false, _) => conflict.request.base.home.clone(),
        (true, None) => "you, with `wb conflict settle`".to_owned(),
        (true, Some(at)) => format!("you, with `wb conflict settle`, or by itself at {at}"),
    }
}

fn show(context: &Context, id: &str) -> Result<ExitCode> {
    let node = context.node()?;
    let key = context::record(&node, id)?;
    let conflict = conflict(&node, &key)?;
    tell(context, &conflict)?;
    Ok(if conflict.request.contested {
        ExitCode::from(ErrorKind::Conflict.exit_code())
    } else {
        ExitCode::SUCCESS
    })
}

fn tell(context: &Context, conflict: &ConflictView) -> Result<()> {
    if context.json() {
        return output::json(conflict);
    }
    let request = &conflict.request;
    output::line(output::heading(context, &clean(&request.title)))?;
    output::line(format!(
        "{} · {} · {}",
        request.status.as_str(),
        clean(&request.base.home),
        request.base.id
    ))?;
    if !request.contested {
        output::line("Nobody disagrees about it.")?;
    }
    tell_standing(request)?;
    if request.contested {
        output::line(format!("settled by: {}", clean(&who_settles(conflict))))?;
    }
    Ok(())
}

fn settle(context: &Context, id: &str, to: To, note: Option<&str>) -> Result<ExitCode> {
    let (node, actor) = context.acting()?;
    let key = context::record(&node, id)?;
    conflict_settle(&node, &actor, &key, to, note, None)?;
    tell(context, &conflict(&node, &key)?)?;
    context.say("Settled here; others read it after the next publish, sync or export.");
    Ok(ExitCode::SUCCESS)
}
