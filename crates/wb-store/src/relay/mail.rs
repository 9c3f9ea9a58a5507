//! Letters that wait at a hub for their recipients (spec: letters, roads).

use rusqlite::{Connection, params};
use wb_core::id::{Hash, InstanceId};
use wb_core::letter::Mail;
use wb_core::limits::{LETTERS_BYTES_MAX, LETTERS_PER_PAIR_MAX};
use wb_core::sync::EnvelopesPage;
use wb_core::time::Timestamp;

use super::envelopes::page;
use super::file::{Relay, RelayWrite};
use crate::error::Result;
use crate::sql::Sql;

/// Why a letter is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterRefused {
    /// So many of one pair wait already.
    Pair,
    /// So many bytes of its origin wait already.
    Bytes,
}

/// That whoever a letter is from is let in now: what a suspended member left waits until it is let in again.
const FROM_A_MEMBER: &str =
    "EXISTS (SELECT 1 FROM members m WHERE m.id = mail.origin AND m.standing = 'member')";

/// How many letters wait for somebody.
pub(super) fn waiting(
    connection: &Connection,
    recipient: &InstanceId,
    now: Timestamp,
) -> Result<u64> {
    let sql = format!(
        "SELECT count(*) FROM mail WHERE recipient = ?1 AND expires > ?2 AND {FROM_A_MEMBER}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let count: Sql<u64> =
        statement.query_row(params![Sql(recipient), Sql(now)], |row| row.get(0))?;
    Ok(count.0)
}

impl Relay {
    /// A page of the letters that wait for somebody, oldest first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn mail(
        &self,
        recipient: &InstanceId,
        after: u64,
        now: Timestamp,
    ) -> Result<EnvelopesPage> {
        self.at_one_moment(|connection| {
            let sql = format!(
                "SELECT mail_no, line, body FROM mail
                 WHERE recipient = ?1 AND mail_no > ?2 AND expires > ?3 AND {FROM_A_MEMBER} ORDER BY mail_no"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            page(statement.query(params![Sql(recipient), Sql(after), Sql(now)])?)
        })
    }
}

impl RelayWrite<'_> {
    /// Keeps a letter that was verified, where its recipient is a member. Returns whether it is kept.
    ///
    /// # Errors
    /// What the database reports; inside, why it is not kept.
    pub fn keep_letter(
        &self,
        mail: &Mail,
        line: &[u8],
        body: &[u8],
    ) -> Result<std::result::Result<bool, LetterRefused>> {
        let (recipient, outside) = (mail.recipient(), mail.outside());
        let mut statement = self
            .transaction
            .prepare_cached("SELECT 1 FROM members WHERE id = ?1 AND standing = 'member'")?;
        if !statement.exists([Sql(recipient)])? {
            return Ok(Ok(false));
        }
        let sql = "SELECT count(*), ifnull(max(hash = ?3), 0) FROM mail WHERE recipient = ?1 AND origin = ?2";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let of_pair = params![Sql(recipient), Sql(outside.origin), Sql(outside.hash)];
        let (waiting, is_held): (Sql<u64>, bool) =
            statement.query_row(of_pair, |row| Ok((row.get(0)?, row.get(1)?)))?;
        if is_held {
            return Ok(Ok(true));
        }
        if waiting.0 >= LETTERS_PER_PAIR_MAX {
            return Ok(Err(LetterRefused::Pair));
        }
        let sql = "SELECT ifnull(sum(length(line) + length(body)), 0) FROM mail WHERE origin = ?1";
        let kept: Sql<u64> = self
            .transaction
            .query_row(sql, [Sql(outside.origin)], |row| row.get(0))?;
        if kept.0 + (line.len() + body.len()) as u64 > LETTERS_BYTES_MAX {
            return Ok(Err(LetterRefused::Bytes));
        }
        self.transaction.execute(
            "INSERT INTO mail (origin, recipient, hash, line, body, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                Sql(outside.origin),
                Sql(recipient),
                Sql(outside.hash),
                line,
                body,
                Sql(outside.expires)
            ],
        )?;
        Ok(Ok(true))
    }

    /// Lets go of letters that their recipient has.
    ///
    /// # Errors
    /// What the database reports.
    pub fn mail_taken(&self, recipient: &InstanceId, hashes: &[Hash]) -> Result<()> {
        let sql = "DELETE FROM mail WHERE recipient = ?1 AND hash = ?2";
        let mut statement = self.transaction.prepare_cached(sql)?;
        for hash in hashes {
            statement.execute(params![Sql(recipient), Sql(hash)])?;
        }
        Ok(())
    }

    /// Lets go of letters that are over.
    ///
    /// # Errors
    /// What the database reports.
    pub fn expire_mail(&self, now: Timestamp) -> Result<()> {
        self.transaction
            .execute("DELETE FROM mail WHERE expires <= ?1", [Sql(now)])?;
        Ok(())
    }
}
