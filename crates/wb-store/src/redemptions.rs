//! Invites across instances: who came here by the code of another one's invite, and what was decided about those who came
//! elsewhere by an own one (spec: invites). Of somebody elsewhere nothing is known here but a thread.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension as _, Row, params};
use wb_core::id::{InstanceId, RecordId};
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::private::Private;
use crate::sql::{Sql, some};

/// Where a redemption stands with its issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedemptionState {
    /// It did not answer yet.
    Asked,
    /// It counted it.
    Counted,
    /// It did not, for a cause in one word.
    Refused(String),
}

/// That a member or newcomer came by the code of another instance's invite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redemption {
    /// Who came.
    pub user: RecordId,
    /// The thread of the letter that asked.
    pub thread: RecordId,
    /// Whose invite it is.
    pub issuer: InstanceId,
    /// The invite.
    pub invite: RecordId,
    /// Since when.
    pub at: Timestamp,
    /// Whether who came is a member by the issuer's answer.
    pub at_once: bool,
    /// What the issuer said.
    pub state: RedemptionState,
    /// When it said so.
    pub answered_at: Option<Timestamp>,
    /// When somebody here decided, whatever the issuer said.
    pub settled_at: Option<Timestamp>,
}

impl Redemption {
    /// Whether what its newcomer writes stays here.
    #[must_use]
    pub fn is_provisional(&self) -> bool {
        self.state != RedemptionState::Counted && self.settled_at.is_none()
    }
}

/// What was decided about somebody who came elsewhere by an own invite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteUse {
    /// Where they came.
    pub origin: InstanceId,
    /// The thread in which it asked.
    pub thread: RecordId,
    /// The invite it named.
    pub invite: RecordId,
    /// When it was decided.
    pub at: Timestamp,
    /// Why it was not counted, in one word; none where it was.
    pub refused: Option<String>,
}

const REDEMPTION: &str =
    "SELECT user_id, thread, issuer, invite, at, at_once, state, cause, answered_at, settled_at
    FROM redemptions";

fn redemption(row: &Row<'_>) -> rusqlite::Result<Redemption> {
    let state: String = row.get(6)?;
    let cause: Option<String> = row.get(7)?;
    Ok(Redemption {
        user: row.get::<_, Sql<_>>(0)?.0,
        thread: row.get::<_, Sql<_>>(1)?.0,
        issuer: row.get::<_, Sql<_>>(2)?.0,
        invite: row.get::<_, Sql<_>>(3)?.0,
        at: row.get::<_, Sql<_>>(4)?.0,
        at_once: row.get(5)?,
        state: match state.as_str() {
            "counted" => RedemptionState::Counted,
            "refused" => RedemptionState::Refused(cause.unwrap_or_default()),
            _ => RedemptionState::Asked,
        },
        answered_at: some(row.get::<_, Option<Sql<_>>>(8)?),
        settled_at: some(row.get::<_, Option<Sql<_>>>(9)?),
    })
}

const USE: &str = "SELECT origin, thread, invite, at, refused FROM invite_uses";

fn invite_use(row: &Row<'_>) -> rusqlite::Result<InviteUse> {
    Ok(InviteUse {
        origin: row.get::<_, Sql<_>>(0)?.0,
        thread: row.get::<_, Sql<_>>(1)?.0,
        invite: row.get::<_, Sql<_>>(2)?.0,
        at: row.get::<_, Sql<_>>(3)?.0,
        refused: row.get(4)?,
    })
}

impl Private {
    /// Everybody who came by the code of another instance's invite, the first to come first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn redemptions(&self) -> Result<Vec<Redemption>> {
        let sql = format!("{REDEMPTION} ORDER BY at, user_id");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let rows = statement.query_map([], redemption)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// How somebody came, where that was by another instance's invite.
    ///
    /// # Errors
    /// What the database reports.
    pub fn redemption_of(&self, user: &RecordId) -> Result<Option<Redemption>> {
        let sql = format!("{REDEMPTION} WHERE user_id = ?1");
        let mut statement = self.connection().prepare_cached(&sql)?;
        Ok(statement.query_row([Sql(user)], redemption).optional()?)
    }

