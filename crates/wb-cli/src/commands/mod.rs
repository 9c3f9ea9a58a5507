//! One file per noun; each holds the arguments of its commands, runs them and prints what came of it.

pub mod backup;
pub mod bundle;
pub mod comment;
pub mod completions;
pub mod config;
pub mod conflict;
pub mod demo;
pub mod doctor;
pub mod follow;
pub mod hub;
mod hub_admin;
mod hub_bundle;
mod hub_invite;
mod hub_moderate;
mod hub_move;
pub mod hub_up;
pub mod hub_watch;
pub mod import;
pub mod inbox;
pub mod init;
pub mod invite;
pub mod join;
pub mod key;
pub mod notice;
pub mod offer;
pub mod peer;
pub mod publish;
pub mod rebuild;
pub mod record;
mod registration;
pub mod request;
pub mod restore;
pub mod retire;
pub mod review;
pub mod serve;
pub mod session;
pub mod sim;
pub mod status;
pub mod sync;
pub mod up;
pub mod upgrade;
pub mod user;
pub mod vouch;

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::Command;
use crate::context::Context;

/// Runs one command.
pub fn run(context: &Context, command: Command) -> Result<ExitCode> {
    match command {
        Command::Demo(args) => demo::run(context, &args),
        Command::Init(args) => init::run(context, &args).map(done),
        Command::Hub(command) => hub::run(context, &command),
        Command::Join(args) => join::run(context, &args),
        Command::Status => status::run(context).map(done),
        Command::Inbox(args) => inbox::run(context, &args).map(done),
        Command::Doctor => doctor::run(context),
        Command::Up(args) => up::run(context, &args).map(done),
        Command::Key(command) => key::run(context, &command).map(done),
        Command::Follow(args) => follow::follow(context, &args).map(done),
        Command::Unfollow(args) => follow::unfollow(context, &args).map(done),
        Command::Peer(command) => peer::run(context, &command),
        Command::Sync(args) => sync::run(context, &args),
        Command::Publish(args) => publish::run(context, &args).map(done),
        Command::Record(command) => record::run(context, command),
        Command::Request(command) => request::run(context, command),
        Command::Conflict(command) => conflict::run(context, command),
        Command::Comment(command) => comment::run(context, command),
        Command::Offer(command) => offer::run(context, command),
        Command::User(command) => user::run(context, command),
        Command::Session(command) => session::run(context, command).map(done),
        Command::Review(command) => review::run(context, command).map(done),
        Command::Notice(command) => notice::run(context, &command).map(done),
        Command::Invite(command) => invite::run(context, command),
        Command::Bundle(command) => bundle::run(context, command),
        Command::Backup(args) => backup::run(context, &args).map(done),
        Command::Restore(args) => restore::run(context, &args),
        Command::Vouch(command) => vouch::run(context, &command),
        Command::Retire(args) => retire::run(context, &args).map(done),
        Command::Upgrade(args) => upgrade::run(context, &args),
        Command::Rebuild => rebuild::run(context).map(done),
        Command::Import(command) => import::run(context, &command).map(done),
        Command::Config(command) => config::run(context, &command).map(done),
        Command::Sim(args) => sim::run(context, &args),
        Command::Completions(args) => completions::run(&args).map(done),
        Command::Man => completions::man().map(done),
    }
}

fn done((): ()) -> ExitCode {
    ExitCode::SUCCESS
}
