//! Taking a snapshot, or saying why not.

use std::rc::Rc;

use super::super::snapshot::Snapshot;
use super::super::{Outcome, snapshot};
use super::logs::{leaves_beside, order};
use super::{Follower, Place, Taken};

impl Follower {
    pub(super) fn offer_snapshot(&mut self, lines: &[String]) -> Result<Outcome, &'static str> {
        let totals = snapshot::totals(lines.first().ok_or("wrong_count")?)?;
        let head = snapshot::head(&totals, lines.get(1).ok_or("wrong_count")?)?;
        if !self.scopes.contains(&head.scope) {
            return Ok(Outcome::plain("not_followed"));
        }
        let mut unplaced = self.who(&head)?;
        snapshot::head_count(&totals, &head)?;
        let (first, rest) = if head.seq == 0 {
            (Rc::clone(&head), 2)
        } else {
            let first = snapshot::first(&head, lines.get(2).ok_or("wrong_count")?)?;
            unplaced = unplaced.or(self.who(&first)?);
            snapshot::opens(&first, &head)?;
            (first, 3)
        };
        let mut snapshot = Snapshot::new(Rc::clone(&head), Rc::clone(&first));
        let rest = rest + snapshot.take_chain(&totals, &lines[rest..])?;
        let key = (head.origin.clone(), head.scope.clone());
        let place = match unplaced {
            // Nobody known signed it; what it says of itself must hold all the same.
            Some(outcome) => Err(outcome),
            None => Ok(self.place_at_chain(&key, &snapshot)?),
        };
        snapshot.take_records(&totals, &lines[rest..])?;
        let place = match place {
            Ok(place) => place,
            Err(outcome) => return Ok(outcome),
        };
        let snapshot = Rc::new(snapshot);
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

    /// Placing, which is done when the chain is there, with what it refuses.
    fn place_at_chain(
        &mut self,
        key: &(String, String),
        snapshot: &Snapshot,
    ) -> Result<Place, &'static str> {
        let (head, first) = (&snapshot.head, &snapshot.first);
        self.feeds.entry(key.clone()).or_default();
        let held = self.feeds[key].state.as_ref().map(|f| &f.head);
        let in_log = held.filter(|held| held.log == head.log);
        let generation = self.feeds[key].state.as_ref().map(|f| f.first.generation);
        if in_log.is_some() && generation != Some(head.generation) {
            return Err("wrong_generation");
        }
        let place = self.place_snapshot(key, snapshot);
        let above =
            self.is_above(head, "rotate") || (in_log.is_none() && self.is_above(first, "rotate"));
        if above && !place.is_duplicate() {
            return Err("above_last_head");
        }
        if matches!(place, Place::GoOn) {
            let followed = held.filter(|held| {
                let follows = first.follows.as_ref();
                follows
                    .is_some_and(|f| (&f.log, f.seq, &f.hash) == (&held.log, held.seq, &held.hash))
            });
            if followed.is_some_and(|held| first.position < held.position) {
                return Err("identity_decreases");
            }
            let earlier = [Some(first), in_log].into_iter().flatten();
            if earlier.max_by_key(|h| h.position).expect("first").position > head.position {
                return Err("identity_decreases");
            }
        }
        Ok(place)
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
