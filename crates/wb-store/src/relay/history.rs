//! What a hub holds of one member, for that member alone: every identity entry and every delta of its
//! feeds, also on branches that do not count, so that it can tell what somebody else signed in its name
//! (spec: sync, history).

use std::str::FromStr;

use rusqlite::{Connection, params};
use wb_core::feed::Delta;
use wb_core::id::InstanceId;
use wb_core::ndjson::{lines, put_line};
use wb_core::scope::FeedScope;
use wb_core::sync::{HistorySection, put_section};

use super::file::Relay;
use crate::error::{Result, StoreError};
use crate::feeds::Served;
use crate::instances::instance_no;
use crate::sql::Sql;

/// Where a page goes on: behind a delta that counts, or behind one that was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Feed(i64, u64),
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
            (Ok(log_no), Ok(seq)) => Ok(Self::Feed(log_no, seq)),
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

/// The text that should say where to go on does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a place in this history")]
pub struct BadPlace;

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

impl Relay {
    /// A page of what is held of a member's public feed, its `history` line first.
    ///
    /// # Errors
    /// What the database reports; inside, that `after` is no place.
    pub fn history_page(
        &self,
        member: &InstanceId,
        after: Option<&str>,
        bytes: usize,
    ) -> Result<std::result::Result<Vec<u8>, BadPlace>> {
        let after: Option<Place> = match after.map(str::parse) {
            None => None,
            Some(Ok(place)) => Some(place),
            Some(Err(())) => return Ok(Err(BadPlace)),
        };
        self.at_one_moment(|connection| {
            let mut made = Made {
                body: Vec::new(),
                deltas: 0,
                alone: Vec::new(),
                heads: 0,
                last: None,
                bytes,
            };
            let mut entries = 0;
            if let Some(no) = instance_no(connection, member)? {
                if after.is_none() {
                    entries = put_entries(connection, no, &mut made.body)?;
                }
                let is_done = match after {
                    Some(Place::Held(_)) => true,
                    Some(Place::Feed(log_no, seq)) => {
                        put_feed(connection, no, (log_no, Some(seq)), &mut made)?
                    }
                    None => put_feed(connection, no, (0, None), &mut made)?,
                };
                let held = match after {
                    Some(Place::Held(held)) => held,
                    _ => 0,
                };
                if is_done && put_held(connection, member, held, &mut made)? {
                    made.last = None;
                }
            }
            let next = made.last.map(|place| place.to_string());
            let mut body = Vec::new();
            let section = HistorySection::new(entries, made.deltas, made.heads, next);
            put_section(&mut body, &section);
            body.extend_from_slice(&made.body);
            body.extend_from_slice(&made.alone);
            Ok(Ok(body))
        })
    }
}

/// The entries of the log and of every branch that left it, by number.
fn put_entries(connection: &Connection, no: i64, body: &mut Vec<u8>) -> Result<u64> {
    let sql = "SELECT line FROM identity_entries WHERE instance_no = ?1 ORDER BY branch, n, hash";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([no])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        put_line(body, &row.get::<_, Vec<u8>>(0)?);
        count += 1;
    }
    Ok(count)
}

/// Deltas that were taken, whatever they count for now; whether these were all.
fn put_feed(
    connection: &Connection,
    no: i64,
    (log_no, seq): (i64, Option<u64>),
    made: &mut Made,
) -> Result<bool> {
    let sql = "SELECT h.log_no, h.seq FROM headers h JOIN logs l USING (log_no)
               WHERE l.instance_no = ?1 AND l.scope = ?2 AND h.line IS NOT NULL
                 AND (h.log_no > ?3 OR (h.log_no = ?3 AND h.seq > ?4)) ORDER BY h.log_no, h.seq";
    let served = Served::new(connection);
    let mut statement = connection.prepare_cached(sql)?;
    let seq = seq.map_or(-1, |seq| i64::try_from(seq).unwrap_or(i64::MAX));
    let scope = FeedScope::Public.as_str();
    let mut rows = statement.query(params![no, scope, log_no, seq])?;
    while let Some(row) = rows.next()? {
        if made.is_full() {
            return Ok(false);
        }
        let (log_no, Sql(seq)): (i64, Sql<u64>) = (row.get(0)?, row.get(1)?);
        let header = served.header(log_no, seq)?;
        let items = served.items(&header)?;
        if items.len() as u64 == header.entries {
            made.put(&header.line, &items, Place::Feed(log_no, seq));
        } else {
            // Of one that came by snapshot the entries are not here; that it was signed is told all the same.
            made.put_alone(&header.line, Place::Feed(log_no, seq));
        }
    }
    Ok(true)
}

/// Deltas that contradict what was taken, or came too late; whether these were all.
fn put_held(
    connection: &Connection,
    member: &InstanceId,
    after: i64,
    made: &mut Made,
) -> Result<bool> {
    let sql =
        "SELECT held_no, header, items FROM held WHERE origin = ?1 AND scope = ?2 AND held_no > ?3
                 AND outcome IN ('fork', 'held', 'closed') ORDER BY held_no";
    let mut statement = connection.prepare_cached(sql)?;
    let scope = FeedScope::Public.as_str();
    let mut rows = statement.query(params![Sql(member), scope, after])?;
    while let Some(row) = rows.next()? {
        if made.is_full() {
            return Ok(false);
        }
        let (held_no, header, items): (i64, Vec<u8>, Vec<u8>) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let items: Vec<Vec<u8>> = lines(&items).map(<[u8]>::to_vec).collect();
        let announced = Delta::count_items(&header)
            .map_err(|refusal| StoreError::damaged(format!("a header set aside {refusal}")))?;
        if announced == items.len() {
            made.put(&header, &items, Place::Held(held_no));
        }
    }
    Ok(true)
}
