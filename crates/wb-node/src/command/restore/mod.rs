//! `wb restore`: settles a copy of a folder, so that it can go on without a fork.
//!
//! Everybody who can be reached is asked for what this instance published; that comes back, what was taken back
//! is taken back here too, and the feed goes on in a new log. Until then nothing is sealed.

mod confirm;
mod reconcile;
mod trusted;
mod words;

pub use confirm::{Confirmed, confirm};
pub(crate) use confirm::{caller_of, turn_at_peer};
pub(crate) use reconcile::merged;
pub use reconcile::{CameBack, Told};
pub use words::{From, FromWords, Taken, restore_words};

use std::path::{Path, PathBuf};
use std::time::Duration;

use wb_core::scope::FeedScope;
use wb_core::sync::{PeerCause, PeerEvent, PeerState, Role};
use wb_core::time::Timestamp;
use wb_store::{GuardStanding, Peer};

use self::trusted::doubt_trusted;
use super::bundle_import::drive;
use super::bundle_verify::refused;
use super::hub_register::{may_lack_key, state_of, state_text, tell_key};
use super::peer_block::is_blocked;
use super::sync::{SyncInput, sync};
use crate::direct::take::is_beside;
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::import::lines::{Lines, Next};
use crate::import::sink::StoreSink;
use crate::node::{Actor, Node, Restores};
use crate::query::peers::label;
use crate::sync::own::{Gathered, check_came};
use crate::sync::turn::settle_turns;
use crate::sync::{Branch, OwnBack, SyncEnd, connect, take_back, take_turn};

/// How to settle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Restore<'r> {
    /// Go on although nobody could be asked.
    pub offline: bool,
    /// Bundles that may hold what this instance published.
    pub bundles: &'r [PathBuf],
}

/// Somebody who was asked.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// Whether something came that was not here.
    pub came: bool,
    /// Why it gave no answer.
    pub trouble: Option<String>,
}

/// What came of it.
#[derive(Debug)]
pub struct Restored {
    /// Everybody who was asked.
    pub places: Vec<Place>,
    /// What came back.
    pub came: CameBack,
    /// When this copy had published last, before anything came back.
    pub was_at: Option<Timestamp>,
}

/// Settles this copy.
///
/// # Errors
/// `Unconfirmed` when nobody could be reached and it was not said that this does not matter; that there is
/// nothing to settle; that the key of this copy is not the newest. What came back until then stays.
pub async fn restore(node: &mut Node, actor: &Actor, input: Restore<'_>) -> Result<Restored> {
    if !is_needed(node)? {
        return Err(NodeError::Refused(
            "this folder is the newest copy as far as anybody here knows; nothing was changed"
                .to_owned(),
        ));
    }
    let now = node.now();
    let was_at = last_sealed(node)?;
    let (mut places, mut branch, mut reached) = (Vec::new(), Vec::new(), Vec::new());
    for peer in node.store.peers()? {
        let name = label(&peer.name, &peer.id);
        let trouble = match ask_anybody(node, actor, &peer).await {
            Ok(back) => {
                places.push(Place {
                    name,
                    came: back.came,
                    trouble: None,
                });
                branch.push(back.branch);
                reached.push(peer);
                continue;
            }
            // One who cannot be asked keeps nobody else from being asked.
            Err(end) => in_words(&name, &end),
        };
        places.push(Place {
            name,
            came: false,
            trouble: Some(trouble),
        });
    }
    for path in input.bundles {
        let back = from_bundle(node, path)?;
        places.push(Place {
            name: path.display().to_string(),
            came: back.came,
            trouble: None,
        });
        branch.push(back.branch);
    }
    node.read_identity()?;
    let mut came = reconcile::reconcile(node, &branch, now)?;
    note_passed(node, &branch)?;
    if reached.is_empty() && input.bundles.is_empty() && !input.offline {
        return Err(NodeError::Unconfirmed(unasked(&places)));
    }
    // Nothing can be signed under an older key, so nothing would be settled by it.
    node.signer().map_err(|error| match error {
        NodeError::Key(_) => NodeError::Refused(
            "the signing key of this copy was followed by a newer one; nothing was settled. Use a newer copy, or \
             make a new key from the recovery words with `wb key recover`"
                .to_owned(),
        ),
        error => error,
    })?;
    came.doubted = doubt_trusted(node, &mut came, now)?;
    settle(node, "restored from a copy")?;
    for peer in &reached {
        // Who is not told now is told with the next sync.
        if peer.role == Role::Hub {
            if let Ok(mut hub) = connect(node, peer) {
                let _ = take_turn(node, &mut hub, peer.id).await;
            }
        } else if let Some(mut client) = caller_of(node, peer)? {
            let _ = take_turn(node, client.as_hub(), peer.id).await;
        }
    }
    free(node, now)?;
    let detail = format!(
        "{} came back, {} newer, {} erased again, {} private",
        came.back.len(),
        came.newer.len(),
        came.erased.len(),
        came.private.len()
    );
    node.audit(now, actor, "restore", &node.own_id(), detail)?;
    Ok(Restored {
        places,
        came,
        was_at,
    })
}

