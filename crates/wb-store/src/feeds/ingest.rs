//! Taking in identity logs, deltas and snapshots inside one transaction.

use std::cell::RefCell;
use std::sync::LazyLock;

use rusqlite::{Connection, OptionalExtension as _, Statement, params};
use wb_core::entry::{Entry, Op};
use wb_core::feed::FeedState;
use wb_core::id::{Hash, InstanceId, LogId, RecordId};
use wb_core::line::Line;
use wb_core::scope::FeedScope;
use wb_core::time::Timestamp;

use super::view::FeedNos;
use crate::error::Result;
use crate::instances::KnownIdentity;
use crate::project::{is_own, project_filled, project_record};
use crate::relay::{Touched, list_record};
use crate::sql::{Sql, insert};
use crate::store::Write;

/// Takes in what came, at one time.
#[derive(Debug)]
pub struct Ingest<'w> {
    pub(super) connection: &'w Connection,
    pub(super) now: Timestamp,
    pub(crate) known: &'w KnownIdentity,
    run_no: Option<i64>,
    /// What is made of it for people to look at.
    projection: Projection<'w>,
    /// Takes note of each delta that is applied, in the order in which they are.
    appended: Option<&'w RefCell<Vec<Appended>>>,
}

/// What is made of the lines of others for people to look at.
#[derive(Debug, Clone, Copy)]
enum Projection<'w> {
    /// What a node shows its members.
    Records,
    /// What a hub lists on its pages; the requests that are touched by it are told of later.
    Listings(&'w Touched),
}

/// A delta that was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Appended {
    pub origin: InstanceId,
    pub scope: FeedScope,
    pub log_no: i64,
    pub seq: u64,
    pub hash: Hash,
}

impl Write<'_> {
    /// Starts taking in what came.
    #[must_use]
    pub fn ingest(&self, now: Timestamp) -> Ingest<'_> {
        Ingest {
            connection: &self.transaction,
            now,
            known: &self.known,
            run_no: None,
            projection: Projection::Records,
            appended: None,
        }
    }
}

impl<'w> Ingest<'w> {
    /// Takes in what a hub relays: it is listed, and each delta applied is noted.
    pub(crate) fn relaying(
        connection: &'w Connection,
        known: &'w KnownIdentity,
        appended: &'w RefCell<Vec<Appended>>,
        touched: &'w Touched,
        now: Timestamp,
    ) -> Self {
        Self {
            connection,
            now,
            known,
            run_no: None,
            projection: Projection::Listings(touched),
            appended: Some(appended),
        }
    }

    /// Takes in what one run brings: every line and mark names it.
    #[must_use]
    pub fn of_run(mut self, run_no: impl Into<Option<i64>>) -> Self {
        self.run_no = run_no.into();
        self
    }

    pub(super) fn run_no(&self) -> Option<i64> {
        self.run_no
    }

    /// Whether this is a node's file, and not a hub's.
    pub(super) fn shows_records(&self) -> bool {
        matches!(self.projection, Projection::Records)
    }

    pub(crate) fn connection(&self) -> &'w Connection {
        self.connection
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Makes the row of a record in what is shown.
    pub(crate) fn project(&self, instance_no: i64, id: &RecordId) -> Result<()> {
        match self.projection {
            Projection::Records => project_record(self.connection, instance_no, id),
            Projection::Listings(touched) => {
                list_record(self.connection, touched, instance_no, id, self.now)
            }
        }
    }

    /// Whether rows of an instance are made from its lines: this is a node's file, and it is not the node's own.
    pub(super) fn shows_lines_of(&self, instance_no: i64) -> Result<bool> {
        Ok(self.shows_records() && !is_own(self.connection, instance_no)?)
    }

    /// Makes the row of a record whose line came just now, in what is shown.
    pub(super) fn project_line(&self, instance_no: i64, line: &Line<'_>) -> Result<()> {
        match self.projection {
            Projection::Records => project_filled(self.connection, instance_no, line),
            Projection::Listings(_) => self.project(instance_no, &line.id),
        }
    }

    pub(super) fn note_appended(&self, appended: Appended) {
        if let Some(list) = self.appended {
            list.borrow_mut().push(appended);
        }
    }
}

