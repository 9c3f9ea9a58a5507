//! What is held of one member, for that member alone: every identity entry and every delta of its feed, also on
//! branches that do not count, so that it can tell what somebody else signed in its name (spec: sync, history).

use std::str::FromStr;

use wb_core::feed::Delta;
use wb_core::id::InstanceId;
use wb_core::ndjson::{lines, put_line};
use wb_core::sync::{HistorySection, put_section};
use wb_hub::PageRefused;

use crate::error::{PgError, Result};
use crate::own::items_of;
use crate::tx::{Columns as _, Tx};

/// Rows that are read at once.
const ROWS: i64 = 64;

/// Where a page goes on: behind a delta that counts, or behind one that was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Feed(i64, i64),
    Held(i64),
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        if let Some(no) = text.strip_prefix("held:") {
            return no.parse().map(Self::Held).map_err(|_| ());
        }
        let (log_no, seq) = text.split_once(':').ok_or(())?;
        match (log_no.parse(), seq.parse()) {
            (Ok(log_no), Ok(seq)) if seq >= 0 => Ok(Self::Feed(log_no, seq)),
            _ => Err(()),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Feed(log_no, seq) => write!(f, "{log_no}:{seq}"),
            Self::Held(no) => write!(f, "held:{no}"),
        }
    }
}

/// A page while it is made.
struct Made {
    body: Vec<u8>,
    deltas: u64,
    /// Headers whose entries are not here, and how many.
    alone: Vec<u8>,
    heads: u64,
    last: Option<Place>,
    bytes: usize,
}

impl Made {
    fn is_full(&self) -> bool {
        self.body.len() + self.alone.len() >= self.bytes && self.last.is_some()
    }

    fn put(&mut self, header: &[u8], items: &[Vec<u8>], place: Place) {
        put_line(&mut self.body, header);
        for item in items {
            put_line(&mut self.body, item);
        }
        self.deltas += 1;
        self.last = Some(place);
    }

    fn put_alone(&mut self, header: &[u8], place: Place) {
        put_line(&mut self.alone, header);
        self.heads += 1;
        self.last = Some(place);
    }
}

/// A page of what is held of a member's public feed, its `history` line first.
pub(crate) fn page(
    tx: &Tx<'_>,
    id: &InstanceId,
    after: Option<&str>,
    bytes: usize,
) -> Result<std::result::Result<Vec<u8>, PageRefused>> {
    let after: Option<Place> = match after.map(str::parse) {
        None => None,
        Some(Ok(place)) => Some(place),
        Some(Err(())) => return Ok(Err(PageRefused::BadToken)),
    };
    let mut made = Made {
        body: Vec::new(),
        deltas: 0,
        alone: Vec::new(),
        heads: 0,
        last: None,
        bytes,
    };
    let mut entries = 0;
    if let Some(row) = tx.row(
        "SELECT instance_no FROM members WHERE id = $1",
        &[&&id.0[..]],
    )? {
        let no: i64 = row.value(0)?;
        if after.is_none() {
            entries = put_entries(tx, no, &mut made.body)?;
        }
        let (is_done, held) = match after {
            Some(Place::Held(held)) => (true, held),
            Some(Place::Feed(log_no, seq)) => (put_feed(tx, no, (log_no, seq), &mut made)?, 0),
            None => (put_feed(tx, no, (0, -1), &mut made)?, 0),
        };
        if is_done && put_held(tx, no, held, &mut made)? {
            made.last = None;
        }
    }
    let next = made.last.map(|place| place.to_string());
    let mut body = Vec::new();
    put_section(
        &mut body,
        &HistorySection::new(entries, made.deltas, made.heads, next),
    );
    body.extend_from_slice(&made.body);
    body.extend_from_slice(&made.alone);
    Ok(Ok(body))
}

/// The entries of the log and of every branch that left it, by number.
fn put_entries(tx: &Tx<'_>, no: i64, body: &mut Vec<u8>) -> Result<u64> {
    let rows = tx.rows(
        "SELECT line FROM identity_entries WHERE instance_no = $1 ORDER BY branch, n, hash",
        &[&no],
    )?;
    for row in &rows {
        put_line(body, row.value(0)?);
    }
    Ok(rows.len() as u64)
}

/// Deltas that were taken, whatever they count for now; whether these were all.
fn put_feed(tx: &Tx<'_>, no: i64, after: (i64, i64), made: &mut Made) -> Result<bool> {
    let (mut log_no, mut seq) = after;
    loop {
        let rows = tx.rows(
            "SELECT log_no, seq, line FROM headers WHERE instance_no = $1 AND line IS NOT NULL
               AND (log_no, seq) > ($2, $3) ORDER BY log_no, seq LIMIT $4",
            &[&no, &log_no, &seq, &ROWS],
        )?;
        if rows.is_empty() {
            return Ok(true);
        }
        for row in &rows {
            if made.is_full() {
                return Ok(false);
            }
            (log_no, seq) = (row.value(0)?, row.value(1)?);
            let (header, items) = (row.value(2)?, items_of(tx, no, log_no, seq)?);
            if items.len() == announced(header)? {
                made.put(header, &items, Place::Feed(log_no, seq));
            } else {
                // Of one that came by snapshot the entries are not here; that it was signed is told all the same.
                made.put_alone(header, Place::Feed(log_no, seq));
            }
        }
    }
}

/// Deltas that contradict what was taken, or came too late; whether these were all.
fn put_held(tx: &Tx<'_>, no: i64, after: i64, made: &mut Made) -> Result<bool> {
    let mut held_no = after;
    loop {
        let rows = tx.rows(
            "SELECT held_no, header, items FROM held WHERE instance_no = $1 AND held_no > $2
               AND outcome IN ('fork', 'held', 'closed') ORDER BY held_no LIMIT $3",
            &[&no, &held_no, &ROWS],
        )?;
        if rows.is_empty() {
            return Ok(true);
        }
        for row in &rows {
            if made.is_full() {
                return Ok(false);
            }
            held_no = row.value(0)?;
            let (header, items): (&[u8], &[u8]) = (row.value(1)?, row.value(2)?);
            let items: Vec<Vec<u8>> = lines(items).map(<[u8]>::to_vec).collect();
            if announced(header)? == items.len() {
                made.put(header, &items, Place::Held(held_no));
            }
        }
    }
}

fn announced(header: &[u8]) -> Result<usize> {
    Delta::count_items(header)
        .map_err(|refusal| PgError::damaged(format!("a stored header {refusal}")))
}
