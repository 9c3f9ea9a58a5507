//! Receipts: where this instance stands with the feeds of others, what it said of that and where, and what
//! followers said of its own feeds (spec: receipts).

use rusqlite::{Connection, OptionalExtension as _, params};
use wb_core::id::{Hash, InstanceId, LogId};
use wb_core::identity::Position;
use wb_core::limits::FEED_KINDS_MAX;
use wb_core::live::LiveHash;
use wb_core::receipt::Stand;
use wb_core::scope::{FeedScope, Kind};
use wb_core::time::Timestamp;
use wb_core::want::Held;

use crate::error::{Result, StoreError};
use crate::sql::{Sql, word};
use crate::store::{Store, Write};

/// Receipts kept of one feed; protects the disk from a hub that makes followers up.
pub const RECEIPTS_KEPT_MAX: u64 = 10_000;

/// Bytes of receipts and identity logs kept of one feed, and of those that one hub handed on; protects disk and memory
/// from a hub that makes followers up with logs of any length.
const RECEIPTS_BYTES_MAX: u64 = 64 * 1_024 * 1_024;
const RECEIPTS_BYTES_PER_HUB_MAX: u64 = 16 * 1_024 * 1_024;

/// What was said last of a feed, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// Hash over what was said.
    pub said: Hash,
    /// When.
    pub at: Timestamp,
}

/// A receipt of a follower as it is kept, to be verified under the newest key known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptHeld {
    /// The feed.
    pub scope: FeedScope,
    /// Who says it.
    pub follower: InstanceId,
    /// Where the key stands in its log that signed.
    pub position: Position,
    /// Counts what the follower said under that key.
    pub n: u64,
    /// The signed line.
    pub line: Vec<u8>,
    /// The follower's identity log as it came with it, one entry a line.
    pub identity: Vec<u8>,
    /// Its name, as the hub says.
    pub name: String,
    /// The hub that handed it on.
    pub hub: InstanceId,
    /// When it came.
    pub at: Timestamp,
}

/// Up to where the receipts of a hub were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiptsRead {
    /// The number of the last.
    pub after: u64,
    /// Members that follow this instance there.
    pub followers: u64,
    /// When they were read from the beginning.
    pub whole_at: Timestamp,
}

impl Store {
    /// Where this instance stands with each public feed of others that a peer carries.
    ///
    /// # Errors
    /// What the database reports.
    pub fn stands(&self, peer: &InstanceId) -> Result<Vec<Stand>> {
        let sql = "SELECT f.feed_no, i.id, f.scope, l.log, l.generation, f.seq, f.hash, f.live
                   FROM feeds f JOIN instances i USING (instance_no) JOIN logs l USING (log_no)
                   WHERE i.standing != 'self' AND f.scope = 'public' AND EXISTS (
                     SELECT 1 FROM roads w WHERE w.instance_no = f.instance_no AND w.scope = f.scope AND w.peer = ?1)
                   ORDER BY i.id";
        let mut statement = self.main().prepare_cached(sql)?;
        let mut rows = statement.query([Sql(peer)])?;
        let mut stands = Vec::new();
        while let Some(row) = rows.next()? {
            let live: Vec<u8> = row.get(7)?;
            let live = LiveHash::from_bytes(&live)
                .ok_or_else(|| StoreError::damaged("the digest of a feed"))?;
            let head = Held {
                origin: row.get::<_, Sql<InstanceId>>(1)?.0,
                scope: word(row, 2)?,
                log: row.get::<_, Sql<LogId>>(3)?.0,
                generation: row.get::<_, Sql<u64>>(4)?.0,
                seq: row.get::<_, Sql<u64>>(5)?.0,
                hash: row.get::<_, Sql<Hash>>(6)?.0,
            };
            stands.push(Stand {
                live: live.digest(),
                erased_to: self.erased_to(row.get(0)?, &head.log, head.seq)?,
                stubs: stubs(self.main(), row.get(0)?)?,
                head,
            });
        }
        Ok(stands)
    }

