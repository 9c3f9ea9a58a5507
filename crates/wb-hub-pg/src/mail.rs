//! Letters that wait for their recipients (spec: letters, roads).

use wb_core::id::{Hash, InstanceId};
use wb_core::limits::{LETTERS_BYTES_MAX, LETTERS_PER_PAIR_MAX, PAGE_BYTES_TARGET};
use wb_core::sync::EnvelopesPage;
use wb_core::time::Timestamp;
use wb_hub::{KeepingLetter, LetterRefused};

use crate::envelopes::page_of;
use crate::error::Result;
use crate::tx::{Columns as _, Tx, int};

/// How many wait for `$1` at the time `$2`: of who is let in now. What a suspended member left waits until it is let
/// in again.
pub(crate) const WAITING: &str = "SELECT count(*) FROM mail WHERE recipient = $1 AND expires > $2
    AND EXISTS (SELECT 1 FROM members m WHERE m.id = mail.origin AND m.standing = 'member')";
const PAGE: &str = "SELECT mail_no, line, body FROM (
      SELECT mail_no, line, body, sum(bytes) OVER (ORDER BY mail_no) - bytes AS before FROM mail
      WHERE recipient = $1 AND mail_no > $2 AND expires > $3
        AND EXISTS (SELECT 1 FROM members m WHERE m.id = mail.origin AND m.standing = 'member')) waiting
    WHERE before <= $4::bigint ORDER BY mail_no";
const MORE: &str =
    "SELECT EXISTS (SELECT 1 FROM mail WHERE recipient = $1 AND mail_no > $2 AND expires > $3
    AND EXISTS (SELECT 1 FROM members m WHERE m.id = mail.origin AND m.standing = 'member'))";

/// A page of the letters that wait for somebody, oldest first.
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

/// Keeps a letter whose outside was verified for its recipient, where that is a member: whether it is kept, or why
/// not. Its origin is locked, because what it left is counted.
pub(crate) fn keep(
    tx: &Tx<'_>,
    letter: &KeepingLetter,
) -> Result<std::result::Result<bool, LetterRefused>> {
    let (recipient, outside) = (letter.mail.recipient(), letter.mail.outside());
    let (to, from) = (&recipient.0[..], &outside.origin.0[..]);
    let hash = &outside.hash.0[..];
    let [_, member, of_pair, of_origin] = tx.all([
        ("SELECT 1 FROM members WHERE id = $1 FOR UPDATE", &[&from]),
        ("SELECT 1 FROM members WHERE id = $1 AND standing = 'member'", &[&to]),
        (
            "SELECT count(*), coalesce(bool_or(hash = $3), false) FROM mail WHERE recipient = $1 AND origin = $2",
            &[&to, &from, &hash],
        ),
        ("SELECT coalesce(sum(bytes), 0)::bigint FROM mail WHERE origin = $1", &[&from]),
    ])?;
    if member.is_empty() {
        return Ok(Ok(false));
    }
    let (waiting, is_held) = match of_pair.first() {
        Some(row) => (row.number(0)?, row.value(1)?),
        None => (0, false),
    };
    if is_held {
        return Ok(Ok(true));
    }
    if waiting >= LETTERS_PER_PAIR_MAX {
        return Ok(Err(LetterRefused::Pair));
    }
    let bytes = (letter.line.len() + letter.body.len()) as u64;
    let kept = of_origin.first().map_or(Ok(0), |row| row.number(0))?;
    if kept + bytes > LETTERS_BYTES_MAX {
        return Ok(Err(LetterRefused::Bytes));
    }
    tx.execute(
        "INSERT INTO mail (origin, recipient, hash, line, body, bytes, expires) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            &from,
            &to,
            &hash,
            &letter.line,
            &letter.body,
            &int(bytes),
            &outside.expires.unix_ms(),
        ],
    )?;
    Ok(Ok(true))
}

/// Lets go of letters that their recipient has.
pub(crate) fn taken(tx: &Tx<'_>, recipient: &InstanceId, hashes: &[Hash]) -> Result<()> {
    let hashes: Vec<&[u8]> = hashes.iter().map(|hash| &hash.0[..]).collect();
    tx.execute(
        "DELETE FROM mail WHERE recipient = $1 AND hash = ANY ($2)",
        &[&&recipient.0[..], &hashes],
    )?;
    Ok(())
}

/// Lets go of letters that are over.
pub(crate) fn expire(tx: &Tx<'_>, now: Timestamp) -> Result<()> {
    tx.execute("DELETE FROM mail WHERE expires <= $1", &[&now.unix_ms()])?;
    Ok(())
}
