//! Whoever verified two headers that contradict each other knows of the fork, whatever came of them.

use std::rc::Rc;

use super::super::seal::Sealed;
use super::{Peer, World};
use crate::naive::Outcome;

/// How the outcomes count a log that was not taken because of another that was not taken either.
pub const NEITHER_HELD: &str = "fork of two logs, neither held";

impl World {
    /// Whether a header is of a log above the one held, and the first header of another log of its place
    /// was verified here.
    pub(super) fn is_of_rivals(&self, sealed: &Sealed, to: usize) -> bool {
        let peer = &self.peers[to];
        let state = peer.reader.state(&self.origin.origin, sealed.scope);
        let held = state.and_then(|state| self.sealed.get(&state.head.hash));
        held.is_none_or(|held| place(held) < place(sealed))
            && peer.evidence.iter().any(|other| are_rivals(other, sealed))
    }

    pub(super) fn keep_evidence(
        &mut self,
        sealed: &Rc<Sealed>,
        to: usize,
        outcome: &Outcome,
        is_of_rivals: bool,
    ) {
        let unproved = ["refused", "void", "not_followed"];
        // What only a snapshot can place is not kept, except for what it says of its log.
        let is_forgotten = outcome.is("need_snapshot") && sealed.seq > 0;
        let waits = outcome.rule.as_deref() == Some("identity");
        if is_forgotten || waits || unproved.contains(&outcome.name.as_str()) {
            return;
        }
        self.peers[to].evidence.push(Rc::clone(sealed));
        if is_of_rivals && outcome.is("fork") {
            *self.outcomes.entry(NEITHER_HELD.to_owned()).or_default() += 1;
        }
    }

    /// A fork that a peer could know of and does not.
    pub(super) fn unnoticed_fork(&self, peer: &Peer, head: &Rc<Sealed>) -> Option<String> {
        let origin = &self.origin.origin;
        let identity = peer.reader.identity_log(origin).len();
        // Of what a key sealed that was rotated away since, the rotate says which branch counts.
        let speaks =
            |sealed: &Sealed| usize::try_from(sealed.position.1).ok() == identity.checked_sub(1);
        if peer.reader.holds_instance(origin)
            || peer.reader.forked(origin, head.scope)
            || self.is_void(head)
        {
            return None;
        }
        let other = peer.evidence.iter().find(|other| {
            let beside =
                other.log == head.log && other.seq <= head.seq && !head.has_before(&other.hash);
            other.scope == head.scope
                && speaks(other)
                && !self.is_void(other)
                && (beside || are_rivals(other, head))
        })?;
        Some(format!(
            "{} stands at {} {} of {} and saw {} {} of {}: no fork was noticed",
            peer.name, head.log, head.seq, head.by, other.log, other.seq, other.by
        ))
    }
}

/// The order of a log.
fn place(sealed: &Sealed) -> ((u64, u64), u64) {
    (sealed.opened, sealed.generation)
}

/// Whether `first` opens another log of the place of `sealed`: only a first header says where its log
/// stands.
fn are_rivals(first: &Sealed, sealed: &Sealed) -> bool {
    first.seq == 0
        && first.scope == sealed.scope
        && first.log != sealed.log
        && place(first) == place(sealed)
}
