//! Instances known here: their identity logs, and what was decided about them by hand.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::str::FromStr;

use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};
use wb_core::id::{Hash, InstanceId, RecordId};
use wb_core::identity::{Above, IdentityLog, Merge, Placed, VerifiedLogs};
use wb_core::time::Timestamp;

use crate::error::{Result, StoreError};
use crate::feeds::Ingest;
use crate::levels::STANDING;
use crate::pictures::drop_of_hidden;
use crate::sql::{Sql, word};
use crate::store::{Store, Write};

/// An entry of the identity log.
const IN_LOG: i64 = 0;
/// An entry on a branch that a recovery made void.
const VOID: i64 = 1;
/// An entry on a branch that contradicts the log.
pub(crate) const BESIDE: i64 = 2;
/// A second recovery by one set of words: kept to be shown, and no part of any log.
pub(crate) const EVIDENCE: i64 = 3;

/// What was decided about an instance: by hand, or by what others vouch where nobody here did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// This instance itself.
    Own,
    /// Its records are shown.
    Approved,
    /// Nobody here decided; its records are shown, because others vouch for it that are trusted here.
    Vouched,
    /// Its records are held, counted and not shown.
    Waiting,
    /// Nothing of it is taken or shown.
    Blocked,
}

impl Standing {
    /// Whether records and letters of another instance are shown: decided by hand, or by what others vouch.
    #[must_use]
    pub fn is_accepted(self) -> bool {
        matches!(self, Self::Approved | Self::Vouched)
    }

    /// The word in the database and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Own => "self",
            Self::Approved => "approved",
            Self::Vouched => "vouched",
            Self::Waiting => "waiting",
            Self::Blocked => "blocked",
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Standing {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        match text {
            "self" => Ok(Self::Own),
            "approved" => Ok(Self::Approved),
            "vouched" => Ok(Self::Vouched),
            "waiting" => Ok(Self::Waiting),
            "blocked" => Ok(Self::Blocked),
            _ => Err(()),
        }
    }
}

/// An instance known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// What was decided about it.
    pub standing: Standing,
    /// Its name, from its card.
    pub name: Option<String>,
    /// When it was first seen here.
    pub first_seen: Timestamp,
    /// Whether it was approved by hand as a steward.
    pub steward: bool,
}

impl Instance {
    /// The name, or the first digits of the id where no card told one.
    #[must_use]
    pub fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.id.short())
    }
}

pub(crate) fn instance_no(connection: &Connection, id: &InstanceId) -> Result<Option<i64>> {
    let sql = "SELECT instance_no FROM instances WHERE id = ?1";
    Ok(connection
        .prepare_cached(sql)?
        .query_row([Sql(id)], |row| row.get(0))
        .optional()?)
}

/// Logs that were read before.
static VERIFIED: VerifiedLogs = VerifiedLogs::new();

