//! Members of a hub: who registered, and where each registration stands.
//!
//! A suspension that has an end counts as over wherever it is read after that time; what the member's followers
//! missed meanwhile arrives again with the next write that concerns it, or with [`end_suspensions`].

use std::collections::BTreeSet;

use tokio_postgres::Row;
use wb_core::id::{Hash, InstanceId, RecordId};
use wb_core::sync::{Arrival, Policy, Standing, Standings, Visibility};
use wb_core::time::Timestamp;
use wb_hub::{Entering, RegisterRefused, Registering};

use crate::error::{PgError, Result};
use crate::feed::Feed;
use crate::invites;
use crate::listing::touch_what_was_said_by;
use crate::tx::{Columns as _, Tx, int};
use crate::write::{Arriving, Write};

/// SQL for a member `m` that is served at the time `$1`.
pub(crate) const IS_SERVED: &str =
    "(m.standing = 'member' OR (m.standing = 'suspended' AND m.until <= $1))";

/// SQL for whether members see a member `m` in the directory and follow it by `*`: that everybody may see it, or that it
/// is for members and no notice keeps it out of lists. Never null. As text that goes into text.
macro_rules! is_in_directory {
    () => {
        "(m.listed OR (coalesce(m.for_members = m.counter, false) AND NOT m.delisted))"
    };
}
pub(crate) use is_in_directory;

/// Columns of [`Member::read`], of `members m LEFT JOIN seen s USING (instance_no)`.
pub(crate) const COLUMNS: &str =
    "m.instance_no, m.id, m.name, m.card, m.listed, m.counter, m.standing, m.reason,
    m.until, m.since, m.told, coalesce(s.n, 0), s.at, coalesce(m.asks_listed, m.listed), m.delisted, m.revoked, m.notice,
    coalesce(m.for_members = m.counter, false), m.invite";

/// Bytes that a reader is sent of an identity log, or of a head: about one entry of it.
const SMALL_BYTES: u64 = 1_024;

/// A member, or who waits to be one.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub no: i64,
    pub id: InstanceId,
    pub name: String,
    pub card: String,
    pub listed: bool,
    pub counter: u64,
    /// As it is stored.
    pub standing: Standing,
    pub reason: Option<String>,
    pub until: Option<Timestamp>,
    pub since: Timestamp,
    /// The newest entry of its identity log that arrived for others.
    pub told: Option<Hash>,
    pub seen_n: u64,
    pub seen_at: Option<Timestamp>,
    /// To whom it asks to be shown; a notice may keep it out of lists all the same.
    pub asks: Visibility,
    /// The invitation by which it came.
    pub invite: Option<u64>,
    pub delisted: bool,
    pub revoked: bool,
    /// The line of the notice that was applied last.
    pub notice: Option<Hash>,
}

impl Member {
    pub fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            no: row.value(0)?,
            id: row.instance(1)?,
            name: row.value(2)?,
            card: row.value(3)?,
            listed: row.value(4)?,
            counter: row.number(5)?,
            standing: row.word(6)?,
            reason: row.value(7)?,
            until: row.time_or(8)?,
            since: row.time(9)?,
            told: row.hash_or(10)?,
            seen_n: row.number(11)?,
            seen_at: row.time_or(12)?,
            asks: Visibility::asked(row.value(13)?, row.value(17)?),
            invite: row
                .value::<Option<i64>>(18)?
                .and_then(|n| u64::try_from(n).ok()),
            delisted: row.value(14)?,
            revoked: row.value(15)?,
            notice: row.hash_or(16)?,
        })
    }

    /// To whom it is shown.
    pub fn visibility(&self) -> Visibility {
        self.asks.shown(self.listed, self.delisted)
    }

    /// Where it stands at a time.
    pub fn standings(&self, now: Timestamp) -> Standings {
        let is_over = self.is_over(now);
        let standing = if is_over {
            Standing::Member
        } else {
            self.standing
        };
        let is_suspended = standing == Standing::Suspended;
        Standings {
            schema_version: 1,
            standing,
            reason: self.reason.clone().filter(|_| is_suspended),
            until: self.until.filter(|_| is_suspended),
            visibility: Some(self.visibility()),
        }
    }

    /// Whether it is suspended until a time that has come.
    fn is_over(&self, now: Timestamp) -> bool {
        self.standing == Standing::Suspended && self.until.is_some_and(|until| until <= now)
    }

    /// Whether a registration is older than what is held, or contradicts it.
    fn is_newer_than(&self, registering: &Registering) -> bool {
        let says = (&registering.name, &registering.card, registering.visibility);
        let is_same = says == (&self.name, &self.card, self.asks);
        registering.counter < self.counter || (registering.counter == self.counter && !is_same)
    }
}

