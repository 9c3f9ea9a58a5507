//! `wb record`

use std::process::ExitCode;

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use serde::Serialize;
use wb_core::leave::ProfileShares;
use wb_core::scope::{FeedScope, Kind, Scope};
use wb_node::command::record_share::{Marked, record_share, record_unshare};
use wb_node::command::share_all::share_all;
use wb_node::query::reach::CODE_GOES;
use wb_node::query::records;
use wb_store::Filter;

use crate::context::{self, Context};
use crate::output::{self, clean, clean_lines, count, short};

mod retract;
mod who;

/// Records of any kind, and how far each may go
#[derive(Debug, Subcommand)]
pub enum Record {
    /// List records
    List {
        /// Only this kind
        #[arg(long)]
        kind: Option<Kind>,
        /// Also records that are not shown, with the cause
        #[arg(long)]
        hidden: bool,
        /// Own records that stay home, with the cause
        #[arg(long)]
        staying: bool,
    },
    /// Show one record with everything known of it
    Show {
        /// The record: its id, enough of it, or ORIGIN/ID
        id: String,
    },
    /// Mark a record to be shared; nothing leaves before `publish`, `sync` or `bundle export`
    Share {
        /// The record
        #[arg(required_unless_present = "kind", conflicts_with = "kind")]
        id: Option<String>,
        /// All records of this kind instead: one's own, and as a steward those of others as far as they agreed
        #[arg(long, conflicts_with = "fields")]
        kind: Option<Kind>,
        /// How far it may go
        #[arg(long)]
        scope: Scope,
        /// For a profile: the fields to share
        #[arg(long, value_delimiter = ',', value_name = "FIELD,…")]
        fields: Option<Vec<Field>>,
    },
    /// Take a record back: it stays home, and followers drop it with the next sync or bundle
    Unshare {
        /// The record
        id: String,
    },
    /// Take a record back for a reason, seal that at once, and wait for receipts if you like
    Retract(retract::Retract),
    /// Name everybody known to have a record, or to have erased it
    Who {
        /// The record
        id: String,
    },
}

/// A field of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Field {
    /// The handle
    Handle,
    /// The name shown
    DisplayName,
    /// The text about the member
    Bio,
    /// The address of the picture
    Avatar,
    /// The home instance
    Home,
    /// Who invited the member
    Inviter,
    /// The member's own attributes
    Attributes,
}

#[derive(Serialize)]
struct MarkedView {
    schema_version: u32,
    id: String,
    leaves: bool,
    scope: Option<&'static str>,
    stays: Option<&'static str>,
    published: Vec<&'static str>,
    children: usize,
}

#[derive(Serialize)]
struct StayView {
    schema_version: u32,
    id: String,
    origin: String,
    home: String,
    kind: String,
    scope: &'static str,
    stays: &'static str,
    reason: &'static str,
    headline: String,
}

/// Runs a command of this noun.
pub fn run(context: &Context, command: Record) -> Result<ExitCode> {
    match command {
        Record::Retract(args) => return retract::run(context, &args),
        Record::Who { id } => return who::run(context, &id),
        Record::List {
            staying: true,
            kind,
            ..
        } => list_staying(context, kind.as_ref()),
        Record::List { kind, hidden, .. } => list(context, kind, hidden),
        Record::Show { id } => show(context, &id),
        Record::Share {
            kind: Some(kind),
            scope,
            ..
        } => share_kind(context, &kind, scope),
        Record::Share {
            id, scope, fields, ..
        } => share(context, &id.unwrap_or_default(), scope, fields.as_deref()),
        Record::Unshare { id } => unshare(context, &id),
    }
    .map(|()| ExitCode::SUCCESS)
}

fn list(context: &Context, kind: Option<Kind>, hidden_too: bool) -> Result<()> {
    let node = context.node()?;
    let records = records::records(
        &node,
        &Filter {
            kind,
            hidden_too,
            ..Filter::default()
        },
    )?;
    let columns = ["id", "kind", "home", "scope", "rev", "text", "hidden"];
    output::list(context, &records, &columns, "No records yet.", |record| {
        let base = &record.base;
        vec![
            base.id.to_string(),
            base.kind.to_string(),
            base.home.clone(),
            base.scope.to_string(),
            base.rev.to_string(),
            short(&record.headline, 40),
            base.hidden.clone().unwrap_or_default(),
        ]
    })
}

