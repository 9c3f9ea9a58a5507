//! The private file: accounts, contacts, drafts, invites as they work at home, audit and secrets.
//!
//! Nothing here has a way out: no function that serves, bundles or previews takes a [`Private`].
//! Writes are single statements that can be repeated, because what must agree lives in one file.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use wb_core::id::{Hash, RecordId};
use wb_core::scope::Scope;
use wb_core::time::Timestamp;

use crate::error::{Result, StoreError};
use crate::sql::{Sql, some, word};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// The word in the database and in JSON.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = ();

            fn from_str(text: &str) -> std::result::Result<Self, ()> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(()),
                }
            }
        }
    };
}

words!(
    /// What became of an account.
    AccountState {
        /// A member.
        Approved = "approved",
        /// Not a member yet.
        Pending = "pending",
        /// Erased.
        Gone = "gone",
    }
);

words!(
    /// What an account may do.
    Role {
        /// Its own records.
        Member = "member",
        /// Also narrow what others wrote.
        Steward = "steward",
        /// Everything.
        Admin = "admin",
    }
);

/// An account. Its profile is the user record of the same id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user record.
    pub user: RecordId,
    /// The name it logs in with; unique whatever the case of its letters.
    pub handle: String,
    /// What became of it.
    pub state: AccountState,
    /// What it may do.
    pub role: Role,
    /// Since when.
    pub created_at: Timestamp,
}

/// A request that its author has not sent yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The id that the record will have.
    pub id: RecordId,
    /// Who writes it.
    pub author: Option<RecordId>,
    /// The scope it will have.
    pub scope: Scope,
    /// In a few words.
    pub title: String,
    /// In full.
    pub description: String,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it was last written.
    pub at: Timestamp,
}

/// An invite as it works at home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteRow {
    /// Its record, the public face.
    pub record: RecordId,
    /// The secret in its link.
    pub token: String,
    /// Who invites.
    pub created_by: Option<RecordId>,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Option<Timestamp>,
    /// How many people it admits; none for no limit.
    pub max_uses: Option<u64>,
    /// How many it admitted.
    pub uses: u64,
    /// Whether it was switched off.
    pub disabled: bool,
    /// A text offered for the newcomer's profile.
    pub suggested_bio: Option<String>,
    /// A picture kept on this node.
    pub photo_path: Option<String>,
}

impl InviteRow {
    /// Whether it still admits anyone. It ends at the very moment it expires.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        !self.disabled
            && self.expires_at.is_none_or(|end| now < end)
            && self.max_uses.is_none_or(|max| self.uses < max)
    }
}

/// Lines of the audit log that are kept; protects the file. A busy community writes a few hundred a day.
pub const AUDIT_ROWS_MAX: i64 = 200_000;
/// Lines of one actor that are kept, so that nobody washes away what others did.
pub const AUDIT_ROWS_PER_ACTOR_MAX: i64 = 20_000;

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// When.
    pub at: Timestamp,
    /// Who; none for the program itself.
    pub actor: Option<RecordId>,
    /// What was done.
    pub act: String,
    /// To what.
    pub target: String,
    /// In words.
    pub detail: String,
}

/// The private file.
#[derive(Debug)]
pub struct Private {
    connection: Connection,
}

