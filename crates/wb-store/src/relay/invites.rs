//! Invitations of a hub: who may become a member by a code, how many, and until when (spec: sync, registration).
//!
//! Of a code only its hash is kept, so whoever reads the file comes in by none. A code is looked at and used in the
//! transaction that makes its bearer a member: of two that bring the last use, one comes in.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use wb_core::id::{Hash, InstanceId};
use wb_core::time::Timestamp;

use super::file::{Relay, RelayWrite};
use crate::error::Result;
use crate::sql::{Sql, some};

/// An invitation that is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvite {
    /// The hash of its code.
    pub code: Hash,
    /// What its maker noted, for moderators.
    pub note: String,
    /// How many may come by it; none for no limit.
    pub uses_max: Option<u64>,
    /// From then on nobody comes by it any more.
    pub until: Option<Timestamp>,
}

/// An invitation as its hub's moderators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteRow {
    /// What people call it by.
    pub n: u64,
    /// What its maker noted.
    pub note: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// How many may come by it; none for no limit.
    pub uses_max: Option<u64>,
    /// How many came.
    pub used: u64,
    /// From then on nobody comes by it any more.
    pub until: Option<Timestamp>,
    /// Since when it is switched off.
    pub off_at: Option<Timestamp>,
    /// Those of whom came by it and are registered still, by id, with their names.
    pub came: Vec<(InstanceId, String)>,
}

/// Why a code lets nobody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InviteRefused {
    /// It is of no invitation here.
    Unknown,
    /// As many as may have come by it.
    UsedUp {
        /// How many may.
        uses_max: u64,
    },
    /// It ended.
    Ended {
        /// When.
        until: Timestamp,
    },
    /// It was switched off.
    SwitchedOff,
}

/// What decides whether an invitation lets somebody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InviteState {
    /// How many may come by it; none for no limit.
    pub uses_max: Option<u64>,
    /// How many came.
    pub used: u64,
    /// From then on nobody comes by it any more.
    pub until: Option<Timestamp>,
    /// Since when it is switched off.
    pub off_at: Option<Timestamp>,
}

impl InviteState {
    /// Whether one more may come by it: what was decided by hand is told before what came of itself.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, now: Timestamp) -> std::result::Result<(), InviteRefused> {
        if self.off_at.is_some() {
            return Err(InviteRefused::SwitchedOff);
        }
        if let Some(until) = self.until.filter(|until| *until <= now) {
            return Err(InviteRefused::Ended { until });
        }
        match self.uses_max {
            Some(uses_max) if self.used >= uses_max => Err(InviteRefused::UsedUp { uses_max }),
            _ => Ok(()),
        }
    }
}

impl InviteRow {
    /// What decides whether it lets somebody in.
    #[must_use]
    pub fn state(&self) -> InviteState {
        InviteState {
            uses_max: self.uses_max,
            used: self.used,
            until: self.until,
            off_at: self.off_at,
        }
    }
}

const COLUMNS: &str = "n, note, made_at, uses_max, used, until, off_at";

fn read(row: &Row<'_>) -> rusqlite::Result<InviteRow> {
    let uses_max: Option<Sql<u64>> = row.get(3)?;
    Ok(InviteRow {
        n: row.get::<_, Sql<u64>>(0)?.0,
        note: row.get(1)?,
        made_at: row.get::<_, Sql<Timestamp>>(2)?.0,
        uses_max: some(uses_max),
        used: row.get::<_, Sql<u64>>(4)?.0,
        until: some(row.get(5)?),
        off_at: some(row.get(6)?),
        came: Vec::new(),
    })
}

/// The first of those who came by an invitation, by id.
fn came(connection: &Connection, n: u64, limit: usize) -> Result<Vec<(InstanceId, String)>> {
    let sql = "SELECT id, name FROM members WHERE invite = ?1 ORDER BY id LIMIT ?2";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![Sql(n), limit], |row| {
        Ok((row.get::<_, Sql<InstanceId>>(0)?.0, row.get(1)?))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

impl Relay {
    /// Invitations, the newest first, below one where it is given; with the first of those who came by each.
    ///
    /// # Errors
    /// What the database reports.
    pub fn invites(
        &self,
        below: Option<u64>,
        limit: usize,
        came_max: usize,
    ) -> Result<Vec<InviteRow>> {
        self.at_one_moment(|connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM invites WHERE ?1 IS NULL OR n < ?1 ORDER BY n DESC LIMIT ?2"
            );
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map(params![below.map(Sql), limit], read)?;
            let mut invites: Vec<InviteRow> = rows.collect::<rusqlite::Result<_>>()?;
            for invite in &mut invites {
                invite.came = came(connection, invite.n, came_max)?;
            }
            Ok(invites)
        })
    }
}

