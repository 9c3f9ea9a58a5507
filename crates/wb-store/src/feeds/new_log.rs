//! A new log of an own feed: that one is due, and opening it (spec: feeds, "A new log of one's own").
//!
//! What makes one due (a restore that was settled, a recovery) and the sealing that opens it are two
//! transactions; between them stands a row of `own_log`, so that a crash forgets nothing.

use rusqlite::{Connection, OptionalExtension as _, params};
use wb_core::feed::{Header, OpenLog};
use wb_core::id::{LogId, RecordId};
use wb_core::identity::IdentityLog;
use wb_core::limits::NUMBER_MAX;
use wb_core::ndjson;
use wb_core::scope::FeedScope;
use wb_core::time::Timestamp;
use wb_core::want::Held;

use super::view::StoredFeed;
use crate::error::{Result, StoreError};
use crate::own_keys::header_of;
use crate::sql::{Sql, word};
use crate::store::{Store, Write};

/// How a new log begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewLog {
    /// It goes on from the head held: who stands there downloads nothing but the delta.
    Follow,
    /// It starts from nothing: everything that stays is put again. Everybody takes a snapshot.
    Afresh,
}

impl NewLog {
    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Follow => "follow",
            Self::Afresh => "afresh",
        }
    }

    fn of(word: &str) -> Self {
        if word == "afresh" {
            Self::Afresh
        } else {
            Self::Follow
        }
    }
}

/// A new log that the next sealing opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDue {
    /// The feed.
    pub scope: FeedScope,
    /// How it begins.
    pub opens: NewLog,
    /// What brought it about, for people.
    pub why: String,
}

