//! Reading feeds as they are served: heads, deltas from a point on, snapshots.
//!
//! Reads `feed_lines`, `headers`, `logs`, `feeds` and identity logs only, which a node's file and a
//! hub's have alike: what is private is in none of them.

use std::borrow::Cow;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use wb_core::entry::{Entry, Op, Reason};
use wb_core::feed::Totals;
use wb_core::id::{Hash, InstanceId, LogId, RecordId};
use wb_core::identity::IdentityLog;
use wb_core::scope::FeedScope;
use wb_core::want::Held;

use super::view::{StoredFeed, load_feed};
use crate::error::{Result, StoreError};
use crate::instances::identity_log;
use crate::sql::{Sql, some, word};
use crate::store::Store;

/// A feed held here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedRow {
    /// The head held.
    pub held: Held,
    /// Records live.
    pub live_n: u64,
    /// Live records whose line is not here.
    pub stubs: u64,
    /// Whether evidence of a fork is held.
    pub forked: bool,
}

/// A header kept with its signed line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredHeader {
    /// Its number.
    pub seq: u64,
    /// The signed line.
    pub line: Vec<u8>,
    /// Number of entries.
    pub entries: u64,
    log_no: i64,
}

impl StoredHeader {
    /// Where it stands, for [`crate::Write::note_sent`].
    #[must_use]
    pub fn place(&self) -> (i64, u64) {
        (self.log_no, self.seq)
    }
}

/// What a snapshot of a feed is written from.
#[derive(Debug)]
pub struct SnapshotRows {
    /// What will be announced.
    pub totals: Totals,
    /// The signed head.
    pub head: Vec<u8>,
    /// The signed first header, when it is not the head.
    pub first: Option<Vec<u8>>,
    /// Body hashes from seq 0 to the head.
    pub chain: Vec<Hash>,
    feed_no: i64,
}

/// Feeds as they are served.
#[derive(Debug, Clone, Copy)]
pub struct Served<'c> {
    connection: &'c Connection,
}

impl Store {
    /// The feeds held here, as they are served.
    #[must_use]
    pub fn served(&self) -> Served<'_> {
        Served::new(self.main())
    }
}

