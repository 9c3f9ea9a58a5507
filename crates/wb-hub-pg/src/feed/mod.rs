//! The public feed of one member while it is written.
//!
//! The rules of `wb-core` decide, and ask for what they need through `FeedView`. What a push is likely to need is
//! read at once when it begins (`expect`); what was not expected is read when it is asked for. What is
//! decided is kept here until [`Feed::flush`] writes it, in a few statements for however many entries.

mod aside;
mod delta;
mod flush;
mod held;
mod identity;
mod log;
mod retry;
mod snapshot;
mod view;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use tokio_postgres::Row;
use wb_core::feed::{FeedState, Opening};
use wb_core::id::{Hash, InstanceId, LogId, RecordId};
use wb_core::identity::{IdentityLog, Position};
use wb_core::live::LiveHash;
use wb_core::scope::{FeedScope, Kind};
use wb_core::want::Held;

use crate::error::{PgError, Result};
use crate::identity as identity_log;
use crate::listing::list;
use crate::tx::{Columns as _, Tx};
use crate::write::{Noted, Write};

pub(crate) use snapshot::Taken;

/// A feed while it is written.
pub(crate) struct Feed<'w, 't, 'c> {
    write: &'w Write<'t, 'c>,
    pub id: InstanceId,
    pub no: i64,
    now: RefCell<Now>,
    kept: RefCell<Kept>,
    pending: RefCell<Pending>,
    /// Records whose row in what pages list has to be made again.
    to_list: RefCell<BTreeSet<RecordId>>,
}

/// Where it stands.
#[derive(Debug, Clone, Default)]
struct Now {
    identity: Option<Rc<IdentityLog>>,
    state: Option<FeedState>,
    /// The row of the log that it is in.
    log_no: Option<i64>,
    logs: Vec<LogRow>,
    last_line: i64,
    last_log: i64,
    last_aside: i64,
    last_held: i64,
    bound: Option<u64>,
    /// Records of which nothing is handed on: one line, or every revision.
    withheld: BTreeMap<RecordId, Option<Hash>>,
    /// Whether a delta is held that may have to go or to be tried again.
    has_held: bool,
    /// Whether its row has to be written: always, when anything was of what snapshots are made from.
    moved: bool,
}

/// A log that was seen.
#[derive(Debug, Clone)]
struct LogRow {
    no: i64,
    log: LogId,
    generation: u64,
    first: Option<Vec<u8>>,
    replaced: bool,
}

/// What was read of it, and what was written meanwhile.
#[derive(Debug, Default)]
struct Kept {
    /// What is live for an id, as far as that was asked.
    live: BTreeMap<RecordId, Option<LiveRow>>,
    /// Header hashes, by log and number.
    headers: BTreeMap<(i64, u64), Option<Hash>>,
}

/// An entry that is live.
#[derive(Debug, Clone)]
struct LiveRow {
    line_no: i64,
    rev: u64,
    kind: Kind,
    line_hash: Hash,
    has_line: bool,
}

/// What has to be written.
#[derive(Debug, Default)]
struct Pending {
    lines: Vec<NewLine>,
    /// Rows that end, and the line that came next.
    ended: Vec<(i64, i64)>,
    /// Lines for rows that had none.
    filled: Vec<(i64, Vec<u8>)>,
    headers: Vec<NewHeader>,
}

impl Pending {
    fn is_empty(&self) -> bool {
        let Self {
            lines,
            ended,
            filled,
            headers,
        } = self;
        lines.is_empty() && ended.is_empty() && filled.is_empty() && headers.is_empty()
    }
}

#[derive(Debug)]
struct NewLine {
    line_no: i64,
    log_no: i64,
    seq: u64,
    aside_no: Option<i64>,
    index: Option<i32>,
    /// Of a put; none of a retract.
    line_hash: Option<Hash>,
    id: RecordId,
    rev: u64,
    kind: Kind,
    drops: Option<Hash>,
    reason: Option<&'static str>,
    line: Option<Vec<u8>>,
    /// Whether the line is kept beside the feed.
    withheld: bool,
    live: bool,
    ended: Option<i64>,
}

