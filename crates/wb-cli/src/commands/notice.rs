//! `wb notice`: what hubs say about instances and records, and what is done with it here.

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use serde::Serialize;
use wb_core::notice::{Answer, Heeds};
use wb_node::command::follow::find_peer;
use wb_node::command::notice_heed::{notice_answer, notice_heed};
use wb_node::command::notice_reply::{notice_reply, notices_about_us};
use wb_node::query::hub_notices::{NoticeView, find_notice, hubs, notices};

use super::serve::runtime;
use crate::context::Context;
use crate::output::{self, clean, count};

/// What hubs decided about communities and records, and what is done with it here
#[derive(Debug, Subcommand)]
pub enum Notice {
    /// List what hubs said, and what follows from it here
    List {
        /// Also what undid something or is over
        #[arg(long)]
        all: bool,
    },
    /// Hide what a notice names, where its hub alone brought it
    Hide {
        /// Its number (HUB/NUMBER where two hubs have one), or the start of its id
        notice: String,
    },
    /// Go on showing what a notice names
    Keep {
        /// Its number (HUB/NUMBER where two hubs have one), or the start of its id
        notice: String,
    },
    /// Take back what was said about a notice: what is set for its hub holds
    Undo {
        /// Its number (HUB/NUMBER where two hubs have one), or the start of its id
        notice: String,
    },
    /// Ask a hub what it says about this instance
    About {
        /// Name, address or id of the hub
        hub: String,
    },
    /// Reply, once and signed, to what a hub says about this instance
    Reply {
        /// Name, address or id of the hub
        hub: String,
        /// What is replied; everybody reads it
        #[arg(long)]
        text: String,
        /// The number of the notice, where several are in force
        #[arg(long, value_name = "NUMBER")]
        number: Option<u64>,
    },
    /// Say what is done with the notices of a hub; without a word, show it for each
    Heed {
        /// Name, address or id of the hub
        hub: Option<String>,
        /// What is done
        #[arg(value_enum, requires = "hub")]
        what: Option<HeedsArg>,
    },
}

/// What is done with notices.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum HeedsArg {
    /// They hide at once
    Follow,
    /// They hide once somebody says so
    Ask,
    /// They hide nothing
    Ignore,
    /// Ask about whom somebody here approved, follow about all others
    Default,
}

#[derive(Serialize)]
struct Done<'a> {
    schema_version: u32,
    hub: String,
    id: Option<String>,
    done: &'a str,
    hidden: u64,
}

/// Runs a command of this noun.
pub fn run(context: &Context, command: &Notice) -> Result<()> {
    match command {
        Notice::List { all } => list(context, *all),
        Notice::Hide { notice } => answer(context, notice, Some(Answer::Hide)),
        Notice::Keep { notice } => answer(context, notice, Some(Answer::Keep)),
        Notice::Undo { notice } => answer(context, notice, None),
        Notice::About { hub } => about(context, hub),
        Notice::Reply { hub, text, number } => reply(context, hub, *number, text),
        Notice::Heed { hub: None, .. } | Notice::Heed { what: None, .. } => show_heeds(context),
        Notice::Heed {
            hub: Some(hub),
            what: Some(what),
        } => heed(context, hub, *what),
    }
}

/// What follows from a notice here, in words.
fn follows(view: &NoticeView) -> String {
    match (view.in_force, view.follows) {
        (false, _) => "over".to_owned(),
        (true, None) => "nothing is hidden by it".to_owned(),
        (true, Some("waits")) => format!(
            "waits for a word; it would hide {}",
            count(view.would_hide.unwrap_or(0), "record", "records")
        ),
        (true, Some("hides")) => format!("hides {}", count(view.hidden, "record", "records")),
        (true, Some(_)) => "ignored".to_owned(),
    }
}

fn list(context: &Context, all: bool) -> Result<()> {
    let node = context.node()?;
    let mut views = notices(&node)?;
    views.retain(|view| all || view.in_force);
    let columns = ["n", "what", "here"];
    let empty = "No hub where this instance is registered says anything about anybody.";
    output::list(context, &views, &columns, empty, |view| {
        vec![view.n.to_string(), view.sentence.clone(), follows(view)]
    })?;
    let waiting = views.iter().filter(|view| view.follows == Some("waits"));
    let waiting = waiting.count() as u64;
    if waiting > 0 {
        context.say(format!(
            "{} for `wb notice hide NUMBER` or `wb notice keep NUMBER`.",
            count(waiting, "notice waits", "notices wait")
        ));
    }
    Ok(())
}

