//! `wb`, the one program of WhiteBalloon.
//!
//! Reads the command line, runs one command, and turns an error into a message, a hint and an exit
//! code. Rules and data are in the libraries; the only thing decided here is how to say it.

mod cli;
mod commands;
mod context;
mod failure;
mod hub_store;
mod output;
mod passphrase;
mod runtime;
mod secret_input;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let json = cli.global.json;
    match context::Context::new(cli.global).and_then(|context| commands::run(&context, cli.command))
    {
        Ok(code) => code,
        Err(error) => failure::report(&error, json),
    }
}
