//! Envelopes at a node: what was sealed and waits, what came, and to whom a want is owed.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension as _, params};
use wb_core::id::{Hash, InstanceId};
use wb_core::limits::ENVELOPE_AGAIN_MS;
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::left::Waiting;
use crate::sql::Sql;
use crate::store::{Store, Write};

/// Milliseconds after which a hub is offered an envelope once more that it had nobody or no room for.
const ASKED_MS: i64 = 60 * 60 * 1_000;
/// Milliseconds in which wants for the same are counted together.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// An envelope that was sealed here and waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutEnvelope {
    /// Its number: later ones are higher.
    pub n: u64,
    /// Hash of its body.
    pub hash: Hash,
    /// The signed line.
    pub line: Vec<u8>,
    /// What is sealed.
    pub body: Vec<u8>,
    /// What that is: `feed`, `part`, `want` or `letter`.
    pub purpose: String,
}

/// An envelope to be kept until it is taken.
#[derive(Debug)]
pub struct NewEnvelope<'a> {
    /// Hash of its body.
    pub hash: Hash,
    /// The signed line.
    pub line: &'a [u8],
    /// What is sealed.
    pub body: &'a [u8],
    /// What is sealed: `feed`, `part` or `want`.
    pub purpose: &'a str,
    /// For whom.
    pub recipients: &'a [InstanceId],
    /// After which nobody takes it.
    pub expires: Timestamp,
}

impl Store {
    /// Numbers of the envelopes that wait here, oldest first; of one recipient, or of all.
    ///
    /// # Errors
    /// What the database reports.
    pub fn envelopes_waiting(&self, recipient: Option<&InstanceId>) -> Result<Vec<u64>> {
        let sql = "SELECT DISTINCT envelope_no FROM envelopes_out_for
                   WHERE ?1 IS NULL OR recipient = ?1 ORDER BY envelope_no";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([recipient.map(Sql)], |row| row.get::<_, Sql<u64>>(0))?;
        Ok(rows
            .map(|row| row.map(|Sql(n)| n))
            .collect::<rusqlite::Result<_>>()?)
    }

    /// One envelope that waits here.
    ///
    /// # Errors
    /// What the database reports.
    pub fn envelope_waiting(&self, n: u64) -> Result<Option<OutEnvelope>> {
        let sql = "SELECT hash, line, body, purpose FROM envelopes_out WHERE envelope_no = ?1";
        let mut statement = self.main().prepare_cached(sql)?;
        let found = statement.query_row([Sql(n)], |row| {
            Ok(OutEnvelope {
                n,
                hash: row.get::<_, Sql<_>>(0)?.0,
                line: row.get(1)?,
                body: row.get(2)?,
                purpose: row.get(3)?,
            })
        });
        Ok(found.optional()?)
    }

    /// Numbers of the envelopes that a hub is offered: all that wait, without those that it keeps, and those that it had
    /// nobody or no room for a short while ago. What it keeps it is given again after a while, because it may have lost
    /// it; but no want, which nobody answers.
    ///
    /// # Errors
    /// What the database reports.
    pub fn envelopes_for_hub(&self, hub: &InstanceId, now: Timestamp) -> Result<Vec<u64>> {
        let sql = "SELECT DISTINCT o.envelope_no FROM envelopes_out_for o JOIN envelopes_out e USING (envelope_no)
                   WHERE NOT EXISTS (SELECT 1 FROM envelopes_asked a
                       WHERE a.envelope_no = o.envelope_no AND a.hub = ?1 AND a.at > ?2)
                     AND NOT EXISTS (SELECT 1 FROM envelopes_given g
                       WHERE g.envelope_no = o.envelope_no AND g.recipient = o.recipient AND g.place = ?1
                         AND (e.purpose = 'want' OR g.at > ?3))
                   ORDER BY o.envelope_no";
        let mut statement = self.main().prepare_cached(sql)?;
        let values = params![
            Sql(hub),
            Sql(now.plus_ms(-ASKED_MS)),
            Sql(now.plus_ms(-ENVELOPE_AGAIN_MS))
        ];
        let rows = statement.query_map(values, |row| row.get::<_, Sql<u64>>(0))?;
        Ok(rows
            .map(|row| row.map(|Sql(n)| n))
            .collect::<rusqlite::Result<_>>()?)
    }

    /// The number up to which envelopes at a hub were left there, where nothing changed since that would let one in.
    ///
    /// # Errors
    /// What the database reports.
    pub fn left_up_to(&self, hub: &InstanceId, after: Timestamp) -> Result<Option<u64>> {
        Waiting::Envelopes.passed(self, hub, after)
    }

    /// Whether an envelope came before, by whatever road.
    ///
    /// # Errors
    /// What the database reports.
    pub fn has_envelope(&self, origin: &InstanceId, hash: &Hash) -> Result<bool> {
        let sql = "SELECT 1 FROM envelopes_in WHERE origin = ?1 AND hash = ?2";
        let mut statement = self.main().prepare_cached(sql)?;
        let found: Option<i64> = statement
            .query_row(params![Sql(origin), Sql(hash)], |row| row.get(0))
            .optional()?;
        Ok(found.is_some())
    }

