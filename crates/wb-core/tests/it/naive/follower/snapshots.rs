//! Taking a snapshot, or saying why not.

use std::rc::Rc;

use super::super::snapshot::Snapshot;
use super::super::{Outcome, snapshot};
use super::logs::{leaves_beside, order};
use super::{Follower, Place, Taken};

impl Follower {
    pub(super) fn offer_snapshot(&mut self, lines: &[String]) -> Result<Outcome, &'static str> {
        let snapshot = Rc::new(snapshot::read(lines)?);
        let (head, first) = (Rc::clone(&snapshot.head), Rc::clone(&snapshot.first));
        if !self.scopes.contains(&head.scope) {
            return Ok(Outcome::plain("not_followed"));
        }
        for h in [&head, &first] {
            if let Some(outcome) = self.who(h)? {
                return Ok(outcome);
            }
        }
        snapshot.prove()?;
        let key = (head.origin.clone(), head.scope.clone());
        self.feeds.entry(key.clone()).or_default();
        let place = self.place_snapshot(&key, &snapshot);
        let state = self.feeds[&key].state.as_ref();
        let joins = state.is_none_or(|f| f.head.log != head.log);
        let above = self.is_above(&head, "rotate") || (joins && self.is_above(&first, "rotate"));
        if above && !place.is_duplicate() {
            return Err("above_last_head");
        }
        if matches!(place, Place::GoOn) {
            let held = self.feeds[&key].state.as_ref().map(|f| &f.head);
            let before = held.filter(|held| held.log == head.log);
            let followed = held.filter(|held| {
                let follows = first.follows.as_ref();
                follows
                    .is_some_and(|f| (&f.log, f.seq, &f.hash) == (&held.log, held.seq, &held.hash))
            });
            if followed.is_some_and(|held| first.position < held.position) {
                return Err("identity_decreases");
            }
            let earlier = [Some(&first), before].into_iter().flatten();
            if earlier.max_by_key(|h| h.position).expect("first").position > head.position {
                return Err("identity_decreases");
            }
        }
        let feed = self.feeds.entry(key.clone()).or_default();
        feed.firsts
            .entry(first.log.clone())
            .or_insert_with(|| Rc::clone(&first));
        match place {
            Place::Answer(outcome) => {
                if outcome.is("duplicate") {
                    self.fill_from(&key, &snapshot.items);
                }
                return Ok(outcome);
            }
            Place::Fork => {
                self.feeds.entry(key.clone()).or_default().forked = true;
                return Ok(Outcome::plain("fork"));
            }
            Place::Closed => return Ok(Outcome::plain("closed")),
            Place::Held => return Ok(Outcome::plain("held")),
            Place::GoOn => {}
        }
        let feed = self.feeds.entry(key.clone()).or_default();
        feed.forked = false;
        feed.firsts.insert(first.log.clone(), Rc::clone(&first));
        feed.taken.push(Taken::Snapshot(Rc::clone(&snapshot)));
        feed.fold();
        self.fill_from(&key, &snapshot.items);
        self.forget_lines();
        Ok(Outcome::plain("take"))
    }

    fn place_snapshot(&self, key: &(String, String), snapshot: &Snapshot) -> Place {
        let feed = &self.feeds[key];
        let (h, first) = (&snapshot.head, &snapshot.first);
        let go_on = || {
            if self.holds_instance(&key.0) {
                Place::Held
            } else {
                Place::GoOn
            }
        };
        let Some(f) = &feed.state else {
            if self.has_rival(feed, first) {
                return Place::Fork;
            }
            return go_on();
        };
        if h.log == f.head.log {
            if h.generation != f.first.generation {
                return Place::Answer(Outcome::refused("wrong_generation"));
            }
            let (theirs, ours) = (snapshot.chain(), &f.chain);
            let common = theirs.len().min(ours.len()) - 1;
            if theirs[common] != ours[common] {
                return Place::Fork;
            }
            if h.seq <= f.head.seq {
                return Place::Answer(Outcome::plain("duplicate"));
            }
            if self.is_forked(feed) {
                return Place::Held;
            }
            return go_on();
        }
        match order(first).cmp(&order(&f.first)) {
            std::cmp::Ordering::Less => Place::Closed,
            std::cmp::Ordering::Equal => Place::Fork,
            std::cmp::Ordering::Greater
                if leaves_beside(first, &f.first) || self.has_rival(feed, first) =>
            {
                Place::Fork
            }
            std::cmp::Ordering::Greater => go_on(),
        }
    }
}
