//! Taking a turn at the beginning of a sync, so that two running copies of one folder are told (spec: sync, turn).
//!
//! What is handed on stands in a file beside the guard, written before it is sent: a turn whose answer was lost
//! is taken again, and counts once.

use std::collections::BTreeMap;
use std::fs::File;

use serde::{Deserialize, Serialize};
use wb_core::id::{InstanceId, Token};
use wb_core::sync::turn::{MACHINE_BYTES_MAX, TURNS_PASSED_MAX};
use wb_core::sync::{Cause, PeerCause, Turn, TurnAnswer, TurnCall, TurnOutcome};
use wb_net::HubClient;
use wb_store::{OwnCopy, exchange_private_file, write_private_file};

use super::SyncEnd;
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::node::Node;
use crate::query::peers::label;

/// What the file says.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Turns {
    /// By peer.
    #[serde(default)]
    peers: BTreeMap<InstanceId, AtPeer>,
    /// This copy was settled: whoever it meets the first time since is told so.
    #[serde(default)]
    settled: bool,
}

/// Where this folder stands at one peer.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct AtPeer {
    was: Option<Turn>,
    /// Taken, and not answered yet.
    #[serde(default)]
    now: Option<Turn>,
    /// The peer is told with the next turn that this copy was settled.
    #[serde(default)]
    settles: bool,
    /// The turns before `was`, the newest last.
    #[serde(default)]
    passed: Vec<Token>,
}

impl Turns {
    fn read(node: &Node) -> Result<Self> {
        let path = node.store.home().turn();
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| {
                NodeError::Store(wb_store::StoreError::Damaged(format!(
                    "{} is not what it should be; remove it, and run `wb restore`",
                    path.display()
                )))
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(NodeError::file(&path)(error)),
        }
    }

    fn write(&self, node: &Node) -> Result<()> {
        Ok(write_private_file(
            &node.store.home().turn(),
            &self.to_bytes(),
        )?)
    }

    /// Notes an answer. A power cut may bring back the file of before: there the turn stands as sent, is taken again, and
    /// counts once, as one whose answer was lost.
    fn write_answered(&self, node: &Node) -> Result<()> {
        Ok(exchange_private_file(
            &node.store.home().turn(),
            &self.to_bytes(),
        )?)
    }

    fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("turns have string keys and serialise")
    }
}

/// Keeps other processes of this folder from writing the file at the same time. It is held while the file is read
/// and written, and never over a call.
fn lock(node: &Node) -> Result<File> {
    let path = node.store.home().dir().join("turn.lock");
    let open = || -> std::io::Result<File> {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)?;
        file.lock()?;
        Ok(file)
    };
    open().map_err(NodeError::file(&path))
}

