//! What the origin, its second copy and the thief do.

use std::rc::Rc;

use super::super::seal::{Change, Owner, Rec};
use super::{SCOPES, Step, World};

impl World {
    pub(super) fn act(&mut self) {
        let mut a = self.rng.below(1000);
        if self.rng.chance(30) {
            let usual: &[usize] = match self.mode {
                1 => &[780, 780, 380, 550, 300, 100],
                2 => &[830, 860, 460, 380, 300, 810],
                3 => &[680, 720, 900, 720, 300, 100],
                0 => &[910, 910, 940, 975, 380, 460, 560, 630, 300, 100],
                _ => &[a],
            };
            a = *self.rng.pick(usual);
        }
        let mut origin = self.origin.clone();
        match a {
            0..220 => self.edit(&mut origin),
            220..340 => {
                let crash = self.rng.chance(15);
                self.publish(&mut origin, &SCOPES, crash);
            }
            340..440 if !origin.suspect => {
                let scopes = self.some_scopes();
                self.push(&origin, 0, &scopes);
            }
            440..500 if !origin.suspect => {
                let (to, scopes) = (self.any_follower(), self.some_scopes());
                self.push(&origin, to, &scopes);
            }
            500..600 => {
                let (from, to) = (self.peers[0].clone(), self.any_follower());
                self.relay(&from, to, &SCOPES, false);
            }
            600..660 => {
                let from = self.rng.below(self.peers.len());
                let to = self.any_follower();
                if from != to {
                    let scopes = [*self.rng.pick(&SCOPES)];
                    let from = self.peers[from].clone();
                    self.relay(&from, to, &scopes, false);
                }
            }
            660..700 => {
                let from = self.rng.below(self.peers.len());
                self.note(format!(
                    "bundle {} from {}",
                    self.bundles.len(),
                    self.peers[from].name
                ));
                let mut bundle = self.peers[from].clone();
                bundle.name = "bundle";
                self.bundles.push(bundle);
            }
            700..750 if !self.bundles.is_empty() => {
                let bundle = self.rng.below(self.bundles.len());
                let from = self.bundles[bundle].clone();
                let (to, shuffled) = (self.any_follower(), self.rng.chance(50));
                self.relay(&from, to, &SCOPES, shuffled);
            }
            750..770 => {
                let to = self.any_follower();
                self.note(format!("{} forgets everything", self.peers[to].name));
                self.step(&Step::Newcomer { to });
            }
            770..800 => self.trim(),
            800..850 => self.backup_or_restore(&mut origin),
            850..900 if origin.suspect => {
                let mut sources: Vec<usize> = Vec::new();
                for k in 0..self.peers.len() {
                    if self.rng.chance(60) {
                        sources.push(k);
                    }
                }
                if !sources.is_empty() {
                    self.pull_history(&mut origin, &sources);
                    self.new_logs(&mut origin);
                }
            }
            900..930 if self.may_fork && !origin.suspect && self.copy.is_none() && !self.theft => {
                let mut copy = origin.clone();
                copy.name = "C";
                self.copy = Some(copy);
                self.note("a second copy C starts".to_owned());
            }
            925..950 if self.may_steal && !origin.suspect && self.copy.is_none() && !self.theft => {
                let mut thief = origin.clone();
                thief.name = "X";
                self.thief = Some(thief);
                self.theft = true;
                self.note("X steals the key".to_owned());
            }
            950..970 if !origin.suspect => {
                self.note("O rotates".to_owned());
                origin.rotate(&mut self.counter);
                if self.rng.chance(50) {
                    self.new_logs(&mut origin);
                }
            }
            970..985 if !origin.suspect && self.theft && self.recovers.is_empty() => {
                self.recover(&mut origin);
            }
            985..1000 if !origin.suspect => self.send_flawed(&origin),
            _ => self.send_old_line(),
        }
        self.origin = origin;
        self.others();
        self.check();
    }

    pub(super) fn any_follower(&mut self) -> usize {
        self.rng.below(self.peers.len())
    }

