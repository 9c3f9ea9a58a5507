//! Letters that were left where they wait: of whom they are as far as that is proved, and how far the looking came. Only
//! numbers are kept of them, in the main file.

use std::collections::BTreeSet;

use rusqlite::params;
use wb_core::id::InstanceId;
use wb_core::limits::LETTERS_PER_PAIR_MAX;
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::left::Waiting;
use crate::sql::Sql;
use crate::store::{Store, Write};

/// Origins by which letters that were left at one place are counted; those of others are one number. Bounds the list that
/// a place which makes origins up fills.
const LEFT_ORIGINS_MAX: u64 = 100;

impl Store {
    /// The number up to which letters at a hub were left there, where nothing changed since that would let one in.
    ///
    /// # Errors
    /// What the database reports.
    pub fn mail_passed(&self, place: &InstanceId, after: Timestamp) -> Result<Option<u64>> {
        Waiting::Letters.passed(self, place, after)
    }

    /// Who wrote letters that wait until somebody here accepts them, with how many wait where most of them do.
    ///
    /// # Errors
    /// What the database reports.
    pub fn mail_left(&self) -> Result<Vec<(InstanceId, u64)>> {
        let sql = "SELECT origin, max(letters) FROM mail_left WHERE origin <> x'' GROUP BY origin ORDER BY origin";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok((row.get::<_, Sql<_>>(0)?.0, row.get::<_, Sql<u64>>(1)?.0))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// How many letters wait, where most of them do, of whom nobody can say who wrote them.
    ///
    /// # Errors
    /// What the database reports.
    pub fn mail_left_unproved(&self) -> Result<u64> {
        let sql = "SELECT ifnull(max(letters), 0) FROM mail_left WHERE origin = x''";
        let count: Sql<u64> = self.main().query_row(sql, [], |row| row.get(0))?;
        Ok(count.0)
    }

    /// Whether letters of anybody were counted as left at a place.
    ///
    /// # Errors
    /// What the database reports.
    pub fn has_mail_left(&self, place: &InstanceId) -> Result<bool> {
        let sql = "SELECT 1 FROM mail_left WHERE place = ?1";
        Ok(self.main().prepare_cached(sql)?.exists([Sql(place)])?)
    }
}

impl Write<'_> {
    /// Notes how many letters of whom were left at a place, on top of what was counted before where the looking went on
    /// from there. Those of nobody are of somebody who is not known; so are those of more origins than are counted by
    /// name.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_mail_left(
        &self,
        place: &InstanceId,
        goes_on: bool,
        left: &[(Option<InstanceId>, u64)],
        now: Timestamp,
    ) -> Result<()> {
        if !goes_on {
            self.transaction
                .execute("DELETE FROM mail_left WHERE place = ?1", [Sql(place)])?;
        }
        let sql = "INSERT INTO mail_left (place, origin, letters, at) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT (place, origin) DO UPDATE SET letters = letters + excluded.letters, at = excluded.at";
        let mut add = self.transaction.prepare_cached(sql)?;
        let sql = "SELECT 1 FROM mail_left WHERE place = ?1 AND origin = ?2
                   UNION ALL SELECT 1 WHERE (SELECT count(*) FROM mail_left WHERE place = ?1 AND origin <> x'') < ?3";
        let mut may_name = self.transaction.prepare_cached(sql)?;
        for (origin, letters) in left {
            let named = match origin {
                Some(origin)
                    if may_name.exists(params![
                        Sql(place),
                        Sql(origin),
                        Sql(LEFT_ORIGINS_MAX)
                    ])? =>
                {
                    origin.as_bytes().as_slice()
                }
                _ => &[],
            };
            add.execute(params![Sql(place), named, Sql(*letters), Sql(now)])?;
        }
        // No hub that keeps to the rules has more of one for one.
        self.transaction.execute(
            "UPDATE mail_left SET letters = ?2 WHERE place = ?1 AND origin <> x'' AND letters > ?2",
            params![Sql(place), Sql(LETTERS_PER_PAIR_MAX)],
        )?;
        Ok(())
    }

    /// Notes up to which number letters were left at a hub, and of whom outsides say they are, beside those that were noted
    /// before where the looking went on from there.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_mail_passed(
        &self,
        store: &Store,
        place: &InstanceId,
        n: u64,
        left: (&BTreeSet<InstanceId>, bool),
        now: Timestamp,
    ) -> Result<()> {
        Waiting::Letters.note(self, store, (place, n), left, now)
    }
}
