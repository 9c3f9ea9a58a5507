//! Checking that a hub's file is sound: its feeds as a node's are checked, and what only a hub has.
//!
//! Changes nothing, and reads as of one moment, so that it can be asked while the hub runs.

use rusqlite::{Connection, params};
use serde_json::value::RawValue;
use wb_core::feed::Delta;
use wb_core::id::{Hash, InstanceId, RecordId};
use wb_core::line::Line;
use wb_core::merkle;
use wb_core::scope::FeedScope;
use wb_core::sync::Arrival;

use super::arrival::{Place, kind_of};
use super::file::Relay;
use super::follow;
use super::withheld::check_withheld;
use crate::doctor::{
    Finding, Findings, Looked, check_chains, check_identities, check_lines, check_live,
    check_sqlite,
};
use crate::error::Result;
use crate::feeds::Served;
use crate::sql::{Sql, some, word};

impl Relay {
    /// Checks the file.
    ///
    /// # Errors
    /// What the database reports while it is read.
    pub fn check(&self) -> Result<Findings> {
        self.at_one_moment(|hub| {
            Ok(vec![
                Finding::of("hub file", check_sqlite(hub))?,
                Finding::of("hub: identity logs", check_identities(hub))?,
                Finding::of("hub: header chains", check_chains(hub))?,
                Finding::of("hub: lines", check_lines(hub))?,
                Finding::of("hub: live sets", check_live(hub))?,
                Finding::of("hub: arrivals", check_arrivals(hub))?,
                Finding::of("hub: what arrived", check_arrived(hub))?,
                Finding::of("hub: public feeds only", check_public(hub))?,
                Finding::of("hub: members", check_members(hub))?,
                Finding::of("hub: withheld lines", check_withheld(hub))?,
            ])
        })
    }
}

/// The numbers rise by one from the last that was forgotten, and each running hash follows.
fn check_arrivals(connection: &Connection) -> Result<Looked> {
    let sql = "SELECT a.n, a.running, a.kind, i.id, a.hash FROM arrivals a
               LEFT JOIN instances i USING (instance_no) ORDER BY a.n";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let (mut looked, mut before) = (Looked::default(), Place::floor(connection)?);
    while let Some(row) = rows.next()? {
        looked.at += 1;
        let place = Place {
            n: row.get::<_, Sql<u64>>(0)?.0,
            running: row.get::<_, Sql<Hash>>(1)?.0,
        };
        let kind = kind_of(row.get_ref(2)?.as_str().unwrap_or_default());
        let origin: Option<InstanceId> = some(row.get(3)?);
        let Sql(hash): Sql<Hash> = row.get(4)?;
        if place.n != before.n + 1 {
            looked.problem(format!(
                "arrival {} comes after arrival {}, and between them there should be none",
                place.n, before.n
            ));
        }
        let running = origin.map(|origin| kind.running(&before.running, &origin, &hash));
        if running != Some(place.running) {
            looked.problem(format!(
                "the running hash of arrival {} does not follow from the one before",
                place.n
            ));
        }
        before = place;
    }
    Ok(looked)
}

/// An arrival with what it names, as far as that is there.
struct ArrivedRow {
    n: u64,
    kind: Arrival,
    hash: Hash,
    instance_no: i64,
    feed: Option<(i64, u64)>,
    is_of_its_log: bool,
    header_hash: Option<Hash>,
    has_line: bool,
}

/// What each arrival names is here, and is what is served for it.
fn check_arrived(connection: &Connection) -> Result<Looked> {
    let sql = "SELECT a.n, a.kind, a.hash, a.instance_no, a.log_no, a.seq,
                 l.instance_no IS a.instance_no AND l.scope IS a.scope, h.hash, h.line IS NOT NULL
               FROM arrivals a LEFT JOIN logs l ON l.log_no = a.log_no
               LEFT JOIN headers h ON h.log_no = a.log_no AND h.seq = a.seq ORDER BY a.n";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut looked = Looked::default();
    while let Some(row) = rows.next()? {
        looked.at += 1;
        let log_no: Option<i64> = row.get(4)?;
        let arrived = ArrivedRow {
            n: row.get::<_, Sql<u64>>(0)?.0,
            kind: kind_of(row.get_ref(1)?.as_str().unwrap_or_default()),
            hash: row.get::<_, Sql<Hash>>(2)?.0,
            instance_no: row.get(3)?,
            feed: log_no.zip(some(row.get(5)?)),
            is_of_its_log: row.get(6)?,
            header_hash: some(row.get(7)?),
            has_line: row.get(8)?,
        };
        if let Err(what) = arrived.check(connection)? {
            looked.problem(format!("arrival {} {what}", arrived.n));
        }
    }
    Ok(looked)
}

