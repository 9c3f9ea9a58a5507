//! Whom this instance refuses since when, and under which name it was known.
//!
//! That it is refused is its standing, which every reader of records looks at; here is what is told of it
//! when nothing else of it is here any more.

use rusqlite::params;
use wb_core::id::InstanceId;
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::pictures::drop_of_hidden;
use crate::sql::Sql;
use crate::store::{Store, Write};

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Whom.
    pub id: InstanceId,
    /// The name it had here; empty where it had none.
    pub name: String,
    /// Since when.
    pub at: Timestamp,
}

impl Store {
    /// Refusals that were noted, by id.
    ///
    /// # Errors
    /// What the database reports.
    pub fn refusals(&self) -> Result<Vec<Refusal>> {
        let sql = "SELECT r.id, r.name, r.at FROM refusals r JOIN instances i USING (id)
                   WHERE i.standing = 'blocked' ORDER BY r.id";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(Refusal {
                id: row.get::<_, Sql<InstanceId>>(0)?.0,
                name: row.get(1)?,
                at: row.get::<_, Sql<Timestamp>>(2)?.0,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Write<'_> {
    /// Refuses an instance for good, also one of which nothing has come yet.
    ///
    /// # Errors
    /// What the database reports.
    pub fn block(&self, id: &InstanceId, name: &str, now: Timestamp) -> Result<()> {
        self.transaction.execute(
            "INSERT INTO instances (id, standing, first_seen) VALUES (?1, 'blocked', ?2)
             ON CONFLICT (id) DO UPDATE SET standing = 'blocked', steward = 0 WHERE standing != 'self'",
            params![Sql(id), Sql(now)],
        )?;
        self.transaction.execute(
            "INSERT INTO refusals (id, name, at) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING",
            params![Sql(id), name, Sql(now)],
        )?;
        drop_of_hidden(&self.transaction)
    }

    /// Lifts a refusal: the instance waits for a decision like any that is new.
    ///
    /// # Errors
    /// What the database reports.
    pub fn unblock(&self, id: &InstanceId) -> Result<()> {
        self.transaction.execute(
            "UPDATE instances SET standing = 'waiting' WHERE id = ?1 AND standing = 'blocked'",
            [Sql(id)],
        )?;
        self.transaction
            .execute("DELETE FROM refusals WHERE id = ?1", [Sql(id)])?;
        Ok(())
    }
}