/// One member.
pub(crate) fn load(tx: &Tx<'_>, id: &InstanceId) -> Result<Option<Member>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM members m LEFT JOIN seen s USING (instance_no) WHERE m.id = $1"
    );
    let row = tx.row(&sql, &[&&id.0[..]])?;
    row.as_ref().map(Member::read).transpose()
}

/// The same, and nobody else writes anything of it until this transaction ends. Whether this program still knows the
/// tables is asked along.
pub(crate) fn lock(tx: &Tx<'_>, id: &InstanceId) -> Result<Option<Member>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM members m LEFT JOIN seen s USING (instance_no) WHERE m.id = $1 FOR UPDATE OF m"
    );
    let [schema, rows] = tx.all([("SELECT needs FROM hub_schema", &[]), (&sql, &[&&id.0[..]])])?;
    let needs = schema
        .first()
        .ok_or_else(|| PgError::damaged("no format"))?;
    crate::schema::check(needs.value(0)?)?;
    rows.first().map(Member::read).transpose()
}

/// How many wait, and who of them goes to make room, is one decision at a time.
pub(crate) const ONE_AT_A_TIME: &str = "SELECT let_go FROM waiting FOR UPDATE";

/// Takes a registration. What would refuse it is looked at before anything is written; a code is used last, so that one
/// of a registration that is stale is used by nobody.
pub(crate) fn register(
    write: &Write<'_, '_>,
    registering: &Registering,
    policy: Policy,
    limits: (u64, Timestamp),
) -> Result<std::result::Result<Standings, RegisterRefused>> {
    let (tx, id, now) = (write.tx, registering.identity.id(), write.now);
    let (waiting_max, kept_since) = limits;
    let before = lock(tx, &id)?;
    let stood = before.as_ref().map(|held| held.standings(now).standing);
    let entering = Entering::of(stood, registering.code, policy);
    let invite = match entering {
        Entering::NotWithoutCode => return Ok(Err(RegisterRefused::InviteNeeded)),
        // Whoever brings the same code meanwhile waits here for the end of this transaction.
        Entering::ByCode(code) => match invites::lock_of(tx, &code, now)? {
            Ok(invite) => Some(invite),
            Err(refused) => return Ok(Err(RegisterRefused::Invite(refused))),
        },
        Entering::AsBefore => None,
        Entering::ByPolicy => {
            if policy == Policy::Approval && !make_room(tx, waiting_max, kept_since)? {
                return Ok(Err(RegisterRefused::QueueFull(waiting_max)));
            }
            None
        }
    };
    let taken = match &before {
        Some(held) => take_again(write, registering, held)?,
        None => {
            let first = invite.map_or(policy, |_| Policy::Open);
            match take_first(write, registering, first)? {
                Some(standings) => Ok(standings),
                // It came a moment before by another road.
                None => return register(write, registering, policy, limits),
            }
        }
    };
    match (taken, invite) {
        (Ok(mut standings), Some(invite)) => {
            invites::note_came_by(tx, &id, invite)?;
            if standings.standing == Standing::Waiting {
                set_standing(write, id, Standing::Member, None, None)?;
                standings.standing = Standing::Member;
            }
            Ok(Ok(standings))
        }
        (taken, _) => Ok(taken),
    }
}

/// Takes the first registration of somebody; none where it is not the first any more.
fn take_first(
    write: &Write<'_, '_>,
    registering: &Registering,
    policy: Policy,
) -> Result<Option<Standings>> {
    let id = registering.identity.id();
    if !insert(write, registering, policy)? {
        return Ok(None);
    }
    let member = lock(write.tx, &id)?;
    let member = member.ok_or_else(|| PgError::damaged("who registered is not there"))?;
    let feed = Feed::load(write, id, member.no, &BTreeSet::new())?;
    feed.put_identity(&registering.identity)?;
    tell_identity(write, &member, &feed, write.arriving_n())?;
    feed.end()?;
    Ok(Some(member.standings(write.now)))
}