impl ArrivedRow {
    fn check(&self, connection: &Connection) -> Result<std::result::Result<(), String>> {
        if self.kind == Arrival::Identity {
            let sql = "SELECT count(*) FROM identity_entries WHERE instance_no = ?1 AND hash = ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let known: i64 =
                statement.query_row(params![self.instance_no, Sql(self.hash)], |row| row.get(0))?;
            let lost = || "names an identity entry that is not here".to_owned();
            return Ok((known > 0).then_some(()).ok_or_else(lost));
        }
        let Some((log_no, seq)) = self.feed.filter(|_| self.is_of_its_log) else {
            return Ok(Err("names a log that is not its instance's".to_owned()));
        };
        if self.header_hash != Some(self.hash) {
            return Ok(Err("names a header that is not here".to_owned()));
        }
        // Of what arrived again the head alone is told.
        if self.kind == Arrival::Again {
            return Ok(Ok(()));
        }
        if !self.has_line {
            return Ok(Err("names a header whose line is not here".to_owned()));
        }
        check_delta(connection, log_no, seq)
    }
}

/// A delta as it is served is what its header signed.
fn check_delta(
    connection: &Connection,
    log_no: i64,
    seq: u64,
) -> Result<std::result::Result<(), String>> {
    let served = Served::new(connection);
    let line = served.header_line(log_no, seq)?;
    let header = match served.header(log_no, seq) {
        Ok(header) => header,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let items = served.items(&header)?;
    let delta = match Delta::read(&line, &items) {
        Ok(delta) => delta,
        Err(refusal) => return Ok(Err(format!("is served as a delta that {refusal}"))),
    };
    let entries: Vec<Vec<u8>> = delta
        .items
        .iter()
        .map(|item| item.entry.to_bytes())
        .collect();
    Ok(if merkle::root(&entries) == delta.header.root {
        Ok(())
    } else {
        Err("is served with other entries than its header signed".to_owned())
    })
}

/// Nothing of a feed that is not public is here.
fn check_public(connection: &Connection) -> Result<Looked> {
    let mut looked = Looked::default();
    let elsewhere = "SELECT 'feeds', count(*) FROM feeds WHERE scope != ?1
                     UNION ALL SELECT 'logs', count(*) FROM logs WHERE scope != ?1
                     UNION ALL SELECT 'arrivals', count(*) FROM arrivals WHERE scope != ?1
                     UNION ALL SELECT 'deltas set aside', count(*) FROM held WHERE scope != ?1";
    let mut statement = connection.prepare(elsewhere)?;
    let mut rows = statement.query([FeedScope::Public.as_str()])?;
    while let Some(row) = rows.next()? {
        let (what, Sql(count)): (String, Sql<u64>) = (row.get(0)?, row.get(1)?);
        if count > 0 {
            looked.problem(format!("{count} {what} are of a scope that is not public"));
        }
    }
    let lines = "SELECT x.id, x.line, i.id FROM feed_lines x JOIN feeds f USING (feed_no)
                 JOIN instances i USING (instance_no) WHERE x.line IS NOT NULL";
    let mut statement = connection.prepare(lines)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        looked.at += 1;
        let (Sql(id), bytes): (Sql<RecordId>, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let Sql(origin): Sql<InstanceId> = row.get(2)?;
        match Line::read(&bytes) {
            Ok(line) if line.scope != FeedScope::Public => {
                looked.problem(format!("the line of record {id} is not public"));
            }
            Ok(line) if line.origin != origin => {
                looked.problem(format!("the line of record {id} is of another instance"));
            }
            Ok(_) => {}
            Err(rule) => looked.problem(format!("the line of record {id} breaks {rule}")),
        }
    }
    Ok(looked)
}

/// Every member has its identity log, a card, and a follow list that reads.
fn check_members(connection: &Connection) -> Result<Looked> {
    let sql = "SELECT m.name, m.id, m.card, i.id, m.standing FROM members m
               LEFT JOIN instances i USING (instance_no) ORDER BY m.id";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut looked = Looked::default();
    while let Some(row) = rows.next()? {
        looked.at += 1;
        let (name, Sql(id)): (String, Sql<InstanceId>) = (row.get(0)?, row.get(1)?);
        if some(row.get(3)?) != Some(id) {
            looked.problem(format!(
                "member {name} has another id than its identity log"
            ));
        }
        if RawValue::from_string(row.get(2)?).is_err() {
            looked.problem(format!("the card of member {name} is not JSON"));
        }
        if let Err(error) = word::<wb_core::sync::Standing>(row, 4) {
            looked.problem(format!("where member {name} stands does not read: {error}"));
        }
        match follow::load(connection, &id) {
            Ok(list) => {
                if let Err(error) = list.check() {
                    looked.problem(format!("the follow list of member {name}: {error}"));
                }
            }
            Err(error) => looked.problem(format!("the follow list of member {name}: {error}")),
        }
    }
    Ok(looked)
}
