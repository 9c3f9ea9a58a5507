//! `wb import` stub
use crate::context::Context;
use anyhow::Result;
use clap::Subcommand;
use std::path::PathBuf;
/// Move over from another program
#[derive(Debug, Subcommand)]
pub enum Import {
    /// Take the database of the Python program of the same name
    Whiteballoon {
        /// Its app.db
        file: PathBuf,
        /// Report what would move, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
}
/// x
pub fn run(_context: &Context, _args: &Import) -> Result<()> {
    Ok(())
}
