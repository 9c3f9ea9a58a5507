//! What arrived after a cursor, of the feeds that a member follows (spec: sync, changes).
//!
//! Costs what arrived after the cursor, and not what is held.

use std::collections::BTreeSet;

use rusqlite::{Connection, Row, Rows, params};
use wb_core::bundle::Writer;
use wb_core::id::{Hash, InstanceId, LogId};
use wb_core::limits::PAGE_BYTES_TARGET;
use wb_core::ndjson::put_line;
use wb_core::scope::FeedScope;
use wb_core::sync::{AgainSection, Arrival, ChangesSection, Cursor, FollowList, put_section};
use wb_core::time::Timestamp;
use wb_core::want::Held;

use super::arrival::{Place, kind_of};
use super::file::Relay;
use super::follow;
use super::heads::own_heads;
use super::member::{IS_IN_DIRECTORY, IS_SERVED};
use super::receipts;
use super::void::Voids;
use crate::error::{Result, StoreError};
use crate::feeds::{Served, StoredHeader};
use crate::sql::{Sql, word};

/// Arrivals on one page; bounds the sections that a reader has to keep count of.
const PAGE_ARRIVALS_MAX: u64 = 1_000;

/// Where a page of changes ends.
#[derive(Debug, Clone, Copy)]
pub struct PageLimits {
    /// Bytes after which it ends.
    pub bytes: usize,
    /// Arrivals after which it ends.
    pub arrivals: u64,
}

impl Default for PageLimits {
    fn default() -> Self {
        Self {
            bytes: PAGE_BYTES_TARGET,
            arrivals: PAGE_ARRIVALS_MAX,
        }
    }
}

/// A page of changes.
#[derive(Debug, Clone)]
pub struct Changes {
    /// Its first line.
    pub section: ChangesSection,
    /// The lines after it, each with its LF.
    pub body: Vec<u8>,
    /// The number of the newest arrival when it was made: what to wait beyond when nothing came.
    pub newest_n: u64,
    /// Whom the member follows.
    pub follows: FollowList,
}

/// Why there are no changes after a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CursorRefused {
    /// It is not of what arrived here.
    #[error("the cursor is not one of this hub's")]
    Unknown,
    /// The deltas after it are not kept any more.
    #[error("the deltas after the cursor are not kept any more")]
    TooOld,
}

/// One arrival of a feed or log that is served.
struct ArrivalRow {
    place: Place,
    kind: Arrival,
    origin: InstanceId,
    /// Whether it is in the directory, and was when this arrived.
    is_in_directory: bool,
    /// Whether it is the hub's own: that goes to every member.
    is_hub: bool,
    feed: Option<(FeedScope, i64, u64)>,
    hash: Hash,
}

/// Arrivals after a number, of whoever is served now.
fn select() -> String {
    format!(
        "SELECT a.n, a.running, a.kind, m.id, {IS_IN_DIRECTORY} AND a.n > m.listed_from, a.scope, a.log_no, a.seq, a.hash, m.is_hub
         FROM arrivals a CROSS JOIN members m USING (instance_no)
         WHERE a.n > ?2 AND {IS_SERVED} ORDER BY a.n"
    )
}

fn read(row: &Row<'_>) -> rusqlite::Result<ArrivalRow> {
    let log_no: Option<i64> = row.get(6)?;
    Ok(ArrivalRow {
        place: Place {
            n: row.get::<_, Sql<u64>>(0)?.0,
            running: row.get::<_, Sql<Hash>>(1)?.0,
        },
        kind: kind_of(row.get_ref(2)?.as_str()?),
        origin: row.get::<_, Sql<InstanceId>>(3)?.0,
        is_in_directory: row.get(4)?,
        is_hub: row.get(9)?,
        feed: match log_no {
            Some(log_no) => Some((word(row, 5)?, log_no, row.get::<_, Sql<u64>>(7)?.0)),
            None => None,
        },
        hash: row.get::<_, Sql<Hash>>(8)?.0,
    })
}

