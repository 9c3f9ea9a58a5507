//! Syncing by itself: every so often, and at once when a hub has something new.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use wb_core::limits::WAIT_SECONDS_MAX;
use wb_core::sync::Phase;
use wb_store::{Home, Peer};

use crate::command::hub_register::state_of;
use crate::command::sync::{SyncInput, Synced, lock, sync};
use crate::error::{NodeError, Result};
use crate::node::Node;
use crate::sync::{connect, watch as watch_hub};

/// How long after a failure to sync at all (a lock, a full disk), or news that were none, it is tried again.
const REST: Duration = Duration::from_secs(10);

/// How a node syncs by itself.
#[derive(Debug, Clone)]
pub struct AutoSync {
    /// Its folder.
    pub home: Home,
    /// How often it publishes and pushes what is marked, and pulls.
    pub every: Duration,
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
    runtime.block_on(async {
        let mut node = Node::open(&settings.home)?;
        loop {
            let next = Instant::now() + settings.every;
            match round(&mut node, report).await {
                Ok(()) => {}
                Err(error) => {
                    trouble(&error);
                    if stops(&mut stop, Instant::now() + REST.min(settings.every)).await {
                        return Ok(());
                    }
                }
            }
            while Instant::now() < next {
                let rests = tokio::select! {
                    _ = stop.changed() => return Ok(()),
                    news = wait_for_news(&node, next) => match news {
                        Ok(peers) => take_news(&mut node, peers, report, trouble).await,
                        Err(error) => {
                            trouble(&error);
                            true
                        }
                    },
                };
                if rests && stops(&mut stop, next.min(Instant::now() + REST)).await {
                    return Ok(());
                }
            }
            if *stop.borrow() {
                return Ok(());
            }
        }
    })
}

/// Waits until a time; true when it should stop.
async fn stops(stop: &mut watch::Receiver<bool>, until: Instant) -> bool {
    timeout_at(until, stop.changed()).await.is_ok()
}

/// Both directions, with every hub that may be tried.
async fn round(node: &mut Node, report: &dyn Fn(&Synced)) -> Result<()> {
    for peer in due(node)? {
        one(node, peer, true, report).await?;
    }
    Ok(())
}

fn due(node: &Node) -> Result<Vec<Peer>> {
    let now = node.now();
    let mut peers = node.store.peers()?;
    peers.retain(|peer| !peer.paused && state_of(peer, now).may_try(now));
    Ok(peers)
}

/// Pulls what hubs say to have new. True when that led nowhere, and nothing should be asked for a while:
/// another process syncs, or a hub says again and again that there is something.
async fn take_news(
    node: &mut Node,
    peers: Vec<Peer>,
    report: &dyn Fn(&Synced),
    trouble: &dyn Fn(&NodeError),
) -> bool {
    let mut in_vain = false;
    for peer in peers {
        let (id, before) = (peer.id, peer.cursor);
        if let Err(error) = one(node, peer, false, report).await {
            trouble(&error);
            in_vain = true;
            continue;
        }
        let after = node.store.peer(&id).ok().flatten();
        in_vain |= after.is_some_and(|peer| peer.cursor == before);
    }
    in_vain
}

async fn one(node: &mut Node, peer: Peer, push: bool, report: &dyn Fn(&Synced)) -> Result<()> {
    let _lock = lock(node)?;
    let actor = node.actor(None)?;
    // Another process may have synced meanwhile.
    let Some(peer) = node.store.peer(&peer.id)? else {
        return Ok(());
    };
    let input = SyncInput {
        pull: true,
        push,
        dry_run: false,
        wait: Duration::ZERO,
    };
    let synced = sync(node, &actor, peer, input, &mut |_, _| {}).await?;
    report(&synced);
    Ok(())
}

/// Waits at all hubs at once; gives those with something new, or none when the time is over.
async fn wait_for_news(node: &Node, until: Instant) -> Result<Vec<Peer>> {
    let now = node.now();
    let started = Instant::now();
    let left = until.saturating_duration_since(started);
    // A hub waits for whole seconds. Asked for less it would answer at once, again and again.
    let wait = Duration::from_secs(left.as_secs().min(WAIT_SECONDS_MAX));
    let mut waits = JoinSet::new();
    for peer in due(node)? {
        // Who fails is tried with the next round; who was never synced has nothing to wait from.
        let is_idle = state_of(&peer, now).phase() == Phase::Idle;
        if !is_idle || peer.cursor.is_none() || wait.is_zero() {
            continue;
        }
        let mut hub = connect(node, &peer)?;
        waits.spawn(async move {
            let news = watch_hub(&mut hub, &peer, wait).await;
            (peer, news)
        });
    }
    if waits.is_empty() {
        tokio::time::sleep_until(until).await;
        return Ok(Vec::new());
    }
    while let Ok(Some(joined)) = timeout_at(until, waits.join_next()).await {
        match joined {
            Ok((peer, Ok(true))) => return Ok(vec![peer]),
            // One that does not hold its answer back is asked with the next round.
            Ok((_, Ok(false))) if started.elapsed() < wait => {}
            Ok((_, Ok(false))) => return Ok(Vec::new()),
            // It is tried with the next round, where its state is told.
            Ok((_, Err(_))) | Err(_) => {}
        }
    }
    // Nobody is waited for any more.
    tokio::time::sleep_until(until).await;
    Ok(Vec::new())
}
