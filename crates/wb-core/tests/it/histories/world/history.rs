//! An origin restored from an old copy takes its own history back from those who hold it.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::seal::{Owner, Rec, Sealed};
use super::{SCOPES, World};

impl World {
    /// A suspect origin takes its own signed history back.
    pub(super) fn pull_history(&mut self, o: &mut Owner, sources: &[usize]) {
        self.note(format!("O pulls its history from {sources:?}"));
        for k in sources {
            for scope in SCOPES {
                let peer = &self.peers[*k];
                let Some(state) = peer.reader.state(&o.origin, scope) else {
                    continue;
                };
                if peer.reader.forked(&o.origin, scope) {
                    continue;
                }
                let Some(g) = self.sealed.get(&state.head.hash).cloned() else {
                    continue;
                };
                let own = Rc::clone(&o.heads[scope]);
                if (g.opened, g.generation, g.seq) <= (own.opened, own.generation, own.seq) {
                    continue;
                }
                o.heads.insert(scope, Rc::clone(&g));
                for (id, (rev, kind, hash)) in &g.live {
                    if let Some(line) = peer.reader.line(hash) {
                        o.lines.insert(hash.clone(), line.clone());
                    }
                    if o.recs.get(id).is_none_or(|rec| rec.rev < *rev) {
                        let parent = parent_of(&self.sealed, id);
                        let rec = Rec {
                            rev: *rev,
                            scope: Some(scope),
                            erased: false,
                            kind: kind.clone(),
                            parent,
                            dirty: false,
                        };
                        o.recs.insert(id.clone(), rec);
                    }
                }
                for id in own.live.keys().filter(|id| !g.live.contains_key(*id)) {
                    if let Some(rec) = o.recs.get_mut(id).filter(|r| r.scope == Some(scope)) {
                        rec.scope = None;
                    }
                }
                let mut seen: Vec<_> = peer
                    .sent
                    .iter()
                    .filter_map(|h| self.sealed.get(h))
                    .collect();
                seen.retain(|d| d.scope == scope);
                seen.sort_by_key(|d| (d.opened, d.generation, d.seq));
                for change in seen.iter().flat_map(|d| &d.changes) {
                    let Some(rec) = o.recs.get_mut(&change.id) else {
                        continue;
                    };
                    if !change.put && rec.scope == Some(scope) && rec.rev <= change.rev {
                        rec.scope = None;
                    }
                    rec.rev = rec.rev.max(change.rev);
                }
            }
        }
        // What one own feed retracts is taken back from the others too.
        for head in o.heads.values().cloned().collect::<Vec<_>>() {
            for (id, rev) in &head.dead {
                let alive = o
                    .heads
                    .values()
                    .any(|g| g.live.get(id).is_some_and(|live| live.0 > *rev));
                if let Some(rec) = o.recs.get_mut(id).filter(|rec| rec.rev <= *rev && !alive) {
                    rec.scope = None;
                    rec.rev = *rev;
                }
            }
        }
        self.collect_lines(o);
        o.suspect = false;
    }

    pub(super) fn collect_lines(&mut self, o: &mut Owner) {
        for head in o.heads.values().cloned().collect::<Vec<_>>() {
            for (_, _, hash) in head.live.values() {
                for peer in &self.peers {
                    if let Some(line) = peer.reader.line(hash) {
                        o.lines.insert(hash.clone(), line.clone());
                    }
                }
            }
        }
    }
}

/// The parent a comment names in any of its lines.
pub(super) fn parent_of(sealed: &BTreeMap<String, Rc<Sealed>>, id: &str) -> Option<String> {
    let puts = sealed.values().flat_map(|d| &d.changes);
    puts.filter(|c| c.id == id && c.kind == "comment" && c.put)
        .find_map(|c| {
            let at = c.line.find("\"request\":{\"origin\":\"")?;
            let from = at + "\"request\":{\"origin\":\"".len() + 64 + "\",\"id\":\"".len();
            Some(c.line[from..from + 36].to_owned())
        })
}
