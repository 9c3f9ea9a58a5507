//! `wb record retract`: says what it does and what nobody can promise, seals it, and may wait for receipts.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::Serialize;
use wb_core::entry::Reason;
use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_node::command::publish::publish_retracts;
use wb_node::command::record_retract::{record_retract, retracting};
use wb_node::command::sync::{self, SyncInput};
use wb_node::query::letters::letters_of_record;
use wb_node::query::peers::goes_by_itself;
use wb_node::query::who::{HolderState, WhoView, who};
use wb_node::{Actor, ErrorKind, Node, NodeError};

use super::who;
use crate::commands::{publish as publishing, sync as syncing};
use crate::context::{self, Context};
use crate::output::{self, clean, count};

/// Between two looks whether everybody confirmed.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Why a record is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Why {
    /// It goes too far: it stays here for members
    Scope,
    /// It is to be gone, here as well
    Erase,
    /// It should not have gone out: it stays here and private
    Mistake,
}

impl Why {
    fn reason(self) -> Reason {
        match self {
            Self::Scope => Reason::Scope,
            Self::Erase => Reason::Erase,
            Self::Mistake => Reason::Mistake,
        }
    }
}

/// What is taken back, and how.
#[derive(Debug, Args)]
pub struct Retract {
    /// The record
    id: String,
    /// Why; receivers are told, and it decides what stays here
    #[arg(long)]
    reason: Why,
    /// Sync and wait until every known holder confirmed, for so many seconds
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "60")]
    wait: Option<u64>,
    /// Seal without asking a hub whether this is the newest copy of the folder
    #[arg(long, conflicts_with = "wait")]
    offline: bool,
}

#[derive(Serialize)]
struct RetractedJson {
    schema_version: u32,
    id: RecordId,
    reason: &'static str,
    taken_back: u64,
    complete: bool,
    feeds: Vec<who::FeedJson>,
}

/// Takes a record back.
pub fn run(context: &Context, args: &Retract) -> Result<ExitCode> {
    let (mut node, actor) = context.acting()?;
    let key = context::record(&node, &args.id)?;
    let reason = args.reason.reason();
    let before = retracting(&node, &actor, &key, reason)?;
    context.say(format!(
        "{} {}: {}",
        before.kind,
        before.id,
        clean(&before.headline)
    ));
    context.say(&before.words);
    if before.children > 0 {
        context.say(format!(
            "{} here and stays home with it.",
            count(
                before.children as u64,
                "record belongs to it",
                "records belong to it"
            )
        ));
    }
    let puts = wb_node::plan::plan(&node, wb_node::entropy::now())?
        .puts
        .len();
    if args.wait.is_some() && puts > 0 {
        context.say(format!(
            "Waiting syncs as `wb sync` does, so {} leave with it.",
            count(
                puts as u64,
                "other record that is marked",
                "other records that are marked"
            )
        ));
    }
    if !context.confirm("Take it back?")? {
        context.say("Nothing was changed; --yes answers that with yes.");
        return Ok(ExitCode::from(ErrorKind::Pending.exit_code()));
    }
    let marked = record_retract(&node, &actor, &key, reason)?;
    context.say_what_is_left(&node)?;
    let mut taken_back = 0;
    if !marked.published.is_empty() {
        publishing::confirmed(&node, args.offline).inspect_err(|_| {
            context.say(
                "It is marked to be taken back, and leaves the feed with the next sync or publish.",
            );
        })?;
        taken_back = publish_retracts(&mut node, &actor)?.retracts;
    }
    let mut found = who(&node, &key)?;
    if let Some(seconds) = args.wait.filter(|_| !found.moves.is_empty()) {
        found = wait(
            context,
            &mut node,
            &actor,
            &key,
            Duration::from_secs(seconds),
        )?;
    }
    let told = letters_of_record(&node, &marked.id)?;
    if found.moves.is_empty() && !told.is_empty() && !context.json() {
        for (_, name, state) in told {
            output::line(format!(
                "letter to {}: {}",
                clean(&name),
                clean(&state.sentence)
            ))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    tell(context, &marked.id, args, taken_back, &found)?;
    Ok(if args.wait.is_none() || is_complete(&found) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(ErrorKind::Pending.exit_code())
    })
}

fn tell(
    context: &Context,
    id: &RecordId,
    args: &Retract,
    taken_back: u64,
    found: &WhoView,
) -> Result<()> {
    if context.json() {
        return output::json(&RetractedJson {
            schema_version: 1,
            id: *id,
            reason: args.reason.reason().as_str(),
            taken_back,
            complete: is_complete(found),
            feeds: found.moves.iter().map(who::json).collect(),
        });
    }
    if found.moves.is_empty() {
        return output::line(format!(
            "{id} never left: there is nothing to take back elsewhere."
        ));
    }
    found
        .moves
        .iter()
        .try_for_each(|last| who::show(context, last))?;
    if args.wait.is_none() && !is_complete(found) {
        context.say(format!(
            "`wb sync` tells hubs and peers; `wb record who {id}` shows who confirmed."
        ));
    }
    Ok(())
}

/// Whether every known holder confirmed that it is gone.
fn is_complete(found: &WhoView) -> bool {
    let mut gone = found.moves.iter().filter(|last| !last.is_put);
    gone.all(wb_node::query::who::MoveView::is_complete)
}

/// Syncs again and again until every known holder confirmed, or the time is over; tells each that did.
fn wait(
    context: &Context,
    node: &mut Node,
    actor: &Actor,
    key: &RecordRef,
    for_at_most: Duration,
) -> Result<WhoView> {
    let looks = for_at_most.as_secs().div_ceil(LOOK_AGAIN.as_secs()).max(1);
    let mut looked = 0;
    let mut told: BTreeMap<InstanceId, HolderState> = BTreeMap::new();
    loop {
        round(context, node, actor)?;
        let found = who(node, key)?;
        let holders = found.moves.iter().filter(|last| !last.is_put);
        for holder in holders.flat_map(|last| &last.holders) {
            if told.insert(holder.id, holder.state) != Some(holder.state) {
                context.say(who::sentence(holder));
            }
        }
        looked += 1;
        if is_complete(&found) || looked >= looks {
            return Ok(found);
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// One sync with everybody that is synced with. Where another process of this folder syncs, it does that.
fn round(context: &Context, node: &mut Node, actor: &Actor) -> Result<()> {
    let _lock = match sync::lock(node) {
        Ok(lock) => lock,
        Err(NodeError::SyncRuns) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for peer in node.store().peers().map_err(NodeError::from)? {
        if !goes_by_itself(node, &peer)? {
            continue;
        }
        let input = SyncInput {
            pull: true,
            push: true,
            dry_run: false,
            wait: Duration::ZERO,
        };
        syncing::one(context, node, actor, peer, input)?;
    }
    Ok(())
}
