//! Accepting a delta: steps 1 to 13.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::delta::Header;
use super::super::{Outcome, delta, memo};
use super::fold::{digest, put};
use super::logs::{leaves_beside, order};
use super::{Follower, Live, Place, Taken};

impl Follower {
    pub(super) fn offer(&mut self, header: &str, items: &[String]) -> Outcome {
        self.offer_steps(header, items)
            .unwrap_or_else(Outcome::refused)
    }

    fn offer_steps(&mut self, header: &str, items: &[String]) -> Result<Outcome, &'static str> {
        let delta = Rc::new(delta::read(header, items)?); // 1, 2
        let h = Rc::clone(&delta.header);
        if !self.scopes.contains(&h.scope) {
            return Ok(Outcome::plain("not_followed"));
        }
        if let Some(outcome) = self.who(&h)? {
            return Ok(outcome); // 3, 4, 5
        }
        let entries: Vec<String> = delta.items.iter().map(|i| i.entry.bytes.clone()).collect();
        if memo::root(entries) != h.root {
            return Err("wrong_root"); // 6
        }
        for (i, item) in delta.items.iter().enumerate() {
            if delta.items[..i]
                .iter()
                .any(|other| other.entry.id == item.entry.id)
            {
                return Err("two_entries_of_one_id"); // 7
            }
        }
        let key = (h.origin.clone(), h.scope.clone());
        let feed = self.feeds.entry(key.clone()).or_default();
        if h.seq == 0 {
            feed.firsts
                .entry(h.log.clone())
                .or_insert_with(|| Rc::clone(&h));
        }
        let place = self.place(&key, &h);
        if self.is_above(&h, "rotate") && !place.is_duplicate() {
            return Err("above_last_head"); // 8
        }
        match place {
            Place::Answer(outcome) => {
                if outcome.is("duplicate") {
                    self.fill_from(&key, &delta.items);
                }
                return Ok(outcome); // 9
            }
            Place::Fork => {
                self.feeds.entry(key.clone()).or_default().forked = true;
                self.note_tail(&key, delta);
                return Ok(Outcome::plain("fork"));
            }
            Place::Closed => {
                self.note_tail(&key, delta);
                return Ok(Outcome::plain("closed"));
            }
            Place::Held => {
                self.note_tail(&key, delta);
                return Ok(Outcome::plain("held"));
            }
            Place::GoOn => {}
        }
        let state = self.feeds[&key].state.as_ref();
        if state.is_some_and(|state| h.position < state.head.position) {
            return Err("identity_decreases"); // 10
        }
        let mut live = state.map(|state| state.live.clone()).unwrap_or_default();
        for item in &delta.items {
            entry_rules(&mut live, &item.entry, &h)?; // 11
        }
        if live.len() as u64 != h.live_n || digest(&live) != h.live {
            return Err("wrong_live"); // 12
        }
        let feed = self.feeds.entry(key.clone()).or_default();
        feed.forked &= h.seq > 0;
        if h.seq == 0 {
            feed.firsts.insert(h.log.clone(), Rc::clone(&h));
        }
        feed.taken.push(Taken::Delta(Rc::clone(&delta)));
        feed.fold();
        self.fill_from(&key, &delta.items);
        self.forget_lines();
        Ok(Outcome::plain("append")) // 13
    }

    /// Steps 3 to 5 for one header.
    pub(super) fn who(&self, h: &Header) -> Result<Option<Outcome>, &'static str> {
        let Some(known) = self.known.get(&h.origin) else {
            return Ok(Some(Outcome::early("identity")));
        };
        if known.entry(&h.identity).is_none() && !known.void.contains_key(&h.identity) {
            return Ok(Some(Outcome::early("identity")));
        }
        if self.is_void(h) {
            return Ok(Some(Outcome::plain("void")));
        }
        let entry = known.entry(&h.identity).expect("neither unknown nor void");
        if entry.position != h.position {
            return Err("wrong_key");
        }
        if !memo::verifies(&h.signed, &entry.signing_key) {
            return Err("bad_signature");
        }
        Ok(None)
    }

    pub(super) fn place(&self, key: &(String, String), h: &Rc<Header>) -> Place {
        let feed = &self.feeds[key];
        let go_on = || {
            if self.holds_instance(&key.0) {
                Place::Held
            } else {
                Place::GoOn
            }
        };
        let Some(f) = &feed.state else {
            let first = if h.seq == 0 {
                Some(h)
            } else {
                feed.firsts.get(&h.log)
            };
            let first = first.filter(|first| !self.is_void(first));
            if first.is_some_and(|first| self.has_rival(feed, first)) {
                return Place::Fork;
            }
            if h.seq == 0 && h.follows.is_none() {
                return go_on();
            }
            return Place::Answer(Outcome::plain("need_snapshot"));
        };
        if h.log == f.head.log {
            if h.generation != f.first.generation {
                return Place::Answer(Outcome::refused("wrong_generation"));
            }
            return match h.seq.cmp(&(f.head.seq + 1)) {
                std::cmp::Ordering::Less => {
                    if f.chain[usize::try_from(h.seq).expect("a short log")] == h.hash {
                        Place::Answer(Outcome::plain("duplicate"))
                    } else {
                        Place::Fork
                    }
                }
                std::cmp::Ordering::Equal => {
                    if h.prev.as_ref() != Some(&f.head.hash) {
                        Place::Fork
                    } else if self.is_forked(feed) {
                        Place::Held
                    } else {
                        go_on()
                    }
                }
                std::cmp::Ordering::Greater => Place::Answer(Outcome::early("gap")),
            };
        }
        let first = if h.seq == 0 {
            Some(h)
        } else {
            feed.firsts.get(&h.log)
        };
        let Some(first) = first.filter(|first| !self.is_void(first)) else {
            return Place::Answer(Outcome::plain("need_snapshot"));
        };
        match order(first).cmp(&order(&f.first)) {
            std::cmp::Ordering::Less => Place::Closed,
            std::cmp::Ordering::Equal => Place::Fork,
            std::cmp::Ordering::Greater => {
                if leaves_beside(first, &f.first) || self.has_rival(feed, first) {
                    return Place::Fork;
                }
                let follows_head = h.follows.as_ref().is_some_and(|follows| {
                    (&follows.log, follows.seq, &follows.hash)
                        == (&f.head.log, f.head.seq, &f.head.hash)
                });
                if h.seq == 0 && follows_head {
                    return go_on();
                }
                Place::Answer(Outcome::plain("need_snapshot"))
            }
        }
    }
}

/// Step 11 for one entry.
fn entry_rules(
    live: &mut BTreeMap<String, Live>,
    e: &delta::Entry,
    by: &Rc<Header>,
) -> Result<(), &'static str> {
    let before = live.get(&e.id);
    if e.put && before.is_some_and(|live| e.rev <= live.rev) {
        return Err("rev_not_above");
    }
    if !e.put && before.is_some_and(|live| e.rev < live.rev) {
        return Err("retract_below_live");
    }
    if before.map(|live| &live.line_hash) != e.drops.as_ref() {
        return Err("wrong_drops");
    }
    if before.is_some_and(|live| live.kind != e.kind) {
        return Err("kind_changed");
    }
    if e.put {
        put(live, e, by);
    } else {
        live.remove(&e.id);
    }
    Ok(())
}
