//! A stored feed as the rules of `wb-core` see it.

use std::rc::Rc;

use rusqlite::{Connection, OptionalExtension as _, params};
use wb_core::feed::{FeedState, FeedView, Header, Live, Opening, order};
use wb_core::hash;
use wb_core::id::{Hash, InstanceId, LogId, RecordId};
use wb_core::identity::{IdentityLog, Position};
use wb_core::live::LiveHash;
use wb_core::scope::FeedScope;

use crate::error::{Result, StoreError};
use crate::instances::instance_no;
use crate::sql::{Sql, some, word};

/// One feed, present or not.
pub(crate) struct StoredFeed<'c> {
    pub connection: &'c Connection,
    pub instance_no: i64,
    pub scope: FeedScope,
    /// Row of the feed and of its log; `None` when nothing of it is held.
    pub row: Option<FeedNos>,
    /// Row of the feed, also where only marks of it are held.
    pub feed_no: Option<i64>,
    pub state: Option<FeedState>,
    /// The log that says which first headers are void, where that matters.
    pub identity: Option<Rc<IdentityLog>>,
}

/// Row numbers of a feed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FeedNos {
    pub feed_no: i64,
    pub log_no: i64,
}

/// Loads the state of a feed. The instance must be known.
pub(crate) fn load_feed<'c>(
    connection: &'c Connection,
    origin: &InstanceId,
    scope: FeedScope,
) -> Result<Option<StoredFeed<'c>>> {
    let Some(instance_no) = instance_no(connection, origin)? else {
        return Ok(None);
    };
    let mut feed = StoredFeed {
        connection,
        instance_no,
        scope,
        row: None,
        feed_no: None,
        state: None,
        identity: None,
    };
    let sql = "SELECT f.feed_no, f.log_no, l.log, l.first, f.seq, f.hash, f.era, f.key, f.live, f.live_n, f.forked
               FROM feeds f LEFT JOIN logs l USING (log_no) WHERE f.instance_no = ?1 AND f.scope = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![instance_no, scope.as_str()])?;
    let Some(row) = rows.next()? else {
        return Ok(Some(feed));
    };
    let feed_no = row.get(0)?;
    feed.feed_no = Some(feed_no);
    let Some(log_no) = row.get(1)? else {
        return Ok(Some(feed));
    };
    let first: Option<Vec<u8>> = row.get(3)?;
    let lanes: Vec<u8> = row.get(8)?;
    let state = FeedState {
        log: row.get::<_, Sql<LogId>>(2)?.0,
        opening: first_of(first.as_deref())?
            .map(|(first, _)| Opening::of(&first))
            .ok_or_else(|| StoreError::damaged("a log has no first header"))?,
        seq: row.get::<_, Sql<u64>>(4)?.0,
        hash: row.get::<_, Sql<Hash>>(5)?.0,
        position: Position {
            era: row.get::<_, Sql<u64>>(6)?.0,
            n: row.get::<_, Sql<u64>>(7)?.0,
        },
        live: LiveHash::from_bytes(&lanes).ok_or_else(|| StoreError::damaged("lanes of a feed"))?,
        live_n: row.get::<_, Sql<u64>>(9)?.0,
        forked: row.get(10)?,
    };
    feed.row = Some(FeedNos { feed_no, log_no });
    feed.state = Some(state);
    Ok(Some(feed))
}

/// Where a feed stands, without its lanes.
pub(super) struct FeedAt {
    pub log: LogId,
    pub seq: u64,
}

impl FeedAt {
    /// `None` while nothing of the feed was taken.
    pub fn load(
        connection: &Connection,
        origin: &InstanceId,
        scope: FeedScope,
    ) -> Result<Option<Self>> {
        let sql = "SELECT l.log, f.seq FROM instances i JOIN feeds f USING (instance_no) JOIN logs l USING (log_no)
                   WHERE i.id = ?1 AND f.scope = ?2";
        let mut statement = connection.prepare_cached(sql)?;
        let at = statement.query_row(params![Sql(origin), scope.as_str()], |row| {
            Ok(Self {
                log: row.get::<_, Sql<LogId>>(0)?.0,
                seq: row.get::<_, Sql<u64>>(1)?.0,
            })
        });
        Ok(at.optional()?)
    }
}

/// Reads a stored first header, and takes its hash.
fn first_of(first: Option<&[u8]>) -> Result<Option<(Header, Hash)>> {
    let Some(first) = first else { return Ok(None) };
    let (header, unverified) = Header::read(first)
        .map_err(|rule| StoreError::damaged(format!("a first header breaks {rule}")))?;
    let body_hash = Header::body_hash(unverified.payload());
    let hash = hash::header(header.prev.as_ref(), &body_hash);
    Ok(Some((header, hash)))
}

impl FeedView for StoredFeed<'_> {
    type Error = StoreError;

    fn live(&self, id: &RecordId) -> Result<Option<Live>> {
        let Some(nos) = self.row else { return Ok(None) };
        let sql = "SELECT rev, kind, line_hash FROM feed_lines WHERE feed_no = ?1 AND id = ?2 AND live = 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let live = statement.query_row(params![nos.feed_no, Sql(id)], |row| {
            Ok(Live {
                rev: row.get::<_, Sql<u64>>(0)?.0,
                kind: word(row, 1)?,
                line_hash: row.get::<_, Sql<Hash>>(2)?.0,
            })
        });
        Ok(live.optional()?)
    }

    fn header_hash(&self, seq: u64) -> Result<Option<Hash>> {
        let Some(nos) = self.row else { return Ok(None) };
        let sql = "SELECT hash FROM headers WHERE log_no = ?1 AND seq = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let hash: Option<Sql<Hash>> = statement
            .query_row(params![nos.log_no, Sql(seq)], |row| row.get(0))
            .optional()?;
        Ok(some(hash))
    }

    fn opening(&self, log: &LogId) -> Result<Option<Opening>> {
        let sql = "SELECT first FROM logs WHERE instance_no = ?1 AND scope = ?2 AND log = ?3 AND replaced = 0";
        let mut statement = self.connection.prepare_cached(sql)?;
        let first: Option<Option<Vec<u8>>> = statement
            .query_row(
                params![self.instance_no, self.scope.as_str(), Sql(log)],
                |row| row.get(0),
            )
            .optional()?;
        let first = first_of(first.flatten().as_deref())?;
        let is_void = |(first, hash): &(Header, Hash)| {
            let identity = self.identity.as_deref();
            identity.is_some_and(|log| log.is_void(&first.identity, &first.placed(*hash)))
        };
        Ok(first
            .filter(|first| !is_void(first))
            .map(|(first, _)| Opening::of(&first)))
    }

    fn has_rival(&self, log: &LogId, opening: &Opening) -> Result<bool> {
        let sql = "SELECT first FROM logs WHERE instance_no = ?1 AND scope = ?2 AND log != ?3 AND replaced = 0
                     AND first IS NOT NULL";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![self.instance_no, self.scope.as_str(), Sql(log)])?;
        while let Some(row) = rows.next()? {
            let line: Vec<u8> = row.get(0)?;
            let Some((first, hash)) = first_of(Some(&line))? else {
                continue;
            };
            let counts = || {
                let identity = self.identity.as_deref();
                identity.is_none_or(|log| log.counts(&first.identity, &first.placed(hash)))
            };
            if order(&Opening::of(&first)) == order(opening) && counts() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
