//! Exchanges with others that moved something or failed, and by which of them each line came.

use rusqlite::{OptionalExtension as _, Row, params};
use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::line::Line;
use wb_core::scope::{FeedScope, Kind};
use wb_core::time::Timestamp;

use crate::error::{Result, StoreError};
use crate::sql::{Sql, some, word};
use crate::store::{Store, Write};

/// Runs kept; the oldest go. Protects the file of a node that syncs every minute.
pub const RUNS_MAX: u64 = 1_000;

/// On which road something came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Road {
    /// Through a hub.
    Hub,
    /// In a bundle.
    Bundle,
    /// With another node, over the network.
    Direct,
    /// With another node, through a folder.
    Folder,
}

impl Road {
    /// The word in the database and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hub => "hub",
            Self::Bundle => "bundle",
            Self::Direct => "direct",
            Self::Folder => "folder",
        }
    }
}

impl std::str::FromStr for Road {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        match text {
            "hub" => Ok(Self::Hub),
            "bundle" => Ok(Self::Bundle),
            "direct" => Ok(Self::Direct),
            "folder" => Ok(Self::Folder),
            _ => Err(()),
        }
    }
}

/// How a run begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunStart<'a> {
    /// With whom; none for a bundle.
    pub peer: Option<InstanceId>,
    /// On which road.
    pub road: Road,
    /// The file's name or the address.
    pub detail: &'a str,
    /// Now.
    pub at: Timestamp,
}

/// How much a run moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunCounts {
    /// Records sent, new or revised.
    pub pushed_records: u64,
    /// Records taken back.
    pub pushed_retracts: u64,
    /// Records that are new here.
    pub pulled_new: u64,
    /// Records that have another revision here.
    pub pulled_changed: u64,
    /// Records that are not here any more.
    pub pulled_gone: u64,
    /// Deltas sent.
    pub deltas_out: u64,
    /// Deltas that came.
    pub deltas_in: u64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes that came.
    pub bytes_received: u64,
    /// Requests made.
    pub round_trips: u64,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnd<'a> {
    /// Now.
    pub at: Timestamp,
    /// What came of it, one word.
    pub outcome: &'a str,
    /// Why, when it failed.
    pub cause: Option<&'a str>,
    /// How much it moved.
    pub counts: RunCounts,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its number; never given again.
    pub run_no: i64,
    /// With whom; none for a bundle.
    pub peer: Option<InstanceId>,
    /// On which road.
    pub road: Road,
    /// The file's name or the address.
    pub detail: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; none while it runs, or when it was cut off.
    pub ended_at: Option<Timestamp>,
    /// What came of it, one word.
    pub outcome: Option<String>,
    /// Why, when it failed.
    pub cause: Option<String>,
    /// How much it moved.
    pub counts: RunCounts,
}

/// A line or a mark that came by a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// Its record.
    pub key: RecordRef,
    /// The feed it is in.
    pub scope: FeedScope,
    /// Its kind; `unknown` for what a snapshot only says was taken back.
    pub kind: Kind,
    /// Whether it was put; else it was taken back.
    pub is_put: bool,
    /// Its revision.
    pub rev: u64,
    /// Whether it is live still.
    pub live: bool,
    /// The body as JSON, where its line is here.
    pub body: Option<String>,
}

const COLUMNS: &str = "r.run_no, r.peer, r.road, r.detail, r.started_at, r.ended_at, r.outcome, r.cause,
    r.pushed_records, r.pushed_retracts, r.pulled_new, r.pulled_changed, r.pulled_gone, r.deltas_out, r.deltas_in,
    r.bytes_sent, r.bytes_received, r.round_trips";

fn read(row: &Row<'_>) -> rusqlite::Result<Run> {
    let count = |column: usize| row.get::<_, Sql<u64>>(column).map(|Sql(count)| count);
    Ok(Run {
        run_no: row.get(0)?,
        peer: some(row.get(1)?),
        road: word(row, 2)?,
        detail: row.get(3)?,
        started_at: row.get::<_, Sql<Timestamp>>(4)?.0,
        ended_at: some(row.get(5)?),
        outcome: row.get(6)?,
        cause: row.get(7)?,
        counts: RunCounts {
            pushed_records: count(8)?,
            pushed_retracts: count(9)?,
            pulled_new: count(10)?,
            pulled_changed: count(11)?,
            pulled_gone: count(12)?,
            deltas_out: count(13)?,
            deltas_in: count(14)?,
            bytes_sent: count(15)?,
            bytes_received: count(16)?,
            round_trips: count(17)?,
        },
    })
}

impl Store {
    /// The newest runs first; with one peer only, when it is given.
    ///
    /// # Errors
    /// What the database reports.
    pub fn runs(&self, limit: u64, peer: Option<&InstanceId>) -> Result<Vec<Run>> {
        self.runs_before(i64::MAX, limit, peer)
    }

