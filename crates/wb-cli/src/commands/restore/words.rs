//! `wb restore --words`: with disk and backup gone, from the sheet of words and whoever holds what was published.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use wb_core::id::InstanceId;
use wb_node::command::key_recover::fresh_words;
use wb_node::command::restore::{From, FromWords, restore_words};
use zeroize::Zeroizing;

use super::{Restore, settle};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::clean;
use crate::runtime::wait_for;
use crate::secret_input::{ask_words, words_from};

/// How the lines of a sheet begin that name the instance.
const NAMED: &str = "WhiteBalloon recovery words of ";
const ID: &str = "instance id:";

/// Takes an instance back.
pub fn run(context: &Context, places: &[String], args: &Restore) -> Result<ExitCode> {
    let (words, sheet) = match &args.words_file {
        Some(path) => {
            let sheet = Zeroizing::new(std::fs::read_to_string(path).unwrap_or_default());
            (Some(words_from(path)?), sheet)
        }
        None => (ask_words(context)?, Zeroizing::new(String::new())),
    };
    let words = words.ok_or_else(|| {
        Failure::usage(
            "the recovery words are needed, and nobody is at a terminal to type them",
            "put the sheet into a file that only you can read, and name that with --words-file; nothing was changed",
        )
    })?;
    let line = |start: &str| {
        let mut lines = sheet.lines();
        lines.find_map(|line| line.strip_prefix(start).map(str::trim))
    };
    let id: Option<InstanceId> = args.id.or_else(|| line(ID)?.parse().ok());
    let id = id.ok_or_else(|| {
        Failure::usage(
            "the sheet names the instance, and that is needed as well",
            "name it with --id; nothing was changed",
        )
    })?;
    let name = args.name.as_deref().or_else(|| line(NAMED));
    let name = name.ok_or_else(|| {
        Failure::usage(
            "the instance needs its name",
            "give it with --name, as the sheet has it; nothing was changed",
        )
    })?;
    let new_sheet = args.new_words_file.as_deref().ok_or_else(|| {
        Failure::usage(
            "the words are used up by this, and new ones take their place",
            "name a file for the new sheet with --new-words-file; nothing was changed",
        )
    })?;
    let from = places.iter().map(|place| {
        let path = Path::new(place);
        if path.is_file() {
            From::Bundle(path)
        } else {
            From::Hub {
                address: place,
                lan: args.lan,
                visibility: args.visibility(),
            }
        }
    });
    let from: Vec<From<'_>> = from.collect();
    let input = FromWords {
        words: &words,
        id,
        name,
        from: &from,
        admin: args.admin.as_deref().unwrap_or("admin"),
        new_words: &fresh_words(),
        new_sheet,
    };
    let taken = wait_for(restore_words(context.home(), &input))??;
    settle::tell(context, &taken.restored)?;
    for (name, why) in &taken.unasked {
        context.say(format!("{}: {}", clean(name), clean(why)));
    }
    if taken.only_one {
        context.say(
            "One place alone was asked. Whether it gave all that it holds nobody else can say: if this instance was \
             published elsewhere too, register there as well, and run `wb restore` when a sync says that more is there.",
        );
    }
    context.say(format!(
        "The old words are dead; the new ones are in {}: print it, keep it away from this computer, and delete the file.",
        new_sheet.display()
    ));
    Ok(ExitCode::SUCCESS)
}
