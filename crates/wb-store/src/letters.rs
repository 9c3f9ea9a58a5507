//! Letters: what this instance tells others, and what others told it (spec: letters). Words of letters stand in the
//! private file alone.

use rusqlite::{OptionalExtension as _, Row, params};
use wb_core::id::{Hash, InstanceId, RecordId, RecordRef};
use wb_core::leave::OwnersAct;
use wb_core::limits::{ENVELOPE_DAYS, LETTER_AGAIN_MS};
use wb_core::time::Timestamp;

use crate::envelopes::OutEnvelope;
use crate::error::Result;
use crate::private::Private;
use crate::sql::{Sql, some};

/// Milliseconds after which a hub is offered a letter once more that it had nobody or no room for.
const ASKED_MS: i64 = 60 * 60 * 1_000;

/// Milliseconds after which nothing of a thread is on its way any more: no letter lasts longer.
const ERASED_KEPT_MS: i64 = (ENVELOPE_DAYS + 1) * 24 * 60 * 60 * 1_000;

/// What a letter is among what is carried.
const LETTER: &str = "letter";

/// The latest that this instance tells another in a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterOut {
    /// Its number here.
    pub no: u64,
    /// For whom.
    pub recipient: InstanceId,
    /// What it belongs to.
    pub thread: RecordId,
    /// Whether it is a receipt.
    pub is_receipt: bool,
    /// Its number in the thread.
    pub n: u64,
    /// What it is.
    pub kind: String,
    /// Its exact words.
    pub body: String,
    /// Of whom it is; none of the instance.
    pub owner: Option<RecordId>,
    /// The request it is about.
    pub request: Option<RecordRef>,
    /// What its owner said yes to.
    pub act: Option<OwnersAct>,
    /// When it was written.
    pub at: Timestamp,
    /// After which nobody takes it.
    pub expires: Timestamp,
    /// The identity entry and the key it was sealed under last; none where it never was.
    pub sealed: Option<(Hash, String)>,
    /// Why it is not sealed.
    pub blocked: Option<String>,
    /// Places that keep it.
    pub kept_at: Vec<InstanceId>,
    /// What the receiver said of it: number, state, and when that came.
    pub receipt: Option<(u64, String, Timestamp)>,
    /// When its owner was told that it did not arrive.
    pub lost_at: Option<Timestamp>,
}

/// A letter to be kept until its receipt comes.
#[derive(Debug, Clone)]
pub struct NewLetter<'a> {
    /// For whom.
    pub recipient: InstanceId,
    /// What it belongs to.
    pub thread: RecordId,
    /// Whether it is a receipt.
    pub is_receipt: bool,
    /// Its number in the thread.
    pub n: u64,
    /// What it is.
    pub kind: &'a str,
    /// Its exact words.
    pub body: &'a str,
    /// Of whom it is; none of the instance.
    pub owner: Option<RecordId>,
    /// The request it is about.
    pub request: Option<RecordRef>,
    /// What its owner said yes to.
    pub act: Option<OwnersAct>,
    /// When it was written.
    pub at: Timestamp,
    /// After which nobody takes it.
    pub expires: Timestamp,
}

/// How a letter was sealed.
#[derive(Debug)]
pub struct SealedLetter<'a> {
    /// The signed line of the mail.
    pub line: &'a [u8],
    /// What is sealed.
    pub body: &'a [u8],
    /// Hash of that.
    pub hash: Hash,
    /// The identity entry that signs.
    pub by: Hash,
    /// The key it is sealed to.
    pub to: &'a str,
}

/// The latest that another instance told this one in a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterIn {
    /// Who wrote it.
    pub origin: InstanceId,
    /// What it belongs to.
    pub thread: RecordId,
    /// Its number in the thread.
    pub n: u64,
    /// What it is.
    pub kind: String,
    /// The signed line.
    pub line: Vec<u8>,
    /// The own request it is about.
    pub request: Option<RecordId>,
    /// When it came.
    pub at: Timestamp,
    /// The own record that it was published as.
    pub published: Option<RecordId>,
    /// `arrived`, `published`, `erasing` or `erased`.
    pub state: String,
    /// Receipts given in this thread.
    pub receipt_n: u64,
    /// Whether another receipt is owed.
    pub owes: bool,
}

