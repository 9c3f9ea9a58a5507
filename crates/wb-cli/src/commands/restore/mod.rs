//! `wb restore`: an instance from a backup, and settling a copy so that it can go on without contradicting what
//! was published.

mod file;
mod settle;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use wb_core::id::InstanceId;
use wb_core::sync::Visibility;

use crate::context::Context;

/// Put an instance from a backup into a folder, or settle the copy in it so that it can go on
#[derive(Debug, Args)]
pub struct Restore {
    /// The backup; without one, the copy in this folder is settled: what was published since comes back
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Read it to its end and change nothing
    #[arg(long, conflicts_with = "replace", requires = "file")]
    check: bool,
    /// Move the instance that is in the folder aside, into a folder in it
    #[arg(long, requires = "file")]
    replace: bool,
    /// Take the recovery words from this file (the sheet will do) instead of asking
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_file")]
    words_file: Option<PathBuf>,
    /// Take the passphrase from the first line of this file instead of asking
    #[arg(long, value_name = "FILE", requires = "file")]
    passphrase_file: Option<PathBuf>,
    /// Settle although nobody can be asked for what was published since
    #[arg(long, conflicts_with = "file")]
    offline: bool,
    /// A bundle that may hold what this instance published; more than one can be named
    #[arg(long = "from", value_name = "BUNDLE", conflicts_with = "file")]
    bundles: Vec<PathBuf>,
    /// With disk and backup gone: take what was published from this hub or bundle, by the recovery words; name every
    /// place there is, one after the other
    #[arg(long, value_name = "HUB|BUNDLE", conflicts_with_all = ["file", "offline", "bundles"])]
    words: Vec<String>,
    /// With --words: a file that is not there yet, for the sheet of the words from here on
    #[arg(long, value_name = "FILE", requires = "words")]
    new_words_file: Option<PathBuf>,
    /// With --words: the instance, where the sheet is not in a file
    #[arg(long, value_name = "ID", requires = "words")]
    id: Option<InstanceId>,
    /// With --words: its name, where the sheet is not in a file
    #[arg(long, requires = "words")]
    name: Option<String>,
    /// With --words: the handle of the new admin
    #[arg(long, value_name = "HANDLE", requires = "words")]
    admin: Option<String>,
    /// With --words: to whom the hub is to show this instance: public (everybody; the default), members or unlisted
    #[arg(long, requires = "words", value_parser = super::registration::visibility, value_name = "WHO")]
    visibility: Option<Visibility>,
    /// With --words: the same as --visibility unlisted
    #[arg(long, requires = "words", conflicts_with = "visibility")]
    unlisted: bool,
    /// With --words: the hub is in the own network
    #[arg(long, requires = "words")]
    lan: bool,
}

impl Restore {
    fn visibility(&self) -> Visibility {
        let asked = if self.unlisted {
            Some(Visibility::Unlisted)
        } else {
            self.visibility
        };
        asked.unwrap_or(Visibility::Public)
    }
}

/// Restores.
pub fn run(context: &Context, args: &Restore) -> Result<ExitCode> {
    if !args.words.is_empty() {
        return words::run(context, &args.words, args);
    }
    match &args.file {
        Some(file) => file::run(context, file, args).map(|()| ExitCode::SUCCESS),
        None => settle::run(context, args.offline, &args.bundles),
    }
}
