//! `wb hub invite`: who may become a member of the hub of this folder by a code.
//!
//! The code is printed once; what is kept of it is a hash.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde::Serialize;
use wb_core::id::InstanceId;
use wb_core::time::Timestamp;
use wb_hub::{HubInvites as _, InviteRow, Inviting, invite, invite_off};
use wb_node::entropy;
use zeroize::Zeroizing;

use super::hub_admin::{Operator, hub_base, parse_time, refused};
use crate::context::Context;
use crate::hub_store::StoreArg;
use crate::output::{self, clean, count};

/// Invitations that are shown unless more are asked for, and that are read at once.
const PAGE_INVITES: usize = 100;
/// Invitations that can be shown at once; protects memory and whoever reads them.
const LIST_INVITES_MAX: u32 = 10_000;
/// Communities named with each; the number of all stands beside them.
const CAME_MAX: usize = 100;

/// Invitations to this hub
#[derive(Debug, Subcommand)]
pub enum HubInvite {
    /// Make an invitation: whoever registers with its code is a member at once
    Create(Create),
    /// List invitations, with who came by each
    List(List),
    /// Switch an invitation off: nobody comes by it any more, and who came stays
    Off(Off),
}

/// Make an invitation: whoever registers with its code is a member at once
#[derive(Debug, Args)]
pub struct Create {
    /// How many communities it lets in
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=wb_hub::USES_MAX), default_value = "1")]
    uses: u64,
    /// No limit on how many communities it lets in
    #[arg(long, conflicts_with = "uses")]
    unlimited: bool,
    /// Until this day or time (2026-12-31, 2026-12-31T12:00:00Z); without it until it is switched off
    #[arg(long, value_parser = parse_time, value_name = "TIME")]
    until: Option<Timestamp>,
    /// For whom it is, or why; moderators read it
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    #[command(flatten)]
    store: StoreArg,
}

/// List invitations, with who came by each
#[derive(Debug, Args)]
pub struct List {
    /// How many (default 100; with --json all of them)
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=i64::from(LIST_INVITES_MAX)))]
    limit: Option<u32>,
    #[command(flatten)]
    store: StoreArg,
}

/// Switch an invitation off: nobody comes by it any more, and who came stays
#[derive(Debug, Args)]
pub struct Off {
    /// Its number, as `wb hub invite list` shows it
    number: u64,
    #[command(flatten)]
    store: StoreArg,
}

/// Runs a command of this noun.
pub fn run(context: &Context, command: &HubInvite) -> Result<()> {
    match command {
        HubInvite::Create(args) => create(context, args),
        HubInvite::List(args) => list(context, args),
        HubInvite::Off(args) => off(context, args),
    }
}

#[derive(Serialize)]
struct Made<'a> {
    schema_version: u32,
    number: u64,
    code: &'a str,
    link: String,
    uses: Option<u64>,
    until: Option<Timestamp>,
    note: &'a str,
}

fn create(context: &Context, args: &Create) -> Result<()> {
    let operator = Operator::new(context, &args.store)?;
    let code = entropy::token();
    let inviting = Inviting {
        uses_max: (!args.unlimited).then_some(args.uses),
        until: args.until,
        note: args.note.clone(),
    };
    let moderator = (operator.actor.user, operator.actor.role);
    let log = operator.node.store().private();
    let made = invite(
        &operator.store,
        log,
        moderator,
        inviting.clone(),
        &code,
        entropy::now(),
    );
    let number = operator.wait(made).map_err(refused)?;
    let code = Zeroizing::new(code.to_string());
    let link = format!("{}#{}", hub_base(context)?, operator.node.own_id());
    if context.json() {
        return output::json(&Made {
            schema_version: 1,
            number,
            code: &code,
            link,
            uses: inviting.uses_max,
            until: inviting.until,
            note: &inviting.note,
        });
    }
    output::line(format!("{number}  {}", code.as_str()))?;
    let many = match inviting.uses_max {
        None => "Any number of communities comes".to_owned(),
        Some(1) => "One community comes".to_owned(),
        Some(n) => format!("{n} communities come"),
    };
    let until = inviting.until;
    let until = until.map_or_else(String::new, |until| format!(" until {until}"));
    context.say(format!(
        "{many} in by it{until}: `wb join {link} --code {}`. The code is shown this once, and kept nowhere here; `wb hub invite \
         off {number}` ends it.",
        code.as_str()
    ));
    Ok(())
}

