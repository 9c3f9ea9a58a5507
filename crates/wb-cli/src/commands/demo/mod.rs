//! `wb demo`: three communities and a hub in a temporary folder, over real sockets.
//!
//! Everything is done by the same use cases as by hand, on real files; what is claimed (what moved, what
//! stayed home, what is gone) is looked up in the bytes. Then all of it stays up until Ctrl-C.

mod bytes;
mod live;
mod story;
mod world;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;
use wb_node::entropy;

use super::serve::runtime;
use crate::context::Context;
use crate::output::{self, heading};
use world::World;

/// Try it: a hub and three communities share, preview, exchange and take back
#[derive(Debug, Args)]
pub struct Demo {
    /// Do everything once, remove the folder and end
    #[arg(long)]
    once: bool,
}

/// What the demonstration did, for programs.
#[derive(Debug, Serialize)]
pub struct Summary {
    schema_version: u32,
    folder: String,
    kept: bool,
    hub: String,
    north_published: u64,
    north_stayed_home: u64,
    south_received: u64,
    north_received: u64,
    round_trips_with_nothing_new: u64,
    taken_back: bool,
    private_words_found_elsewhere: usize,
    public_words_found_elsewhere: usize,
}

/// Runs the demonstration.
pub fn run(context: &Context, args: &Demo) -> Result<ExitCode> {
    let folder =
        std::env::temp_dir().join(format!("wb-demo-{}", &entropy::token().to_string()[..8]));
    let done = tell(context, args, &folder);
    // What went wrong is in the message; half a demonstration is of no use, and neither is what it left.
    let removed = std::fs::remove_dir_all(&folder);
    done?;
    removed.context("removing the folder of the demonstration")?;
    context.say("The folder is removed.");
    Ok(ExitCode::SUCCESS)
}

fn tell(context: &Context, args: &Demo, folder: &std::path::Path) -> Result<()> {
    let shown = Narrator {
        context,
        step: std::cell::Cell::new(0),
    };
    let runtime = runtime()?;
    let mut world = World::new(folder, runtime.handle().clone())?;
    let summary = story::tell(&shown, &mut world)?;
    if context.json() {
        output::json(&Summary {
            kept: !args.once,
            ..summary
        })?;
    }
    if !args.once {
        runtime.block_on(live::stay(context, &mut world))?;
    }
    world.stop();
    Ok(())
}

/// Prints numbered steps.
pub struct Narrator<'c> {
    context: &'c Context,
    step: std::cell::Cell<u32>,
}

impl Narrator<'_> {
    fn step(&self, title: &str) -> Result<()> {
        self.step.set(self.step.get() + 1);
        self.line(&format!(
            "\n{}",
            heading(self.context, &format!("{}. {title}", self.step.get()))
        ))
    }

    fn line(&self, text: &str) -> Result<()> {
        if self.context.json() {
            Ok(())
        } else {
            output::line(text)
        }
    }
}
