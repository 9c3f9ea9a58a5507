//! Answering an exchange: what the asker lacks, and what is held of it.

use wb_core::hash;
use wb_core::id::{Hash, InstanceId};
use wb_core::identity::{IdentityLog, rotates_behind};
use wb_core::ndjson::{lines, put_line};
use wb_core::scope::FeedScope;
use wb_core::sync::turn::MACHINE_BYTES_MAX;
use wb_core::sync::{ExchangeSection, Next, PeerEvent, TurnAnswer, TurnCall};
use wb_core::time::Timestamp;
use wb_core::want::{Held, Want};
use wb_store::{Pair, PairState, Peer, Standing};

use super::make::{NotMade, answer_want};
use super::refusal::{self, Refusal};
use super::want::{confirmed, own_receipt};
use crate::command::hub_register::{state_of, state_text};
use crate::error::Result;
use crate::node::Node;
use crate::sealed::serve;

/// A contact is noted anew after so many milliseconds, also where nothing else changed.
const NOTE_EVERY_MS: i64 = 60_000;

/// A want that came, verified.
#[derive(Debug)]
pub(crate) struct Asked {
    /// What it says.
    pub want: Want,
    /// Its author's log, as it came.
    pub log: IdentityLog,
    /// Its name in the answer.
    pub hash: Hash,
}

impl Asked {
    /// Reads the body of an exchange.
    pub fn read(body: &[u8]) -> std::result::Result<Self, Refusal> {
        let lines: Vec<&[u8]> = lines(body).collect();
        let read = Want::read(&lines);
        let (want, log) = read.map_err(|(line, rule)| {
            refusal::bad_request(format!("line {line} of the want breaks {rule}"))
        })?;
        let hash = hash::sha256(lines.first().copied().unwrap_or_default());
        Ok(Self { want, log, hash })
    }
}

/// Whether a peer may exchange and deliver.
pub(crate) fn check_peer(node: &Node, sender: InstanceId) -> std::result::Result<(), Refusal> {
    let local = |error: wb_store::StoreError| refusal::of_node(&error.into());
    let standing = node.store.standing(&sender).map_err(local)?;
    let pair = node.store.pair(&sender).map_err(local)?;
    match pair.map(|pair| pair.state) {
        _ if standing == Some(Standing::Blocked) => Err(refusal::not_paired(node.name())),
        // Agreed to here: that it calls says that it agrees.
        Some(PairState::Paired | PairState::Offered) => Ok(()),
        Some(PairState::Asked) => Err(refusal::pair_waits(node.name())),
        None => Err(refusal::not_paired(node.name())),
    }
}

/// Refuses a longer log by which an older copy rotated a key away: the newer copy would be shut out by it.
pub(crate) fn check_log(node: &Node, asked: &Asked) -> std::result::Result<(), Refusal> {
    let local = |error: wb_store::StoreError| refusal::of_node(&error.into());
    let sender = asked.want.instance;
    let held = node.store.identity_log(&sender).map_err(local)?;
    let Some(held) = held.filter(|held| held.newest().hash != asked.log.newest().hash) else {
        return Ok(());
    };
    let rows = node.store.served().snapshot(&sender, FeedScope::Public);
    let Some(rows) = rows.map_err(local)? else {
        return Ok(());
    };
    if rotates_behind(&held, &asked.log, &rows.head) {
        return Err(refusal::rotated_behind(node.name()));
    }
    Ok(())
}

/// The answer to a want.
///
/// # Errors
/// The refusal.
pub(crate) fn answer(
    node: &Node,
    asked: &Asked,
    after: Option<Next>,
) -> std::result::Result<Vec<u8>, Refusal> {
    let made = answer_want(node, &asked.want, asked.hash, after);
    let made = made.map_err(|why| match why {
        NotMade::HeadGone => refusal::head_gone(),
        NotMade::Local(error) => refusal::of_node(&error),
    })?;
    let held =
        own_receipt(node, &[asked.want.instance]).map_err(|error| refusal::of_node(&error))?;
    let waiting = serve::waiting(node, asked.want.instance);
    let waiting = waiting.map_err(|error| refusal::of_node(&error))?;
    let letters = crate::letters::serve::waiting(node, asked.want.instance);
    let letters = letters.map_err(|error| refusal::of_node(&error))?;
    let mut body = Vec::with_capacity(made.bytes.len() + held.line.len() + 256);
    put_line(
        &mut body,
        &ExchangeSection::line(node.name(), made.next, waiting, letters),
    );
    put_line(&mut body, &held.line);
    body.extend_from_slice(&made.bytes);
    Ok(body)
}

