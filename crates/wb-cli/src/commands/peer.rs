//! `wb peer`

use anyhow::Result;
use clap::Subcommand;
use wb_core::time::Timestamp;
use wb_node::command::follow::find_peer;
use wb_node::query::peers::{peer_view, peers};
use wb_node::view::{ConfirmedView, FollowsView, NamedView, PeerView};

use super::registration::NAME_CHARS;
use crate::context::Context;
use crate::output::{self, clean, count, heading, short};

/// Hubs and peers, and where it stands with each
#[derive(Debug, Subcommand)]
pub enum Peer {
    /// List hubs and peers, each with its state
    List,
    /// Show one with everything known of it: state, follow list, and how far each side is
    Show {
        /// The hub or peer: its name, its address, or enough of its id
        peer: String,
    },
}

/// Runs a command of this noun.
pub fn run(context: &Context, command: &Peer) -> Result<()> {
    match command {
        Peer::List => list(context),
        Peer::Show { peer } => show(context, peer),
    }
}

fn list(context: &Context) -> Result<()> {
    let node = context.node()?;
    let peers = peers(&node)?;
    let columns = ["name", "state", "since", "last sync", "what", "next"];
    let empty = "No hub is known here. `wb join HUB` registers at one and shows what it offers.";
    output::list(context, &peers, &columns, empty, |peer| {
        vec![
            short(&peer.name, NAME_CHARS),
            peer.phase.to_owned(),
            peer.since.to_string(),
            time(peer.last_synced),
            peer.sentence.clone(),
            peer.action.to_owned(),
        ]
    })
}

fn time(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never".to_owned(), |at| at.to_string())
}

fn show(context: &Context, name: &str) -> Result<()> {
    let node = context.node()?;
    let peer = peer_view(&node, &find_peer(&node, name)?)?;
    if context.json() {
        return output::json(&peer);
    }
    let name = clean(&short(&peer.name, NAME_CHARS));
    output::line(format!("{}  {}", heading(context, &name), peer.id))?;
    show_state(&peer)?;
    show_registration(&peer)?;
    let lan = if peer.lan { " (own network)" } else { "" };
    output::line(format!("address    {}{lan}", clean(&peer.address)))?;
    output::line(format!("follows    {}", follows(&peer.follows)))?;
    let cursor = peer.cursor.as_deref().unwrap_or("none yet");
    output::line(format!("cursor     {cursor}"))?;
    output::line(format!("has of us  {}", confirmed(&peer.confirmed)))?;
    output::line(format!("had for us {}", taken(&peer)))
}

fn show_state(peer: &PeerView) -> Result<()> {
    output::line(format!(
        "state      {}: {}",
        peer.phase,
        clean(&peer.sentence)
    ))?;
    output::line(format!("cause      {}", peer.cause))?;
    if let Some(detail) = &peer.detail {
        output::line(format!("detail     {}", clean(detail)))?;
    }
    output::line(format!("next       {}", peer.action))?;
    output::line(format!("since      {}", peer.since))?;
    output::line(format!("last sync  {}", time(peer.last_synced)))?;
    if peer.failures > 0 {
        let next = peer
            .next_try
            .map(|at| format!("; not tried by itself before {at}, and `wb sync` tries at once"));
        let next = next.unwrap_or_default();
        output::line(format!("failures   {} in a row{next}", peer.failures))?;
    }
    if peer.paused {
        output::line("paused     yes; it is synced with only when it is named")?;
    }
    Ok(())
}

fn show_registration(peer: &PeerView) -> Result<()> {
    let Some(told) = &peer.registration else {
        return output::line("member     not as far as is known");
    };
    let mut words = match told.standing {
        "member" => "yes".to_owned(),
        "waiting" => "not yet: its operator has to approve".to_owned(),
        other => other.to_owned(),
    };
    // What the last sync was told stands above already.
    let reason = told.reason.as_ref();
    if let Some(reason) = reason.filter(|reason| peer.detail.as_ref() != Some(*reason)) {
        words.push_str(": ");
        words.push_str(&clean(reason));
    }
    if let Some(until) = told.until {
        words.push_str(&format!(" (until {until})"));
    }
    output::line(format!("member     {words}"))
}

/// A follow list in words.
fn follows(list: &FollowsView) -> String {
    let named = |ids: &[NamedView]| {
        let names = ids.iter().map(|named| match &named.name {
            Some(name) => format!("{} ({})", clean(&short(name, NAME_CHARS)), named.id.short()),
            None => named.id.short(),
        });
        names.collect::<Vec<_>>().join(", ")
    };
    let by_name = if list.follow.is_empty() {
        String::new()
    } else {
        format!("{} by name: {}", list.follow.len(), named(&list.follow))
    };
    match (list.all, list.except.is_empty()) {
        (false, _) if by_name.is_empty() => "nobody".to_owned(),
        (false, _) => by_name,
        (true, is_whole) => {
            let mut words = "everybody it lists".to_owned();
            if !is_whole {
                words.push_str(" but ");
                words.push_str(&named(&list.except));
            }
            if !by_name.is_empty() {
                words.push_str("; ");
                words.push_str(&by_name);
            }
            words
        }
    }
}

/// What it holds of this instance.
fn confirmed(view: &ConfirmedView) -> String {
    if view.other_history {
        return "more than this database, as it confirmed: this may be an older copy".to_owned();
    }
    let deltas = |n| count(n, "delta", "deltas");
    let mut words = format!(
        "{} in {}, as it confirmed",
        count(view.records, "record", "records"),
        deltas(view.deltas)
    );
    if view.lacks_deltas == 0 {
        words.push_str("; it lacks nothing that is sealed");
    } else {
        words.push_str(&format!(
            "; it lacks {} and {} taken back, in {}",
            count(view.lacks_records, "record", "records"),
            view.lacks_retracts,
            deltas(view.lacks_deltas)
        ));
    }
    words
}

/// What the last sync that went well brought.
fn taken(peer: &PeerView) -> String {
    match &peer.taken {
        None => "never synced".to_owned(),
        Some(taken) => match taken.run {
            None => "nothing new at the last sync".to_owned(),
            Some(run) => format!(
                "{} new, {} changed, {} gone at the last sync (`wb sync log {run}`)",
                taken.new, taken.changed, taken.gone
            ),
        },
    }
}