impl Private {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection }
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Does several writes as one: all or none.
    ///
    /// # Errors
    /// What the database or the work reports; then nothing was changed.
    pub fn together<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Self) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        self.connection
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(StoreError::from)?;
        match work(self) {
            Ok(value) => {
                self.connection
                    .execute_batch("COMMIT")
                    .map_err(StoreError::from)?;
                Ok(value)
            }
            Err(error) => {
                // The first error is the one to tell; a rollback that fails too leaves SQLite to roll back.
                let _ = self.connection.execute_batch("ROLLBACK");
                Err(error)
            }
        }
    }

    /// A secret of 32 bytes.
    ///
    /// # Errors
    /// That it is missing, or what the database reports.
    pub fn secret(&self, name: &str) -> Result<[u8; 32]> {
        let bytes: Option<Vec<u8>> = self
            .connection
            .query_row("SELECT value FROM secrets WHERE name = ?1", [name], |row| {
                row.get(0)
            })
            .optional()?;
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| StoreError::damaged(format!("the secret `{name}` is missing")))
    }

    /// Writes an account, new or changed.
    ///
    /// # Errors
    /// What the database reports, also that the handle is taken.
    pub fn put_account(&self, account: &Account) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO accounts (user_id, handle, state, role, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (user_id) DO UPDATE SET handle = excluded.handle, state = excluded.state, role = excluded.role",
            )?
            .execute(params![
                Sql(account.user),
                account.handle,
                account.state.as_str(),
                account.role.as_str(),
                Sql(account.created_at),
            ])?;
        Ok(())
    }

    /// All accounts, by handle.
    ///
    /// # Errors
    /// What the database reports.
    pub fn accounts(&self) -> Result<Vec<Account>> {
        let sql = "SELECT user_id, handle, state, role, created_at FROM accounts ORDER BY handle";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], read_account)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The account of a handle, whatever the case of its letters.
    ///
    /// # Errors
    /// What the database reports.
    pub fn account(&self, handle: &str) -> Result<Option<Account>> {
        let sql = "SELECT user_id, handle, state, role, created_at FROM accounts WHERE handle = ?1";
        Ok(self
            .connection
            .prepare_cached(sql)?
            .query_row([handle], read_account)
            .optional()?)
    }

    /// The account of a user record.
    ///
    /// # Errors
    /// What the database reports.
    pub fn account_of(&self, user: &RecordId) -> Result<Option<Account>> {
        let sql =
            "SELECT user_id, handle, state, role, created_at FROM accounts WHERE user_id = ?1";
        Ok(self
            .connection
            .prepare_cached(sql)?
            .query_row([Sql(user)], read_account)
            .optional()?)
    }

    /// Forgets an account that never was a member, with its sessions and contacts.
    ///
    /// # Errors
    /// What the database reports.
    pub fn forget_account(&self, user: &RecordId) -> Result<()> {
        for sql in [
            "DELETE FROM sessions WHERE user_id = ?1",
            "DELETE FROM contacts WHERE owner = ?1",
            "DELETE FROM attributes WHERE user_id = ?1",
            "DELETE FROM feed_links WHERE user_id = ?1",
            "DELETE FROM notices WHERE user_id = ?1",
            "DELETE FROM preferences WHERE user_id = ?1",
            "DELETE FROM redemptions WHERE user_id = ?1",
            "DELETE FROM accounts WHERE user_id = ?1 AND state = 'pending'",
        ] {
            self.connection.prepare_cached(sql)?.execute([Sql(user)])?;
        }
        Ok(())
    }

    /// Adds a contact of a user or a request.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_contact(&self, owner: &RecordId, kind: &str, value: &str) -> Result<()> {
        self.connection
            .prepare_cached("INSERT INTO contacts (owner, kind, value) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
            .execute(params![Sql(owner), kind, value])?;
        Ok(())
    }

    /// Contacts of a user or a request: kind and value.
    ///
    /// # Errors
    /// What the database reports.
    pub fn contacts(&self, owner: &RecordId) -> Result<Vec<(String, String)>> {
        let sql = "SELECT kind, value FROM contacts WHERE owner = ?1 ORDER BY kind, value";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([Sql(owner)], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Takes all contacts of one kind from a user or a request.
    ///
    /// # Errors
    /// What the database reports.
    pub fn drop_contacts(&self, owner: &RecordId, kind: &str) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM contacts WHERE owner = ?1 AND kind = ?2")?
            .execute(params![Sql(owner), kind])?;
        Ok(())
    }

    /// Keeps how far what a member writes goes unless they say otherwise.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_default_scope(&self, user: &RecordId, scope: Scope) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO preferences (user_id, default_scope) VALUES (?1, ?2)
                 ON CONFLICT (user_id) DO UPDATE SET default_scope = excluded.default_scope",
            )?
            .execute(params![Sql(user), scope.as_str()])?;
        Ok(())
    }

    /// How far what a member writes goes unless they say otherwise; none where they never chose.
    ///
    /// # Errors
    /// What the database reports.
    pub fn default_scope(&self, user: &RecordId) -> Result<Option<Scope>> {
        let sql = "SELECT default_scope FROM preferences WHERE user_id = ?1";
        Ok(self
            .connection
            .prepare_cached(sql)?
            .query_row([Sql(user)], |row| word(row, 0))
            .optional()?)
    }

    /// Writes an attribute of a member that is not shared.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_attribute(&self, user: &RecordId, key: &str, value: &str) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO attributes (user_id, key, value) VALUES (?1, ?2, ?3)
                 ON CONFLICT (user_id, key) DO UPDATE SET value = excluded.value",
            )?
            .execute(params![Sql(user), key, value])?;
        Ok(())
    }

    /// Attributes of a member that are not shared.
    ///
    /// # Errors
    /// What the database reports.
    pub fn attributes(&self, user: &RecordId) -> Result<BTreeMap<String, String>> {
        let sql = "SELECT key, value FROM attributes WHERE user_id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([Sql(user)], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Writes a draft, new or changed.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_draft(&self, draft: &Draft) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO drafts (id, author, scope, title, description, created_at, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (id) DO UPDATE SET scope = excluded.scope, title = excluded.title,
                   description = excluded.description, at = excluded.at",
            )?
            .execute(params![
                Sql(draft.id),
                draft.author.map(Sql),
                draft.scope.as_str(),
                draft.title,
                draft.description,
                Sql(draft.created_at),
                Sql(draft.at),
            ])?;
        Ok(())
    }

    /// All drafts, newest first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn drafts(&self) -> Result<Vec<Draft>> {
        let sql = "SELECT id, author, scope, title, description, created_at, at FROM drafts ORDER BY at DESC, id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(Draft {
                id: row.get::<_, Sql<RecordId>>(0)?.0,
                author: some(row.get(1)?),
                scope: word(row, 2)?,
                title: row.get(3)?,
                description: row.get(4)?,
                created_at: row.get::<_, Sql<Timestamp>>(5)?.0,
                at: row.get::<_, Sql<Timestamp>>(6)?.0,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Deletes a draft. True where there was one.
    ///
    /// # Errors
    /// What the database reports.
    pub fn drop_draft(&self, id: &RecordId) -> Result<bool> {
        let deleted = self
            .connection
            .prepare_cached("DELETE FROM drafts WHERE id = ?1")?
            .execute([Sql(id)])?;
        Ok(deleted > 0)
    }

    /// Writes an invite, new or changed.
    ///
    /// # Errors
    /// What the database reports, also that the token is taken.
    pub fn put_invite(&self, invite: &InviteRow) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO invites (record_id, token, created_by, created_at, expires_at, max_uses, uses, disabled,
                   suggested_bio, photo_path)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                 ON CONFLICT (record_id) DO UPDATE SET expires_at = excluded.expires_at, max_uses = excluded.max_uses,
                   uses = excluded.uses, disabled = excluded.disabled, suggested_bio = excluded.suggested_bio,
                   photo_path = excluded.photo_path",
            )?
            .execute(params![
                Sql(invite.record),
                invite.token,
                invite.created_by.map(Sql),
                Sql(invite.created_at),
                invite.expires_at.map(Sql),
                invite.max_uses.map(Sql),
                Sql(invite.uses),
                invite.disabled,
                invite.suggested_bio,
                invite.photo_path,
            ])?;
        Ok(())
    }

    /// All invites, oldest first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn invites(&self) -> Result<Vec<InviteRow>> {
        let sql = format!("{INVITE} ORDER BY created_at, record_id");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([], read_invite)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The invite of a record.
    ///
    /// # Errors
    /// What the database reports.
    pub fn invite(&self, record: &RecordId) -> Result<Option<InviteRow>> {
        let sql = format!("{INVITE} WHERE record_id = ?1");
        Ok(self
            .connection
            .prepare_cached(&sql)?
            .query_row([Sql(record)], read_invite)
            .optional()?)
    }

    /// The invite of a link's secret.
    ///
    /// # Errors
    /// What the database reports.
    pub fn invite_by_token(&self, token: &str) -> Result<Option<InviteRow>> {
        let sql = format!("{INVITE} WHERE token = ?1");
        Ok(self
            .connection
            .prepare_cached(&sql)?
            .query_row([token], read_invite)
            .optional()?)
    }

    /// Adds a line to the audit log, and forgets the oldest of its actor beyond
    /// [`AUDIT_ROWS_PER_ACTOR_MAX`] and of all beyond [`AUDIT_ROWS_MAX`].
    ///
    /// # Errors
    /// What the database reports.
    pub fn audit(&self, row: &AuditRow) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO audit (at, actor, act, target, detail) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                Sql(row.at),
                row.actor.map(Sql),
                row.act,
                row.target,
                row.detail
            ])?;
        let sql = "DELETE FROM audit WHERE actor IS ?1 AND audit_no <= (
                       SELECT audit_no FROM audit WHERE actor IS ?1 ORDER BY audit_no DESC LIMIT 1 OFFSET ?2)";
        let actor = row.actor.map(Sql);
        self.connection
            .prepare_cached(sql)?
            .execute(params![actor, AUDIT_ROWS_PER_ACTOR_MAX])?;
        let oldest = self.connection.last_insert_rowid() - AUDIT_ROWS_MAX;
        self.connection
            .prepare_cached("DELETE FROM audit WHERE audit_no <= ?1")?
            .execute([oldest])?;
        Ok(())
    }

    /// Lines of the audit log with their numbers, the newest first: of everybody, or those that a member
    /// made or that are about it; from before a number on, where one is given.
    ///
    /// # Errors
    /// What the database reports.
    pub fn audit_rows(
        &self,
        member: Option<&RecordId>,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<(i64, AuditRow)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT audit_no, at, actor, act, target, detail FROM audit
             WHERE (?1 IS NULL OR audit_no < ?1) AND (?2 IS NULL OR actor = ?2 OR target = ?3)
             ORDER BY audit_no DESC LIMIT ?4",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let member_text = member.map(ToString::to_string);
        let parameters = params![before, member.map(Sql), member_text, limit];
        let rows = statement.query_map(parameters, |row| {
            let audit = AuditRow {
                at: row.get::<_, Sql<Timestamp>>(1)?.0,
                actor: some(row.get(2)?),
                act: row.get(3)?,
                target: row.get(4)?,
                detail: row.get(5)?,
            };
            Ok((row.get(0)?, audit))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The record that a row of an imported database became.
    ///
    /// # Errors
    /// What the database reports.
    pub fn legacy_id(&self, source: &Hash, table: &str, row_id: &str) -> Result<Option<RecordId>> {
        let sql = "SELECT id FROM legacy_map WHERE source = ?1 AND table_name = ?2 AND row_id = ?3";
        let id: Option<Sql<RecordId>> = self
            .connection
            .prepare_cached(sql)?
            .query_row(params![Sql(source), table, row_id], |row| row.get(0))
            .optional()?;
        Ok(some(id))
    }

    /// Notes which record a row of an imported database becomes.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_legacy_id(
        &self,
        source: &Hash,
        table: &str,
        row_id: &str,
        id: &RecordId,
    ) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO legacy_map (source, table_name, row_id, id) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            )?
            .execute(params![Sql(source), table, row_id, Sql(id)])?;
        Ok(())
    }
}

const INVITE: &str =
    "SELECT record_id, token, created_by, created_at, expires_at, max_uses, uses, disabled,
    suggested_bio, photo_path FROM invites";

fn read_invite(row: &Row<'_>) -> rusqlite::Result<InviteRow> {
    Ok(InviteRow {
        record: row.get::<_, Sql<RecordId>>(0)?.0,
        token: row.get(1)?,
        created_by: some(row.get(2)?),
        created_at: row.get::<_, Sql<Timestamp>>(3)?.0,
        expires_at: some(row.get(4)?),
        max_uses: some(row.get(5)?),
        uses: row.get::<_, Sql<u64>>(6)?.0,
        disabled: row.get(7)?,
        suggested_bio: row.get(8)?,
        photo_path: row.get(9)?,
    })
}

fn read_account(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        user: row.get::<_, Sql<RecordId>>(0)?.0,
        handle: row.get(1)?,
        state: word(row, 2)?,
        role: word(row, 3)?,
        created_at: row.get::<_, Sql<Timestamp>>(4)?.0,
    })
}
