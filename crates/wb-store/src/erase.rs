//! Erasing what a member wrote, and what is kept about a member.
//!
//! Of each record a tombstone stays: its id, its place in a thread and its revision, which the retraction needs.
//! Words, author and the name it left under are gone at once; a line that was shared goes with the next publish.
//! Rows that are deleted or written over are zeroed in the file (secure delete); the log files are emptied after it.

use rusqlite::params;
use wb_core::id::RecordId;
use wb_core::scope::By;
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::private::Private;
use crate::project::project_local;
use crate::sql::Sql;
use crate::store::{Store, Write, put_meta};

/// The body of a record whose text was erased.
pub const NO_WORDS: &str = "{}";

/// What was erased of the main file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ErasedRecords {
    /// Records.
    pub records: u64,
    /// Of those, how many are live in an own feed until the next publish.
    pub shared: u64,
}

impl std::ops::AddAssign for ErasedRecords {
    fn add_assign(&mut self, other: Self) {
        self.records += other.records;
        self.shared += other.shared;
    }
}

impl Store {
    /// Own records that a member wrote, the profile included, oldest first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn written_by(&self, user: &RecordId) -> Result<Vec<RecordId>> {
        let sql =
            "SELECT id FROM local_records WHERE author = ?1 OR id = ?1 ORDER BY created_at, id";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([Sql(user)], |row| Ok(row.get::<_, Sql<RecordId>>(0)?.0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Own records in whose words a text stands, such as the id of a member: profiles name who invited, vouches
    /// who is vouched for.
    ///
    /// # Errors
    /// What the database reports.
    pub fn records_that_name(&self, text: &str) -> Result<Vec<RecordId>> {
        let sql = "SELECT id FROM local_records WHERE instr(body, ?1) > 0 ORDER BY id";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([text], |row| Ok(row.get::<_, Sql<RecordId>>(0)?.0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Own records that nobody known here wrote, with the name they left under: they came back from what was
    /// published.
    ///
    /// # Errors
    /// What the database reports.
    pub fn nameless(&self) -> Result<Vec<(RecordId, By)>> {
        let sql = "SELECT id, left_by FROM local_records WHERE author IS NULL AND left_by IS NOT NULL ORDER BY id";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok((row.get::<_, Sql<RecordId>>(0)?.0, row.get::<_, String>(1)?))
        })?;
        let rows: Vec<(RecordId, String)> = rows.collect::<rusqlite::Result<_>>()?;
        let named = rows.into_iter();
        Ok(named
            .filter_map(|(id, by)| Some((id, by.parse().ok()?)))
            .collect())
    }
}

impl Write<'_> {
    /// Makes a tombstone of a record.
    ///
    /// # Errors
    /// What the database reports.
    pub fn erase_record(&self, id: &RecordId) -> Result<ErasedRecords> {
        self.erase_void(id)?;
        let sql = "UPDATE local_records SET life = 'deleted', body = ?2, author = NULL, left_by = NULL, shares = NULL,
                     edit = edit + 1
                   WHERE id = ?1 AND NOT (life = 'deleted' AND body = ?2 AND author IS NULL)";
        let changed = self
            .transaction
            .prepare_cached(sql)?
            .execute(params![Sql(id), NO_WORDS])?;
        if changed == 0 {
            return Ok(ErasedRecords::default());
        }
        project_local(&self.transaction, id)?;
        let live = "SELECT EXISTS (SELECT 1 FROM instances i CROSS JOIN feeds f USING (instance_no)
                      CROSS JOIN feed_lines x USING (feed_no)
                      WHERE i.standing = 'self' AND x.id = ?1 AND x.live = 1)";
        let is_live: bool = self
            .transaction
            .prepare_cached(live)?
            .query_row([Sql(id)], |row| row.get(0))?;
        Ok(ErasedRecords {
            records: 1,
            shared: u64::from(is_live),
        })
    }

    /// Writes over whom commands act as unless they say otherwise.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_founder(&self, user: &RecordId) -> Result<()> {
        put_meta(&self.transaction, "founder", &user.to_string())
    }
}

