//! Where feeds stand here, as syncing asks for it.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension as _, params};
use wb_core::id::{Hash, InstanceId, LogId};
use wb_core::scope::{FeedScope, Kind};
use wb_core::time::Timestamp;
use wb_core::want::Held;

use super::serve::Served;
use crate::error::Result;
use crate::sql::{Sql, some, word};
use crate::store::{Store, Write, put_meta};

impl Served<'_> {
    /// The head held of a feed; none where nothing of it was taken.
    ///
    /// # Errors
    /// What the database reports.
    pub fn head(&self, origin: &InstanceId, scope: FeedScope) -> Result<Option<Held>> {
        let sql = "SELECT l.log, l.generation, f.seq, f.hash FROM feeds f
                   JOIN instances i USING (instance_no) JOIN logs l USING (log_no)
                   WHERE i.id = ?1 AND f.scope = ?2";
        let mut statement = self.connection().prepare_cached(sql)?;
        let mut rows = statement.query(params![Sql(origin), scope.as_str()])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        Ok(Some(Held {
            origin: *origin,
            scope,
            log: row.get::<_, Sql<LogId>>(0)?.0,
            generation: row.get::<_, Sql<u64>>(1)?.0,
            seq: row.get::<_, Sql<u64>>(2)?.0,
            hash: row.get::<_, Sql<Hash>>(3)?.0,
        }))
    }

    /// Feeds with live records whose line is not here, and the kinds of these records.
    ///
    /// # Errors
    /// What the database reports.
    pub fn missing_lines(&self) -> Result<Vec<(InstanceId, FeedScope, BTreeSet<Kind>)>> {
        // The index on what is missing holds nothing else, so this costs nothing where nothing is.
        let sql = "SELECT DISTINCT i.id, f.scope, x.kind
                   FROM feed_lines x INDEXED BY feed_lines_stub
                   JOIN feeds f USING (feed_no) JOIN instances i USING (instance_no)
                   WHERE x.live = 1 AND x.line IS NULL";
        let mut statement = self.connection().prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut missing: BTreeMap<(InstanceId, FeedScope), BTreeSet<Kind>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let key = (row.get::<_, Sql<InstanceId>>(0)?.0, word(row, 1)?);
            missing.entry(key).or_default().insert(word(row, 2)?);
        }
        let missing = missing.into_iter();
        Ok(missing
            .map(|((origin, scope), kinds)| (origin, scope, kinds))
            .collect())
    }
}

impl Served<'_> {
    /// Until when the newest header of each feed held is valid; none where its origin set no end.
    ///
    /// # Errors
    /// What the database reports.
    pub fn validity(&self) -> Result<BTreeMap<(InstanceId, FeedScope), Option<Timestamp>>> {
        let sql =
            "SELECT i.id, f.scope, f.valid_until FROM feeds f JOIN instances i USING (instance_no)
                   WHERE f.seq IS NOT NULL";
        let mut statement = self.connection().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            let key = (row.get::<_, Sql<InstanceId>>(0)?.0, word(row, 1)?);
            Ok((key, some(row.get(2)?)))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The same of one feed; none also where nothing of it is held.
    ///
    /// # Errors
    /// What the database reports.
    pub fn valid_until(&self, origin: &InstanceId, scope: FeedScope) -> Result<Option<Timestamp>> {
        let sql = "SELECT f.valid_until FROM feeds f JOIN instances i USING (instance_no)
                   WHERE i.id = ?1 AND f.scope = ?2 AND f.seq IS NOT NULL";
        let mut statement = self.connection().prepare_cached(sql)?;
        let until = statement.query_row(params![Sql(origin), scope.as_str()], |row| row.get(0));
        Ok(some(until.optional()?.flatten()))
    }

    /// Live records whose line is not here, by kind.
    ///
    /// # Errors
    /// What the database reports.
    pub fn missing_counts(&self) -> Result<BTreeMap<Kind, u64>> {
        let sql = "SELECT kind, count(*) FROM feed_lines INDEXED BY feed_lines_stub
                   WHERE live = 1 AND line IS NULL GROUP BY kind";
        let mut statement = self.connection().prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut missing = BTreeMap::new();
        while let Some(row) = rows.next()? {
            missing.insert(word(row, 0)?, row.get::<_, Sql<u64>>(1)?.0);
        }
        Ok(missing)
    }
}

/// A hub, and a feed that it was asked for.
pub type AskedFeed = (InstanceId, InstanceId, FeedScope);

fn unfilled_key((hub, origin, scope): &AskedFeed) -> String {
    format!("unfilled {hub} {origin} {scope}")
}

fn unfilled(head: &Hash, kinds: &BTreeSet<Kind>) -> String {
    let kinds: Vec<&str> = kinds.iter().map(Kind::as_str).collect();
    format!("{head} {}", kinds.join(","))
}

impl Store {
    /// Whether a hub was asked last for lines of these kinds, which are missing in a feed at this head.
    ///
    /// # Errors
    /// What the database reports.
    pub fn was_unfilled(
        &self,
        asked: &AskedFeed,
        head: &Hash,
        kinds: &BTreeSet<Kind>,
    ) -> Result<bool> {
        let noted = self.meta(&unfilled_key(asked))?;
        Ok(noted.is_some_and(|noted| noted == unfilled(head, kinds)))
    }
}

impl Write<'_> {
    /// Notes that a hub was asked for missing lines of a feed at a head: it need not be asked again
    /// before the feed moves, or lines of other kinds are wanted.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_unfilled(
        &self,
        asked: &AskedFeed,
        head: &Hash,
        kinds: &BTreeSet<Kind>,
    ) -> Result<()> {
        let noted = unfilled(head, kinds);
        put_meta(&self.transaction, &unfilled_key(asked), &noted)
    }

    /// Records live in a feed.
    ///
    /// # Errors
    /// What the database reports.
    pub fn live_in_feed(&self, origin: &InstanceId, scope: FeedScope) -> Result<u64> {
        let sql =
            "SELECT ifnull(max(f.live_n), 0) FROM feeds f JOIN instances i USING (instance_no)
                   WHERE i.id = ?1 AND f.scope = ?2";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let live: Sql<u64> =
            statement.query_row(params![Sql(origin), scope.as_str()], |row| row.get(0))?;
        Ok(live.0)
    }
}
