//! Pairs of this node with others: who agreed to what, and the links that were made for it.

use rusqlite::{OptionalExtension as _, Row, params};
use wb_core::id::{Hash, InstanceId, Token};
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::relay::Room;
use crate::relay::room::room;
use crate::sql::{Sql, some, word};
use crate::store::{Store, Write};

/// Links kept that were used or are over; the oldest go. Protects the file.
pub const LINKS_KEPT_MAX: u64 = 1_000;

/// What was agreed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PairState {
    /// The other side asked, and a person here has to confirm.
    Asked,
    /// A person here agreed, and the other side is not known to have.
    Offered,
    /// Both agreed.
    Paired,
}

impl PairState {
    /// The word in the database and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Offered => "offered",
            Self::Paired => "paired",
        }
    }
}

impl std::str::FromStr for PairState {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        match text {
            "asked" => Ok(Self::Asked),
            "offered" => Ok(Self::Offered),
            "paired" => Ok(Self::Paired),
            _ => Err(()),
        }
    }
}

/// A pair with another node, which has a row among the peers as well and goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The other node.
    pub id: InstanceId,
    /// What was agreed to.
    pub state: PairState,
    /// The eight words that both sides compare.
    pub words: String,
    /// The token of the link that was accepted, until both agreed.
    pub token: Option<Token>,
    /// Since when it is in its state.
    pub since: Timestamp,
    /// The address on its card that was tried last.
    pub tried: Option<String>,
}

/// A link that was made here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairLinkRow {
    /// The hash of its token.
    pub link: Hash,
    /// Since when.
    pub made_at: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
    /// Who used it.
    pub used_by: Option<InstanceId>,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Pair> {
    Ok(Pair {
        id: row.get::<_, Sql<InstanceId>>(0)?.0,
        state: word(row, 1)?,
        words: row.get(2)?,
        token: some(row.get(3)?),
        since: row.get::<_, Sql<Timestamp>>(4)?.0,
        tried: row.get(5)?,
    })
}

impl Store {
    /// Every pair, the oldest first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn pairs(&self) -> Result<Vec<Pair>> {
        let sql = "SELECT id, state, words, token, since, tried FROM pairs ORDER BY since, id";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map([], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The pair with one node.
    ///
    /// # Errors
    /// What the database reports.
    pub fn pair(&self, id: &InstanceId) -> Result<Option<Pair>> {
        let sql = "SELECT id, state, words, token, since, tried FROM pairs WHERE id = ?1";
        let mut statement = self.main().prepare_cached(sql)?;
        Ok(statement.query_row([Sql(id)], read).optional()?)
    }

    /// The link of a token's hash.
    ///
    /// # Errors
    /// What the database reports.
    pub fn pair_link(&self, link: &Hash) -> Result<Option<PairLinkRow>> {
        let sql = "SELECT link, made_at, ends_at, used_by FROM pair_links WHERE link = ?1";
        let mut statement = self.main().prepare_cached(sql)?;
        let found = statement.query_row([Sql(link)], |row| {
            Ok(PairLinkRow {
                link: row.get::<_, Sql<Hash>>(0)?.0,
                made_at: row.get::<_, Sql<Timestamp>>(1)?.0,
                ends_at: row.get::<_, Sql<Timestamp>>(2)?.0,
                used_by: some(row.get(3)?),
            })
        });
        Ok(found.optional()?)
    }
}

impl Write<'_> {
    /// Writes a pair whole, new or changed. Its peer has to be there.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_pair(&self, pair: &Pair) -> Result<()> {
        self.transaction
            .prepare_cached(
                "INSERT INTO pairs (id, state, words, token, since, tried) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (id) DO UPDATE SET state = excluded.state, words = excluded.words,
                   token = excluded.token, since = excluded.since, tried = excluded.tried",
            )?
            .execute(params![
                Sql(pair.id),
                pair.state.as_str(),
                pair.words,
                pair.token.map(Sql),
                Sql(pair.since),
                pair.tried,
            ])?;
        Ok(())
    }

    /// Notes a link that was made. Of those that are over the oldest go.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_pair_link(&self, link: &PairLinkRow) -> Result<()> {
        self.transaction.execute(
            "INSERT INTO pair_links (link, made_at, ends_at, used_by) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (link) DO UPDATE SET used_by = excluded.used_by",
            params![
                Sql(link.link),
                Sql(link.made_at),
                Sql(link.ends_at),
                link.used_by.map(Sql)
            ],
        )?;
        self.transaction.execute(
            "DELETE FROM pair_links WHERE link IN (SELECT link FROM pair_links ORDER BY made_at DESC LIMIT -1 OFFSET ?1)",
            [Sql(LINKS_KEPT_MAX)],
        )?;
        Ok(())
    }

    /// Ends the links that an instance used: they admit nobody any more, it included.
    ///
    /// # Errors
    /// What the database reports.
    pub fn end_pair_links(&self, used_by: &InstanceId, own: &InstanceId) -> Result<()> {
        self.transaction.execute(
            "UPDATE pair_links SET used_by = ?2 WHERE used_by = ?1",
            [Sql(used_by), Sql(own)],
        )?;
        Ok(())
    }

    /// Removes the pair with a node, and nothing else of that node.
    ///
    /// # Errors
    /// What the database reports.
    pub fn remove_pair(&self, id: &InstanceId) -> Result<()> {
        self.transaction
            .execute("DELETE FROM pairs WHERE id = ?1", [Sql(id)])?;
        Ok(())
    }

    /// How much is held of one instance, as this transaction sees it. Reads all of it.
    ///
    /// # Errors
    /// What the database reports.
    pub fn room_of(&self, id: &InstanceId) -> Result<Room> {
        room(&self.transaction, id)
    }
}
