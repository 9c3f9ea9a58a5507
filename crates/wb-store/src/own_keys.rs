//! What is kept for the own keys: which deltas were sealed in this folder, which ones a recovery made
//! void, and what its owner decided about those (spec: identity, where a key stops).

use std::collections::BTreeMap;
use std::convert::Infallible;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use wb_core::entry::{Entry, Op};
use wb_core::feed::{Delta, FeedView, Header, Live, Opening, accept};
use wb_core::hash;
use wb_core::id::{Hash, InstanceId, LogId, RecordId};
use wb_core::identity::{IdentityLog, Position};
use wb_core::scope::{FeedScope, Kind};
use wb_core::signed::{self, Unverified};
use wb_core::time::Timestamp;

use crate::erase::NO_WORDS;
use crate::erased::ErasedList;
use crate::error::{Result, StoreError};
use crate::feeds::read_entry;
use crate::sql::{Sql, word};
use crate::store::{Store, Write};

/// A delta of an own feed as it is held here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnDelta {
    /// The feed.
    pub scope: FeedScope,
    /// The log.
    pub log: LogId,
    /// Its generation.
    pub generation: u64,
    /// Number in it.
    pub seq: u64,
    /// Hash of its header.
    pub hash: Hash,
    /// The identity entry that signs it.
    pub identity: Hash,
    /// Where that stands.
    pub position: Position,
    /// When it was sealed, as its header says.
    pub at: Timestamp,
    /// Revisions put.
    pub puts: u64,
    /// Records taken back.
    pub retracts: u64,
    /// On which computer, where it was sealed in this folder; empty where that was not noted.
    pub machine: Option<String>,
}

/// One entry of what a recovery made void.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoidEntry {
    /// Hash of the header.
    pub hash: Hash,
    /// The log.
    pub log: LogId,
    /// Number in it.
    pub seq: u64,
    /// The feed.
    pub scope: FeedScope,
    /// When its header says that it was sealed.
    pub at: Timestamp,
    /// Whether it puts; else it takes back.
    pub is_put: bool,
    /// The record.
    pub id: RecordId,
    /// Its revision.
    pub rev: u64,
    /// Its kind.
    pub kind: Kind,
    /// The line of a put, where it came.
    pub line: Option<Vec<u8>>,
}

/// What an owner decides about a void publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VoidDecision {
    /// It is published again, as an own record.
    Kept,
    /// It stays gone.
    Dropped,
}

impl VoidDecision {
    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Dropped => "dropped",
        }
    }
}

/// Whether there is a text of a local record that could be published.
const TEXT_IS_HERE: &str = "(l.life = 'active' AND l.body != '{}')";
/// Whether a local record goes less far than the feed of a void delta: by its author's choice or a steward's.
const GOES_LESS_FAR: &str = "('private' IN (l.scope, l.ceiling)
    OR (v.scope = 'public' AND 'trusted_peers' IN (l.scope, l.ceiling)))";

/// Entries of void deltas that are kept; bounds what whoever has a stolen key can make an owner keep.
const VOID_ENTRIES_MAX: i64 = 65_536;
/// Bytes of their lines; beyond it an entry is listed without its text.
const VOID_BYTES_MAX: i64 = 64 * 1_024 * 1_024;
/// Headers of void deltas that are known by name.
const VOID_HEADS_MAX: i64 = 65_536;

const VOID_COLUMNS: &str = "hash, log, seq, scope, at, op, id, rev, kind, line";

fn read_void(row: &Row<'_>) -> rusqlite::Result<VoidEntry> {
    let op: String = row.get(5)?;
    Ok(VoidEntry {
        hash: row.get::<_, Sql<Hash>>(0)?.0,
        log: row.get::<_, Sql<LogId>>(1)?.0,
        seq: row.get::<_, Sql<u64>>(2)?.0,
        scope: word(row, 3)?,
        at: row.get::<_, Sql<Timestamp>>(4)?.0,
        is_put: op == "put",
        id: row.get::<_, Sql<RecordId>>(6)?.0,
        rev: row.get::<_, Sql<u64>>(7)?.0,
        kind: word(row, 8)?,
        line: row.get(9)?,
    })
}

