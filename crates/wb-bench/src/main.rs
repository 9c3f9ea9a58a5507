//! `wb-bench`: how fast syncing is, how many bytes it sends and how much memory it takes.
//!
//! Hub, publisher and follower are processes of their own (this program again, in a role), talk over
//! sockets on loopback and keep SQLite files, so that CPU time and peak memory of each side are its
//! own. What is measured and how it is read is in `docs/benchmarks.md`.

mod all;
mod child;
mod cli;
mod client;
mod clock;
mod error;
mod folder;
mod held;
mod limit;
mod load;
mod machine;
mod many;
mod number;
mod program;
mod role;
mod round;
mod spread;
mod table;
mod usage;
mod words;
mod workload;

use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Role};
use error::Result;
use machine::Machine;

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wb-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    match &cli.role {
        Some(Role::All(input)) => all::all(input, cli.dir.as_deref()),
        Some(Role::Many(input)) => many::many(input, cli.dir.as_deref()),
        Some(role) => role::run(role),
        None => {
            let before = Machine::now();
            let runs = round::all(cli)?;
            if !cli.json {
                println!("Begun {before}; ended {}.\n", Machine::now());
                print!("{}", table::markdown(&runs));
            }
            Ok(())
        }
    }
}
