//! `wb restore`: settles the copy in this folder, so that it can go on without contradicting what was published.

mod settle;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::context::Context;

/// Settle this copy of a folder: what was published since comes back, and it goes on without a fork
#[derive(Debug, Args)]
pub struct Restore {
    /// Go on although nobody can be asked for what was published since
    #[arg(long)]
    offline: bool,
    /// A bundle that may hold what this instance published; more than one can be named
    #[arg(long = "from", value_name = "BUNDLE")]
    bundles: Vec<PathBuf>,
}

/// Restores.
pub fn run(context: &Context, args: &Restore) -> Result<ExitCode> {
    settle::run(context, args.offline, &args.bundles)
}
