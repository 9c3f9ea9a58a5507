//! Pages of a snapshot that stay those of one head while the feed moves on (spec: sync, snapshot
//! pages).

use std::collections::BTreeSet;

use rusqlite::{Connection, params};
use wb_core::feed::{SnapshotWriter, Totals};
use wb_core::id::{Hash, InstanceId, RecordId};
use wb_core::limits::CHUNK_ITEMS_MAX;
use wb_core::ndjson::put_line;
use wb_core::scope::{FeedScope, Kind};
use wb_core::sync::{Page, PageSection, SnapshotPlace, put_section};
use wb_core::time::Timestamp;

use super::as_of::{AsOf, served_feed};
use super::changes::put_identity;
use super::file::Relay;
use crate::error::{Result, StoreError};
use crate::feeds::{Served, read_entry, read_item};
use crate::sql::{Sql, some, word};

/// Which page of which snapshot.
#[derive(Debug, Clone, Copy)]
pub struct SnapshotAsk<'a> {
    /// The instance.
    pub origin: InstanceId,
    /// The feed's scope.
    pub scope: FeedScope,
    /// The head that the first page named; none for the first page.
    pub head: Option<Hash>,
    /// What the page before said comes next; none for the first page.
    pub after: Option<&'a str>,
    /// The kinds whose lines are wanted; none for all.
    pub kinds: Option<&'a BTreeSet<Kind>>,
    /// Bytes after which the page ends.
    pub bytes: usize,
}

/// Why there is no such page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotRefused {
    /// Nothing of the feed is served.
    #[error("no such feed is served")]
    NotFound,
    /// The feed moved on from that head by more than deltas, or it is not known.
    #[error("the feed does not stand on that head any more")]
    HeadGone,
    /// What was said to come next is none of ours.
    #[error("not a place in a snapshot")]
    BadToken,
}

impl Relay {
    /// One page of a snapshot, its `page` line first.
    ///
    /// # Errors
    /// What the database reports; inside, why there is no such page.
    pub fn snapshot_page(
        &self,
        ask: &SnapshotAsk<'_>,
        now: Timestamp,
    ) -> Result<std::result::Result<Vec<u8>, SnapshotRefused>> {
        let after = match ask.after.map(str::parse).transpose() {
            Ok(after) if ask.head.is_some() || after.is_none() => after,
            _ => return Ok(Err(SnapshotRefused::BadToken)),
        };
        self.at_one_moment(|connection| {
            let Some(feed) = served_feed(connection, &ask.origin, ask.scope, now)? else {
                return Ok(Err(SnapshotRefused::NotFound));
            };
            let head = ask.head.unwrap_or(feed.held.hash);
            let Some(as_of) = AsOf::load(connection, feed, head)? else {
                return Ok(Err(SnapshotRefused::HeadGone));
            };
            let mut maker = Maker {
                connection,
                as_of,
                kinds: ask.kinds,
                page: Page::new(ask.bytes),
            };
            maker.make(after)?;
            let next = maker.page.next().map(SnapshotPlace::to_string);
            let mut body = Vec::with_capacity(maker.page.body.len());
            put_section(&mut body, &PageSection::new(head, next));
            body.append(&mut maker.page.body);
            Ok(Ok(body))
        })
    }
}

impl Relay {
    /// What the pages of a snapshot are made from, as one text: as long as it is the same, so is each of them. None where
    /// nothing is served.
    ///
    /// # Errors
    /// What the database reports.
    pub fn snapshot_stamp(
        &self,
        origin: &InstanceId,
        scope: FeedScope,
        now: Timestamp,
    ) -> Result<Option<String>> {
        self.at_one_moment(|connection| {
            let Some(feed) = served_feed(connection, origin, scope, now)? else {
                return Ok(None);
            };
            // The origin's log stands on the first page; what came after an older head was forgotten by rows that went.
            let sql = "SELECT
                         (SELECT count(*) FROM identity_entries e WHERE e.instance_no = f.instance_no) || ':' ||
                         (SELECT ifnull(hex(max(e.hash)), '') FROM identity_entries e WHERE e.instance_no = f.instance_no)
                         || ':' || ifnull((SELECT n FROM served_changes c WHERE c.feed_no = f.feed_no), 0)
                       FROM feeds f JOIN instances i USING (instance_no) WHERE i.id = ?1 AND f.scope = ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let rest: String =
                statement.query_row(params![Sql(origin), scope.as_str()], |row| row.get(0))?;
            let head = &feed.held;
            Ok(Some(format!("{}:{}:{}:{rest}", feed.log_no, head.seq, head.hash)))
        })
    }
}

/// Makes one page.
struct Maker<'c, 'k> {
    connection: &'c Connection,
    as_of: AsOf,
    kinds: Option<&'k BTreeSet<Kind>>,
    page: Page<SnapshotPlace>,
}

