//! What must hold after every act, and in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::super::seal::{Owner, Rec, Sealed};
use super::history::parent_of;
use super::{Peer, SCOPES, World};

/// Deliveries at the end of a history until a peer stands where the origin does. One in twenty breaks, and
/// in 10,000 histories three in a row did.
const DELIVERIES_MAX: usize = 10;

impl World {
    /// Whether a header is void by the recovers of the origin.
    pub(super) fn is_void(&self, sealed: &Sealed) -> bool {
        self.recovers.iter().any(|(position, c)| {
            sealed.scope == "public"
                && sealed.position < *position
                && if sealed.log == c.log {
                    sealed.seq > c.seq || (sealed.seq == c.seq && sealed.hash != c.hash)
                } else {
                    sealed.generation >= c.generation
                }
        }) || (!self.recovers.is_empty() && self.void_entries.contains(&sealed.identity))
    }

    pub(super) fn check(&mut self) {
        let mut wrong = None;
        for peer in self.peers.iter().filter(|peer| peer.touched) {
            for scope in SCOPES {
                let Some(state) = peer.reader.state(&self.origin.origin, scope) else {
                    continue;
                };
                let Some(truth) = self.sealed.get(&state.head.hash) else {
                    wrong = Some(format!("{} took a head nobody sealed", peer.name));
                    continue;
                };
                let same = truth.live.len() == state.live.len()
                    && truth.live.iter().all(|(id, l)| {
                        state.live.get(id).is_some_and(|live| {
                            (live.rev, &live.kind, &live.line_hash) == (l.0, &l.1, &l.2)
                        })
                    });
                if !same {
                    wrong = Some(format!("{}: live sets differ at equal heads", peer.name));
                }
                wrong = wrong.or_else(|| self.unnoticed_fork(peer, truth));
            }
            let shown = peer.reader.shown();
            for seen in &peer.ledger {
                let void = self.sealed.get(&seen.by).is_some_and(|d| self.is_void(d));
                let again = shown.iter().any(|line| {
                    line.id == seen.id
                        && if seen.put {
                            line.rev < seen.rev
                        } else {
                            line.rev <= seen.rev
                        }
                });
                if again && !void {
                    wrong = Some(format!(
                        "{} shows {} again, seen put {} rev {} listed {:?}",
                        peer.name, seen.id, seen.put, seen.rev, seen.listed
                    ));
                }
            }
        }
        for peer in &mut self.peers {
            peer.touched = false;
        }
        if let Some(wrong) = wrong {
            self.fail(wrong);
        }
    }

    /// Everything comes to an end: recover, settle the tails, publish, and all must agree.
    pub(super) fn finish(&mut self) {
        self.note("-- finish".to_owned());
        self.is_lossy = false;
        let mut o = self.origin.clone();
        if o.suspect {
            let all: Vec<usize> = (0..self.peers.len()).collect();
            self.pull_history(&mut o, &all);
            self.new_logs(&mut o);
        }
        if self.theft && self.recovers.is_empty() {
            self.recover(&mut o);
        }
        if let Some(thief) = self.thief.take() {
            // What the thief still sends finds readers who know better, and some who do not.
            for to in 0..self.peers.len() {
                if self.rng.chance(40) {
                    self.send_identity(&o.identity, to);
                }
                if self.rng.chance(40) {
                    self.push(&thief, to, &SCOPES[..1]);
                }
            }
        }
        let mut tails: Vec<Rc<Sealed>> = self
            .sealed
            .values()
            .filter(|d| !o.heads[d.scope].has_before(&d.hash) && !self.is_void(d))
            .cloned()
            .collect();
        tails.sort_by_key(|d| (d.opened, d.generation, d.seq, d.hash.clone()));
        if !tails.is_empty() || self.copy.is_some() {
            self.settle(&mut o, &tails);
            let generation = tails.iter().map(|d| d.generation).max().unwrap_or(0);
            o.rotate(&mut self.counter);
            for scope in SCOPES {
                let generation = generation.max(o.heads[scope].generation) + 1;
                let first = o.open(&mut self.counter, scope, generation);
                self.sealed.insert(first.hash.clone(), first);
            }
            self.note("O rotates and opens new logs".to_owned());
        }
        self.copy = None;
        self.publish(&mut o, &SCOPES, false);
        self.collect_lines(&mut o);
        self.origin = o.clone();
        for to in 0..self.peers.len() {
            // Deliveries still break here and there: whoever got nothing whole is sent it again.
            for _ in 0..DELIVERIES_MAX {
                if !self.stands_at(&o, to) {
                    self.push(&o, to, &SCOPES);
                }
            }
            for scope in self.peers[to].scopes.clone() {
                let line = |hash: &str| o.lines.get(hash).cloned();
                self.fill_missing(scope, &line, to);
            }
        }
        self.check();
        for peer in &self.peers {
            let expected = self.expected(&o, peer);
            let shown: BTreeSet<_> = peer
                .reader
                .shown()
                .into_iter()
                .map(|s| (s.id, s.rev, s.scope))
                .collect();
            if shown != expected && self.wrong.is_none() {
                self.wrong = Some(format!(
                    "{} did not converge:\n  shows    {shown:?}\n  expected {expected:?}",
                    peer.name
                ));
            }
        }
    }

    fn stands_at(&self, o: &Owner, to: usize) -> bool {
        let peer = &self.peers[to];
        peer.reader.identity_log(&o.origin) == o.identity
            && peer.scopes.iter().all(|scope| {
                peer.reader
                    .state(&o.origin, scope)
                    .is_some_and(|state| state.head.hash == o.heads[scope].hash)
            })
    }

    /// Records touched on branches the origin does not continue get a revision above the tail's.
    fn settle(&mut self, o: &mut Owner, tails: &[Rc<Sealed>]) {
        for tail in tails {
            for change in &tail.changes {
                let parent = parent_of(&self.sealed, &change.id);
                let rec = o.recs.entry(change.id.clone()).or_insert_with(|| Rec {
                    rev: 0,
                    scope: None,
                    erased: false,
                    kind: change.kind.clone(),
                    parent,
                    dirty: true,
                });
                if change.put {
                    if rec.scope == Some("public") && tail.scope == "trusted_peers" {
                        rec.scope = Some("trusted_peers");
                    }
                } else if change.rev >= rec.rev {
                    rec.scope = None;
                }
                rec.rev = rec.rev.max(change.rev);
                rec.dirty = true;
            }
        }
    }

    /// What a follower must show in the end: (id, rev, scope).
    fn expected(&self, o: &Owner, peer: &Peer) -> BTreeSet<(String, u64, String)> {
        let mut lines = BTreeMap::new();
        for scope in &peer.scopes {
            for (id, (rev, kind, hash)) in &o.heads[scope].live {
                let readable = peer.kinds.contains(&kind.as_str())
                    && o.lines.contains_key(hash)
                    && !self.invalid.contains(hash);
                if readable {
                    lines.insert(id.clone(), (*rev, *scope, kind.as_str()));
                }
            }
        }
        let mut expected = BTreeSet::new();
        for (id, (rev, scope, kind)) in &lines {
            let mut at = *scope;
            match *kind {
                "request" => {}
                "comment" => {
                    let parent = o.recs[id]
                        .parent
                        .as_ref()
                        .and_then(|parent| lines.get(parent));
                    let Some((_, parent_scope, _)) = parent else {
                        continue;
                    };
                    if *parent_scope == "trusted_peers" {
                        at = "trusted_peers";
                    }
                }
                _ => continue,
            }
            expected.insert((id.clone(), *rev, at.to_owned()));
        }
        expected
    }
}
