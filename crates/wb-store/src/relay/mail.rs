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

/// Bytes that are kept of one origin.
const BYTES_OF: &str =
    "SELECT ifnull(sum(length(line) + length(body)), 0) FROM mail WHERE origin = ?1";
/// Lets go of a letter that its recipient has.
const TAKEN: &str = "DELETE FROM mail WHERE recipient = ?1 AND hash = ?2";
/// Lets go of letters that are over.
const EXPIRE: &str = "DELETE FROM mail WHERE expires <= ?1";

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
        let kept: Sql<u64> =
            self.transaction
                .query_row(BYTES_OF, [Sql(outside.origin)], |row| row.get(0))?;
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
        let mut statement = self.transaction.prepare_cached(TAKEN)?;
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
            .prepare_cached(EXPIRE)?
            .execute([Sql(now)])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::{StatementStatus, params};

    use super::*;
    use crate::open::{Opening, RELAY, open};

    #[test]
    fn letters_of_one_are_found_without_walking_over_those_of_others() {
        let dir = tempfile::tempdir().unwrap();
        let connection = open(&dir.path().join("hub.db"), RELAY, Opening::Make).unwrap();
        for n in 0..400_u32 {
            let who = [u8::try_from(n % 10).unwrap(); 32];
            let hash = wb_core::hash::sha256(&n.to_be_bytes());
            connection
                .execute(
                    "INSERT INTO mail (origin, recipient, hash, line, body, expires) VALUES (?1, ?1, ?2, x'00', x'00', ?3)",
                    params![who, Sql(hash), n],
                )
                .unwrap();
        }
        let mut bytes = connection.prepare(BYTES_OF).unwrap();
        let kept: i64 = bytes.query_row([[3_u8; 32]], |row| row.get(0)).unwrap();
        assert_eq!(kept, 80);
        let hash = wb_core::hash::sha256(&7_u32.to_be_bytes());
        let mut taken = connection.prepare(TAKEN).unwrap();
        let gone = taken.execute(params![[7_u8; 32], Sql(hash)]).unwrap();
        assert_eq!(gone, 1);
        let mut expire = connection.prepare(EXPIRE).unwrap();
        assert_eq!(expire.execute([2]).unwrap(), 3);
        for (what, statement) in [("bytes", &bytes), ("taken", &taken), ("expire", &expire)] {
            let scanned = statement.get_status(StatementStatus::FullscanStep);
            assert_eq!(scanned, 0, "rows walked over for: {what}");
        }
        // Also of those for one recipient no other is looked at.
        let plan: String = connection
            .query_row(
                &format!("EXPLAIN QUERY PLAN {TAKEN}"),
                params![[7_u8; 32], Sql(hash)],
                |row| row.get(3),
            )
            .unwrap();
        assert!(plan.contains("(recipient=? AND hash=?)"), "{plan}");
    }
}