impl LetterIn {
    /// Whether it said something that erasing removes, here or from what was made of it.
    #[must_use]
    pub fn has_words(&self) -> bool {
        self.kind != "erase"
    }
}

const OUT: &str = "SELECT letter_no, recipient, thread, is_receipt, n, kind, body, owner, request_origin, request,
      act_by, act_to, act_shown, at, expires, sealed_by, sealed_to, blocked, receipt_n, receipt, receipt_at, lost_at,
      (SELECT group_concat(hex(place)) FROM letters_given g WHERE g.letter_no = l.letter_no AND g.kept = 1)
    FROM letters_out l";

fn out_row(row: &Row<'_>) -> rusqlite::Result<LetterOut> {
    let owner = some(row.get::<_, Option<Sql<RecordId>>>(7)?);
    let request = match (
        some(row.get::<_, Option<Sql<InstanceId>>>(8)?),
        some(row.get::<_, Option<Sql<RecordId>>>(9)?),
    ) {
        (Some(origin), Some(id)) => Some(RecordRef { origin, id }),
        _ => None,
    };
    let act = match (
        some(row.get::<_, Option<Sql<RecordId>>>(10)?),
        some(row.get::<_, Option<Sql<InstanceId>>>(11)?),
        some(row.get::<_, Option<Sql<Hash>>>(12)?),
    ) {
        (Some(by), Some(to), Some(shown)) => Some(OwnersAct { by, to, shown }),
        _ => None,
    };
    let sealed_by = some(row.get::<_, Option<Sql<Hash>>>(15)?);
    let receipt_n: Sql<u64> = row.get(18)?;
    let receipt: Option<String> = row.get(19)?;
    let receipt_at = some(row.get::<_, Option<Sql<Timestamp>>>(20)?);
    let kept_at: Option<String> = row.get(22)?;
    let kept_at = kept_at.unwrap_or_default().to_lowercase();
    Ok(LetterOut {
        no: row.get::<_, Sql<u64>>(0)?.0,
        recipient: row.get::<_, Sql<_>>(1)?.0,
        thread: row.get::<_, Sql<_>>(2)?.0,
        is_receipt: row.get(3)?,
        n: row.get::<_, Sql<u64>>(4)?.0,
        kind: row.get(5)?,
        body: row.get(6)?,
        owner,
        request,
        act,
        at: row.get::<_, Sql<_>>(13)?.0,
        expires: row.get::<_, Sql<_>>(14)?.0,
        sealed: sealed_by.zip(row.get::<_, Option<String>>(16)?),
        blocked: row.get(17)?,
        kept_at: kept_at
            .split(',')
            .filter_map(|id| id.parse().ok())
            .collect(),
        receipt: receipt
            .zip(receipt_at)
            .map(|(state, at)| (receipt_n.0, state, at)),
        lost_at: some(row.get::<_, Option<Sql<Timestamp>>>(21)?),
    })
}

const IN: &str = "SELECT origin, thread, n, kind, line, request, at, published, state, receipt_n, owes FROM letters_in";

fn in_row(row: &Row<'_>) -> rusqlite::Result<LetterIn> {
    Ok(LetterIn {
        origin: row.get::<_, Sql<_>>(0)?.0,
        thread: row.get::<_, Sql<_>>(1)?.0,
        n: row.get::<_, Sql<u64>>(2)?.0,
        kind: row.get(3)?,
        line: row.get(4)?,
        request: some(row.get::<_, Option<Sql<_>>>(5)?),
        at: row.get::<_, Sql<_>>(6)?.0,
        published: some(row.get::<_, Option<Sql<_>>>(7)?),
        state: row.get(8)?,
        receipt_n: row.get::<_, Sql<u64>>(9)?.0,
        owes: row.get(10)?,
    })
}

