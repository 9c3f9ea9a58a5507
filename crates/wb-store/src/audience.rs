//! The trusted audience: who is in it, and how far each member is with the trusted feed.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use wb_core::feed::Header;
use wb_core::id::{InstanceId, RecordId};
use wb_core::scope::FeedScope;
use wb_core::time::Timestamp;
use wb_core::want::Held;

use crate::error::{Result, StoreError};
use crate::sql::{Sql, some};
use crate::store::{Store, Write};

/// The word of envelopes that wait with something of the trusted feed.
const FEED: &str = "feed";

/// Whether a member of the audience stays in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belongs {
    /// It is in.
    In,
    /// It was removed, and what takes it all back from there is not sealed yet.
    Leaving,
    /// That was sealed, and it did not say yet that it has it.
    Parted,
    /// It was in when this copy was made, and the copy was restored since: somebody may have removed it meanwhile.
    Unsure,
}

impl Belongs {
    fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Leaving => "leaving",
            Self::Parted => "parted",
            Self::Unsure => "unsure",
        }
    }

    fn of(word: &str) -> Option<Self> {
        let all = [Self::In, Self::Leaving, Self::Parted, Self::Unsure];
        all.into_iter().find(|belongs| belongs.as_str() == word)
    }
}

/// A member of the trusted audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudienceRow {
    /// The instance.
    pub member: InstanceId,
    /// Whether it stays.
    pub belongs: Belongs,
    /// Of records before it this member gets no lines.
    pub since: Option<Timestamp>,
    /// When it was added.
    pub added_at: Timestamp,
    /// The key it is sealed to, as age writes it.
    pub sealing_key: String,
    /// Recoveries of its owner when that key was taken.
    pub era: u64,
    /// Since when that key is one that nobody here confirmed.
    pub rekeyed_at: Option<Timestamp>,
    /// Whether it is given all of the feed once more, whatever it has.
    pub whole: bool,
    /// The head that its last want named.
    pub held: Option<Held>,
    /// When that want came.
    pub held_at: Option<Timestamp>,
    /// The head that was sealed to it last.
    pub given: Option<Held>,
    /// When that was.
    pub given_at: Option<Timestamp>,
    /// Whether anything was ever sealed to it.
    pub had: bool,
    /// What takes everything back from one that parted.
    pub parting: Option<Vec<u8>>,
}

const SELECT: &str =
    "SELECT a.member, a.standing, a.since, a.added_at, a.sealing_key, a.era, a.rekeyed_at, a.held,
    a.held_at, a.given, a.given_at, (SELECT id FROM instances WHERE standing = 'self'), a.whole,
    a.had, a.parting FROM audience a";

impl Store {
    /// The trusted audience by id, those that are leaving too.
    ///
    /// # Errors
    /// What the database reports.
    pub fn audience(&self) -> Result<Vec<AudienceRow>> {
        audience(self.main())
    }

    /// One member of the trusted audience.
    ///
    /// # Errors
    /// What the database reports.
    pub fn in_audience(&self, member: &InstanceId) -> Result<Option<AudienceRow>> {
        let sql = format!("{SELECT} WHERE a.member = ?1");
        let mut statement = self.main().prepare_cached(&sql)?;
        let row = statement.query_row([Sql(member)], read).optional()?;
        row.transpose()
    }
}

impl Store {
    /// Recoveries of an instance when the live line of a public record of it was signed; none where only a snapshot
    /// brought that line.
    ///
    /// # Errors
    /// What the database reports.
    pub fn era_of_put(&self, origin: &InstanceId, id: &RecordId) -> Result<Option<u64>> {
        let sql = "SELECT h.line FROM instances i JOIN feeds f USING (instance_no) JOIN feed_lines x USING (feed_no)
                   JOIN headers h ON h.log_no = x.log_no AND h.seq = x.seq
                   WHERE i.id = ?1 AND f.scope = 'public' AND x.id = ?2 AND x.live = 1 AND x.idx IS NOT NULL";
        let mut statement = self.main().prepare_cached(sql)?;
        let line: Option<Option<Vec<u8>>> = statement
            .query_row(params![Sql(origin), Sql(id)], |row| row.get(0))
            .optional()?;
        let Some(line) = line.flatten() else {
            return Ok(None);
        };
        let (header, _) = Header::read(&line)
            .map_err(|rule| StoreError::damaged(format!("a stored header breaks {rule}")))?;
        let log = self.identity_log(origin)?;
        let entry = log.as_ref().and_then(|log| log.entry(&header.identity));
        Ok(entry.map(|entry| entry.position.era))
    }
}