fn list_staying(context: &Context, kind: Option<&Kind>) -> Result<()> {
    let node = context.node()?;
    let whole = wb_node::plan::whole(&node, wb_node::entropy::now())?;
    let mut views = Vec::new();
    for stay in whole
        .stays
        .iter()
        .filter(|stay| kind.is_none_or(|kind| kind.as_str() == stay.kind))
    {
        let record = node
            .store()
            .local(&stay.id)
            .map_err(wb_node::NodeError::from)?;
        views.push(StayView {
            schema_version: 1,
            id: stay.id.to_string(),
            origin: node.own_id().to_string(),
            home: node.name().to_owned(),
            kind: stay.kind.clone(),
            scope: stay.scope.as_str(),
            stays: stay.cause.as_str(),
            reason: stay.cause.sentence(),
            headline: record
                .map(|r| wb_node::plan::headline(&stay.kind, &r.body))
                .unwrap_or_default(),
        });
    }
    let columns = ["id", "kind", "scope", "text", "stays home because"];
    output::list(context, &views, &columns, "Nothing stays home.", |view| {
        vec![
            view.id.clone(),
            view.kind.clone(),
            view.scope.to_owned(),
            short(&view.headline, 40),
            view.reason.to_owned(),
        ]
    })
}

fn show(context: &Context, id: &str) -> Result<()> {
    let node = context.node()?;
    let detail = records::record(&node, &context::record(&node, id)?)?;
    if context.json() {
        return output::json(&detail);
    }
    let base = &detail.record.base;
    output::line(format!(
        "{} {}  {}",
        base.kind,
        base.id,
        clean(&detail.record.headline)
    ))?;
    output::line(format!("home     {} ({})", clean(&base.home), base.origin))?;
    output::line(format!("author   {}", clean(&base.author)))?;
    output::line(format!("scope    {}", base.scope))?;
    output::line(format!("written  {} (revision {})", base.at, base.rev))?;
    if let Some(cause) = &base.hidden {
        let why = detail.hidden_by.as_deref().map(clean);
        let why = why.unwrap_or_else(|| cause.clone());
        output::line(format!("hidden   {why}"))?;
    }
    if let Some(published) = &detail.published {
        let feeds = if published.is_empty() {
            "in no feed".to_owned()
        } else {
            published.join(", ")
        };
        output::line(format!("feeds    {feeds}"))?;
    }
    if let Some(road) = &detail.road {
        let name = clean(&road.name);
        let way = match road.road {
            "hub" => format!("through {name}"),
            _ => format!("in the bundle {name}"),
        };
        output::line(format!("came     {way}, {} (run {})", road.at, road.run))?;
    }
    for also in &detail.also {
        let name = clean(&also.name);
        output::line(format!("also     {} {name}, {}", also.road, also.at))?;
    }
    match (detail.leaves, detail.stays) {
        (Some(true), _) => {
            output::line("next     leaves, or stays in its feed, with the next publish")?;
        }
        (_, Some(cause)) => output::line(format!("next     stays home: {cause}"))?,
        _ => {}
    }
    let body = serde_json::to_string_pretty(&detail.body)?;
    output::line(clean_lines(&body))
}

