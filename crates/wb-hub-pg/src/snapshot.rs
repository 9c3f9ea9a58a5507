//! Pages of a snapshot that stay those of one head while the feed moves on (spec: sync, snapshot pages).

use std::collections::BTreeSet;

use wb_core::feed::{Header, SnapshotWriter, Totals};
use wb_core::id::{Hash, InstanceId, RecordId};
use wb_core::limits::CHUNK_ITEMS_MAX;
use wb_core::ndjson::put_line;
use wb_core::scope::{FeedScope, Kind};
use wb_core::sync::{Page, PageSection, SnapshotPlace, put_section};
use wb_core::time::Timestamp;
use wb_hub::{PageRefused, SnapshotAsk};

use crate::as_of::AsOf;
use crate::changes::put_identity;
use crate::error::{PgError, Result};
use crate::heads::FeedAtHead;
use crate::tx::{Columns as _, Tx, int};
use crate::{identity, items};

/// Body hashes that are read at once.
const CHAIN_ROWS: i64 = 32_768;

/// One page of a snapshot, its `page` line first.
pub(crate) fn page(
    tx: &Tx<'_>,
    ask: &SnapshotAsk,
    bytes: usize,
    now: Timestamp,
) -> Result<std::result::Result<Vec<u8>, PageRefused>> {
    let after = match ask.after.as_deref().map(str::parse).transpose() {
        Ok(after) if ask.head.is_some() || after.is_none() => after,
        _ => return Ok(Err(PageRefused::BadToken)),
    };
    let Some(feed) = FeedAtHead::served(tx, &ask.origin, ask.scope, now)? else {
        return Ok(Err(PageRefused::NotFound));
    };
    let head = ask.head.unwrap_or(feed.held.hash);
    let Some(as_of) = AsOf::load(tx, feed, head)? else {
        return Ok(Err(PageRefused::HeadGone));
    };
    let mut maker = Maker {
        tx,
        as_of,
        kinds: ask.kinds.as_ref(),
        bytes,
        page: Page::new(bytes),
    };
    maker.make(after)?;
    let next = maker.page.next().map(SnapshotPlace::to_string);
    let mut body = Vec::with_capacity(maker.page.body.len());
    put_section(&mut body, &PageSection::new(head, next));
    body.append(&mut maker.page.body);
    Ok(Ok(body))
}

/// What pages are made from beside the head: the origin's log, which stands on the first, and whatever was written of
/// the feed since.
const BESIDE: &str = "SELECT
      (SELECT count(*) FROM identity_entries e WHERE e.instance_no = f.instance_no),
      (SELECT max(encode(e.hash, 'hex')) FROM identity_entries e WHERE e.instance_no = f.instance_no), f.served
    FROM feeds f WHERE f.instance_no = $1";

/// What the pages of a snapshot are made from, as one text: as long as it is the same, so is each of them. None where
/// nothing is served.
pub(crate) fn stamp(
    tx: &Tx<'_>,
    origin: &InstanceId,
    scope: FeedScope,
    now: Timestamp,
) -> Result<Option<String>> {
    let Some(feed) = FeedAtHead::served(tx, origin, scope, now)? else {
        return Ok(None);
    };
    let row = tx.one(BESIDE, &[&feed.no])?;
    let newest = row.value::<Option<&str>>(1)?.unwrap_or_default();
    let (entries, served): (i64, i64) = (row.value(0)?, row.value(2)?);
    let (log_no, head) = (feed.log_no, feed.held);
    // Not what a file says: of a hub that was moved, a cache in front may hold what that said.
    Ok(Some(format!(
        "postgres:{log_no}:{}:{}:{entries}:{newest}:{served}",
        head.seq, head.hash
    )))
}

/// Makes one page.
struct Maker<'t, 'c, 'k> {
    tx: &'t Tx<'c>,
    as_of: AsOf,
    kinds: Option<&'k BTreeSet<Kind>>,
    bytes: usize,
    page: Page<SnapshotPlace>,
}

