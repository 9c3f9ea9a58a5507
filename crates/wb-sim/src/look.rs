//! Reading the files of nodes and hubs in plain SQL, past the code that wrote them.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};
use wb_core::id::InstanceId;

use crate::error::SimError;
use crate::ledger::{Live, LiveLine, MARK_START};

/// What was seen of the revisions of a record.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mark {
    /// The highest that was put.
    pub put: Option<i64>,
    /// The highest that was taken back.
    pub taken_back: Option<i64>,
}

impl Mark {
    /// Whether it lets a revision not be shown.
    pub fn outdoes(&self, rev: i64) -> bool {
        self.put > Some(rev) || self.taken_back >= Some(rev)
    }
}

/// What was seen of each record, by the bytes of its id.
pub type Marks = BTreeMap<Vec<u8>, Mark>;

/// A feed that contradicts itself.
pub const FORKED: &str = "forked";
/// A live record whose line is not here.
pub const WITHOUT_WORDS: &str = "without its words";

/// A file that is looked at.
#[derive(Debug)]
pub struct Look {
    connection: Connection,
}

/// A public feed as some file holds it.
#[derive(Debug, Clone)]
pub struct HeldFeed {
    pub origin: Vec<u8>,
    /// Null while only marks of it are held.
    pub head: Option<Vec<u8>>,
    pub seq: Option<i64>,
    /// Which of two logs counts is told by these: the recovery under which it stands, and its generation.
    pub era: Option<i64>,
    pub generation: Option<i64>,
}

impl HeldFeed {
    /// How far it is: a later log is further than any number in an earlier one.
    pub fn place(&self) -> (Option<i64>, Option<i64>, Option<i64>) {
        (self.era, self.generation, self.seq)
    }
}

/// Where a feed stands, and what is live then.
#[derive(Debug, Clone)]
pub struct Head {
    pub hash: Vec<u8>,
    pub seq: i64,
    pub live: Live,
}

/// A record that is shown.
#[derive(Debug, Clone)]
pub struct Shown {
    pub origin: Vec<u8>,
    pub id: Vec<u8>,
    pub kind: String,
    pub body: String,
}

/// A record by its origin and id.
type Key = (Vec<u8>, Vec<u8>);

/// A delta that was set aside.
#[derive(Debug, Clone)]
pub struct HeldDelta {
    pub origin: Vec<u8>,
    pub outcome: String,
    pub rule: Option<String>,
    pub seq: i64,
}

