//! `wb sync`: pulls what others published, seals what is marked, pushes what the hub lacks.
//!
//! Pulling comes first: what the hub says about our own feed tells whether this database is the newest
//! copy, and nothing is sealed when it is not. A rehearsal does the same in a transaction that is dropped.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use wb_core::id::InstanceId;
use wb_core::protocol::{PROTOCOL, Skew};
use wb_core::sync::{
    Notice, PeerCause, PeerEvent, PeerState, Role, Standing, Standings, WhoIsThis,
    lost_what_it_confirmed,
};
use wb_core::want::Held;
use wb_net::signed::Caller;
use wb_net::{HubClient, Traffic};
use wb_store::{Changed, GuardStanding, Peer, Recovered, Road, RunCounts, RunEnd, RunStart};

mod direct;
mod envelopes;
mod letters;

use super::hub_register::{may_lack_key, state_of, state_text, tell_key};
use super::key_recover::list_void_at;
use super::peer_block::check_not_blocked;
use super::peer_contact::contacted;
use super::publish::{Published, publish};
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::keys::fetch_history;
use crate::levels;
use crate::node::{Actor, Node};
use crate::plan::{Plan, plan};
use crate::query::hub_notices::that_only_speak;
use crate::query::peers::label;
use crate::sealed::To;
use crate::sealed::keys::note_keys;
use crate::sync::push::is_above_recovery;
use crate::sync::{
    Fetched, Lacking, OnProgress, OwnBack, PullInput, Pulled, PushedAll, Rehearsed, SyncEnd, Tally,
    check_own, check_turn, connect, exchange_receipts, fetch_for_rehearsal, pull, push, rehearse,
    sealed_and_lacking, take_turn,
};
use crate::view::{EnvelopesView, LettersView};

/// What is synced, and how.
#[derive(Debug, Clone, Copy)]
pub struct SyncInput {
    /// Take what others published.
    pub pull: bool,
    /// Give what this instance publishes.
    pub push: bool,
    /// Show what would change on both sides, and change nothing.
    pub dry_run: bool,
    /// How long the hub may hold its answer back until there is something new.
    pub wait: Duration,
}

/// What came of syncing with one peer.
#[derive(Debug)]
pub struct Synced {
    /// The peer as it is known now.
    pub peer: Peer,
    /// Its state now.
    pub state: PeerState,
    /// What was taken.
    pub tally: Tally,
    /// In a rehearsal: what would change here, record by record.
    pub changed: Vec<Changed>,
    /// In a rehearsal: what would be sealed.
    pub plan: Option<Plan>,
    /// In a rehearsal: what is already sealed and the hub lacks.
    pub lacking: Vec<Lacking>,
    /// What was sealed.
    pub published: Published,
    /// What was pushed.
    pub pushed: PushedAll,
    /// What a person should know.
    pub notices: BTreeSet<Notice>,
    /// Origins that wait for somebody to decide, with the number of their records.
    pub waiting: Vec<(InstanceId, String, u64)>,
    /// Seconds the hub's clock is ahead, where that mattered.
    pub clock_offset: i64,
    /// Bytes on the socket.
    pub traffic: Traffic,
    /// Requests sent.
    pub round_trips: u64,
    /// The run in the log, when there is something to tell.
    pub run_no: Option<i64>,
    /// Instances that recovered their key, as it looks from here.
    pub recovered: Vec<Recovered>,
    /// What came back of the own feed, while a copy is settled.
    pub own_back: OwnBack,
    /// Sealed envelopes that went and came.
    pub envelopes: EnvelopesView,
    /// Letters that went and came.
    pub letters: LettersView,
    /// Why it ended early.
    pub end: Option<(PeerCause, String)>,
}

impl Synced {
    /// Of clocks that differ: by how much, that nothing is lost by it, and whose has to be set.
    #[must_use]
    pub fn clock_words(&self, name: &str) -> Option<String> {
        let way = match self.clock_offset {
            0 => return None,
            1.. => "ahead of",
            _ => "behind",
        };
        let seconds = self.clock_offset.unsigned_abs();
        let unit = if seconds == 1 { "second" } else { "seconds" };
        Some(format!(
            "The clock of {name} is {seconds} {unit} {way} the one here. It was told the time by its own clock, and it \
             worked. Set the clock of this computer; if it is right, tell the operator of {name}."
        ))
    }
}

