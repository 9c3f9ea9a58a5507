//! A hub's own notices: its feed in its own file, and what follows from it there (spec: notices).
//!
//! What a hub left out or let in again is a fold over the notices that are live in its feed. [`RelayWrite::heed`]
//! makes the file what they say; doing it again changes nothing, so whoever was interrupted just does it again.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params};
use wb_core::id::{Hash, InstanceId, RecordId, RecordRef};
use wb_core::kinds::{Body, NoticeAct, Subject};
use wb_core::line::Line;
use wb_core::notice::{Book, Said};
use wb_core::scope::Kind;
use wb_core::sync::{Standing, Visibility};
use wb_core::time::Timestamp;

use super::counts::followers;
use super::file::{Relay, RelayWrite};
use super::heads::feed_heads;
use super::listing::touch_what_was_said_by;
use super::member::load;
use super::withheld::{Withheld, line_of, withheld};
use crate::error::{Result, StoreError};
use crate::instances::instance_no;
use crate::sql::{Sql, some};

/// A notice as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeRow {
    /// What it says.
    pub said: Said,
    /// Whether it is the one that stands about its subject.
    pub stands: bool,
    /// Whether it stands and is in force.
    pub in_force: bool,
    /// The name of the instance that it is about, where that is registered here.
    pub name: Option<String>,
    /// Whether that asks to be shown to everybody: else its name is for moderators alone.
    pub asks_listed: bool,
    /// What whoever it is about replied: the signed line.
    pub reply: Option<Vec<u8>>,
}

/// A record that may be withheld.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFace {
    /// Its kind.
    pub kind: Kind,
    /// Hash of its line.
    pub line_hash: Hash,
    /// Its body, where its line is here.
    pub body: Option<String>,
    /// Whether it is withheld now.
    pub is_withheld: bool,
    /// Records of others and of its origin that pages list under it.
    pub children: u64,
}

/// Whom a decision about somebody touches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effect {
    /// Members that follow it.
    pub followers: u64,
    /// Of those, who follow it by its id: they are served though it is in no list.
    pub by_id: u64,
    /// Its live records, by kind.
    pub kinds: BTreeMap<Kind, u64>,
    /// Arrivals, letters and envelopes that wait here for it.
    pub waits: u64,
    /// The record, where it is about one.
    pub record: Option<RecordFace>,
}

impl Effect {
    /// Its live records.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.kinds.values().sum()
    }
}

/// What a member is to be by the notice that stands about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// As if nothing had been said.
    Free,
    Delisted,
    Suspended,
    Revoked,
}

impl Place {
    fn of(said: &Said, now: Timestamp) -> Self {
        match said.notice.act {
            _ if !said.notice.is_in_force(now) => Self::Free,
            NoticeAct::Delist => Self::Delisted,
            NoticeAct::Suspend => Self::Suspended,
            NoticeAct::Revoke => Self::Revoked,
            NoticeAct::Withhold | NoticeAct::Reinstate => Self::Free,
        }
    }
}

/// The hub itself among its members, where it has sealed anything.
fn hub(connection: &Connection) -> Result<Option<(i64, InstanceId)>> {
    let sql = "SELECT instance_no, id FROM members WHERE is_hub = 1";
    Ok(connection
        .prepare_cached(sql)?
        .query_row([], |row| {
            Ok((row.get(0)?, row.get::<_, Sql<InstanceId>>(1)?.0))
        })
        .optional()?)
}

/// The notices live in the hub's feed, in no order.
fn said(connection: &Connection) -> Result<Vec<Said>> {
    let Some((no, _)) = hub(connection)? else {
        return Ok(Vec::new());
    };
    let sql = "SELECT l.id, x.line_hash, x.line FROM listings l JOIN feed_lines x USING (line_no)
               WHERE l.instance_no = ?1 AND l.kind = 'notice' AND x.line IS NOT NULL";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([no])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes: Vec<u8> = row.get(2)?;
        let line = Line::read(&bytes)
            .map_err(|rule| StoreError::damaged(format!("a stored line breaks {rule}")))?;
        if let Ok(Body::Notice(notice)) = Body::of_line(&line) {
            all.push(Said {
                id: row.get::<_, Sql<RecordId>>(0)?.0,
                line_hash: row.get::<_, Sql<Hash>>(1)?.0,
                notice,
            });
        }
    }
    Ok(all)
}

