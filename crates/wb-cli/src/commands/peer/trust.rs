//! `wb peer trust` and `untrust`

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use wb_core::id::InstanceId;
use wb_core::time::Timestamp;
use wb_node::ErrorKind;
use wb_node::command::peer_block::find_instance;
use wb_node::command::peer_trust::{Shows, chosen_since, peer_trust, peer_untrust, would_show};
use wb_node::query::audience::audience;

use super::super::hub_admin::parse_time;
use super::super::registration::NAME_CHARS;
use crate::context::Context;
use crate::output::{self, clean, count, short};

/// Whom to trust
#[derive(Debug, Args)]
pub struct Trust {
    /// The instance: its name, enough of its id, or the whole id
    instance: Option<String>,
    /// Give it nothing of records written before this day or time (2026-12-31, 2026-12-31T12:00:00Z), or from the
    /// `beginning`; without it what was chosen before stays
    #[arg(long, value_name = "DATE", value_parser = parse_since, requires = "instance")]
    since: Option<Since>,
}

/// From when on records are given.
#[derive(Debug, Clone, Copy)]
enum Since {
    Beginning,
    Time(Timestamp),
}

fn parse_since(text: &str) -> Result<Since, String> {
    match text {
        "beginning" => Ok(Since::Beginning),
        time => parse_time(time).map(Since::Time),
    }
}

#[derive(Serialize)]
struct TrustedView {
    schema_version: u32,
    id: InstanceId,
    since: Option<Timestamp>,
    records: u64,
    before: u64,
}

/// Adds to the audience, or lists it.
pub fn trust(context: &Context, args: &Trust) -> Result<ExitCode> {
    let Some(name) = &args.instance else {
        list(context)?;
        return Ok(ExitCode::SUCCESS);
    };
    let (mut node, actor) = context.acting()?;
    let id = find_instance(&node, name)?;
    let since = match args.since {
        Some(Since::Beginning) => None,
        Some(Since::Time(time)) => Some(time),
        None => chosen_since(&node, id)?,
    };
    let shows = would_show(&node, id, since)?;
    let name = called(&shows);
    context.say(would(&shows, &name, since));
    if since.is_some() && args.since.is_none() {
        context
            .say("That day was chosen before, and stays; `--since beginning` gives it everything.");
    }
    if !context.confirm(&format!("Trust {name}?"))? {
        context.say("Nothing was changed; --yes answers that with yes.");
        return Ok(ExitCode::from(ErrorKind::Pending.exit_code()));
    }
    let shows = peer_trust(&mut node, &actor, id, since, &shows.key)?;
    if context.json() {
        output::json(&TrustedView {
            schema_version: 1,
            id,
            since,
            records: shows.records,
            before: shows.before,
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    output::line(format!(
        "{name} is trusted: what is shared with trusted peers only goes to it, sealed, with the next sync."
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn called(shows: &Shows) -> String {
    match &shows.name {
        Some(name) => clean(&short(name, NAME_CHARS)),
        None => shows.id.short(),
    }
}

/// What would become visible, before somebody says yes.
fn would(shows: &Shows, name: &str, since: Option<Timestamp>) -> String {
    let mut words = if shows.is_in {
        format!("{name} is trusted already. ")
    } else {
        String::new()
    };
    if shows.rekeyed {
        words.push_str("Its sealing key changed, and this confirms the one it has now. ");
    }
    let earlier = count(
        shows.records,
        "earlier record becomes",
        "earlier records become",
    );
    words.push_str(&format!("{earlier} visible there"));
    if let Some(since) = since {
        words.push_str(&format!(
            "; of {} from before {since} it gets no words",
            count(shows.before, "record", "records")
        ));
        if shows.is_in {
            words.push_str(" and keeps those that it has");
        }
    }
    words.push_str(
        ". Whoever reads it can keep a copy: taking it back removes it from their pages, not from their memory.",
    );
    words
}

fn list(context: &Context) -> Result<()> {
    let node = context.node()?;
    let members = audience(&node)?;
    let columns = ["name", "id", "since", "state", "what"];
    let empty = "Nobody is trusted here: what is shared with trusted peers only stays home. `wb peer trust INSTANCE` adds one.";
    output::list(context, &members, &columns, empty, |member| {
        let name = member.name.as_deref().unwrap_or_default();
        vec![
            short(name, NAME_CHARS),
            member.id.short(),
            member
                .since
                .map_or_else(|| "the beginning".to_owned(), |since| since.to_string()),
            member.state.to_owned(),
            member.sentence.to_owned(),
        ]
    })
}

#[derive(Serialize)]
struct UntrustedView {
    schema_version: u32,
    id: InstanceId,
    asks: bool,
}

/// Removes from the audience.
pub fn untrust(context: &Context, name: &str) -> Result<ExitCode> {
    let (mut node, actor) = context.acting()?;
    let id = find_instance(&node, name)?;
    let called = clean(&short(name, NAME_CHARS));
    context.say(
        "It gets nothing more, and is asked to erase what it has. Nobody can take back what was read or copied there.",
    );
    if !context.confirm(&format!("Trust {called} no longer?"))? {
        context.say("Nothing was changed; --yes answers that with yes.");
        return Ok(ExitCode::from(ErrorKind::Pending.exit_code()));
    }
    let untrusted = peer_untrust(&mut node, &actor, id)?;
    if context.json() {
        output::json(&UntrustedView {
            schema_version: 1,
            id,
            asks: untrusted.asks,
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let what = if untrusted.asks {
        "With the next publish or sync the trusted feed goes on in a new log that it cannot read, and it is asked to \
         erase what it has."
    } else {
        "Nothing was sealed to it yet, so there is nothing to erase."
    };
    output::line(format!("{called} is trusted no longer. {what}"))?;
    Ok(ExitCode::SUCCESS)
}
