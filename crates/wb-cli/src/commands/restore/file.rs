//! `wb restore FILE`: an instance from a backup into a folder.

use std::path::Path;

use anyhow::Result;
use wb_node::backup::{Secret, needs_passphrase};
use wb_node::command::restore_file::{check_file, restore_file};
use wb_node::view::RestoredView;

use super::super::backup::{quoted, shown, size};
use super::Restore;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, clean, count};
use crate::secret_input::{ask_passphrase, ask_words, passphrase_from, words_from};

/// Restores a backup, or only reads it.
pub fn run(context: &Context, file: &Path, args: &Restore) -> Result<()> {
    let secret = secret(context, file, args)?;
    let bar = context.progress("reading");
    let mut progress = shown(&bar);
    let done = if args.check {
        check_file(file, &secret, &mut progress)
    } else {
        restore_file(context.home(), file, &secret, args.replace, &mut progress)
    };
    bar.finish_and_clear();
    let done = done.map_err(where_it_is)?;
    show(context, &done)
}

/// The words or the passphrase, whichever opens this file.
fn secret(context: &Context, file: &Path, args: &Restore) -> Result<Secret> {
    if let Some(path) = &args.words_file {
        return Ok(Secret::Words(words_from(path)?));
    }
    if let Some(path) = &args.passphrase_file {
        return Ok(Secret::Passphrase(passphrase_from(path)?));
    }
    let by_passphrase = needs_passphrase(file)?;
    let asked = if by_passphrase {
        ask_passphrase(context, "Passphrase of this backup: ")?.map(Secret::Passphrase)
    } else {
        ask_words(context)?.map(Secret::Words)
    };
    asked.ok_or_else(|| {
        let (what, option) = if by_passphrase {
            ("its passphrase", "--passphrase-file")
        } else {
            ("the recovery words", "--words-file")
        };
        Failure::usage(
            format!("this backup is opened by {what}, and nobody is at a terminal to type it"),
            format!("put it into a file that only you can read, and name that with {option}; nothing was changed"),
        )
        .into()
    })
}

/// A folder that holds something is named with what to do about it here.
fn where_it_is(error: wb_node::NodeError) -> anyhow::Error {
    match error {
        wb_node::NodeError::Store(wb_store::StoreError::AlreadyFounded(dir)) => Failure::usage(
            format!("{} holds an instance, or files of one", dir.display()),
            "nothing was changed; name an empty folder with --home, or move what is there aside with --replace",
        )
        .into(),
        other => other.into(),
    }
}

fn show(context: &Context, done: &RestoredView) -> Result<()> {
    if context.json() {
        return output::json(done);
    }
    let holds = done.holds.iter();
    let holds: Vec<String> = holds
        .map(|part| format!("{} {}", part.name, size(part.bytes)))
        .collect();
    output::line(format!("{}  {}", clean(&done.name), done.id))?;
    output::line(format!(
        "made       {} by {}",
        done.made_at,
        clean(&done.software)
    ))?;
    output::line(format!("holds      {}", holds.join(", ")))?;
    let Some(home) = &done.home_dir else {
        context.say("The backup is whole and opens; nothing was changed.");
        return Ok(());
    };
    output::line(format!("restored   to {home}"))?;
    if let Some(aside) = &done.replaced {
        output::line(format!("before     what was there is in {aside}"))?;
    }
    if done.erased_again > 0 {
        output::line(format!(
            "erased     {} again, because this folder was told to since",
            count(done.erased_again, "account", "accounts")
        ))?;
    }
    context.say(format!(
        "It is an older copy of itself, so it publishes nothing yet: what others have of it since then is not here.\n\
         Next: wb --home {} restore",
        quoted(Path::new(home))
    ));
    Ok(())
}