/// Takes a turn at a hub or another node. `None` where it does not know of turns.
///
/// # Errors
/// Why there is no answer.
pub async fn take_turn(
    node: &Node,
    hub: &mut HubClient,
    peer: InstanceId,
) -> std::result::Result<Option<TurnAnswer>, SyncEnd> {
    let call = next_call(node, peer)?;
    let answer = match hub.turn(&call).await {
        Ok(answer) => cleaned(answer),
        // A program before this call.
        Err(error) if error.refusal() == Some(Cause::NotFound) => {
            node.note_turn(peer);
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    note_answer(node, peer, &call, &answer)?;
    if answer.outcome == TurnOutcome::Yours {
        node.note_turn(peer);
    }
    Ok(Some(answer))
}

/// An answer of which the words may be shown and kept: they are whatever the other side says.
fn cleaned(mut answer: TurnAnswer) -> TurnAnswer {
    if let Some(other) = &mut answer.other {
        other.machine = clean(&other.machine);
    }
    answer
}

/// The turn to take at a peer, written down before it is sent.
///
/// # Errors
/// What the disk reports.
pub fn next_call(node: &Node, peer: InstanceId) -> Result<TurnCall> {
    let _lock = lock(node)?;
    let mut turns = Turns::read(node)?;
    let settled = turns.settled;
    let at = turns.peers.entry(peer).or_insert_with(|| AtPeer {
        settles: settled,
        ..AtPeer::default()
    });
    let call = TurnCall {
        schema_version: 1,
        was: at.was,
        now: at.now.unwrap_or_else(|| Turn {
            n: at.was.map_or(1, |was| was.n.saturating_add(1)),
            token: entropy::token(),
        }),
        machine: machine(node),
        settles: at.settles,
        passed: at.passed.clone(),
    };
    if at.now.is_none() {
        at.now = Some(call.now);
        turns.write(node)?;
    }
    Ok(call)
}

/// Takes what a peer answered to a turn.
///
/// # Errors
/// What disk or database report.
pub fn note_answer(
    node: &Node,
    peer: InstanceId,
    call: &TurnCall,
    answer: &TurnAnswer,
) -> Result<()> {
    if answer.outcome == TurnOutcome::Yours {
        let _lock = lock(node)?;
        let mut turns = Turns::read(node)?;
        // Another process of this folder may have sent the same turn, had its answer, and gone on since.
        let held = turns.peers.get(&peer).cloned().unwrap_or_default();
        if held.now == Some(call.now) {
            let mut passed = held.passed;
            passed.extend(held.was.map(|was| was.token));
            let surplus = passed.len().saturating_sub(TURNS_PASSED_MAX);
            turns.peers.insert(
                peer,
                AtPeer {
                    was: Some(Turn {
                        n: answer.n,
                        ..call.now
                    }),
                    now: None,
                    settles: held.settles && !call.settles,
                    passed: passed.split_off(surplus),
                },
            );
            turns.write_answered(node)?;
        }
    }
    let known = node.store.own_copies()?;
    let is_told = known.iter().any(|copy| copy.peer == peer);
    if answer.outcome != TurnOutcome::Yours || is_told {
        let write = node.store.write_in_sight()?;
        write.note_own_copy(&peer, answer, node.now())?;
        write.commit()?;
    }
    Ok(())
}

/// From now on every peer is told that this copy was settled.
///
/// # Errors
/// What the disk reports.
pub fn settle_turns(node: &Node) -> Result<()> {
    let _lock = lock(node)?;
    let mut turns = Turns::read(node).unwrap_or_default();
    turns.settled = true;
    for at in turns.peers.values_mut() {
        at.settles = true;
        // What was taken before, and not answered, was taken by another copy for all that anybody knows.
        at.now = None;
    }
    turns.write(node)
}

/// What an answer means for a sync; nothing where this is the one copy.
///
/// # Errors
/// That another copy is known there.
pub fn check_turn(answer: &TurnAnswer) -> std::result::Result<(), SyncEnd> {
    if answer.outcome == TurnOutcome::Yours {
        return Ok(());
    }
    let other = answer.other.as_ref();
    let machine = other.map_or("", |other| other.machine.as_str());
    let at = other.map(|other| other.at);
    Err(SyncEnd::Peer(
        PeerCause::TwoCopies,
        words(answer.outcome, machine, at),
    ))
}

/// What is told of another copy.
pub(crate) fn words(
    outcome: TurnOutcome,
    machine: &str,
    at: Option<wb_core::time::Timestamp>,
) -> String {
    let machine = if machine.is_empty() {
        "another machine"
    } else {
        machine
    };
    let at = at.map(|at| format!(" at {at}")).unwrap_or_default();
    match outcome {
        TurnOutcome::SettledElsewhere => format!(
            "the copy on {machine} was settled and goes on (last there{at}); this one is closed and publishes nothing"
        ),
        _ => format!("another copy of this folder syncs from {machine} (last there{at})"),
    }
}

/// What keeps this copy from publishing, and who says so.
pub(crate) fn words_of(node: &Node, copy: &OwnCopy) -> Result<String> {
    let peer = node.store.peer(&copy.peer)?;
    let name = peer.map_or_else(|| copy.peer.short(), |peer| label(&peer.name, &peer.id));
    let words = words(copy.outcome, &copy.other.machine, Some(copy.other.at));
    Ok(format!("{name} says: {words}"))
}

/// The name of this machine, for people.
fn machine(node: &Node) -> String {
    clean(node.machine())
}

/// A name of a machine within its bounds.
fn clean(name: &str) -> String {
    let mut name: String = name.trim().chars().filter(|c| !c.is_control()).collect();
    while name.len() > MACHINE_BYTES_MAX {
        name.pop();
    }
    name
}