    /// The redemption that an issuer was asked about in a thread.
    ///
    /// # Errors
    /// What the database reports.
    pub fn redemption_in(
        &self,
        issuer: &InstanceId,
        thread: &RecordId,
    ) -> Result<Option<Redemption>> {
        let sql = format!("{REDEMPTION} WHERE issuer = ?1 AND thread = ?2");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let of = params![Sql(issuer), Sql(thread)];
        Ok(statement.query_row(of, redemption).optional()?)
    }

    /// Members and newcomers of whom nothing leaves yet.
    ///
    /// # Errors
    /// What the database reports.
    pub fn provisional(&self) -> Result<BTreeSet<RecordId>> {
        let all = self.redemptions()?.into_iter();
        let provisional = all.filter(Redemption::is_provisional);
        Ok(provisional.map(|redemption| redemption.user).collect())
    }

    /// Writes how somebody came, new or changed.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_redemption(&self, of: &Redemption) -> Result<()> {
        let (state, cause) = match &of.state {
            RedemptionState::Asked => ("asked", None),
            RedemptionState::Counted => ("counted", None),
            RedemptionState::Refused(cause) => ("refused", Some(cause)),
        };
        let sql = "INSERT INTO redemptions
                     (user_id, thread, issuer, invite, at, at_once, state, cause, answered_at, settled_at)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                   ON CONFLICT (user_id) DO UPDATE SET at_once = excluded.at_once, state = excluded.state,
                     cause = excluded.cause, answered_at = excluded.answered_at, settled_at = excluded.settled_at";
        self.connection().prepare_cached(sql)?.execute(params![
            Sql(of.user),
            Sql(of.thread),
            Sql(of.issuer),
            Sql(of.invite),
            Sql(of.at),
            of.at_once,
            state,
            cause,
            of.answered_at.map(Sql),
            of.settled_at.map(Sql)
        ])?;
        Ok(())
    }

    /// What was decided about newcomers elsewhere, the first decision first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn invite_uses(&self) -> Result<Vec<InviteUse>> {
        let sql = format!("{USE} ORDER BY at, origin, thread");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let rows = statement.query_map([], invite_use)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What was decided in a thread of an origin.
    ///
    /// # Errors
    /// What the database reports.
    pub fn invite_use(&self, origin: &InstanceId, thread: &RecordId) -> Result<Option<InviteUse>> {
        let sql = format!("{USE} WHERE origin = ?1 AND thread = ?2");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let of = params![Sql(origin), Sql(thread)];
        Ok(statement.query_row(of, invite_use).optional()?)
    }

    /// How many redemptions of an origin were decided about after a time.
    ///
    /// # Errors
    /// What the database reports.
    pub fn invite_uses_since(&self, origin: &InstanceId, after: Timestamp) -> Result<u64> {
        let sql = "SELECT count(*) FROM invite_uses WHERE origin = ?1 AND at > ?2";
        let mut statement = self.connection().prepare_cached(sql)?;
        let of = params![Sql(origin), Sql(after)];
        Ok(statement.query_row(of, |row| row.get::<_, Sql<u64>>(0))?.0)
    }

    /// Writes what was decided; what was decided before in this thread stands.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_invite_use(&self, of: &InviteUse) -> Result<()> {
        let sql = "INSERT INTO invite_uses (origin, thread, invite, at, refused) VALUES (?1, ?2, ?3, ?4, ?5)
                   ON CONFLICT (origin, thread) DO NOTHING";
        self.connection().prepare_cached(sql)?.execute(params![
            Sql(of.origin),
            Sql(of.thread),
            Sql(of.invite),
            Sql(of.at),
            of.refused
        ])?;
        Ok(())
    }

    /// Who joined here by which invite's home link, as the audit log says; it may have forgotten the oldest.
    ///
    /// # Errors
    /// What the database reports.
    pub fn joined_by(&self) -> Result<Vec<(RecordId, RecordId)>> {
        let sql = "SELECT actor, target FROM audit WHERE act = 'invite take' AND actor IS NOT NULL";
        let mut statement = self.connection().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            let user: Sql<RecordId> = row.get(0)?;
            Ok((user.0, row.get::<_, String>(1)?))
        })?;
        let rows: Vec<(RecordId, String)> = rows.collect::<rusqlite::Result<_>>()?;
        let named = rows.into_iter();
        Ok(named
            .filter_map(|(user, invite)| Some((user, invite.parse().ok()?)))
            .collect())
    }
}
