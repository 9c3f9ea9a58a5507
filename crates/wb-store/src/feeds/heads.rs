//! Where feeds stand here, as syncing asks for it.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;
use wb_core::id::{Hash, InstanceId, LogId};
use wb_core::scope::{FeedScope, Kind};
use wb_core::want::Held;

use super::serve::Served;
use crate::error::Result;
use crate::sql::{Sql, word};
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

/// A hub, and a feed that it was asked for.
pub type AskedFeed = (InstanceId, InstanceId, FeedScope);

fn unfilled_key((hub, origin, scope): &AskedFeed) -> String {
    format!("unfilled {hub} {origin} {scope}")
}

impl Store {
    /// The head of a feed at which a hub was last asked for lines that are missing.
    ///
    /// # Errors
    /// What the database reports.
    pub fn unfilled_at(&self, asked: &AskedFeed) -> Result<Option<Hash>> {
        let noted = self.meta(&unfilled_key(asked))?;
        Ok(noted.and_then(|text| text.parse().ok()))
    }
}

impl Write<'_> {
    /// Notes that a hub was asked for missing lines of a feed at a head: it need not be asked again
    /// before the feed moves.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_unfilled(&self, asked: &AskedFeed, head: &Hash) -> Result<()> {
        put_meta(&self.transaction, &unfilled_key(asked), &head.to_string())
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