#[derive(Debug)]
struct NewHeader {
    log_no: i64,
    seq: u64,
    hash: Hash,
    body_hash: Hash,
    line: Option<Vec<u8>>,
}

/// A place to which writing can go back.
pub(crate) struct Part {
    now: Now,
    noted: Noted,
    to_list: BTreeSet<RecordId>,
}

impl<'w, 't, 'c> Feed<'w, 't, 'c> {
    /// Loads the feed of a member whose row is locked. `ids` are those that will be asked for.
    pub fn load(
        write: &'w Write<'t, 'c>,
        id: InstanceId,
        no: i64,
        ids: &BTreeSet<RecordId>,
    ) -> Result<Self> {
        let feed = Self {
            write,
            id,
            no,
            now: RefCell::default(),
            kept: RefCell::default(),
            pending: RefCell::default(),
            to_list: RefCell::default(),
        };
        feed.read(ids)?;
        Ok(feed)
    }

    fn tx(&self) -> &'t Tx<'c> {
        self.write.tx
    }

    fn read(&self, ids: &BTreeSet<RecordId>) -> Result<()> {
        let wanted: Vec<&[u8]> = ids.iter().map(|id| &id.as_bytes()[..]).collect();
        let [_, feed, logs, entries, live, held, withheld] = self.tx().all([
            (
                "INSERT INTO feeds (instance_no) VALUES ($1) ON CONFLICT DO NOTHING",
                &[&self.no],
            ),
            (FEED, &[&self.no]),
            (LOGS, &[&self.no]),
            (identity_log::ENTRIES, &[&self.no]),
            (LIVE, &[&self.no, &wanted]),
            (
                "SELECT EXISTS (SELECT 1 FROM held WHERE instance_no = $1)",
                &[&self.no],
            ),
            (
                "SELECT id, line_hash FROM withheld WHERE instance_no = $1",
                &[&self.no],
            ),
        ])?;
        let identity = identity_log::read(&self.id, &entries)?.map(Rc::new);
        let logs = logs.iter().map(LogRow::read).collect::<Result<Vec<_>>>()?;
        let row = feed
            .first()
            .ok_or_else(|| PgError::damaged("a member without a feed"))?;
        let mut now = Now::read(row, &logs)?;
        (now.identity, now.logs) = (identity, logs);
        now.has_held = held.first().is_some_and(|row| row.value(0).unwrap_or(true));
        for row in &withheld {
            now.withheld.insert(row.record(0)?, row.hash_or(1)?);
        }
        *self.now.borrow_mut() = now;
        let mut kept = self.kept.borrow_mut();
        kept.live.extend(ids.iter().map(|id| (*id, None)));
        for row in &live {
            kept.live.insert(row.record(0)?, Some(LiveRow::read(row)?));
        }
        Ok(())
    }

    pub fn identity(&self) -> Option<Rc<IdentityLog>> {
        self.now.borrow().identity.clone()
    }

    pub fn bound(&self) -> Option<u64> {
        self.now.borrow().bound
    }

    /// Notes how much is kept at most of the member.
    pub fn put_bound(&self, bound: u64) {
        let mut now = self.now.borrow_mut();
        (now.bound, now.moved) = (Some(bound), true);
    }

    /// Records live.
    pub fn records(&self) -> u64 {
        self.now
            .borrow()
            .state
            .as_ref()
            .map_or(0, |state| state.live_n)
    }

    /// The heads held: one, or none.
    pub fn heads(&self) -> Vec<Held> {
        let now = self.now.borrow();
        let state = now.state.as_ref();
        let head = state.map(|state| Held {
            origin: self.id,
            scope: FeedScope::Public,
            log: state.log,
            generation: state.opening.generation,
            seq: state.seq,
            hash: state.hash,
        });
        head.into_iter().collect()
    }

    /// The row of the log that it is in, and its head.
    pub fn place_of_head(&self) -> Option<(i64, Held)> {
        let log_no = self.now.borrow().log_no?;
        self.heads().pop().map(|head| (log_no, head))
    }

