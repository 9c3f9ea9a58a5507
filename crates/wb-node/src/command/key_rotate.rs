//! `wb key rotate`: another signing key, signed by the one before.
//!
//! What others hold is asked first: a rotation by an older copy of this folder would contradict the one that
//! the newest copy made.

use wb_core::hash;
use wb_core::id::{Hash, InstanceId, PublicKey};
use wb_core::identity::{Heads, IdentityLog, LastHead, Position, rotate};
use wb_core::scope::FeedScope;
use wb_core::sync::PeerCause;
use wb_store::{GuardStanding, Peer, Role, Standing, Store};

use super::restore::{caller_of, turn_at_peer};
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::keys::{Behind, KeyLock};
use crate::node::{Actor, Node};
use crate::query::peers::label;
use crate::sync::turn::words_of;
use crate::sync::{SyncEnd, check_own, check_turn, connect, take_turn};

/// How to rotate.
#[derive(Debug, Clone, Copy)]
pub struct Rotate<'b> {
    /// What the next key is put behind.
    pub behind: &'b Behind,
    /// Go on although nobody of those who could be asked answers.
    pub offline: bool,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Rotated {
    /// The new entry of the identity log.
    pub entry: Hash,
    /// Where it stands.
    pub position: Position,
    /// The key that signs from here on.
    pub key: PublicKey,
    /// The last head of the key before.
    pub last_head: Option<LastHead>,
    /// Hubs that said that they hold nothing newer.
    pub asked: Vec<String>,
    /// Hubs that could not be asked, and why.
    pub unasked: Vec<(String, String)>,
    /// What did not come to its end after the key was changed; it is made good later.
    pub warnings: Vec<String>,
}

/// Only who may do everything may change the key.
pub(crate) fn check_admin(actor: &Actor, act: &'static str) -> Result<()> {
    if actor.role == Role::Admin {
        return Ok(());
    }
    Err(NodeError::Forbidden {
        actor: actor.handle.clone(),
        act,
        why: "only an admin changes the keys of the instance",
    })
}

/// Rotates the signing key.
///
/// # Errors
/// `Suspect` for an older copy, a hub that holds more than is here, or what stands in the way. Nothing is
/// changed then.
pub async fn key_rotate(node: &mut Node, actor: &Actor, input: Rotate<'_>) -> Result<Rotated> {
    let behind = input.behind;
    check_admin(actor, "rotate the key")?;
    node.refresh()?;
    if node.store.guard() == GuardStanding::Suspect {
        return Err(NodeError::Suspect);
    }
    if let Some(copy) = node.store.own_copies()?.first() {
        return Err(NodeError::TwoCopies(words_of(node, copy)?));
    }
    let lock = KeyLock::take(node.store.home())?;
    let _sync = super::sync::lock(node)?;
    let (mut asked, mut unasked) = (Vec::new(), Vec::new());
    let mut is_known = false;
    for peer in node.store.peers()? {
        let name = label(&peer.name, &peer.id);
        let answered = if peer.role == wb_core::sync::Role::Hub {
            if peer.paused {
                continue;
            }
            ask(node, &peer).await
        } else {
            match caller_of(node, &peer)? {
                Some(client) => turn_at_peer(node, client, &peer).await,
                None => continue,
            }
        };
        is_known |= !matches!(
            answered,
            Err(SyncEnd::Peer(
                PeerCause::Approval | PeerCause::NotRegistered,
                _
            ))
        );
        match answered {
            Ok(()) => asked.push(name),
            Err(SyncEnd::Peer(PeerCause::TwoCopies, words)) => {
                return Err(NodeError::TwoCopies(format!("{name} says: {words}")));
            }
            Err(SyncEnd::Peer(cause @ (PeerCause::OwnIsAhead | PeerCause::KeyRetired), detail)) => {
                return Err(NodeError::Peer {
                    name,
                    cause,
                    detail,
                });
            }
            Err(SyncEnd::Local(error)) => return Err(error),
            Err(SyncEnd::Peer(cause, _)) => unasked.push((name.clone(), cause.about(&name))),
            Err(SyncEnd::NotFetched) => {}
        }
    }
    // An older copy that rotates shuts the newest one out, so somebody has to say that this is the newest.
    if is_known && asked.is_empty() && !input.offline {
        let names: Vec<&str> = unasked.iter().map(|(name, _)| name.as_str()).collect();
        return Err(NodeError::Unconfirmed(format!(
            "nobody confirmed that this is the newest copy: {} cannot be asked; the key was not changed",
            names.join(", ")
        )));
    }
    let signer = node.signer()?;
    let seed = entropy::bytes();
    let now = node.now();
    let next = lock.write_next(&node.store, &seed, behind)?;
    let public = next.public_key();
    let mut warnings = Vec::new();
    let committed = commit(
        node,
        (&lock, behind, public),
        &mut warnings,
        |store, identity| {
            let heads = last_heads(store, identity)?;
            let log = rotate(identity, &signer, next.public_key(), heads, now);
            log.map_err(|error| NodeError::Refused(format!("the key was not rotated: {error}")))
        },
    );
    committed?;
    let entry = node.identity().newest();
    let mut rotated = Rotated {
        entry: entry.hash,
        position: entry.position,
        key: entry.signing_key,
        last_head: entry.heads().and_then(|heads| heads.public),
        asked,
        unasked,
        warnings,
    };
    let detail = format!("entry {} of the identity log", rotated.position.n + 1);
    let noted = node.audit(now, actor, "key rotate", &node.own_id(), detail);
    warn(&mut rotated.warnings, noted);
    Ok(rotated)
}