/// Whose traces are removed from the private file, and what stands in their place.
#[derive(Debug, Clone, Copy)]
pub struct PrivateTraces<'a> {
    /// The account.
    pub user: &'a RecordId,
    /// Its handle.
    pub handle: &'a str,
    /// Fresh and random: stands in the audit log for whoever it was.
    pub nobody: &'a RecordId,
}

impl Private {
    /// Removes what is kept here beside the texts of records: ways to reach somebody about them, and what was asked
    /// about them. Call it before their texts go from the main file: afterwards nothing there says whose they were.
    ///
    /// # Errors
    /// What the database reports.
    pub fn forget_records(&self, records: &[RecordId]) -> Result<()> {
        for record in records {
            for sql in [
                "DELETE FROM contacts WHERE owner = ?1",
                "DELETE FROM agreements WHERE record = ?1",
            ] {
                self.connection()
                    .prepare_cached(sql)?
                    .execute([Sql(record)])?;
            }
        }
        Ok(())
    }

    /// Removes everything about an account but that there was one. Call it within [`Private::together`].
    ///
    /// # Errors
    /// What the database reports.
    pub fn erase_account(&self, of: &PrivateTraces<'_>) -> Result<()> {
        for sql in [
            "DELETE FROM sessions WHERE user_id = ?1",
            "DELETE FROM login_links WHERE user_id = ?1",
            "DELETE FROM feed_links WHERE user_id = ?1",
            "DELETE FROM notices WHERE user_id = ?1",
            "DELETE FROM attributes WHERE user_id = ?1",
            "DELETE FROM preferences WHERE user_id = ?1",
            "DELETE FROM drafts WHERE author = ?1",
            "DELETE FROM invites WHERE created_by = ?1",
            "DELETE FROM redemptions WHERE user_id = ?1",
            "DELETE FROM agreements WHERE user_id = ?1",
            "UPDATE agreements SET asked_by = NULL WHERE asked_by = ?1",
            "UPDATE sessions SET approved_by = NULL WHERE approved_by = ?1",
        ] {
            self.connection()
                .prepare_cached(sql)?
                .execute([Sql(of.user)])?;
        }
        self.forget_records(&[*of.user])?;
        // Browsers that wait under the handle wait for nobody now.
        let waiting = "DELETE FROM sessions WHERE user_id IS NULL AND handle = ?1";
        self.connection()
            .prepare_cached(waiting)?
            .execute([of.handle])?;
        self.forget_in_notices(of.handle)?;
        self.forget_in_audit(of)?;
        // That there was one is kept: whatever still names it is told from what nobody wrote.
        let gone =
            "UPDATE accounts SET handle = ?2, state = 'gone', role = 'member', created_at = ?3
                    WHERE user_id = ?1";
        let epoch = Timestamp::from_unix_ms(0).expect("the epoch is in range");
        self.connection().prepare_cached(gone)?.execute(params![
            Sql(of.user),
            format!("gone-{}", of.nobody),
            Sql(epoch)
        ])?;
        Ok(())
    }

    /// What was done stays in the audit log, with nobody's name: that of the erased is replaced by one that
    /// means nothing. Words about the erased go; words about others stay, so that nobody washes away what they did by
    /// leaving.
    fn forget_in_audit(&self, of: &PrivateTraces<'_>) -> Result<()> {
        let (user, nobody) = (of.user.to_string(), of.nobody.to_string());
        let sql = "UPDATE audit SET
                     detail = CASE WHEN target = ?3 OR act = 'invite take' THEN '' ELSE detail END,
                     actor = CASE WHEN actor = ?1 THEN ?2 ELSE actor END,
                     target = CASE WHEN target = ?3 THEN ?4 ELSE target END
                   WHERE actor = ?1 OR target = ?3";
        let of_user = params![Sql(of.user), Sql(of.nobody), user, nobody];
        self.connection().prepare_cached(sql)?.execute(of_user)?;
        Ok(())
    }

    /// Others were told who let their browser in. That somebody did they still know.
    fn forget_in_notices(&self, handle: &str) -> Result<()> {
        let sql = "UPDATE notices SET detail = substr(detail, 1, length(detail) - length(?1)) || 'by a former member'
                   WHERE substr(detail, -length(?1)) = ?1";
        let end = format!("by {handle}");
        self.connection().prepare_cached(sql)?.execute([end])?;
        Ok(())
    }
}
