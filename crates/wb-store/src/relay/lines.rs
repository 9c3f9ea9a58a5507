//! Lines live in a feed, to fill in what a reader did not ask for before, or as a sample (spec: sync,
//! lines).

use std::collections::BTreeSet;

use rusqlite::{Connection, params};
use wb_core::id::{InstanceId, RecordId};
use wb_core::limits::LINES_NEWEST_MAX;
use wb_core::scope::{FeedScope, Kind};
use wb_core::sync::{Page, PageSection, put_section};
use wb_core::time::Timestamp;

use super::as_of::served_feed;
use super::file::Relay;
use crate::error::Result;
use crate::feeds::read_item;
use crate::sql::{Sql, word};

/// Which lines.
#[derive(Debug, Clone, Copy)]
pub struct LinesAsk<'a> {
    /// The instance.
    pub origin: InstanceId,
    /// The feed's scope.
    pub scope: FeedScope,
    /// The last id of the page before; none for the first page.
    pub after: Option<RecordId>,
    /// The kinds wanted; none for all.
    pub kinds: Option<&'a BTreeSet<Kind>>,
    /// That many with the highest ids instead, newest first.
    pub newest: Option<usize>,
    /// This line alone, where it is there.
    pub only: Option<RecordId>,
    /// Bytes after which the page ends.
    pub bytes: usize,
}

/// Nothing of the feed is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such feed is served")]
pub struct NotServed;

impl Relay {
    /// One page of lines, its `page` line last.
    ///
    /// # Errors
    /// What the database reports; inside, that there is no such feed.
    pub fn lines_page(
        &self,
        ask: &LinesAsk<'_>,
        now: Timestamp,
    ) -> Result<std::result::Result<Vec<u8>, NotServed>> {
        self.at_one_moment(|connection| {
            let Some(feed) = served_feed(connection, &ask.origin, ask.scope, now)? else {
                return Ok(Err(NotServed));
            };
            let mut page = Page::new(ask.bytes);
            put_lines(connection, feed.feed_no, ask, &mut page)?;
            // A sample is no page of more.
            let next = page.next().filter(|_| ask.newest.is_none());
            let section = PageSection::new(feed.held.hash, next.map(RecordId::to_string));
            let mut body = page.body;
            put_section(&mut body, &section);
            Ok(Ok(body))
        })
    }
}

fn put_lines(
    connection: &Connection,
    feed_no: i64,
    ask: &LinesAsk<'_>,
    page: &mut Page<RecordId>,
) -> Result<()> {
    let order = if ask.newest.is_some() { "DESC" } else { "ASC" };
    let is = if ask.only.is_some() { "=" } else { ">" };
    let sql = format!(
        "SELECT op, id, rev, kind, line_hash, NULL, reason, line FROM feed_lines
         WHERE feed_no = ?1 AND live = 1 AND id {is} ?2 AND line IS NOT NULL ORDER BY id {order}"
    );
    let mut left = ask
        .newest
        .map_or(usize::MAX, |newest| newest.min(LINES_NEWEST_MAX));
    let after = ask.after.filter(|_| ask.newest.is_none());
    let after = ask.only.or(after);
    let after = after.as_ref().map_or(&[][..], |id| &id.as_bytes()[..]);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![feed_no, after])?;
    while let Some(row) = rows.next()? {
        let is_wanted = match ask.kinds {
            Some(kinds) => kinds.contains(&word::<Kind>(row, 3)?),
            None => true,
        };
        if !is_wanted {
            continue;
        }
        if left == 0 || page.is_full() {
            break;
        }
        left -= 1;
        page.put(&read_item(row)?, row.get::<_, Sql<RecordId>>(1)?.0);
    }
    Ok(())
}
