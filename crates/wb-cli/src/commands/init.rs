//! `wb init`

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use wb_node::command::init;

use crate::context::Context;
use crate::failure::Failure;
use crate::output;

/// Found an instance
#[derive(Debug, Args)]
pub struct Init {
    /// Name of the community
    #[arg(long)]
    name: String,
    /// Handle of the founder, who is its first admin
    #[arg(long, default_value = "admin", value_name = "HANDLE")]
    admin: String,
    /// Put the recovery words on a sheet in this new file instead of showing them
    #[arg(long, value_name = "FILE")]
    words_file: Option<PathBuf>,
}

#[derive(Serialize)]
struct Founded<'a> {
    schema_version: u32,
    id: String,
    name: &'a str,
    admin: &'a str,
    home_dir: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_words: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    words_file: Option<String>,
}

/// Founds the instance and shows the words once.
pub fn run(context: &Context, args: &Init) -> Result<()> {
    make(context, args)?;
    if !context.json() {
        context.say("Nothing leaves this node before you publish, sync or export; then its card (name and versions) does, and what you \
             marked. Next: `wb request add`, `wb status`.");
    }
    Ok(())
}

/// Founds an instance for another command that needs one.
pub fn found(context: &Context, name: &str, words_file: Option<&Path>) -> Result<()> {
    let args = Init {
        name: name.to_owned(),
        admin: "admin".to_owned(),
        words_file: words_file.map(Path::to_owned),
    };
    make(context, &args)
}

fn make(context: &Context, args: &Init) -> Result<()> {
    let shown = args.words_file.is_none();
    if shown && !context.json() && !context.can_ask() {
        return Err(Failure::usage(
            "the recovery words have nowhere to go: they are shown once, and nobody is at a terminal",
            "put them on a sheet with --words-file FILE, or take them from the output of --json; nothing was made",
        )
        .into());
    }
    let input = init::Init {
        name: &args.name,
        admin: &args.admin,
        words_file: args.words_file.as_deref(),
    };
    let founded = init::init(context.home(), &input)?;
    let id = founded.node.own_id();
    let home_dir = context.home().dir().display().to_string();
    if context.json() {
        return output::json(&Founded {
            schema_version: 1,
            id: id.to_string(),
            name: &args.name,
            admin: &args.admin,
            home_dir,
            recovery_words: shown.then_some(founded.words.as_str()),
            words_file: args
                .words_file
                .as_ref()
                .map(|path| path.display().to_string()),
        });
    }
    output::line(format!(
        "Founded {} in {home_dir}",
        output::clean(&args.name)
    ))?;
    output::line(format!("instance id  {id}"))?;
    output::line(format!("founder      {}", output::clean(&args.admin)))?;
    match &args.words_file {
        Some(path) => output::line(format!(
            "The recovery words are in {}. Print it, keep it away from this computer, delete the file.",
            path.display()
        ))?,
        None => show_words(&founded.words)?,
    }
    Ok(())
}

/// Shows the words in numbered rows that are easy to copy by hand.
pub fn show_words(words: &str) -> Result<()> {
    output::line(
        "\nWrite these recovery words on paper, in this order, with the instance id. They are shown",
    )?;
    output::line(
        "only now; whoever has them can take over the instance, and nobody can make them again.\n",
    )?;
    let words: Vec<&str> = words.split(' ').collect();
    for (row, chunk) in words.chunks(4).enumerate() {
        let cells = chunk
            .iter()
            .enumerate()
            .map(|(i, word)| format!("{:2} {word:<10}", row * 4 + i + 1));
        output::line(format!(
            "   {}",
            cells.collect::<Vec<_>>().join(" ").trim_end()
        ))?;
    }
    output::line("")
}
