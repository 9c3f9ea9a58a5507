//! How often each peer is synced with by itself, where that was chosen for it.
//!
//! Beside the rows of peers and not in them: a choice of its operator outlives whatever a sync writes.

use std::collections::BTreeMap;

use rusqlite::params;
use wb_core::id::InstanceId;

use crate::error::Result;
use crate::sql::Sql;
use crate::store::{Store, Write};

impl Store {
    /// Minutes by peer; 0 says by hand only. Who is not in it goes by what the node was started with.
    ///
    /// # Errors
    /// What the database reports.
    pub fn intervals(&self) -> Result<BTreeMap<InstanceId, u64>> {
        let sql = "SELECT peer, minutes FROM peer_intervals";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            let id = row.get::<_, Sql<InstanceId>>(0)?.0;
            Ok((id, row.get::<_, Sql<u64>>(1)?.0))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Write<'_> {
    /// Chooses how often a peer is synced with by itself; none: by what the node was started with.
    ///
    /// # Errors
    /// What the database reports.
    pub fn set_interval(&self, peer: &InstanceId, minutes: Option<u64>) -> Result<()> {
        let Some(minutes) = minutes else {
            self.transaction
                .execute("DELETE FROM peer_intervals WHERE peer = ?1", [Sql(peer)])?;
            return Ok(());
        };
        self.transaction.execute(
            "INSERT INTO peer_intervals (peer, minutes) VALUES (?1, ?2)
             ON CONFLICT (peer) DO UPDATE SET minutes = excluded.minutes",
            params![Sql(peer), Sql(minutes)],
        )?;
        Ok(())
    }
}