impl RelayWrite<'_> {
    /// Makes an invitation; its number, or none where as many as may are kept.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_invite(
        &self,
        invite: &NewInvite,
        invites_max: u64,
        now: Timestamp,
    ) -> Result<Option<u64>> {
        let sql = "SELECT count(*), ifnull(max(n), 0) FROM invites";
        let (kept, newest): (u64, u64) = self.transaction.query_row(sql, [], |row| {
            Ok((row.get::<_, Sql<u64>>(0)?.0, row.get::<_, Sql<u64>>(1)?.0))
        })?;
        if kept >= invites_max {
            return Ok(None);
        }
        let n = newest + 1;
        self.transaction.execute(
            "INSERT INTO invites (n, code, note, made_at, uses_max, until) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                Sql(n),
                Sql(invite.code),
                invite.note,
                Sql(now),
                invite.uses_max.map(Sql),
                invite.until.map(Sql)
            ],
        )?;
        Ok(Some(n))
    }

    /// Switches an invitation off: whether it was on; none where there is no such invitation.
    ///
    /// # Errors
    /// What the database reports.
    pub fn invite_off(&self, n: u64, now: Timestamp) -> Result<Option<bool>> {
        let sql = "UPDATE invites SET off_at = ?2 WHERE n = ?1 AND off_at IS NULL";
        if self.transaction.execute(sql, params![Sql(n), Sql(now)])? > 0 {
            return Ok(Some(true));
        }
        let sql = "SELECT 1 FROM invites WHERE n = ?1";
        let there: Option<i64> = self
            .transaction
            .query_row(sql, [Sql(n)], |row| row.get(0))
            .optional()?;
        Ok(there.map(|_| false))
    }

    /// The invitation whose code has a hash, where it lets one more in.
    ///
    /// # Errors
    /// What the database reports.
    pub fn invite_of(
        &self,
        code: &Hash,
        now: Timestamp,
    ) -> Result<std::result::Result<u64, InviteRefused>> {
        let sql = format!("SELECT {COLUMNS} FROM invites WHERE code = ?1");
        let invite = self
            .transaction
            .prepare_cached(&sql)?
            .query_row([Sql(code)], read)
            .optional()?;
        let Some(invite) = invite else {
            return Ok(Err(InviteRefused::Unknown));
        };
        Ok(invite.state().check(now).map(|()| invite.n))
    }

    /// Notes that somebody came by an invitation.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_came_by(&self, id: &InstanceId, n: u64) -> Result<()> {
        self.transaction
            .execute("UPDATE invites SET used = used + 1 WHERE n = ?1", [Sql(n)])?;
        let sql = "UPDATE members SET invite = ?2 WHERE id = ?1";
        self.transaction.execute(sql, params![Sql(id), Sql(n)])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(ms).expect("a time")
    }

    #[test]
    fn an_invitation_ends_at_its_time_and_with_its_last_use() {
        let state = InviteState {
            uses_max: Some(2),
            used: 1,
            until: Some(at(1_000)),
            off_at: None,
        };
        assert_eq!(state.check(at(999)), Ok(()));
        let until = at(1_000);
        assert_eq!(state.check(until), Err(InviteRefused::Ended { until }));
        let used = InviteState { used: 2, ..state };
        let refused = InviteRefused::UsedUp { uses_max: 2 };
        assert_eq!(used.check(at(999)), Err(refused));
        let off = InviteState {
            off_at: Some(at(5)),
            ..used
        };
        assert_eq!(off.check(at(2_000)), Err(InviteRefused::SwitchedOff));
        let endless = InviteState {
            uses_max: None,
            until: None,
            ..used
        };
        assert_eq!(endless.check(at(i64::from(u32::MAX))), Ok(()));
    }
}