    /// To whom a want is owed.
    ///
    /// # Errors
    /// What the database reports.
    pub fn wants_owed(&self) -> Result<Vec<InstanceId>> {
        let mut statement = self
            .main()
            .prepare_cached("SELECT origin FROM wants_owed ORDER BY origin")?;
        let rows = statement.query_map([], |row| row.get::<_, Sql<InstanceId>>(0))?;
        Ok(rows
            .map(|row| row.map(|Sql(id)| id))
            .collect::<rusqlite::Result<_>>()?)
    }
}

impl Write<'_> {
    /// Keeps an envelope until each of its recipients has it.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_envelope(&self, envelope: &NewEnvelope<'_>, now: Timestamp) -> Result<()> {
        self.transaction.execute(
            "INSERT INTO envelopes_out (hash, line, body, purpose, made_at, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                Sql(envelope.hash),
                envelope.line,
                envelope.body,
                envelope.purpose,
                Sql(now),
                Sql(envelope.expires)
            ],
        )?;
        let n = self.transaction.last_insert_rowid();
        for recipient in envelope.recipients {
            self.transaction.execute(
                "INSERT INTO envelopes_out_for (recipient, envelope_no) VALUES (?1, ?2)",
                params![Sql(recipient), n],
            )?;
        }
        Ok(())
    }

    /// Notes that a place keeps an envelope for somebody. It waits here all the same until its reader says what it has:
    /// a place may lose it, or have no way to its reader.
    ///
    /// # Errors
    /// What the database reports.
    pub fn envelope_kept(
        &self,
        n: u64,
        recipient: &InstanceId,
        place: &InstanceId,
        now: Timestamp,
    ) -> Result<()> {
        self.transaction.execute(
            "INSERT INTO envelopes_given (envelope_no, recipient, place, at)
             SELECT envelope_no, recipient, ?3, ?4 FROM envelopes_out_for WHERE envelope_no = ?1 AND recipient = ?2
             ON CONFLICT (envelope_no, recipient, place) DO UPDATE SET at = excluded.at",
            params![Sql(n), Sql(recipient), Sql(place), Sql(now)],
        )?;
        Ok(())
    }

    /// Notes that somebody said itself that it has an envelope.
    ///
    /// # Errors
    /// What the database reports.
    pub fn envelope_given(&self, hash: &Hash, recipient: &InstanceId) -> Result<()> {
        self.transaction.execute(
            "DELETE FROM envelopes_out_for WHERE recipient = ?2
               AND envelope_no = (SELECT envelope_no FROM envelopes_out WHERE hash = ?1)",
            params![Sql(hash), Sql(recipient)],
        )?;
        self.drop_given()
    }

    /// Lets go of what waits for somebody for one purpose: it said what it has, or is told anew.
    ///
    /// # Errors
    /// What the database reports.
    pub fn outdone_for(&self, recipient: &InstanceId, purpose: &str) -> Result<()> {
        self.transaction.execute(
            "DELETE FROM envelopes_out_for WHERE recipient = ?1
               AND envelope_no IN (SELECT envelope_no FROM envelopes_out WHERE purpose = ?2)",
            params![Sql(recipient), purpose],
        )?;
        self.drop_given()
    }

    /// How many envelopes of a purpose wait here for somebody.
    ///
    /// # Errors
    /// What the database reports.
    pub fn waiting_for(&self, recipient: &InstanceId, purpose: &str) -> Result<u64> {
        let sql = "SELECT count(*) FROM envelopes_out_for JOIN envelopes_out USING (envelope_no)
                   WHERE recipient = ?1 AND purpose = ?2";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let count: Sql<u64> =
            statement.query_row(params![Sql(recipient), purpose], |row| row.get(0))?;
        Ok(count.0)
    }

    /// Whether something of a purpose waits here for somebody that no place keeps yet.
    ///
    /// # Errors
    /// What the database reports.
    pub fn waits_only_here(&self, recipient: &InstanceId, purpose: &str) -> Result<bool> {
        let sql = "SELECT 1 FROM envelopes_out_for o JOIN envelopes_out e USING (envelope_no)
                   WHERE o.recipient = ?1 AND e.purpose = ?2 AND NOT EXISTS (SELECT 1 FROM envelopes_given g
                     WHERE g.envelope_no = o.envelope_no AND g.recipient = o.recipient)";
        let mut statement = self.transaction.prepare_cached(sql)?;
        Ok(statement.exists(params![Sql(recipient), purpose])?)
    }

    /// Counts a want of a member that asks for what it was given already. Returns how many came within a day of the
    /// first, with this one.
    ///
    /// # Errors
    /// What the database reports.
    pub fn count_want_again(&self, member: &InstanceId, now: Timestamp) -> Result<u64> {
        let sql = "INSERT INTO wants_again (member, since, times) VALUES (?1, ?2, 1)
                   ON CONFLICT (member) DO UPDATE SET
                     times = CASE WHEN since > ?3 THEN times + 1 ELSE 1 END,
                     since = CASE WHEN since > ?3 THEN since ELSE excluded.since END
                   RETURNING times";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let values = params![Sql(member), Sql(now), Sql(now.plus_ms(-DAY_MS))];
        let times: Sql<u64> = statement.query_row(values, |row| row.get(0))?;
        Ok(times.0)
    }

    /// Throws away everything that waits: the key it was signed with was followed by another, and it is sealed anew.
    ///
    /// # Errors
    /// What the database reports.
    pub fn seal_anew(&self) -> Result<()> {
        self.transaction.execute("DELETE FROM envelopes_out", [])?;
        self.transaction.execute(
            "UPDATE audience SET given = held WHERE standing <> 'parted'",
            [],
        )?;
        // Who parted is asked once more.
        self.transaction.execute(
            "UPDATE audience SET whole = 1 WHERE standing = 'parted'",
            [],
        )?;
        Ok(())
    }

    /// Throws away what waits and names somebody. Returns for whom else it was.
    ///
    /// # Errors
    /// What the database reports.
    pub fn drop_envelopes_for(&self, recipient: &InstanceId) -> Result<Vec<InstanceId>> {
        let sql = "SELECT DISTINCT o.recipient FROM envelopes_out_for o
                   WHERE o.recipient <> ?1 AND o.envelope_no IN
                     (SELECT envelope_no FROM envelopes_out_for WHERE recipient = ?1)";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let others = statement.query_map([Sql(recipient)], |row| row.get::<_, Sql<_>>(0))?;
        let others: rusqlite::Result<Vec<Sql<InstanceId>>> = others.collect();
        self.transaction.execute(
            "DELETE FROM envelopes_out WHERE envelope_no IN
               (SELECT envelope_no FROM envelopes_out_for WHERE recipient = ?1)",
            [Sql(recipient)],
        )?;
        Ok(others?.into_iter().map(|Sql(id)| id).collect())
    }

    /// Throws away what is over, and what has nobody left to wait for.
    ///
    /// # Errors
    /// What the database reports.
    pub fn tidy_envelopes(&self, now: Timestamp) -> Result<()> {
        self.transaction
            .execute("DELETE FROM envelopes_out WHERE expires <= ?1", [Sql(now)])?;
        // One that is over is refused anyway.
        self.transaction
            .execute("DELETE FROM envelopes_in WHERE expires <= ?1", [Sql(now)])?;
        self.drop_given()
    }

    fn drop_given(&self) -> Result<()> {
        self.transaction.execute(
            "DELETE FROM envelopes_out WHERE envelope_no NOT IN (SELECT envelope_no FROM envelopes_out_for)",
            [],
        )?;
        Ok(())
    }

    /// Notes that a hub has nobody or no room for an envelope, or refuses it.
    ///
    /// # Errors
    /// What the database reports.
    pub fn nobody_there(&self, n: u64, hub: &InstanceId, now: Timestamp) -> Result<()> {
        self.transaction.execute(
            "INSERT INTO envelopes_asked (envelope_no, hub, at)
             SELECT envelope_no, ?2, ?3 FROM envelopes_out WHERE envelope_no = ?1
             ON CONFLICT (envelope_no, hub) DO UPDATE SET at = excluded.at",
            params![Sql(n), Sql(hub), Sql(now)],
        )?;
        Ok(())
    }

    /// Notes up to which number envelopes were left at a hub, and of whom, beside those that were noted before where the
    /// looking went on from there.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_left(
        &self,
        store: &Store,
        hub: &InstanceId,
        n: u64,
        left: (&BTreeSet<InstanceId>, bool),
        now: Timestamp,
    ) -> Result<()> {
        Waiting::Envelopes.note(self, store, (hub, n), left, now)
    }

    /// Notes an envelope that came, and the rule it broke.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_envelope(
        &self,
        hash: &Hash,
        origin: &InstanceId,
        (now, expires): (Timestamp, Timestamp),
        rule: Option<&str>,
    ) -> Result<()> {
        self.transaction.execute(
            "INSERT INTO envelopes_in (hash, origin, at, expires, rule) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO NOTHING",
            params![Sql(hash), Sql(origin), Sql(now), Sql(expires), rule],
        )?;
        Ok(())
    }

    /// Notes whether a want is owed to somebody.
    ///
    /// # Errors
    /// What the database reports.
    pub fn owe_want(&self, origin: &InstanceId, is_owed: bool) -> Result<()> {
        let sql = if is_owed {
            "INSERT INTO wants_owed (origin) VALUES (?1) ON CONFLICT DO NOTHING"
        } else {
            "DELETE FROM wants_owed WHERE origin = ?1"
        };
        self.transaction.execute(sql, [Sql(origin)])?;
        Ok(())
    }
}
