//! Asking for lines that are missing, a page at a time.

use std::collections::BTreeSet;

use wb_core::id::{InstanceId, RecordId};
use wb_core::ndjson::lines;
use wb_core::scope::{FeedScope, Kind};
use wb_core::sync::{Cause, PageSection};

use super::source::Source;
use super::{SyncEnd, bad_answer};

/// A page of lines.
pub(super) struct LinesPage {
    body: Vec<u8>,
    /// From where to ask on; none when this was all.
    pub next: Option<RecordId>,
}

impl LinesPage {
    /// Its lines, without the one that ends the page.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        lines(&self.body).filter(|line| !line.starts_with(PageSection::START))
    }
}

/// Fetches a page; none where the hub does not have the feed: another may.
pub(super) async fn lines_page(
    source: &mut Source<'_>,
    (origin, scope): (InstanceId, FeedScope),
    after: Option<RecordId>,
    kinds: Option<&BTreeSet<Kind>>,
) -> Result<Option<LinesPage>, SyncEnd> {
    let body = match source.lines(origin, scope, after, kinds).await {
        Ok(body) => body,
        Err(error) if error.refusal() == Some(Cause::NotFound) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let (mut count, mut last) = (0, None);
    for line in lines(&body) {
        count += 1;
        last = Some(line);
    }
    let last = last.ok_or_else(|| bad_answer("a page without an end"))?;
    let section = PageSection::read(last).map_err(|rule| bad_answer(rule.as_str()))?;
    let next: Option<RecordId> = section
        .next
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|_| bad_answer("a page that does not say where to go on"))?;
    // Each page brings something and goes on in the order of ids, so there is an end.
    let goes_on = next.is_none_or(|next| count > 1 && after.is_none_or(|after| after < next));
    if !goes_on {
        return Err(bad_answer("a page of lines that does not go on"));
    }
    Ok(Some(LinesPage { body, next }))
}
