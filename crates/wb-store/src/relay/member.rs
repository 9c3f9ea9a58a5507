//! Members of a hub: who registered, and where each registration stands.
//!
//! A suspension that has an end counts as over wherever it is read after that time; what the member's
//! followers missed meanwhile arrives again with the next write that concerns it, or with
//! [`RelayWrite::end_suspensions`].

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use wb_core::id::{Hash, InstanceId};
use wb_core::identity::{IdentityLog, Merge};
use wb_core::sync::{Arrival, Policy, Standing, Standings, Visibility};
use wb_core::time::Timestamp;

use super::arrival::{Arrived, Place};
use super::file::{Relay, RelayWrite};
use super::heads::feeds_of;
use super::listing::touch_what_was_said_by;
use crate::error::{Result, StoreError};
use crate::instances::{self, identity_log, instance_no};
use crate::sql::{Sql, some, word};

/// Who asks to be a member, verified and signed for by itself.
#[derive(Debug, Clone, Copy)]
pub struct Applicant<'a> {
    /// Its identity log.
    pub identity: &'a IdentityLog,
    /// The body of its card.
    pub card: &'a str,
    /// Its name, from that card.
    pub name: &'a str,
    /// To whom it asks to be shown.
    pub visibility: Visibility,
    /// Counts what it said when it registered.
    pub counter: u64,
}

/// A registration came that is not newer than the one held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the registration held has counter {counter}")]
pub struct StaleRegistration {
    /// The counter held.
    pub counter: u64,
}

/// What came of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// Where it stands.
    pub standings: Standings,
    /// What the identity log meant to the one held; `two_rotates` and `two_recovers` are evidence.
    pub merge: Merge,
    /// Whether it was not known before.
    pub is_new: bool,
}

/// A member, or who waits to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// The body of the card it registered with.
    pub card: String,
    /// Whether everybody may see it.
    pub listed: bool,
    /// To whom it asks to be shown; a notice may keep it out of lists all the same.
    pub asks: Visibility,
    /// The invitation by which it came.
    pub invite: Option<u64>,
    /// Whether a notice keeps it out of lists.
    pub delisted: bool,
    /// Whether a notice leaves it out for good.
    pub revoked: bool,
    /// Counts what it said when it registered; the highest.
    pub counter: u64,
    /// Where it stands.
    pub standings: Standings,
    /// When it registered.
    pub since: Timestamp,
    /// The number of the arrival it last said to have.
    pub seen_n: u64,
    /// When it said so.
    pub seen_at: Option<Timestamp>,
}

impl Member {
    /// To whom it is shown.
    #[must_use]
    pub fn visibility(&self) -> Visibility {
        self.asks.shown(self.listed, self.delisted)
    }
}

impl Applicant<'_> {
    /// Whether what it says is older than what is held, or contradicts it.
    fn is_stale(&self, held: &Member) -> bool {
        let says = (self.name, self.card, self.visibility);
        let is_same = says == (held.name.as_str(), held.card.as_str(), held.asks);
        self.counter < held.counter || (self.counter == held.counter && !is_same)
    }
}

/// SQL for a member `m` that is served at the time `?1`. It sorts out rows and finds none: most members
/// are served, and lists go by id.
pub(super) const IS_SERVED: &str =
    "(+m.standing = 'member' OR (+m.standing = 'suspended' AND m.until <= ?1))";

/// SQL for whether members see a member `m` in the directory and follow it by `*`: that everybody may see it, or that it
/// is for members and no notice keeps it out of lists. Always 0 or 1.
pub(super) const IS_IN_DIRECTORY: &str =
    "(m.listed OR (m.for_members IS m.counter AND NOT m.delisted))";

const COLUMNS: &str =
    "m.id, m.name, m.card, m.listed, m.standing, m.reason, m.until, m.since, m.seen_n, m.seen_at,
    m.counter, ifnull(m.asks_listed, m.listed), m.delisted, m.revoked, m.for_members IS m.counter, m.invite";

