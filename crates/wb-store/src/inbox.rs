//! What was set aside, as the inbox asks for it.
//!
//! Everything is read from the tables that hold the things themselves: there is no second list that
//! could say something else. Only what a person has dismissed is noted besides.

use rusqlite::{OptionalExtension as _, params};
use wb_core::id::{Hash, InstanceId, LogId, RecordId};
use wb_core::scope::{FeedScope, Kind};
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::instances::{BESIDE, EVIDENCE};
use crate::sql::{Sql, some, word};
use crate::store::{Store, Write, put_meta};

/// Deltas of one log that were set aside for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldGroup {
    /// The instance.
    pub origin: InstanceId,
    /// The feed.
    pub scope: FeedScope,
    /// What came of them, by the names of the spec.
    pub outcome: String,
    /// The rule broken, or what they wait for.
    pub rule: Option<String>,
    /// The log they say they are of.
    pub log: LogId,
    /// How many there are.
    pub deltas: u64,
    /// The lowest number among them.
    pub first_seq: u64,
    /// The highest.
    pub last_seq: u64,
    /// When the first of them came.
    pub since: Timestamp,
    /// The row of the newest: it rises when one more comes.
    pub newest: i64,
}

/// One delta that was set aside, or the head of a snapshot that was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldDelta {
    /// Its number in its log.
    pub seq: u64,
    /// Hash of its header.
    pub hash: Hash,
    /// The signed header line.
    pub header: Vec<u8>,
    /// When it came.
    pub at: Timestamp,
}

/// A feed that contradicts itself, at the head that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForkedFeed {
    /// The instance.
    pub origin: InstanceId,
    /// The feed.
    pub scope: FeedScope,
    /// Its log.
    pub log: LogId,
    /// The head's number.
    pub seq: u64,
    /// The head's hash.
    pub hash: Hash,
}

/// An identity entry that contradicts the log that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// The instance.
    pub origin: InstanceId,
    /// Whether it is a second recovery by one set of words; else another key of the same number.
    pub is_recover: bool,
    /// Hash of the entry.
    pub hash: Hash,
    /// Its number.
    pub n: u64,
}

/// Live records of one kind whose line is not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingLines {
    /// The instance.
    pub origin: InstanceId,
    /// The feed.
    pub scope: FeedScope,
    /// The kind.
    pub kind: Kind,
    /// How many.
    pub lines: u64,
}