fn share(context: &Context, id: &str, scope: Scope, fields: Option<&[Field]>) -> Result<()> {
    let (node, actor) = context.acting()?;
    let key = context::record(&node, id)?;
    let marked = record_share(&node, &actor, &key, scope, fields.map(shares))?;
    if context.json() {
        return print(&marked);
    }
    let record = node.store().local(&marked.id)?;
    if marked.reach.is_ok() && record.is_some_and(|record| record.kind.as_str() == "invite") {
        context.say(CODE_GOES);
    }
    match marked.reach {
        Ok(FeedScope::Public) => {
            output::line(format!(
                "Marked public: {} leaves with the next publish, sync or export.",
                marked.id
            ))?;
            context.say(
                "Whoever receives it can keep a copy. Taking it back removes it from followers' pages, \
                 not from anybody's memory or screenshots.",
            );
        }
        Ok(FeedScope::TrustedPeers) => {
            output::line(format!(
                "Marked for trusted peers: {} leaves sealed with the next publish.",
                marked.id
            ))?;
        }
        Err(cause) => output::line(format!(
            "Marked {scope}, but {} stays home: {}.",
            marked.id,
            cause.sentence()
        ))?,
    }
    Ok(())
}

#[derive(Serialize)]
struct SharedAllView {
    schema_version: u32,
    changed: u64,
    already: u64,
    asked: u64,
    waiting: u64,
    declined: u64,
    taken_back: u64,
}

fn share_kind(context: &Context, kind: &Kind, scope: Scope) -> Result<()> {
    let (node, actor) = context.acting()?;
    let done = share_all(&node, &actor, kind, scope)?;
    if context.json() {
        return output::json(&SharedAllView {
            schema_version: 1,
            changed: done.changed,
            already: done.already,
            asked: done.asked,
            waiting: done.waiting,
            declined: done.declined,
            taken_back: done.taken_back,
        });
    }
    output::line(format!(
        "Marked {scope}: {}. {} went as far before.",
        count(done.changed, "record", "records"),
        done.already
    ))?;
    if done.asked + done.waiting > 0 {
        context.say(format!(
            "Only an author lets a record go further: {} asked now, {} were asked before and have not answered. They see \
             it on every page, and in `wb --as HANDLE review list`.",
            count(done.asked, "is", "are"),
            done.waiting
        ));
    }
    if done.declined > 0 {
        context.say(format!(
            "{} declined before, or have nobody to answer; they stay as they are.",
            done.declined
        ));
    }
    if done.taken_back > 0 {
        context.say(format!(
            "{} taken back before and left out; `wb record share ID` shares one again.",
            count(done.taken_back, "record was", "records were")
        ));
    }
    Ok(())
}

fn unshare(context: &Context, id: &str) -> Result<()> {
    let (node, actor) = context.acting()?;
    let key = context::record(&node, id)?;
    let marked = record_unshare(&node, &actor, &key)?;
    if context.json() {
        return print(&marked);
    }
    let children = if marked.children > 0 {
        let records = count(
            marked.children as u64,
            "record that belongs to it",
            "records that belong to it",
        );
        format!(" So do {records}.")
    } else {
        String::new()
    };
    output::line(format!("{} stays home from now on.{children}", marked.id))?;
    if marked.published.is_empty() {
        context.say("It was in no feed: nobody has it from here.");
    } else {
        context.say(
            "It is still in this instance's feed until the next publish, sync or export. Then line and salt leave the \
             feed, and followers drop it with their next sync, or when a bundle reaches them. `wb record who` shows who \
             confirmed that; and nobody can take back what was read or copied.",
        );
    }
    Ok(())
}

fn print(marked: &Marked) -> Result<()> {
    output::json(&MarkedView {
        schema_version: 1,
        id: marked.id.to_string(),
        leaves: marked.reach.is_ok(),
        scope: marked.reach.ok().map(FeedScope::as_str),
        stays: marked.reach.err().map(wb_core::leave::Stays::as_str),
        published: marked
            .published
            .iter()
            .map(|scope| scope.as_str())
            .collect(),
        children: marked.children,
    })
}

fn shares(fields: &[Field]) -> ProfileShares {
    ProfileShares {
        handle: fields.contains(&Field::Handle),
        display_name: fields.contains(&Field::DisplayName),
        bio: fields.contains(&Field::Bio),
        avatar: fields.contains(&Field::Avatar),
        home: fields.contains(&Field::Home),
        inviter: fields.contains(&Field::Inviter),
        attributes: fields.contains(&Field::Attributes),
    }
}
