//! `wb peer`

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use wb_core::time::Timestamp;
use wb_node::command::follow::find_peer;
use wb_node::query::peers::{peer_view, peers};
use wb_node::view::{ConfirmedView, FollowsView, NamedView, PeerView};

use super::registration::NAME_CHARS;
use crate::context::Context;
use crate::output::{self, clean, count, heading, short};

mod acts;
mod lists;
mod pairing;
mod trust;

/// Hubs and peers, and where it stands with each
#[derive(Debug, Subcommand)]
pub enum Peer {
    /// Make a link that pairs one other node with this one, and wait for it
    Invite(pairing::Invite),
    /// Agree to a link, or confirm who used one of yours
    Accept(pairing::Accept),
    /// Pair with an instance known from a hub, or through a folder
    Add(pairing::Add),
    /// List hubs and peers, each with its state
    List(List),
    /// Show one with everything known of it: state, follow list, and how far each side is
    Show(Show),
    /// Sync with one only when it is named, until it is resumed
    Pause {
        /// The hub or peer: its name, its address, or enough of its id
        peer: String,
    },
    /// Go on syncing with one, also by itself; with an interval, choose how often
    Resume(acts::Resume),
    /// End the wait after failures and try at once
    Retry {
        /// The hub or peer: its name, its address, or enough of its id
        peer: String,
    },
    /// Refuse a peer or any instance for good: nothing of it is shown, asked for or answered
    Block {
        /// The peer or instance: its name, its address, enough of its id, or the whole id
        #[arg(value_name = "PEER|INSTANCE")]
        instance: String,
    },
    /// Let an instance read what is shared with trusted peers only; without INSTANCE, list who may
    Trust(trust::Trust),
    /// Take an instance out of the trusted audience, and ask it to erase what it has
    Untrust {
        /// The instance: its name, enough of its id, or the whole id
        instance: String,
    },
    /// Remove a peer and what is kept about syncing with it; records stay
    Forget(acts::Forget),
}

/// What is listed
#[derive(Debug, Args)]
pub struct List {
    /// Whom this instance refuses
    #[arg(long, conflicts_with = "suggested")]
    blocked: bool,
    /// Instances whose cards came in feeds, with who suggests them; none is asked for anything
    #[arg(long)]
    suggested: bool,
}

/// What is shown of a peer
#[derive(Debug, Args)]
pub struct Show {
    /// The hub or peer: its name, its address, or enough of its id
    peer: String,
    /// List what waits for it, record by record
    #[arg(long, conflicts_with = "proof")]
    outbox: bool,
    /// Print what proves that it does not give what an origin signed, as JSON lines
    #[arg(long)]
    proof: bool,
}

/// Runs a command of this noun.
pub fn run(context: &Context, command: &Peer) -> Result<ExitCode> {
    match command {
        Peer::Invite(args) => return pairing::invite(context, args),
        Peer::Accept(args) => return pairing::accept(context, args),
        Peer::Add(args) => return pairing::add(context, args),
        Peer::List(args) if args.blocked => lists::blocked(context)?,
        Peer::List(args) if args.suggested => lists::suggested(context)?,
        Peer::List(_) => list(context)?,
        Peer::Show(args) if args.outbox => lists::waits(context, &args.peer)?,
        Peer::Show(args) if args.proof => lists::proofs(context, &args.peer)?,
        Peer::Show(args) => show(context, &args.peer)?,
        Peer::Pause { peer } => acts::pause(context, peer)?,
        Peer::Resume(args) => acts::resume(context, args)?,
        Peer::Retry { peer } => return acts::retry(context, peer),
        Peer::Block { instance } => return acts::block(context, instance),
        Peer::Trust(args) => return trust::trust(context, args),
        Peer::Untrust { instance } => return trust::untrust(context, instance),
        Peer::Forget(args) => return acts::forget(context, args),
    }
    Ok(ExitCode::SUCCESS)
}

fn list(context: &Context) -> Result<()> {
    let node = context.node()?;
    let peers = peers(&node)?;
    let columns = [
        "name",
        "state",
        "since",
        "last sync",
        "by itself",
        "waits",
        "what",
        "next",
    ];
    let empty = "No hub or peer is known here. `wb join HUB` registers at a hub, `wb peer invite` pairs with another node.";
    output::list(context, &peers, &columns, empty, |peer| {
        vec![
            short(&peer.name, NAME_CHARS),
            peer.phase.to_owned(),
            peer.since.to_string(),
            time(peer.last_synced),
            peer.auto.sentence.clone(),
            (peer.confirmed.lacks_records + peer.confirmed.lacks_retracts).to_string(),
            peer.sentence.clone(),
            peer.action.to_owned(),
        ]
    })?;
    if !context.json() {
        pairing::tell_asking(context, &node)?;
    }
    Ok(())
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
    if let Some(pair) = &peer.pair {
        output::line(format!("pair       {}, since {}", pair.state, pair.since))?;
        output::line(format!("words      {}", pair.words))?;
    } else {
        show_registration(&peer)?;
    }
    let lan = if peer.lan { " (own network)" } else { "" };
    let address = match peer.address.as_str() {
        "" => "none that is known here; it calls this instance".to_owned(),
        address => format!("{}{lan}", clean(address)),
    };
    output::line(format!("address    {address}"))?;
    output::line(format!("by itself  {}", peer.auto.sentence))?;
    for doubt in &peer.doubts {
        output::line(format!("in doubt   {}", clean(&doubt.sentence)))?;
    }
    if peer.pair.is_some() {
        output::line(format!("has of us  {}", confirmed(&peer.confirmed)))?;
        return output::line(format!("had for us {}", taken(&peer)));
    }
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
    if peer.blocked {
        output::line("refused    yes; `wb peer forget --refusal` lifts it")?;
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
            "; it lacks {} and {} taken back, in {} (`wb peer show --outbox` lists them)",
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
