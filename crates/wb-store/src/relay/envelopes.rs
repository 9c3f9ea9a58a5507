//! Sealed envelopes that wait at a hub for their recipients (spec: sealed envelopes, roads).

use rusqlite::{Connection, OptionalExtension as _, Rows, params};
use wb_core::id::{Hash, InstanceId};
use wb_core::limits::{ENVELOPES_BYTES_MAX, ENVELOPES_PER_PAIR_MAX, PAGE_BYTES_TARGET};
use wb_core::sealed::Envelope;
use wb_core::sync::{EnvelopeBody, EnvelopesPage, WaitingEnvelope};
use wb_core::time::Timestamp;

use super::file::{Relay, RelayWrite};
use crate::error::Result;
use crate::sql::Sql;

/// Why an envelope is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvelopeRefused {
    /// So many of one pair wait already.
    Pair,
    /// So many bytes of its origin wait already.
    Bytes,
}

/// Notes that somebody has an envelope.
const TAKEN: &str = "DELETE FROM envelopes_for
    WHERE recipient = ?1 AND envelope_no IN (SELECT envelope_no FROM envelopes WHERE hash = ?2) RETURNING envelope_no";
/// Lets go of an envelope that nobody waits for.
const LET_GO: &str = "DELETE FROM envelopes
    WHERE envelope_no = ?1 AND NOT EXISTS (SELECT 1 FROM envelopes_for f WHERE f.envelope_no = envelopes.envelope_no)";
/// Lets go of envelopes that are over, whoever waits for them.
const EXPIRE: &str = "DELETE FROM envelopes WHERE expires <= ?1";
/// Bytes that are kept of one origin.
const BYTES_OF: &str =
    "SELECT ifnull(sum(length(line) + length(body)), 0) FROM envelopes WHERE origin = ?1";

/// How many envelopes wait for somebody.
pub(super) fn waiting(
    connection: &Connection,
    recipient: &InstanceId,
    now: Timestamp,
) -> Result<u64> {
    let sql = "SELECT count(*) FROM envelopes_for f JOIN envelopes e USING (envelope_no)
               WHERE f.recipient = ?1 AND e.expires > ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let count: Sql<u64> =
        statement.query_row(params![Sql(recipient), Sql(now)], |row| row.get(0))?;
    Ok(count.0)
}

/// A page of what waits, from rows of number, line and body in rising order.
pub(super) fn page(mut rows: Rows<'_>) -> Result<EnvelopesPage> {
    let mut page = EnvelopesPage {
        schema_version: 1,
        envelopes: Vec::new(),
        next: None,
    };
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        if bytes > PAGE_BYTES_TARGET {
            page.next = page.envelopes.last().map(|last| last.n);
            break;
        }
        let line: Vec<u8> = row.get(1)?;
        let body: Vec<u8> = row.get(2)?;
        bytes += line.len() + body.len();
        page.envelopes.push(WaitingEnvelope {
            n: row.get::<_, Sql<u64>>(0)?.0,
            envelope: String::from_utf8_lossy(&line).into_owned(),
            body: EnvelopeBody(body),
        });
    }
    Ok(page)
}

impl Relay {
    /// A page of what waits for somebody, oldest first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn envelopes(
        &self,
        recipient: &InstanceId,
        after: u64,
        now: Timestamp,
    ) -> Result<EnvelopesPage> {
        self.at_one_moment(|connection| {
            let sql = "SELECT e.envelope_no, e.line, e.body FROM envelopes_for f JOIN envelopes e USING (envelope_no)
                       WHERE f.recipient = ?1 AND f.envelope_no > ?2 AND e.expires > ?3 ORDER BY f.envelope_no";
            let mut statement = connection.prepare_cached(sql)?;
            page(statement.query(params![Sql(recipient), Sql(after), Sql(now)])?)
        })
    }
}

