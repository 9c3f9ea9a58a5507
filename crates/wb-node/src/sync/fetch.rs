//! Fetching a snapshot page by page, before anything of it is taken.

use std::collections::BTreeSet;

use wb_core::id::{Hash, InstanceId};
use wb_core::ndjson::{lines, split_first};
use wb_core::scope::{FeedScope, Kind};
use wb_core::sync::{Cause, PageSection, SnapshotPlace};
use wb_net::SnapshotPage;

use super::source::Source;
use super::spool::Spool;
use super::{SyncEnd, bad_answer};
use crate::node::Node;

/// Why no snapshot was fetched.
pub(super) enum Fetch {
    /// The pages of its head are gone: it can be begun anew.
    Gone,
    /// The hub has no such feed for us.
    NotFound,
    /// Anything else.
    End(SyncEnd),
}

impl<E: Into<SyncEnd>> From<E> for Fetch {
    fn from(error: E) -> Self {
        Self::End(error.into())
    }
}

/// The pages of a snapshot, in their order.
pub(super) struct Pages<'k> {
    feed: (InstanceId, FeedScope),
    kinds: Option<&'k BTreeSet<Kind>>,
    head: Option<Hash>,
    next: Option<(SnapshotPlace, String)>,
    is_whole: bool,
    items: u64,
}

impl<'k> Pages<'k> {
    pub fn new(feed: (InstanceId, FeedScope), kinds: Option<&'k BTreeSet<Kind>>) -> Self {
        Self {
            feed,
            kinds,
            head: None,
            next: None,
            is_whole: false,
            items: 0,
        }
    }

    /// Whether there is another.
    pub fn goes_on(&self) -> bool {
        !self.is_whole
    }

    /// How many lines came so far.
    pub fn items(&self) -> u64 {
        self.items
    }

    /// Fetches the next one: its lines.
    pub async fn next(&mut self, source: &mut Source<'_>) -> Result<Vec<u8>, Fetch> {
        let page = SnapshotPage {
            head: self.head,
            after: self.next.as_ref().map(|(_, token)| token.as_str()),
            kinds: self.kinds,
        };
        let (origin, scope) = self.feed;
        let mut body = match source.snapshot(origin, scope, &page).await {
            Ok(body) => body,
            Err(error) => {
                return Err(match error.refusal() {
                    Some(Cause::HeadGone) => Fetch::Gone,
                    Some(Cause::NotFound) => Fetch::NotFound,
                    _ => error.into(),
                });
            }
        };
        let (first, rest) = split_first(&body);
        let section = PageSection::read(first).map_err(|rule| bad_answer(rule.as_str()))?;
        if self.head.is_some_and(|head| head != section.head) {
            return Err(Fetch::Gone);
        }
        self.head = Some(section.head);
        self.items += lines(rest).count() as u64;
        // The order is that of a snapshot, so pages that go on in it come to an end.
        self.next = match section.next {
            None => None,
            Some(token) => {
                let place = token.parse::<SnapshotPlace>().ok().filter(|place| {
                    let goes_on = self.next.as_ref().is_none_or(|(before, _)| before < place);
                    goes_on && !rest.is_empty()
                });
                let does_not = || bad_answer("a page of a snapshot that does not go on");
                Some((place.ok_or_else(does_not)?, token))
            }
        };
        self.is_whole = self.next.is_none();
        let first = body.len() - rest.len();
        body.drain(..first);
        Ok(body)
    }

    /// Fetches those that are left into a spool; `progress` is told how many lines there are.
    pub async fn rest(
        &mut self,
        source: &mut Source<'_>,
        spool: &mut Spool,
        mut progress: impl FnMut(u64),
    ) -> Result<(), Fetch> {
        while self.goes_on() {
            spool.put(&self.next(source).await?)?;
            progress(self.items);
        }
        Ok(())
    }
}

/// Fetches all pages of a snapshot; `progress` is told how many lines there are.
pub(super) async fn fetch(
    source: &mut Source<'_>,
    node: &Node,
    feed: (InstanceId, FeedScope),
    kinds: Option<&BTreeSet<Kind>>,
    progress: impl FnMut(u64),
) -> Result<Spool, Fetch> {
    let mut spool = Spool::new(node.store.home().dir())?;
    let mut pages = Pages::new(feed, kinds);
    pages.rest(source, &mut spool, progress).await?;
    Ok(spool)
}
