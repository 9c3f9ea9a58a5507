//! `wb upgrade`

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use wb_node::command::upgrade::{rehearse, upgrade};
use wb_node::view::UpgradeView;
use wb_node::{ErrorKind, entropy};

use super::backup::size;
use crate::context::Context;
use crate::output::{self, clean};

/// Bring every file to the format of this version
#[derive(Debug, Args)]
pub struct Upgrade {
    /// Try it on copies and change nothing: steps, time, room, and whether the result is sound
    #[arg(long)]
    check: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    view: &'a UpgradeView,
    milliseconds: i64,
}

/// Upgrades, or tries it.
pub fn run(context: &Context, args: &Upgrade) -> Result<ExitCode> {
    let start = entropy::now();
    let view = if args.check {
        rehearse(context.home())?
    } else {
        upgrade(context.home())?
    };
    let milliseconds = entropy::now().unix_ms() - start.unix_ms();
    if context.json() {
        output::json(&Shown {
            view: &view,
            milliseconds,
        })?;
    } else {
        show(context, &view, milliseconds)?;
    }
    Ok(if view.good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(ErrorKind::Failed.exit_code())
    })
}

fn show(context: &Context, view: &UpgradeView, milliseconds: i64) -> Result<()> {
    for file in &view.files {
        let what = match &file.problem {
            Some(problem) => format!("FAILED: {}", clean(problem)),
            None if file.found == file.known => "nothing to do".to_owned(),
            None if view.tried => format!("would become format {}", file.known),
            None => format!(
                "is format {} now; {} holds what it was",
                file.known, file.kept
            ),
        };
        output::line(format!(
            "{:10}  format {}, {}: {what}",
            file.file,
            file.found,
            size(file.bytes)
        ))?;
    }
    for problem in &view.problems {
        output::line(format!("WRONG       {}", clean(problem)))?;
    }
    if !view.tried {
        return Ok(());
    }
    let free = view.free_bytes.map_or("unknown".to_owned(), size);
    output::line(format!(
        "took        {}.{} s on copies",
        milliseconds / 1_000,
        milliseconds % 1_000 / 100
    ))?;
    output::line(format!(
        "room        {} needed, {free} free",
        size(view.needed_bytes)
    ))?;
    let is_due = view.files.iter().any(|file| file.found != file.known);
    context.say(if view.good && !is_due {
        "Every file has the format of this version."
    } else if view.good {
        "The upgrade would go through. Any command of this version does it, and keeps a copy of each file first."
    } else {
        "The upgrade would not go through. Nothing was changed; the version before this one opens these files."
    });
    Ok(())
}
