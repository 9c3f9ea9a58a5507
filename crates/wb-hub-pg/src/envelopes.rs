//! Sealed envelopes that wait for their recipients (spec: sealed envelopes, roads).

use tokio_postgres::Row;
use wb_core::id::{Hash, InstanceId};
use wb_core::limits::{ENVELOPES_BYTES_MAX, ENVELOPES_PER_PAIR_MAX, PAGE_BYTES_TARGET};
use wb_core::sync::{EnvelopeBody, EnvelopesPage, WaitingEnvelope};
use wb_core::time::Timestamp;
use wb_hub::{EnvelopeRefused, Keeping};

use crate::error::Result;
use crate::tx::{Columns as _, Tx, ids, int};

/// How many wait for `$1` at the time `$2`.
pub(crate) const WAITING: &str =
    "SELECT count(*) FROM envelopes_for f JOIN envelopes e USING (envelope_no)
    WHERE f.recipient = $1 AND e.expires > $2";
/// What waits after a number; not many more bytes than wanted.
const PAGE: &str = "SELECT envelope_no, line, body FROM (
      SELECT e.envelope_no, e.line, e.body, sum(e.bytes) OVER (ORDER BY e.envelope_no) - e.bytes AS before
      FROM envelopes_for f JOIN envelopes e USING (envelope_no)
      WHERE f.recipient = $1 AND f.envelope_no > $2 AND e.expires > $3) waiting
    WHERE before <= $4::bigint ORDER BY envelope_no";
/// One more than what fits, so that it is known whether there is more.
const MORE: &str =
    "SELECT EXISTS (SELECT 1 FROM envelopes_for f JOIN envelopes e USING (envelope_no)
    WHERE f.recipient = $1 AND f.envelope_no > $2 AND e.expires > $3)";

/// A page of what waits, from rows of number, line and body in rising order; `more` says whether something follows
/// a number.
pub(crate) fn page_of(
    rows: &[Row],
    more: impl FnOnce(u64) -> Result<bool>,
) -> Result<EnvelopesPage> {
    let mut page = EnvelopesPage {
        schema_version: 1,
        envelopes: Vec::new(),
        next: None,
    };
    for row in rows {
        page.envelopes.push(WaitingEnvelope {
            n: row.number(0)?,
            envelope: String::from_utf8_lossy(row.value(1)?).into_owned(),
            body: EnvelopeBody(row.bytes(2)?),
        });
    }
    if let Some(last) = page.envelopes.last().map(|last| last.n)
        && more(last)?
    {
        page.next = Some(last);
    }
    Ok(page)
}

/// A page of what waits for somebody, oldest first.
pub(crate) fn page(
    tx: &Tx<'_>,
    recipient: &InstanceId,
    after: u64,
    now: Timestamp,
) -> Result<EnvelopesPage> {
    let (id, now, bytes) = (
        &recipient.0[..],
        now.unix_ms(),
        int(PAGE_BYTES_TARGET as u64),
    );
    let rows = tx.rows(PAGE, &[&id, &int(after), &now, &bytes])?;
    page_of(&rows, |last| {
        tx.one(MORE, &[&id, &int(last), &now])?.value(0)
    })
}

