//! What a peer does not give although its origin signed it, with what proves it.

use rusqlite::{Row, params};
use wb_core::id::{InstanceId, LogId};
use wb_core::scope::FeedScope;
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::sql::{Sql, word};
use crate::store::{Store, Write};

/// Doubts kept of one peer; protects the disk from a hub that keeps back thousands of feeds.
pub const DOUBTS_MAX: u64 = 64;

/// What is in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DoubtKind {
    /// It names an older head of a feed than the origin signed.
    Stale,
    /// It has the head, and not lines that are live there.
    Withheld,
}

impl DoubtKind {
    /// The word in the database and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::Withheld => "withheld",
        }
    }
}

impl std::str::FromStr for DoubtKind {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        match text {
            "stale" => Ok(Self::Stale),
            "withheld" => Ok(Self::Withheld),
            _ => Err(()),
        }
    }
}

/// A doubt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// Who does not give it.
    pub peer: InstanceId,
    /// Whose it is.
    pub origin: InstanceId,
    /// The feed.
    pub scope: FeedScope,
    /// What it is.
    pub kind: DoubtKind,
    /// The log.
    pub log: LogId,
    /// The number that was here, and not there, when it was first noticed.
    pub seq: u64,
    /// Since when it is known.
    pub since: Timestamp,
    /// When it was looked at last.
    pub at: Timestamp,
    /// The signed answer and the signed header, as JSON.
    pub proof: Option<String>,
}

const COLUMNS: &str = "peer, origin, scope, kind, log, seq, since, at, proof";

fn read(row: &Row<'_>) -> rusqlite::Result<Doubt> {
    Ok(Doubt {
        peer: row.get::<_, Sql<InstanceId>>(0)?.0,
        origin: row.get::<_, Sql<InstanceId>>(1)?.0,
        scope: word(row, 2)?,
        kind: word(row, 3)?,
        log: row.get::<_, Sql<LogId>>(4)?.0,
        seq: row.get::<_, Sql<u64>>(5)?.0,
        since: row.get::<_, Sql<Timestamp>>(6)?.0,
        at: row.get::<_, Sql<Timestamp>>(7)?.0,
        proof: row.get(8)?,
    })
}

impl Store {
    /// Every doubt, the oldest first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn doubts(&self) -> Result<Vec<Doubt>> {
        let sql = format!("SELECT {COLUMNS} FROM doubts ORDER BY since, peer, origin, scope, kind");
        let mut statement = self.main().prepare_cached(&sql)?;
        let rows = statement.query_map([], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Write<'_> {
    /// Writes a doubt, new or looked at again. Of too many of one peer the new one is left out: those
    /// that are there say enough.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_doubt(&self, doubt: &Doubt) -> Result<()> {
        self.transaction.execute(
            "INSERT INTO doubts (peer, origin, scope, kind, log, seq, since, at, proof)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
             WHERE (SELECT count(*) FROM doubts WHERE peer = ?1 AND NOT (origin = ?2 AND scope = ?3 AND kind = ?4)) < ?10
             ON CONFLICT (peer, origin, scope, kind) DO UPDATE SET log = excluded.log, seq = excluded.seq,
               since = excluded.since, at = excluded.at, proof = excluded.proof",
            params![
                Sql(doubt.peer),
                Sql(doubt.origin),
                doubt.scope.as_str(),
                doubt.kind.as_str(),
                Sql(doubt.log),
                Sql(doubt.seq),
                Sql(doubt.since),
                Sql(doubt.at),
                doubt.proof,
                Sql(DOUBTS_MAX),
            ],
        )?;
        Ok(())
    }

    /// Removes a doubt that is over.
    ///
    /// # Errors
    /// What the database reports.
    pub fn drop_doubt(
        &self,
        peer: &InstanceId,
        origin: &InstanceId,
        scope: FeedScope,
        kind: DoubtKind,
    ) -> Result<()> {
        self.transaction.execute(
            "DELETE FROM doubts WHERE peer = ?1 AND origin = ?2 AND scope = ?3 AND kind = ?4",
            params![Sql(peer), Sql(origin), scope.as_str(), kind.as_str()],
        )?;
        Ok(())
    }

    /// Forgets what is kept about syncing with a peer: how often, and what is in doubt. By which road
    /// records came stays, as the records do.
    ///
    /// # Errors
    /// What the database reports.
    pub fn forget_syncing(&self, peer: &InstanceId) -> Result<()> {
        self.set_interval(peer, None)?;
        self.transaction
            .execute("DELETE FROM doubts WHERE peer = ?1", [Sql(peer)])?;
        // Whoever is no peer any more says nothing of other copies either.
        self.transaction
            .execute("DELETE FROM own_copies WHERE peer = ?1", [Sql(peer)])?;
        // What was left there nobody asks for any more, and what it kept may be gone from there.
        for sql in [
            "DELETE FROM mail_left WHERE place = ?1",
            "DELETE FROM mail_passed WHERE place = ?1",
            "DELETE FROM envelopes_left WHERE hub = ?1",
            "DELETE FROM envelopes_asked WHERE hub = ?1",
            "DELETE FROM envelopes_given WHERE place = ?1",
        ] {
            self.transaction.execute(sql, [Sql(peer)])?;
        }
        self.transaction.execute(
            "DELETE FROM meta WHERE key LIKE 'unfilled ' || ?1 || ' %'",
            [peer.to_string()],
        )?;
        Ok(())
    }
}
