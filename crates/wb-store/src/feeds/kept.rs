//! Lines that are hidden and erased later, because much was taken back at once (spec: receipts, erasing later).
//!
//! Whoever steals a key can take everything back in one go. What is taken back is hidden at once; where one day takes
//! back much, its lines stay beside the feed for 72 hours, so that a recovery in that time brings them back. Only
//! nodes do so, of the feeds of others.

use rusqlite::{OptionalExtension as _, params};
use wb_core::id::{Hash, LogId, RecordId};
use wb_core::line::Line;
use wb_core::receipt::{DAY_MS, ERASE_AFTER_MS, is_much};
use wb_core::time::Timestamp;

use super::ingest::Ingest;
use super::view::FeedNos;
use crate::error::{Result, StoreError};
use crate::sql::Sql;
use crate::store::{Store, Write};

/// Whether lines that are dropped are kept for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dropping {
    /// They are erased at once.
    Erases,
    /// They are hidden, and erased at this time.
    Keeps(Timestamp),
}

impl Ingest<'_> {
    /// Counts what is about to be taken back of a feed of `live` records, and says what becomes of the lines.
    pub(super) fn dropping(&self, nos: FeedNos, live: u64, more: u64) -> Result<Dropping> {
        if more == 0 || !self.shows_records() || self.is_own(nos)? {
            return Ok(Dropping::Erases);
        }
        let sql = "SELECT since, live_before, retracted FROM retract_days WHERE feed_no = ?1";
        let day = self
            .connection
            .prepare_cached(sql)?
            .query_row([nos.feed_no], |row| {
                Ok((
                    row.get::<_, Sql<Timestamp>>(0)?.0,
                    row.get::<_, Sql<u64>>(1)?.0,
                    row.get::<_, Sql<u64>>(2)?.0,
                ))
            })
            .optional()?;
        let runs = day.filter(|(since, ..)| {
            let age = self.now.unix_ms() - since.unix_ms();
            (0..DAY_MS).contains(&age)
        });
        let (since, live_before, retracted) = runs.unwrap_or((self.now, live, 0));
        let retracted = retracted + more;
        self.connection
            .prepare_cached(
                "INSERT INTO retract_days (feed_no, since, live_before, retracted) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (feed_no) DO UPDATE SET since = excluded.since, live_before = excluded.live_before,
                   retracted = excluded.retracted",
            )?
            .execute(params![nos.feed_no, Sql(since), Sql(live_before), Sql(retracted)])?;
        let until = Timestamp::from_unix_ms(self.now.unix_ms().saturating_add(ERASE_AFTER_MS));
        Ok(match until.filter(|_| is_much(retracted, live_before)) {
            Some(until) => Dropping::Keeps(until),
            None => Dropping::Erases,
        })
    }

    fn is_own(&self, nos: FeedNos) -> Result<bool> {
        let sql = "SELECT i.standing = 'self' FROM feeds f JOIN instances i USING (instance_no) WHERE f.feed_no = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([nos.feed_no], |row| row.get(0))?)
    }

    /// Keeps the line that is live for an id, before it ends with the delta `seq` of a log.
    pub(super) fn keep_line(
        &self,
        nos: FeedNos,
        id: &RecordId,
        seq: u64,
        dropping: Dropping,
    ) -> Result<()> {
        let Dropping::Keeps(until) = dropping else {
            return Ok(());
        };
        self.connection
            .prepare_cached(
                "INSERT INTO kept_lines (feed_no, log_no, seq, line_hash, line, until)
                 SELECT feed_no, ?2, ?3, line_hash, line, ?5 FROM feed_lines
                 WHERE feed_no = ?1 AND id = ?4 AND live IN (1, 2) AND line IS NOT NULL
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                nos.feed_no,
                nos.log_no,
                Sql(seq),
                Sql(id),
                Sql(until)
            ])?;
        Ok(())
    }

    /// Puts kept lines back under entries that are live again.
    pub(super) fn bring_back(&self) -> Result<()> {
        if !self.shows_records() {
            return Ok(());
        }
        let live_again = self.kept_and_live()?;
        for missing in live_again.iter().filter_map(|kept| kept.missing.as_ref()) {
            // A line that does not fit its entry is erased at its time.
            let _ = self.fill(missing)?;
        }
        for kept in live_again {
            self.connection
                .prepare_cached(
                    "DELETE FROM kept_lines WHERE feed_no = ?1 AND line_hash = ?3 AND EXISTS (
                       SELECT 1 FROM feed_lines x WHERE x.feed_no = ?1 AND x.id = ?2 AND x.live = 1
                         AND x.line_hash = ?3 AND x.line IS NOT NULL)",
                )?
                .execute(params![kept.feed_no, Sql(kept.id), kept.line_hash])?;
        }
        Ok(())
    }

    /// Kept lines under whose hash an entry is live now. Each is looked up by its id: a feed has no index by the hashes
    /// of its lines, and most of the time nothing is kept.
    fn kept_and_live(&self) -> Result<Vec<LiveAgain>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT feed_no, line_hash, line FROM kept_lines")?;
        let mut live = self.connection.prepare_cached(
            "SELECT line IS NULL FROM feed_lines WHERE feed_no = ?1 AND id = ?2 AND live = 1 AND line_hash = ?3",
        )?;
        let mut rows = statement.query([])?;
        let mut live_again = Vec::new();
        while let Some(row) = rows.next()? {
            let (feed_no, line_hash): (i64, Sql<Hash>) = (row.get(0)?, row.get(1)?);
            let line: Vec<u8> = row.get(2)?;
            let id = Line::read(&line)
                .map_err(|rule| StoreError::damaged(format!("a kept line breaks {rule}")))?
                .id;
            let is_missing: Option<bool> = live
                .query_row(params![feed_no, Sql(id), line_hash], |row| row.get(0))
                .optional()?;
            live_again.extend(is_missing.map(|is_missing| LiveAgain {
                feed_no,
                id,
                line_hash,
                missing: is_missing.then_some(line),
            }));
        }
        Ok(live_again)
    }
}

