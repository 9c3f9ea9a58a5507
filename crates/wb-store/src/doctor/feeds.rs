//! Checks of feeds and identity logs, which a node's file and a hub's hold alike.
//!
//! Everything is counted and hashed anew from its rows, as simply as can be.

use rusqlite::Connection;
use wb_core::feed::{Header, Live};
use wb_core::hash;
use wb_core::id::{Hash, InstanceId, LogId, RecordId};
use wb_core::identity::IdentityLog;
use wb_core::live::LiveHash;
use wb_core::scope::FeedScope;

use super::Looked;
use crate::error::Result;
use crate::instances::{KnownIdentity, identity_log};
use crate::sql::{Sql, some, word};

/// Every identity log verifies from its first entry on.
pub(crate) fn check_identities(connection: &Connection) -> Result<Looked> {
    let mut looked = Looked::default();
    let mut statement = connection.prepare("SELECT id FROM instances ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        looked.at += 1;
        let Sql(id): Sql<InstanceId> = row.get(0)?;
        if let Err(error) = identity_log(connection, &id) {
            looked.problem(error.to_string());
        }
    }
    Ok(looked)
}

/// Every header leads to the next, and the head of a feed is one of its log's that its instance signed.
pub(crate) fn check_chains(connection: &Connection) -> Result<Looked> {
    let sql = "SELECT h.log_no, h.seq, h.hash, h.body_hash, h.line FROM headers h ORDER BY h.log_no, h.seq";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let (mut looked, mut before) = (Looked::default(), None);
    while let Some(row) = rows.next()? {
        looked.at += 1;
        let (log_no, Sql(seq)): (i64, Sql<u64>) = (row.get(0)?, row.get(1)?);
        let (Sql(hash), Sql(body)): (Sql<Hash>, Sql<Hash>) = (row.get(2)?, row.get(3)?);
        let prev = before
            .filter(|(log, _, _)| *log == log_no)
            .map(|(_, seq, hash)| (seq, hash));
        let follows = prev.map_or(seq == 0, |(before, _): (u64, Hash)| before + 1 == seq);
        if !follows || hash::header(prev.map(|(_, hash)| hash).as_ref(), &body) != hash {
            looked.problem(format!(
                "header {seq} of log {log_no} does not follow the one before"
            ));
        }
        if let Some(line) = row.get::<_, Option<Vec<u8>>>(4)? {
            let read =
                Header::read(&line).map(|(_, unverified)| Header::body_hash(unverified.payload()));
            if read != Ok(body) {
                looked.problem(format!(
                    "the line of header {seq} of log {log_no} is not the one signed"
                ));
            }
        }
        before = Some((log_no, seq, hash));
    }
    check_heads(connection, &mut looked)?;
    Ok(looked)
}

/// A feed's head as its rows tell it.
struct HeadRow {
    origin: InstanceId,
    scope: FeedScope,
    log: Option<LogId>,
    generation: Option<u64>,
    seq: u64,
    hash: Hash,
    header_hash: Option<Hash>,
    line: Option<Vec<u8>>,
}

fn check_heads(connection: &Connection, looked: &mut Looked) -> Result<()> {
    let sql = "SELECT i.id, f.scope, l.log, l.generation, f.seq, f.hash, h.hash, h.line
               FROM feeds f JOIN instances i USING (instance_no) LEFT JOIN logs l ON l.log_no = f.log_no
               LEFT JOIN headers h ON h.log_no = f.log_no AND h.seq = f.seq
               WHERE f.log_no IS NOT NULL ORDER BY i.id, f.scope";
    let known = KnownIdentity::default();
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let head = HeadRow {
            origin: row.get::<_, Sql<InstanceId>>(0)?.0,
            scope: word(row, 1)?,
            log: some(row.get(2)?),
            generation: some(row.get(3)?),
            seq: row.get::<_, Sql<u64>>(4)?.0,
            hash: row.get::<_, Sql<Hash>>(5)?.0,
            header_hash: some(row.get(6)?),
            line: row.get(7)?,
        };
        // A log that does not verify is told by the check of logs.
        let identity = known.log(connection, &head.origin).ok().flatten();
        if let Err(what) = head.check(identity.as_deref()) {
            let (scope, origin) = (head.scope, head.origin.short());
            looked.problem(format!("the head of the {scope} feed of {origin} {what}"));
        }
    }
    Ok(())
}