/// Hubs that know this instance.
pub(crate) fn hubs(node: &Node) -> Result<Vec<Peer>> {
    let peers = node.store.peers()?.into_iter();
    Ok(peers
        .filter(|peer| peer.role == wb_core::sync::Role::Hub && !peer.paused)
        .collect())
}

async fn ask(node: &Node, peer: &Peer) -> std::result::Result<(), SyncEnd> {
    let mut hub = connect(node, peer)?;
    // An older copy is told so before it takes a turn, which would hold up the newest one.
    let heads = hub.heads(None).await?;
    check_own(node, &heads.own)?;
    match take_turn(node, &mut hub, peer.id).await? {
        Some(answer) => check_turn(&answer),
        None => Ok(()),
    }
}

/// Commits a longer own log and puts the next key in the place of the old one.
fn commit(
    node: &mut Node,
    (lock, behind, next): (&KeyLock, &Behind, PublicKey),
    warnings: &mut Vec<String>,
    make: impl FnOnce(&Store, &IdentityLog) -> Result<IdentityLog>,
) -> Result<()> {
    let identity = node.identity().clone();
    let now = node.now();
    let made = (|| {
        let write = node.store.write_in_sight()?;
        let log = make(&node.store, &identity)?;
        check_unchanged(&node.store, &identity)?;
        write.put_identity(&log, Standing::Own, now)?;
        write.seal_anew()?;
        Ok(write.commit()?)
    })();
    match made {
        Ok(()) => warn(warnings, lock.finish(behind)),
        // What failed may have come after the entry was in the log.
        Err(error) if lock.undo(&node.store, &next, behind)? => warn(warnings, Err(error)),
        Err(error) => return Err(error),
    }
    node.read_identity()
}

/// What goes wrong once the entry is committed is told, and does not say that nothing was done.
pub(crate) fn warn(warnings: &mut Vec<String>, step: Result<()>) {
    warnings.extend(step.err().map(|error| error.to_string()));
}

/// Within a transaction: nobody changed the key since it was read.
pub(crate) fn check_unchanged(store: &Store, identity: &IdentityLog) -> Result<()> {
    if store.own_newest_entry()? == Some(identity.newest().hash) {
        return Ok(());
    }
    Err(NodeError::Refused(
        "another wb has changed the key of this folder meanwhile; nothing was changed by this one. Try again"
            .to_owned(),
    ))
}

/// The last heads of the key that goes: what is held, or what the last recovery listed while nothing was
/// sealed above it.
fn last_heads(store: &Store, identity: &IdentityLog) -> Result<Heads> {
    let own = identity.id();
    let is_void = store
        .forked_feeds()?
        .iter()
        .any(|feed| (feed.origin, feed.scope) == (own, FeedScope::Public));
    if is_void {
        let mut entries = identity.entries().iter().rev();
        let last = entries.find(|entry| entry.is_recover());
        return Ok(last
            .and_then(|entry| entry.heads().copied())
            .unwrap_or_default());
    }
    let held = store.served().head(&own, FeedScope::Public)?;
    Ok(Heads {
        public: held.map(|held| LastHead {
            log: held.log,
            generation: held.generation,
            seq: held.seq,
            hash: held.hash,
        }),
        trusted_peers: trusted_head(store, &own)?,
    })
}

/// What an entry says of the last head of the trusted feed: its commitment, or that there is none.
pub(crate) fn trusted_head(store: &Store, own: &InstanceId) -> Result<Option<Hash>> {
    let held = store.served().head(own, FeedScope::TrustedPeers)?;
    Ok(held.map(|held| {
        let salt = entropy::salt();
        hash::trusted_head(&salt, &held.log, held.generation, held.seq, &held.hash)
    }))
}
