//! What arrived, numbered without a gap, with a running hash (spec: sync, arrivals and the cursor).

use rusqlite::{Connection, OptionalExtension as _, params};
use wb_core::id::{Hash, InstanceId, LogId};
use wb_core::sync::{Arrival, Cursor};
use wb_core::time::Timestamp;

use super::file::RelayWrite;
use crate::error::{Result, StoreError};
use crate::feeds::Appended;
use crate::instances::instance_no;
use crate::sql::Sql;
use crate::store::put_meta;

/// The running hash before the first arrival.
const NOTHING: Hash = Hash([0; 32]);

/// The word in the database.
fn word(arrival: Arrival) -> &'static str {
    match arrival {
        Arrival::Identity => "identity",
        Arrival::Delta => "delta",
        Arrival::Again => "again",
    }
}

/// Reads the word; the database takes no other.
pub(super) fn kind_of(word: &str) -> Arrival {
    match word {
        "identity" => Arrival::Identity,
        "again" => Arrival::Again,
        _ => Arrival::Delta,
    }
}

/// A place in the arrivals: how many, and the running hash after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub n: u64,
    pub running: Hash,
}

impl Place {
    pub fn cursor(&self, log: LogId) -> Cursor {
        Cursor::new(log, self.n, &self.running)
    }

    fn of_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            n: row.get::<_, Sql<u64>>(0)?.0,
            running: row.get::<_, Sql<Hash>>(1)?.0,
        })
    }

    /// The last arrival kept no more; the beginning, while all are kept.
    pub fn floor(connection: &Connection) -> Result<Self> {
        let sql = "SELECT CAST(n.value AS TEXT), CAST(r.value AS TEXT) FROM meta n, meta r
                   WHERE n.key = 'floor_n' AND r.key = 'floor_running'";
        let stored: Option<(String, String)> = connection
            .prepare_cached(sql)?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((n, running)) = stored else {
            return Ok(Self {
                n: 0,
                running: NOTHING,
            });
        };
        let damaged = || StoreError::damaged("the floor of the arrivals");
        Ok(Self {
            n: n.parse().map_err(|_| damaged())?,
            running: running.parse().map_err(|_| damaged())?,
        })
    }

    pub fn put_floor(&self, connection: &Connection) -> Result<()> {
        put_meta(connection, "floor_n", &self.n.to_string())?;
        put_meta(connection, "floor_running", &self.running.to_string())
    }

    /// The newest arrival.
    pub fn last(connection: &Connection) -> Result<Self> {
        let sql = "SELECT n, running FROM arrivals ORDER BY n DESC LIMIT 1";
        let last = connection
            .prepare_cached(sql)?
            .query_row([], Self::of_row)
            .optional()?;
        last.map_or_else(|| Self::floor(connection), Ok)
    }

    /// The place after `n` arrivals, where it is kept.
    pub fn at(connection: &Connection, n: u64) -> Result<Option<Self>> {
        let floor = Self::floor(connection)?;
        if n == floor.n {
            return Ok(Some(floor));
        }
        let sql = "SELECT n, running FROM arrivals WHERE n = ?1";
        Ok(connection
            .prepare_cached(sql)?
            .query_row([Sql(n)], Self::of_row)
            .optional()?)
    }
}

/// What an arrival is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrived {
    pub origin: InstanceId,
    /// The feed and its header; none for an identity log.
    pub feed: Option<(wb_core::scope::FeedScope, i64, u64)>,
    pub hash: Hash,
}

impl From<Appended> for Arrived {
    fn from(appended: Appended) -> Self {
        Self {
            origin: appended.origin,
            feed: Some((appended.scope, appended.log_no, appended.seq)),
            hash: appended.hash,
        }
    }
}

impl RelayWrite<'_> {
    /// Numbers an arrival: the next number, within this transaction that other writers wait for.
    pub(super) fn arrive(&self, arrival: Arrival, what: &Arrived, now: Timestamp) -> Result<()> {
        let before = Place::last(&self.transaction)?;
        let running = arrival.running(&before.running, &what.origin, &what.hash);
        let no = instance_no(&self.transaction, &what.origin)?
            .ok_or_else(|| StoreError::damaged("an arrival of an instance that is not known"))?;
        self.transaction
            .prepare_cached(
                "INSERT INTO arrivals (n, kind, instance_no, scope, log_no, seq, hash, running, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                Sql(before.n + 1),
                word(arrival),
                no,
                what.feed.map(|(scope, _, _)| scope.as_str()),
                what.feed.map(|(_, log_no, _)| log_no),
                what.feed.map(|(_, _, seq)| Sql(seq)),
                Sql(what.hash),
                Sql(running),
                Sql(now),
            ])?;
        Ok(())
    }

    /// Numbers every delta that was applied since this was called last, in that order.
    pub(super) fn arrive_appended(&self, now: Timestamp) -> Result<()> {
        for appended in self.take_appended() {
            self.end_suspension(&appended.origin, now)?;
            self.arrive(Arrival::Delta, &appended.into(), now)?;
        }
        Ok(())
    }

    /// Where a client stands that has everything, as this transaction sees it.
    ///
    /// # Errors
    /// What the database reports.
    pub fn cursor(&self) -> Result<Cursor> {
        Ok(Place::last(&self.transaction)?.cursor(self.log))
    }
}

impl super::Relay {
    /// Where a client stands that has everything.
    ///
    /// # Errors
    /// What the database reports.
    pub fn cursor(&self) -> Result<Cursor> {
        self.at_one_moment(|connection| Ok(Place::last(connection)?.cursor(self.log())))
    }
}
