//! How much a hub holds, for its operator.

use std::collections::BTreeMap;

use rusqlite::Connection;
use wb_core::id::InstanceId;
use wb_core::scope::Kind;
use wb_core::sync::{FeedHead, Standing};
use wb_core::time::Timestamp;

use super::arrival::Place;
use super::changes::pending;
use super::file::Relay;
use super::follow;
use super::heads::feed_heads;
use crate::error::Result;
use crate::instances::instance_no;
use crate::sql::{Sql, word};

/// How much a hub holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RelayCounts {
    /// Members, by standing.
    pub members: BTreeMap<&'static str, u64>,
    /// Feeds of which something was taken.
    pub feeds: u64,
    /// Records live, by kind.
    pub live: BTreeMap<Kind, u64>,
    /// The number of the newest arrival.
    pub arrivals: u64,
    /// The number of the last arrival that is not kept any more.
    pub forgotten: u64,
}

/// How far a hub's members are, and what waits for them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RelayLag {
    /// Registrations, by standing.
    pub standings: BTreeMap<&'static str, u64>,
    /// The number of the newest arrival.
    pub newest_n: u64,
    /// Members that asked before and did not say that they have it.
    pub behind: u64,
    /// Arrivals after the one that the member furthest behind said to have.
    pub lag: u64,
    /// Sealed envelopes that are kept.
    pub envelopes: u64,
    /// Letters that are kept.
    pub letters: u64,
}

/// How much a hub holds of one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberCounts {
    /// Its feeds at their heads.
    pub feeds: Vec<FeedHead>,
    /// Members that follow it.
    pub followers: u64,
    /// Arrivals that wait for it.
    pub pending: u64,
}

impl Relay {
    /// How much this hub holds.
    ///
    /// # Errors
    /// What the database reports.
    pub fn counts(&self, now: Timestamp) -> Result<RelayCounts> {
        self.at_one_moment(|connection| {
            let live = "SELECT kind, count(*) FROM feed_lines WHERE live = 1 GROUP BY kind";
            let mut live = connection.prepare_cached(live)?;
            let live = live.query_map([], |row| {
                Ok((word::<Kind>(row, 0)?, row.get::<_, Sql<u64>>(1)?.0))
            })?;
            let feeds = "SELECT count(*) FROM feeds WHERE log_no IS NOT NULL";
            Ok(RelayCounts {
                members: members(connection, now)?,
                feeds: connection
                    .query_row(feeds, [], |row| row.get::<_, Sql<u64>>(0))?
                    .0,
                live: live.collect::<rusqlite::Result<_>>()?,
                arrivals: Place::last(connection)?.n,
                forgotten: Place::floor(connection)?.n,
            })
        })
    }

    /// How many members there are of each standing.
    ///
    /// # Errors
    /// What the database reports.
    pub fn standings(&self, now: Timestamp) -> Result<BTreeMap<&'static str, u64>> {
        self.at_one_moment(|connection| members(connection, now))
    }

    /// How far its members are, and what waits for them.
    ///
    /// # Errors
    /// What the database reports.
    pub fn lag(&self, now: Timestamp) -> Result<RelayLag> {
        self.at_one_moment(|connection| {
            let newest_n = Place::last(connection)?.n;
            let sql = "SELECT count(*), min(seen_n) FROM members
                       WHERE standing = 'member' AND seen_at IS NOT NULL AND seen_n < ?1";
            let mut statement = connection.prepare_cached(sql)?;
            let (behind, furthest) = statement.query_row([Sql(newest_n)], |row| {
                let furthest: Option<Sql<u64>> = row.get(1)?;
                Ok((row.get::<_, Sql<u64>>(0)?.0, furthest.map(|seen| seen.0)))
            })?;
            let count = |table: &str| -> Result<u64> {
                let sql = format!("SELECT count(*) FROM {table} WHERE expires > ?1");
                let mut statement = connection.prepare_cached(&sql)?;
                Ok(statement
                    .query_row([Sql(now)], |row| row.get::<_, Sql<u64>>(0))?
                    .0)
            };
            Ok(RelayLag {
                standings: members(connection, now)?,
                newest_n,
                behind,
                lag: furthest.map_or(0, |seen| newest_n - seen),
                envelopes: count("envelopes")?,
                letters: count("mail")?,
            })
        })
    }

    /// A number that is another after another connection wrote to this file.
    ///
    /// # Errors
    /// What the database reports.
    pub fn written_by_others(&self) -> Result<u64> {
        let mut statement = self.connection().prepare_cached("PRAGMA data_version")?;
        Ok(statement.query_row([], |row| row.get::<_, Sql<u64>>(0))?.0)
    }

    /// How much this hub holds of one member.
    ///
    /// # Errors
    /// What the database reports.
    pub fn member_counts(&self, id: &InstanceId, now: Timestamp) -> Result<MemberCounts> {
        self.at_one_moment(|connection| {
            let feeds = match instance_no(connection, id)? {
                Some(no) => feed_heads(connection, no, id)?,
                None => Vec::new(),
            };
            Ok(MemberCounts {
                feeds,
                followers: followers(connection, id, now)?,
                pending: pending(connection, id, now)?,
            })
        })
    }
}

fn members(connection: &Connection, now: Timestamp) -> Result<BTreeMap<&'static str, u64>> {
    let sql = "SELECT CASE WHEN standing = 'suspended' AND until <= ?1 THEN 'member' ELSE standing END, count(*)
               FROM members WHERE is_hub = 0 GROUP BY 1";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([Sql(now)], |row| {
        Ok((
            word::<Standing>(row, 0)?.as_str(),
            row.get::<_, Sql<u64>>(1)?.0,
        ))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Members that follow one. The lists of all are looked through where they lie, and few are read: a hub with
/// very many members is listed by page, and this is asked for each of a page.
pub(super) fn followers(connection: &Connection, id: &InstanceId, now: Timestamp) -> Result<u64> {
    let member = super::member::load(connection, id, now)?;
    let is_in_directory = member.is_some_and(|member| member.visibility().is_in_directory());
    let sql = "SELECT id FROM members
               WHERE id <> ?1 AND ((?2 AND follows_all) OR instr(follows_ids, ?1) > 0)";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(rusqlite::params![Sql(id), is_in_directory])?;
    let mut followers = 0;
    while let Some(row) = rows.next()? {
        let Sql(other): Sql<InstanceId> = row.get(0)?;
        let follows = follow::load(connection, &other)?.follows(id, is_in_directory);
        followers += u64::from(follows);
    }
    Ok(followers)
}
