//! The state of a feed, folded from everything taken.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::bytes::live_digest;
use super::super::delta::{self, Header};
use super::{Feed, Live, State, Taken};

impl Feed {
    /// Folds everything taken from the first on.
    pub(super) fn fold(&mut self) {
        let mut state: Option<State> = None;
        for taken in &self.taken {
            match taken {
                Taken::Snapshot(s) => {
                    let mut live = BTreeMap::new();
                    for item in &s.items {
                        put(&mut live, &item.entry, &s.head);
                    }
                    state = Some(State {
                        first: Rc::clone(&s.first),
                        head: Rc::clone(&s.head),
                        chain: s.chain(),
                        live,
                    });
                }
                Taken::Delta(d) => {
                    let h = &d.header;
                    let mut next = state.take().unwrap_or_else(|| State {
                        first: Rc::clone(h),
                        head: Rc::clone(h),
                        chain: Vec::new(),
                        live: BTreeMap::new(),
                    });
                    if h.seq == 0 {
                        next.first = Rc::clone(h);
                        next.chain.clear();
                    }
                    next.head = Rc::clone(h);
                    next.chain.push(h.hash.clone());
                    for item in &d.items {
                        if item.entry.put {
                            put(&mut next.live, &item.entry, h);
                        } else {
                            next.live.remove(&item.entry.id);
                        }
                    }
                    state = Some(next);
                }
            }
        }
        self.state = state;
    }
}

pub(super) fn put(live: &mut BTreeMap<String, Live>, e: &delta::Entry, by: &Rc<Header>) {
    let record = Live {
        rev: e.rev,
        kind: e.kind.clone(),
        line_hash: e.line_hash.clone(),
        by: Rc::clone(by),
    };
    live.insert(e.id.clone(), record);
}

pub(super) fn digest(live: &BTreeMap<String, Live>) -> String {
    let all: Vec<_> = live
        .iter()
        .map(|(id, l)| (id.clone(), l.rev, l.kind.clone(), l.line_hash.clone()))
        .collect();
    live_digest(&all)
}