fn audience(connection: &Connection) -> Result<Vec<AudienceRow>> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} ORDER BY a.member"))?;
    let rows = statement.query_map([], read)?;
    rows.collect::<rusqlite::Result<Result<Vec<_>>>>()?
}

fn read(row: &Row<'_>) -> rusqlite::Result<Result<AudienceRow>> {
    let own: InstanceId = row.get::<_, Sql<_>>(11)?.0;
    let head = |column| -> rusqlite::Result<Result<Option<Held>>> {
        let text: Option<String> = row.get(column)?;
        Ok(text
            .map(|text| {
                Held::of_query(own, FeedScope::TrustedPeers, &text)
                    .ok_or_else(|| StoreError::damaged("a head of the trusted audience"))
            })
            .transpose())
    };
    let (held, given) = match (head(7)?, head(9)?) {
        (Ok(held), Ok(given)) => (held, given),
        (Err(error), _) | (_, Err(error)) => return Ok(Err(error)),
    };
    let standing: String = row.get(1)?;
    let Some(belongs) = Belongs::of(&standing) else {
        return Ok(Err(StoreError::damaged(
            "a standing in the trusted audience",
        )));
    };
    Ok(Ok(AudienceRow {
        member: row.get::<_, Sql<_>>(0)?.0,
        belongs,
        since: some(row.get(2)?),
        added_at: row.get::<_, Sql<_>>(3)?.0,
        sealing_key: row.get(4)?,
        era: row.get::<_, Sql<_>>(5)?.0,
        rekeyed_at: some(row.get(6)?),
        whole: row.get(12)?,
        held,
        held_at: some(row.get(8)?),
        given,
        given_at: some(row.get(10)?),
        had: row.get(13)?,
        parting: row.get(14)?,
    }))
}

impl Write<'_> {
    /// Writes a member of the trusted audience, whole.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_audience(&self, row: &AudienceRow) -> Result<()> {
        self.transaction.execute(
            "INSERT INTO audience (member, standing, since, added_at, sealing_key, era, rekeyed_at, held, held_at,
               given, given_at, whole, had, parting)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
             ON CONFLICT (member) DO UPDATE SET standing = excluded.standing, since = excluded.since,
               added_at = excluded.added_at, sealing_key = excluded.sealing_key, era = excluded.era,
               rekeyed_at = excluded.rekeyed_at, held = excluded.held, held_at = excluded.held_at,
               given = excluded.given, given_at = excluded.given_at, whole = excluded.whole,
               had = max(had, excluded.had), parting = excluded.parting",
            params![
                Sql(row.member),
                row.belongs.as_str(),
                row.since.map(Sql),
                Sql(row.added_at),
                row.sealing_key,
                Sql(row.era),
                row.rekeyed_at.map(Sql),
                row.held.as_ref().map(Held::to_query),
                row.held_at.map(Sql),
                row.given.as_ref().map(Held::to_query),
                row.given_at.map(Sql),
                row.whole,
                row.had,
                row.parting,
            ],
        )?;
        Ok(())
    }

    /// Doubts the trusted audience: this copy may be from before somebody was removed. What waits for it is thrown
    /// away, and nothing is sealed to anybody until each is trusted again.
    ///
    /// # Errors
    /// What the database reports.
    pub(crate) fn doubt_audience(&self) -> Result<()> {
        self.transaction.execute(
            "UPDATE audience SET standing = 'unsure' WHERE standing = 'in'",
            [],
        )?;
        self.drop_waiting(FEED)
    }

    /// Throws away what waits of the trusted feed, because something in it was taken back: each member is given the
    /// rest from what it said that it has.
    ///
    /// # Errors
    /// What the database reports.
    pub fn seal_feed_anew(&self) -> Result<()> {
        self.transaction.execute(
            "UPDATE audience SET given = held WHERE standing = 'in' AND member IN (
               SELECT recipient FROM envelopes_out_for JOIN envelopes_out USING (envelope_no) WHERE purpose = ?1)",
            [FEED],
        )?;
        self.drop_waiting(FEED)
    }

    fn drop_waiting(&self, purpose: &str) -> Result<()> {
        self.transaction
            .execute("DELETE FROM envelopes_out WHERE purpose = ?1", [purpose])?;
        Ok(())
    }

    /// Takes an instance out of the table of the audience.
    ///
    /// # Errors
    /// What the database reports.
    pub fn drop_audience(&self, member: &InstanceId) -> Result<()> {
        self.transaction
            .execute("DELETE FROM audience WHERE member = ?1", [Sql(member)])?;
        Ok(())
    }
}
