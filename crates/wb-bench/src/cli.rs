//! The command line: what is measured, and the roles that the program plays for itself.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use wb_core::id::InstanceId;

/// Measure syncing through a hub: bootstrap (T1), 100 changes (T2), nothing changed (T3), and the push. With `all`:
/// every figure, in one table
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
    #[arg(long, value_name = "DIR", global = true)]
    pub dir: Option<PathBuf>,
    /// Everything, or a part that this program plays for itself
    #[command(subcommand)]
    pub role: Option<Role>,
}

/// What is done. All but the first are one process of a measurement: it prints one line of JSON and stays until its
/// input ends, so that what it used can be read from outside.
#[derive(Debug, Subcommand)]
pub enum Role {
    /// Measure every figure beside its limit, in one table; under 15 minutes on two cores
    All(All),
    /// Put a hub under the load of many communities: those that wait for news, and pushes as fast as it takes them
    Many(Many),
    /// Found an instance, write N records and seal them
    #[command(hide = true)]
    Found(Found),
    /// Be a hub
    #[command(hide = true)]
    Hub(HubIn),
    /// Register at a hub; with --follow found the instance first, and follow
    #[command(hide = true)]
    Join(Join),
    /// Found many instances that register and push a few records each
    #[command(hide = true)]
    Crowd(Crowd),
    /// Change 100 records: 80 new, 20 revised
    #[command(hide = true)]
    Change(Change),
    /// Tell what the lines of a change cost anybody
    #[command(hide = true)]
    Changed(Change),
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
    /// Insert what a node keeps of each record into plain tables that have its columns and indexes
    #[command(hide = true)]
    Tables(InHome),
    /// Pack and unpack the same lines, and write them as PostgreSQL reads them
    #[command(hide = true)]
    Lines(WithFile),
    /// Write a bundle
    #[command(hide = true)]
    Export(WithFile),
    /// Found an instance and take a bundle
    #[command(hide = true)]
    Import(WithFile),
    /// Verify a bundle
    #[command(hide = true)]
    Verify(OfFile),
    /// Change, publish and push one record, again and again
    #[command(hide = true)]
    One(Times),
    /// Ask a hub and a server of files for the same body, in turns
    #[command(hide = true)]
    Serving(Serving),
    /// Work out levels of many instances
    #[command(hide = true)]
    Trust(Instances),
    /// Serve the pages of a node
    #[command(hide = true)]
    Site(InHome),
    /// Serve the files of a folder
    #[command(hide = true)]
    Files(InHome),
}

/// Everything.
#[derive(Debug, Args)]
pub struct All {
    /// Under two minutes: fewer records and rounds
    #[arg(long, conflicts_with = "smoke")]
    pub quick: bool,
    /// The least that shows that everything runs; says nothing about speed
    #[arg(long)]
    pub smoke: bool,
    /// Print the table as JSON instead of Markdown
    #[arg(long = "json")]
    pub as_json: bool,
    /// Also write the table as Markdown and JSON, and growth curves as SVG, into this folder
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,
}

/// Where the files of an instance are.
#[derive(Debug, Args)]
pub struct InHome {
    /// The folder
    #[arg(long)]
    pub home: PathBuf,
}

/// Where a hub keeps its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Keeps {
    /// In a file
    File,
    /// In PostgreSQL: a server of its own, which is thrown away
    Postgres,
}

/// Where the files of a hub are, and its data.
#[derive(Debug, Args)]
pub struct HubIn {
    /// The folder
    #[arg(long)]
    pub home: PathBuf,
    /// The address of a database, where the data are not in a file
    #[arg(long)]
    pub store: Option<String>,
}

/// How many communities do what.
#[derive(Debug, Args)]
pub struct Many {
    /// Communities that are registered
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(2..))]
    pub members: u64,
    /// How many of them wait for news
    #[arg(long, default_value_t = 500)]
    pub waiting: u64,
    /// How many others each of those follows
    #[arg(long, default_value_t = 20)]
    pub follows: u64,
    /// Pushes at once
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    pub pushing: u32,
    /// Seconds in which they push
    #[arg(long, default_value_t = 300)]
    pub seconds: u64,
    /// Where the hub keeps its data; for each everything is done anew
    #[arg(long, value_enum, value_delimiter = ',', default_value = "file")]
    pub store: Vec<Keeps>,
    /// Records that the hub holds before; for each number everything is done anew
    #[arg(long, value_delimiter = ',', default_value = "20000,200000")]
    pub stored: Vec<u64>,
}

/// Where the files of an instance are, and another file.
#[derive(Debug, Args)]
pub struct WithFile {
    /// The folder
    #[arg(long)]
    pub home: PathBuf,
    /// The file
    #[arg(long)]
    pub file: PathBuf,
}

/// A file.
#[derive(Debug, Args)]
pub struct OfFile {
    /// The file
    #[arg(long)]
    pub file: PathBuf,
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

/// Which change of which records.
#[derive(Debug, Args)]
pub struct Change {
    /// The folder
    #[arg(long)]
    pub home: PathBuf,
    /// How many there were at first
    #[arg(long)]
    pub n: u64,
    /// How many changes there were before
    #[arg(long, default_value_t = 0)]
    pub nth: u64,
}

/// How often.
#[derive(Debug, Args)]
pub struct Times {
    /// The folder
    #[arg(long)]
    pub home: PathBuf,
    /// How often
    #[arg(long)]
    pub times: u32,
}

/// What is asked for the same body.
#[derive(Debug, Args)]
pub struct Serving {
    /// The folder of the member that asks
    #[arg(long)]
    pub home: PathBuf,
    /// The address of the server of files
    #[arg(long)]
    pub files: String,
    /// The folder that it serves
    #[arg(long = "of")]
    pub dir: PathBuf,
    /// How many turns
    #[arg(long)]
    pub times: u32,
}

/// How many instances.
#[derive(Debug, Args)]
pub struct Instances {
    /// How many
    #[arg(long)]
    pub n: u64,
    /// How often
    #[arg(long)]
    pub times: u32,
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
    #[arg(long, value_delimiter = ',')]
    pub follow: Vec<InstanceId>,
}

/// How many instances, at which hub.
#[derive(Debug, Args)]
pub struct Crowd {
    /// The folder that theirs are made in
    #[arg(long)]
    pub home: PathBuf,
    /// How many
    #[arg(long)]
    pub n: u64,
    /// The hub's link
    #[arg(long)]
    pub hub: String,
}