    /// Writes everything, and makes the rows anew that pages list.
    pub fn end(&self) -> Result<()> {
        self.flush()?;
        list(self.write, (self.id, self.no), self.to_list.take())
    }

    /// Begins a part that can be undone alone.
    pub fn begin_part(&self) -> Result<Part> {
        self.flush()?;
        self.tx().batch("SAVEPOINT part")?;
        Ok(Part {
            now: self.now.borrow().clone(),
            noted: self.write.noted(),
            to_list: self.to_list.borrow().clone(),
        })
    }

    pub fn keep_part(&self) -> Result<()> {
        self.flush()?;
        self.tx().batch("RELEASE SAVEPOINT part")
    }

    pub fn undo_part(&self, part: Part) -> Result<()> {
        *self.pending.borrow_mut() = Pending::default();
        *self.kept.borrow_mut() = Kept::default();
        *self.now.borrow_mut() = part.now;
        *self.to_list.borrow_mut() = part.to_list;
        self.write.go_back(part.noted);
        self.tx().batch("ROLLBACK TO SAVEPOINT part")?;
        self.tx().batch("RELEASE SAVEPOINT part")
    }

    /// Whether nothing of a line is handed on.
    fn is_withheld(&self, id: &RecordId, hash: &Hash) -> bool {
        let now = self.now.borrow();
        now.withheld
            .get(id)
            .is_some_and(|only| only.is_none_or(|only| only == *hash))
    }

    fn next_line(&self) -> i64 {
        let mut now = self.now.borrow_mut();
        now.last_line += 1;
        now.moved = true;
        now.last_line
    }
}

/// What [`Now::read`] reads.
const FEED: &str =
    "SELECT log_no, seq, hash, era, key, live, live_n, forked, last_line, last_log, last_aside,
    last_held, bound FROM feeds WHERE instance_no = $1";
const LOGS: &str = "SELECT log_no, log, generation, first, replaced FROM logs WHERE instance_no = $1 ORDER BY log_no";
const LIVE: &str =
    "SELECT id, line_no, rev, kind, line_hash, line IS NOT NULL OR withheld IS NOT NULL FROM lines
    WHERE instance_no = $1 AND live = 1 AND id = ANY ($2)";

impl Now {
    fn read(row: &Row, logs: &[LogRow]) -> Result<Self> {
        let mut now = Self {
            last_line: row.value(8)?,
            last_log: row.value(9)?,
            last_aside: row.value(10)?,
            last_held: row.value(11)?,
            bound: row
                .value::<Option<i64>>(12)?
                .and_then(|bound| u64::try_from(bound).ok()),
            ..Self::default()
        };
        let Some(log_no) = row.value::<Option<i64>>(0)? else {
            return Ok(now);
        };
        let damaged = || PgError::damaged("a feed without the first header of its log");
        let log = logs
            .iter()
            .find(|log| log.no == log_no)
            .ok_or_else(damaged)?;
        let lanes: &[u8] = row.value(5)?;
        now.log_no = Some(log_no);
        now.state = Some(FeedState {
            log: log.log,
            opening: log.opening()?.ok_or_else(damaged)?,
            seq: row.number(1)?,
            hash: row.hash(2)?,
            position: Position {
                era: row.number(3)?,
                n: row.number(4)?,
            },
            live: LiveHash::from_bytes(lanes).ok_or_else(|| PgError::damaged("lanes of a feed"))?,
            live_n: row.number(6)?,
            forked: row.value(7)?,
        });
        Ok(now)
    }
}

impl LogRow {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            no: row.value(0)?,
            log: row.log(1)?,
            generation: row.number(2)?,
            first: row.value(3)?,
            replaced: row.value(4)?,
        })
    }

    fn opening(&self) -> Result<Option<Opening>> {
        let first = view::first_of(self.first.as_deref())?;
        Ok(first.map(|(first, _)| Opening::of(&first)))
    }
}

impl LiveRow {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            line_no: row.value(1)?,
            rev: row.number(2)?,
            kind: row.word(3)?,
            line_hash: row.hash(4)?,
            has_line: row.value(5)?,
        })
    }
}