/// Counts what came and did not verify, over the life of this folder.
pub const VERIFY_FAILURES: &str = "verify_failures";

/// How often the lock is tried for, and the pause between: longer than anybody takes who only looks.
pub(crate) const LOCK_TRIES: u32 = 4;
pub(crate) const LOCK_PAUSE: Duration = Duration::from_millis(25);

/// Keeps other processes from syncing in the same folder at the same time.
#[derive(Debug)]
pub struct SyncLock {
    _file: File,
}

const LOCK_FILE: &str = "sync.lock";

/// Takes the lock; it goes with the process.
///
/// # Errors
/// `SyncRuns` when another process holds it.
pub fn lock(node: &Node) -> Result<SyncLock> {
    lock_home(node.store.home())
}

/// The same of a folder whose node is not open.
pub(crate) fn lock_home(home: &wb_store::Home) -> Result<SyncLock> {
    let path = home.dir().join(LOCK_FILE);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(NodeError::file(&path))?;
    try_lock(&path, file)
}

fn try_lock(path: &Path, file: File) -> Result<SyncLock> {
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(SyncLock { _file: file }),
            // Somebody may only be looking.
            Err(std::fs::TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(std::fs::TryLockError::Error(error)) => return Err(NodeError::file(path)(error)),
        }
    }
    Err(NodeError::SyncRuns)
}

