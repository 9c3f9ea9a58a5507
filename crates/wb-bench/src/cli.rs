//! The command line: what is measured, and the roles that the program plays for itself.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use wb_core::id::InstanceId;

/// Measure syncing through a hub: bootstrap (T1), 100 changes (T2), nothing changed (T3), and the push.
#[derive(Debug, Parser)]
#[command(name = "wb-bench", version)]
pub struct Cli {
    /// Numbers of records
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000")]
    pub n: Vec<u64>,
    /// How often everything is measured
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Print one JSON object for each measurement, as it is made, instead of tables
    #[arg(long)]
    pub json: bool,
    /// Work in this folder instead of the system's for temporary files; what is made there is removed
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// A part that this program plays for itself
    #[command(subcommand)]
    pub role: Option<Role>,
}

/// One process of a measurement. It prints one line of JSON and stays until its input ends, so that what
/// it used can be read from outside.
#[derive(Debug, Subcommand)]
pub enum Role {
    /// Found an instance, write N records and seal them
    #[command(hide = true)]
    Found(Found),
    /// Be a hub
    #[command(hide = true)]
    Hub(InHome),
    /// Register at a hub; with --follow found the instance first, and follow
    #[command(hide = true)]
    Join(Join),
    /// Change 100 records: 80 new, 20 revised
    #[command(hide = true)]
    Change(Found),
    /// Push to the hub
    #[command(hide = true)]
    Push(InHome),
    /// Pull from the hub
    #[command(hide = true)]
    Pull(InHome),
    /// Count the records that are shown of others
    #[command(hide = true)]
    Count(InHome),
    /// Insert the same rows into a plain SQLite file
    #[command(hide = true)]
    Limit(InHome),
}

/// Where the files of an instance are.
#[derive(Debug, Args)]
pub struct InHome {
    /// The folder
    #[arg(long)]
    pub home: PathBuf,
}

/// Which records.
#[derive(Debug, Args)]
pub struct Found {
    /// The folder
    #[arg(long)]
    pub home: PathBuf,
    /// How many
    #[arg(long)]
    pub n: u64,
}

/// Which hub.
#[derive(Debug, Args)]
pub struct Join {
    /// The folder
    #[arg(long)]
    pub home: PathBuf,
    /// The hub's link
    #[arg(long)]
    pub hub: String,
    /// Whom to accept by name; everybody else is followed too
    #[arg(long)]
    pub follow: Option<InstanceId>,
}
