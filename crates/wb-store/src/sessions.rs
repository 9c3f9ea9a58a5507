//! Browsers that use the pages: who they are, and what waits for approval.
//!
//! A session is named by the hash of a secret that only the browser holds, so this file alone lets
//! nobody in. Who may approve whom is decided elsewhere.

use rusqlite::{OptionalExtension as _, Row, params};
use wb_core::id::{Hash, RecordId};
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::private::Private;
use crate::sql::Sql;

/// A browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// The hash of its secret.
    pub session: Hash,
    /// What was typed at log-in; it may name nobody.
    pub handle: String,
    /// Whose it is; none while it waits.
    pub user: Option<RecordId>,
    /// The browser in words.
    pub label: String,
    /// Since when.
    pub created_at: Timestamp,
    /// When it was last used.
    pub seen_at: Timestamp,
    /// Until when it lasts without being used.
    pub ends_at: Timestamp,
    /// Who let it in; none for a link.
    pub approved_by: Option<RecordId>,
    /// Whether it was given a new secret since it was let in; until then it may do nothing.
    pub renewed: bool,
}

/// A draft of a browser that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingDraft {
    /// The id that the draft, and later the record, will have.
    pub id: RecordId,
    /// In a few words.
    pub title: String,
    /// In full.
    pub description: String,
    /// When it was last written.
    pub at: Timestamp,
}

const COLUMNS: &str =
    "session, handle, user_id, label, created_at, seen_at, ends_at, approved_by, renewed";