fn answer(context: &Context, text: &str, answer: Option<Answer>) -> Result<()> {
    let (node, actor) = context.acting()?;
    let notice = find_notice(&node, text)?;
    notice_answer(&node, &actor, &notice, answer)?;
    let after = find_notice(&node, &notice.id.to_string())?;
    let done = match answer {
        Some(Answer::Hide) => "hides",
        Some(Answer::Keep) => "keeps",
        None => "as set",
    };
    if context.json() {
        return output::json(&Done {
            schema_version: 1,
            hub: notice.hub.to_string(),
            id: Some(notice.id.to_string()),
            done,
            hidden: after.hidden,
        });
    }
    output::line(format!(
        "{}. Here: {}.",
        clean(&notice.sentence),
        follows(&after)
    ))
}

fn heed(context: &Context, hub: &str, what: HeedsArg) -> Result<()> {
    let (node, actor) = context.acting()?;
    let peer = find_peer(&node, hub)?.id;
    let heeds = match what {
        HeedsArg::Follow => Some(Heeds::Follow),
        HeedsArg::Ask => Some(Heeds::Ask),
        HeedsArg::Ignore => Some(Heeds::Ignore),
        HeedsArg::Default => None,
    };
    notice_heed(&node, &actor, peer, heeds)?;
    let after = hubs(&node)?.into_iter().find(|one| one.id == peer);
    let hidden = after.as_ref().map_or(0, |one| one.hidden);
    let done = heeds.map_or("default", Heeds::as_str);
    if context.json() {
        return output::json(&Done {
            schema_version: 1,
            hub: peer.to_string(),
            id: None,
            done,
            hidden,
        });
    }
    let name = after.map_or_else(|| peer.short(), |one| one.name);
    output::line(format!(
        "{}: {}; {} by its notices.",
        clean(&name),
        words(heeds),
        count(hidden, "record is hidden", "records are hidden")
    ))
}

/// What is set, in words.
fn words(heeds: Option<Heeds>) -> &'static str {
    match heeds {
        Some(Heeds::Follow) => "its notices are followed",
        Some(Heeds::Ask) => "its notices wait for a word",
        Some(Heeds::Ignore) => "its notices are ignored",
        None => {
            "its notices wait for a word about whom somebody here approved, and are followed about all others"
        }
    }
}

fn about(context: &Context, hub: &str) -> Result<()> {
    let node = context.node()?;
    let hub = find_peer(&node, hub)?;
    let views = runtime()?.block_on(notices_about_us(&node, &hub))?;
    let columns = ["n", "what", "because", "in force", "reply"];
    let empty = format!("{} says nothing about this instance.", clean(&hub.name));
    output::list(context, &views, &columns, &empty, |view| {
        vec![
            view.notice.n.to_string(),
            view.notice.act.as_str().to_owned(),
            view.notice.reason.clone(),
            if view.in_force { "yes" } else { "no" }.to_owned(),
            view.reply.clone().unwrap_or_default(),
        ]
    })
}

fn reply(context: &Context, hub: &str, number: Option<u64>, text: &str) -> Result<()> {
    let (node, actor) = context.acting()?;
    let hub = find_peer(&node, hub)?;
    let notice = runtime()?.block_on(notice_reply(&node, &actor, &hub, number, text))?;
    if context.json() {
        return output::json(&Done {
            schema_version: 1,
            hub: hub.id.to_string(),
            id: None,
            done: "replied",
            hidden: 0,
        });
    }
    output::line(format!(
        "{} keeps the reply to its notice {} ({}), and shows it beside that.",
        clean(&hub.name),
        notice.n,
        clean(&notice.reason)
    ))
}

fn show_heeds(context: &Context) -> Result<()> {
    let node = context.node()?;
    let hubs = hubs(&node)?;
    let columns = ["hub", "notices", "in force", "hidden here"];
    output::list(
        context,
        &hubs,
        &columns,
        "This instance is registered at no hub.",
        |hub| {
            vec![
                hub.name.clone(),
                hub.heeds.map_or("default", Heeds::as_str).to_owned(),
                hub.in_force.to_string(),
                hub.hidden.to_string(),
            ]
        },
    )
}