/// Whether this copy has to be settled: by its guard, by what a peer said of another copy, or because a peer
/// holds more of the own feed than is here.
///
/// # Errors
/// What the store reports.
pub fn is_needed(node: &Node) -> Result<bool> {
    if node.store.guard() == GuardStanding::Suspect || !node.store.own_copies()?.is_empty() {
        return Ok(true);
    }
    let now = node.now();
    let peers = node.store.peers()?;
    Ok(peers.iter().any(|peer| is_held(&state_of(peer, now))))
}

fn is_held(state: &PeerState) -> bool {
    matches!(
        state.cause,
        PeerCause::OwnIsAhead | PeerCause::TwoCopies | PeerCause::OlderCopy
    )
}

/// Asks a hub or a peer. Who is refused or paused here is not asked.
async fn ask_anybody(
    node: &mut Node,
    actor: &Actor,
    peer: &Peer,
) -> std::result::Result<OwnBack, SyncEnd> {
    if is_blocked(node, &peer.id)? {
        return Err(not_asked("refused", peer));
    }
    if peer.paused {
        return Err(not_asked("paused", peer));
    }
    if peer.role == Role::Hub {
        let mut hub = connect(node, peer)?;
        let taken = take_back(node, &mut hub).await;
        if may_lack_key(node, taken.as_ref().err()) && tell_key(node, &mut hub, peer).await.is_ok()
        {
            return take_back(node, &mut hub).await;
        }
        taken
    } else {
        ask_node(node, actor, peer).await
    }
}

fn not_asked(what: &str, peer: &Peer) -> SyncEnd {
    let name = label(&peer.name, &peer.id);
    SyncEnd::Local(NodeError::Refused(format!("{name} is {what} here")))
}

/// Asks a direct peer, over the network or in its folder: what it holds of the own feed comes with its exchange.
async fn ask_node(
    node: &mut Node,
    actor: &Actor,
    peer: &Peer,
) -> std::result::Result<OwnBack, SyncEnd> {
    const ONLY_TAKES: SyncInput = SyncInput {
        pull: true,
        push: false,
        dry_run: false,
        wait: Duration::ZERO,
    };
    let mut back = OwnBack::default();
    for restores in [Restores::After, Restores::All] {
        node.restores(restores);
        let synced = sync(node, actor, peer.clone(), ONLY_TAKES, &mut |_, _| {}).await;
        node.restores(Restores::No);
        let synced = synced?;
        if let Some((cause, detail)) = synced.end {
            return Err(SyncEnd::Peer(cause, detail));
        }
        back.extend(synced.own_back);
        let came = check_came(node, &synced.peer.acked, &back);
        // It stands elsewhere than on what is here: compared with all that it holds, once.
        if came.is_ok() {
            break;
        }
        if restores == Restores::All {
            came?;
        }
    }
    Ok(back)
}