impl Private {
    /// Everything that is told to others, the oldest first; receipts too.
    ///
    /// # Errors
    /// What the database reports.
    pub fn letters_out(&self) -> Result<Vec<LetterOut>> {
        let sql = format!("{OUT} ORDER BY at, letter_no");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let rows = statement.query_map([], out_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What is told to somebody in a thread; the letter, or the receipt.
    ///
    /// # Errors
    /// What the database reports.
    pub fn letter_out(
        &self,
        recipient: &InstanceId,
        thread: &RecordId,
        is_receipt: bool,
    ) -> Result<Option<LetterOut>> {
        let sql = format!("{OUT} WHERE recipient = ?1 AND thread = ?2 AND is_receipt = ?3");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let of = params![Sql(recipient), Sql(thread), is_receipt];
        Ok(statement.query_row(of, out_row).optional()?)
    }

    /// Letters, no receipts, of a thread, to whomever.
    ///
    /// # Errors
    /// What the database reports.
    pub fn letters_of_thread(&self, thread: &RecordId) -> Result<Vec<LetterOut>> {
        let sql = format!("{OUT} WHERE thread = ?1 AND is_receipt = 0");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let rows = statement.query_map([Sql(thread)], out_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Keeps a letter; it takes the place of what was told before in its thread.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_letter(&self, new: &NewLetter<'_>) -> Result<()> {
        let sql = "INSERT INTO letters_out (recipient, thread, is_receipt, n, kind, body, owner, request_origin, request,
              act_by, act_to, act_shown, at, expires)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
            ON CONFLICT (recipient, thread, is_receipt) DO UPDATE SET n = excluded.n, kind = excluded.kind,
              body = excluded.body, owner = excluded.owner, request_origin = excluded.request_origin,
              request = excluded.request, act_by = excluded.act_by, act_to = excluded.act_to,
              act_shown = excluded.act_shown, at = excluded.at, expires = excluded.expires, line = NULL, sealed = NULL,
              hash = NULL, sealed_by = NULL, sealed_to = NULL, blocked = NULL, receipt_n = 0, receipt = NULL,
              receipt_at = NULL, lost_at = NULL";
        self.connection().prepare_cached(sql)?.execute(params![
            Sql(new.recipient),
            Sql(new.thread),
            new.is_receipt,
            Sql(new.n),
            new.kind,
            new.body,
            new.owner.map(Sql),
            new.request.map(|request| Sql(request.origin)),
            new.request.map(|request| Sql(request.id)),
            new.act.map(|act| Sql(act.by)),
            new.act.map(|act| Sql(act.to)),
            new.act.map(|act| Sql(act.shown)),
            Sql(new.at),
            Sql(new.expires)
        ])?;
        let given = "DELETE FROM letters_given WHERE letter_no = (SELECT letter_no FROM letters_out
                       WHERE recipient = ?1 AND thread = ?2 AND is_receipt = ?3)";
        let of = params![Sql(new.recipient), Sql(new.thread), new.is_receipt];
        self.connection().prepare_cached(given)?.execute(of)?;
        Ok(())
    }

    /// Removes a letter that never was sealed: nobody can have it.
    ///
    /// # Errors
    /// What the database reports.
    pub fn drop_letter(&self, no: u64) -> Result<()> {
        let sql = "DELETE FROM letters_out WHERE letter_no = ?1";
        self.connection().prepare_cached(sql)?.execute([Sql(no)])?;
        Ok(())
    }

    /// Keeps a letter as it is sealed now. Whoever keeps it as it was sealed before is given it again.
    ///
    /// # Errors
    /// What the database reports.
    pub fn seal_letter(&self, no: u64, sealed: &SealedLetter<'_>) -> Result<()> {
        let sql = "UPDATE letters_out SET line = ?2, sealed = ?3, hash = ?4, sealed_by = ?5, sealed_to = ?6, blocked = NULL
                   WHERE letter_no = ?1";
        self.connection().prepare_cached(sql)?.execute(params![
            Sql(no),
            sealed.line,
            sealed.body,
            Sql(sealed.hash),
            Sql(sealed.by),
            sealed.to
        ])?;
        let sql = "DELETE FROM letters_given WHERE letter_no = ?1";
        self.connection().prepare_cached(sql)?.execute([Sql(no)])?;
        Ok(())
    }

    /// Notes why a letter cannot go now. As it was sealed before it goes nowhere any more.
    ///
    /// # Errors
    /// What the database reports.
    pub fn block_letter(&self, no: u64, why: &str) -> Result<()> {
        let sql = "UPDATE letters_out SET line = NULL, sealed = NULL, hash = NULL, blocked = ?2
                   WHERE letter_no = ?1 AND (blocked IS NOT ?2 OR sealed IS NOT NULL)";
        let mut statement = self.connection().prepare_cached(sql)?;
        statement.execute(params![Sql(no), why])?;
        Ok(())
    }

    /// Numbers of the letters that a place is to be given now, oldest first: those without a receipt that it does not
    /// keep, or that it was given so long ago that it may have lost them. Of one recipient, or of all.
    ///
    /// # Errors
    /// What the database reports.
    pub fn letters_due(
        &self,
        place: &InstanceId,
        recipient: Option<&InstanceId>,
        now: Timestamp,
    ) -> Result<Vec<u64>> {
        let sql = "SELECT letter_no FROM letters_out l
            WHERE sealed IS NOT NULL AND expires > ?3 AND receipt IS NULL AND (?2 IS NULL OR recipient = ?2)
              AND NOT EXISTS (SELECT 1 FROM letters_given g WHERE g.letter_no = l.letter_no AND g.place = ?1
                AND ((g.kept = 1 AND (l.is_receipt = 1 OR g.at > ?4)) OR (g.kept = 0 AND g.at > ?5)))
            ORDER BY letter_no";
        let mut statement = self.connection().prepare_cached(sql)?;
        let of = params![
            Sql(place),
            recipient.map(Sql),
            Sql(now),
            Sql(now.plus_ms(-LETTER_AGAIN_MS)),
            Sql(now.plus_ms(-ASKED_MS))
        ];
        let rows = statement.query_map(of, |row| row.get::<_, Sql<u64>>(0))?;
        Ok(rows
            .map(|row| row.map(|Sql(no)| no))
            .collect::<rusqlite::Result<_>>()?)
    }

    /// A letter as it is sealed.
    ///
    /// # Errors
    /// What the database reports.
    pub fn letter_sealed(&self, no: u64) -> Result<Option<OutEnvelope>> {
        let sql = "SELECT hash, line, sealed FROM letters_out WHERE letter_no = ?1 AND sealed IS NOT NULL";
        let mut statement = self.connection().prepare_cached(sql)?;
        let found = statement.query_row([Sql(no)], |row| {
            Ok(OutEnvelope {
                n: no,
                hash: row.get::<_, Sql<_>>(0)?.0,
                line: row.get(1)?,
                body: row.get(2)?,
                purpose: LETTER.to_owned(),
            })
        });
        Ok(found.optional()?)
    }

    /// Notes that a place was given a letter, and whether it keeps it.
    ///
    /// # Errors
    /// What the database reports.
    pub fn letter_given(
        &self,
        hash: &Hash,
        place: &InstanceId,
        is_kept: bool,
        now: Timestamp,
    ) -> Result<()> {
        let sql = "INSERT INTO letters_given (letter_no, place, kept, at)
                   SELECT letter_no, ?2, ?3, ?4 FROM letters_out WHERE hash = ?1
                   ON CONFLICT (letter_no, place) DO UPDATE SET kept = excluded.kept, at = excluded.at";
        let mut statement = self.connection().prepare_cached(sql)?;
        statement.execute(params![Sql(hash), Sql(place), is_kept, Sql(now)])?;
        Ok(())
    }

    /// Notes what the receiver says of a letter: the number of its receipt, and the highest number it holds of the
    /// thread. Nothing of the letter is sent again.
    ///
    /// # Errors
    /// What the database reports.
    pub fn note_receipt(
        &self,
        no: u64,
        (receipt_n, n): (u64, u64),
        state: &str,
        now: Timestamp,
    ) -> Result<()> {
        let sql = "UPDATE letters_out SET receipt_n = ?2, receipt = ?3, receipt_at = ?4, n = max(n, ?5), lost_at = NULL, line = NULL,
                     sealed = NULL, hash = NULL, blocked = NULL
                   WHERE letter_no = ?1";
        let mut statement = self.connection().prepare_cached(sql)?;
        statement.execute(params![Sql(no), Sql(receipt_n), state, Sql(now), Sql(n)])?;
        Ok(())
    }

    /// Lets go of receipts that are over, of what told that nobody can answer, and of threads that were erased or ended so
    /// long ago that no letter of them comes again.
    ///
    /// # Errors
    /// What the database reports.
    pub fn tidy_letters(&self, now: Timestamp) -> Result<()> {
        let sql = "DELETE FROM letters_out WHERE is_receipt = 1 AND expires <= ?1";
        self.connection().prepare_cached(sql)?.execute([Sql(now)])?;
        let sql =
            "DELETE FROM letters_out WHERE is_receipt = 0 AND kind = 'closed' AND expires <= ?1";
        self.connection().prepare_cached(sql)?.execute([Sql(now)])?;
        let sql = "DELETE FROM letters_in WHERE owes = 0 AND at <= ?1
            AND (state = 'erased' OR kind IN ('redeemed', 'done', 'decline', 'closed') OR kind = 'redeem' AND EXISTS
              (SELECT 1 FROM invite_uses u WHERE u.origin = letters_in.origin AND u.thread = letters_in.thread))";
        let over = now.plus_ms(-ERASED_KEPT_MS);
        self.connection()
            .prepare_cached(sql)?
            .execute([Sql(over)])?;
        Ok(())
    }

    /// Notes that whoever a letter is of was told that it did not arrive.
    ///
    /// # Errors
    /// What the database reports.
    pub fn letter_lost(&self, no: u64, now: Timestamp) -> Result<()> {
        let sql = "UPDATE letters_out SET lost_at = ?2, line = NULL, sealed = NULL, hash = NULL
                   WHERE letter_no = ?1";
        let mut statement = self.connection().prepare_cached(sql)?;
        statement.execute(params![Sql(no), Sql(now)])?;
        Ok(())
    }

    /// Everything that others told, the oldest first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn letters_in(&self) -> Result<Vec<LetterIn>> {
        let sql = format!("{IN} ORDER BY at, origin, thread");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let rows = statement.query_map([], in_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Threads of one of the kinds that something follows from, where it did not follow yet, the oldest first: `redeem`,
    /// `redeemed` or `offer`. Their lines are not read for it.
    ///
    /// # Errors
    /// What the database reports.
    pub fn letters_unsettled(&self, kind: &str) -> Result<Vec<(InstanceId, RecordId)>> {
        let sql = "SELECT origin, thread FROM letters_in l WHERE kind = ?1 AND CASE kind
              WHEN 'redeem' THEN NOT EXISTS
                (SELECT 1 FROM invite_uses u WHERE u.origin = l.origin AND u.thread = l.thread)
              WHEN 'redeemed' THEN EXISTS
                (SELECT 1 FROM redemptions r WHERE r.issuer = l.origin AND r.thread = l.thread AND r.state <> 'counted')
              WHEN 'offer' THEN state = 'arrived' AND NOT EXISTS
                (SELECT 1 FROM offers o WHERE o.helper_home = l.origin AND o.offer = l.thread)
              ELSE 0 END
            ORDER BY at, origin, thread";
        let mut statement = self.connection().prepare_cached(sql)?;
        let rows = statement.query_map([kind], |row| {
            Ok((row.get::<_, Sql<_>>(0)?.0, row.get::<_, Sql<_>>(1)?.0))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// How many letters tell an instance that nobody can answer its offers.
    ///
    /// # Errors
    /// What the database reports.
    pub fn closed_to(&self, recipient: &InstanceId) -> Result<u64> {
        let sql = "SELECT count(*) FROM letters_out WHERE recipient = ?1 AND is_receipt = 0 AND kind = 'closed'";
        let mut statement = self.connection().prepare_cached(sql)?;
        let Sql(count) = statement.query_row([Sql(recipient)], |row| row.get(0))?;
        Ok(count)
    }

    /// What others told that owes a receipt.
    ///
    /// # Errors
    /// What the database reports.
    pub fn letters_owing(&self) -> Result<Vec<LetterIn>> {
        self.letters_in_where("owes = 1")
    }

    /// What others asked to erase, of which something that was made of it may be there still.
    ///
    /// # Errors
    /// What the database reports.
    pub fn letters_erasing(&self) -> Result<Vec<LetterIn>> {
        self.letters_in_where("state = 'erasing'")
    }

    fn letters_in_where(&self, condition: &'static str) -> Result<Vec<LetterIn>> {
        let sql = format!("{IN} WHERE {condition} ORDER BY origin, thread");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let rows = statement.query_map([], in_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Threads that are kept of whoever wrote them.
    ///
    /// # Errors
    /// What the database reports.
    pub fn letters_of(&self, origin: &InstanceId) -> Result<u64> {
        let sql = "SELECT count(*) FROM letters_in WHERE origin = ?1";
        let mut statement = self.connection().prepare_cached(sql)?;
        let Sql(count) = statement.query_row([Sql(origin)], |row| row.get(0))?;
        Ok(count)
    }

    /// Threads that are kept, by whoever wrote them.
    ///
    /// # Errors
    /// What the database reports.
    pub fn letters_by_origin(&self) -> Result<Vec<(InstanceId, u64)>> {
        let sql = "SELECT origin, count(*) FROM letters_in GROUP BY origin ORDER BY origin";
        let mut statement = self.connection().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok((row.get::<_, Sql<_>>(0)?.0, row.get::<_, Sql<u64>>(1)?.0))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Forgets everything that somebody told, who is refused.
    ///
    /// # Errors
    /// What the database reports.
    pub fn drop_letters_of(&self, origin: &InstanceId) -> Result<()> {
        let sql = "DELETE FROM letters_in WHERE origin = ?1";
        self.connection()
            .prepare_cached(sql)?
            .execute([Sql(origin)])?;
        Ok(())
    }

    /// What others told about an own request, the oldest first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn letters_about(&self, request: &RecordId) -> Result<Vec<LetterIn>> {
        let sql = format!("{IN} WHERE request = ?1 ORDER BY at, origin, thread");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let rows = statement.query_map([Sql(request)], in_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What somebody told in a thread.
    ///
    /// # Errors
    /// What the database reports.
    pub fn letter_in(&self, origin: &InstanceId, thread: &RecordId) -> Result<Option<LetterIn>> {
        let sql = format!("{IN} WHERE origin = ?1 AND thread = ?2");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let of = params![Sql(origin), Sql(thread)];
        Ok(statement.query_row(of, in_row).optional()?)
    }

    /// Keeps what somebody told, in the place of what was told before in its thread.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_letter_in(&self, letter: &LetterIn) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO letters_in
                     (origin, thread, n, kind, line, request, at, published, state, receipt_n, owes)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        self.connection().prepare_cached(sql)?.execute(params![
            Sql(letter.origin),
            Sql(letter.thread),
            Sql(letter.n),
            letter.kind,
            letter.line,
            letter.request.map(Sql),
            Sql(letter.at),
            letter.published.map(Sql),
            letter.state,
            Sql(letter.receipt_n),
            letter.owes
        ])?;
        Ok(())
    }
}