/// Takes a turn of a peer: two running copies of it are told.
///
/// # Errors
/// The refusal.
pub(crate) fn turn(
    node: &mut Node,
    sender: InstanceId,
    call: &TurnCall,
) -> std::result::Result<TurnAnswer, Refusal> {
    let local = |error: wb_store::StoreError| refusal::of_node(&error.into());
    if call.machine.len() > MACHINE_BYTES_MAX {
        return Err(refusal::bad_request("the name of the machine is too long"));
    }
    let now = node.now();
    let feeds = node.store.served().feeds().map_err(local)?.into_iter();
    let own = feeds.filter(|feed| {
        let is_public = feed.held.scope == FeedScope::Public;
        feed.held.origin == sender && is_public && !feed.forked
    });
    let own: Vec<Held> = own.map(|feed| feed.held).collect();
    let write = node.store.write().map_err(local)?;
    let answer = write.take_turn(&sender, call, own, now).map_err(local)?;
    write.commit().map_err(local)?;
    Ok(answer)
}

/// Notes in the row of a peer that it was here.
pub(crate) fn contacted(peer: &mut Peer, now: Timestamp) {
    let mut state = state_of(peer, now);
    state.on(now, PeerEvent::Contacted, 0);
    // Who has no address here is only ever heard of so.
    if peer.address.is_empty() {
        state.on(now, PeerEvent::Synced, 0);
        peer.last_ok = Some(now);
    }
    peer.state = state_text(&state);
}

/// What is new by the contact of a peer.
struct Contact {
    peer: Peer,
    /// The pair, where this call is its confirmation.
    pair: Option<Pair>,
    /// Whether its log is longer than the one held.
    is_longer: bool,
}

/// Looks what a contact changes; none where it changes nothing.
fn contact(node: &Node, asked: &Asked, now: Timestamp) -> Result<Option<Contact>> {
    let sender = asked.want.instance;
    let Some(mut peer) = node.store.peer(&sender)? else {
        return Ok(None);
    };
    let acked = confirmed(&asked.want, &node.own_id());
    let pair = node.store.pair(&sender)?;
    let pair = pair.filter(|pair| pair.state == PairState::Offered);
    let held = node.store.identity_log(&sender)?;
    let is_longer = held.is_none_or(|held| held.newest().hash != asked.log.newest().hash);
    let is_old = peer
        .last_ok
        .is_none_or(|at| now.unix_ms().saturating_sub(at.unix_ms()) >= NOTE_EVERY_MS);
    let waits = state_of(&peer, now).next_try.is_some();
    if peer.acked == acked && !is_longer && !is_old && !waits && pair.is_none() {
        return Ok(None);
    }
    peer.acked = acked;
    contacted(&mut peer, now);
    Ok(Some(Contact {
        peer,
        pair,
        is_longer,
    }))
}

/// Notes what a peer said that it holds, and that it was here. What it confirmed is known before it is asked.
pub(crate) fn note_contact(node: &mut Node, asked: &Asked, now: Timestamp) -> Result<()> {
    if contact(node, asked, now)?.is_none() {
        return Ok(());
    }
    let write = node.store.write_in_sight()?;
    // Looked at once more where nobody else writes: a row is written whole, and a sync or a person may have
    // changed it since.
    let Some(contact) = contact(node, asked, now)? else {
        return Ok(());
    };
    if contact.is_longer {
        write.put_identity(&asked.log, Standing::Waiting, now)?;
    }
    write.put_peer(&contact.peer)?;
    if let Some(pair) = contact.pair {
        write.put_pair(&Pair {
            state: PairState::Paired,
            token: None,
            since: now,
            ..pair
        })?;
    }
    Ok(write.commit()?)
}
