//! What reaches a follower, and in which order: identity logs, deltas, snapshots, lines.

use std::rc::Rc;

use super::super::seal::{Change, Owner, Sealed, flip_digit};
use super::{Peer, Seen, Step, World};
use crate::naive::Outcome;

impl World {
    pub(super) fn send_identity(&mut self, lines: &[String], to: usize) {
        if self.peers[to].reader.identity_log(&self.origin.origin) != lines {
            let step = Step::Identity {
                to,
                lines: lines.to_vec(),
            };
            let outcome = self.step(&step);
            self.note(format!(
                "  identity of {} to {}: {}",
                lines.len(),
                self.peers[to].name,
                outcome.name
            ));
        }
    }

    fn send_delta(
        &mut self,
        delta: &Rc<Sealed>,
        to: usize,
        line: &dyn Fn(&str) -> Option<String>,
    ) -> Outcome {
        let mut items = Vec::new();
        for change in &delta.changes {
            // Some lines are left out for no reason and filled in later.
            let wanted =
                self.peers[to].kinds.contains(&change.kind.as_str()) && !self.rng.chance(10);
            let text = if change.put && wanted {
                line(&change.line_hash)
            } else {
                None
            };
            items.push(text.unwrap_or_else(|| change.entry.clone()));
        }
        let mut header = delta.line.clone();
        let broken = self.rng.chance(2);
        if broken {
            self.corrupt(&mut header, &mut items);
        }
        let is_rivals = self.is_of_rivals(delta, to);
        let outcome = self.step(&Step::Delta { to, header, items });
        self.note(format!(
            "  {} {}… {} of {} to {}: {} {}",
            delta.scope,
            &delta.log[..4],
            delta.seq,
            delta.by,
            self.peers[to].name,
            outcome.name,
            outcome.rule.as_deref().unwrap_or("")
        ));
        if broken {
            return outcome;
        }
        self.keep_evidence(delta, to, &outcome, is_rivals);
        let peer = &mut self.peers[to];
        peer.sent.insert(delta.hash.clone());
        let marks = match outcome.name.as_str() {
            "append" => Some(true),
            "fork" | "held" | "closed" => Some(false),
            _ => None,
        };
        for change in &delta.changes {
            if marks.is_some_and(|puts| puts || !change.put) {
                peer.ledger.push(Seen {
                    put: change.put,
                    id: change.id.clone(),
                    rev: change.rev,
                    by: delta.hash.clone(),
                    listed: None,
                });
            }
        }
        let on_thiefs_log = peer.reader.holds_instance(&self.origin.origin)
            || peer
                .reader
                .identity_log(&self.origin.origin)
                .iter()
                .any(|line| !self.origin.identity.contains(line));
        let refused = outcome.is("refused") || outcome.is("void");
        if refused && !on_thiefs_log && self.origin.heads[delta.scope].has_before(&delta.hash) {
            self.fail(format!("an honest delta was answered {outcome:?}"));
        }
        outcome
    }

    /// Breaks the bytes of a delta on its way.
    fn corrupt(&mut self, header: &mut String, items: &mut Vec<String>) {
        match self.rng.below(6) {
            0 => *header = flip_digit(header, 14 + self.rng.below(128)),
            1 => *header = header.replace("\"seq\":", "\"seq\": "),
            2 => items.push("{\"op\":\"put\"}".to_owned()),
            3 if items.len() > 1 => items.swap(0, 1),
            4 if !items.is_empty() => {
                items.pop();
            }
            _ => {
                if let Some(item) = items.first_mut() {
                    *item = item.replacen("\"rev\":", "\"rev\":1", 1);
                }
            }
        }
    }

    fn send_snapshot(
        &mut self,
        head: &Rc<Sealed>,
        to: usize,
        line: &dyn Fn(&str) -> Option<String>,
    ) -> Outcome {
        let kinds = self.peers[to].kinds.clone();
        let mut lines = head.snapshot(&self.origin.origin, |kind, hash| {
            if kinds.contains(&kind) {
                line(hash)
            } else {
                None
            }
        });
        let broken = self.rng.chance(4);
        if broken {
            let at = self.rng.below(lines.len());
            match self.rng.below(3) {
                0 => {
                    lines.remove(at);
                }
                1 => lines[at] = lines[at].replacen("\"rev\":", "\"rev\":1", 1),
                _ => {
                    let other = self.rng.below(lines.len());
                    lines.swap(at, other);
                }
            }
        }
        let is_rivals = self.is_of_rivals(head, to);
        let outcome = self.step(&Step::Snapshot { to, lines, broken });
        self.note(format!(
            "  snapshot {} {}… {} of {} to {}: {} {}",
            head.scope,
            &head.log[..4],
            head.seq,
            head.by,
            self.peers[to].name,
            outcome.name,
            outcome.rule.as_deref().unwrap_or("")
        ));
        if !broken {
            let first = Rc::clone(&head.log_so_far()[0]);
            self.keep_evidence(&first, to, &outcome, false);
            self.keep_evidence(head, to, &outcome, is_rivals);
        }
        if outcome.is("take") && !broken {
            let by = &head.hash;
            let seen = |put, id: &String, rev: u64| Seen {
                put,
                id: id.clone(),
                rev,
                by: by.clone(),
                listed: (!put).then_some(head.scope),
            };
            let ledger = &mut self.peers[to].ledger;
            ledger.extend(head.live.iter().map(|(id, l)| seen(true, id, l.0)));
            let gone = head
                .dead
                .iter()
                .filter(|(id, _)| !head.live.contains_key(*id));
            ledger.extend(gone.map(|(id, rev)| seen(false, id, *rev)));
        }
        outcome
    }

