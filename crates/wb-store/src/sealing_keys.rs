//! Keys that others seal to. Only the private file has them.

use rusqlite::{OptionalExtension as _, params};
use wb_core::time::Timestamp;
use zeroize::Zeroizing;

use crate::error::Result;
use crate::private::Private;
use crate::sql::Sql;

impl Private {
    /// The public key that others seal to, as age writes it, and the recoveries there were when it was made; none
    /// before the first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn sealing_key(&self) -> Result<Option<(String, u64)>> {
        let sql = "SELECT recipient, era FROM sealing_keys WHERE retired_at IS NULL ORDER BY key_no DESC LIMIT 1";
        let mut statement = self.connection().prepare_cached(sql)?;
        Ok(statement
            .query_row([], |row| Ok((row.get(0)?, row.get::<_, Sql<u64>>(1)?.0)))
            .optional()?)
    }

    /// The secrets that open what was sealed to this instance, the newest first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn sealing_secrets(&self) -> Result<Vec<Zeroizing<String>>> {
        let sql = "SELECT secret FROM sealing_keys ORDER BY key_no DESC";
        let mut statement = self.connection().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0).map(Zeroizing::new))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Puts a key in the place of the one before, which still opens what is on its way.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_sealing_key(
        &self,
        recipient: &str,
        secret: &str,
        era: u64,
        now: Timestamp,
    ) -> Result<()> {
        self.connection().execute(
            "UPDATE sealing_keys SET retired_at = ?1 WHERE retired_at IS NULL",
            [Sql(now)],
        )?;
        self.connection().execute(
            "INSERT INTO sealing_keys (recipient, secret, era, made_at) VALUES (?1, ?2, ?3, ?4)",
            params![recipient, secret, Sql(era), Sql(now)],
        )?;
        Ok(())
    }

    /// Destroys the secrets that were replaced before a time: nothing sealed to them is on its way any more.
    ///
    /// # Errors
    /// What the database reports.
    pub fn destroy_sealing_keys(&self, before: Timestamp) -> Result<u64> {
        // Looked at first: whoever only reads locks nothing.
        let sql = "SELECT count(*) FROM sealing_keys WHERE retired_at < ?1";
        let mut statement = self.connection().prepare_cached(sql)?;
        let over: Sql<u64> = statement.query_row([Sql(before)], |row| row.get(0))?;
        if over.0 > 0 {
            let sql = "DELETE FROM sealing_keys WHERE retired_at < ?1";
            self.connection().execute(sql, [Sql(before)])?;
        }
        Ok(over.0)
    }
}