#[derive(Serialize)]
struct Row {
    schema_version: u32,
    number: u64,
    note: String,
    made_at: Timestamp,
    uses: Option<u64>,
    used: u64,
    until: Option<Timestamp>,
    off_at: Option<Timestamp>,
    open: bool,
    came: Vec<Came>,
}

#[derive(Serialize)]
struct Came {
    id: InstanceId,
    name: String,
}

fn row(invite: InviteRow) -> Row {
    let is_open = invite.state().check(entropy::now()).is_ok();
    let came = invite.came.into_iter();
    Row {
        schema_version: 1,
        number: invite.n,
        note: invite.note,
        made_at: invite.made_at,
        uses: invite.uses_max,
        used: invite.used,
        until: invite.until,
        off_at: invite.off_at,
        open: is_open,
        came: came.map(|(id, name)| Came { id, name }).collect(),
    }
}

/// A page of invitations, and whether there are more.
fn page(operator: &Operator, below: Option<u64>, limit: usize) -> Result<(Vec<Row>, bool)> {
    let asked = operator
        .store
        .invites(below, limit.saturating_add(1), CAME_MAX);
    let mut invites = operator.wait(asked)?;
    let has_more = invites.len() > limit;
    invites.truncate(limit);
    Ok((invites.into_iter().map(row).collect(), has_more))
}

fn list(context: &Context, args: &List) -> Result<()> {
    let operator = Operator::new(context, &args.store)?;
    if context.json() && args.limit.is_none() {
        return list_all(&operator);
    }
    let limit = args.limit.map_or(Ok(PAGE_INVITES), usize::try_from)?;
    let (rows, has_more) = page(&operator, None, limit)?;
    let columns = ["number", "note", "came", "ends", "open", "who"];
    output::list(context, &rows, &columns, "No invitations yet.", |row| {
        let max = row
            .uses
            .map_or_else(|| "∞".to_owned(), |max| max.to_string());
        vec![
            row.number.to_string(),
            row.note.clone(),
            format!("{}/{max}", row.used),
            row.until
                .map_or_else(|| "never".to_owned(), |at| at.to_string()),
            if row.open { "yes" } else { "no" }.to_owned(),
            came(row),
        ]
    })?;
    if has_more && !context.json() {
        context.say("There are more: --limit shows them.");
    }
    Ok(())
}

/// Who came, by name.
fn came(row: &Row) -> String {
    let names: Vec<String> = row.came.iter().map(|came| clean(&came.name)).collect();
    let more = row.used.saturating_sub(names.len() as u64);
    if more == 0 {
        return names.join(", ");
    }
    // Whoever made room, or came after the first that are named.
    let more = count(more, "other", "others");
    if names.is_empty() {
        more
    } else {
        format!("{} and {more}", names.join(", "))
    }
}

/// Prints one after the other, a page in memory at a time.
fn list_all(operator: &Operator) -> Result<()> {
    let mut below = None;
    loop {
        let (rows, has_more) = page(operator, below, PAGE_INVITES)?;
        below = rows.last().map(|row| row.number);
        rows.into_iter().try_for_each(|row| output::json(&row))?;
        if !has_more {
            return Ok(());
        }
    }
}

#[derive(Serialize)]
struct SwitchedOff {
    schema_version: u32,
    number: u64,
    done: bool,
}

fn off(context: &Context, args: &Off) -> Result<()> {
    let operator = Operator::new(context, &args.store)?;
    let moderator = (operator.actor.user, operator.actor.role);
    let log = operator.node.store().private();
    let done = invite_off(&operator.store, log, moderator, args.number, entropy::now());
    let was_on = operator.wait(done).map_err(refused)?;
    if context.json() {
        return output::json(&SwitchedOff {
            schema_version: 1,
            number: args.number,
            done: was_on,
        });
    }
    context.say(if was_on {
        "Switched off: its code lets nobody in any more. Who came by it stays a member."
    } else {
        "It was switched off before; nothing changed."
    });
    Ok(())
}