/// Hash of the newest entry of the own identity log.
fn newest_entry(connection: &Connection) -> Result<Option<Hash>> {
    let sql = "SELECT e.hash FROM identity_entries e JOIN instances i USING (instance_no)
               WHERE i.standing = 'self' AND e.branch = 0 ORDER BY e.n DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    match rows.next()? {
        Some(row) => Ok(Some(row.get::<_, Sql<Hash>>(0)?.0)),
        None => Ok(None),
    }
}

impl Store {
    /// Hash of the newest entry of the own identity log, without reading the log.
    ///
    /// # Errors
    /// What the database reports.
    pub fn own_newest_entry(&self) -> Result<Option<Hash>> {
        newest_entry(self.main())
    }

    /// Every delta of own feeds whose header is kept here, in the order of logs and numbers.
    ///
    /// # Errors
    /// What the database reports.
    pub fn own_deltas(&self) -> Result<Vec<OwnDelta>> {
        let sql = "SELECT h.hash, h.line, s.machine,
                     (SELECT count(*) FROM feed_lines x WHERE x.log_no = h.log_no AND x.seq = h.seq
                        AND x.idx IS NOT NULL AND x.op = 'put'),
                     (SELECT count(*) FROM feed_lines x WHERE x.log_no = h.log_no AND x.seq = h.seq
                        AND x.idx IS NOT NULL AND x.op = 'retract')
                   FROM headers h JOIN logs l USING (log_no) JOIN instances i USING (instance_no)
                     LEFT JOIN sealed_here s ON s.hash = h.hash
                   WHERE i.standing = 'self' AND h.line IS NOT NULL ORDER BY l.generation, h.log_no, h.seq";
        let mut statement = self.main().prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut deltas = Vec::new();
        while let Some(row) = rows.next()? {
            let line: Vec<u8> = row.get(1)?;
            let header = read_header(&line)?;
            deltas.push(OwnDelta {
                scope: header.scope,
                log: header.log,
                generation: header.generation,
                seq: header.seq,
                hash: row.get::<_, Sql<Hash>>(0)?.0,
                identity: header.identity,
                position: header.position(),
                at: header.at,
                puts: row.get::<_, Sql<u64>>(3)?.0,
                retracts: row.get::<_, Sql<u64>>(4)?.0,
                machine: row.get(2)?,
            });
        }
        Ok(deltas)
    }

    /// What a recovery made void and nobody decided about yet: of each record what was put last. What was taken
    /// back after it is not among it: whoever put it did not let it stay published either.
    ///
    /// # Errors
    /// What the database reports.
    pub fn void_publications(&self) -> Result<Vec<VoidEntry>> {
        let sql = format!(
            "SELECT {VOID_COLUMNS} FROM void_own v WHERE op = 'put' AND decided IS NULL
               AND NOT EXISTS (SELECT 1 FROM void_own w WHERE w.id = v.id AND w.op = 'put'
                 AND w.decided IS NULL AND (w.rev > v.rev OR (w.rev = v.rev AND w.void_no > v.void_no)))
               AND NOT EXISTS (SELECT 1 FROM void_own w WHERE w.id = v.id AND w.op = 'retract' AND w.rev >= v.rev)
             ORDER BY at, void_no"
        );
        self.void_entries(&sql)
    }

