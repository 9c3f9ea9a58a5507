//! Invitations of a hub: who may become a member by a code, how many, and until when (spec: sync, registration).

use tokio_postgres::Row;
use wb_core::id::{Hash, InstanceId};
use wb_core::time::Timestamp;
use wb_hub::{HubInvites, INVITES_MAX, InviteRefused, InviteRow, Kept, NewInvite};

use crate::error::Result;
use crate::hub::PgHub;
use crate::member::ONE_AT_A_TIME;
use crate::tx::{Columns as _, Tx, int};

impl HubInvites for PgHub {
    async fn put_invite(&self, invite: NewInvite, now: Timestamp) -> Kept<Option<u64>> {
        self.write(move |tx| put(tx, &invite, now)).await
    }

    async fn invites(
        &self,
        below: Option<u64>,
        limit: usize,
        came_max: usize,
    ) -> Kept<Vec<InviteRow>> {
        self.read(move |tx| invites(tx, below, limit, came_max))
            .await
    }

    async fn invite_off(&self, n: u64, now: Timestamp) -> Kept<Option<bool>> {
        self.write(move |tx| off(tx, n, now)).await
    }
}

const COLUMNS: &str = "n, note, made_at, uses_max, used, until, off_at";

fn read(row: &Row) -> Result<InviteRow> {
    let uses_max: Option<i64> = row.value(3)?;
    Ok(InviteRow {
        n: row.number(0)?,
        note: row.value(1)?,
        made_at: row.time(2)?,
        uses_max: uses_max.and_then(|n| u64::try_from(n).ok()),
        used: row.number(4)?,
        until: row.time_or(5)?,
        off_at: row.time_or(6)?,
        came: Vec::new(),
    })
}

fn invites(
    tx: &Tx<'_>,
    below: Option<u64>,
    limit: usize,
    came_max: usize,
) -> Result<Vec<InviteRow>> {
    let sql = format!("SELECT {COLUMNS} FROM invites WHERE n < $1 ORDER BY n DESC LIMIT $2");
    let below = below.map_or(i64::MAX, int);
    let rows = tx.rows(&sql, &[&below, &rows_max(limit)])?;
    let mut invites: Vec<InviteRow> = rows.iter().map(read).collect::<Result<_>>()?;
    for invite in &mut invites {
        let came = tx.rows(
            "SELECT id, name FROM members WHERE invite = $1 ORDER BY id LIMIT $2",
            &[&int(invite.n), &rows_max(came_max)],
        )?;
        let came = came.iter().map(|row| Ok((row.instance(0)?, row.value(1)?)));
        invite.came = came.collect::<Result<_>>()?;
    }
    Ok(invites)
}

fn rows_max(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Makes one; its number, or none where as many as may are kept.
fn put(tx: &Tx<'_>, invite: &NewInvite, now: Timestamp) -> Result<Option<u64>> {
    // Two that count at once would give one number twice.
    let [_, counted] = tx.all([
        (ONE_AT_A_TIME, &[]),
        ("SELECT count(*), coalesce(max(n), 0) FROM invites", &[]),
    ])?;
    let (kept, newest) = match counted.first() {
        Some(row) => (row.number(0)?, row.number(1)?),
        None => (0, 0),
    };
    if kept >= INVITES_MAX {
        return Ok(None);
    }
    let n = newest + 1;
    tx.execute(
        "INSERT INTO invites (n, code, note, made_at, uses_max, until) VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            &int(n),
            &&invite.code.0[..],
            &invite.note,
            &now.unix_ms(),
            &invite.uses_max.map(int),
            &invite.until.map(Timestamp::unix_ms),
        ],
    )?;
    Ok(Some(n))
}

/// Switches one off: whether it was on; none where there is none.
fn off(tx: &Tx<'_>, n: u64, now: Timestamp) -> Result<Option<bool>> {
    let sql = "UPDATE invites SET off_at = $2 WHERE n = $1 AND off_at IS NULL";
    if tx.execute(sql, &[&int(n), &now.unix_ms()])? > 0 {
        return Ok(Some(true));
    }
    let there = tx.row("SELECT n FROM invites WHERE n = $1", &[&int(n)])?;
    Ok(there.map(|_| false))
}

/// The invitation whose code has a hash, where it lets one more in. Nobody else uses it until this transaction ends.
pub(crate) fn lock_of(
    tx: &Tx<'_>,
    code: &Hash,
    now: Timestamp,
) -> Result<std::result::Result<u64, InviteRefused>> {
    let sql = format!("SELECT {COLUMNS} FROM invites WHERE code = $1 FOR UPDATE");
    let Some(row) = tx.row(&sql, &[&&code.0[..]])? else {
        return Ok(Err(InviteRefused::Unknown));
    };
    let invite = read(&row)?;
    Ok(invite.state().check(now).map(|()| invite.n))
}

/// Notes that somebody came by an invitation.
pub(crate) fn note_came_by(tx: &Tx<'_>, id: &InstanceId, n: u64) -> Result<()> {
    let n = int(n);
    tx.execute("UPDATE invites SET used = used + 1 WHERE n = $1", &[&n])?;
    tx.execute(
        "UPDATE members SET invite = $2 WHERE id = $1",
        &[&&id.0[..], &n],
    )?;
    Ok(())
}