impl Maker<'_, '_> {
    fn make(&mut self, after: Option<SnapshotPlace>) -> Result<()> {
        if after.is_none() {
            self.lead()?;
        }
        let seq = match after {
            None => Some(0),
            Some(SnapshotPlace::Chain(seq)) => Some(seq.saturating_add(1)),
            Some(_) => None,
        };
        if let Some(seq) = seq {
            self.chain(seq)?;
        }
        match after {
            None | Some(SnapshotPlace::Chain(_)) => self.live(&[])?,
            Some(SnapshotPlace::Live(id)) => self.live(id.as_bytes())?,
            Some(SnapshotPlace::Gone(_)) => {}
        }
        match after {
            Some(SnapshotPlace::Gone(id)) => self.gone(id.as_bytes()),
            _ => self.gone(&[]),
        }
    }

    /// The origin's log, the totals, the head and the first header: always on the first page.
    fn lead(&mut self) -> Result<()> {
        let (connection, as_of) = (self.connection, &self.as_of);
        let origin = as_of.feed.held.origin;
        let body = &mut self.page.body;
        put_identity(body, Served::new(connection), &origin)?;
        let (head, _) = wb_core::feed::Header::read(&as_of.line)
            .map_err(|rule| StoreError::damaged(format!("a stored header breaks {rule}")))?;
        let totals = Totals {
            origin,
            scope: as_of.feed.held.scope,
            headers: as_of.seq + 1,
            live: head.live_n,
            retracted: as_of.retracted_n(connection)?,
        };
        put_line(body, &SnapshotWriter::totals(&totals));
        put_line(body, &as_of.line);
        if as_of.seq > 0 {
            let first = Served::new(connection).header_line(as_of.feed.log_no, 0)?;
            put_line(body, &first);
        }
        Ok(())
    }

    fn chain(&mut self, from: u64) -> Result<()> {
        let sql = "SELECT seq, body_hash FROM headers WHERE log_no = ?1 AND seq >= ?2 AND seq <= ?3 ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let values = params![self.as_of.feed.log_no, Sql(from), Sql(self.as_of.seq)];
        let mut rows = statement.query(values)?;
        let (mut chunk, mut last) = (Vec::new(), from);
        while let Some(row) = rows.next()? {
            if chunk.is_empty() && self.page.is_full() {
                return Ok(());
            }
            last = row.get::<_, Sql<u64>>(0)?.0;
            chunk.push(row.get::<_, Sql<Hash>>(1)?.0);
            if chunk.len() == CHUNK_ITEMS_MAX {
                self.page
                    .put(&SnapshotWriter::chain(&chunk), SnapshotPlace::Chain(last));
                chunk.clear();
            }
        }
        if !chunk.is_empty() {
            self.page
                .put(&SnapshotWriter::chain(&chunk), SnapshotPlace::Chain(last));
        }
        Ok(())
    }

    fn live(&mut self, after: &[u8]) -> Result<()> {
        let Self {
            connection,
            as_of,
            kinds,
            page,
        } = self;
        let mut statement = as_of.live(connection)?;
        as_of.query_after(&mut statement, after, |mut rows| {
            while let Some(row) = rows.next()? {
                if page.is_full() {
                    break;
                }
                let Sql(id): Sql<RecordId> = row.get(1)?;
                let item = match kinds {
                    Some(kinds) if !kinds.contains(&word::<Kind>(row, 3)?) => {
                        read_entry(row)?.to_bytes().into()
                    }
                    _ => read_item(row)?,
                };
                page.put(&item, SnapshotPlace::Live(id));
            }
            Ok(())
        })
    }

    fn gone(&mut self, after: &[u8]) -> Result<()> {
        let Self {
            connection,
            as_of,
            page,
            ..
        } = self;
        let mut statement = as_of.retracted(connection)?;
        as_of.query_after(&mut statement, after, |mut rows| {
            let mut pairs: Vec<(RecordId, u64)> = Vec::new();
            let put = |page: &mut Page<SnapshotPlace>, pairs: &mut Vec<(RecordId, u64)>| {
                if let Some((id, _)) = pairs.last() {
                    let token = SnapshotPlace::Gone(*id);
                    page.put(&SnapshotWriter::retracted(pairs), token);
                    pairs.clear();
                }
            };
            while let Some(row) = rows.next()? {
                if pairs.is_empty() && page.is_full() {
                    return Ok(());
                }
                let (id, rev): (Option<Sql<RecordId>>, Sql<u64>) = (row.get(0)?, row.get(1)?);
                let id = some(id).ok_or_else(|| StoreError::damaged("a mark without a record"))?;
                pairs.push((id, rev.0));
                if pairs.len() == CHUNK_ITEMS_MAX {
                    put(page, &mut pairs);
                }
            }
            put(page, &mut pairs);
            Ok(())
        })
    }
}