    /// Records that a void delta took back, that go less far here than they did before it, and that nobody
    /// decided about yet: whether its owner took them back or somebody else, only its owner knows.
    ///
    /// # Errors
    /// What the database reports.
    pub fn void_taken_back(&self) -> Result<Vec<VoidEntry>> {
        let sql = format!(
            "SELECT {VOID_COLUMNS} FROM void_own v WHERE op = 'retract' AND decided IS NULL
               AND NOT EXISTS (SELECT 1 FROM void_own w WHERE w.id = v.id AND w.decided IS NULL
                 AND (w.rev > v.rev OR (w.rev = v.rev AND w.op = 'retract' AND w.void_no > v.void_no)))
               AND EXISTS (SELECT 1 FROM local_records l WHERE l.id = v.id AND {TEXT_IS_HERE} AND {GOES_LESS_FAR})
             ORDER BY at, void_no"
        );
        self.void_entries(&sql)
    }

    fn void_entries(&self, sql: &str) -> Result<Vec<VoidEntry>> {
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([], read_void)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Records that a void delta took back and that go as far here as before: they return with the new log.
    ///
    /// # Errors
    /// What the database reports.
    pub fn void_retracts(&self) -> Result<u64> {
        let sql = format!(
            "SELECT count(DISTINCT v.id) FROM void_own v JOIN local_records l ON l.id = v.id
             WHERE v.op = 'retract' AND {TEXT_IS_HERE} AND NOT {GOES_LESS_FAR}"
        );
        let count = |row: &Row<'_>| row.get::<_, Sql<u64>>(0);
        Ok(self.main().query_row(&sql, [], count)?.0)
    }

    /// Whether the header of an own delta is known here as one that a recovery made void.
    ///
    /// # Errors
    /// What the database reports.
    pub fn is_void_own(&self, header: &Hash) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM void_own WHERE hash = ?1)
                     OR EXISTS (SELECT 1 FROM void_heads WHERE hash = ?1)";
        let mut statement = self.main().prepare_cached(sql)?;
        Ok(statement.query_row([Sql(header)], |row| row.get(0))?)
    }

    /// Of each instance whose log has a recovery: when the last one was, and how many records it hid here.
    ///
    /// # Errors
    /// What the database reports.
    pub fn recoveries(&self) -> Result<Vec<Recovered>> {
        let mut recovered = Vec::new();
        for (id, log) in self.logs_of_more_than_one_key()? {
            let newest = log.entries().iter().rev().find(|entry| entry.is_recover());
            let Some(entry) = newest else { continue };
            let sql = "SELECT count(DISTINCT x.id) FROM feed_lines x JOIN feeds f USING (feed_no)
                       JOIN instances i USING (instance_no) WHERE i.id = ?1 AND x.void = 1 AND x.op = ?2";
            let mut statement = self.main().prepare_cached(sql)?;
            let mut count = |op: &str| -> Result<u64> {
                let count =
                    statement.query_row(params![Sql(id), op], |row| row.get::<_, Sql<u64>>(0))?;
                Ok(count.0)
            };
            recovered.push(Recovered {
                id,
                entry: entry.hash,
                at: entry.at,
                hidden: count("put")?,
                returned: count("retract")?,
            });
        }
        Ok(recovered)
    }

    fn logs_of_more_than_one_key(&self) -> Result<Vec<(InstanceId, IdentityLog)>> {
        let sql =
            "SELECT DISTINCT i.id FROM instances i JOIN identity_entries e USING (instance_no)
                   WHERE e.n > 0 AND e.branch = 0 ORDER BY i.id";
        let mut statement = self.main().prepare_cached(sql)?;
        let ids = statement.query_map([], |row| row.get::<_, Sql<InstanceId>>(0))?;
        let ids: Vec<Sql<InstanceId>> = ids.collect::<rusqlite::Result<_>>()?;
        let mut logs = Vec::new();
        for Sql(id) in ids {
            logs.extend(self.identity_log(&id)?.map(|log| (id, log)));
        }
        Ok(logs)
    }
}

