//! The command line as clap reads it: one enum a noun, one struct a command, each in the file of its
//! command.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands;

/// Run your own invite-only mutual-aid community, and share only what you choose with communities
/// you trust.
#[derive(Debug, Parser)]
#[command(name = "wb", version, propagate_version = true, arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done · 1 error · 2 usage · 3 pending or needs approval · 4 verification failed · \
5 conflict or hold · 6 peer unreachable · 7 version skew
Settings: flags > WB_* variables > config.toml > default; `wb config show` names the origin of each.";

/// What every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Folder that holds all state of the instance
    #[arg(long, global = true, env = "WB_HOME", value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// Act as this member instead of the founder
    #[arg(long = "as", global = true, value_name = "HANDLE")]
    pub act_as: Option<String>,
    /// Print JSON (docs/json.md); lists are one object a line
    #[arg(long, global = true)]
    pub json: bool,
    /// Answer every question with yes
    #[arg(long, short, global = true)]
    pub yes: bool,
    /// Print results and errors only
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Name each record that is sealed or imported
    #[arg(long, short, global = true)]
    pub verbose: bool,
    /// When to use colour; NO_COLOR is honoured
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "auto",
        value_name = "WHEN"
    )]
    pub color: Color,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// When a person looks at a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Every command that works.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Try it: a hub and three communities share, preview, exchange and take back
    Demo(commands::demo::Demo),
    /// Run the node of this folder until Ctrl-C
    Up(commands::up::Up),
    /// Found an instance
    Init(commands::init::Init),
    /// Become a member of a hub, look at what it offers, and take what you accept
    Join(commands::join::Join),
    /// Show what is here, what left, what would leave, and what of others is held
    Status,
    /// List what was set aside or needs a person: what happened, what is safe, what to do next
    Inbox(commands::inbox::Inbox),
    /// Check that every file is sound
    Doctor,
    /// Follow an instance, or everybody a hub lists (HUB/*)
    Follow(commands::follow::Follow),
    /// Follow an instance, or everybody a hub lists, no longer
    Unfollow(commands::follow::Follow),
    /// Hubs and peers, and where it stands with each
    #[command(subcommand)]
    Peer(commands::peer::Peer),
    /// Take what others published, seal what is marked, and give what hubs lack
    Sync(commands::sync::Sync),
    /// Seal what is marked to be shared into the feeds of this instance
    Publish(commands::publish::Publish),
    /// Records of any kind, and how far each may go
    #[command(subcommand)]
    Record(commands::record::Record),
    /// Requests for help
    #[command(subcommand)]
    Request(commands::request::Request),
    /// Requests about which their home and those who help disagree
    #[command(subcommand)]
    Conflict(commands::conflict::Conflict),
    /// Comments on requests
    #[command(subcommand)]
    Comment(commands::comment::Comment),
    /// Offers of help: yours, and those made to you
    #[command(subcommand)]
    Offer(commands::offer::Offer),
    /// Members
    #[command(subcommand)]
    User(commands::user::User),
    /// Browsers that use the pages
    #[command(subcommand)]
    Session(commands::session::Session),
    /// People and communities that wait for a decision
    #[command(subcommand)]
    Review(commands::review::Review),
    /// What hubs decided about communities and records, and what is done with it here
    #[command(subcommand)]
    Notice(commands::notice::Notice),
    /// What instances say about each other, and how far each is trusted here
    #[command(subcommand)]
    Vouch(commands::vouch::Vouch),
    /// Invites
    #[command(subcommand)]
    Invite(commands::invite::Invite),
    /// Exchange feeds in a file
    #[command(subcommand)]
    Bundle(commands::bundle::Bundle),
    /// Hubs: becoming a member, running one, and its members
    #[command(subcommand)]
    Hub(commands::hub::Hub),
    /// The keys that speak for this instance
    #[command(subcommand)]
    Key(commands::key::Key),
    /// Put everything this instance is into one encrypted file
    Backup(commands::backup::Backup),
    /// Put an instance from a backup into a folder, or settle the copy in it so that it can go on
    Restore(commands::restore::Restore),
    /// Close this instance: announced with a date, then everything shared is taken back for good
    Retire(commands::retire::Retire),
    /// Bring every file to the format of this version
    Upgrade(commands::upgrade::Upgrade),
    /// Make everything that is shown again from what is stored
    Rebuild,
    /// Move over from another program
    #[command(subcommand)]
    Import(commands::import::Import),
    /// Settings
    #[command(subcommand)]
    Config(commands::config::Config),
    /// Run simulated nodes and hubs with faults, and check that they end up equal
    Sim(commands::sim::Sim),
    /// Print completions for a shell
    Completions(commands::completions::Completions),
    /// Print the manual page
    Man,
}