impl Maker<'_, '_, '_> {
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
            None | Some(SnapshotPlace::Chain(_)) => self.live(None)?,
            Some(SnapshotPlace::Live(id)) => self.live(Some(id))?,
            Some(SnapshotPlace::Gone(_)) => {}
        }
        match after {
            Some(SnapshotPlace::Gone(id)) => self.gone(Some(id)),
            _ => self.gone(None),
        }
    }

    /// The origin's log, the totals, the head and the first header: always on the first page.
    fn lead(&mut self) -> Result<()> {
        let (as_of, body) = (&self.as_of, &mut self.page.body);
        let feed = &as_of.feed;
        let log = identity::load(self.tx, &feed.held.origin)?;
        put_identity(
            body,
            &log.ok_or_else(|| PgError::damaged("a member without an identity log"))?,
        );
        let (head, _) = Header::read(&as_of.line)
            .map_err(|rule| PgError::damaged(format!("a stored header breaks {rule}")))?;
        let totals = Totals {
            origin: feed.held.origin,
            scope: feed.held.scope,
            headers: as_of.seq + 1,
            live: head.live_n,
            retracted: as_of.retracted_n(self.tx)?,
        };
        put_line(body, &SnapshotWriter::totals(&totals));
        put_line(body, &as_of.line);
        if as_of.seq > 0 {
            let first = self.tx.row(
                "SELECT line FROM headers WHERE instance_no = $1 AND log_no = $2 AND seq = 0 AND line IS NOT NULL",
                &[&feed.no, &feed.log_no],
            )?;
            let first = first.ok_or_else(|| PgError::damaged("a log without its first header"))?;
            put_line(body, first.value(0)?);
        }
        Ok(())
    }

    fn chain(&mut self, from: u64) -> Result<()> {
        let (no, log_no, head) = (
            self.as_of.feed.no,
            self.as_of.feed.log_no,
            int(self.as_of.seq),
        );
        let mut from = int(from);
        let mut chunk = Vec::new();
        while from <= head {
            let rows = self.tx.rows(
                "SELECT seq, body_hash FROM headers WHERE instance_no = $1 AND log_no = $2 AND seq >= $3 AND seq <= $4
                 ORDER BY seq LIMIT $5",
                &[&no, &log_no, &from, &head, &CHAIN_ROWS],
            )?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                if chunk.is_empty() && self.page.is_full() {
                    return Ok(());
                }
                from = row.value::<i64>(0)? + 1;
                chunk.push(row.hash(1)?);
                if chunk.len() == CHUNK_ITEMS_MAX || from > head {
                    self.put_chain(&mut chunk, from - 1);
                }
            }
        }
        Ok(())
    }

    fn put_chain(&mut self, chunk: &mut Vec<Hash>, last: i64) {
        let token = SnapshotPlace::Chain(last.unsigned_abs());
        self.page.put(&SnapshotWriter::chain(chunk), token);
        chunk.clear();
    }

    fn live(&mut self, mut after: Option<RecordId>) -> Result<()> {
        loop {
            let from = after.as_ref().map_or(&[][..], |id| &id.as_bytes()[..]);
            let rows = self.as_of.live(self.tx, from, self.bytes)?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in &rows {
                if self.page.is_full() {
                    return Ok(());
                }
                let id = row.record(1)?;
                let item = match self.kinds {
                    Some(kinds) if !kinds.contains(&row.word::<Kind>(3)?) => {
                        items::entry(row)?.to_bytes()
                    }
                    _ => items::item(row)?,
                };
                self.page.put(&item, SnapshotPlace::Live(id));
                after = Some(id);
            }
        }
    }

    fn gone(&mut self, mut after: Option<RecordId>) -> Result<()> {
        let mut pairs: Vec<(RecordId, u64)> = Vec::new();
        loop {
            let from = after.as_ref().map_or(&[][..], |id| &id.as_bytes()[..]);
            let rows = self.as_of.retracted(self.tx, from)?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                if pairs.is_empty() && self.page.is_full() {
                    return Ok(());
                }
                let id = row.record(0)?;
                pairs.push((id, row.number(1)?));
                after = Some(id);
                if pairs.len() == CHUNK_ITEMS_MAX {
                    self.put_gone(&mut pairs);
                }
            }
        }
        self.put_gone(&mut pairs);
        Ok(())
    }

    fn put_gone(&mut self, pairs: &mut Vec<(RecordId, u64)>) {
        if let Some((id, _)) = pairs.last() {
            let token = SnapshotPlace::Gone(*id);
            self.page.put(&SnapshotWriter::retracted(pairs), token);
            pairs.clear();
        }
    }
}