/// An instance that was recovered, as it looks from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The instance.
    pub id: InstanceId,
    /// The last recovery.
    pub entry: Hash,
    /// When it was made, as it says.
    pub at: Timestamp,
    /// Records that were put above its heads and are hidden for that.
    pub hidden: u64,
    /// Records that were taken back above its heads: they return with the new log.
    pub returned: u64,
}

fn read_header(line: &[u8]) -> Result<Header> {
    let (header, _) = Header::read(line)
        .map_err(|rule| StoreError::damaged(format!("a stored header breaks {rule}")))?;
    Ok(header)
}

impl Write<'_> {
    /// Notes that the head of an own feed was sealed in this folder, on this computer.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_sealed_here(&self, scope: FeedScope, machine: &str) -> Result<()> {
        self.transaction
            .prepare_cached(
                "INSERT INTO sealed_here (hash, machine) SELECT f.hash, ?2
                 FROM feeds f JOIN instances i USING (instance_no)
                 WHERE i.standing = 'self' AND f.scope = ?1 AND f.hash IS NOT NULL
                 ON CONFLICT (hash) DO NOTHING",
            )?
            .execute(params![scope.as_str(), machine])?;
        Ok(())
    }

    /// Whether a delta of an own feed was signed by a key of this instance, on whatever branch, and its entries
    /// are those that were signed. Of what is void nobody else asks that.
    ///
    /// # Errors
    /// What the database reports.
    pub fn proves_own(&self, delta: &Delta<'_>) -> Result<bool> {
        let own = delta.header.origin;
        let sql = "SELECT e.line FROM identity_entries e JOIN instances i USING (instance_no)
                   WHERE i.id = ?1 AND i.standing = 'self' AND e.hash = ?2";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let (mut chain, mut next) = (Vec::new(), Some(delta.header.identity));
        while let Some(hash) = next {
            let line: Option<Vec<u8>> = statement
                .query_row(params![Sql(own), Sql(hash)], |row| row.get(0))
                .optional()?;
            let Some(line) = line else { return Ok(false) };
            next = Unverified::read(&line, signed::IDENTITY)
                .ok()
                .and_then(|line| serde_json::from_slice::<Prev>(line.payload()).ok())
                .and_then(|entry| entry.prev);
            chain.push(line);
        }
        chain.reverse();
        let Ok(log) = IdentityLog::verify(Some(own), &chain) else {
            return Ok(false);
        };
        let Ok(outcome) = accept(delta, Some(&log), None, &Nothing);
        Ok(outcome.is_proved())
    }

    /// Moves what a recovery made void of what was sealed or taken in this folder into the list of void
    /// publications. What was put stays home until its owner decides, because nobody can tell whose words it
    /// has; what was taken back stays as it is here, because its owner may have done that. Nothing goes further
    /// than before. Returns the records touched.
    ///
    /// # Errors
    /// What the database reports.
    pub fn list_void_here(&self) -> Result<u64> {
        let sql = "SELECT x.op, x.id, x.rev, x.kind, x.line_hash, x.drops, x.reason, x.line, h.hash, h.line, f.scope
                   FROM feed_lines x JOIN feeds f USING (feed_no) JOIN instances i USING (instance_no)
                     JOIN headers h ON h.log_no = x.log_no AND h.seq = x.seq
                   WHERE i.standing = 'self' AND x.void = 1 AND x.aside_no IS NULL ORDER BY x.line_no";
        let mut statement = self.transaction.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut touched: BTreeMap<RecordId, bool> = BTreeMap::new();
        let mut room = self.void_room()?;
        while let Some(row) = rows.next()? {
            let entry = read_entry(row)?;
            let header: Option<Vec<u8>> = row.get(9)?;
            let Some(header) = header else { continue };
            let header = read_header(&header)?;
            let line: Option<Vec<u8>> = row.get(7)?;
            let Sql(hash): Sql<Hash> = row.get(8)?;
            if self.knows_void(&hash, &entry.id)? {
                continue;
            }
            self.put_void(&header, &hash, &entry, line.as_deref(), &mut room)?;
            let is_put = matches!(entry.op, Op::Put { .. });
            *touched.entry(entry.id).or_default() |= is_put;
        }
        for (id, _) in touched.iter().filter(|(_, is_put)| **is_put) {
            self.keep_home(id)?;
        }
        Ok(touched.len() as u64)
    }

    fn knows_void(&self, hash: &Hash, id: &RecordId) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM void_own WHERE hash = ?1 AND id = ?2)";
        let mut statement = self.transaction.prepare_cached(sql)?;
        Ok(statement.query_row(params![Sql(hash), Sql(id)], |row| row.get(0))?)
    }

    /// Whoever had the key and sat here may have written this.
    fn keep_home(&self, id: &RecordId) -> Result<()> {
        self.transaction.execute(
            "UPDATE local_records SET scope = 'private' WHERE id = ?1 AND scope != 'private'",
            [Sql(id)],
        )?;
        crate::project::project_local(&self.transaction, id)
    }

    /// Keeps that a header of an own feed is void, of which no more is known than that.
    ///
    /// # Errors
    /// What the database reports.
    pub fn name_void(&self, header: &Hash) -> Result<()> {
        self.transaction.execute(
            "INSERT INTO void_heads (hash) SELECT ?1 WHERE (SELECT count(*) FROM void_heads) < ?2
             ON CONFLICT (hash) DO NOTHING",
            params![Sql(header), VOID_HEADS_MAX],
        )?;
        Ok(())
    }

    /// Keeps what a void delta, brought from elsewhere, says. Marks of what is void count nowhere, so the next
    /// revisions of its records need not be above it.
    ///
    /// # Errors
    /// What the database reports.
    pub fn list_void(&self, delta: &Delta<'_>) -> Result<()> {
        self.name_void(&delta.hash)?;
        let mut room = self.void_room()?;
        for item in &delta.items {
            let line = item.line.as_ref().map(|line| line.bytes.as_ref());
            self.put_void(&delta.header, &delta.hash, &item.entry, line, &mut room)?;
        }
        Ok(())
    }

    /// What is left of the room for void entries.
    fn void_room(&self) -> Result<Room> {
        let sql = "SELECT count(*), ifnull(sum(length(line)), 0) FROM void_own";
        let erased = ErasedList::read(self.home)?;
        let mut statement = self.transaction.prepare_cached(sql)?;
        Ok(statement.query_row([], |row| {
            Ok(Room {
                entries: VOID_ENTRIES_MAX - row.get::<_, i64>(0)?,
                bytes: VOID_BYTES_MAX - row.get::<_, i64>(1)?,
                erased,
            })
        })?)
    }

    /// Makes the next revision of a local record one above a revision that others may have seen.
    ///
    /// # Errors
    /// What the database reports.
    pub fn rise_above(&self, id: &RecordId, rev: u64) -> Result<()> {
        self.transaction.execute(
            "UPDATE local_records SET rev = max(rev, ?2) WHERE id = ?1",
            params![Sql(id), Sql(rev)],
        )?;
        Ok(())
    }

    /// Publishes a local record again with the next sealing, with a revision above one that others saw.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_again_above(&self, id: &RecordId, rev: u64) -> Result<()> {
        self.rise_above(id, rev)?;
        self.transaction.execute(
            "UPDATE local_records SET edit = edit + 1 WHERE id = ?1 AND sealed_edit = edit",
            [Sql(id)],
        )?;
        Ok(())
    }

    /// Whether the text of a local record was erased: then no void line brings it back either.
    fn is_tombstone(&self, id: &RecordId) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM local_records
                     WHERE id = ?1 AND life = 'deleted' AND body = ?2)";
        let mut statement = self.transaction.prepare_cached(sql)?;
        Ok(statement.query_row(params![Sql(id), NO_WORDS], |row| row.get(0))?)
    }

    fn put_void(
        &self,
        header: &Header,
        hash: &Hash,
        entry: &Entry,
        line: Option<&[u8]>,
        room: &mut Room,
    ) -> Result<()> {
        let op = match entry.op {
            Op::Put { .. } => "put",
            Op::Retract { .. } => "retract",
        };
        let is_tombstone = self.is_tombstone(&entry.id)?;
        let size = |line: &[u8]| i64::try_from(line.len()).unwrap_or(i64::MAX);
        let is_erased = |line: &[u8]| {
            let is_theirs = |list: &ErasedList| list.has_line(line);
            room.erased.as_ref().is_some_and(is_theirs)
        };
        let line = line.filter(|line| size(line) <= room.bytes && !is_erased(line));
        let line = line.filter(|_| !is_tombstone);
        if room.entries <= 0 && !self.knows_void(hash, &entry.id)? {
            return Ok(());
        }
        let changed = self
            .transaction
            .prepare_cached(
                "INSERT INTO void_own (hash, log, seq, scope, at, op, id, rev, kind, line)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                 ON CONFLICT (hash, id) DO UPDATE SET line = excluded.line
                   WHERE line IS NULL AND decided IS NULL AND excluded.line IS NOT NULL",
            )?
            .execute(params![
                Sql(hash),
                Sql(header.log),
                Sql(header.seq),
                header.scope.as_str(),
                Sql(header.at),
                op,
                Sql(entry.id),
                Sql(entry.rev),
                entry.kind.as_str(),
                line,
            ])?;
        if changed > 0 {
            room.entries -= 1;
            room.bytes -= line.map_or(0, size);
        }
        Ok(())
    }

    /// Decides about everything that a recovery made void, also what is not listed because it was taken back
    /// after it was put. Its lines go.
    ///
    /// # Errors
    /// What the database reports.
    pub fn drop_void(&self) -> Result<()> {
        let sql = "UPDATE void_own SET decided = ?1, line = NULL WHERE decided IS NULL";
        self.transaction
            .execute(sql, [VoidDecision::Dropped.as_str()])?;
        Ok(())
    }

    /// Decides about what a recovery made void of a record. Its lines go: what was kept is a local record.
    ///
    /// # Errors
    /// What the database reports.
    pub fn decide_void(&self, id: &RecordId, decision: VoidDecision) -> Result<()> {
        self.transaction.execute(
            "UPDATE void_own SET decided = ?2, line = NULL WHERE id = ?1 AND decided IS NULL",
            params![Sql(id), decision.as_str()],
        )?;
        Ok(())
    }
}