impl<'c> Served<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Self {
        Self { connection }
    }

    pub(super) fn connection(&self) -> &'c Connection {
        self.connection
    }

    /// The stored identity log of an instance.
    ///
    /// # Errors
    /// What the database reports.
    pub fn identity_log(&self, id: &InstanceId) -> Result<Option<IdentityLog>> {
        identity_log(self.connection, id)
    }

    /// Every feed held, by origin and scope.
    ///
    /// # Errors
    /// What the database reports.
    pub fn feeds(&self) -> Result<Vec<FeedRow>> {
        // The index on what is missing holds nothing else, so counting costs nothing where nothing is.
        let sql = "SELECT i.id, f.scope, l.log, l.generation, f.seq, f.hash, f.live_n, f.forked,
                     (SELECT count(*) FROM feed_lines x INDEXED BY feed_lines_stub
                      WHERE x.feed_no = f.feed_no AND x.live = 1 AND x.line IS NULL)
                   FROM feeds f JOIN instances i USING (instance_no) JOIN logs l USING (log_no)
                   ORDER BY i.id, f.scope";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(FeedRow {
                held: Held {
                    origin: row.get::<_, Sql<InstanceId>>(0)?.0,
                    scope: word(row, 1)?,
                    log: row.get::<_, Sql<LogId>>(2)?.0,
                    generation: row.get::<_, Sql<u64>>(3)?.0,
                    seq: row.get::<_, Sql<u64>>(4)?.0,
                    hash: row.get::<_, Sql<Hash>>(5)?.0,
                },
                live_n: row.get::<_, Sql<u64>>(6)?.0,
                forked: row.get(7)?,
                stubs: row.get::<_, Sql<u64>>(8)?.0,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn feed(&self, origin: &InstanceId, scope: FeedScope) -> Result<Option<StoredFeed<'c>>> {
        load_feed(self.connection, origin, scope)
    }

    /// The headers after a head that a reader holds; `None` when only a snapshot leads on from there.
    ///
    /// # Errors
    /// What the database reports.
    pub fn headers_after(&self, held: &Held) -> Result<Option<Vec<StoredHeader>>> {
        let Some(feed) = self.feed(&held.origin, held.scope)? else {
            return Ok(None);
        };
        let (Some(nos), Some(state)) = (feed.row, &feed.state) else {
            return Ok(None);
        };
        let here = "SELECT hash FROM headers WHERE log_no = ?1 AND seq = ?2";
        let here: Option<Sql<Hash>> = self
            .connection
            .prepare_cached(here)?
            .query_row(params![nos.log_no, Sql(held.seq)], |row| row.get(0))
            .optional()?;
        let follows = state.opening.follows.as_ref();
        let is_followed = follows.is_some_and(|follows| {
            (follows.log, follows.seq, follows.hash) == (held.log, held.seq, held.hash)
        });
        if is_followed {
            // The log held goes on from there.
            return self.headers_from(nos.log_no, 0);
        }
        if state.log != held.log || some(here) != Some(held.hash) {
            return Ok(None);
        }
        self.headers_from(nos.log_no, held.seq + 1)
    }

    /// Whether a head of an own feed was passed: its header is known, in this log or an earlier one, or it was
    /// another copy's and is settled.
    ///
    /// # Errors
    /// What the database reports.
    pub fn has_passed(&self, held: &Held) -> Result<bool> {
        let sql = "SELECT 1 FROM headers h JOIN logs l USING (log_no) JOIN instances i USING (instance_no)
                   WHERE i.id = ?1 AND l.scope = ?2 AND l.log = ?3 AND h.seq = ?4 AND h.hash = ?5";
        let values = params![
            Sql(held.origin),
            held.scope.as_str(),
            Sql(held.log),
            Sql(held.seq),
            Sql(held.hash)
        ];
        let mut statement = self.connection.prepare_cached(sql)?;
        let found: Option<i64> = statement.query_row(values, |row| row.get(0)).optional()?;
        if found.is_some() {
            return Ok(true);
        }
        let sql =
            "SELECT 1 FROM own_passed WHERE scope = ?1 AND log = ?2 AND seq = ?3 AND hash = ?4";
        let values = params![
            held.scope.as_str(),
            Sql(held.log),
            Sql(held.seq),
            Sql(held.hash)
        ];
        let mut statement = self.connection.prepare_cached(sql)?;
        let found: Option<i64> = statement.query_row(values, |row| row.get(0)).optional()?;
        Ok(found.is_some())
    }

    /// All headers of a feed's log; `None` when not all deltas are here.
    ///
    /// # Errors
    /// What the database reports.
    pub fn all_headers(
        &self,
        origin: &InstanceId,
        scope: FeedScope,
    ) -> Result<Option<Vec<StoredHeader>>> {
        match self.feed(origin, scope)?.and_then(|feed| feed.row) {
            Some(nos) => self.headers_from(nos.log_no, 0),
            None => Ok(None),
        }
    }

    fn headers_from(&self, log_no: i64, first: u64) -> Result<Option<Vec<StoredHeader>>> {
        let sql = "SELECT h.seq, h.line,
                     (SELECT count(*) FROM feed_lines x WHERE x.log_no = h.log_no AND x.seq = h.seq AND x.idx IS NOT NULL)
                   FROM headers h WHERE h.log_no = ?1 AND h.seq >= ?2 ORDER BY h.seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![log_no, Sql(first)])?;
        let mut headers = Vec::new();
        while let Some(row) = rows.next()? {
            let Some(line) = row.get::<_, Option<Vec<u8>>>(1)? else {
                return Ok(None);
            };
            let entries = row.get::<_, Sql<u64>>(2)?.0;
            let announced = wb_core::feed::Delta::count_items(&line)
                .map_err(|refusal| StoreError::damaged(format!("a stored header {refusal}")))?;
            // A head that came by snapshot has its header here and not its entries.
            if announced as u64 != entries {
                return Ok(None);
            }
            headers.push(StoredHeader {
                seq: row.get::<_, Sql<u64>>(0)?.0,
                line,
                entries,
                log_no,
            });
        }
        Ok(Some(headers))
    }

    /// One header whose signed line is kept.
    pub(crate) fn header(&self, log_no: i64, seq: u64) -> Result<StoredHeader> {
        let line = self.header_line(log_no, seq)?;
        let entries = wb_core::feed::Delta::count_items(&line)
            .map_err(|refusal| StoreError::damaged(format!("a stored header {refusal}")))?;
        Ok(StoredHeader {
            seq,
            line,
            entries: entries as u64,
            log_no,
        })
    }

    /// The signed line of a header.
    pub(crate) fn header_line(&self, log_no: i64, seq: u64) -> Result<Vec<u8>> {
        let sql = "SELECT line FROM headers WHERE log_no = ?1 AND seq = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let line: Option<Option<Vec<u8>>> = statement
            .query_row(params![log_no, Sql(seq)], |row| row.get(0))
            .optional()?;
        line.flatten()
            .ok_or_else(|| StoreError::damaged(format!("header {seq} of a feed is missing")))
    }

    /// The signed line of the header at a head held here; none where it is not kept.
    ///
    /// # Errors
    /// What the database reports.
    pub fn signed_head(&self, held: &Held) -> Result<Option<Vec<u8>>> {
        let sql = "SELECT h.line FROM headers h JOIN logs l USING (log_no) JOIN instances i USING (instance_no)
                   WHERE i.id = ?1 AND l.scope = ?2 AND l.log = ?3 AND h.seq = ?4 AND h.hash = ?5";
        let mut statement = self.connection.prepare_cached(sql)?;
        let line: Option<Option<Vec<u8>>> = statement
            .query_row(
                params![
                    Sql(held.origin),
                    held.scope.as_str(),
                    Sql(held.log),
                    Sql(held.seq),
                    Sql(held.hash)
                ],
                |row| row.get(0),
            )
            .optional()?;
        Ok(line.flatten())
    }

    /// Id and generation of a log.
    pub(crate) fn log(&self, log_no: i64) -> Result<(LogId, u64)> {
        let sql = "SELECT log, generation FROM logs WHERE log_no = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([log_no], |row| {
            Ok((row.get::<_, Sql<LogId>>(0)?.0, row.get::<_, Sql<u64>>(1)?.0))
        })?)
    }

    /// The items of a delta: lines that are still live, entries for the rest.
    ///
    /// # Errors
    /// What the database reports.
    pub fn items(&self, header: &StoredHeader) -> Result<Vec<Vec<u8>>> {
        let sql = "SELECT op, id, rev, kind, line_hash, drops, reason, line FROM feed_lines
                   WHERE log_no = ?1 AND seq = ?2 AND idx IS NOT NULL ORDER BY idx";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![header.log_no, Sql(header.seq)])?;
        let mut items = Vec::new();
        while let Some(row) = rows.next()? {
            items.push(read_item(row)?.into_owned());
        }
        Ok(items)
    }

    /// What a snapshot of a feed is written from; `None` when nothing of the feed is held.
    ///
    /// # Errors
    /// What the database reports.
    pub fn snapshot(&self, origin: &InstanceId, scope: FeedScope) -> Result<Option<SnapshotRows>> {
        let Some(feed) = self.feed(origin, scope)? else {
            return Ok(None);
        };
        let (Some(nos), Some(state)) = (feed.row, &feed.state) else {
            return Ok(None);
        };
        let mut statement = self
            .connection
            .prepare_cached("SELECT body_hash, line FROM headers WHERE log_no = ?1 ORDER BY seq")?;
        let mut rows = statement.query([nos.log_no])?;
        let (mut chain, mut first, mut head) = (Vec::new(), None, None);
        while let Some(row) = rows.next()? {
            chain.push(row.get::<_, Sql<Hash>>(0)?.0);
            let line: Option<Vec<u8>> = row.get(1)?;
            if chain.len() == 1 {
                first.clone_from(&line);
            }
            head = line;
        }
        let damaged = || StoreError::damaged(format!("the headers of a feed of {origin}"));
        let headers = chain.len() as u64;
        if headers != state.seq + 1 {
            return Err(damaged());
        }
        let head = head.ok_or_else(damaged)?;
        let first = if headers == 1 {
            None
        } else {
            Some(first.ok_or_else(damaged)?)
        };
        let retracted = self.retracted_sql("SELECT count(*) FROM", nos.feed_no)?;
        let totals = Totals {
            origin: *origin,
            scope,
            headers,
            live: state.live_n,
            retracted,
        };
        Ok(Some(SnapshotRows {
            totals,
            head,
            first,
            chain,
            feed_no: nos.feed_no,
        }))
    }

    fn retracted_sql(&self, select: &str, feed_no: i64) -> Result<u64> {
        let sql = format!("{select} ({RETRACTED})");
        Ok(self
            .connection
            .prepare_cached(&sql)?
            .query_row([feed_no], |row| row.get::<_, Sql<u64>>(0))?
            .0)
    }

    /// Gives each live record of a snapshot, by id: its line, or its stub.
    ///
    /// # Errors
    /// What the database or the receiver reports.
    pub fn each_live<E: From<StoreError>>(
        &self,
        rows: &SnapshotRows,
        mut receive: impl FnMut(&[u8]) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let sql = "SELECT op, id, rev, kind, line_hash, NULL, reason, line FROM feed_lines
                   WHERE feed_no = ?1 AND live = 1 ORDER BY id";
        let mut statement = self
            .connection
            .prepare_cached(sql)
            .map_err(StoreError::from)?;
        let mut found = statement.query([rows.feed_no]).map_err(StoreError::from)?;
        while let Some(row) = found.next().map_err(StoreError::from)? {
            receive(&read_item(row)?)?;
        }
        Ok(())
    }

    /// Gives each retracted pair of a snapshot, by id.
    ///
    /// # Errors
    /// What the database or the receiver reports.
    pub fn each_retracted<E: From<StoreError>>(
        &self,
        rows: &SnapshotRows,
        mut receive: impl FnMut(RecordId, u64) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let mut statement = self
            .connection
            .prepare_cached(RETRACTED)
            .map_err(StoreError::from)?;
        let mut found = statement.query([rows.feed_no]).map_err(StoreError::from)?;
        while let Some(row) = found.next().map_err(StoreError::from)? {
            let id: Sql<RecordId> = row.get(0).map_err(StoreError::from)?;
            let rev: Sql<u64> = row.get(1).map_err(StoreError::from)?;
            receive(id.0, rev.0)?;
        }
        Ok(())
    }
}