/// Whether some process syncs in this folder now. A peer whose state is `syncing` while none does was
/// cut off: the next sync goes on from there. Whoever looks writes nothing.
///
/// # Errors
/// That the lock cannot be looked at.
pub fn runs(node: &Node) -> Result<bool> {
    let path = node.store.home().dir().join(LOCK_FILE);
    let file = match File::open(&path) {
        Ok(file) => file,
        // Nobody ever synced here.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(NodeError::file(&path)(error)),
    };
    match try_lock(&path, file) {
        Ok(_) => Ok(false),
        Err(NodeError::SyncRuns) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Syncs with one peer. What goes wrong with the peer is in the answer, not an error.
///
/// # Errors
/// What is wrong here.
pub async fn sync(
    node: &mut Node,
    actor: &Actor,
    peer: Peer,
    input: SyncInput,
    progress: OnProgress<'_>,
) -> Result<Synced> {
    let now = node.now();
    // Another process may have changed the key.
    node.refresh()?;
    // As it is now, under the lock that the caller holds: what was read before a question was asked may
    // have been changed meanwhile.
    let mut peer = node.store.peer(&peer.id)?.unwrap_or(peer);
    check_not_blocked(node, &peer)?;
    let mut state = state_of(&peer, now);
    let before = state.clone();
    state.on(now, PeerEvent::Started, 0);
    if !input.dry_run {
        peer.state = state_text(&state);
        put_peer(node, &peer)?;
    }
    if !input.dry_run {
        erase_kept(node)?;
    }
    let mut run = Running {
        done: Synced::new(peer, before),
        started: now,
        road: Road::Hub,
        trouble: None,
        receipts: None,
        waiting_there: None,
        letters_there: None,
    };
    if run.done.peer.role == Role::Node {
        return direct::sync(run, node, actor, input, state, progress).await;
    }
    let mut hub = match connect(node, &run.done.peer) {
        Ok(hub) => hub,
        Err(error) => {
            run.fail(SyncEnd::Local(error));
            return run.finish(node, actor, input, state, None);
        }
    };
    let mut ended = if input.dry_run {
        run.rehearse(node, &mut hub, input, progress).await
    } else {
        run.go(node, actor, &mut hub, input, progress).await
    };
    // A hub that was not told of a newer key yet is told, and nobody has to do anything.
    // An older copy, and one beside which another runs, tells none: the other copy would be shut out by it.
    let may_tell =
        node.store.guard() == GuardStanding::Sound && node.store.own_copies()?.is_empty();
    if may_tell && may_lack_key(node, ended.as_ref().err()) && !input.dry_run {
        match tell_key(node, &mut hub, &run.done.peer).await {
            Ok(()) => ended = run.go(node, actor, &mut hub, input, progress).await,
            // The key was changed by an older copy, and the hub took nothing of it.
            Err(end @ SyncEnd::Peer(PeerCause::OwnIsAhead, _)) => ended = Err(end),
            Err(_) => {}
        }
    }
    // What one feed breaks keeps nothing else from going on, so it is told at the end.
    let trouble = run.trouble.take().or_else(|| {
        let refused = run.done.tally.refused();
        refused.map(|detail| SyncEnd::Peer(PeerCause::BadAnswer, detail))
    });
    let ended = ended.and_then(|()| trouble.map_or(Ok(()), Err));
    if let Err(end) = ended {
        let end = run.explain_skew(&mut hub, end).await;
        run.ask_standing(&mut hub, &end).await;
        run.fail(end);
    }
    run.done.clock_offset = hub.caller().clock_offset();
    run.done.traffic = hub.traffic();
    run.done.round_trips = hub.caller().round_trips();
    run.finish(node, actor, input, state, Some(hub.caller()))
}

/// Erases what was taken back in great number and hidden since, once its time is over, and empties logs that could not
/// be emptied when something was erased.
///
/// # Errors
/// What the store reports.
pub fn erase_kept(node: &Node) -> Result<()> {
    let now = node.now();
    let is_over = node.store.has_kept_too_long(now)?;
    if is_over {
        let write = node.store.write_in_sight()?;
        write.erase_kept(now)?;
        node.store.note_erasing()?;
        write.commit()?;
    }
    if is_over || node.store.has_to_empty_logs()? {
        node.store.empty_logs()?;
    }
    Ok(())
}

fn has_recovered(node: &Node) -> bool {
    node.identity().newest().position.era > 0
}
pub(crate) use direct::{to_watch, watch as watch_peer};

fn put_peer(node: &mut Node, peer: &Peer) -> Result<()> {
    let write = node.store.write()?;
    write.put_peer(peer)?;
    Ok(write.commit()?)
}

impl Synced {
    fn new(peer: Peer, state: PeerState) -> Self {
        Self {
            peer,
            state,
            tally: Tally::default(),
            changed: Vec::new(),
            plan: None,
            lacking: Vec::new(),
            published: Published::default(),
            pushed: PushedAll::default(),
            notices: BTreeSet::new(),
            waiting: Vec::new(),
            clock_offset: 0,
            traffic: Traffic::default(),
            round_trips: 0,
            run_no: None,
            recovered: Vec::new(),
            own_back: OwnBack::default(),
            envelopes: EnvelopesView::default(),
            letters: LettersView::default(),
            end: None,
        }
    }
}

/// A sync that runs.
struct Running {
    done: Synced,
    started: wb_core::time::Timestamp,
    road: Road,
    /// What was wrong with single feeds, told when everything else is done.
    trouble: Option<SyncEnd>,
    /// The number of the newest receipt that the hub holds for this instance; none where it takes none.
    receipts: Option<u64>,
    /// How many sealed envelopes wait there, where that was said.
    waiting_there: Option<u64>,
    /// How many letters wait there, where that was said.
    letters_there: Option<u64>,
}

impl Running {
    fn fail(&mut self, end: SyncEnd) {
        self.done.end = Some(match end {
            SyncEnd::Peer(cause, detail) => (cause, detail),
            // The sentence says it all.
            SyncEnd::Local(NodeError::Suspect) => (PeerCause::OlderCopy, String::new()),
            SyncEnd::Local(NodeError::TwoCopies(words)) => (PeerCause::TwoCopies, words),
            SyncEnd::Local(error) => (PeerCause::LocalFailure, in_words(&error)),
            SyncEnd::NotFetched => (PeerCause::LocalFailure, "nothing was fetched".to_owned()),
        });
    }

    /// Where there is no protocol in common, and an answer that is not understood may come of that, both
    /// programs are named, and who has to be upgraded to what.
    async fn explain_skew(&self, hub: &mut HubClient, end: SyncEnd) -> SyncEnd {
        let may_be_skew = matches!(
            &end,
            SyncEnd::Peer(PeerCause::BadAnswer | PeerCause::VersionSkew, _)
        );
        if !may_be_skew {
            return end;
        }
        match hub.who_is_this().await {
            Ok(found) => self.skew_of(&found.says).unwrap_or(end),
            Err(_) => end,
        }
    }

    /// That there is no protocol in common, where that is so.
    fn skew_of(&self, says: &WhoIsThis) -> Option<SyncEnd> {
        if PROTOCOL.newest_common(says.protocol).is_some() {
            return None;
        }
        let skew = Skew {
            name: &label(&self.done.peer.name, &self.done.peer.id),
            software: &says.software,
            theirs: says.protocol,
        };
        Some(SyncEnd::Peer(PeerCause::VersionSkew, skew.to_string()))
    }

    /// Who is not let in asks why and until when.
    async fn ask_standing(&mut self, hub: &mut HubClient, end: &SyncEnd) {
        let is_of_standing = matches!(
            end,
            SyncEnd::Peer(PeerCause::Suspended | PeerCause::Approval, _)
        );
        if is_of_standing && let Ok(standings) = hub.member().await {
            self.done.peer.registered = Some(standings);
        }
    }

    async fn pull(
        &mut self,
        node: &Node,
        hub: &mut HubClient,
        input: PullInput<'_>,
        progress: OnProgress<'_>,
    ) -> std::result::Result<Option<Vec<Held>>, SyncEnd> {
        let (pulled, end) = match pull(node, hub, input, progress).await {
            Ok(pulled) => (pulled, None),
            Err((pulled, end)) => (*pulled, Some(end)),
        };
        self.take(pulled, end)
    }

    fn take(
        &mut self,
        pulled: Pulled,
        end: Option<SyncEnd>,
    ) -> std::result::Result<Option<Vec<Held>>, SyncEnd> {
        self.done.peer = pulled.peer;
        self.done.tally = pulled.tally;
        self.done.notices = pulled.notices;
        self.done.run_no = pulled.run_no;
        self.trouble = pulled.trouble;
        self.receipts = pulled.receipts;
        self.waiting_there = pulled.envelopes;
        self.letters_there = pulled.letters;
        match end {
            None => Ok(pulled.own),
            Some(end) => Err(end),
        }
    }

    async fn go(
        &mut self,
        node: &mut Node,
        actor: &Actor,
        hub: &mut HubClient,
        input: SyncInput,
        progress: OnProgress<'_>,
    ) -> std::result::Result<(), SyncEnd> {
        // First of all, so that of two copies neither goes on. Who only takes needs no turn.
        let is_suspect = node.store.guard() == GuardStanding::Suspect;
        let mut turn = None;
        if input.push && !is_suspect && !node.had_turn(&self.done.peer.id) {
            turn = take_turn(node, hub, self.done.peer.id).await?;
        }
        let own = if input.pull {
            let pulling = PullInput {
                peer: self.done.peer.clone(),
                rehearsal: None,
                wait: input.wait,
            };
            let own = self.pull(node, hub, pulling, progress).await?;
            if node.store.hides_others()? {
                let guard = node.store.guard();
                let write = node.store.write()?;
                write.note_heads_compared(guard)?;
                write.commit()?;
            }
            self.exchange_receipts(node, hub).await?;
            // With the newest keys and cards, which came by the pull.
            note_keys(node)?;
            if self.waiting_there != Some(0) {
                self.take_envelopes(node, hub).await?;
            }
            if self.letters_there == Some(0) {
                self.no_letters_there(node)?;
            } else {
                self.take_letters(node, hub).await?;
            }
            own
        } else {
            None
        };
        if !input.push {
            return Ok(());
        }
        // Now and then is enough while it gives nothing; before it seals, it asks again.
        let gives = || plan(node, node.now()).map(|plan| !plan.is_empty());
        if turn.is_none() && !is_suspect && gives()? {
            turn = take_turn(node, hub, self.done.peer.id).await?;
        }
        turn.as_ref().map_or(Ok(()), check_turn)?;
        let own = own.or(turn.map(|turn| turn.own));
        let own = match own {
            Some(own) => own,
            None => hub.heads(None).await?.own,
        };
        if lost_what_it_confirmed(&self.done.peer.acked, &own) {
            self.done.notices.insert(Notice::HubLostOurs);
        }
        if self.done.tally.own_is_ahead {
            return Err(SyncEnd::Peer(
                PeerCause::OwnIsAhead,
                "deltas of this instance came from elsewhere that are not here".to_owned(),
            ));
        }
        // Before anything is sealed: whether the hub holds more of us than we do.
        if let Err(end) = check_own(node, &own) {
            let SyncEnd::Peer(PeerCause::OwnIsAhead, _) = end else {
                return Err(end);
            };
            // After a recovery it may be what somebody else signed: then it is void, and known as such.
            if !has_recovered(node) {
                return Err(end);
            }
            let history = fetch_history(node.identity(), hub).await?;
            list_void_at(node, &history)?;
            check_own(node, &own)?;
        }
        // What a recovery made void there is listed here before it is outdone.
        for theirs in own.iter().filter(|held| held.origin == node.own_id()) {
            if is_above_recovery(node.identity(), theirs)
                && !node.store.is_void_own(&theirs.hash)?
            {
                let history = fetch_history(node.identity(), hub).await?;
                list_void_at(node, &history)?;
            }
        }
        self.done.published = publish(node, actor)?.1;
        match push(node, hub, own, progress).await {
            Ok(pushed) => self.done.pushed = pushed,
            Err((pushed, end)) => {
                self.done.pushed = pushed;
                self.done.peer.acked.clone_from(&self.done.pushed.acked);
                return Err(end);
            }
        }
        self.done.peer.acked.clone_from(&self.done.pushed.acked);
        let to = To::Hub(self.done.peer.id);
        self.give_envelopes(node, hub, to).await?;
        self.give_letters(node, hub, to).await
    }

    /// Says what is held of the feeds that come by this hub, and hears what followers say of ours. What goes
    /// wrong with it keeps nothing else from going on.
    async fn exchange_receipts(
        &mut self,
        node: &Node,
        hub: &mut HubClient,
    ) -> std::result::Result<(), SyncEnd> {
        match exchange_receipts(node, hub, self.done.peer.id, self.receipts).await {
            Err(end @ SyncEnd::Peer(..)) => {
                self.trouble.get_or_insert(end);
                Ok(())
            }
            other => other,
        }
    }

    async fn rehearse(
        &mut self,
        node: &Node,
        hub: &mut HubClient,
        input: SyncInput,
        progress: OnProgress<'_>,
    ) -> std::result::Result<(), SyncEnd> {
        let mut own = None;
        if input.pull {
            own = self.rehearse_pull(node, hub, progress).await?;
        }
        if input.push {
            let own = match own {
                Some(own) => own,
                None => hub.heads(None).await?.own,
            };
            self.done.plan = Some(plan(node, node.now())?);
            self.done.lacking = sealed_and_lacking(node, &own)?;
        }
        Ok(())
    }

    /// Rehearses the pull in one transaction, again from its beginning while something has to be fetched for
    /// it: other commands wait for the transaction, so it must not wait for the hub.
    async fn rehearse_pull(
        &mut self,
        node: &Node,
        hub: &mut HubClient,
        progress: OnProgress<'_>,
    ) -> std::result::Result<Option<Vec<Held>>, SyncEnd> {
        let peer = self.done.peer.clone();
        let mut fetched = Fetched::new(node.store.home().dir())?;
        loop {
            let write = node.store.write_in_sight()?;
            write.remember_shown()?;
            let pulling = PullInput {
                peer: peer.clone(),
                rehearsal: Some(&write),
                wait: Duration::ZERO,
            };
            let wants = match rehearse(node, &mut fetched, pulling).await {
                Rehearsed::Lacks(wants) => wants,
                Rehearsed::Ended(pulled, end) => {
                    self.done.changed = write.changed_since()?;
                    self.done.waiting = waiting(node)?;
                    return self.take(*pulled, end);
                }
            };
            drop(write);
            fetch_for_rehearsal(node, hub, &mut fetched, &peer, wants, progress).await?;
        }
    }

    /// Notes what came of it.
    fn finish(
        mut self,
        node: &mut Node,
        actor: &Actor,
        input: SyncInput,
        mut state: PeerState,
        called: Option<&Caller>,
    ) -> Result<Synced> {
        let now = node.now();
        let before = std::mem::replace(&mut self.done.state, state.clone());
        let event = match &self.done.end {
            None => PeerEvent::Synced,
            Some((cause, detail)) => PeerEvent::Ended(*cause, detail.clone()),
        };
        if input.dry_run {
            // A rehearsal changes nothing, and tells what the state would be.
            state = before;
            state.on(now, event, 0);
            self.done.state = state;
            return Ok(self.done);
        }
        state.on(now, event, entropy::chance());
        if let Some(seconds) = called.and_then(Caller::asked_to_wait) {
            state.wait_for(now, seconds);
        }
        let failures = self.done.verify_failures();
        let peer = &mut self.done.peer;
        peer.state = state_text(&state);
        if self.done.end.is_none() {
            peer.last_ok = Some(now);
        }
        note_registration(peer, &state);
        let write = node.store.write()?;
        if let Some(called) = called {
            // A key that was rotated there meanwhile.
            write.put_identity(called.identity(), wb_store::Standing::Waiting, now)?;
        }
        write.put_peer(peer)?;
        if failures > 0 {
            write.count(VERIFY_FAILURES, failures)?;
        }
        let moved = !self.done.tally.is_empty() || self.done.pushed.deltas > 0;
        let is_new_failure = self.done.end.is_some() && before.cause != state.cause;
        if self.done.run_no.is_none() && (moved || is_new_failure) {
            self.done.run_no = Some(write.start_run(&RunStart {
                peer: Some(peer.id),
                road: self.road,
                detail: &peer.address,
                at: self.started,
            })?);
        }
        if let Some(run_no) = self.done.run_no {
            write.note_sent(run_no, &self.done.pushed.sent)?;
            let cause = self.done.end.as_ref().map(|(cause, _)| cause.as_str());
            write.end_run(
                run_no,
                &RunEnd {
                    at: now,
                    outcome: if cause.is_none() {
                        "done"
                    } else {
                        "ended early"
                    },
                    cause,
                    counts: self.done.counts(),
                },
            )?;
        }
        write.commit()?;
        levels::settle(node)?;
        if !self.done.tally.recovered.is_empty() {
            let new = &self.done.tally.recovered;
            let mut recovered = node.store.recoveries()?;
            recovered.retain(|one| new.contains(&one.id));
            self.done.recovered = recovered;
        }
        // Whoever gives something to a hub is there.
        for origin in self.done.tally.heard.clone() {
            contacted(node, &origin)?;
        }
        self.done.state = state;
        self.done.waiting = waiting(node)?;
        if moved {
            let detail = format!(
                "{} new, {} changed, {} gone, {} pushed",
                self.done.tally.new,
                self.done.tally.changed,
                self.done.tally.gone,
                self.done.pushed.records + self.done.pushed.retracts
            );
            node.audit(now, actor, "sync", &self.done.peer.id, detail)?;
        }
        Ok(self.done)
    }
}

impl Synced {
    /// How much of what came did not verify.
    fn verify_failures(&self) -> u64 {
        let aside = self.tally.set_aside.iter();
        let refused = aside.filter(|aside| aside.is_refused()).count() as u64;
        let ended = self.end.as_ref().map(|(cause, _)| *cause);
        refused + u64::from(ended == Some(PeerCause::NotProved))
    }

    fn counts(&self) -> RunCounts {
        RunCounts {
            pushed_records: self.pushed.records,
            pushed_retracts: self.pushed.retracts,
            pulled_new: self.tally.new,
            pulled_changed: self.tally.changed,
            pulled_gone: self.tally.gone,
            deltas_out: self.pushed.deltas,
            deltas_in: self.tally.deltas,
            bytes_sent: self.traffic.sent,
            bytes_received: self.traffic.received,
            round_trips: self.round_trips,
        }
    }
}

/// An error of this side, with what to do about it. What came or went before it counts.
fn in_words(error: &NodeError) -> String {
    let action = match error {
        error if error.is_full() => "your data is safe; make room on the disk and sync again",
        error if error.is_read_only() => {
            "your data is safe; make the disk or the folder writable and sync again"
        }
        NodeError::SealedOnly(_) => "your data is safe; sync again when the disk can be written to",
        _ => return error.to_string(),
    };
    format!("{error}; {action}")
}

/// Who could sync is a member; any other standing was asked for.
fn note_registration(peer: &mut Peer, state: &PeerState) {
    if peer.role == Role::Hub && state.cause == PeerCause::Synced {
        peer.registered = Some(Standings {
            schema_version: 1,
            standing: Standing::Member,
            reason: None,
            until: None,
            visibility: None,
        });
    }
}

/// Origins nobody has decided about, with the number of records held.
fn waiting(node: &Node) -> Result<Vec<(InstanceId, String, u64)>> {
    let mut waiting = Vec::new();
    let shown = levels::still_shown(node)?;
    let feeds = node.store.served().feeds()?;
    let speak = that_only_speak(node)?;
    for instance in node.store.instances()? {
        if instance.standing != wb_store::Standing::Waiting || speak.contains(&instance.id) {
            continue;
        }
        let own = feeds.iter().filter(|feed| feed.held.origin == instance.id);
        let live: u64 = own.map(|feed| feed.live_n).sum();
        let records = live.saturating_sub(shown.get(&instance.id).copied().unwrap_or_default());
        if records > 0 {
            waiting.push((instance.id, instance.label(), records));
        }
    }
    Ok(waiting)
}