/// Room that is left for void entries.
struct Room {
    entries: i64,
    bytes: i64,
    /// Whose words have none.
    erased: Option<ErasedList>,
}

/// What a stored entry says of the one before.
#[derive(serde::Deserialize)]
struct Prev {
    prev: Option<Hash>,
}

/// A reader that holds nothing.
struct Nothing;

impl FeedView for Nothing {
    type Error = Infallible;

    fn live(&self, _: &RecordId) -> std::result::Result<Option<Live>, Infallible> {
        Ok(None)
    }

    fn header_hash(&self, _: u64) -> std::result::Result<Option<Hash>, Infallible> {
        Ok(None)
    }

    fn opening(&self, _: &LogId) -> std::result::Result<Option<Opening>, Infallible> {
        Ok(None)
    }

    fn has_rival(&self, _: &LogId, _: &Opening) -> std::result::Result<bool, Infallible> {
        Ok(false)
    }
}

/// Hash of a header line, and what it says.
///
/// # Errors
/// The rule of its form that it breaks.
pub fn header_of(line: &[u8]) -> std::result::Result<(Header, Hash), wb_core::rule::Rule> {
    let (header, unverified) = Header::read(line)?;
    let body_hash = Header::body_hash(unverified.payload());
    let hash = hash::header(header.prev.as_ref(), &body_hash);
    Ok((header, hash))
}