fn read(row: &Row<'_>, now: Timestamp) -> rusqlite::Result<Member> {
    let invite: Option<Sql<u64>> = row.get(15)?;
    let mut member = Member {
        id: row.get::<_, Sql<InstanceId>>(0)?.0,
        name: row.get(1)?,
        card: row.get(2)?,
        listed: row.get(3)?,
        standings: standings(word(row, 4)?, row.get(5)?, some(row.get(6)?), now),
        invite: some(invite),
        since: row.get::<_, Sql<Timestamp>>(7)?.0,
        seen_n: row.get::<_, Sql<u64>>(8)?.0,
        seen_at: some(row.get(9)?),
        counter: row.get::<_, Sql<u64>>(10)?.0,
        asks: Visibility::asked(row.get(11)?, row.get(14)?),
        delisted: row.get(12)?,
        revoked: row.get(13)?,
    };
    member.standings.visibility = Some(member.visibility());
    Ok(member)
}

fn standings(
    standing: Standing,
    reason: Option<String>,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Standings {
    let is_over = standing == Standing::Suspended && until.is_some_and(|until| until <= now);
    if is_over || standing != Standing::Suspended {
        let standing = if is_over { Standing::Member } else { standing };
        return Standings {
            schema_version: 1,
            standing,
            reason: None,
            until: None,
            visibility: None,
        };
    }
    Standings {
        schema_version: 1,
        standing,
        reason,
        until,
        visibility: None,
    }
}

pub(super) fn load(
    connection: &Connection,
    id: &InstanceId,
    now: Timestamp,
) -> Result<Option<Member>> {
    let sql = format!("SELECT {COLUMNS} FROM members m WHERE m.id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement
        .query_row([Sql(id)], |row| read(row, now))
        .optional()?)
}

/// How many there are of a standing, as it is stored.
pub(super) fn standing_n(connection: &Connection, standing: Standing) -> Result<u64> {
    let sql = "SELECT count(*) FROM members WHERE standing = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let count = statement.query_row([standing.as_str()], |row| row.get::<_, Sql<u64>>(0))?;
    Ok(count.0)
}

impl Relay {
    /// A member.
    ///
    /// # Errors
    /// What the database reports.
    pub fn member(&self, id: &InstanceId, now: Timestamp) -> Result<Option<Member>> {
        self.at_one_moment(|connection| load(connection, id, now))
    }

    /// Members by id, after one and of one standing where they are given.
    ///
    /// # Errors
    /// What the database reports.
    pub fn members(
        &self,
        standing: Option<Standing>,
        after: Option<&InstanceId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Member>> {
        self.at_one_moment(|connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM members m WHERE m.id > ?1 AND m.is_hub = 0 ORDER BY m.id"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let after = after.map_or(&[][..], |id| &id.as_bytes()[..]);
            let rows = statement.query_map([after], |row| read(row, now))?;
            let fits = |member: &rusqlite::Result<Member>| {
                member.as_ref().map_or(true, |member| {
                    standing.is_none_or(|standing| member.standings.standing == standing)
                })
            };
            Ok(rows
                .filter(fits)
                .take(limit)
                .collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The first members of a name, or whose id begins as `id_start` says, where that is given.
    ///
    /// # Errors
    /// What the database reports.
    pub fn find_members(
        &self,
        name: &str,
        id_start: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Member>> {
        self.at_one_moment(|connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM members m
                 WHERE m.is_hub = 0 AND (m.name = ?1 OR substr(lower(hex(m.id)), 1, length(?2)) = ?2)
                 ORDER BY m.id LIMIT ?3"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let rows = statement.query_map(params![name, id_start, limit], |row| read(row, now))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The stored identity log of an instance.
    ///
    /// # Errors
    /// What the database reports.
    pub fn identity_log(&self, id: &InstanceId) -> Result<Option<IdentityLog>> {
        self.at_one_moment(|connection| identity_log(connection, id))
    }
}

impl RelayWrite<'_> {
    /// Takes a registration. Coming again with a higher counter it brings another card or another
    /// `listed`, and changes the standing of nobody. One that is older, or another of the same counter,
    /// is stale: nothing of it counts but a longer identity log, which carries its own order. The
    /// transaction is committed either way.
    ///
    /// # Errors
    /// What the database reports.
    pub fn register(
        &self,
        applicant: &Applicant<'_>,
        policy: Policy,
        now: Timestamp,
    ) -> Result<std::result::Result<Registered, StaleRegistration>> {
        let id = applicant.identity.id();
        let merge = self.put_log(applicant.identity, now)?;
        let before = load(&self.transaction, &id, now)?;
        if let Some(held) = before.as_ref().filter(|held| applicant.is_stale(held)) {
            self.tell_identity(&id, now)?;
            self.arrive_appended(now)?;
            return Ok(Err(StaleRegistration {
                counter: held.counter,
            }));
        }
        let no = instance_no(&self.transaction, &id)?.expect("its log was stored");
        let first_standing = match policy {
            Policy::Open => Standing::Member,
            // Who brings a code is let in by it, and who brings none is refused before.
            Policy::Approval | Policy::Invite => Standing::Waiting,
        };
        self.transaction.execute(
            "INSERT INTO members (instance_no, id, name, card, listed, standing, since, counter, for_members)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (instance_no) DO UPDATE SET name = excluded.name, card = excluded.card,
               listed = excluded.listed AND NOT delisted, for_members = excluded.for_members,
               asks_listed = CASE WHEN delisted THEN excluded.listed END, counter = excluded.counter",
            params![
                no,
                Sql(id),
                applicant.name,
                applicant.card,
                applicant.visibility == Visibility::Public,
                first_standing.as_str(),
                Sql(now),
                Sql(applicant.counter),
                (applicant.visibility == Visibility::Members).then_some(Sql(applicant.counter))
            ],
        )?;
        let member = load(&self.transaction, &id, now)?.expect("it was written above");
        let shown = member.visibility();
        let was_shown = before.as_ref().map_or(shown, Member::visibility);
        if shown.is_in_directory() && !was_shown.is_in_directory() {
            self.list_from_now(&id, now)?;
        } else {
            self.tell_identity(&id, now)?;
        }
        if shown != was_shown {
            touch_what_was_said_by(&self.transaction, &self.touched, &id)?;
        }
        self.arrive_appended(now)?;
        Ok(Ok(Registered {
            standings: member.standings,
            merge,
            is_new: before.is_none(),
        }))
    }

    /// Takes an identity log; what waited for it goes on.
    pub(super) fn put_log(&self, log: &IdentityLog, now: Timestamp) -> Result<Merge> {
        // What a hub decides about a member is in `members`; its feeds are all alike.
        self.ingest(now)
            .identity(log, instances::Standing::Approved)
    }

    /// A member, as this transaction sees it.
    ///
    /// # Errors
    /// What the database reports.
    pub fn member(&self, id: &InstanceId, now: Timestamp) -> Result<Option<Member>> {
        load(&self.transaction, id, now)
    }

    /// The stored identity log of an instance, as this transaction sees it.
    ///
    /// # Errors
    /// What the database reports.
    pub fn identity_log(&self, id: &InstanceId) -> Result<Option<IdentityLog>> {
        identity_log(&self.transaction, id)
    }

    /// Decides about a member. One that is served from now on and was not before arrives with its
    /// identity log and each of its feeds. Returns whether there is such a member.
    ///
    /// # Errors
    /// What the database reports.
    pub fn set_standing(
        &self,
        id: &InstanceId,
        standing: Standing,
        reason: Option<&str>,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<bool> {
        self.end_suspension(id, now)?;
        let Some(before) = load(&self.transaction, id, now)? else {
            return Ok(false);
        };
        let is_suspended = standing == Standing::Suspended;
        self.transaction.execute(
            "UPDATE members SET standing = ?2, reason = ?3, until = ?4 WHERE id = ?1",
            params![
                Sql(id),
                standing.as_str(),
                reason.filter(|_| is_suspended),
                until.filter(|_| is_suspended).map(Sql)
            ],
        )?;
        if standing == Standing::Member && before.standings.standing != Standing::Member {
            self.serve_again(id, now)?;
        }
        touch_what_was_said_by(&self.transaction, &self.touched, id)?;
        Ok(true)
    }

    /// Makes members again of those whose suspension is over; returns how many.
    ///
    /// # Errors
    /// What the database reports.
    pub fn end_suspensions(&self, now: Timestamp) -> Result<u64> {
        let sql = "SELECT id FROM members WHERE standing = 'suspended' AND until <= ?1 ORDER BY id";
        let over: Vec<Sql<InstanceId>> = self
            .transaction
            .prepare_cached(sql)?
            .query_map([Sql(now)], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for Sql(id) in &over {
            self.end_suspension(id, now)?;
        }
        Ok(over.len() as u64)
    }

    /// Makes a member again of one whose suspension is over.
    pub(super) fn end_suspension(&self, id: &InstanceId, now: Timestamp) -> Result<()> {
        let ended = self
            .transaction
            .prepare_cached(
                "UPDATE members SET standing = 'member', reason = NULL, until = NULL
                 WHERE id = ?1 AND standing = 'suspended' AND until <= ?2",
            )?
            .execute(params![Sql(id), Sql(now)])?;
        if ended > 0 {
            self.serve_again(id, now)?;
            touch_what_was_said_by(&self.transaction, &self.touched, id)?;
        }
        Ok(())
    }

    /// Who follows all listed members is served the feeds of one from now on: what arrived while it was in no list went
    /// by with the identity log that it needs.
    pub(super) fn list_from_now(&self, id: &InstanceId, now: Timestamp) -> Result<()> {
        let last = Place::last(&self.transaction)?;
        let sql = "UPDATE members SET listed_from = ?2 WHERE id = ?1";
        self.transaction
            .execute(sql, params![Sql(id), Sql(last.n)])?;
        self.serve_again(id, now)
    }

    /// Everything of a member arrives again: followers may have missed some of it, or all.
    pub(super) fn serve_again(&self, id: &InstanceId, now: Timestamp) -> Result<()> {
        self.transaction
            .execute("UPDATE members SET told = NULL WHERE id = ?1", [Sql(id)])?;
        self.tell_identity(id, now)?;
        let no = instance_no(&self.transaction, id)?
            .ok_or_else(|| StoreError::damaged("a member without an identity log"))?;
        for feed in feeds_of(&self.transaction, no, id)? {
            let what = Arrived {
                origin: *id,
                feed: Some((feed.held.scope, feed.log_no, feed.held.seq)),
                hash: feed.held.hash,
            };
            self.arrive(Arrival::Again, &what, now)?;
        }
        Ok(())
    }

    /// The identity log of a member arrives, where it is new or longer.
    pub(super) fn tell_identity(&self, id: &InstanceId, now: Timestamp) -> Result<()> {
        let sql = "SELECT standing, told FROM members WHERE id = ?1";
        let told: Option<(Standing, Option<Sql<Hash>>)> = self
            .transaction
            .prepare_cached(sql)?
            .query_row([Sql(id)], |row| Ok((word(row, 0)?, row.get(1)?)))
            .optional()?;
        let Some((Standing::Member, told)) = told else {
            return Ok(());
        };
        let newest = self.ingest(now).newest_entry(id)?;
        if some(told) == newest {
            return Ok(());
        }
        let hash = newest.ok_or_else(|| StoreError::damaged("a member without an identity log"))?;
        let what = Arrived {
            origin: *id,
            feed: None,
            hash,
        };
        self.arrive(Arrival::Identity, &what, now)?;
        self.transaction.execute(
            "UPDATE members SET told = ?2 WHERE id = ?1",
            params![Sql(id), Sql(hash)],
        )?;
        Ok(())
    }

    /// Notes up to where a member says to have what arrived.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_seen(&self, id: &InstanceId, n: u64, now: Timestamp) -> Result<()> {
        self.transaction
            .prepare_cached("UPDATE members SET seen_n = ?2, seen_at = ?3 WHERE id = ?1")?
            .execute(params![Sql(id), Sql(n), Sql(now)])?;
        Ok(())
    }
}