impl RelayWrite<'_> {
    /// Notes that a member is the hub itself: its feed goes to every member, and it is in no list.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_hub(&self, id: &InstanceId) -> Result<()> {
        let sql = "UPDATE members SET is_hub = 1, listed = 0, standing = 'member', asks_listed = NULL WHERE id = ?1";
        self.transaction.execute(sql, [Sql(id)])?;
        Ok(())
    }

    /// Makes everything as the notices say that are live in the hub's own feed. Returns whether anything had to
    /// be changed.
    ///
    /// # Errors
    /// What the database reports.
    pub fn heed(&self, now: Timestamp) -> Result<bool> {
        if hub(&self.transaction)?.is_none() {
            return Ok(false);
        }
        let book = Book::of(said(&self.transaction)?);
        let mut changed = false;
        for (id, notice) in self.applied()? {
            // What was taken back, and nothing stands in its place.
            if book
                .iter()
                .all(|(subject, _)| *subject != Subject::Instance(id))
            {
                self.place(&id, Place::Free, None, now)?;
                self.note_applied(&id, None)?;
                changed |= notice.is_some();
            }
        }
        for (subject, said) in book.iter() {
            let Subject::Instance(id) = subject else {
                continue;
            };
            changed |= self.heed_one(id, said, now)?;
        }
        let wanted: Withheld = book
            .iter()
            .filter_map(|(subject, said)| match subject {
                Subject::Record(key) if said.notice.is_in_force(now) => {
                    Some((*key, said.notice.line))
                }
                _ => None,
            })
            .collect();
        if withheld(&self.transaction)? != wanted {
            self.withhold(&wanted, now)?;
            changed = true;
        }
        Ok(changed)
    }

    fn heed_one(&self, id: &InstanceId, said: &Said, now: Timestamp) -> Result<bool> {
        let Some(member) = load(&self.transaction, id, now)? else {
            return Ok(false);
        };
        let place = Place::of(said, now);
        let sql = "SELECT notice FROM members WHERE id = ?1";
        let applied: Option<Sql<Hash>> = self
            .transaction
            .query_row(sql, [Sql(id)], |row| row.get(0))?;
        let is_new = some(applied) != Some(said.line_hash);
        // What is over by itself is over though no notice came.
        let is_over = place == Place::Free && member.delisted;
        if !is_new && !is_over {
            return Ok(false);
        }
        self.place(id, place, Some(said), now)?;
        self.note_applied(id, Some(&said.line_hash))?;
        Ok(true)
    }

    /// Members to whom a notice was applied.
    fn applied(&self) -> Result<Vec<(InstanceId, Option<Hash>)>> {
        let sql = "SELECT id, notice FROM members WHERE notice IS NOT NULL";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok((row.get::<_, Sql<InstanceId>>(0)?.0, some(row.get(1)?)))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn note_applied(&self, id: &InstanceId, hash: Option<&Hash>) -> Result<()> {
        let sql = "UPDATE members SET notice = ?2 WHERE id = ?1";
        self.transaction
            .prepare_cached(sql)?
            .execute(params![Sql(id), hash.map(Sql)])?;
        Ok(())
    }

    /// Puts a member where a notice wants it.
    fn place(
        &self,
        id: &InstanceId,
        place: Place,
        said: Option<&Said>,
        now: Timestamp,
    ) -> Result<()> {
        let Some(member) = load(&self.transaction, id, now)? else {
            return Ok(());
        };
        let sql = "UPDATE members SET revoked = ?2 WHERE id = ?1";
        self.transaction
            .execute(sql, params![Sql(id), place == Place::Revoked])?;
        self.set_delisted(id, place == Place::Delisted, now)?;
        let is_out = member.standings.standing == Standing::Suspended;
        match (place, said) {
            (Place::Suspended | Place::Revoked, Some(said)) => {
                let (reason, until) = (said.notice.reason.as_str(), said.notice.until);
                self.set_standing(id, Standing::Suspended, Some(reason), until, now)?;
            }
            _ if is_out => {
                self.set_standing(id, Standing::Member, None, None, now)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn set_delisted(&self, id: &InstanceId, delisted: bool, now: Timestamp) -> Result<()> {
        let sql = if delisted {
            "UPDATE members SET asks_listed = listed, listed = 0, delisted = 1 WHERE id = ?1 AND delisted = 0"
        } else {
            "UPDATE members SET listed = ifnull(asks_listed, listed), asks_listed = NULL, delisted = 0
             WHERE id = ?1 AND delisted = 1"
        };
        if self.transaction.execute(sql, [Sql(id)])? == 0 {
            return Ok(());
        }
        let member = load(&self.transaction, id, now)?;
        let is_shown = member.is_some_and(|member| member.visibility().is_in_directory());
        if !delisted && is_shown {
            self.list_from_now(id, now)?;
        }
        touch_what_was_said_by(&self.transaction, &self.touched, id)
    }

    /// Keeps what somebody replied to a notice; false where it replied otherwise before.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_reply(
        &self,
        notice: &RecordId,
        origin: &InstanceId,
        line: &[u8],
        now: Timestamp,
    ) -> Result<bool> {
        let sql = "INSERT INTO replies (notice, origin, line, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (notice) DO NOTHING";
        self.transaction
            .execute(sql, params![Sql(notice), Sql(origin), line, Sql(now)])?;
        let held: Vec<u8> = self.transaction.query_row(
            "SELECT line FROM replies WHERE notice = ?1",
            [Sql(notice)],
            |row| row.get(0),
        )?;
        Ok(held == line)
    }
}

impl Relay {
    /// The hub itself, where it has sealed anything.
    ///
    /// # Errors
    /// What the database reports.
    pub fn hub(&self) -> Result<Option<InstanceId>> {
        Ok(self.at_one_moment(hub)?.map(|(_, id)| id))
    }

    /// The notices of this hub, the newest first: those that were undone as well, but not those that were taken
    /// back.
    ///
    /// # Errors
    /// What the database reports.
    pub fn notices(&self, now: Timestamp) -> Result<Vec<NoticeRow>> {
        self.at_one_moment(|connection| {
            let all = said(connection)?;
            let book = Book::of(all.iter().cloned());
            let mut rows = Vec::new();
            for said in all {
                let about = said.notice.about();
                let member = load(connection, &said.notice.subject, now)?;
                let stands = book
                    .iter()
                    .any(|(subject, standing)| *subject == about && standing.id == said.id);
                rows.push(NoticeRow {
                    stands,
                    in_force: stands && said.notice.is_in_force(now),
                    asks_listed: member
                        .as_ref()
                        .is_some_and(|member| member.asks == Visibility::Public),
                    name: member.map(|member| member.name),
                    reply: reply(connection, &said.id)?,
                    said,
                });
            }
            rows.sort_by_key(|row| std::cmp::Reverse((row.said.notice.n, row.said.line_hash)));
            Ok(rows)
        })
    }

    /// Whom a decision about an instance or a record would touch; none where nothing of it is here.
    ///
    /// # Errors
    /// What the database reports.
    pub fn effect(&self, subject: &Subject, now: Timestamp) -> Result<Option<Effect>> {
        self.at_one_moment(|connection| {
            let id = subject.instance();
            let Some(no) = instance_no(connection, &id)? else {
                return Ok(None);
            };
            let record = match subject {
                Subject::Instance(_) => None,
                Subject::Record(key) => match face(connection, no, key)? {
                    Some(face) => Some(face),
                    None => return Ok(None),
                },
            };
            let mut kinds = BTreeMap::new();
            for head in feed_heads(connection, no, &id)? {
                for (kind, n) in head.kinds {
                    *kinds.entry(kind).or_default() += n;
                }
            }
            Ok(Some(Effect {
                followers: followers(connection, &id, now)?,
                by_id: followers_by_id(connection, &id)?,
                kinds,
                waits: super::changes::pending(connection, &id, now)?
                    + super::envelopes::waiting(connection, &id, now)?
                    + super::mail::waiting(connection, &id, now)?,
                record,
            }))
        })
    }
}

/// Members that name another in their follow list.
fn followers_by_id(connection: &Connection, id: &InstanceId) -> Result<u64> {
    let sql = "SELECT count(*) FROM members WHERE id <> ?1 AND instr(follows_ids, ?1) > 0";
    let count: Sql<u64> = connection
        .prepare_cached(sql)?
        .query_row([Sql(id)], |row| row.get(0))?;
    Ok(count.0)
}

fn reply(connection: &Connection, notice: &RecordId) -> Result<Option<Vec<u8>>> {
    let sql = "SELECT line FROM replies WHERE notice = ?1";
    Ok(connection
        .prepare_cached(sql)?
        .query_row([Sql(notice)], |row| row.get(0))
        .optional()?)
}

fn face(connection: &Connection, no: i64, key: &RecordRef) -> Result<Option<RecordFace>> {
    let sql = "SELECT x.kind, x.line_hash,
                 (SELECT count(*) FROM listings l WHERE l.parent_id = x.id AND l.parent_origin = ?3),
                 EXISTS (SELECT 1 FROM withheld w WHERE w.id = x.id AND w.instance_no = f.instance_no
                   AND (w.line_hash IS NULL OR w.line_hash = x.line_hash))
               FROM feed_lines x JOIN feeds f USING (feed_no)
               WHERE f.instance_no = ?1 AND x.id = ?2 AND x.live = 1";
    let found = connection
        .prepare_cached(sql)?
        .query_row(params![no, Sql(key.id), Sql(key.origin)], |row| {
            Ok(RecordFace {
                kind: crate::sql::word(row, 0)?,
                line_hash: row.get::<_, Sql<Hash>>(1)?.0,
                body: None,
                children: row.get::<_, Sql<u64>>(2)?.0,
                is_withheld: row.get(3)?,
            })
        })
        .optional()?;
    let Some(mut face) = found else {
        return Ok(None);
    };
    if let Some(bytes) = line_of(connection, key)? {
        face.body = Line::read(&bytes).ok().map(|line| line.body().to_owned());
    }
    Ok(Some(face))
}