/// Records retracted in a feed and not live in it, with the highest revision retracted.
const RETRACTED: &str = "SELECT m.id, max(m.rev) FROM feed_lines m
    WHERE m.feed_no = ?1 AND m.op = 'retract' AND m.void = 0 AND m.aside_no IS NULL
      AND NOT EXISTS (SELECT 1 FROM feed_lines l WHERE l.feed_no = m.feed_no AND l.id = m.id AND l.live = 1)
    GROUP BY m.id ORDER BY m.id";

/// Reads an item from op, id, rev, kind, line_hash, drops, reason and line: the line, else the entry.
pub(crate) fn read_item<'r>(row: &'r Row<'_>) -> Result<Cow<'r, [u8]>> {
    let line = row.get_ref(7)?.as_blob_or_null();
    if let Some(line) = line.map_err(rusqlite::Error::from)? {
        // What is damaged here must not be passed on.
        let known: Option<Sql<Hash>> = row.get(4)?;
        return if some(known) == Some(wb_core::hash::line(line)) {
            Ok(Cow::Borrowed(line))
        } else {
            Err(StoreError::damaged(
                "a line of a feed is not the one its hash names",
            ))
        };
    }
    Ok(Cow::Owned(read_entry(row)?.to_bytes()))
}

/// Reads the entry from the same columns.
pub(crate) fn read_entry(row: &Row<'_>) -> Result<Entry> {
    let op: String = row.get(0)?;
    let op = if op == "put" {
        let hash: Sql<Hash> = row.get(4)?;
        Op::Put { line_hash: hash.0 }
    } else {
        let reason: String = row.get(6)?;
        let reason = match reason.as_str() {
            "scope" => Reason::Scope,
            "erase" => Reason::Erase,
            _ => Reason::Mistake,
        };
        Op::Retract { reason }
    };
    Ok(Entry {
        op,
        id: row.get::<_, Sql<RecordId>>(1)?.0,
        rev: row.get::<_, Sql<u64>>(2)?.0,
        kind: word(row, 3)?,
        drops: some(row.get(5)?),
    })
}
