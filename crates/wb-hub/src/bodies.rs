//! Pages of snapshots as they travel, kept in memory for those who ask the same.
//!
//! Making a page reads a thousand rows and packs megabytes; whoever joins asks for the same pages as whoever joined before. A
//! page is kept with the stamp of what it was made from, which the store gives anew with each request: where that is
//! another, the page is not served and goes. Whatever an origin gives lets go of all of its pages at once, so that
//! words that it takes back are not in memory either; what another process writes lets go of all pages within a second, and no
//! page is kept for long in any case.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use wb_core::id::{Hash, InstanceId};
use wb_core::scope::{FeedScope, Kind};
use wb_core::time::Timestamp;
use wb_net::signed::Packed;

use crate::store::SnapshotAsk;

/// Bytes of all pages that are kept; protects the memory of a hub. Some forty pages of the largest size, packed.
const BODIES_BYTES_MAX: usize = 33_554_432;
/// Pages that are kept, however small; each of them is looked at with each request.
const PAGES_MAX: usize = 1_000;
/// How long a page is kept without having been made anew.
const BODY_KEPT_MS: i64 = 5 * 60 * 1_000;

/// Which page of which feed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Page {
    origin: InstanceId,
    scope: FeedScope,
    head: Option<Hash>,
    after: Option<String>,
    kinds: Option<BTreeSet<Kind>>,
}

impl Page {
    fn of(ask: &SnapshotAsk) -> Self {
        Self {
            origin: ask.origin,
            scope: ask.scope,
            head: ask.head,
            after: ask.after.clone(),
            kinds: ask.kinds.clone(),
        }
    }
}

struct Kept {
    stamp: String,
    body: Packed,
    made: Timestamp,
}

/// The pages that are kept.
#[derive(Default)]
pub(crate) struct Bodies(Mutex<BTreeMap<Page, Kept>>);

impl Bodies {
    /// A page that was made from what is there still.
    pub fn get(&self, ask: &SnapshotAsk, stamp: &str, now: Timestamp) -> Option<Packed> {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages.retain(|page, kept| {
            let age = now.unix_ms() - kept.made.unix_ms();
            let is_of_it = (page.origin, page.scope) == (ask.origin, ask.scope);
            (0..BODY_KEPT_MS).contains(&age) && (!is_of_it || kept.stamp == stamp)
        });
        pages.get(&Page::of(ask)).map(|kept| kept.body.clone())
    }

    /// Keeps a page; the ones that were made first make room.
    pub fn put(&self, ask: &SnapshotAsk, stamp: String, body: Packed, now: Timestamp) {
        if body.size() > BODIES_BYTES_MAX {
            return;
        }
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let made = now;
        pages.insert(Page::of(ask), Kept { stamp, body, made });
        let is_over = |pages: &BTreeMap<Page, Kept>| {
            let bytes: usize = pages.values().map(|kept| kept.body.size()).sum();
            bytes > BODIES_BYTES_MAX || pages.len() > PAGES_MAX
        };
        while is_over(&pages) {
            let oldest = pages.iter().min_by_key(|(_, kept)| kept.made);
            let Some(oldest) = oldest.map(|(page, _)| page.clone()) else {
                return;
            };
            pages.remove(&oldest);
        }
    }

    /// Lets go of every page.
    pub fn forget_all(&self) {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages.clear();
    }

    /// Lets go of every page of an origin.
    pub fn forget(&self, origin: &InstanceId) {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages.retain(|page, _| page.origin != *origin);
    }
}

#[cfg(test)]
mod tests {
    use wb_core::id::InstanceId;
    use wb_core::scope::FeedScope;
    use wb_core::time::Timestamp;
    use wb_net::signed::Packed;

    use super::{BODIES_BYTES_MAX, BODY_KEPT_MS, Bodies};
    use crate::store::SnapshotAsk;

    fn ask(origin: u8, after: usize) -> SnapshotAsk {
        SnapshotAsk {
            origin: InstanceId([origin; 32]),
            scope: FeedScope::Public,
            head: None,
            after: Some(after.to_string()),
            kinds: None,
        }
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(1_790_000_000_000 + ms).expect("a time")
    }

    /// A body that does not get much smaller.
    fn body(bytes: u32) -> Packed {
        let mut state = 7_u32;
        let noise = (0..bytes).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b"0123456789abcdef"[(state >> 28) as usize]
        });
        Packed::of(&noise.collect::<Vec<u8>>()).expect("half of it goes")
    }

    #[test]
    fn a_page_is_served_while_what_it_was_made_from_is_there() {
        let bodies = Bodies::default();
        bodies.put(&ask(1, 0), "one".to_owned(), body(4_096), at(0));
        assert!(bodies.get(&ask(1, 0), "one", at(1)).is_some());
        assert!(bodies.get(&ask(1, 1), "one", at(1)).is_none());
        assert!(bodies.get(&ask(2, 0), "one", at(1)).is_none());
        // Another stamp lets go of it for good.
        assert!(bodies.get(&ask(1, 0), "two", at(1)).is_none());
        assert!(bodies.get(&ask(1, 0), "one", at(1)).is_none());
    }

    #[test]
    fn a_page_is_not_kept_for_long_and_goes_with_what_its_origin_gives() {
        let bodies = Bodies::default();
        bodies.put(&ask(1, 0), "one".to_owned(), body(4_096), at(0));
        bodies.put(&ask(2, 0), "one".to_owned(), body(4_096), at(0));
        bodies.forget(&InstanceId([1; 32]));
        assert!(bodies.get(&ask(1, 0), "one", at(1)).is_none());
        assert!(
            bodies
                .get(&ask(2, 0), "one", at(BODY_KEPT_MS - 1))
                .is_some()
        );
        assert!(bodies.get(&ask(2, 0), "one", at(BODY_KEPT_MS)).is_none());
    }

    #[test]
    fn what_is_kept_is_bounded_and_the_first_makes_room() {
        let bodies = Bodies::default();
        let large = body(8_000_000);
        let most = BODIES_BYTES_MAX / large.size();
        for page in 0..=most {
            let made = at(i64::try_from(page).expect("few"));
            bodies.put(&ask(1, page), "one".to_owned(), large.clone(), made);
        }
        assert!(bodies.get(&ask(1, 0), "one", at(100)).is_none());
        for page in 1..=most {
            assert!(
                bodies.get(&ask(1, page), "one", at(100)).is_some(),
                "{page}"
            );
        }
    }
}
