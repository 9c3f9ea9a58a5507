//! Asking for lines that are missing: each is taken where its entry is live and its hash fits.

use std::collections::BTreeSet;

use wb_core::id::{InstanceId, RecordId};
use wb_core::scope::{FeedScope, Kind};
use wb_core::sync::PageSection;
use wb_net::HubClient;
use wb_store::Write;

use super::apply::Taking;
use super::spool::lines;
use super::{OnProgress, SyncEnd, bad_answer};

/// Whoever can do something in one transaction.
pub(super) trait InOne {
    fn in_one<T>(
        &self,
        work: impl FnOnce(&Write<'_>, &Taking<'_>) -> Result<T, SyncEnd>,
    ) -> Result<T, SyncEnd>;
}

/// Fetches lines of some kinds, page by page, and fills what waits for them. Returns how many were
/// filled.
pub(super) async fn fill<P: InOne>(
    pull: &P,
    hub: &mut HubClient,
    (origin, scope): (InstanceId, FeedScope),
    kinds: &BTreeSet<Kind>,
    progress: OnProgress<'_>,
) -> Result<u64, SyncEnd> {
    let (mut after, mut filled): (Option<RecordId>, u64) = (None, 0);
    loop {
        let body = match hub.lines(origin, scope, after, Some(kinds)).await {
            Ok(body) => body,
            // Another hub may have it.
            Err(error) if error.refusal() == Some(wb_core::sync::Cause::NotFound) => {
                return Ok(filled);
            }
            Err(error) => return Err(error.into()),
        };
        let mut all: Vec<&[u8]> = lines(&body).collect();
        let last = all
            .pop()
            .ok_or_else(|| bad_answer("a page without an end"))?;
        let section = PageSection::read(last).map_err(|rule| bad_answer(rule.as_str()))?;
        filled += pull.in_one(|write, taking| {
            let ingest = write.ingest(taking.now);
            let mut count = 0;
            for line in &all {
                // A line that nobody waits for, or that contradicts its entry, is left out by itself.
                count += u64::from(ingest.fill(line)?.unwrap_or(false));
            }
            Ok(count)
        })?;
        progress(filled, filled);
        let next = section.next.as_deref().map(str::parse).transpose();
        let next = next.map_err(|_| bad_answer("a page that does not say where to go on"))?;
        match next {
            Some(next) if after.is_none_or(|after| after < next) => after = Some(next),
            Some(_) => return Err(bad_answer("a page of lines that does not go on")),
            None => return Ok(filled),
        }
    }
}