/// Keeps an envelope that was verified for those of its recipients that are members and have room: who they are, or
/// why it is not kept. Its origin is locked, because what it left is counted.
pub(crate) fn keep(
    tx: &Tx<'_>,
    keeping: &Keeping,
) -> Result<std::result::Result<Vec<InstanceId>, EnvelopeRefused>> {
    let envelope = &keeping.envelope;
    let (origin, hash) = (&envelope.origin.0[..], &envelope.hash.0[..]);
    let [_, held, known] = tx.all([
        ("SELECT 1 FROM members WHERE id = $1 FOR UPDATE", &[&origin]),
        ("SELECT envelope_no FROM envelopes WHERE hash = $1 AND origin = $2", &[&hash, &origin]),
        (
            "SELECT m.id, count(f.envelope_no), coalesce(bool_or(e.hash = $3), false) FROM members m
             LEFT JOIN envelopes_for f ON f.recipient = m.id AND f.origin = $2
             LEFT JOIN envelopes e ON e.envelope_no = f.envelope_no
             WHERE m.id = ANY ($1) AND m.standing = 'member' GROUP BY m.id",
            &[&ids(&envelope.recipients), &origin, &hash],
        ),
    ])?;
    if known.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    // One that takes nothing must not keep the others from getting theirs.
    let mut room = std::collections::BTreeSet::new();
    for row in &known {
        if row.value(2)? || row.number(1)? < ENVELOPES_PER_PAIR_MAX {
            room.insert(row.instance(0)?);
        }
    }
    let recipients = envelope.recipients.iter().copied();
    let kept: Vec<InstanceId> = recipients.filter(|id| room.contains(id)).collect();
    if kept.is_empty() {
        return Ok(Err(EnvelopeRefused::Pair));
    }
    let n: i64 = match held.first() {
        Some(row) => row.value(0)?,
        None => match put(tx, keeping)? {
            Ok(n) => n,
            Err(refused) => return Ok(Err(refused)),
        },
    };
    tx.execute(
        "INSERT INTO envelopes_for (recipient, envelope_no, origin)
         SELECT DISTINCT id, $2::bigint, $3::bytea FROM unnest($1::bytea[]) AS r (id) ON CONFLICT DO NOTHING",
        &[&ids(&kept), &n, &origin],
    )?;
    Ok(Ok(kept))
}

fn put(tx: &Tx<'_>, keeping: &Keeping) -> Result<std::result::Result<i64, EnvelopeRefused>> {
    let origin = &keeping.envelope.origin.0[..];
    let of_it = "SELECT coalesce(sum(bytes), 0)::bigint FROM envelopes WHERE origin = $1";
    let kept = tx.one(of_it, &[&origin])?.number(0)?;
    let bytes = (keeping.line.len() + keeping.body.len()) as u64;
    if kept + bytes > ENVELOPES_BYTES_MAX {
        return Ok(Err(EnvelopeRefused::Bytes));
    }
    let row = tx.one(
        "INSERT INTO envelopes (origin, hash, line, body, bytes, expires) VALUES ($1, $2, $3, $4, $5, $6)
         RETURNING envelope_no",
        &[
            &origin,
            &&keeping.envelope.hash.0[..],
            &keeping.line,
            &keeping.body,
            &int(bytes),
            &keeping.envelope.expires.unix_ms(),
        ],
    )?;
    row.value(0).map(Ok)
}

/// Notes that somebody has envelopes, and lets go of those that nobody waits for any more.
pub(crate) fn taken(tx: &Tx<'_>, recipient: &InstanceId, hashes: &[Hash]) -> Result<()> {
    let hashes: Vec<&[u8]> = hashes.iter().map(|hash| &hash.0[..]).collect();
    let rows = tx.rows(
        "DELETE FROM envelopes_for WHERE recipient = $1
           AND envelope_no IN (SELECT envelope_no FROM envelopes WHERE hash = ANY ($2)) RETURNING envelope_no",
        &[&&recipient.0[..], &hashes],
    )?;
    let mut nos: Vec<i64> = rows.iter().map(|row| row.value(0)).collect::<Result<_>>()?;
    nos.sort_unstable();
    // Locked first, so that of two who were the last to wait for one the second sees that nobody waits.
    tx.rows(
        "SELECT 1 FROM envelopes WHERE envelope_no = ANY ($1) ORDER BY envelope_no FOR UPDATE",
        &[&nos],
    )?;
    tx.execute(
        "DELETE FROM envelopes e WHERE envelope_no = ANY ($1)
           AND NOT EXISTS (SELECT 1 FROM envelopes_for f WHERE f.envelope_no = e.envelope_no)",
        &[&nos],
    )?;
    Ok(())
}

/// Lets go of envelopes that are over.
pub(crate) fn expire(tx: &Tx<'_>, now: Timestamp) -> Result<()> {
    tx.execute(
        "DELETE FROM envelopes WHERE expires <= $1",
        &[&now.unix_ms()],
    )?;
    Ok(())
}