    /// Sends what `to` lacks of one feed: the deltas held, else a snapshot, then missing lines.
    fn send_feed(
        &mut self,
        identity: &[String],
        head: &Rc<Sealed>,
        floor: u64,
        line: &dyn Fn(&str) -> Option<String>,
        to: usize,
        shuffled: bool,
    ) {
        let scope = head.scope;
        if !self.peers[to].scopes.contains(&scope) {
            return;
        }
        self.send_identity(identity, to);
        let mut deltas = head.log_so_far();
        deltas.retain(|d| d.seq >= floor);
        if shuffled {
            self.rng.shuffle(&mut deltas);
        }
        let last = deltas.last().map(|d| d.hash.clone());
        let mut stuck = deltas.is_empty();
        for delta in deltas {
            let known = self.peers[to].sent.contains(&delta.hash);
            let again = Some(&delta.hash) == last.as_ref() || self.rng.chance(15);
            if known && !again {
                continue;
            }
            let outcome = self.send_delta(&delta, to, line);
            stuck = outcome.is("need_snapshot") || outcome.is("early");
        }
        let origin = self.origin.origin.clone();
        let behind = |peer: &Peer| {
            peer.reader
                .state(&origin, scope)
                .is_none_or(|s| s.head.log != head.log || s.head.seq < head.seq)
        };
        if stuck || behind(&self.peers[to]) {
            // Now and then the connection ends before the snapshot.
            if self.is_lossy && self.rng.chance(15) {
                self.note("  (the connection ends)".to_owned());
                return;
            }
            self.send_snapshot(head, to, line);
        }
        if self.rng.chance(80) {
            self.fill_missing(scope, line, to);
        }
    }

    /// Offers a line that may have been dropped long ago.
    pub(super) fn send_old_line(&mut self) {
        let to = self.any_follower();
        let all: Vec<&Change> = self.sealed.values().flat_map(|d| &d.changes).collect();
        let kinds = &self.peers[to].kinds;
        let wanted = |c: &&&Change| c.put && kinds.contains(&c.kind.as_str());
        let lines: Vec<String> = all.iter().filter(wanted).map(|c| c.line.clone()).collect();
        if !lines.is_empty() {
            let line = self.rng.pick(&lines).clone();
            self.step(&Step::Fill { to, line });
        }
    }

    pub(super) fn fill_missing(
        &mut self,
        scope: &str,
        line: &dyn Fn(&str) -> Option<String>,
        to: usize,
    ) {
        let mut missing = Vec::new();
        if let Some(state) = self.peers[to].reader.state(&self.origin.origin, scope) {
            for live in state.live.values() {
                let wanted = self.peers[to].kinds.contains(&live.kind.as_str())
                    && self.peers[to].reader.line(&live.line_hash).is_none();
                missing.extend(wanted.then(|| line(&live.line_hash)).flatten());
            }
        }
        for line in missing {
            let outcome = self.step(&Step::Fill { to, line });
            if !outcome.is("filled") {
                self.fail(format!("an honest line was answered {outcome:?}"));
            }
        }
    }

    /// An owner sends its feeds.
    pub(super) fn push(&mut self, owner: &Owner, to: usize, scopes: &[&'static str]) {
        let name = self.peers[to].name;
        self.note(format!("{} sends {scopes:?} to {name}", owner.name));
        for scope in scopes {
            let line = |hash: &str| owner.lines.get(hash).cloned();
            self.send_feed(&owner.identity, &owner.heads[scope], 0, &line, to, false);
        }
    }

    /// A follower relays its feeds.
    pub(super) fn relay(
        &mut self,
        from: &Peer,
        to: usize,
        scopes: &[&'static str],
        shuffled: bool,
    ) {
        let name = self.peers[to].name;
        self.note(format!("{} relays {scopes:?} to {name}", from.name));
        for scope in scopes {
            let origin = &self.origin.origin;
            let Some(state) = from.reader.state(origin, scope) else {
                continue;
            };
            let identity = from.reader.identity_log(origin);
            let held = from.reader.deltas_held(origin, scope);
            let lowest = held
                .iter()
                .filter_map(|h| self.sealed.get(h))
                .map(|d| d.seq)
                .min();
            let floor = from.floor.get(&state.head.log).copied().unwrap_or(0);
            let floor = lowest.unwrap_or(state.head.seq + 1).max(floor);
            let Some(head) = self.sealed.get(&state.head.hash).cloned() else {
                continue;
            };
            let line = |hash: &str| from.reader.line(hash).cloned();
            self.send_feed(&identity, &head, floor, &line, to, shuffled);
        }
    }
}
