//! `wb sync`: with each hub in turn, after the same preview as `wb publish`.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde::Serialize;
use wb_core::id::InstanceId;
use wb_core::sync::{Notice, Role};
use wb_node::command::follow::find_peer;
use wb_node::command::publish_for_callers::callers;
use wb_node::command::review::{Decision, review_origin};
use wb_node::command::sync::{self, SyncInput, Synced};
use wb_node::error::of_peer;
use wb_node::plan::plan;
use wb_node::query::peers::goes_by_itself;
use wb_node::query::review::review;
use wb_node::sync::{SetAside, Tally};
use wb_node::view::{EnvelopesView, LettersView};
use wb_node::{Actor, ErrorKind, Node, NodeError};
use wb_store::{Difference, Peer};

use super::bundle::outcome_words;
use super::inbox;
use super::publish;
use super::registration::NAME_CHARS;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, clean, count, short};
use crate::runtime::wait_for;

mod called;
mod log;
mod preview;

/// Headlines shown of a new peer.
const SAMPLE: usize = 5;

/// Take what others published, seal what is marked, and give what hubs lack
#[derive(Debug, Args)]
pub struct Sync {
    #[command(subcommand)]
    command: Option<Log>,
    /// Hubs to sync with, by name, address or id; all of them when none is named
    #[arg(value_name = "PEER")]
    peers: Vec<String>,
    /// Only give: seal what is marked, and push what the hub lacks
    #[arg(long)]
    push: bool,
    /// Only take
    #[arg(long)]
    pull: bool,
    /// Show record by record what would leave and what would change here, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// What else there is about syncing.
#[derive(Debug, Subcommand)]
pub enum Log {
    /// List exchanges that moved something or failed; with RUN, what came and went by it
    Log(log::SyncLog),
}

#[derive(Serialize)]
struct SyncView<'a> {
    schema_version: u32,
    peer: InstanceId,
    name: &'a str,
    dry_run: bool,
    phase: &'static str,
    cause: &'static str,
    sentence: String,
    action: &'static str,
    detail: Option<&'a str>,
    pulled: Pulled<'a>,
    sealed: u64,
    taken_back: u64,
    pushed: Pushed,
    notices: Vec<&'static str>,
    waiting: Vec<Waiting<'a>>,
    own_is_ahead: bool,
    clock_offset_seconds: i64,
    bytes_sent: u64,
    bytes_received: u64,
    round_trips: u64,
    run: Option<i64>,
    envelopes: &'a EnvelopesView,
    letters: &'a LettersView,
}

#[derive(Serialize)]
struct Pulled<'a> {
    new: u64,
    changed: u64,
    gone: u64,
    filled: u64,
    deltas: u64,
    snapshots: u64,
    set_aside: Vec<AsideView<'a>>,
}

#[derive(Serialize)]
struct AsideView<'a> {
    origin: InstanceId,
    scope: &'static str,
    outcome: &'a str,
    rule: Option<&'a str>,
}

#[derive(Serialize)]
struct Pushed {
    records: u64,
    retracts: u64,
    deltas: u64,
}

#[derive(Serialize)]
struct Waiting<'a> {
    origin: InstanceId,
    name: &'a str,
    records: u64,
}