impl HeadRow {
    fn check(&self, identity: Option<&IdentityLog>) -> std::result::Result<(), &'static str> {
        if self.header_hash != Some(self.hash) {
            return Err("is not in its log");
        }
        let line = self.line.as_deref().ok_or("has lost its line")?;
        let (header, unverified) = Header::read(line).map_err(|_| "is no header")?;
        let is_its = (header.origin, header.scope) == (self.origin, self.scope)
            && (Some(header.log), Some(header.generation)) == (self.log, self.generation)
            && header.seq == self.seq;
        if !is_its {
            return Err("is of another feed");
        }
        let Some(identity) = identity else {
            return Err("was signed by nobody who is known here");
        };
        // The keys of a branch that a recovery left are not kept; what they signed counts no more.
        if identity.void().contains(&header.identity) {
            return Ok(());
        }
        let entry = identity.entry(&header.identity);
        let key = &entry
            .ok_or("names no entry of its identity log")?
            .signing_key;
        unverified
            .verify(key)
            .map_err(|_| "does not have the signature of its instance")
    }
}

/// Every stored line has the hash its entry says; what is not live has no line.
pub(crate) fn check_lines(connection: &Connection) -> Result<Looked> {
    let mut statement = connection
        .prepare("SELECT id, line_hash, line, live FROM feed_lines WHERE line IS NOT NULL")?;
    let mut rows = statement.query([])?;
    let mut looked = Looked::default();
    while let Some(row) = rows.next()? {
        looked.at += 1;
        let Sql(id): Sql<RecordId> = row.get(0)?;
        let line: Vec<u8> = row.get(2)?;
        if row.get::<_, Option<Sql<Hash>>>(1)?.map(|Sql(hash)| hash) != Some(hash::line(&line)) {
            looked.problem(format!(
                "the line of record {id} is not the one its hash names"
            ));
        }
        if row.get::<_, i64>(3)? != 1 {
            looked.problem(format!("record {id} keeps a line that is not live"));
        }
    }
    Ok(looked)
}

/// The live set of each feed has the digest and the count that its head committed to.
pub(crate) fn check_live(connection: &Connection) -> Result<Looked> {
    let sql = "SELECT f.feed_no, i.id, f.scope, f.live, f.live_n, h.line FROM feeds f
               JOIN instances i USING (instance_no) LEFT JOIN headers h ON h.log_no = f.log_no AND h.seq = f.seq
               WHERE f.log_no IS NOT NULL";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut looked = Looked::default();
    while let Some(row) = rows.next()? {
        looked.at += 1;
        let (lanes, count) = fold_live(connection, row.get(0)?)?;
        let Sql(id): Sql<InstanceId> = row.get(1)?;
        let scope: String = row.get(2)?;
        let head: Option<Vec<u8>> = row.get(5)?;
        let committed = head
            .as_deref()
            .and_then(|line| Header::read(line).ok())
            .map(|(h, _)| (h.live, h.live_n));
        let stored = LiveHash::from_bytes(&row.get::<_, Vec<u8>>(3)?);
        let is_sound = committed == Some((lanes.digest(), count))
            && stored.as_ref() == Some(&lanes)
            && row.get::<_, Sql<u64>>(4)?.0 == count;
        if !is_sound {
            looked.problem(format!(
                "the {scope} feed of {} does not hold what its head committed to",
                id.short()
            ));
        }
    }
    Ok(looked)
}

fn fold_live(connection: &Connection, feed_no: i64) -> Result<(LiveHash, u64)> {
    let sql = "SELECT id, rev, kind, line_hash FROM feed_lines WHERE feed_no = ?1 AND live = 1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([feed_no])?;
    let (mut lanes, mut count) = (LiveHash::default(), 0);
    while let Some(row) = rows.next()? {
        let Sql(id): Sql<RecordId> = row.get(0)?;
        let live = Live {
            rev: row.get::<_, Sql<u64>>(1)?.0,
            kind: word(row, 2)?,
            line_hash: row.get::<_, Sql<Hash>>(3)?.0,
        };
        lanes.add(&live.element(&id));
        count += 1;
    }
    Ok((lanes, count))
}