    /// What was said of a feed at a peer.
    ///
    /// # Errors
    /// What the database reports.
    pub fn receipt_given(&self, peer: &InstanceId, feed: &Held) -> Result<Option<Given>> {
        let sql =
            "SELECT said, at FROM receipts_given WHERE peer = ?1 AND origin = ?2 AND scope = ?3";
        let mut statement = self.main().prepare_cached(sql)?;
        let key = params![Sql(peer), Sql(feed.origin), feed.scope.as_str()];
        let given = statement.query_row(key, |row| {
            Ok(Given {
                said: row.get::<_, Sql<Hash>>(0)?.0,
                at: row.get::<_, Sql<Timestamp>>(1)?.0,
            })
        });
        Ok(given.optional()?)
    }

    /// The highest count under which anything was said of a feed, at whatever peer; 0 for nothing.
    ///
    /// # Errors
    /// What the database reports.
    pub fn receipts_counted(&self, origin: &InstanceId, scope: FeedScope) -> Result<u64> {
        let sql = "SELECT ifnull(max(n), 0) FROM receipts_given WHERE origin = ?1 AND scope = ?2";
        let mut statement = self.main().prepare_cached(sql)?;
        let n: Sql<u64> =
            statement.query_row(params![Sql(origin), scope.as_str()], |row| row.get(0))?;
        Ok(n.0)
    }