impl Ingest<'_> {
    /// The row of a log, made when it is new. The first header that was held of it stays.
    pub(super) fn log_no(
        &self,
        instance_no: i64,
        scope: FeedScope,
        log: &LogId,
        generation: u64,
        first: Option<&[u8]>,
    ) -> Result<i64> {
        self.connection.prepare_cached(
            "INSERT INTO logs (instance_no, scope, log, generation, first) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (instance_no, scope, log) WHERE replaced = 0
             DO UPDATE SET first = COALESCE(first, excluded.first)",
        )?
        .execute(params![instance_no, scope.as_str(), Sql(log), Sql(generation), first])?;
        let sql = "SELECT log_no FROM logs WHERE instance_no = ?1 AND scope = ?2 AND log = ?3 AND replaced = 0";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(
            statement.query_row(params![instance_no, scope.as_str(), Sql(log)], |row| {
                row.get(0)
            })?,
        )
    }

    /// The row of a log that is taken from the header `first` on, whatever other header of that place
    /// was seen before. A log that was taken before from another header keeps its row, set apart.
    pub(super) fn open_log(
        &self,
        instance_no: i64,
        scope: FeedScope,
        log: &LogId,
        generation: u64,
        first: (&[u8], &Hash),
    ) -> Result<i64> {
        let (first, body_hash) = first;
        let log_no = self.log_no(instance_no, scope, log, generation, Some(first))?;
        let sql = "SELECT body_hash FROM headers WHERE log_no = ?1 AND seq = 0";
        let taken_from: Option<Sql<Hash>> = self
            .connection
            .prepare_cached(sql)?
            .query_row([log_no], |row| row.get(0))
            .optional()?;
        if taken_from.is_some_and(|Sql(taken_from)| taken_from != *body_hash) {
            self.connection
                .execute("UPDATE logs SET replaced = 1 WHERE log_no = ?1", [log_no])?;
            return self.log_no(instance_no, scope, log, generation, Some(first));
        }
        self.connection
            .prepare_cached("UPDATE logs SET generation = ?2, first = ?3 WHERE log_no = ?1")?
            .execute(params![log_no, Sql(generation), first])?;
        Ok(log_no)
    }

    /// Moves a feed to a new head; makes its row when it is new.
    pub(super) fn put_state(
        &self,
        instance_no: i64,
        scope: FeedScope,
        log_no: i64,
        state: &FeedState,
        valid_until: Option<Timestamp>,
    ) -> Result<FeedNos> {
        self.connection.prepare_cached(
            "INSERT INTO feeds (instance_no, scope, log_no, seq, hash, era, key, live, live_n, forked, valid_until)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (instance_no, scope) DO UPDATE SET log_no = excluded.log_no, seq = excluded.seq,
               hash = excluded.hash, era = excluded.era, key = excluded.key, live = excluded.live,
               live_n = excluded.live_n, forked = excluded.forked, valid_until = excluded.valid_until",
        )?
        .execute(params![
            instance_no,
            scope.as_str(),
            log_no,
            Sql(state.seq),
            Sql(state.hash),
            Sql(state.position.era),
            Sql(state.position.n),
            state.live.to_bytes(),
            Sql(state.live_n),
            state.forked,
            valid_until.map(Sql),
        ])?;
        let sql = "SELECT feed_no FROM feeds WHERE instance_no = ?1 AND scope = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let feed_no =
            statement.query_row(params![instance_no, scope.as_str()], |row| row.get(0))?;
        Ok(FeedNos { feed_no, log_no })
    }

    pub(super) fn put_header(
        &self,
        log_no: i64,
        seq: u64,
        hash: &Hash,
        body_hash: &Hash,
        line: Option<&[u8]>,
    ) -> Result<()> {
        self.connection.prepare_cached(
            "INSERT INTO headers (log_no, seq, hash, body_hash, line) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (log_no, seq) DO UPDATE SET line = COALESCE(line, excluded.line)",
        )?
        .execute(params![log_no, Sql(seq), Sql(hash), Sql(body_hash), line])?;
        Ok(())
    }

    /// Ends the live row of an id: its line and salt go, the mark stays.
    pub(super) fn end_live(&self, feed_no: i64, id: &RecordId) -> Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE OR FAIL feed_lines SET live = 0, line = NULL, ended = (SELECT max(line_no) + 1 FROM feed_lines)
                 WHERE feed_no = ?1 AND id = ?2 AND live = 1",
            )?
            .execute(params![feed_no, Sql(id)])?;
        Ok(())
    }

    pub(super) fn put_entry(
        &self,
        nos: FeedNos,
        at: Place,
        entry: &Entry,
        line: Option<&[u8]>,
    ) -> Result<()> {
        let mut statement = self.connection.prepare_cached(&PUT_ENTRY)?;
        bind_entry(&mut statement, 0, nos, at, entry, line)?;
        statement.raw_execute()?;
        Ok(())
    }
}

/// What [`bind_entry`] binds, in its order.
pub(super) const ENTRY_COLUMNS: [&str; 15] = [
    "feed_no",
    "log_no",
    "seq",
    "aside_no",
    "idx",
    "op",
    "id",
    "rev",
    "kind",
    "line_hash",
    "drops",
    "reason",
    "line",
    "live",
    "run_no",
];

static PUT_ENTRY: LazyLock<String> = LazyLock::new(|| insert("feed_lines", &ENTRY_COLUMNS, 1));

/// Binds an entry to the parameters after those `before`.
pub(super) fn bind_entry(
    statement: &mut Statement<'_>,
    before: usize,
    nos: FeedNos,
    at: Place,
    entry: &Entry,
    line: Option<&[u8]>,
) -> Result<()> {
    let (op, line_hash, reason, live) = match entry.op {
        Op::Put { line_hash } => ("put", Some(line_hash), None, at.applied),
        Op::Retract { reason } => ("retract", None, Some(reason.as_str()), false),
    };
    statement.raw_bind_parameter(before + 1, nos.feed_no)?;
    statement.raw_bind_parameter(before + 2, nos.log_no)?;
    statement.raw_bind_parameter(before + 3, Sql(at.seq))?;
    statement.raw_bind_parameter(before + 4, at.aside_no)?;
    statement.raw_bind_parameter(before + 5, at.index)?;
    statement.raw_bind_parameter(before + 6, op)?;
    statement.raw_bind_parameter(before + 7, Sql(entry.id))?;
    statement.raw_bind_parameter(before + 8, Sql(entry.rev))?;
    statement.raw_bind_parameter(before + 9, entry.kind.as_str())?;
    statement.raw_bind_parameter(before + 10, line_hash.map(Sql))?;
    statement.raw_bind_parameter(before + 11, entry.drops.map(Sql))?;
    statement.raw_bind_parameter(before + 12, reason)?;
    statement.raw_bind_parameter(before + 13, line)?;
    statement.raw_bind_parameter(before + 14, live)?;
    statement.raw_bind_parameter(before + 15, at.run_no)?;
    Ok(())
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub seq: u64,
    /// The delta set aside that it is of.
    pub aside_no: Option<i64>,
    /// Place in its delta; none from a snapshot.
    pub index: Option<i64>,
    /// Whether a put becomes live.
    pub applied: bool,
    /// The run by which it came.
    pub run_no: Option<i64>,
}