/// The heads of branches are settled, now that what stands on them is here.
fn note_passed(node: &Node, branches: &[Branch]) -> Result<()> {
    let write = node.store.write_in_sight()?;
    for head in branches.iter().flat_map(|branch| &branch.heads) {
        if !node.store.served().has_passed(head)? {
            write.note_passed(head)?;
        }
    }
    Ok(write.commit()?)
}

/// Takes what a bundle holds: the own feed comes back, and that of others as with any import. Who is new waits.
fn from_bundle(node: &Node, path: &Path) -> Result<OwnBack> {
    let write = node.store.write_in_sight()?;
    let mut sink = StoreSink::new(&write, node.own_id(), node.now());
    sink.takes_own = true;
    let driver = drive(path, &mut sink, false, &mut |_| {})?;
    let came = sink.own_came_back;
    if let Err(damage) = driver.finish() {
        return Err(refused(path, damage, driver.head()));
    }
    let is_beside = is_beside(driver.feeds(), &node.own_id());
    write.commit()?;
    let mut gathered = Gathered::new(node.own_id());
    if is_beside {
        // It verified as a whole, so its lines are what was published.
        let mut lines = Lines::open(path)?;
        while let Next::Line(line) = lines.next(path)? {
            gathered.push(line);
        }
    }
    Ok(OwnBack::of(came, is_beside, gathered))
}

/// A new incarnation and new logs: whatever else was copied of this folder is an older copy from now on.
fn settle(node: &mut Node, why: &str) -> Result<()> {
    let (incarnation, now) = (entropy::token().to_string(), node.now());
    node.store.settle(&incarnation, why, false, now)?;
    settle_turns(node)
}

/// Peers that were held for this are free: the next sync goes on.
pub(crate) fn free(node: &mut Node, now: Timestamp) -> Result<()> {
    for mut peer in node.store.peers()? {
        let mut state = state_of(&peer, now);
        // After a recovery another key speaks.
        if !is_held(&state) && state.cause != PeerCause::KeyRetired {
            continue;
        }
        state.on(now, PeerEvent::Contacted, 0);
        state.cause = PeerCause::NeverSynced;
        state.detail = None;
        peer.state = state_text(&state);
        let write = node.store.write()?;
        write.put_peer(&peer)?;
        write.commit()?;
    }
    Ok(())
}

/// When the newest delta of this copy was sealed.
fn last_sealed(node: &Node) -> Result<Option<Timestamp>> {
    let served = node.store.served();
    let Some(rows) = served.snapshot(&node.own_id(), FeedScope::Public)? else {
        return Ok(None);
    };
    let header = wb_core::feed::Header::read(&rows.head);
    Ok(header.ok().map(|(header, _)| header.at))
}

fn in_words(name: &str, end: &SyncEnd) -> String {
    match end {
        SyncEnd::Peer(cause, detail) if detail.is_empty() => cause.about(name),
        SyncEnd::Peer(cause, detail) => format!("{}: {detail}", cause.about(name)),
        SyncEnd::Local(error) => error.to_string(),
        SyncEnd::NotFetched => "nothing was fetched".to_owned(),
    }
}

/// Why somebody whose address was given does not help.
fn of_end(name: &str, end: SyncEnd) -> NodeError {
    match end {
        SyncEnd::Peer(cause, detail) => NodeError::Peer {
            name: name.to_owned(),
            cause,
            detail,
        },
        SyncEnd::Local(error) => error,
        SyncEnd::NotFetched => NodeError::Refused("nothing was fetched".to_owned()),
    }
}

fn unasked(places: &[Place]) -> String {
    if places.is_empty() {
        return "there is no hub and no peer to ask for what this instance published since"
            .to_owned();
    }
    let names: Vec<&str> = places.iter().map(|place| place.name.as_str()).collect();
    format!(
        "none of those who may hold what this instance published since can be reached: {}",
        names.join(", ")
    )
}
