//! How much a hub holds, for its operator.

use std::collections::BTreeMap;

use wb_core::id::InstanceId;
use wb_core::sync::{FeedHead, Standing};
use wb_core::time::Timestamp;
use wb_hub::{MemberRow, Watched};

use crate::changes::pending;
use crate::error::Result;
use crate::follow::{self, followers};
use crate::heads;
use crate::member::{COLUMNS, Member};
use crate::tx::{Columns as _, Tx};

/// How many members there are of each standing.
pub(crate) fn standings(tx: &Tx<'_>, now: Timestamp) -> Result<BTreeMap<&'static str, u64>> {
    let rows = tx.rows(
        "SELECT CASE WHEN standing = 'suspended' AND until <= $1 THEN 'member' ELSE standing END AS now, count(*)
         FROM members WHERE NOT is_hub GROUP BY 1",
        &[&now.unix_ms()],
    )?;
    let rows = rows
        .iter()
        .map(|row| Ok((row.word::<Standing>(0)?.as_str(), row.number(1)?)));
    rows.collect()
}

/// How it stands, for those who watch over the hub.
pub(crate) fn watched(tx: &Tx<'_>, now: Timestamp) -> Result<Watched> {
    let row = tx.one(
        "SELECT r.n, count(s.instance_no), coalesce(r.n - min(s.n), 0),
           (SELECT count(*) FROM envelopes WHERE expires > $1), (SELECT count(*) FROM mail WHERE expires > $1)
         FROM relay r LEFT JOIN (seen s JOIN members m ON m.instance_no = s.instance_no AND m.standing = 'member')
           ON s.n < r.n
         GROUP BY r.n",
        &[&now.unix_ms()],
    )?;
    Ok(Watched {
        standings: standings(tx, now)?,
        newest_n: row.number(0)?,
        behind: row.number(1)?,
        lag: row.number(2)?,
        envelopes: row.number(3)?,
        letters: row.number(4)?,
    })
}

/// Members by id, after one and of one standing where they are given.
pub(crate) fn members(
    tx: &Tx<'_>,
    standing: Option<Standing>,
    after: Option<&InstanceId>,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<MemberRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM members m LEFT JOIN seen s USING (instance_no)
         WHERE m.id > $2 AND NOT m.is_hub AND ($3::text IS NULL OR $3 =
           CASE WHEN m.standing = 'suspended' AND m.until <= $1 THEN 'member' ELSE m.standing END)
         ORDER BY m.id LIMIT $4"
    );
    let after = after.map_or(&[][..], |id| &id.0[..]);
    let (word, limit) = (standing.map(Standing::as_str), rows_max(limit));
    let found = tx.rows(&sql, &[&now.unix_ms(), &after, &word, &limit])?;
    found
        .iter()
        .map(|row| as_row(tx, Member::read(row)?, now))
        .collect()
}

/// The first members of a name, or whose id begins as `id_start` says, where that is given.
pub(crate) fn find(
    tx: &Tx<'_>,
    name: &str,
    id_start: Option<&str>,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<MemberRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM members m LEFT JOIN seen s USING (instance_no)
         WHERE NOT m.is_hub
           AND (m.name = $1 OR ($2::text IS NOT NULL AND left(encode(m.id, 'hex'), length($2)) = $2))
         ORDER BY m.id LIMIT $3"
    );
    let found = tx.rows(&sql, &[&name, &id_start, &rows_max(limit)])?;
    found
        .iter()
        .map(|row| as_row(tx, Member::read(row)?, now))
        .collect()
}

fn rows_max(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A member as its hub's operator sees it.
pub(crate) fn as_row(tx: &Tx<'_>, member: Member, now: Timestamp) -> Result<MemberRow> {
    let feeds: Vec<FeedHead> = heads::of(tx, &[member.id])?.into_values().collect();
    Ok(MemberRow {
        visibility: member.visibility(),
        follows: follow::load(tx, &member.id)?,
        followers: followers(tx, &member.id)?,
        pending: pending(tx, &member.id, now)?,
        standings: member.standings(now),
        feeds,
        id: member.id,
        name: member.name,
        card: member.card,
        asks: member.asks,
        invite: member.invite,
        listed: member.listed,
        delisted: member.delisted,
        revoked: member.revoked,
        since: member.since,
        seen_at: member.seen_at,
        seen_n: member.seen_n,
    })
}
