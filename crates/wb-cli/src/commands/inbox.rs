//! `wb inbox`: what was set aside, contradicts, is missing or waits for a decision.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde::Serialize;
use wb_node::command::inbox_dismiss::inbox_dismiss;
use wb_node::command::void_decide::{void_drop, void_keep};
use wb_node::query::inbox::{inbox, inbox_count, inbox_item};
use wb_node::view::{InboxThing, InboxView};
use wb_node::{Node, NodeError};

use super::registration::NAME_CHARS;
use crate::context::Context;
use crate::output::{self, clean, count, heading, short};

/// Characters of a hash that tell it apart for people.
const HASH_CHARS: usize = 12;

/// List what was set aside or needs a person: what happened, what is safe, what to do next
#[derive(Debug, Args)]
pub struct Inbox {
    #[command(subcommand)]
    command: Option<About>,
}

/// What else there is about the inbox.
#[derive(Debug, Subcommand)]
pub enum About {
    /// Show one item with everything it stands for
    Show {
        /// Its number in the list, or enough of its key
        item: String,
    },
    /// Publish something again that was published in this instance's name with a stolen key
    Keep {
        /// Id of the record, enough of it, or `all`
        record: String,
    },
    /// Let something stay gone that was published in this instance's name with a stolen key
    Drop {
        /// Id of the record, enough of it, or `all`
        record: String,
    },
    /// List the letters that you sent and got, and where each stands
    Letters,
    /// Put away what is only news, until more of it comes
    Dismiss {
        /// Its number in the list, or enough of its key
        item: String,
    },
}

/// Runs a command of this noun.
pub fn run(context: &Context, args: &Inbox) -> Result<()> {
    match &args.command {
        None => list(context),
        Some(About::Show { item }) => show(context, item),
        Some(About::Letters) => letters(context),
        Some(About::Dismiss { item }) => dismiss(context, item),
        Some(About::Keep { record }) => decide(context, record, true),
        Some(About::Drop { record }) => decide(context, record, false),
    }
}

/// Names the inbox where something is in it, for commands that count such things.
pub fn hint(node: &Node) -> Result<Option<String>, NodeError> {
    let waiting = inbox_count(node)?;
    let things = count(waiting, "thing is", "things are");
    Ok((waiting > 0).then(|| format!("{things} in the inbox: `wb inbox` names each")))
}

fn list(context: &Context) -> Result<()> {
    let node = context.node()?;
    let items = inbox(&node)?;
    if context.json() {
        return items.iter().try_for_each(output::json);
    }
    if items.is_empty() {
        return output::line("Nothing is set aside, and nothing waits for you.");
    }
    for (index, item) in items.iter().enumerate() {
        output::line(format!(
            "{:>3}  {}  {}  ({})",
            index + 1,
            item.key,
            heading(context, &clean(&short(&item.name, NAME_CHARS))),
            item.cause
        ))?;
        sentences(item)?;
    }
    context.say("`wb inbox show N` lists what is behind one; `wb inbox dismiss N` puts away what is only news.");
    Ok(())
}

fn letters(context: &Context) -> Result<()> {
    let (node, actor) = context.acting()?;
    let letters = wb_node::query::letters::letters(&node, &actor)?;
    let columns = ["thread", "what", "with", "state", "where it stands", "text"];
    let empty = "No letter was sent or came.";
    output::list(context, &letters, &columns, empty, |letter| {
        vec![
            letter.thread.to_string(),
            format!("{} {}", letter.way, letter.kind),
            short(&letter.name, NAME_CHARS),
            letter.state.state.to_owned(),
            letter.state.sentence.clone(),
            short(letter.text.as_deref().unwrap_or_default(), 60),
        ]
    })
}

fn sentences(item: &InboxView) -> Result<()> {
    output::line(format!("     what  {}", clean(&item.happened)))?;
    output::line(format!("     safe  {}", clean(&item.safe)))?;
    output::line(format!("     next  {}", clean(&item.action)))
}

fn show(context: &Context, name: &str) -> Result<()> {
    let node = context.node()?;
    let (item, things) = inbox_item(&node, name)?;
    if context.json() {
        output::json(&item)?;
        return things.iter().try_for_each(output::json);
    }
    output::line(format!(
        "{}  {}  ({})",
        item.key,
        heading(context, &clean(&short(&item.name, NAME_CHARS))),
        item.cause
    ))?;
    sentences(&item)?;
    if let Some(since) = item.since {
        output::line(format!("     since {since}"))?;
    }
    let columns = ["what", "number", "log", "hash", "record", "came", "about"];
    output::list(context, &things, &columns, "", row)
}

fn row(thing: &InboxThing) -> Vec<String> {
    let text = |text: Option<String>| text.unwrap_or_default();
    let kind = thing.kind.as_ref();
    vec![
        kind.map_or_else(|| thing.thing.replace('_', " "), ToString::to_string),
        text(thing.seq.map(|seq| seq.to_string())),
        text(thing.log.as_ref().map(|log| short(log, HASH_CHARS))),
        text(thing.hash.map(|hash| short(&hash.to_string(), HASH_CHARS))),
        text(thing.id.map(|id| id.to_string())),
        text(thing.at.map(|at| at.to_string())),
        thing.note.clone(),
    ]
}

#[derive(Serialize)]
struct DecidedView {
    schema_version: u32,
    id: String,
    kind: String,
    decision: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

fn decide(context: &Context, record: &str, keeps: bool) -> Result<()> {
    let (mut node, actor) = context.acting()?;
    let (decided, decision) = if keeps {
        (void_keep(&mut node, &actor, record)?, "kept")
    } else {
        (void_drop(&mut node, &actor, record)?, "dropped")
    };
    for one in &decided {
        let decision = if one.refused.is_some() {
            "refused"
        } else {
            decision
        };
        if context.json() {
            output::json(&DecidedView {
                schema_version: 1,
                id: one.id.to_string(),
                kind: one.kind.clone(),
                decision,
                why: one.refused.clone(),
            })?;
        } else {
            output::line(format!("{decision}  {}  {}", one.id, clean(&one.kind)))?;
        }
        if let Some(why) = &one.refused {
            context.say(format!("Not kept: {}.", clean(why)));
        }
    }
    if keeps && decided.iter().any(|one| one.refused.is_none()) {
        context.say("Kept records are yours from here on; the next `wb sync` publishes them.");
    }
    Ok(())
}

fn dismiss(context: &Context, name: &str) -> Result<()> {
    let (mut node, actor) = context.acting()?;
    let item = inbox_dismiss(&mut node, &actor, name)?;
    if context.json() {
        return output::json(&item);
    }
    output::line(format!("Put away: {}.", clean(&item.happened)))
}
