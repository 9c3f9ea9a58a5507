//! How far instances are trusted by what others vouch, as it was worked out last, and what became of those that fell.
//!
//! What decides is elsewhere: here is the projection that readers of records join, so that they look at no vouch.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, params};
use wb_core::id::InstanceId;
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::pictures::drop_of_hidden;
use crate::sql::Sql;
use crate::store::{Store, Write};

/// The level from which the records of an instance are shown.
pub const SHOWN_LEVEL: u8 = 2;

/// What stands of an instance `i` as readers see it: decided by hand, or shown by what others vouch.
pub(crate) const STANDING: &str =
    "CASE WHEN i.standing = 'waiting' AND i.level >= 2 THEN 'vouched' ELSE i.standing END";

/// Whether the records of an instance `i` are shown.
pub(crate) const IS_SHOWN: &str =
    "(i.standing IN ('self', 'approved') OR (i.standing = 'waiting' AND i.level >= 2))";

/// Whether a record `r` of an instance `i` is shown as far as its origin decides: what was shown before its origin fell
/// stays.
pub(crate) const ORIGIN_SHOWS: &str =
    "(i.standing IN ('self', 'approved') OR (i.standing = 'waiting' AND (i.level >= 2
      OR EXISTS (SELECT 1 FROM still_shown k WHERE k.instance_no = r.instance_no AND k.id = r.id AND k.rev >= r.rev))))";

/// Whether a record `r` of an instance `i` is shown as far as its origin and the notices of hubs decide.
pub(crate) const RECORD_IS_SHOWN: &str =
    "(i.standing IN ('self', 'approved') OR (i.standing = 'waiting' AND (i.level >= 2
      OR EXISTS (SELECT 1 FROM still_shown k WHERE k.instance_no = r.instance_no AND k.id = r.id AND k.rev >= r.rev))))
     AND NOT EXISTS (SELECT 1 FROM withheld_here g WHERE g.instance_no = r.instance_no AND g.id = r.id)";

/// What was worked out of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LevelRow {
    /// 0 to 3.
    pub level: u8,
    /// The way by which, in a form of its writer; empty where it has none.
    pub way: String,
}

/// An instance that was shown by what others vouched, and is not trusted that far any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallen {
    /// Which.
    pub id: InstanceId,
    /// Why it fell.
    pub why: String,
    /// When that was noticed.
    pub at: Timestamp,
    /// Whether somebody here said that what was shown stays.
    pub kept: bool,
    /// Records that are shown all the same.
    pub records: u64,
}

impl Store {
    /// What was worked out last, of each instance.
    ///
    /// # Errors
    /// What the database reports.
    pub fn levels(&self) -> Result<BTreeMap<InstanceId, LevelRow>> {
        let sql = "SELECT id, level, way FROM instances WHERE standing != 'self'";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            let of = LevelRow {
                level: row.get(1)?,
                way: row.get(2)?,
            };
            Ok((row.get::<_, Sql<InstanceId>>(0)?.0, of))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Instances that fell, the first to fall first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn fallen(&self) -> Result<Vec<Fallen>> {
        let sql =
            "SELECT i.id, f.why, f.at, f.kept, (SELECT count(*) FROM records r JOIN still_shown k
                     ON k.instance_no = r.instance_no AND k.id = r.id AND k.rev >= r.rev
                     WHERE r.instance_no = i.instance_no AND r.cause IS NULL)
                   FROM fallen f JOIN instances i USING (instance_no) ORDER BY f.at, i.id";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(Fallen {
                id: row.get::<_, Sql<InstanceId>>(0)?.0,
                why: row.get(1)?,
                at: row.get::<_, Sql<Timestamp>>(2)?.0,
                kept: row.get(3)?,
                records: row.get::<_, Sql<u64>>(4)?.0,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether an instance fell, and what was shown of it is.
    ///
    /// # Errors
    /// What the database reports.
    pub fn has_fallen(&self, id: &InstanceId) -> Result<bool> {
        let sql = "SELECT 1 FROM fallen f JOIN instances i USING (instance_no) WHERE i.id = ?1";
        let mut statement = self.main().prepare_cached(sql)?;
        Ok(statement
            .query_row([Sql(id)], |_| Ok(()))
            .optional()?
            .is_some())
    }
}

impl Write<'_> {
    /// Keeps what was worked out of an instance.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_level(&self, id: &InstanceId, row: &LevelRow) -> Result<()> {
        self.transaction
            .prepare_cached("UPDATE instances SET level = ?2, way = ?3 WHERE id = ?1")?
            .execute(params![Sql(id), row.level, row.way])?;
        Ok(())
    }

    /// Notes that an instance fell: what is shown of it now stays until somebody decides.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_fallen(&self, id: &InstanceId, why: &str, now: Timestamp) -> Result<()> {
        let mark = "INSERT INTO still_shown (instance_no, id, rev)
                    SELECT r.instance_no, r.id, r.rev FROM records r JOIN instances i USING (instance_no)
                    WHERE i.id = ?1 AND r.body IS NOT NULL AND r.cause IS NULL
                      AND (r.parent_id IS NULL OR EXISTS (SELECT 1 FROM records p JOIN instances pi USING (instance_no)
                        WHERE pi.id = r.parent_origin AND p.id = r.parent_id AND p.cause IS NULL))
                    ON CONFLICT (instance_no, id) DO UPDATE SET rev = excluded.rev";
        self.transaction.execute(mark, [Sql(id)])?;
        let fell = "INSERT INTO fallen (instance_no, why, at, kept)
                    SELECT instance_no, ?2, ?3, 0 FROM instances WHERE id = ?1
                    ON CONFLICT (instance_no) DO UPDATE SET why = excluded.why, at = excluded.at, kept = 0";
        self.transaction
            .execute(fell, params![Sql(id), why, Sql(now)])?;
        Ok(())
    }

    /// Says that what was shown of an instance that fell stays.
    ///
    /// # Errors
    /// What the database reports.
    pub fn keep_fallen(&self, id: &InstanceId) -> Result<()> {
        let sql = "UPDATE fallen SET kept = 1
                   WHERE instance_no = (SELECT instance_no FROM instances WHERE id = ?1)";
        self.transaction.execute(sql, [Sql(id)])?;
        Ok(())
    }

    /// Ends that an instance fell: it is shown as a whole again, or not at all.
    ///
    /// # Errors
    /// What the database reports.
    pub fn forget_fallen(&self, id: &InstanceId) -> Result<()> {
        for table in ["still_shown", "fallen"] {
            let sql = format!(
                "DELETE FROM {table} WHERE instance_no = (SELECT instance_no FROM instances WHERE id = ?1)"
            );
            self.transaction.execute(&sql, [Sql(id)])?;
        }
        drop_of_hidden(&self.transaction)
    }

    /// Says whether an instance that was approved by hand was so as a steward.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_steward(&self, id: &InstanceId, is_steward: bool) -> Result<()> {
        self.transaction.execute(
            "UPDATE instances SET steward = ?2 WHERE id = ?1 AND standing != 'self'",
            params![Sql(id), is_steward],
        )?;
        Ok(())
    }
}
