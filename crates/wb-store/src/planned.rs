//! What a publish would do with each record, as it was worked out last, and which have to be worked out again.
//!
//! What decides is elsewhere. Triggers of both files mark what something happened to (`main_0007_plan.sql`,
//! `private_0008_plan.sql`), so that no way of writing can leave it out; what is kept is read here, and written in the
//! transaction that made it true.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, params};
use wb_core::id::{RecordId, RecordRef};
use wb_core::scope::Kind;
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::private::Private;
use crate::sql::{Sql, word};
use crate::store::{Store, Write, put_meta};

/// In `meta`: what everything that is kept was worked out under, when, and when all of it was.
const GROUND: &str = "plan_ground";
const AT: &str = "plan_at";
const WHOLE_AT: &str = "plan_whole_at";

/// What is kept of one record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Planned {
    /// How far it went, or the cause that kept it home, when it was worked out last; none before that.
    pub word: Option<String>,
    /// Whether it has to be worked out again.
    pub is_due: bool,
}

/// What everything that is kept was worked out under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanGround {
    /// What decides about all records alike, in the words of its writer.
    pub text: String,
    /// When what is kept was true last.
    pub at: Timestamp,
    /// When all of it was worked out, and not what changed alone.
    pub whole_at: Timestamp,
}

impl Store {
    /// Records that have to be worked out again, ordered by id.
    ///
    /// # Errors
    /// What the database reports.
    pub fn plan_due(&self) -> Result<Vec<RecordId>> {
        let sql = "SELECT id FROM local_records WHERE to_plan = 1 ORDER BY id";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| Ok(row.get::<_, Sql<RecordId>>(0)?.0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What is kept of a record.
    ///
    /// # Errors
    /// What the database reports.
    pub fn planned(&self, id: &RecordId) -> Result<Planned> {
        let sql = "SELECT planned, to_plan FROM local_records WHERE id = ?1";
        let mut statement = self.main().prepare_cached(sql)?;
        let found = statement.query_row([Sql(id)], |row| {
            Ok(Planned {
                word: row.get(0)?,
                is_due: row.get(1)?,
            })
        });
        Ok(found.optional()?.unwrap_or_default())
    }

    /// How many records there are of each answer that is kept.
    ///
    /// # Errors
    /// What the database reports.
    pub fn planned_counts(&self) -> Result<BTreeMap<String, u64>> {
        let sql = "SELECT planned, records FROM planned_counts";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows =
            statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, Sql<u64>>(1)?.0)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What everything that is kept was worked out under; none where nothing is.
    ///
    /// # Errors
    /// What the database reports.
    pub fn plan_ground(&self) -> Result<Option<PlanGround>> {
        let time = |key| -> Result<Option<Timestamp>> {
            Ok(self.meta(key)?.and_then(|text| text.parse().ok()))
        };
        let (text, at, whole_at) = (self.meta(GROUND)?, time(AT)?, time(WHOLE_AT)?);
        Ok(match (text, at, whole_at) {
            (Some(text), Some(at), Some(whole_at)) => Some(PlanGround { text, at, whole_at }),
            _ => None,
        })
    }

    /// Where the own feeds stand, as one text: what is live in them changes with it alone.
    ///
    /// # Errors
    /// What the database reports.
    pub fn own_heads(&self) -> Result<String> {
        let sql = "SELECT ifnull(group_concat(word, ' '), '') FROM (
                     SELECT f.scope || ':' || ifnull(f.log_no, '') || ':' || ifnull(f.seq, '') || ':' || ifnull(hex(f.hash), '')
                       AS word FROM feeds f JOIN instances i USING (instance_no)
                     WHERE i.standing = 'self' ORDER BY f.scope)";
        let mut statement = self.main().prepare_cached(sql)?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    /// The records of a member, ordered by id.
    ///
    /// # Errors
    /// What the database reports.
    pub fn ids_by(&self, author: &RecordId) -> Result<Vec<RecordId>> {
        let sql = "SELECT id FROM local_records WHERE author = ?1 ORDER BY id";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows =
            statement.query_map([Sql(author)], |row| Ok(row.get::<_, Sql<RecordId>>(0)?.0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Store {
    /// Local records that belong to a request, ordered by id.
    ///
    /// # Errors
    /// What the database reports.
    pub fn ids_under(&self, parent: &RecordRef) -> Result<Vec<RecordId>> {
        let sql =
            "SELECT id FROM local_records WHERE parent_origin = ?1 AND parent_id = ?2 ORDER BY id";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map(params![Sql(parent.origin), Sql(parent.id)], |row| {
            Ok(row.get::<_, Sql<RecordId>>(0)?.0)
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The kind of a record of whatever instance, shown or not; none where there is no row of it.
    ///
    /// # Errors
    /// What the database reports.
    pub fn kind_of(&self, key: &RecordRef) -> Result<Option<Kind>> {
        let sql = "SELECT r.kind FROM instances i CROSS JOIN records r USING (instance_no) WHERE i.id = ?1 AND r.id = ?2";
        let mut statement = self.main().prepare_cached(sql)?;
        let found = statement.query_row(params![Sql(key.origin), Sql(key.id)], |row| word(row, 0));
        Ok(found.optional()?)
    }
}

impl Write<'_> {
    /// Keeps what was worked out of a record; `lasts` says that it holds until something happens to it.
    ///
    /// # Errors
    /// What the database reports.
    pub fn keep_planned(&self, id: &RecordId, word: &str, lasts: bool) -> Result<()> {
        let sql = "UPDATE local_records SET planned = ?2, to_plan = ?3 WHERE id = ?1";
        let mut statement = self.transaction.prepare_cached(sql)?;
        statement.execute(params![Sql(id), word, !lasts])?;
        Ok(())
    }

    /// Keeps how many records there are of an answer.
    ///
    /// # Errors
    /// What the database reports.
    pub fn keep_planned_count(&self, word: &str, records: u64) -> Result<()> {
        let sql = "INSERT INTO planned_counts (planned, records) VALUES (?1, ?2)
                   ON CONFLICT (planned) DO UPDATE SET records = excluded.records";
        let mut statement = self.transaction.prepare_cached(sql)?;
        statement.execute(params![word, Sql(records)])?;
        Ok(())
    }

    /// Keeps what everything that is kept was worked out under.
    ///
    /// # Errors
    /// What the database reports.
    pub fn keep_plan_ground(&self, ground: &PlanGround) -> Result<()> {
        put_meta(&self.transaction, GROUND, &ground.text)?;
        put_meta(&self.transaction, AT, &ground.at.to_string())?;
        put_meta(&self.transaction, WHOLE_AT, &ground.whole_at.to_string())
    }

    /// Lets the next publish work everything out.
    ///
    /// # Errors
    /// What the database reports.
    pub fn forget_plan(&self) -> Result<()> {
        let sql = "DELETE FROM meta WHERE key = ?1";
        self.transaction.execute(sql, [GROUND])?;
        Ok(())
    }
}

impl Private {
    /// Members and invites to which something happened, and the number of the last of them.
    ///
    /// # Errors
    /// What the database reports.
    pub fn plan_asked(&self) -> Result<(i64, Vec<RecordId>)> {
        let sql = "SELECT n, id FROM plan_asked ORDER BY n";
        let mut statement = self.connection().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Sql<RecordId>>(1)?.0))
        })?;
        let rows: Vec<(i64, RecordId)> = rows.collect::<rusqlite::Result<_>>()?;
        let last = rows.last().map_or(0, |(n, _)| *n);
        Ok((last, rows.into_iter().map(|(_, id)| id).collect()))
    }

    /// Forgets what was looked at, up to a number.
    ///
    /// # Errors
    /// What the database reports.
    pub fn plan_answered(&self, last: i64) -> Result<()> {
        self.connection()
            .prepare_cached("DELETE FROM plan_asked WHERE n <= ?1")?
            .execute([last])?;
        Ok(())
    }

    /// Invites that end between two times, whichever of them is the later: clocks are set back, too.
    ///
    /// # Errors
    /// What the database reports.
    pub fn invites_ending(&self, one: Timestamp, other: Timestamp) -> Result<Vec<RecordId>> {
        let sql =
            "SELECT record_id FROM invites WHERE expires_at BETWEEN ?1 AND ?2 ORDER BY record_id";
        let mut statement = self.connection().prepare_cached(sql)?;
        let between = params![Sql(one.min(other)), Sql(one.max(other))];
        let rows = statement.query_map(between, |row| Ok(row.get::<_, Sql<RecordId>>(0)?.0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
