//! Lines live in a feed, to fill in what a reader did not ask for before, or as a sample (spec: sync, lines).

use wb_core::id::RecordId;
use wb_core::limits::LINES_NEWEST_MAX;
use wb_core::scope::Kind;
use wb_core::sync::{Page, PageSection, put_section};
use wb_core::time::Timestamp;
use wb_hub::{LinesPage, PageRefused};

use crate::error::Result;
use crate::heads::FeedAtHead;
use crate::items;
use crate::tx::{Columns as _, Tx};

/// Rows that are read at once.
const ROWS: i64 = 2_000;

/// One page of lines, its `page` line last.
pub(crate) fn page(
    tx: &Tx<'_>,
    ask: &LinesPage,
    bytes: usize,
    now: Timestamp,
) -> Result<std::result::Result<Vec<u8>, PageRefused>> {
    let Some(feed) = FeedAtHead::served(tx, &ask.origin, ask.scope, now)? else {
        return Ok(Err(PageRefused::NotFound));
    };
    let mut page = Page::new(bytes);
    put_lines(tx, feed.no, ask, bytes, &mut page)?;
    // A sample is no page of more.
    let next = page.next().filter(|_| ask.newest.is_none());
    let section = PageSection::new(feed.held.hash, next.map(RecordId::to_string));
    let mut body = page.body;
    put_section(&mut body, &section);
    Ok(Ok(body))
}

/// Rows of the kinds wanted after a place, or before it where the newest come first; not many more bytes than
/// wanted.
fn select(is_newest: bool, is_one: bool) -> String {
    let (order, is) = match (is_newest, is_one) {
        (true, _) => ("DESC", "<"),
        (false, true) => ("ASC", "="),
        (false, false) => ("ASC", ">"),
    };
    format!(
        "SELECT put, id, rev, kind, line_hash, NULL::bytea, reason, line FROM (
           SELECT l.*, sum(length(l.line)) OVER (ORDER BY l.id {order}) - length(l.line) AS before FROM (
             SELECT * FROM lines WHERE instance_no = $1 AND live = 1 AND line IS NOT NULL
               AND ($2::bytea IS NULL OR id {is} $2) AND ($3::text[] IS NULL OR kind = ANY ($3))
             ORDER BY id {order} LIMIT $4) l) m
         WHERE before < $5 ORDER BY id {order}"
    )
}

fn put_lines(
    tx: &Tx<'_>,
    no: i64,
    ask: &LinesPage,
    bytes: usize,
    page: &mut Page<RecordId>,
) -> Result<()> {
    let is_newest = ask.newest.is_some() && ask.only.is_none();
    let sql = select(is_newest, ask.only.is_some());
    let kinds = ask
        .kinds
        .as_ref()
        .map(|kinds| kinds.iter().map(Kind::as_str).collect::<Vec<_>>());
    let mut left = ask
        .newest
        .map_or(usize::MAX, |newest| newest.min(LINES_NEWEST_MAX));
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    let mut at = ask.only.or(ask.after.filter(|_| ask.newest.is_none()));
    loop {
        let from = at.as_ref().map(|id| &id.as_bytes()[..]);
        let rows = tx.rows(&sql, &[&no, &from, &kinds, &ROWS, &bytes])?;
        for row in &rows {
            if left == 0 || page.is_full() {
                return Ok(());
            }
            left -= 1;
            let id = row.record(1)?;
            page.put(&items::item(row)?, id);
            at = Some(id);
        }
        if rows.is_empty() || ask.only.is_some() {
            return Ok(());
        }
    }
}