impl RelayWrite<'_> {
    /// Keeps an envelope that was verified for those of its recipients that are members and have room. Returns who
    /// they are.
    ///
    /// # Errors
    /// What the database reports; inside, why it is not kept.
    pub fn keep_envelope(
        &self,
        envelope: &Envelope,
        line: &[u8],
        body: &[u8],
    ) -> Result<std::result::Result<Vec<InstanceId>, EnvelopeRefused>> {
        let mut known = Vec::new();
        let mut statement = self
            .transaction
            .prepare_cached("SELECT 1 FROM members WHERE id = ?1 AND standing = 'member'")?;
        for id in &envelope.recipients {
            if statement.exists([Sql(id)])? {
                known.push(*id);
            }
        }
        let sql = "SELECT envelope_no FROM envelopes WHERE hash = ?1 AND origin = ?2";
        let held: Option<i64> = self
            .transaction
            .query_row(
                sql,
                params![Sql(envelope.hash), Sql(envelope.origin)],
                |row| row.get(0),
            )
            .optional()?;
        if known.is_empty() {
            return Ok(Ok(known));
        }
        // One that takes nothing must not keep the others from getting theirs.
        let mut kept = Vec::new();
        for id in known {
            if self.has_room(&id, &envelope.origin, held)? {
                kept.push(id);
            }
        }
        if kept.is_empty() {
            return Ok(Err(EnvelopeRefused::Pair));
        }
        let n = match held {
            Some(n) => n,
            None => match self.put_envelope(envelope, line, body)? {
                Ok(n) => n,
                Err(refused) => return Ok(Err(refused)),
            },
        };
        for id in &kept {
            self.transaction.execute(
                "INSERT INTO envelopes_for (recipient, envelope_no, origin) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO NOTHING",
                params![Sql(id), n, Sql(envelope.origin)],
            )?;
        }
        Ok(Ok(kept))
    }

    /// Whether one more envelope of an origin may wait for somebody, or this one does already.
    fn has_room(
        &self,
        recipient: &InstanceId,
        origin: &InstanceId,
        held: Option<i64>,
    ) -> Result<bool> {
        let sql = "SELECT count(*), ifnull(max(envelope_no = ?3), 0) FROM envelopes_for
                   WHERE recipient = ?1 AND origin = ?2";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let (waiting, is_held): (Sql<u64>, bool) = statement
            .query_row(params![Sql(recipient), Sql(origin), held], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        Ok(is_held || waiting.0 < ENVELOPES_PER_PAIR_MAX)
    }

    fn put_envelope(
        &self,
        envelope: &Envelope,
        line: &[u8],
        body: &[u8],
    ) -> Result<std::result::Result<i64, EnvelopeRefused>> {
        let kept: Sql<u64> =
            self.transaction
                .query_row(BYTES_OF, [Sql(envelope.origin)], |row| row.get(0))?;
        if kept.0 + (line.len() + body.len()) as u64 > ENVELOPES_BYTES_MAX {
            return Ok(Err(EnvelopeRefused::Bytes));
        }
        self.transaction.execute(
            "INSERT INTO envelopes (origin, hash, line, body, expires) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                Sql(envelope.origin),
                Sql(envelope.hash),
                line,
                body,
                Sql(envelope.expires)
            ],
        )?;
        Ok(Ok(self.transaction.last_insert_rowid()))
    }

    /// Notes that somebody has envelopes, and lets go of those that nobody waits for any more.
    ///
    /// # Errors
    /// What the database reports.
    pub fn envelopes_taken(&self, recipient: &InstanceId, hashes: &[Hash]) -> Result<()> {
        let mut taken = self.transaction.prepare_cached(TAKEN)?;
        let mut let_go = self.transaction.prepare_cached(LET_GO)?;
        for hash in hashes {
            let rows = taken.query_map(params![Sql(recipient), Sql(hash)], |row| row.get(0))?;
            for n in rows.collect::<rusqlite::Result<Vec<i64>>>()? {
                let_go.execute([n])?;
            }
        }
        Ok(())
    }

    /// Lets go of envelopes that are over.
    ///
    /// # Errors
    /// What the database reports.
    pub fn expire_envelopes(&self, now: Timestamp) -> Result<()> {
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

    /// Fills a hub: so many envelopes, each for one of ten members.
    fn filled(dir: &std::path::Path, envelopes: u32) -> Connection {
        let connection = open(&dir.join("hub.db"), RELAY, Opening::Make).unwrap();
        for n in 0..envelopes {
            let hash = wb_core::hash::sha256(&n.to_be_bytes());
            let origin = [1_u8; 32];
            connection
                .execute(
                    "INSERT INTO envelopes (origin, hash, line, body, expires) VALUES (?1, ?2, x'00', x'00', ?3)",
                    params![origin, Sql(hash), n],
                )
                .unwrap();
            let recipient = [u8::try_from(n % 10).unwrap(); 32];
            connection
                .execute(
                    "INSERT INTO envelopes_for (recipient, envelope_no, origin) VALUES (?1, last_insert_rowid(), ?2)",
                    params![recipient, origin],
                )
                .unwrap();
        }
        connection
    }

    /// One member said what it has, and the hub looked at everything that waits for anybody, for each hash of it.
    #[test]
    fn what_is_taken_is_looked_up_and_not_searched_for() {
        let dir = tempfile::tempdir().unwrap();
        let connection = filled(dir.path(), 400);
        let hash = wb_core::hash::sha256(&7_u32.to_be_bytes());
        let mut taken = connection.prepare(TAKEN).unwrap();
        let numbers: Vec<i64> = taken
            .query_map(params![[7_u8; 32], Sql(hash)], |row| row.get(0))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        assert_eq!(numbers, [8]);
        let mut let_go = connection.prepare(LET_GO).unwrap();
        assert_eq!(let_go.execute([8]).unwrap(), 1);
        let mut expire = connection.prepare(EXPIRE).unwrap();
        // Its rows of recipients go with it.
        assert_eq!(expire.execute([2]).unwrap(), 3);
        let mut bytes = connection.prepare(BYTES_OF).unwrap();
        let kept: i64 = bytes.query_row([[2_u8; 32]], |row| row.get(0)).unwrap();
        assert_eq!(kept, 0);
        for (what, statement) in [
            ("taken", &taken),
            ("let go", &let_go),
            ("expire", &expire),
            ("bytes", &bytes),
        ] {
            let scanned = statement.get_status(StatementStatus::FullscanStep);
            assert_eq!(scanned, 0, "rows walked over for: {what}");
        }
        let left = |table: &str| -> i64 {
            let sql = format!("SELECT count(*) FROM {table}");
            connection.query_row(&sql, [], |row| row.get(0)).unwrap()
        };
        assert_eq!((left("envelopes"), left("envelopes_for")), (396, 396));
    }
}
