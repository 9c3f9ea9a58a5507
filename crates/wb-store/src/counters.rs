//! Numbers that only rise, for whoever watches this node.

use rusqlite::{OptionalExtension as _, params};

use crate::error::Result;
use crate::sql::Sql;
use crate::store::{Store, Write};

impl Store {
    /// A counter; 0 where nothing was counted yet.
    ///
    /// # Errors
    /// What the database reports.
    pub fn counter(&self, name: &str) -> Result<u64> {
        let sql = "SELECT n FROM counters WHERE name = ?1";
        let mut statement = self.main().prepare_cached(sql)?;
        let n: Option<Sql<u64>> = statement.query_row([name], |row| row.get(0)).optional()?;
        Ok(n.map_or(0, |Sql(n)| n))
    }
}

impl Write<'_> {
    /// Raises a counter.
    ///
    /// # Errors
    /// What the database reports.
    pub fn count(&self, name: &str, more: u64) -> Result<()> {
        self.transaction.execute(
            "INSERT INTO counters (name, n) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET n = n + excluded.n",
            params![name, Sql(more)],
        )?;
        Ok(())
    }
}
