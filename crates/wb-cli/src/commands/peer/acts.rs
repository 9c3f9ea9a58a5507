//! `wb peer pause`, `resume`, `retry`, `block` and `forget`

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use wb_core::id::InstanceId;
use wb_core::sync::{EVERY_MINUTES_MAX, Role};
use wb_node::ErrorKind;
use wb_node::command::follow::find_peer;
use wb_node::command::peer_block::{find_instance, peer_block};
use wb_node::command::peer_forget::{Forgotten, peer_forget, refusal_forget, what_stays};
use wb_node::command::peer_pause::{Every, peer_pause, peer_resume};
use wb_node::command::peer_retry::peer_retry;
use wb_node::command::sync::{self, SyncInput};
use wb_node::query::peers::peer_view;
use wb_node::query::trust::vouches_for;

use super::super::registration::NAME_CHARS;
use super::super::sync::{exit_code, one, tell};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, clean, count, short};

/// How to go on
#[derive(Debug, Args)]
pub struct Resume {
    /// The hub or peer: its name, its address, or enough of its id
    peer: String,
    /// Sync with it by itself every so many minutes, while `wb up` runs
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u64).range(1..=EVERY_MINUTES_MAX))]
    every: Option<u64>,
    /// Sync with it by hand only, however `wb up` is started
    #[arg(long, conflicts_with = "every")]
    by_hand: bool,
    /// Sync with it as `wb up` is started, as with any peer
    #[arg(long, conflicts_with_all = ["every", "by_hand"])]
    as_started: bool,
}

/// What to forget
#[derive(Debug, Args)]
pub struct Forget {
    /// The peer: its name, its address, or enough of its id; with --refusal, the instance that is refused
    #[arg(value_name = "PEER|INSTANCE")]
    peer: String,
    /// Lift the refusal, and leave everything else as it is
    #[arg(long)]
    refusal: bool,
}

/// Pauses.
pub fn pause(context: &Context, name: &str) -> Result<()> {
    let (mut node, actor) = context.acting()?;
    let peer = find_peer(&node, name)?;
    peer_pause(&mut node, &actor, &peer)?;
    let peer = peer_view(&node, &find_peer(&node, &peer.id.to_string())?)?;
    if context.json() {
        return output::json(&peer);
    }
    let name = clean(&short(&peer.name, NAME_CHARS));
    output::line(format!(
        "{name} is paused: it is synced with only when it is named. What is published meanwhile waits for it."
    ))
}

/// Goes on.
pub fn resume(context: &Context, args: &Resume) -> Result<()> {
    let (mut node, actor) = context.acting()?;
    let peer = find_peer(&node, &args.peer)?;
    let every = match (args.every, args.by_hand, args.as_started) {
        (Some(minutes), _, _) => Some(Every::Minutes(minutes)),
        (None, true, _) => Some(Every::ByHand),
        (None, false, true) => Some(Every::AsStarted),
        (None, false, false) => None,
    };
    peer_resume(&mut node, &actor, &peer, every)?;
    let peer = peer_view(&node, &find_peer(&node, &peer.id.to_string())?)?;
    if context.json() {
        return output::json(&peer);
    }
    let name = clean(&short(&peer.name, NAME_CHARS));
    output::line(format!("{name} is synced with: {}.", peer.auto.sentence))
}

/// Tries at once.
pub fn retry(context: &Context, name: &str) -> Result<ExitCode> {
    let (mut node, actor) = context.acting()?;
    let peer = find_peer(&node, name)?;
    let peer = peer_retry(&mut node, &actor, &peer)?;
    let input = SyncInput {
        pull: true,
        push: true,
        dry_run: false,
        wait: Duration::ZERO,
    };
    let _lock = sync::lock(&node)?;
    let done = one(context, &mut node, &actor, peer, input)?;
    tell(context, &node, &done, input)?;
    Ok(exit_code([&done]))
}

#[derive(Serialize)]
struct Blocked {
    schema_version: u32,
    id: InstanceId,
    blocked: bool,
    emptied: u64,
    vouch_taken_back: bool,
}

