//! A member's own feed, given back to it (spec: sync, own): who lost its folder takes its history from here.

use wb_core::bundle::Writer;
use wb_core::feed::{Delta, Header};
use wb_core::id::InstanceId;
use wb_core::ndjson::put_line;
use wb_core::scope::FeedScope;
use wb_core::want::Held;
use wb_hub::PageRefused;

use crate::changes::put_identity;
use crate::error::{PgError, Result};
use crate::heads::FeedAtHead;
use crate::tx::{Columns as _, Tx, int};
use crate::{identity, items};

/// Headers that are read at once.
const ROWS: i64 = 256;

/// The identity log of a member and the deltas of its own feed after a head, or all of the log. A page ends after
/// `bytes`; one without deltas is the last.
pub(crate) fn page(
    tx: &Tx<'_>,
    id: &InstanceId,
    scope: FeedScope,
    after: Option<&Held>,
    bytes: usize,
) -> Result<std::result::Result<Vec<u8>, PageRefused>> {
    let Some(log) = identity::load(tx, id)? else {
        return Ok(Err(PageRefused::NotFound));
    };
    let mut body = Vec::new();
    put_identity(&mut body, &log);
    let feed = FeedAtHead::load(tx, id)?;
    let Some(feed) = feed.filter(|_| scope == FeedScope::Public) else {
        return Ok(Ok(body));
    };
    if feed.void {
        return Ok(Err(PageRefused::NotFound));
    }
    let first = match after {
        None => Some(0),
        Some(after) => first_after(tx, &feed, after)?,
    };
    let Some(first) = first.filter(|first| leads_on(tx, &feed, *first).unwrap_or(false)) else {
        return Ok(Err(PageRefused::HeadGone));
    };
    let (mut lines, mut deltas, mut count) = (Vec::new(), 0, 0);
    let mut from = int(first);
    'all: loop {
        let headers = tx.rows(
            "SELECT seq, line FROM headers WHERE instance_no = $1 AND log_no = $2 AND seq >= $3 AND line IS NOT NULL
             ORDER BY seq LIMIT $4",
            &[&feed.no, &feed.log_no, &from, &ROWS],
        )?;
        if headers.is_empty() {
            break;
        }
        for header in headers {
            if lines.len() > bytes {
                break 'all;
            }
            let seq: i64 = header.value(0)?;
            put_line(&mut lines, header.value(1)?);
            for item in items_for_origin(tx, feed.no, feed.log_no, seq)? {
                put_line(&mut lines, &item);
                count += 1;
            }
            deltas += 1;
            from = seq + 1;
        }
    }
    if deltas > 0 {
        put_line(&mut body, &Writer::deltas(*id, scope, deltas, count));
        body.append(&mut lines);
    }
    Ok(Ok(body))
}

/// The items of a delta: lines that are still live, entries for the rest.
pub(crate) fn items_of(tx: &Tx<'_>, no: i64, log_no: i64, seq: i64) -> Result<Vec<Vec<u8>>> {
    let sql = format!(
        "SELECT {} FROM lines l WHERE l.instance_no = $1 AND l.log_no = $2 AND l.seq = $3 AND l.idx IS NOT NULL
         ORDER BY l.idx",
        items::COLUMNS
    );
    let rows = tx.rows(&sql, &[&no, &log_no, &seq])?;
    rows.iter().map(items::item).collect()
}

/// The same as its origin gets it back: what is withheld from others is in it.
fn items_for_origin(tx: &Tx<'_>, no: i64, log_no: i64, seq: i64) -> Result<Vec<Vec<u8>>> {
    let sql = format!(
        "SELECT {} FROM lines l WHERE l.instance_no = $1 AND l.log_no = $2 AND l.seq = $3 AND l.idx IS NOT NULL
         ORDER BY l.idx",
        items::FOR_ORIGIN
    );
    let rows = tx.rows(&sql, &[&no, &log_no, &seq])?;
    rows.iter().map(items::item).collect()
}

/// The number of the first header after a head that a reader holds; none where only a snapshot leads on.
fn first_after(tx: &Tx<'_>, feed: &FeedAtHead, held: &Held) -> Result<Option<u64>> {
    let rows = tx.rows(
        "SELECT h.seq, h.hash, g.first FROM headers h JOIN logs g USING (instance_no, log_no)
         WHERE h.instance_no = $1 AND h.log_no = $2 AND h.seq IN (0, $3)",
        &[&feed.no, &feed.log_no, &int(held.seq)],
    )?;
    for row in &rows {
        let first: Option<&[u8]> = row.value(2)?;
        let first = first.map(Header::read).transpose();
        let first =
            first.map_err(|rule| PgError::damaged(format!("a first header breaks {rule}")))?;
        let follows = first.and_then(|(first, _)| first.follows);
        let is_followed = follows.is_some_and(|follows| {
            (follows.log, follows.seq, follows.hash) == (held.log, held.seq, held.hash)
        });
        if is_followed {
            // The log held goes on from there.
            return Ok(Some(0));
        }
        if held.log == feed.held.log && row.number(0)? == held.seq && row.hash(1)? == held.hash {
            return Ok(Some(held.seq + 1));
        }
    }
    Ok(None)
}

/// Whether every delta from a number on is here, with all of its entries.
fn leads_on(tx: &Tx<'_>, feed: &FeedAtHead, first: u64) -> Result<bool> {
    let rows = tx.rows(
        "SELECT h.line, count(l.line_no) FROM headers h
         LEFT JOIN lines l ON l.instance_no = h.instance_no AND l.log_no = h.log_no AND l.seq = h.seq AND l.idx IS NOT NULL
         WHERE h.instance_no = $1 AND h.log_no = $2 AND h.seq >= $3 GROUP BY h.seq, h.line ORDER BY h.seq",
        &[&feed.no, &feed.log_no, &int(first)],
    )?;
    for row in &rows {
        let Some(line) = row.value::<Option<&[u8]>>(0)? else {
            return Ok(false);
        };
        // A head that came by snapshot has its header here and not its entries.
        let announced = Delta::count_items(line)
            .map_err(|refusal| PgError::damaged(format!("a stored header {refusal}")))?;
        if announced as u64 != row.number(1)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The signed head of a member's public feed.
pub(crate) fn head(tx: &Tx<'_>, id: &InstanceId) -> Result<Option<Vec<u8>>> {
    let row = tx.row(
        "SELECT h.line FROM members m JOIN feeds f USING (instance_no)
         JOIN headers h ON h.instance_no = f.instance_no AND h.log_no = f.log_no AND h.seq = f.seq
         WHERE m.id = $1",
        &[&&id.0[..]],
    )?;
    row.map_or(Ok(None), |row| row.value(0))
}