/// Reads a stored log; signatures of bytes that were not read before are verified, so that a damaged file is noticed.
pub(crate) fn identity_log(
    connection: &Connection,
    id: &InstanceId,
) -> Result<Option<IdentityLog>> {
    let Some(no) = instance_no(connection, id)? else {
        return Ok(None);
    };
    let sql = "SELECT line, hash, branch FROM identity_entries WHERE instance_no = ?1 ORDER BY n";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([no])?;
    let (mut lines, mut beside): (Vec<Vec<u8>>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
    let mut void = Vec::new();
    while let Some(row) = rows.next()? {
        match row.get(2)? {
            VOID => void.push(row.get::<_, Sql<Hash>>(1)?.0),
            BESIDE => beside.push(row.get(0)?),
            EVIDENCE => {}
            _ => lines.push(row.get(0)?),
        }
    }
    // One that was refused here before anything of it came.
    if lines.is_empty() && void.is_empty() && beside.is_empty() {
        return Ok(None);
    }
    let log = VERIFIED
        .stored(*id, &lines, void, &beside)
        .map_err(|error| StoreError::damaged(format!("identity log of {id}: {error}")))?;
    Ok(Some(log))
}

/// The log that was read last within one transaction. Feeds come one after the other, so one is
/// enough, and its signatures are verified once and not for each delta.
#[derive(Debug, Default)]
pub(crate) struct KnownIdentity(RefCell<Option<Rc<IdentityLog>>>);

impl KnownIdentity {
    /// The stored log of an instance, as [`identity_log`] reads it.
    pub fn log(&self, connection: &Connection, id: &InstanceId) -> Result<Option<Rc<IdentityLog>>> {
        let known = self
            .0
            .borrow()
            .as_ref()
            .filter(|log| log.id() == *id)
            .cloned();
        if known.is_some() {
            return Ok(known);
        }
        let log = identity_log(connection, id)?.map(Rc::new);
        self.0.borrow_mut().clone_from(&log);
        Ok(log)
    }

    /// Reads anew next time: what is stored may have changed.
    pub fn forget(&self) {
        self.0.borrow_mut().take();
    }
}

/// Takes an identity log that was verified: stores what is new and undoes what became void.
fn put_identity(
    ingest: &Ingest<'_>,
    offered: &IdentityLog,
    standing_if_new: Standing,
) -> Result<Merge> {
    let (id, connection) = (offered.id(), ingest.connection());
    connection.execute(
        "INSERT INTO instances (id, standing, first_seen) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING",
        params![Sql(id), standing_if_new.as_str(), Sql(ingest.now())],
    )?;
    let no = instance_no(connection, &id)?.expect("inserted above");
    let count = "SELECT count(*) FROM identity_entries WHERE instance_no = ?1";
    let mut count = connection.prepare_cached(count)?;
    let is_new = count.query_row([no], |row| row.get::<_, i64>(0))? == 0;
    if is_new {
        store_entries(connection, no, offered)?;
        return Ok(Merge::Extend);
    }
    let held = identity_log(connection, &id)?.expect("it has entries");
    let (merge, merged) = held.offer(offered);
    match merge {
        Merge::Known | Merge::Stale => {}
        Merge::TwoRecovers => keep_evidence(connection, no, &held, offered)?,
        Merge::TwoRotates => store_entries(connection, no, &merged)?,
        Merge::Extend | Merge::Replace => {
            store_entries(connection, no, &merged)?;
            void_above_heads(ingest, no, &merged)?;
        }
    }
    Ok(merge)
}

/// Stores what is new, and moves what is known to the branch it is on now.
fn store_entries(connection: &Connection, no: i64, log: &IdentityLog) -> Result<()> {
    for hash in log.void() {
        connection.execute(
            "UPDATE identity_entries SET branch = ?3 WHERE instance_no = ?1 AND hash = ?2",
            params![no, Sql(hash), VOID],
        )?;
    }
    let in_log = log.entries().iter().map(|entry| (entry, IN_LOG));
    let beside = log.beside().iter().map(|entry| (entry, BESIDE));
    for (entry, branch) in in_log.chain(beside) {
        connection.execute(
            "INSERT INTO identity_entries (instance_no, hash, n, line, branch) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (instance_no, hash) DO UPDATE SET branch = excluded.branch",
            params![
                no,
                Sql(entry.hash),
                Sql(entry.position.n),
                entry.line,
                branch
            ],
        )?;
    }
    Ok(())
}

/// Keeps the first recovery of a log that contradicts the one held. One is evidence enough: whoever has
/// the words could make more without end.
fn keep_evidence(
    connection: &Connection,
    no: i64,
    held: &IdentityLog,
    offered: &IdentityLog,
) -> Result<()> {
    let other = offered
        .entries()
        .iter()
        .find(|entry| entry.is_recover() && held.entry(&entry.hash).is_none())
        .expect("a log with a second recovery has one that is not in the other");
    connection.execute(
        "INSERT INTO identity_entries (instance_no, hash, n, line, branch) SELECT ?1, ?2, ?3, ?4, ?5
         WHERE NOT EXISTS (SELECT 1 FROM identity_entries WHERE instance_no = ?1 AND branch = ?5)
         ON CONFLICT (instance_no, hash) DO NOTHING",
        params![
            no,
            Sql(other.hash),
            Sql(other.position.n),
            other.line,
            EVIDENCE
        ],
    )?;
    Ok(())
}

/// Takes back what void headers did: those that were applied, whose feed is forked when one is its
/// head, and those that were set aside.
fn void_above_heads(ingest: &Ingest<'_>, no: i64, log: &IdentityLog) -> Result<()> {
    // Of a header whose line was forgotten (retention of a hub) the next one that is kept tells the log, and
    // a position that its own is not above.
    let sql = "SELECT h.log_no, h.seq, h.hash, ifnull(h.line, (SELECT n.line FROM headers n
                 WHERE n.log_no = h.log_no AND n.seq > h.seq AND n.line IS NOT NULL ORDER BY n.seq LIMIT 1)) AS line,
                 NULL, h.line IS NULL
               FROM headers h JOIN logs l USING (log_no) WHERE l.instance_no = ?1
               UNION ALL
               SELECT a.log_no, 0, a.hash, a.line, a.aside_no, 0
               FROM asides a JOIN logs l USING (log_no) WHERE l.instance_no = ?1";
    let mut statement = ingest.connection().prepare(sql)?;
    let mut rows = statement.query([no])?;
    while let Some(row) = rows.next()? {
        let Some(line) = row.get::<_, Option<Vec<u8>>>(3)? else {
            continue;
        };
        let (Sql(seq), Sql(hash)): (Sql<u64>, Sql<Hash>) = (row.get(1)?, row.get(2)?);
        let forgotten = row.get::<_, bool>(5)?.then_some(seq);
        if is_void(log, &line, forgotten, hash)? {
            let (log_no, seq): (i64, i64) = (row.get(0)?, row.get(1)?);
            match row.get::<_, Option<i64>>(4)? {
                None => mark_void(ingest, no, log_no, seq)?,
                Some(aside_no) => mark_aside_void(ingest, no, aside_no)?,
            }
        }
    }
    Ok(())
}