/// Refuses for good.
pub fn block(context: &Context, name: &str) -> Result<ExitCode> {
    let (mut node, actor) = context.acting()?;
    let id = find_instance(&node, name)?;
    let question = format!(
        "Refuse {} ({id}) for good? Nothing of it is shown any more, and it is neither asked nor answered; what this instance vouched for it is taken back.",
        clean(&short(name, NAME_CHARS))
    );
    if !context.confirm(&question)? {
        context.say("Nothing was changed; --yes answers that with yes.");
        return Ok(ExitCode::from(ErrorKind::Pending.exit_code()));
    }
    let vouched = vouches_for(&node, &id)?;
    let emptied = peer_block(&mut node, &actor, id)?;
    if context.json() {
        output::json(&Blocked {
            schema_version: 1,
            id,
            blocked: true,
            emptied,
            vouch_taken_back: vouched,
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    output::line(format!(
        "{id} is refused, whoever lists, suggests or vouches for it. `wb peer forget --refusal {}` lifts that.",
        id.short()
    ))?;
    if emptied > 0 {
        context.say(format!(
            "The words of {} of it went from here.",
            count(emptied, "record", "records")
        ));
    }
    if vouched {
        context.say("What this instance vouched for it is taken back, with the next publish, sync or export.");
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct ForgottenView<'a> {
    schema_version: u32,
    id: InstanceId,
    name: &'a str,
    records_stay: u64,
    unheard: Vec<InstanceId>,
    registered: bool,
    blocked: bool,
}

/// Forgets a peer, or lifts a refusal.
pub fn forget(context: &Context, args: &Forget) -> Result<ExitCode> {
    let (mut node, actor) = context.acting()?;
    if args.refusal {
        let id = find_instance(&node, &args.peer)?;
        refusal_forget(&mut node, &actor, &id)?;
        if context.json() {
            output::json(&Blocked {
                schema_version: 1,
                id,
                blocked: false,
                emptied: 0,
                vouch_taken_back: false,
            })?;
        } else {
            output::line(format!(
                "{id} is refused no longer. It waits for a decision like any that is new: `wb follow {}`.",
                id.short()
            ))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let peer =
        find_peer(&node, &args.peer).map_err(|error| match find_instance(&node, &args.peer) {
            Ok(_) => Failure::usage(
                "that is no peer",
                "`--refusal` lifts the refusal of an instance; `wb unfollow` ends following it",
            )
            .into(),
            Err(_) => anyhow::Error::from(error),
        })?;
    let stays = what_stays(&node, &peer)?;
    let name = clean(&short(&peer.name, NAME_CHARS));
    for sentence in sentences(&stays, &name) {
        context.say(sentence);
    }
    if !context.confirm(&format!("Forget {name}?"))? {
        context.say("Nothing was changed; --yes answers that with yes.");
        return Ok(ExitCode::from(ErrorKind::Pending.exit_code()));
    }
    let stays = peer_forget(&mut node, &actor, &peer)?;
    if context.json() {
        output::json(&ForgottenView {
            schema_version: 1,
            id: stays.peer.id,
            name: &stays.peer.name,
            records_stay: stays.records,
            unheard: stays.unheard.iter().map(|(id, _)| *id).collect(),
            registered: stays.registered,
            blocked: stays.blocked,
        })?;
    } else {
        output::line(format!("{name} is forgotten."))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What stays, and what does not come any more.
fn sentences(stays: &Forgotten, name: &str) -> Vec<String> {
    let mut sentences = vec![format!(
        "{} of others stay here, whichever way they came.",
        count(stays.records, "record", "records")
    )];
    if !stays.unheard.is_empty() {
        let names = stays.unheard.iter();
        let names = names.map(|(_, name)| clean(&short(name, NAME_CHARS)));
        sentences.push(format!(
            "Only {name} tells what these take back, so that their records could stand here although they were \
             taken back: {}. `wb unfollow` first removes them.",
            names.collect::<Vec<_>>().join(", ")
        ));
    }
    if stays.registered {
        sentences.push(format!(
            "The registration at {name} stays there, with what was published; its operator can end it."
        ));
    }
    if stays.peer.role == Role::Node {
        sentences.push(format!(
            "{name} is told nothing; its calls are refused from then on, and pairing again needs a new link."
        ));
    }
    if stays.blocked {
        sentences.push(format!("{name} is refused, and stays so."));
    }
    sentences
}