impl Private {
    /// Keeps a session.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_session(&self, row: &SessionRow) -> Result<()> {
        let sql = "INSERT INTO sessions
                   (session, handle, user_id, label, created_at, seen_at, ends_at, approved_by, renewed)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        self.connection().prepare_cached(sql)?.execute(params![
            Sql(row.session),
            row.handle,
            row.user.map(Sql),
            row.label,
            Sql(row.created_at),
            Sql(row.seen_at),
            Sql(row.ends_at),
            row.approved_by.map(Sql),
            row.renewed,
        ])?;
        Ok(())
    }

    /// A session that lasts.
    ///
    /// # Errors
    /// What the database reports.
    pub fn session(&self, session: &Hash, now: Timestamp) -> Result<Option<SessionRow>> {
        let sql = format!("SELECT {COLUMNS} FROM sessions WHERE session = ?1 AND ends_at > ?2");
        let mut statement = self.connection().prepare_cached(&sql)?;
        Ok(statement
            .query_row(params![Sql(*session), Sql(now)], read_session)
            .optional()?)
    }

    /// Sessions of an account, the newest first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn sessions_of(&self, user: &RecordId, now: Timestamp) -> Result<Vec<SessionRow>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM sessions WHERE user_id = ?1 AND ends_at > ?2
             ORDER BY created_at DESC, session"
        );
        let mut statement = self.connection().prepare_cached(&sql)?;
        let rows = statement.query_map(params![Sql(*user), Sql(now)], read_session)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Sessions that wait: of one handle, or all; the oldest first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn sessions_waiting(
        &self,
        handle: Option<&str>,
        now: Timestamp,
    ) -> Result<Vec<SessionRow>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM sessions
             WHERE user_id IS NULL AND ends_at > ?1 AND (?2 IS NULL OR handle = ?2)
             ORDER BY created_at, session"
        );
        let mut statement = self.connection().prepare_cached(&sql)?;
        let rows = statement.query_map(params![Sql(now), handle], read_session)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// How many sessions wait.
    ///
    /// # Errors
    /// What the database reports.
    pub fn count_waiting(&self, now: Timestamp) -> Result<u64> {
        let sql = "SELECT count(*) FROM sessions WHERE user_id IS NULL AND ends_at > ?1";
        let mut statement = self.connection().prepare_cached(sql)?;
        let count: Sql<u64> = statement.query_row([Sql(now)], |row| row.get(0))?;
        Ok(count.0)
    }

    /// Lets a waiting session in. False where it does not wait any more.
    ///
    /// # Errors
    /// What the database reports.
    pub fn approve_session(&self, session: &Hash, user: &RecordId, by: &RecordId) -> Result<bool> {
        let sql = "UPDATE sessions SET user_id = ?2, approved_by = ?3
                   WHERE session = ?1 AND user_id IS NULL";
        let approved = self.connection().prepare_cached(sql)?.execute(params![
            Sql(*session),
            Sql(*user),
            Sql(*by)
        ])?;
        Ok(approved > 0)
    }

    /// Gives a session that was let in a new secret; the old one is worth nothing from then on. False
    /// where another request did it before.
    ///
    /// # Errors
    /// What the database reports.
    pub fn renew_session(&self, old: &Hash, new: &Hash, ends_at: Timestamp) -> Result<bool> {
        let sql = "UPDATE sessions SET session = ?2, renewed = 1, ends_at = ?3
                   WHERE session = ?1 AND user_id IS NOT NULL AND renewed = 0";
        let renewed = self.connection().prepare_cached(sql)?.execute(params![
            Sql(*old),
            Sql(*new),
            Sql(ends_at)
        ])?;
        Ok(renewed > 0)
    }

    /// Ends a session, and with it the drafts it wrote while it waited. True where there was one.
    ///
    /// # Errors
    /// What the database reports.
    pub fn end_session(&self, session: &Hash) -> Result<bool> {
        let sql = "DELETE FROM sessions WHERE session = ?1";
        let ended = self
            .connection()
            .prepare_cached(sql)?
            .execute([Sql(*session)])?;
        Ok(ended > 0)
    }

    /// Notes that a session was used, and until when it lasts from here.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_session(&self, session: &Hash, now: Timestamp, ends_at: Timestamp) -> Result<()> {
        let sql = "UPDATE sessions SET seen_at = ?2, ends_at = ?3 WHERE session = ?1";
        self.connection().prepare_cached(sql)?.execute(params![
            Sql(*session),
            Sql(now),
            Sql(ends_at)
        ])?;
        Ok(())
    }

    /// Forgets sessions and links that are over.
    ///
    /// # Errors
    /// What the database reports.
    pub fn forget_ended(&self, now: Timestamp) -> Result<()> {
        for sql in [
            "DELETE FROM sessions WHERE ends_at <= ?1",
            "DELETE FROM login_links WHERE ends_at <= ?1",
        ] {
            self.connection().prepare_cached(sql)?.execute([Sql(now)])?;
        }
        Ok(())
    }

    /// Keeps a draft of a browser that waits.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_waiting_draft(&self, session: &Hash, draft: &WaitingDraft) -> Result<()> {
        let sql = "INSERT INTO waiting_drafts (id, session, title, description, at)
                   VALUES (?1, ?2, ?3, ?4, ?5)
                   ON CONFLICT (id) DO UPDATE SET title = ?3, description = ?4, at = ?5
                   WHERE session = ?2";
        self.connection().prepare_cached(sql)?.execute(params![
            Sql(draft.id),
            Sql(*session),
            draft.title,
            draft.description,
            Sql(draft.at),
        ])?;
        Ok(())
    }

    /// Drafts of a browser that waits, the oldest first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn waiting_drafts(&self, session: &Hash) -> Result<Vec<WaitingDraft>> {
        let sql = "SELECT id, title, description, at FROM waiting_drafts
                   WHERE session = ?1 ORDER BY at, id";
        let mut statement = self.connection().prepare_cached(sql)?;
        let rows = statement.query_map([Sql(*session)], |row| {
            let (id, at) = (row.get::<_, Sql<_>>(0)?, row.get::<_, Sql<_>>(3)?);
            Ok(WaitingDraft {
                id: id.0,
                title: row.get(1)?,
                description: row.get(2)?,
                at: at.0,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Keeps a link that lets an account in once.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_login_link(
        &self,
        link: &Hash,
        user: &RecordId,
        now: Timestamp,
        ends_at: Timestamp,
    ) -> Result<()> {
        let sql = "INSERT INTO login_links (link, user_id, made_at, ends_at)
                   VALUES (?1, ?2, ?3, ?4)";
        self.connection().prepare_cached(sql)?.execute(params![
            Sql(*link),
            Sql(*user),
            Sql(now),
            Sql(ends_at)
        ])?;
        Ok(())
    }

    /// Whom a link lets in; it is not used up by looking.
    ///
    /// # Errors
    /// What the database reports.
    pub fn login_link(&self, link: &Hash, now: Timestamp) -> Result<Option<RecordId>> {
        let sql = "SELECT user_id FROM login_links WHERE link = ?1 AND ends_at > ?2";
        let mut statement = self.connection().prepare_cached(sql)?;
        let user = statement
            .query_row(params![Sql(*link), Sql(now)], |row| {
                row.get::<_, Sql<RecordId>>(0)
            })
            .optional()?;
        Ok(user.map(|user| user.0))
    }

    /// Uses a link up. False where somebody else did, or it is over.
    ///
    /// # Errors
    /// What the database reports.
    pub fn use_login_link(&self, link: &Hash, now: Timestamp) -> Result<bool> {
        let sql = "DELETE FROM login_links WHERE link = ?1 AND ends_at > ?2";
        let used = self
            .connection()
            .prepare_cached(sql)?
            .execute(params![Sql(*link), Sql(now)])?;
        Ok(used > 0)
    }
}

fn read_session(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    let user: Option<Sql<RecordId>> = row.get(2)?;
    let approved_by: Option<Sql<RecordId>> = row.get(7)?;
    Ok(SessionRow {
        session: row.get::<_, Sql<_>>(0)?.0,
        handle: row.get(1)?,
        user: user.map(|user| user.0),
        label: row.get(3)?,
        created_at: row.get::<_, Sql<_>>(4)?.0,
        seen_at: row.get::<_, Sql<_>>(5)?.0,
        ends_at: row.get::<_, Sql<_>>(6)?.0,
        approved_by: approved_by.map(|by| by.0),
        renewed: row.get(8)?,
    })
}