impl Store {
    /// Deltas that were set aside: by feed, log and reason.
    ///
    /// # Errors
    /// What the database reports.
    pub fn held_groups(&self) -> Result<Vec<HeldGroup>> {
        let sql = "SELECT origin, scope, outcome, rule, log, count(*), min(seq), max(seq), min(at), max(held_no)
                   FROM held GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(HeldGroup {
                origin: row.get::<_, Sql<InstanceId>>(0)?.0,
                scope: word(row, 1)?,
                outcome: row.get(2)?,
                rule: row.get(3)?,
                log: row.get::<_, Sql<LogId>>(4)?.0,
                deltas: row.get::<_, Sql<u64>>(5)?.0,
                first_seq: row.get::<_, Sql<u64>>(6)?.0,
                last_seq: row.get::<_, Sql<u64>>(7)?.0,
                since: row.get::<_, Sql<Timestamp>>(8)?.0,
                newest: row.get(9)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The deltas of a group, in the order in which they came.
    ///
    /// # Errors
    /// What the database reports.
    pub fn held_deltas(&self, group: &HeldGroup) -> Result<Vec<HeldDelta>> {
        let sql = "SELECT seq, hash, header, at FROM held
                   WHERE origin = ?1 AND scope = ?2 AND outcome = ?3 AND rule IS ?4 AND log = ?5 ORDER BY held_no";
        let mut statement = self.main().prepare_cached(sql)?;
        let of = params![
            Sql(group.origin),
            group.scope.as_str(),
            group.outcome,
            group.rule,
            Sql(group.log)
        ];
        let rows = statement.query_map(of, |row| {
            Ok(HeldDelta {
                seq: row.get::<_, Sql<u64>>(0)?.0,
                hash: row.get::<_, Sql<Hash>>(1)?.0,
                header: row.get(2)?,
                at: row.get::<_, Sql<Timestamp>>(3)?.0,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Feeds of which evidence of a fork is held, or whose head was made void.
    ///
    /// # Errors
    /// What the database reports.
    pub fn forked_feeds(&self) -> Result<Vec<ForkedFeed>> {
        let sql = "SELECT i.id, f.scope, l.log, f.seq, f.hash
                   FROM feeds f JOIN instances i USING (instance_no) JOIN logs l USING (log_no)
                   WHERE f.forked = 1 ORDER BY 1, 2";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(ForkedFeed {
                origin: row.get::<_, Sql<InstanceId>>(0)?.0,
                scope: word(row, 1)?,
                log: row.get::<_, Sql<LogId>>(2)?.0,
                seq: row.get::<_, Sql<u64>>(3)?.0,
                hash: row.get::<_, Sql<Hash>>(4)?.0,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Header hash held at a number of the log that a feed is in.
    ///
    /// # Errors
    /// What the database reports.
    pub fn header_at(&self, feed: &ForkedFeed, seq: u64) -> Result<Option<Hash>> {
        let sql = "SELECT h.hash FROM headers h JOIN feeds f USING (log_no) JOIN instances i USING (instance_no)
                   WHERE i.id = ?1 AND f.scope = ?2 AND h.seq = ?3";
        let mut statement = self.main().prepare_cached(sql)?;
        let of = params![Sql(feed.origin), feed.scope.as_str(), Sql(seq)];
        Ok(some(statement.query_row(of, |row| row.get(0)).optional()?))
    }

    /// Identity entries that contradict the logs that are followed.
    ///
    /// # Errors
    /// What the database reports.
    pub fn contradictions(&self) -> Result<Vec<Contradiction>> {
        let sql = "SELECT i.id, e.branch = ?2, e.hash, e.n FROM identity_entries e JOIN instances i USING (instance_no)
                   WHERE e.branch IN (?1, ?2) ORDER BY 1, 2, e.n, e.hash";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([BESIDE, EVIDENCE], |row| {
            Ok(Contradiction {
                origin: row.get::<_, Sql<InstanceId>>(0)?.0,
                is_recover: row.get(1)?,
                hash: row.get::<_, Sql<Hash>>(2)?.0,
                n: row.get::<_, Sql<u64>>(3)?.0,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Live records whose line is not here, by feed and kind.
    ///
    /// # Errors
    /// What the database reports.
    pub fn missing_counts(&self) -> Result<Vec<MissingLines>> {
        let sql =
            "SELECT i.id, f.scope, x.kind, count(*) FROM feed_lines x INDEXED BY feed_lines_stub
                   JOIN feeds f USING (feed_no) JOIN instances i USING (instance_no)
                   WHERE x.live = 1 AND x.line IS NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(MissingLines {
                origin: row.get::<_, Sql<InstanceId>>(0)?.0,
                scope: word(row, 1)?,
                kind: word(row, 2)?,
                lines: row.get::<_, Sql<u64>>(3)?.0,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The live records of a feed whose line is not here: kind, id, and the hash that the line has.
    ///
    /// # Errors
    /// What the database reports.
    pub fn missing_records(
        &self,
        origin: &InstanceId,
        scope: FeedScope,
    ) -> Result<Vec<(Kind, RecordId, Hash)>> {
        let sql = "SELECT x.kind, x.id, x.line_hash FROM feed_lines x INDEXED BY feed_lines_stub
                   JOIN feeds f USING (feed_no) JOIN instances i USING (instance_no)
                   WHERE x.live = 1 AND x.line IS NULL AND i.id = ?1 AND f.scope = ?2 ORDER BY 1, 2";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map(params![Sql(origin), scope.as_str()], |row| {
            let (Sql(id), Sql(hash)): (Sql<RecordId>, Sql<Hash>) = (row.get(1)?, row.get(2)?);
            Ok((word(row, 0)?, id, hash))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Up to where a person has dismissed a thing in the inbox; none where nobody did.
    ///
    /// # Errors
    /// What the database reports.
    pub fn dismissed(&self, key: &str) -> Result<Option<String>> {
        self.meta(&dismissed_key(key))
    }
}

fn dismissed_key(key: &str) -> String {
    format!("dismissed {key}")
}

impl Write<'_> {
    /// Notes that a person has dismissed a thing in the inbox as it is now.
    ///
    /// # Errors
    /// What the database reports.
    pub fn dismiss(&self, key: &str, up_to: &str) -> Result<()> {
        put_meta(&self.transaction, &dismissed_key(key), up_to)
    }
}