/// Syncs.
pub fn run(context: &Context, args: &Sync) -> Result<ExitCode> {
    if let Some(Log::Log(wanted)) = &args.command {
        if args.push || args.pull || args.dry_run {
            return Err(Failure::usage(
                "`sync log` only reads",
                "leave --push, --pull and --dry-run away",
            )
            .into());
        }
        log::run(context, wanted)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (mut node, actor) = context.acting()?;
    let peers = chosen(&node, &args.peers)?;
    let callers = if args.peers.is_empty() {
        callers(&node, None)?
    } else {
        Vec::new()
    };
    if peers.is_empty() && callers.is_empty() {
        context.say(
            "Every peer is paused or refused; one that is paused is synced with when it is named.",
        );
    }
    let input = SyncInput {
        pull: args.pull || !args.push,
        push: args.push || !args.pull,
        dry_run: args.dry_run,
        wait: Duration::ZERO,
    };
    if input.push && !input.dry_run && !publish::agreed(context, &node)? {
        context.say("Nothing was synced; `wb sync --pull` only takes.");
        return Ok(ExitCode::from(ErrorKind::Pending.exit_code()));
    }
    if context.verbose() && input.push && !input.dry_run && !context.json() {
        publish::preview(context, &node, &plan(&node, wb_node::entropy::now())?)?;
    }
    let _lock = sync::lock(&node)?;
    let mut ends = Vec::new();
    for peer in peers {
        let done = one(context, &mut node, &actor, peer, input)?;
        if input.dry_run {
            preview::show(context, &node, &done, input)?;
        }
        tell(context, &node, &done, input)?;
        if !input.dry_run {
            show_new_peer(context, &mut node, &actor, &done)?;
        }
        ends.push(done);
    }
    if !callers.is_empty() {
        called::seal(context, &mut node, &actor, &callers, input)?;
    }
    if input.dry_run && !context.json() {
        output::line("Nothing was changed: this was a preview.")?;
    }
    Ok(exit_code(&ends))
}

/// What came first from a new peer is held and not shown: a person looks at it, and accepts or not.
fn show_new_peer(context: &Context, node: &mut Node, actor: &Actor, done: &Synced) -> Result<()> {
    let id = done.peer.id;
    if done.peer.role != Role::Node || context.json() && !context.yes() {
        return Ok(());
    }
    let waits = review(node)?.origins.into_iter().find(|it| it.id == id);
    let Some(waits) = waits else {
        return Ok(());
    };
    let name = name(&done.peer);
    if !context.json() {
        let counts = waits.records.iter();
        let counts: Vec<String> = counts
            .map(|(kind, n)| format!("{n} {}", clean(kind)))
            .collect();
        output::line(format!("{name} publishes {}", counts.join(", ")))?;
        let sample = waits.sample.iter().filter(|text| !text.is_empty());
        sample
            .take(SAMPLE)
            .try_for_each(|text| output::line(format!("  “{}”", clean(text))))?;
    }
    if context.confirm(&format!("Show what {name} publishes to members here?"))? {
        review_origin(node, actor, id, Decision::Accept)?;
        context.say(format!("{name} is accepted; what it publishes is shown."));
    } else {
        context.say(format!(
            "It is held and not shown; `wb review accept {}` shows it.",
            id.short()
        ));
    }
    Ok(())
}

/// The peers that are named, each once; or all that are neither paused nor refused.
fn chosen(node: &Node, named: &[String]) -> Result<Vec<Peer>> {
    let mut peers: Vec<Peer> = Vec::new();
    for name in named {
        let peer = find_peer(node, name)?;
        if peers.iter().all(|other| other.id != peer.id) {
            peers.push(peer);
        }
    }
    if named.is_empty() {
        peers = node.store().peers().map_err(NodeError::from)?;
        if peers.is_empty() {
            return Err(Failure::usage(
                "this instance is registered at no hub, and has no peer",
                "`wb join HUB` registers and shows what it offers; `wb peer invite` pairs with another node; without a network, `wb bundle export` writes a \
                 file",
            )
            .into());
        }
        let mut going = Vec::new();
        for peer in peers {
            if goes_by_itself(node, &peer)? {
                going.push(peer);
            }
        }
        return Ok(going);
    }
    Ok(peers)
}

/// Syncs with one peer, with a bar for whoever looks.
pub fn one(
    context: &Context,
    node: &mut Node,
    actor: &Actor,
    peer: Peer,
    input: SyncInput,
) -> Result<Synced> {
    let bar = context.progress("syncing");
    let mut progress = |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    };
    let done = wait_for(sync::sync(node, actor, peer, input, &mut progress));
    bar.finish_and_clear();
    Ok(done??)
}

/// The exit code of the worst end.
pub fn exit_code<'s>(ends: impl IntoIterator<Item = &'s Synced>) -> ExitCode {
    let kinds = ends
        .into_iter()
        .filter_map(|done| done.end.as_ref())
        .map(|(cause, _)| of_peer(*cause));
    ExitCode::from(
        kinds
            .max_by_key(|kind| weight(*kind))
            .map_or(0, ErrorKind::exit_code),
    )
}