    fn some_scopes(&mut self) -> Vec<&'static str> {
        match self.rng.below(4) {
            0 => vec![SCOPES[0]],
            1 => vec![SCOPES[1]],
            2 => vec![SCOPES[1], SCOPES[0]],
            _ => SCOPES.to_vec(),
        }
    }

    /// The second copy and the thief act too.
    fn others(&mut self) {
        if let Some(mut copy) = self.copy.take() {
            if self.rng.chance(50) {
                match self.rng.below(10) {
                    0..3 => self.edit(&mut copy),
                    3..6 => self.publish(&mut copy, &SCOPES, false),
                    // It was restored too, and asked nobody.
                    6 => self.new_logs(&mut copy),
                    _ => {
                        let to = self.rng.below(self.peers.len());
                        self.push(&copy, to, &SCOPES);
                    }
                }
            }
            self.copy = Some(copy);
        }
        if let Some(mut thief) = self.thief.take() {
            if self.rng.chance(50) {
                match self.rng.below(20) {
                    0..7 => self.edit(&mut thief),
                    7..12 => self.publish(&mut thief, &SCOPES[..1], false),
                    12..14 => {
                        self.note("X opens a new log".to_owned());
                        let generation = thief.heads["public"].generation + 1;
                        let first = thief.open(&mut self.counter, "public", generation);
                        self.sealed.insert(first.hash.clone(), first);
                    }
                    14 => {
                        self.note("X rotates".to_owned());
                        thief.rotate(&mut self.counter);
                        self.void_entries.insert(thief.entry.clone());
                    }
                    _ => {
                        let to = self.rng.below(self.peers.len());
                        self.push(&thief, to, &SCOPES[..1]);
                    }
                }
            }
            self.thief = Some(thief);
        }
    }

    fn edit(&mut self, owner: &mut Owner) {
        let a = self.rng.below(100);
        if owner.recs.is_empty() || (a < 35 && owner.recs.len() < self.records_max) {
            let requests: Vec<String> = owner
                .recs
                .iter()
                .filter(|(_, rec)| rec.kind == "request")
                .map(|(id, _)| id.clone())
                .collect();
            let (kind, parent) = if self.rng.chance(5) {
                ("gizmo", None)
            } else if requests.is_empty() || self.rng.chance(50) {
                ("request", None)
            } else {
                ("comment", Some(self.rng.pick(&requests).clone()))
            };
            let id = self.counter.uuid();
            let scope =
                *self
                    .rng
                    .pick(&[Some("public"), Some("public"), Some("trusted_peers"), None]);
            self.note(format!("{} writes {kind} {id} {scope:?}", owner.name));
            let rec = Rec {
                rev: 0,
                scope,
                erased: false,
                kind: kind.to_owned(),
                parent,
                dirty: true,
            };
            owner.recs.insert(id, rec);
            return;
        }
        let ids: Vec<String> = owner.recs.keys().cloned().collect();
        let id = self.rng.pick(&ids).clone();
        let scope = *self
            .rng
            .pick(&[Some("public"), Some("trusted_peers"), None]);
        let rec = owner.recs.get_mut(&id).expect("an id just listed");
        if rec.erased {
            return;
        }
        let what = if a < 50 {
            rec.dirty = true;
            "edits".to_owned()
        } else if a < 90 {
            rec.scope = scope;
            rec.dirty = true;
            format!("moves to {scope:?}")
        } else {
            rec.scope = None;
            rec.erased = true;
            "erases".to_owned()
        };
        self.note(format!("{} {what} {id}", owner.name));
    }

    pub(super) fn publish(&mut self, owner: &mut Owner, scopes: &[&'static str], crash: bool) {
        if owner.suspect {
            return;
        }
        let mut order = scopes.to_vec();
        self.rng.shuffle(&mut order);
        for (n, scope) in order.into_iter().enumerate() {
            let changes = self.changes(owner, scope);
            if !changes.is_empty() {
                let what: Vec<_> = changes
                    .iter()
                    .map(|c| (c.put, &c.id[32..], c.rev))
                    .collect();
                let head = &owner.heads[scope];
                let text = format!(
                    "{} seals {scope} {}… {} {what:?}",
                    owner.name,
                    &head.log[..4],
                    head.seq + 1
                );
                self.note(text);
                let sealed = owner.seal(scope, changes);
                self.sealed.insert(sealed.hash.clone(), sealed);
            }
            if crash && n == 0 {
                self.note("crash between the feeds".to_owned());
                return;
            }
        }
    }

    /// What differs between the records wanted and one feed.
    pub(super) fn changes(&mut self, owner: &mut Owner, scope: &'static str) -> Vec<Change> {
        let mut changes = Vec::new();
        for id in owner.recs.keys().cloned().collect::<Vec<_>>() {
            let live = owner.heads[scope].live.contains_key(&id);
            let rec = owner.recs.get_mut(&id).expect("an id just listed");
            if rec.scope == Some(scope) && (rec.dirty || !live) {
                rec.rev += 1;
                rec.dirty = false;
                let rev = rec.rev;
                let valid = self.rng.below(100) >= 5;
                let put = owner.put(&mut self.counter, scope, &id, rev, valid);
                if !valid {
                    self.invalid.insert(put.line_hash.clone());
                }
                changes.push(put);
            } else if rec.scope != Some(scope) && live {
                let reason = if rec.erased { "erase" } else { "scope" };
                changes.push(owner.retract(scope, &id, reason));
            }
        }
        changes
    }

    pub(super) fn new_logs(&mut self, owner: &mut Owner) {
        for scope in SCOPES {
            let generation = owner.heads[scope].generation + 1;
            let first = owner.open(&mut self.counter, scope, generation);
            self.note(format!(
                "{} opens {scope} {}… generation {generation}",
                owner.name,
                &first.log[..4]
            ));
            self.sealed.insert(first.hash.clone(), first);
        }
    }

    pub(super) fn recover(&mut self, owner: &mut Owner) {
        let cut = Rc::clone(&owner.heads["public"]);
        owner.recover(&mut self.counter);
        self.recovers.push((owner.position, cut));
        self.note("O recovers".to_owned());
        self.new_logs(owner);
    }

    fn trim(&mut self) {
        let keep = self.rng.below(4) as u64;
        for who in [0, self.rng.below(self.peers.len())] {
            let peer = &mut self.peers[who];
            for scope in SCOPES {
                if let Some(state) = peer.reader.state(&self.origin.origin, scope) {
                    let floor = state.head.seq.saturating_sub(keep);
                    peer.floor.insert(state.head.log.clone(), floor);
                }
            }
        }
    }

    fn backup_or_restore(&mut self, origin: &mut Owner) {
        match self.backup.take() {
            Some(mut backup) if self.rng.chance(60) => {
                if self.copy.is_none() && self.thief.is_none() {
                    self.note("O is restored from its backup".to_owned());
                    // Identity and keys are kept beside the database.
                    let mut restored = backup.clone();
                    restored.identity.clone_from(&origin.identity);
                    restored.key = origin.key.clone();
                    restored.recovery = origin.recovery.clone();
                    restored.position = origin.position;
                    restored.entry.clone_from(&origin.entry);
                    restored.suspect = true;
                    *origin = restored;
                }
                backup.suspect = false;
                self.backup = Some(backup);
            }
            _ => {
                self.note("O makes a backup".to_owned());
                self.backup = Some(origin.clone());
            }
        }
    }
}