/// Takes another registration of somebody.
fn take_again(
    write: &Write<'_, '_>,
    registering: &Registering,
    held: &Member,
) -> Result<std::result::Result<Standings, RegisterRefused>> {
    let id = held.id;
    let feed = Feed::load(write, id, held.no, &BTreeSet::new())?;
    let place = write.arriving_n();
    feed.put_identity(&registering.identity)?;
    let is_stale = held.is_newer_than(registering);
    let mut member = held.clone();
    if !is_stale {
        let is_public = registering.visibility == Visibility::Public;
        write.tx.execute(
            "UPDATE members SET name = $2, card = $3, listed = $4 AND NOT delisted,
               asks_listed = CASE WHEN delisted THEN $4::boolean END, counter = $5, for_members = $6 WHERE instance_no = $1",
            &[
                &held.no,
                &registering.name,
                &registering.card,
                &is_public,
                &int(registering.counter),
                &for_members(registering),
            ],
        )?;
        member.listed = is_public && !held.delisted;
        member.asks = registering.visibility;
    }
    let (shown, was_shown) = (member.visibility(), held.visibility());
    if shown.is_in_directory() && !was_shown.is_in_directory() {
        list_from_now(write, &member, &feed, place)?;
    } else {
        tell_identity(write, &member, &feed, place)?;
    }
    if shown != was_shown {
        touch_what_was_said_by(write, (id, held.no))?;
    }
    feed.end()?;
    Ok(if is_stale {
        Err(RegisterRefused::Stale(held.counter))
    } else {
        Ok(member.standings(write.now))
    })
}

/// The counter of a registration that asks to be shown to members alone.
fn for_members(registering: &Registering) -> Option<i64> {
    let asks = registering.visibility == Visibility::Members;
    asks.then(|| int(registering.counter))
}

/// Makes the row of who was not known; whether it was not.
fn insert(write: &Write<'_, '_>, registering: &Registering, policy: Policy) -> Result<bool> {
    let standing = match policy {
        Policy::Open => Standing::Member,
        // Who brings a code is let in by it, and who brings none is refused before.
        Policy::Approval | Policy::Invite => Standing::Waiting,
    };
    let made = write.tx.execute(
        "INSERT INTO members (id, name, card, listed, standing, since, counter, for_members)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
        &[
            &&registering.identity.id().0[..],
            &registering.name,
            &registering.card,
            &(registering.visibility == Visibility::Public),
            &standing.as_str(),
            &write.now.unix_ms(),
            &int(registering.counter),
            &for_members(registering),
        ],
    )?;
    Ok(made > 0)
}

/// Makes sure that one more may wait for approval. Where as many as may are waiting, the one goes that waits longest
/// of those that registered before a time and never asked again. Returns whether there is room.
fn make_room(tx: &Tx<'_>, waiting_max: u64, before: Timestamp) -> Result<bool> {
    let [_, waiting] = tx.all([
        (ONE_AT_A_TIME, &[]),
        (
            "SELECT count(*) FROM members WHERE standing = 'waiting'",
            &[],
        ),
    ])?;
    let waiting = waiting.first().map_or(Ok(0), |row| row.number(0))?;
    if waiting < waiting_max {
        return Ok(true);
    }
    // Nothing else is kept of who was never let in. One that somebody is writing of just now asks again.
    let gone = tx.execute(
        "DELETE FROM members WHERE instance_no = (
           SELECT m.instance_no FROM members m WHERE m.standing = 'waiting' AND m.since <= $1
             AND NOT EXISTS (SELECT 1 FROM seen s WHERE s.instance_no = m.instance_no)
           ORDER BY m.since, m.id LIMIT 1 FOR UPDATE SKIP LOCKED)",
        &[&before.unix_ms()],
    )?;
    if gone > 0 {
        tx.execute("UPDATE waiting SET let_go = let_go + 1", &[])?;
    }
    Ok(gone > 0)
}

/// The identity log of a member arrives, where it is new or longer: before what arrived since a place, which may
/// have waited for it. Its newest entry, where that is told now.
pub(crate) fn tell_identity(
    write: &Write<'_, '_>,
    member: &Member,
    feed: &Feed<'_, '_, '_>,
    place: usize,
) -> Result<Option<Hash>> {
    if member.standing != Standing::Member {
        return Ok(None);
    }
    let log = feed.identity();
    let log = log.ok_or_else(|| PgError::damaged("a member without an identity log"))?;
    let hash = log.newest().hash;
    if member.told == Some(hash) {
        return Ok(None);
    }
    let arriving = Arriving {
        arrival: Arrival::Identity,
        instance_no: member.no,
        header: None,
        hash,
        bytes: SMALL_BYTES * log.entries().len() as u64,
    };
    write.arrive_at(place, arriving);
    write.tx.execute(
        "UPDATE members SET told = $2 WHERE instance_no = $1",
        &[&member.no, &&hash.0[..]],
    )?;
    Ok(Some(hash))
}

