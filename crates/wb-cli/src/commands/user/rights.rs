//! `wb user export` and `wb user erase`

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Serialize;
use wb_node::command::user_erase::{Erased, user_erase};
use wb_node::command::user_export::user_export;
use wb_node::{Actor, Node, NodeError};
use wb_store::{Home, write_private_file};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, clean, count};

#[derive(Serialize)]
struct Exported<'a> {
    schema_version: u32,
    handle: &'a str,
    files: Vec<String>,
}

#[derive(Serialize)]
struct ErasedView<'a> {
    schema_version: u32,
    handle: &'a str,
    records: u64,
    shared: u64,
    copies: Vec<String>,
}

/// `wb user export`
pub fn export(context: &Context, handle: &str, to: &Path) -> Result<()> {
    let (node, actor) = context.acting()?;
    let files = write_files(&node, &actor, handle, to)?;
    if context.json() {
        return output::json(&Exported {
            schema_version: 1,
            handle,
            files,
        });
    }
    for file in &files {
        output::line(file)?;
    }
    context.say(format!(
        "Everything held here about {}. Only your user can read the files; whoever gets them reads it all.",
        clean(handle)
    ));
    Ok(())
}

/// Writes what is held about a member; gives the files. None that is there is written over.
pub fn write_files(node: &Node, actor: &Actor, handle: &str, to: &Path) -> Result<Vec<String>> {
    let files = files(to);
    if let Some((file, _)) = files.iter().find(|(file, _)| file.exists()) {
        let message = format!("{} exists; nothing was written", file.display());
        return Err(Failure::usage(&message, "name a folder or file that does not exist").into());
    }
    let data = user_export(node, actor, handle)?;
    for (file, form) in &files {
        let text = match form {
            Form::Json => data.to_json(),
            Form::Html => wb_web::member_data_page(&data)?,
        };
        let folder = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.exists()) {
            Home::new(folder).create()?;
        }
        write_private_file(file, text.as_bytes())
            .with_context(|| format!("{} could not be written", file.display()))?;
    }
    Ok(files
        .iter()
        .map(|(file, _)| file.display().to_string())
        .collect())
}

#[derive(Clone, Copy)]
enum Form {
    Json,
    Html,
}

/// One file where its name says which, else both in a folder.
fn files(to: &Path) -> Vec<(PathBuf, Form)> {
    let ending = to.extension().and_then(|ending| ending.to_str());
    match ending.map(str::to_ascii_lowercase).as_deref() {
        Some("json") => vec![(to.to_owned(), Form::Json)],
        Some("html" | "htm") => vec![(to.to_owned(), Form::Html)],
        _ => vec![
            (to.join("data.json"), Form::Json),
            (to.join("data.html"), Form::Html),
        ],
    }
}

/// `wb user erase`
pub fn erase(context: &Context, handle: &str) -> Result<()> {
    let (node, actor) = context.acting()?;
    if !context.yes() {
        let question = format!(
            "This erases {} for good: account, contacts, drafts, and every word written here; what was shared is taken \
             back everywhere. `wb user export` keeps a copy first.\nType the handle to go on: ",
            clean(handle)
        );
        if context.ask(&question)?.as_deref() != Some(handle) {
            return Err(NodeError::NeedsApproval(
                "nothing was erased; type the handle at a terminal, or give --yes".to_owned(),
            )
            .into());
        }
    }
    let erased = user_erase(&node, &actor, handle)?;
    context.say_what_is_left(&node)?;
    if context.json() {
        let copies = erased.copies.iter().map(|path| path.display().to_string());
        return output::json(&ErasedView {
            schema_version: 1,
            handle,
            records: erased.records,
            shared: erased.shared,
            copies: copies.collect(),
        });
    }
    told(context, handle, &erased)
}

fn told(context: &Context, handle: &str, erased: &Erased) -> Result<()> {
    output::line(format!(
        "Erased {}: {} here, the account, and everything kept about it.",
        clean(handle),
        count(erased.records, "record", "records")
    ))?;
    if erased.shared > 0 {
        context.say(format!(
            "{} shared; the next publish or sync takes that back, to be erased everywhere. Nobody can take back what \
             was read or copied.",
            count(erased.shared, "of them was", "of them were")
        ));
    }
    if !erased.copies.is_empty() {
        context.say("Older copies on this computer still hold it, until you delete them:");
        for copy in &erased.copies {
            context.say(format!("  {}", copy.display()));
        }
        context.say("Restored into this folder they come back without it.");
    }
    Ok(())
}