    /// The receipts of followers, by feed and follower.
    ///
    /// # Errors
    /// What the database reports.
    pub fn receipts(&self) -> Result<Vec<ReceiptHeld>> {
        let sql = "SELECT scope, follower, n, line, identity, name, hub, at, era, entry FROM receipts ORDER BY scope, follower";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(ReceiptHeld {
                scope: word(row, 0)?,
                follower: row.get::<_, Sql<InstanceId>>(1)?.0,
                position: Position {
                    era: row.get::<_, Sql<u64>>(8)?.0,
                    n: row.get::<_, Sql<u64>>(9)?.0,
                },
                n: row.get::<_, Sql<u64>>(2)?.0,
                line: row.get(3)?,
                identity: row.get(4)?,
                name: row.get(5)?,
                hub: row.get::<_, Sql<InstanceId>>(6)?.0,
                at: row.get::<_, Sql<Timestamp>>(7)?.0,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Up to where the receipts of a hub were read.
    ///
    /// # Errors
    /// What the database reports.
    pub fn receipts_read(&self, hub: &InstanceId) -> Result<Option<ReceiptsRead>> {
        let sql = "SELECT after, followers, whole_at FROM receipts_read WHERE hub = ?1";
        let mut statement = self.main().prepare_cached(sql)?;
        let read = statement.query_row([Sql(hub)], |row| {
            Ok(ReceiptsRead {
                after: row.get::<_, Sql<u64>>(0)?.0,
                followers: row.get::<_, Sql<u64>>(1)?.0,
                whole_at: row.get::<_, Sql<Timestamp>>(2)?.0,
            })
        });
        Ok(read.optional()?)
    }

    /// Whether a head is one of this instance's own, as it is held here.
    ///
    /// # Errors
    /// What the database reports.
    pub fn is_own_head(&self, head: &Held) -> Result<bool> {
        let sql = "SELECT 1 FROM instances i JOIN logs l USING (instance_no) JOIN headers h USING (log_no)
                   WHERE i.standing = 'self' AND i.id = ?1 AND l.scope = ?2 AND l.log = ?3 AND l.generation = ?4
                     AND h.seq = ?5 AND h.hash = ?6";
        let mut statement = self.main().prepare_cached(sql)?;
        let found: Option<i64> = statement
            .query_row(
                params![
                    Sql(head.origin),
                    head.scope.as_str(),
                    Sql(head.log),
                    Sql(head.generation),
                    Sql(head.seq),
                    Sql(head.hash)
                ],
                |row| row.get(0),
            )
            .optional()?;
        Ok(found.is_some())
    }
}

/// Kinds of a feed of which no line is held, although records of them are live.
fn stubs(connection: &Connection, feed_no: i64) -> Result<Vec<Kind>> {
    // The index on what is missing holds nothing else, so this costs nothing where nothing is.
    let sql = "SELECT DISTINCT x.kind FROM feed_lines x INDEXED BY feed_lines_stub
               WHERE x.feed_no = ?1 AND x.live = 1 AND x.line IS NULL AND NOT EXISTS (
                 SELECT 1 FROM feed_lines o WHERE o.feed_no = ?1 AND o.kind = x.kind AND o.live = 1 AND o.line IS NOT NULL)
               ORDER BY x.kind LIMIT ?2";
    let limit = i64::try_from(FEED_KINDS_MAX).expect("a small limit");
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![feed_no, limit], |row| word(row, 0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

impl Write<'_> {
    /// Notes what was said of a feed, and where.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_receipt_given(
        &self,
        peer: &InstanceId,
        feed: &Held,
        n: u64,
        given: &Given,
    ) -> Result<()> {
        self.transaction
            .prepare_cached(
                "INSERT INTO receipts_given (peer, origin, scope, n, said, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (peer, origin, scope) DO UPDATE SET n = excluded.n, said = excluded.said, at = excluded.at",
            )?
            .execute(params![
                Sql(peer),
                Sql(feed.origin),
                feed.scope.as_str(),
                Sql(n),
                Sql(given.said),
                Sql(given.at),
            ])?;
        Ok(())
    }

    /// Keeps a receipt that was verified, where it is the latest of its follower. Returns whether it is.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_receipt(&self, receipt: &ReceiptHeld) -> Result<bool> {
        let room = "SELECT count(*) < ?2 AND ifnull(sum(length(line) + length(identity)), 0) + ?4 <= ?5
                      AND ifnull(sum(length(line) + length(identity)) FILTER (WHERE hub = ?6), 0) + ?4 <= ?7
                    FROM receipts WHERE scope = ?1 AND follower != ?3";
        let bytes = (receipt.line.len() + receipt.identity.len()) as u64;
        let key = params![
            receipt.scope.as_str(),
            Sql(RECEIPTS_KEPT_MAX),
            Sql(receipt.follower),
            Sql(bytes),
            Sql(RECEIPTS_BYTES_MAX),
            Sql(receipt.hub),
            Sql(RECEIPTS_BYTES_PER_HUB_MAX),
        ];
        let has_room: bool = self
            .transaction
            .prepare_cached(room)?
            .query_row(key, |row| row.get(0))?;
        if !has_room {
            return Ok(false);
        }
        let changed = self
            .transaction
            .prepare_cached(
                "INSERT INTO receipts (scope, follower, n, line, identity, name, hub, at, era, entry)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                 ON CONFLICT (scope, follower) DO UPDATE SET n = excluded.n, line = excluded.line,
                   identity = excluded.identity, name = excluded.name, hub = excluded.hub, at = excluded.at,
                   era = excluded.era, entry = excluded.entry
                 WHERE (excluded.era, excluded.entry, excluded.n) > (era, entry, n)",
            )?
            .execute(params![
                receipt.scope.as_str(),
                Sql(receipt.follower),
                Sql(receipt.n),
                receipt.line,
                receipt.identity,
                receipt.name,
                Sql(receipt.hub),
                Sql(receipt.at),
                Sql(receipt.position.era),
                Sql(receipt.position.n),
            ])?;
        Ok(changed > 0)
    }

    /// Notes up to where the receipts of a hub were read.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_receipts_read(&self, hub: &InstanceId, read: &ReceiptsRead) -> Result<()> {
        self.transaction.execute(
            "INSERT INTO receipts_read (hub, after, followers, whole_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (hub) DO UPDATE SET after = excluded.after, followers = excluded.followers,
               whole_at = excluded.whole_at",
            params![
                Sql(hub),
                Sql(read.after),
                Sql(read.followers),
                Sql(read.whole_at)
            ],
        )?;
        Ok(())
    }
}