/// What is due, by scope.
fn due(connection: &Connection) -> Result<Vec<LogDue>> {
    // A feed that never had a log opens its first one anyway.
    let sql = "SELECT o.scope, o.opens, o.why FROM own_log o WHERE EXISTS (
                 SELECT 1 FROM logs l JOIN instances i USING (instance_no)
                 WHERE i.standing = 'self' AND l.scope = o.scope) ORDER BY o.scope";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        let opens: String = row.get(1)?;
        Ok(LogDue {
            scope: word(row, 0)?,
            opens: NewLog::of(&opens),
            why: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

impl Store {
    /// The new logs that the next sealing opens.
    ///
    /// # Errors
    /// What the database reports.
    pub fn new_logs_due(&self) -> Result<Vec<LogDue>> {
        due(self.main())
    }

    /// The highest revision of a record that any branch of an own feed ever named, whether it was taken or
    /// set aside: what is put in a log that starts afresh must be above it. What a recovery made void is left
    /// out: nobody keeps its marks, and whoever had the key may have used up all numbers there are.
    ///
    /// # Errors
    /// What the database reports.
    pub fn highest_seen(&self, id: &RecordId) -> Result<u64> {
        let sql = "SELECT max(x.rev) FROM instances i CROSS JOIN feeds f USING (instance_no)
                   CROSS JOIN feed_lines x USING (feed_no) WHERE i.standing = 'self' AND x.id = ?1 AND x.void = 0";
        let seen: Option<Sql<u64>> = self
            .main()
            .prepare_cached(sql)?
            .query_row([Sql(id)], |row| row.get(0))?;
        let mut highest = seen.map_or(0, |Sql(rev)| rev);
        let held = "SELECT items, header FROM held WHERE origin = (SELECT id FROM instances WHERE standing = 'self')";
        let mut statement = self.main().prepare_cached(held)?;
        let mut rows = statement.query([])?;
        let mut own: Option<IdentityLog> = None;
        while let Some(row) = rows.next()? {
            if own.is_none() {
                own = self.identity_log(&self.own_id()?)?;
            }
            let header: Vec<u8> = row.get(1)?;
            if is_void(own.as_ref(), &header) {
                continue;
            }
            let items: Vec<u8> = row.get(0)?;
            for item in ndjson::lines(&items) {
                highest = highest.max(revision_in(item, id));
            }
        }
        Ok(highest)
    }
}

/// Whether a recovery of the own log made a header void.
fn is_void(log: Option<&IdentityLog>, line: &[u8]) -> bool {
    let (Some(log), Ok((header, hash))) = (log, header_of(line)) else {
        return false;
    };
    log.is_void(&header.identity, &header.placed(hash))
}

/// The revision an item gives a record; 0 when it is of another record.
fn revision_in(item: &[u8], id: &RecordId) -> u64 {
    let entry = if wb_core::entry::Entry::starts(item) {
        wb_core::entry::Entry::read(item).ok()
    } else {
        let line = wb_core::line::Line::read(item).ok();
        line.map(|line| wb_core::entry::Entry::of_line(&line))
    };
    entry
        .filter(|entry| entry.id == *id)
        .map_or(0, |entry| entry.rev)
}

impl Write<'_> {
    /// Lets the next sealing open a new log of an own feed. `Afresh` is not taken back by a later `Follow`.
    ///
    /// # Errors
    /// What the database reports.
    pub fn due_new_log(
        &self,
        scope: FeedScope,
        opens: NewLog,
        why: &str,
        now: Timestamp,
    ) -> Result<()> {
        self.transaction.execute(
            "INSERT INTO own_log (scope, opens, why, at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (scope) DO UPDATE SET why = excluded.why, at = excluded.at,
               opens = CASE WHEN opens = 'afresh' THEN opens ELSE excluded.opens END",
            params![scope.as_str(), opens.as_str(), why, Sql(now)],
        )?;
        Ok(())
    }

    /// Lets the next log of an own feed be above a generation that is not known here: what a newer copy opened is
    /// closed by it.
    ///
    /// # Errors
    /// What the database reports.
    pub fn open_above(
        &self,
        scope: FeedScope,
        generation: u64,
        why: &str,
        now: Timestamp,
    ) -> Result<()> {
        self.due_new_log(scope, NewLog::Afresh, why, now)?;
        self.transaction.execute(
            "UPDATE own_log SET above = max(ifnull(above, 0), ?2) WHERE scope = ?1",
            params![scope.as_str(), Sql(generation)],
        )?;
        Ok(())
    }

    /// Notes that a head of an own feed which is not held here was another copy's, and is settled: whoever stands
    /// there is given the feed as a whole.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_passed(&self, head: &Held) -> Result<()> {
        self.transaction.execute(
            "INSERT INTO own_passed (scope, log, seq, hash) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            params![
                head.scope.as_str(),
                Sql(head.log),
                Sql(head.seq),
                Sql(head.hash)
            ],
        )?;
        Ok(())
    }

    /// Notes that the new logs that were due are open.
    ///
    /// # Errors
    /// What the database reports.
    pub fn new_logs_opened(&self) -> Result<()> {
        self.transaction.execute("DELETE FROM own_log", [])?;
        Ok(())
    }

    /// Ends what is live in a feed and lets go of its head, so that a log can start from nothing. Marks stay.
    pub(super) fn let_go_of_head(&self, feed: &mut StoredFeed<'_>) -> Result<()> {
        if let Some(nos) = feed.row.take() {
            self.transaction.execute(
                "UPDATE feed_lines SET live = 0, line = NULL, ended = (SELECT max(line_no) + 1 FROM feed_lines)
                 WHERE feed_no = ?1 AND live = 1",
                [nos.feed_no],
            )?;
            self.transaction.execute(
                "UPDATE feeds SET log_no = NULL, seq = NULL, hash = NULL, live = NULL, live_n = NULL, forked = 0
                 WHERE feed_no = ?1",
                [nos.feed_no],
            )?;
        }
        feed.state = None;
        Ok(())
    }

    /// The log to open: above every generation of this feed that is known and counts.
    pub(super) fn next_log(&self, feed: &StoredFeed<'_>, log: LogId) -> Result<OpenLog> {
        let sql =
            "SELECT first FROM logs WHERE instance_no = ?1 AND scope = ?2 AND first IS NOT NULL";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let mut rows = statement.query(params![feed.instance_no, feed.scope.as_str()])?;
        let mut highest = feed.state.as_ref().map(|state| state.opening.generation);
        while let Some(row) = rows.next()? {
            let line: Vec<u8> = row.get(0)?;
            let (first, unverified) = Header::read(&line)
                .map_err(|rule| StoreError::damaged(format!("a first header breaks {rule}")))?;
            let hash = wb_core::hash::header(
                first.prev.as_ref(),
                &Header::body_hash(unverified.payload()),
            );
            // A thief may have used the highest number there is: what a recovery made void does not count.
            let identity = feed.identity.as_deref();
            if identity.is_none_or(|log| log.counts(&first.identity, &first.placed(hash))) {
                highest = highest.max(Some(first.generation));
            }
        }
        let above: Option<Option<Sql<u64>>> = self
            .transaction
            .query_row(
                "SELECT above FROM own_log WHERE scope = ?1",
                [feed.scope.as_str()],
                |row| row.get(0),
            )
            .optional()?;
        highest = highest.max(above.flatten().map(|Sql(generation)| generation));
        let generation = match highest {
            None => 0,
            Some(highest) if highest < NUMBER_MAX => highest + 1,
            Some(_) => {
                return Err(StoreError::damaged(
                    "the last number for a log of the own feed is used up",
                ));
            }
        };
        Ok(OpenLog { log, generation })
    }
}