/// How much an end matters: what waits for others least, what has to be mended here most.
fn weight(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Pending => 0,
        ErrorKind::Unreachable => 1,
        ErrorKind::Skew => 2,
        ErrorKind::Conflict => 3,
        ErrorKind::Verification => 4,
        ErrorKind::Failed | ErrorKind::Usage => 5,
    }
}

/// Tells what came of syncing with one peer.
pub fn tell(context: &Context, node: &Node, done: &Synced, input: SyncInput) -> Result<()> {
    if context.json() {
        return output::json(&view(done, input.dry_run));
    }
    let name = name(&done.peer);
    let sentence = done.state.sentence(&name);
    match &done.end {
        None if input.dry_run => {
            output::line(format!("{name}: a sync would end well"))?;
        }
        None => output::line(format!("{sentence}: {}", moved(done)))?,
        Some((cause, detail)) => {
            // Where two programs do not understand each other the detail is the sentence.
            let detail = if detail.is_empty() || *detail == sentence {
                String::new()
            } else {
                format!(" ({})", clean(detail))
            };
            output::line(format!("{sentence}{detail}"))?;
            output::line(format!("  next: {}", cause.action()))?;
            if !input.dry_run && !is_nothing(done) {
                output::line(format!("  until then: {}", moved(done)))?;
            }
        }
    }
    if let (true, Some(run)) = (context.verbose(), done.run_no)
        && !done.tally.is_empty()
    {
        log::list_records(context, node, run)?;
    }
    for text in notices(node, done, &name)? {
        context.say(text);
    }
    Ok(())
}

/// The name of a peer, as it can be shown.
fn name(peer: &Peer) -> String {
    if peer.name.trim().is_empty() {
        peer.id.short()
    } else {
        clean(&short(&peer.name, NAME_CHARS))
    }
}

fn is_nothing(done: &Synced) -> bool {
    done.tally.is_empty()
        && done.envelopes.given + done.envelopes.taken == 0
        && done.letters.given + done.letters.taken == 0
        && done.pushed.deltas == 0
        && done.published.deltas == 0
}

fn moved(done: &Synced) -> String {
    if is_nothing(done) {
        return "nothing new on either side".to_owned();
    }
    let (tally, pushed) = (&done.tally, &done.pushed);
    let mut parts = Vec::new();
    if tally.new + tally.changed + tally.gone + tally.deltas > 0 {
        parts.push(format!(
            "took {} new, {} changed, {} gone",
            tally.new, tally.changed, tally.gone
        ));
    }
    if tally.filled > 0 {
        parts.push(count(
            tally.filled,
            "missing line came",
            "missing lines came",
        ));
    }
    if !tally.set_aside.is_empty() {
        let feeds = tally.set_aside.len() as u64;
        parts.push(format!("set aside {}", count(feeds, "feed", "feeds")));
    }
    if done.published.deltas > 0 {
        let (puts, retracts) = (done.published.puts, done.published.retracts);
        parts.push(match puts + retracts + done.published.new_logs {
            0 => "told followers that this community goes on".to_owned(),
            _ => format!("sealed {}", records(puts, retracts)),
        });
    }
    if pushed.deltas > 0 {
        parts.push(format!("gave {}", records(pushed.records, pushed.retracts)));
    }
    let sealed = &done.envelopes;
    if sealed.given > 0 {
        let envelopes = count(sealed.given, "sealed envelope", "sealed envelopes");
        parts.push(format!("gave {envelopes}"));
    }
    if sealed.taken > 0 {
        let envelopes = count(sealed.taken, "sealed envelope", "sealed envelopes");
        parts.push(format!("opened {envelopes}"));
    }
    if done.letters.given > 0 {
        let letters = count(done.letters.given, "letter", "letters");
        parts.push(format!("gave {letters}"));
    }
    if done.letters.taken > 0 {
        let letters = count(done.letters.taken, "letter", "letters");
        parts.push(format!("took {letters}"));
    }
    parts.join("; ")
}