/// Who follows all listed members is served the feeds of one from now on: what arrived while it was in no list went by
/// with the identity log that it needs. From which number on is told when there are numbers; until then from none.
pub(crate) fn list_from_now(
    write: &Write<'_, '_>,
    member: &Member,
    feed: &Feed<'_, '_, '_>,
    place: usize,
) -> Result<()> {
    write.tx.execute(
        "UPDATE members SET listed_from = $2 WHERE instance_no = $1",
        &[&member.no, &i64::MAX],
    )?;
    serve_again(write, member, feed, place)?;
    write.serve_from_here(place, member.no)
}

/// Everything of a member arrives again: followers may have missed some of it, or all.
fn serve_again(
    write: &Write<'_, '_>,
    member: &Member,
    feed: &Feed<'_, '_, '_>,
    place: usize,
) -> Result<()> {
    let untold = Member {
        told: None,
        ..member.clone()
    };
    tell_identity(write, &untold, feed, place)?;
    if let Some((log_no, head)) = feed.place_of_head() {
        write.arrive(Arriving {
            arrival: Arrival::Again,
            instance_no: member.no,
            header: Some((log_no, head.seq)),
            hash: head.hash,
            bytes: SMALL_BYTES,
        });
    }
    Ok(())
}

/// Decides about a member. One that is served from now on and was not before arrives with its identity log and its
/// feed. Whether there is such a member.
pub(crate) fn set_standing(
    write: &Write<'_, '_>,
    id: InstanceId,
    standing: Standing,
    reason: Option<&str>,
    until: Option<Timestamp>,
) -> Result<bool> {
    let Some(held) = lock(write.tx, &id)? else {
        return Ok(false);
    };
    note_decided(write.tx)?;
    let before = end_if_over(write, &held)?;
    let is_suspended = standing == Standing::Suspended;
    let until = until.filter(|_| is_suspended).map(Timestamp::unix_ms);
    write.tx.execute(
        "UPDATE members SET standing = $2, reason = $3, until = $4 WHERE instance_no = $1",
        &[
            &held.no,
            &standing.as_str(),
            &reason.filter(|_| is_suspended),
            &until,
        ],
    )?;
    if standing == Standing::Member && before.standing != Standing::Member {
        arrive_again(write, &before)?;
    }
    touch_what_was_said_by(write, (id, held.no))?;
    Ok(true)
}

/// Something is decided of which no arrival tells: whoever waits has to look.
pub(crate) fn note_decided(tx: &Tx<'_>) -> Result<()> {
    tx.execute("UPDATE decided SET n = n + 1", &[])?;
    Ok(())
}

pub(crate) fn arrive_again(write: &Write<'_, '_>, member: &Member) -> Result<()> {
    let member = Member {
        standing: Standing::Member,
        ..member.clone()
    };
    let feed = Feed::load(write, member.id, member.no, &BTreeSet::<RecordId>::new())?;
    serve_again(write, &member, &feed, write.arriving_n())?;
    feed.end()
}

/// Makes a member again of one whose suspension is over; how it is stored then.
pub(crate) fn end_if_over(write: &Write<'_, '_>, member: &Member) -> Result<Member> {
    if !member.is_over(write.now) {
        return Ok(member.clone());
    }
    write.tx.execute(
        "UPDATE members SET standing = 'member', reason = NULL, until = NULL WHERE instance_no = $1",
        &[&member.no],
    )?;
    arrive_again(write, member)?;
    touch_what_was_said_by(write, (member.id, member.no))?;
    Ok(Member {
        standing: Standing::Member,
        reason: None,
        until: None,
        ..member.clone()
    })
}

/// Makes members again of those whose suspension is over; how many.
pub(crate) fn end_suspensions(write: &Write<'_, '_>) -> Result<u64> {
    let over = write.tx.rows(
        "SELECT id FROM members WHERE standing = 'suspended' AND until <= $1 ORDER BY id",
        &[&write.now.unix_ms()],
    )?;
    let mut ended = 0;
    for row in over {
        if let Some(member) = lock(write.tx, &row.instance(0)?)?
            && member.is_over(write.now)
        {
            end_if_over(write, &member)?;
            ended += 1;
        }
    }
    Ok(ended)
}

/// Notes up to where a member says to have what arrived.
pub(crate) fn note_seen(tx: &Tx<'_>, no: i64, n: u64, now: Timestamp) -> Result<()> {
    tx.execute(
        "INSERT INTO seen (instance_no, n, at) VALUES ($1, $2, $3)
         ON CONFLICT (instance_no) DO UPDATE SET n = excluded.n, at = excluded.at",
        &[&no, &int(n), &now.unix_ms()],
    )?;
    Ok(())
}