/// A kept line of which the entry is live again.
struct LiveAgain {
    feed_no: i64,
    id: RecordId,
    line_hash: Sql<Hash>,
    /// The line, where the entry has none.
    missing: Option<Vec<u8>>,
}

impl Write<'_> {
    /// Erases lines that were kept long enough; returns how many.
    ///
    /// # Errors
    /// What the database reports.
    pub fn erase_kept(&self, now: Timestamp) -> Result<u64> {
        let erased = self
            .transaction
            .execute("DELETE FROM kept_lines WHERE until <= ?1", [Sql(now)])?;
        Ok(erased as u64)
    }
}

impl Store {
    /// Whether lines are kept whose time is over.
    ///
    /// # Errors
    /// What the database reports.
    pub fn has_kept_too_long(&self, now: Timestamp) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM kept_lines WHERE until <= ?1)";
        let mut statement = self.main().prepare_cached(sql)?;
        Ok(statement.query_row([Sql(now)], |row| row.get(0))?)
    }

    /// Up to which number of a log everything that was dropped is gone from here; the head where nothing is kept.
    pub(crate) fn erased_to(&self, feed_no: i64, log: &LogId, head: u64) -> Result<Option<u64>> {
        let sql = "SELECT l.log, min(k.seq) FROM kept_lines k JOIN logs l USING (log_no)
                   WHERE k.feed_no = ?1 GROUP BY l.log";
        let mut statement = self.main().prepare_cached(sql)?;
        let mut rows = statement.query([feed_no])?;
        let mut to = Some(head);
        while let Some(row) = rows.next()? {
            let Sql(of): Sql<LogId> = row.get(0)?;
            let Sql(first): Sql<u64> = row.get(1)?;
            // What an earlier log dropped counts as number 0 of this one.
            let below = if of == *log {
                first.checked_sub(1)
            } else {
                None
            };
            to = to.zip(below).map(|(to, below)| to.min(below));
        }
        Ok(to)
    }
}
