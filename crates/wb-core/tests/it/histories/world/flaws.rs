//! Deltas that the origin itself signs, and that break one rule.

use std::rc::Rc;

use super::super::seal::{Owner, flip_digit};
use super::{SCOPES, Step, World};

impl World {
    /// A delta the origin itself signs, that breaks one rule.
    pub(super) fn send_flawed(&mut self, origin: &Owner) {
        let scope = *self.rng.pick(&SCOPES);
        let to = self.rng.below(self.peers.len());
        if !self.peers[to].scopes.contains(&scope) {
            return;
        }
        let head = Rc::clone(&origin.heads[scope]);
        let mut changes = Vec::new();
        let mut entry_flaw = false;
        let id = head
            .live
            .keys()
            .next()
            .or(origin.recs.keys().next())
            .cloned();
        if let Some(id) = id.filter(|id| origin.recs.contains_key(id)) {
            let live = head.live.get(&id).map(|live| live.0);
            let next = live.unwrap_or(0) + 1;
            changes.push(origin.put(&mut self.counter, scope, &id, next, true));
            entry_flaw = self.rng.chance(60);
            match (live, self.rng.below(6)) {
                _ if !entry_flaw => {}
                (Some(live), 0) => {
                    changes[0] = origin.put(&mut self.counter, scope, &id, live, true);
                }
                (Some(live), 1) if live > 1 => {
                    let mut out = origin.retract(scope, &id, "mistake");
                    let revs = (format!("\"rev\":{live},"), format!("\"rev\":{},", live - 1));
                    out.entry = out.entry.replace(&revs.0, &revs.1);
                    changes = vec![out];
                }
                (Some(_), 2) => {
                    let mut other = origin.clone();
                    other.recs.get_mut(&id).expect("a record just found").kind =
                        "widget".to_owned();
                    changes[0] = other.put(&mut self.counter, scope, &id, next, true);
                }
                (_, 3) => {
                    // The line drops something else than what is live.
                    let mut other = origin.clone();
                    let mut heads = other.heads.clone();
                    heads.retain(|other, _| *other != scope);
                    other.heads = heads;
                    changes[0] = other.put(&mut self.counter, scope, &id, next, true);
                    entry_flaw = live.is_some();
                }
                _ => changes.push(changes[0].clone()),
            }
        }
        let puts = changes.iter().any(|c| c.put);
        let sealed = origin.delta(scope, changes, Some(Rc::clone(&head)), None, None);
        let payload = sealed.payload();
        let payload = match self.rng.below(8) {
            _ if entry_flaw => payload.to_owned(),
            1 => payload.replacen("\"key\":", "\"key\":1", 1),
            2 => payload.replacen("\"root\":\"", "\"root\":\"0", 1),
            3 => payload.replacen("\"prev\":", "\"prev\":null,\"was\":", 1),
            4 => payload.replacen("\"entries\":", "\"entries\":1", 1),
            5 if puts => payload.replacen("\"bytes\":", "\"bytes\":0,\"was\":", 1),
            6 => payload.replacen("wb.header.v1", "wb.header.v0", 1),
            7 => flip_digit(payload, payload.find("\"live\":\"").unwrap_or(0) + 9),
            _ => payload.replacen("\"live_n\":", "\"live_n\":1", 1),
        };
        let header = origin.sign_header(&payload);
        let items = sealed
            .changes
            .iter()
            .map(|c| {
                if c.put {
                    c.line.clone()
                } else {
                    c.entry.clone()
                }
            })
            .collect();
        // Whoever appended this would be forked against the origin for ever after, so it is only
        // sent where the feed stands at the head and every flaw is refused.
        let at_head = self.peers[to]
            .reader
            .state(&origin.origin, scope)
            .is_some_and(|state| state.head.hash == head.hash);
        if at_head {
            let outcome = self.step(&Step::Delta { to, header, items });
            self.note(format!(
                "  flawed {scope} to {}: {outcome:?}",
                self.peers[to].name
            ));
            if outcome.is("append") {
                self.fail("a flawed delta was appended".to_owned());
            }
        }
    }
}
