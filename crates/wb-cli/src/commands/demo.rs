//! `wb demo` stub
use crate::context::Context;
use anyhow::Result;
use clap::Args;
use std::process::ExitCode;
/// Try it
#[derive(Debug, Args)]
pub struct Demo {
    /// Do everything once, remove the folder and end
    #[arg(long)]
    once: bool,
}
/// x
pub fn run(_context: &Context, _args: &Demo) -> Result<ExitCode> {
    Ok(ExitCode::SUCCESS)
}
