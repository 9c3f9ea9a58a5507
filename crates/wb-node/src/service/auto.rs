//! Syncing by itself: every so often, and at once when a hub has something new.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use wb_core::id::InstanceId;
use wb_core::limits::WAIT_SECONDS_MAX;
use wb_core::scope::Kind;
use wb_core::sync::{PeerCause, PeerEvent, Phase, Role, next_sync};
use wb_core::time::Timestamp;
use wb_store::{Home, Peer};

use super::running;
use crate::command::conflict_settle::settle_due;
use crate::command::hub_register::{state_of, state_text};
use crate::command::publish_for_callers::{callers, publish_for_callers};
use crate::command::sync::{SyncInput, Synced, erase_kept, lock, sync, to_watch, watch_peer};
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::levels;
use crate::node::Node;
use crate::offers;
use crate::plan::{is_to_be_kept, plan, settle};
use crate::promise;
use crate::query::peers::goes_by_itself;
use crate::sync::{connect, watch as watch_hub};

/// How long after nobody is waited at any more it is tried again.
const WAIT_AGAIN: Duration = Duration::from_secs(15);

/// At least this long between two looks at a hub: one that says at once, again and again, that there is
/// something new must not keep this computer busy.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// At the latest after so long it is looked again who is due: what was chosen for a peer meanwhile, by a
/// page or a command, is noticed then.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// How long one sync goes on: others have to get their turn. The next goes on from where this one stands.
const SYNC_MAX: Duration = Duration::from_mins(15);

/// How a node syncs by itself.
#[derive(Debug, Clone)]
pub struct AutoSync {
    /// Its folder.
    pub home: Home,
    /// How often it publishes and pushes what is marked, and pulls, with each peer for which nothing else was
    /// chosen; none: with those by hand only.
    pub every: Option<Duration>,
    /// The kinds whose lines hubs are asked for; none: all.
    pub kinds: Option<BTreeSet<Kind>>,
}

/// Syncs until told to stop. Call it on a thread of its own: the database is used in place.
///
/// Between two rounds it waits at each hub for something new and pulls it at once.
///
/// # Errors
/// That the node cannot be opened, or no runtime made.
pub fn auto_sync(
    settings: &AutoSync,
    mut stop: watch::Receiver<bool>,
    report: &dyn Fn(&Synced),
    trouble: &dyn Fn(&NodeError),
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(NodeError::file(settings.home.dir()))?;
    let every = settings.every.unwrap_or_default();
    let _mark = running::mark(&settings.home, every);
    runtime.block_on(async {
        let mut node = Node::open(&settings.home)?.asking_for(settings.kinds.clone());
        // A sync that is dropped here ends between two pages: each is a transaction, and the next sync
        // goes on from there.
        tokio::select! {
            () = told(&mut stop) => Ok(()),
            never = forever(&mut node, every, report, trouble) => match never {},
        }
    })
}

/// Waits until it should stop.
async fn told(stop: &mut watch::Receiver<bool>) {
    // Whoever could say so being gone means the same.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Rounds, and what is new between them. The first is with everybody who is synced with by itself: much may
/// have happened while this program did not run.
async fn forever(
    node: &mut Node,
    every: Duration,
    report: &dyn Fn(&Synced),
    trouble: &dyn Fn(&NodeError),
) -> Infallible {
    let mut is_first = true;
    loop {
        // Also where nobody is synced with any more: what others took back is not kept for longer by that.
        if let Err(error) = erase_kept(node) {
            trouble(&error);
        }
        // Also here: what was contested for long enough is said once more, for whoever calls this node.
        if let Err(error) = settle_due(node, node.now()) {
            trouble(&error);
        }
        // Help that was agreed on ends by itself, too.
        if let Err(error) = offers::settle(node) {
            trouble(&error);
        }
        // Vouches end by themselves.
        if let Err(error) = levels::settle(node) {
            trouble(&error);
        }
        match due(node, every, is_first) {
            Ok(peers) => drop(each(node, peers, true, report, trouble).await),
            Err(error) => trouble(&error),
        }
        if let Err(error) = seal_for_callers(node, every) {
            trouble(&error);
        }
        is_first = false;
        // Peers whose news were nothing that is taken here: they are waited at again after the next round.
        let mut quiet = BTreeSet::new();
        let next = Instant::now() + until_next(node, every).unwrap_or(LOOK_AGAIN);
        while Instant::now() < next {
            match wait_for_news(node, every, next, &quiet).await {
                Ok(peers) => quiet.extend(each(node, peers, false, report, trouble).await),
                Err(error) => trouble(&error),
            }
            sleep_until(next.min(Instant::now() + LOOK_EVERY)).await;
        }
    }
}

/// The peers that are due now; at first all that may be tried.
fn due(node: &Node, every: Duration, is_first: bool) -> Result<Vec<Peer>> {
    let now = node.now();
    let mut peers = automatic(node, every)?;
    peers.retain(|(peer, next)| {
        let may_try = is_first && state_of(peer, now).may_try(now);
        may_try || *next <= now
    });
    Ok(peers.into_iter().map(|(peer, _)| peer).collect())
}

/// How long until the next is due, at most [`LOOK_AGAIN`].
fn until_next(node: &Node, every: Duration) -> Result<Duration> {
    let now = node.now();
    let next = automatic(node, every)?.into_iter().map(|(_, next)| next);
    let left = next
        .min()
        .map(|next| next.unix_ms().saturating_sub(now.unix_ms()));
    let left = left.map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0)));
    // One that is due and was not synced with (somebody else syncs) must not keep this computer busy.
    Ok(left.map_or(LOOK_AGAIN, |left| left.clamp(LOOK_EVERY, LOOK_AGAIN)))
}