/// What a person should know of letters.
fn letter_words(letters: &LettersView, name: &str) -> Vec<String> {
    let mut texts = Vec::new();
    if letters.left > 0 {
        texts.push(format!(
            "{} at {name} was left there: who wrote it is not accepted here. `wb inbox` says who that is.",
            count(letters.left, "letter", "letters")
        ));
    }
    if !letters.refused.is_empty() {
        texts.push(format!(
            "{} from {name} was refused, because it breaks {}. Nothing of it counts.",
            count(letters.refused.len() as u64, "letter", "letters"),
            letters.refused.join(", ")
        ));
    }
    texts
}

/// What a person should know of sealed envelopes.
fn sealed_words(sealed: &EnvelopesView, name: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let envelopes = |n| count(n, "sealed envelope", "sealed envelopes");
    if sealed.left > 0 {
        texts.push(format!(
            "{} at {name} was left there: who sealed it is not accepted here. `wb review` lists who waits.",
            envelopes(sealed.left)
        ));
    }
    if !sealed.refused.is_empty() {
        texts.push(format!(
            "{} from {name} was refused, because it breaks {}. Nothing of it counts; who sealed it is told what is here.",
            envelopes(sealed.refused.len() as u64),
            sealed.refused.join(", ")
        ));
    }
    if sealed.blocked > 0 {
        texts.push(format!(
            "To {} nothing is sealed for now; `wb peer trust` says why.",
            count(sealed.blocked, "trusted instance", "trusted instances")
        ));
    }
    if sealed.too_large > 0 {
        texts.push(format!(
            "For {} all that is shared with trusted peers only is more than an envelope holds, so nothing of it was sealed.",
            count(sealed.too_large, "trusted instance", "trusted instances")
        ));
    }
    texts
}

fn records(puts: u64, retracts: u64) -> String {
    let puts = count(puts, "record", "records");
    if retracts == 0 {
        return puts;
    }
    format!("{puts} and took back {retracts}")
}

/// What a person should know besides, in plain words.
fn notices(node: &Node, done: &Synced, name: &str) -> Result<Vec<String>> {
    let mut texts: Vec<String> = done
        .notices
        .iter()
        .map(|notice| notice_words(*notice, done, name))
        .collect();
    texts.extend(done.clock_words(name));
    if done.tally.own_is_ahead {
        texts.push(format!(
            "WARNING: {name} holds more of this instance's own feed than this database. Either this folder is an \
             older copy, or another copy of the instance publishes. Nothing is published from here: run `wb restore`, or use the newest copy."
        ));
    }
    texts.extend(sealed_words(&done.envelopes, name));
    texts.extend(letter_words(&done.letters, name));
    let names = names(node, done)?;
    for aside in &done.tally.set_aside {
        texts.push(aside_words(aside, &names));
    }
    for one in &done.recovered {
        let name = names
            .get(&one.id)
            .cloned()
            .unwrap_or_else(|| one.id.short());
        texts.push(format!(
            "{} recovered its key: {} hidden that somebody else may have published, {} taken back by them {} back with its new log.",
            clean(&short(&name, NAME_CHARS)),
            count(one.hidden, "record is", "records are"),
            count(one.returned, "record", "records"),
            if one.returned == 1 { "comes" } else { "come" }
        ));
    }
    // Of a new peer it is asked right below.
    let own_question = |id: &InstanceId| done.peer.role == Role::Node && *id == done.peer.id;
    for (id, name, records) in done.waiting.iter().filter(|(id, ..)| !own_question(id)) {
        texts.push(format!(
            "{} waits for a decision, with {} held and not shown: `wb follow {id}` accepts it.",
            clean(&short(name, NAME_CHARS)),
            count(*records, "record", "records")
        ));
    }
    if !done.tally.set_aside.is_empty() || done.tally.own_is_ahead {
        texts.extend(inbox::hint(node)?);
    }
    Ok(texts)
}

