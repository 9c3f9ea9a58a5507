//! Heads of feeds: those a member follows, its own, and those of the directory.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use serde_json::value::RawValue;
use wb_core::id::{Hash, InstanceId, LogId};
use wb_core::limits::FEED_KINDS_MAX;
use wb_core::scope::Kind;
use wb_core::sync::{Directory, DirectoryRow, FeedHead, Heads, Visibility};
use wb_core::time::Timestamp;
use wb_core::want::Held;

use super::arrival::Place;
use super::file::Relay;
use super::follow;
use super::member::{IS_IN_DIRECTORY, IS_SERVED};
use super::void::Voids;
use crate::error::{Result, StoreError};
use crate::instances::instance_no;
use crate::sql::{Sql, word};

/// A feed of which something was taken.
#[derive(Debug)]
pub(super) struct FeedAtHead {
    pub feed_no: i64,
    pub log_no: i64,
    pub live_n: u64,
    pub held: Held,
}

/// The feeds of an instance, by scope.
pub(super) fn feeds_of(
    connection: &Connection,
    instance_no: i64,
    origin: &InstanceId,
) -> Result<Vec<FeedAtHead>> {
    let sql = "SELECT f.feed_no, f.log_no, f.live_n, f.scope, l.log, l.generation, f.seq, f.hash
               FROM feeds f JOIN logs l USING (log_no) WHERE f.instance_no = ?1 ORDER BY f.scope";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([instance_no], |row| {
        Ok(FeedAtHead {
            feed_no: row.get(0)?,
            log_no: row.get(1)?,
            live_n: row.get::<_, Sql<u64>>(2)?.0,
            held: Held {
                origin: *origin,
                scope: word(row, 3)?,
                log: row.get::<_, Sql<LogId>>(4)?.0,
                generation: row.get::<_, Sql<u64>>(5)?.0,
                seq: row.get::<_, Sql<u64>>(6)?.0,
                hash: row.get::<_, Sql<Hash>>(7)?.0,
            },
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The heads held of an instance's feeds.
pub(super) fn own_heads(connection: &Connection, id: &InstanceId) -> Result<Vec<Held>> {
    let Some(no) = instance_no(connection, id)? else {
        return Ok(Vec::new());
    };
    let feeds = feeds_of(connection, no, id)?;
    Ok(feeds.into_iter().map(|feed| feed.held).collect())
}

/// The feeds of an instance with what is live in them, by kind: the most frequent ones, because an origin
/// may invent as many as it likes. None whose head a recovery made void.
pub(super) fn feed_heads(
    connection: &Connection,
    instance_no: i64,
    origin: &InstanceId,
) -> Result<Vec<FeedHead>> {
    let (mut heads, mut voids) = (Vec::new(), Voids::new(connection));
    let kinds_max = Sql(FEED_KINDS_MAX as u64);
    for feed in feeds_of(connection, instance_no, origin)? {
        if voids.is_at_void(&feed)? {
            continue;
        }
        let sql =
            "SELECT kind, count(*) AS n FROM feed_lines WHERE feed_no = ?1 AND live = 1 GROUP BY kind
                   ORDER BY n DESC, kind LIMIT ?2";
        let mut statement = connection.prepare_cached(sql)?;
        let kinds = statement.query_map(params![feed.feed_no, kinds_max], |row| {
            Ok((word::<Kind>(row, 0)?, row.get::<_, Sql<u64>>(1)?.0))
        })?;
        heads.push(FeedHead {
            head: feed.held,
            live: feed.live_n,
            kinds: kinds.collect::<rusqlite::Result<BTreeMap<_, _>>>()?,
        });
    }
    Ok(heads)
}

/// A member that is served, as lists go through them.
struct Row {
    instance_no: i64,
    id: InstanceId,
    is_in_directory: bool,
    listed: bool,
    is_hub: bool,
    card: String,
    since: Timestamp,
}

/// Gives each member that is served, by id, until `receive` wants no more.
fn each_served(
    connection: &Connection,
    after: Option<&InstanceId>,
    now: Timestamp,
    mut receive: impl FnMut(Row) -> Result<bool>,
) -> Result<()> {
    let sql = format!(
        "SELECT m.instance_no, m.id, m.listed, m.card, m.since, m.is_hub, {IS_IN_DIRECTORY} FROM members m
         WHERE {IS_SERVED} AND m.id > ?2 ORDER BY m.id"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let after = after.map_or(&[][..], |id| &id.as_bytes()[..]);
    let mut rows = statement.query(params![Sql(now), after])?;
    while let Some(row) = rows.next()? {
        let wants_more = receive(Row {
            instance_no: row.get(0)?,
            id: row.get::<_, Sql<InstanceId>>(1)?.0,
            listed: row.get(2)?,
            card: row.get(3)?,
            since: row.get::<_, Sql<Timestamp>>(4)?.0,
            is_hub: row.get(5)?,
            is_in_directory: row.get(6)?,
        })?;
        if !wants_more {
            break;
        }
    }
    Ok(())
}

impl Relay {
    /// Heads of the feeds a member follows, after one origin where it is given; a page ends with the
    /// origin that brings it to `limit` feeds.
    ///
    /// # Errors
    /// What the database reports.
    pub fn heads(
        &self,
        member: &InstanceId,
        after: Option<&InstanceId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Heads> {
        self.at_one_moment(|connection| {
            let list = follow::load(connection, member)?;
            let (mut feeds, mut last, mut next) = (Vec::new(), None, None);
            each_served(connection, after, now, |row| {
                let is_given = row.is_hub || list.follows(&row.id, row.is_in_directory);
                if row.id == *member || !is_given {
                    return Ok(true);
                }
                if feeds.len() >= limit {
                    next = last;
                    return Ok(false);
                }
                feeds.extend(feed_heads(connection, row.instance_no, &row.id)?);
                last = Some(row.id);
                Ok(true)
            })?;
            Ok(Heads {
                schema_version: 1,
                cursor: Place::last(connection)?.cursor(self.log()),
                next,
                follows: follow::named(&list),
                own: own_heads(connection, member)?,
                feeds,
            })
        })
    }

    /// Members that members may see, with their feeds, after one where it is given.
    ///
    /// # Errors
    /// What the database reports.
    pub fn directory(
        &self,
        after: Option<&InstanceId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Directory> {
        self.at_one_moment(|connection| {
            let (mut members, mut next) = (Vec::<DirectoryRow>::new(), None);
            each_served(connection, after, now, |row| {
                if !row.is_in_directory {
                    return Ok(true);
                }
                if members.len() >= limit {
                    next = members.last().map(|last| last.id);
                    return Ok(false);
                }
                let card = RawValue::from_string(row.card)
                    .map_err(|_| StoreError::damaged("a member's card"))?;
                members.push(DirectoryRow {
                    id: row.id,
                    card,
                    since: row.since,
                    visibility: (!row.listed).then_some(Visibility::Members),
                    feeds: feed_heads(connection, row.instance_no, &row.id)?,
                });
                Ok(true)
            })?;
            Ok(Directory {
                schema_version: 1,
                next,
                members,
            })
        })
    }

    /// The heads held of an instance's feeds.
    ///
    /// # Errors
    /// What the database reports.
    pub fn own_heads(&self, id: &InstanceId) -> Result<Vec<Held>> {
        self.at_one_moment(|connection| own_heads(connection, id))
    }
}