/// Peers that are synced with by itself, each with when it is due.
fn automatic(node: &Node, every: Duration) -> Result<Vec<(Peer, Timestamp)>> {
    let (now, chosen) = (node.now(), node.store.intervals()?);
    let mut automatic = Vec::new();
    for peer in node.store.peers()? {
        let chosen = chosen.get(&peer.id).copied();
        let every = chosen.map_or(every, |minutes| Duration::from_secs(60 * minutes));
        let next = next_sync(&state_of(&peer, now), every, now);
        if let Some(next) = next
            && goes_by_itself(node, &peer)?
        {
            automatic.push((peer, next));
        }
    }
    Ok(automatic)
}

/// Syncs with some peers. What goes wrong with one keeps nobody from the next. Gives those of which nothing
/// was taken.
async fn each(
    node: &mut Node,
    peers: Vec<Peer>,
    push: bool,
    report: &dyn Fn(&Synced),
    trouble: &dyn Fn(&NodeError),
) -> Vec<InstanceId> {
    let mut quiet = Vec::new();
    for peer in peers {
        let id = peer.id;
        match one(node, peer, push, report).await {
            Ok(true) => {}
            Ok(false) => quiet.push(id),
            Err(error) => trouble(&error),
        }
    }
    quiet
}

/// Syncs with one; gives whether something of it was taken.
async fn one(node: &mut Node, peer: Peer, push: bool, report: &dyn Fn(&Synced)) -> Result<bool> {
    let _lock = lock(node)?;
    let actor = node.actor(None)?;
    // Another process may have synced meanwhile.
    let Some(peer) = node.store.peer(&peer.id)? else {
        return Ok(false);
    };
    let id = peer.id;
    let input = SyncInput {
        pull: true,
        push,
        dry_run: false,
        wait: Duration::ZERO,
    };
    let mut progress = |_, _| {};
    let syncing = timeout(SYNC_MAX, sync(node, &actor, peer, input, &mut progress));
    let Ok(synced) = syncing.await else {
        give_up(node, id)?;
        return Ok(false);
    };
    let synced = synced?;
    report(&synced);
    Ok(synced.tally.deltas > 0 || synced.tally.filled > 0)
}

/// Whoever calls this node finds what was marked until then.
fn seal_for_callers(node: &mut Node, every: Duration) -> Result<()> {
    let callers = callers(node, Some(every))?;
    let now = node.now();
    if callers.is_empty() {
        return Ok(());
    }
    let planned = plan(node, now)?;
    if planned.is_empty() && !promise::is_due(node, promise::from_now(node, now)?, now)? {
        if is_to_be_kept(&planned) {
            settle(node, now)?;
        }
        return Ok(());
    }
    let _lock = lock(node)?;
    let actor = node.actor(None)?;
    publish_for_callers(node, &actor, &callers)?;
    Ok(())
}

/// Notes that a sync went on for too long. What came counts, and it is tried again as after any failure.
fn give_up(node: &mut Node, id: InstanceId) -> Result<()> {
    let Some(mut peer) = node.store.peer(&id)? else {
        return Ok(());
    };
    let now = node.now();
    let why = format!(
        "not done after {} minutes; it goes on from there the next time",
        SYNC_MAX.as_secs() / 60
    );
    let mut state = state_of(&peer, now);
    let ended = PeerEvent::Ended(PeerCause::TimedOut, why);
    state.on(now, ended, entropy::chance());
    peer.state = state_text(&state);
    let write = node.store.write()?;
    write.put_peer(&peer)?;
    Ok(write.commit()?)
}

/// Waits at all hubs at once; gives those with something new, or none when the time is over.
async fn wait_for_news(
    node: &mut Node,
    every: Duration,
    until: Instant,
    quiet: &BTreeSet<InstanceId>,
) -> Result<Vec<Peer>> {
    // Another process may have put another key in place.
    node.refresh()?;
    let now = node.now();
    let started = Instant::now();
    let left = until.saturating_duration_since(started);
    // A hub waits for whole seconds. Asked for less it would answer at once, again and again.
    let wait = Duration::from_secs(left.as_secs().min(WAIT_SECONDS_MAX));
    let mut waits = JoinSet::new();
    for (peer, _) in automatic(node, every)? {
        // Who fails is tried with the next round; who was never synced has nothing to wait from.
        let state = state_of(&peer, now);
        let is_idle = state.phase() == Phase::Idle && state.may_try(now);
        if peer.role == Role::Node {
            if quiet.contains(&peer.id) {
                continue;
            }
            if let Some((client, want)) =
                to_watch(node, &peer)?.filter(|_| is_idle && !wait.is_zero())
            {
                waits.spawn(async move {
                    let news = watch_peer(client, want, wait).await;
                    (peer, news.map_err(crate::sync::SyncEnd::from))
                });
            }
            continue;
        }
        if !is_idle || peer.cursor.is_none() || wait.is_zero() {
            continue;
        }
        let mut hub = connect(node, &peer)?;
        waits.spawn(async move {
            let news = watch_hub(&mut hub, &peer, wait).await;
            (peer, news)
        });
    }
    while let Ok(Some(joined)) = timeout_at(until, waits.join_next()).await {
        match joined {
            Ok((peer, Ok(true))) => return Ok(vec![peer]),
            // One that does not hold its answer back is asked again after a while.
            Ok((_, Ok(false))) if started.elapsed() < wait => {}
            Ok((_, Ok(false))) => return Ok(Vec::new()),
            // A connection that was cut, by a proxy perhaps: it is made again after a while. What else is
            // wrong is told by the next round.
            Ok((_, Err(_))) | Err(_) => {}
        }
    }
    sleep_until(until.min(Instant::now() + WAIT_AGAIN)).await;
    Ok(Vec::new())
}