fn notice_words(notice: Notice, done: &Synced, name: &str) -> String {
    let anew = count(done.tally.snapshots, "feed was", "feeds were");
    match notice {
        Notice::HubChanged => format!(
            "{name} was restored from an older copy, or made anew: heads were compared, and {anew} taken anew. \
             Nothing was lost here."
        ),
        Notice::AwayTooLong => format!(
            "{name} does not keep deltas for as long as this node was away: heads were compared, and {anew} taken \
             anew. Nothing is missing."
        ),
        Notice::FollowsSent => format!("{name} has the follow list as it is now."),
        Notice::PeerMoved => format!(
            "{name} moved to {}, as its own card said and its key proved.",
            clean(&done.peer.address)
        ),
        Notice::HubLostOurs => format!(
            "{name} no longer held what it had confirmed of this instance's feed, so it was restored from an older \
             copy: {} sent again.",
            count(done.pushed.deltas, "delta was", "deltas were")
        ),
    }
}

fn aside_words(aside: &SetAside, names: &BTreeMap<InstanceId, String>) -> String {
    let rule = aside.rule.map(|rule| format!(" ({rule})"));
    let origin = names.get(&aside.origin).map_or_else(
        || aside.origin.short(),
        |name| clean(&short(name, NAME_CHARS)),
    );
    format!(
        "The {} feed of {origin} {}{}.",
        aside.scope,
        outcome_words(aside.outcome),
        rule.unwrap_or_default()
    )
}

/// Names of instances, also of those that only a rehearsal saw.
fn names(node: &Node, done: &Synced) -> Result<BTreeMap<InstanceId, String>> {
    let known = node.store().instances().map_err(NodeError::from)?;
    let waiting = done.waiting.iter();
    let mut names: BTreeMap<InstanceId, String> =
        waiting.map(|(id, name, _)| (*id, name.clone())).collect();
    names.extend(known.into_iter().map(|it| (it.id, it.label())));
    Ok(names)
}

fn view(done: &Synced, dry_run: bool) -> SyncView<'_> {
    SyncView {
        schema_version: 1,
        peer: done.peer.id,
        name: &done.peer.name,
        dry_run,
        phase: done.state.phase().as_str(),
        cause: done.state.cause.as_str(),
        sentence: done.state.sentence(&done.peer.name),
        action: done.state.cause.action(),
        detail: done.end.as_ref().map(|(_, detail)| detail.as_str()),
        pulled: pulled(&done.tally, done, dry_run),
        sealed: done.published.puts,
        taken_back: done.published.retracts,
        pushed: Pushed {
            records: done.pushed.records,
            retracts: done.pushed.retracts,
            deltas: done.pushed.deltas,
        },
        notices: done.notices.iter().copied().map(Notice::as_str).collect(),
        waiting: done
            .waiting
            .iter()
            .map(|(origin, name, records)| Waiting {
                origin: *origin,
                name,
                records: *records,
            })
            .collect(),
        own_is_ahead: done.tally.own_is_ahead,
        clock_offset_seconds: done.clock_offset,
        bytes_sent: done.traffic.sent,
        bytes_received: done.traffic.received,
        round_trips: done.round_trips,
        run: done.run_no,
        envelopes: &done.envelopes,
        letters: &done.letters,
    }
}

fn pulled<'a>(tally: &'a Tally, done: &Synced, dry_run: bool) -> Pulled<'a> {
    // A rehearsal does not count, it lists.
    let counted = |difference, taken| {
        let listed = done.changed.iter();
        let listed = listed
            .filter(|change| change.difference == difference)
            .count();
        if dry_run { listed as u64 } else { taken }
    };
    Pulled {
        new: counted(Difference::New, tally.new),
        changed: counted(Difference::Changed, tally.changed),
        gone: counted(Difference::Gone, tally.gone),
        filled: tally.filled,
        deltas: tally.deltas,
        snapshots: tally.snapshots,
        set_aside: tally
            .set_aside
            .iter()
            .map(|aside| AsideView {
                origin: aside.origin,
                scope: aside.scope.as_str(),
                outcome: aside.outcome,
                rule: aside.rule,
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_end_is_the_one_to_act_on() {
        let worse_and_worse = [
            ErrorKind::Pending,
            ErrorKind::Unreachable,
            ErrorKind::Skew,
            ErrorKind::Conflict,
            ErrorKind::Verification,
            ErrorKind::Failed,
        ];
        assert!(worse_and_worse.map(weight).is_sorted());
    }
}