/// The next arrival that the member follows.
fn next_followed(
    rows: &mut Rows<'_>,
    member: &InstanceId,
    list: &FollowList,
) -> Result<Option<ArrivalRow>> {
    while let Some(row) = rows.next()? {
        let row = read(row)?;
        if row.origin != *member && (row.is_hub || list.follows(&row.origin, row.is_in_directory)) {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

/// The lines of a page while it is made; deltas of one feed that follow each other are one section.
struct Lines<'c> {
    served: Served<'c>,
    voids: Voids<'c>,
    body: Vec<u8>,
    section: Option<Deltas>,
    told: BTreeSet<InstanceId>,
    deltas: u64,
    items: u64,
}

/// A `deltas` section while it grows.
struct Deltas {
    feed: (InstanceId, FeedScope),
    lines: Vec<u8>,
    deltas: u64,
    items: u64,
}

impl<'c> Lines<'c> {
    fn new(connection: &'c Connection) -> Self {
        Self {
            served: Served::new(connection),
            voids: Voids::new(connection),
            body: Vec::new(),
            section: None,
            told: BTreeSet::new(),
            deltas: 0,
            items: 0,
        }
    }

    fn bytes(&self) -> usize {
        self.body.len() + self.section.as_ref().map_or(0, |open| open.lines.len())
    }

    fn push(&mut self, row: &ArrivalRow) -> Result<()> {
        if let Some((_, log_no, seq)) = row.feed
            && self.voids.is_void(&row.origin, log_no, seq)?
        {
            return Ok(());
        }
        match (row.kind, row.feed) {
            (Arrival::Delta, Some((scope, log_no, seq))) => {
                // Who followed before there was a feed may have been away when the log arrived.
                if seq == 0 {
                    self.end_section();
                    self.identity(&row.origin)?;
                }
                self.delta((row.origin, scope), log_no, seq)
            }
            (Arrival::Again, Some((scope, log_no, seq))) => {
                self.end_section();
                let head = self.again(row, scope, log_no, seq)?;
                put_section(&mut self.body, &AgainSection::new(head));
                Ok(())
            }
            (Arrival::Identity, _) => {
                self.end_section();
                self.identity(&row.origin)
            }
            (_, None) => Err(StoreError::damaged("an arrival that names no feed")),
        }
    }

    /// A log as it is held now. Once a page is enough.
    fn identity(&mut self, origin: &InstanceId) -> Result<()> {
        if !self.told.insert(*origin) {
            return Ok(());
        }
        put_identity(&mut self.body, self.served, origin)
    }

    fn again(&self, row: &ArrivalRow, scope: FeedScope, log_no: i64, seq: u64) -> Result<Held> {
        let (log, generation) = self.served.log(log_no)?;
        Ok(Held {
            origin: row.origin,
            scope,
            log,
            generation,
            seq,
            hash: row.hash,
        })
    }

    fn delta(&mut self, feed: (InstanceId, FeedScope), log_no: i64, seq: u64) -> Result<()> {
        if self.section.as_ref().is_some_and(|open| open.feed != feed) {
            self.end_section();
        }
        // Who compared heads before there was this feed has passed over its origin's identity log.
        if seq == 0 {
            self.end_section();
            self.identity(&feed.0)?;
        }
        let header: StoredHeader = self.served.header(log_no, seq)?;
        let items = self.served.items(&header)?;
        let open = self.section.get_or_insert_with(|| Deltas {
            feed,
            lines: Vec::new(),
            deltas: 0,
            items: 0,
        });
        put_line(&mut open.lines, &header.line);
        for item in &items {
            put_line(&mut open.lines, item);
        }
        open.deltas += 1;
        open.items += header.entries;
        Ok(())
    }

    fn end_section(&mut self) {
        let Some(open) = self.section.take() else {
            return;
        };
        let (origin, scope) = open.feed;
        let section = Writer::deltas(origin, scope, open.deltas, open.items);
        put_line(&mut self.body, &section);
        self.body.extend_from_slice(&open.lines);
        self.deltas += open.deltas;
        self.items += open.items;
    }
}

/// An identity section.
pub(super) fn put_identity(
    body: &mut Vec<u8>,
    served: Served<'_>,
    origin: &InstanceId,
) -> Result<()> {
    let log = served
        .identity_log(origin)?
        .ok_or_else(|| StoreError::damaged("a member without an identity log"))?;
    put_line(body, &Writer::identity(*origin, log.entries().len() as u64));
    for entry in log.entries() {
        put_line(body, &entry.line);
    }
    Ok(())
}

/// Whether a cursor is one of this hub's and the deltas after it are kept.
fn check(
    connection: &Connection,
    log: LogId,
    since: &Cursor,
    last: Place,
) -> Result<std::result::Result<(), CursorRefused>> {
    if since.log != log || since.n > last.n {
        return Ok(Err(CursorRefused::Unknown));
    }
    if since.n < Place::floor(connection)?.n {
        return Ok(Err(CursorRefused::TooOld));
    }
    let place = Place::at(connection, since.n)?
        .ok_or_else(|| StoreError::damaged("the arrivals have a gap"))?;
    Ok(if since.agrees(&place.running) {
        Ok(())
    } else {
        Err(CursorRefused::Unknown)
    })
}

impl Relay {
    /// What arrived after a cursor of the feeds that a member follows, its own left out.
    ///
    /// # Errors
    /// What the database reports; inside, what is wrong with the cursor.
    pub fn changes(
        &self,
        member: &InstanceId,
        since: &Cursor,
        limits: PageLimits,
        now: Timestamp,
    ) -> Result<std::result::Result<Changes, CursorRefused>> {
        self.at_one_moment(|connection| {
            let last = Place::last(connection)?;
            if let Err(refused) = check(connection, self.log(), since, last)? {
                return Ok(Err(refused));
            }
            let list = follow::load(connection, member)?;
            let mut statement = connection.prepare_cached(&select())?;
            let mut rows = statement.query(params![Sql(now), Sql(since.n)])?;
            let (mut lines, mut arrivals) = (Lines::new(connection), 0);
            let (mut at, mut more) = (None, false);
            while let Some(row) = next_followed(&mut rows, member, &list)? {
                if at.is_some() && (lines.bytes() >= limits.bytes || arrivals >= limits.arrivals) {
                    more = true;
                    break;
                }
                lines.push(&row)?;
                arrivals += 1;
                at = Some(row.place);
            }
            lines.end_section();
            let at = at.filter(|_| more).unwrap_or(last);
            let mut section = ChangesSection::new(
                at.cursor(self.log()),
                more,
                (lines.deltas, lines.items),
                follow::named(&list),
                own_heads(connection, member)?,
            )
            .with_receipts(receipts::newest(connection, member)?);
            section.envelopes = super::envelopes::waiting(connection, member, now)?;
            section.letters = super::mail::waiting(connection, member, now)?;
            Ok(Ok(Changes {
                section,
                body: lines.body,
                newest_n: last.n,
                follows: list,
            }))
        })
    }

    /// How many arrivals of feeds that a member follows came after the one it last said to have.
    ///
    /// # Errors
    /// What the database reports.
    pub fn pending(&self, member: &InstanceId, now: Timestamp) -> Result<u64> {
        self.at_one_moment(|connection| pending(connection, member, now))
    }
}

pub(super) fn pending(connection: &Connection, member: &InstanceId, now: Timestamp) -> Result<u64> {
    let Some(seen) = super::member::load(connection, member, now)? else {
        return Ok(0);
    };
    let list = follow::load(connection, member)?;
    let mut statement = connection.prepare_cached(&select())?;
    let mut rows = statement.query(params![Sql(now), Sql(seen.seen_n)])?;
    let mut pending = 0;
    while next_followed(&mut rows, member, &list)?.is_some() {
        pending += 1;
    }
    Ok(pending)
}
