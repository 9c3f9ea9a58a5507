//! Addresses under which the feed readers of members ask. Of the secret in one only the hash is kept.

use rusqlite::{OptionalExtension as _, Row, params};
use wb_core::id::{Hash, RecordId};
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::private::Private;
use crate::sql::{Sql, some};

/// The address of a member's feed reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedLink {
    /// Whose it is.
    pub user: RecordId,
    /// The hash of its secret.
    pub link: Hash,
    /// Since when.
    pub made_at: Timestamp,
    /// When a reader asked last.
    pub used_at: Option<Timestamp>,
}

const SELECT: &str = "SELECT user_id, link, made_at, used_at FROM feed_links";

impl Private {
    /// Keeps the address of a member; the one before is worth nothing any more.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_feed_link(&self, user: &RecordId, link: &Hash, made_at: Timestamp) -> Result<()> {
        let sql = "INSERT INTO feed_links (user_id, link, made_at) VALUES (?1, ?2, ?3)
                   ON CONFLICT (user_id) DO UPDATE SET link = ?2, made_at = ?3, used_at = NULL";
        self.connection().prepare_cached(sql)?.execute(params![
            Sql(*user),
            Sql(*link),
            Sql(made_at)
        ])?;
        Ok(())
    }

    /// The address of a member.
    ///
    /// # Errors
    /// What the database reports.
    pub fn feed_link_of(&self, user: &RecordId) -> Result<Option<FeedLink>> {
        let sql = format!("{SELECT} WHERE user_id = ?1");
        let mut statement = self.connection().prepare_cached(&sql)?;
        Ok(statement.query_row([Sql(*user)], read).optional()?)
    }

    /// The address with a secret of this hash.
    ///
    /// # Errors
    /// What the database reports.
    pub fn feed_link(&self, link: &Hash) -> Result<Option<FeedLink>> {
        let sql = format!("{SELECT} WHERE link = ?1");
        let mut statement = self.connection().prepare_cached(&sql)?;
        Ok(statement.query_row([Sql(*link)], read).optional()?)
    }

    /// Notes that a reader asked under an address.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_feed_link(&self, link: &Hash, now: Timestamp) -> Result<()> {
        let sql = "UPDATE feed_links SET used_at = ?2 WHERE link = ?1";
        let mut statement = self.connection().prepare_cached(sql)?;
        statement.execute(params![Sql(*link), Sql(now)])?;
        Ok(())
    }

    /// Forgets the address of a member. True where there was one.
    ///
    /// # Errors
    /// What the database reports.
    pub fn drop_feed_link(&self, user: &RecordId) -> Result<bool> {
        let sql = "DELETE FROM feed_links WHERE user_id = ?1";
        let mut statement = self.connection().prepare_cached(sql)?;
        Ok(statement.execute([Sql(*user)])? > 0)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<FeedLink> {
    Ok(FeedLink {
        user: row.get::<_, Sql<_>>(0)?.0,
        link: row.get::<_, Sql<_>>(1)?.0,
        made_at: row.get::<_, Sql<_>>(2)?.0,
        used_at: some(row.get(3)?),
    })
}