/// Whether a header is void, by its line. Where that was forgotten, `line` is the one of the next header kept
/// of the same log, and `forgotten` the number of the one meant.
pub(crate) fn is_void(
    log: &IdentityLog,
    line: &[u8],
    forgotten: Option<u64>,
    hash: Hash,
) -> Result<bool> {
    let (header, _) = wb_core::feed::Header::read(line)
        .map_err(|rule| StoreError::damaged(format!("a stored header breaks {rule}")))?;
    Ok(match forgotten {
        None => log.is_void(&header.identity, &header.placed(hash)),
        Some(seq) => {
            let placed = Placed {
                seq,
                ..header.placed(hash)
            };
            log.above_last_head(&placed) == Some(Above::Recover)
        }
    })
}

fn mark_void(ingest: &Ingest<'_>, no: i64, log_no: i64, seq: i64) -> Result<()> {
    ingest.connection().execute(
        "UPDATE feeds SET forked = 1 WHERE log_no = ?1 AND seq = ?2",
        [log_no, seq],
    )?;
    let lines = "log_no = ?1 AND seq = ?2 AND aside_no IS NULL";
    mark_lines_void(ingest, no, lines, &[log_no, seq])
}

fn mark_aside_void(ingest: &Ingest<'_>, no: i64, aside_no: i64) -> Result<()> {
    mark_lines_void(ingest, no, "aside_no = ?1", &[aside_no])
}