    /// The same, of those before a run.
    ///
    /// # Errors
    /// What the database reports.
    pub fn runs_before(
        &self,
        before: i64,
        limit: u64,
        peer: Option<&InstanceId>,
    ) -> Result<Vec<Run>> {
        let only = if peer.is_some() {
            "r.peer = ?1"
        } else {
            "?1 IS NULL"
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM runs r WHERE {only} AND r.run_no < ?3 ORDER BY r.run_no DESC LIMIT ?2"
        );
        let mut statement = self.main().prepare_cached(&sql)?;
        let rows = statement.query_map(params![peer.map(Sql), Sql(limit), before], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// One run.
    ///
    /// # Errors
    /// What the database reports.
    pub fn run(&self, run_no: i64) -> Result<Option<Run>> {
        let sql = format!("SELECT {COLUMNS} FROM runs r WHERE r.run_no = ?1");
        let mut statement = self.main().prepare_cached(&sql)?;
        Ok(statement.query_row([run_no], read).optional()?)
    }

    /// Lines and marks that came by a run, in the order in which they came.
    ///
    /// # Errors
    /// What the database reports.
    pub fn run_records(&self, run_no: i64, limit: u64) -> Result<Vec<RunRecord>> {
        let sql = "SELECT i.id, x.id, f.scope, x.kind, x.op = 'put', x.rev, x.live = 1, x.line FROM feed_lines x
                   JOIN feeds f USING (feed_no) JOIN instances i USING (instance_no)
                   WHERE x.run_no = ?1 ORDER BY x.line_no LIMIT ?2";
        let mut statement = self.main().prepare_cached(sql)?;
        let mut rows = statement.query(params![run_no, Sql(limit)])?;
        let mut records = Vec::new();
        while let Some(row) = rows.next()? {
            records.push(read_record(row)?);
        }
        Ok(records)
    }

    /// The run by which the line came that stands for a record; none where there is none, where it was
    /// written here, and where it came before runs were counted or by one that is not kept any more.
    ///
    /// # Errors
    /// What the database reports.
    pub fn road_of(&self, key: &RecordRef) -> Result<Option<Run>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM records s JOIN instances i USING (instance_no)
             JOIN feeds f ON f.instance_no = i.instance_no
             JOIN feed_lines x ON x.feed_no = f.feed_no AND x.id = s.id AND x.live = 1 AND x.line_hash = s.line_hash
             JOIN runs r ON r.run_no = x.run_no
             WHERE i.id = ?1 AND s.id = ?2"
        );
        let mut statement = self.main().prepare_cached(&sql)?;
        let found = statement.query_row(params![Sql(key.origin), Sql(key.id)], read);
        Ok(found.optional()?)
    }
}

fn read_record(row: &Row<'_>) -> Result<RunRecord> {
    let line: Option<Vec<u8>> = row.get(7)?;
    let body = line
        .as_deref()
        .map(|line| Line::read(line).map(|line| line.body().to_owned()))
        .transpose()
        .map_err(|rule| StoreError::damaged(format!("a stored line breaks {rule}")))?;
    Ok(RunRecord {
        key: RecordRef {
            origin: row.get::<_, Sql<InstanceId>>(0)?.0,
            id: row.get::<_, Sql<RecordId>>(1)?.0,
        },
        scope: word(row, 2)?,
        kind: word(row, 3)?,
        is_put: row.get(4)?,
        rev: row.get::<_, Sql<u64>>(5)?.0,
        live: row.get(6)?,
        body,
    })
}

impl Write<'_> {
    /// Begins a run; what is taken in names it ([`crate::Ingest::of_run`]). Of too many the oldest go.
    ///
    /// # Errors
    /// What the database reports.
    pub fn start_run(&self, start: &RunStart<'_>) -> Result<i64> {
        let sql = "INSERT INTO runs (peer, road, detail, started_at) VALUES (?1, ?2, ?3, ?4)";
        self.transaction.prepare_cached(sql)?.execute(params![
            start.peer.map(Sql),
            start.road.as_str(),
            start.detail,
            Sql(start.at)
        ])?;
        let run_no = self.transaction.last_insert_rowid();
        let sql = "DELETE FROM runs WHERE run_no <= (SELECT run_no FROM runs ORDER BY run_no DESC LIMIT 1 OFFSET ?1)";
        self.transaction
            .prepare_cached(sql)?
            .execute([Sql(RUNS_MAX)])?;
        let sql = "DELETE FROM run_sent WHERE run_no < (SELECT min(run_no) FROM runs)";
        self.transaction.prepare_cached(sql)?.execute([])?;
        Ok(run_no)
    }

    /// Notes how a run ended.
    ///
    /// # Errors
    /// What the database reports.
    pub fn end_run(&self, run_no: i64, end: &RunEnd<'_>) -> Result<()> {
        let counts = end.counts;
        let sql = "UPDATE runs SET ended_at = ?2, outcome = ?3, cause = ?4, pushed_records = ?5, pushed_retracts = ?6,
               pulled_new = ?7, pulled_changed = ?8, pulled_gone = ?9, deltas_out = ?10, deltas_in = ?11,
               bytes_sent = ?12, bytes_received = ?13, round_trips = ?14 WHERE run_no = ?1";
        self.transaction.prepare_cached(sql)?.execute(params![
            run_no,
            Sql(end.at),
            end.outcome,
            end.cause,
            Sql(counts.pushed_records),
            Sql(counts.pushed_retracts),
            Sql(counts.pulled_new),
            Sql(counts.pulled_changed),
            Sql(counts.pulled_gone),
            Sql(counts.deltas_out),
            Sql(counts.deltas_in),
            Sql(counts.bytes_sent),
            Sql(counts.bytes_received),
            Sql(counts.round_trips),
        ])?;
        Ok(())
    }

    /// Forgets a run that moved nothing and did not fail. Its number is not given again.
    ///
    /// # Errors
    /// What the database reports.
    pub fn drop_run(&self, run_no: i64) -> Result<()> {
        self.transaction
            .execute("DELETE FROM runs WHERE run_no = ?1", [run_no])?;
        Ok(())
    }
}
