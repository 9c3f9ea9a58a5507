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

/// Fetches all pages of a snapshot; `progress` is told how many lines there are.
pub(super) async fn fetch(
    source: &mut Source<'_>,
    node: &Node,
    (origin, scope): (InstanceId, FeedScope),
    kinds: Option<&BTreeSet<Kind>>,
    mut progress: impl FnMut(u64),
) -> Result<Spool, Fetch> {
    let mut spool = Spool::new(node.store.home().dir())?;
    // The order is that of a snapshot, so pages that go on in it come to an end.
    let (mut head, mut next): (Option<Hash>, Option<(SnapshotPlace, String)>) = (None, None);
    let mut items = 0;
    loop {
        let page = SnapshotPage {
            head,
            after: next.as_ref().map(|(_, token)| token.as_str()),
            kinds,
        };
        let body = match source.snapshot(origin, scope, &page).await {
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
        if head.is_some_and(|head| head != section.head) {
            return Err(Fetch::Gone);
        }
        head = Some(section.head);
        spool.put(rest)?;
        items += lines(rest).count() as u64;
        progress(items);
        let Some(token) = section.next else {
            return Ok(spool);
        };
        let place = token.parse::<SnapshotPlace>().ok().filter(|place| {
            let goes_on = next.as_ref().is_none_or(|(before, _)| before < place);
            goes_on && !rest.is_empty()
        });
        let place = place.ok_or_else(|| bad_answer("a page of a snapshot that does not go on"))?;
        next = Some((place, token));
    }
}