fn mark_lines_void(ingest: &Ingest<'_>, no: i64, lines: &str, values: &[i64]) -> Result<()> {
    let connection = ingest.connection();
    let ids = format!("SELECT DISTINCT id FROM feed_lines WHERE {lines}");
    let ids: Vec<Sql<RecordId>> = connection
        .prepare(&ids)?
        .query_map(params_from_iter(values), |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let void = format!("UPDATE feed_lines SET void = 1 WHERE {lines}");
    connection.execute(&void, params_from_iter(values))?;
    for Sql(id) in ids {
        ingest.project(no, &id)?;
    }
    Ok(())
}

impl Store {
    /// The stored identity log of an instance.
    ///
    /// # Errors
    /// What the database reports.
    pub fn identity_log(&self, id: &InstanceId) -> Result<Option<IdentityLog>> {
        identity_log(self.main(), id)
    }

    /// All instances known here, this one first, then by name.
    ///
    /// # Errors
    /// What the database reports.
    pub fn instances(&self) -> Result<Vec<Instance>> {
        let own = self.own_name()?;
        let sql = format!(
            "SELECT id, {STANDING}, name, first_seen, steward FROM instances i
             ORDER BY standing != 'self', name IS NULL, name, id"
        );
        let mut statement = self.main().prepare_cached(&sql)?;
        let rows = statement.query_map([], |row| {
            let standing: Standing = word(row, 1)?;
            Ok(Instance {
                id: row.get::<_, Sql<InstanceId>>(0)?.0,
                standing,
                name: if standing == Standing::Own {
                    Some(own.clone())
                } else {
                    row.get(2)?
                },
                first_seen: row.get::<_, Sql<Timestamp>>(3)?.0,
                steward: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What was decided about one instance; `None` when it is not known here.
    ///
    /// # Errors
    /// What the database reports.
    pub fn standing(&self, id: &InstanceId) -> Result<Option<Standing>> {
        let sql = format!("SELECT {STANDING} FROM instances i WHERE id = ?1");
        Ok(self
            .main()
            .prepare_cached(&sql)?
            .query_row([Sql(id)], |row| word(row, 0))
            .optional()?)
    }
}

impl Ingest<'_> {
    /// Takes a verified identity log, and tries again what waited for it. An instance that is new
    /// here gets the standing given.
    ///
    /// # Errors
    /// What the database reports.
    pub fn identity(&self, log: &IdentityLog, standing_if_new: Standing) -> Result<Merge> {
        self.known.forget();
        let merge = put_identity(self, log, standing_if_new)?;
        if matches!(merge, Merge::Extend | Merge::Replace) {
            self.retry_after_identity(&log.id())?;
        }
        Ok(merge)
    }

    /// Hash of the newest entry of an instance's log.
    pub(crate) fn newest_entry(&self, id: &InstanceId) -> Result<Option<Hash>> {
        let log = self.known.log(self.connection(), id)?;
        Ok(log.map(|log| log.newest().hash))
    }
}

impl Write<'_> {
    /// Takes a verified identity log, and tries again what waited for it. An instance that is new
    /// here gets the standing given.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_identity(
        &self,
        log: &IdentityLog,
        standing_if_new: Standing,
        now: Timestamp,
    ) -> Result<Merge> {
        self.ingest(now).identity(log, standing_if_new)
    }

    /// An instance's name, where its card told one.
    ///
    /// # Errors
    /// What the database reports.
    pub fn instance_name(&self, id: &InstanceId) -> Result<Option<String>> {
        let sql = "SELECT name FROM instances WHERE id = ?1";
        let name: Option<Option<String>> = self
            .transaction
            .query_row(sql, [Sql(id)], |row| row.get(0))
            .optional()?;
        Ok(name.flatten())
    }

    /// Decides about an instance by hand. That it was approved as a steward ends with that.
    ///
    /// # Errors
    /// What the database reports.
    pub fn set_standing(&self, id: &InstanceId, standing: Standing) -> Result<()> {
        self.transaction.execute(
            "UPDATE instances SET standing = ?2, steward = 0 WHERE id = ?1 AND standing != 'self'",
            params![Sql(id), standing.as_str()],
        )?;
        drop_of_hidden(&self.transaction)
    }

    /// Approves an instance that waits; any other decision stays.
    ///
    /// # Errors
    /// What the database reports.
    pub fn approve(&self, id: &InstanceId) -> Result<()> {
        self.transaction.execute(
            "UPDATE instances SET standing = 'approved', steward = 0 WHERE id = ?1 AND standing = 'waiting'",
            params![Sql(id)],
        )?;
        Ok(())
    }

    /// The stored identity log of an instance, as this transaction sees it.
    ///
    /// # Errors
    /// What the database reports.
    pub fn identity_log(&self, id: &InstanceId) -> Result<Option<IdentityLog>> {
        identity_log(&self.transaction, id)
    }
}