impl Look {
    /// Opens a database to read.
    pub fn open(file: &Path) -> Result<Self, SimError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Ok(Self {
            connection: Connection::open_with_flags(file, flags)?,
        })
    }

    /// The public feeds held.
    pub fn feeds(&self) -> Result<Vec<HeldFeed>, SimError> {
        let sql = "SELECT i.id, f.hash, f.seq, f.era, l.generation FROM feeds f
                   JOIN instances i USING (instance_no) LEFT JOIN logs l USING (log_no)
                   WHERE f.scope = 'public' ORDER BY i.id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(HeldFeed {
                origin: row.get(0)?,
                head: row.get(1)?,
                seq: row.get(2)?,
                era: row.get(3)?,
                generation: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The public feed of one instance.
    pub fn feed(&self, origin: &InstanceId) -> Result<Option<HeldFeed>, SimError> {
        let feeds = self.feeds()?;
        Ok(feeds
            .into_iter()
            .find(|feed| feed.origin == origin.as_bytes()))
    }

    /// Where the public feed of an instance stands, where anything of it is there.
    pub fn head(&self, origin: &InstanceId) -> Result<Option<Head>, SimError> {
        let Some(HeldFeed {
            head: Some(hash),
            seq: Some(seq),
            ..
        }) = self.feed(origin)?
        else {
            return Ok(None);
        };
        let live = self.live(origin.as_bytes())?;
        Ok(Some(Head { hash, seq, live }))
    }

    /// What is live in the public feed of an instance.
    pub fn live(&self, origin: &[u8]) -> Result<Live, SimError> {
        let sql = "SELECT l.id, l.rev, l.line_hash, l.line FROM feed_lines l
                   JOIN feeds f USING (feed_no) JOIN instances i USING (instance_no)
                   WHERE i.id = ?1 AND f.scope = 'public' AND l.live = 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([origin], |row| {
            let line = LiveLine {
                rev: row.get(1)?,
                line_hash: row.get(2)?,
                line: row.get(3)?,
            };
            Ok((row.get(0)?, line))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What is known here of each record of an instance: the highest revision put, and the highest taken back.
    pub fn marks(&self, origin: &InstanceId) -> Result<Marks, SimError> {
        let sql = "SELECT l.id, max(l.rev) FILTER (WHERE l.op = 'put'), max(l.rev) FILTER (WHERE l.op = 'retract')
                   FROM feed_lines l JOIN feeds f USING (feed_no) JOIN instances i USING (instance_no)
                   WHERE i.id = ?1 AND l.void = 0 GROUP BY l.id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([origin.as_bytes()], |row| {
            let mark = Mark {
                put: row.get(1)?,
                taken_back: row.get(2)?,
            };
            Ok((row.get(0)?, mark))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The number of the newest key of an instance that is known here.
    pub fn newest_key(&self, id: &InstanceId) -> Result<Option<i64>, SimError> {
        let sql = "SELECT max(e.n) FROM identity_entries e JOIN instances i USING (instance_no)
                   WHERE i.id = ?1 AND e.branch = 0";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([id.as_bytes()], |row| row.get(0))?)
    }

    /// What is shown of others.
    pub fn shown(&self) -> Result<Vec<Shown>, SimError> {
        let sql =
            "SELECT i.id, r.id, r.kind, r.body FROM records r JOIN instances i USING (instance_no)
                   WHERE i.standing = 'approved' AND r.cause IS NULL AND r.body IS NOT NULL";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(Shown {
                origin: row.get(0)?,
                id: row.get(1)?,
                kind: row.get(2)?,
                body: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Records of others that are shown although a mark held here says they were taken back.
    pub fn shown_though_taken_back(&self) -> Result<Vec<Key>, SimError> {
        let sql = "SELECT i.id, r.id FROM records r JOIN instances i USING (instance_no)
                   WHERE i.standing = 'approved' AND r.cause IS NULL AND r.body IS NOT NULL AND EXISTS (
                       SELECT 1 FROM feed_lines l JOIN feeds f USING (feed_no)
                       WHERE f.instance_no = r.instance_no AND l.id = r.id AND l.op = 'retract'
                       AND l.void = 0 AND l.rev >= r.rev)";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What a member wrote as its file has it: scope and body.
    pub fn local(&self, id: &[u8]) -> Result<Option<(String, String)>, SimError> {
        let sql = "SELECT scope, body FROM local_records WHERE id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let row = statement
            .query_row(params![id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        Ok(row)
    }

    /// Records of its own, of those kinds whose texts carry marks. A word about a request that carries none was said by
    /// the program: before one is taken back, what it left shown is said anew.
    pub fn local_count(&self) -> Result<i64, SimError> {
        let sql = "SELECT count(*) FROM local_records
                   WHERE kind IN ('request', 'comment') OR (kind = 'status' AND instr(body, ?1) > 0)";
        Ok(self
            .connection
            .query_row(sql, [MARK_START], |row| row.get(0))?)
    }

    /// What of others a person has to be told: each with its origin, in words for the list of steps.
    pub fn anomalies(&self) -> Result<Vec<(Vec<u8>, &'static str)>, SimError> {
        let kinds = [
            (
                FORKED,
                "SELECT DISTINCT i.id FROM feeds f JOIN instances i USING (instance_no) WHERE f.forked = 1",
            ),
            ("set aside", "SELECT DISTINCT origin FROM held"),
            (
                WITHOUT_WORDS,
                "SELECT DISTINCT i.id FROM feed_lines l JOIN feeds f USING (feed_no)
                 JOIN instances i USING (instance_no) WHERE l.live = 1 AND l.line IS NULL",
            ),
            (
                "keys that contradict each other",
                "SELECT DISTINCT i.id FROM identity_entries e JOIN instances i USING (instance_no)
                 WHERE e.branch = 2",
            ),
        ];
        let mut anomalies = Vec::new();
        for (what, sql) in kinds {
            let mut statement = self.connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| row.get(0))?;
            for origin in rows {
                anomalies.push((origin?, what));
            }
        }
        Ok(anomalies)
    }

    /// Deltas set aside.
    pub fn held(&self) -> Result<Vec<HeldDelta>, SimError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT origin, outcome, rule, seq FROM held")?;
        let rows = statement.query_map([], |row| {
            Ok(HeldDelta {
                origin: row.get(0)?,
                outcome: row.get(1)?,
                rule: row.get(2)?,
                seq: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
