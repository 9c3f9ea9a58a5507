//! Hubs and other nodes that this one talks to, and where it stands with each.
//!
//! One row a peer, read and written whole. Where syncing stands is kept as the text that the state
//! machine gave: nothing here reads it.

use rusqlite::{OptionalExtension as _, Row, params};
use wb_core::id::InstanceId;
use wb_core::sync::{Cursor, FollowList, Role, Standings};
use wb_core::time::Timestamp;
use wb_core::want::Held;

use crate::error::Result;
use crate::sql::{Sql, json, some, word};
use crate::store::{Store, Write};

/// A hub or another node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its id.
    pub id: InstanceId,
    /// What it is.
    pub role: Role,
    /// The address everything is asked under.
    pub address: String,
    /// Whether the address may be one of the own network.
    pub lan: bool,
    /// Its name, as it said.
    pub name: String,
    /// Whom this node follows there.
    pub follows: FollowList,
    /// Up to where its arrivals are held here; none before the first pull.
    pub cursor: Option<Cursor>,
    /// When the heads it has were last compared with those held here, however little the cursor moved since.
    pub heads_at: Option<Timestamp>,
    /// Heads of own feeds that it confirmed to hold.
    pub acked: Vec<Held>,
    /// Whether its operator paused syncing with it.
    pub paused: bool,
    /// Where the registration stands, as it said last; none before it said anything.
    pub registered: Option<Standings>,
    /// Counts what was said there at registrations.
    pub counter: u64,
    /// Where syncing with it stands, for the state machine alone.
    pub state: String,
    /// When it was first known here.
    pub first_seen: Timestamp,
    /// When an exchange with it last went well.
    pub last_ok: Option<Timestamp>,
}

const COLUMNS: &str =
    "id, role, address, lan, name, follows, cursor, acked, paused, standing, reason, until, state,
    first_seen, last_ok, counter, heads_at";

fn read(row: &Row<'_>) -> rusqlite::Result<Peer> {
    let cursor: Option<String> = row.get(6)?;
    let standing: Option<String> = row.get(9)?;
    let registered = if standing.is_some() {
        Some(Standings {
            schema_version: 1,
            standing: word(row, 9)?,
            reason: row.get(10)?,
            until: some(row.get(11)?),
            visibility: None,
        })
    } else {
        None
    };
    Ok(Peer {
        id: row.get::<_, Sql<InstanceId>>(0)?.0,
        role: role_of(row.get_ref(1)?.as_str()?),
        address: row.get(2)?,
        lan: row.get(3)?,
        name: row.get(4)?,
        follows: json(row, 5)?,
        cursor: cursor.map(|_| word(row, 6)).transpose()?,
        acked: json(row, 7)?,
        paused: row.get(8)?,
        registered,
        state: row.get(12)?,
        first_seen: row.get::<_, Sql<Timestamp>>(13)?.0,
        last_ok: some(row.get(14)?),
        counter: row.get::<_, Sql<u64>>(15)?.0,
        heads_at: some(row.get(16)?),
    })
}

/// The database takes no other words than these two.
fn role_of(word: &str) -> Role {
    if word == "hub" { Role::Hub } else { Role::Node }
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Hub => "hub",
        Role::Node => "node",
    }
}

impl Store {
    /// Every peer, the first known first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn peers(&self) -> Result<Vec<Peer>> {
        let sql = format!("SELECT {COLUMNS} FROM peers ORDER BY peer_no");
        let mut statement = self.main().prepare_cached(&sql)?;
        let rows = statement.query_map([], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// One peer.
    ///
    /// # Errors
    /// What the database reports.
    pub fn peer(&self, id: &InstanceId) -> Result<Option<Peer>> {
        let sql = format!("SELECT {COLUMNS} FROM peers WHERE id = ?1");
        let mut statement = self.main().prepare_cached(&sql)?;
        Ok(statement.query_row([Sql(id)], read).optional()?)
    }
}

impl Write<'_> {
    /// One peer, as this transaction sees it.
    ///
    /// # Errors
    /// What the database reports.
    pub fn peer(&self, id: &InstanceId) -> Result<Option<Peer>> {
        let sql = format!("SELECT {COLUMNS} FROM peers WHERE id = ?1");
        let mut statement = self.transaction.prepare_cached(&sql)?;
        Ok(statement.query_row([Sql(id)], read).optional()?)
    }

    /// Pauses syncing with a peer, or ends the pause.
    ///
    /// # Errors
    /// What the database reports.
    pub fn set_paused(&self, id: &InstanceId, paused: bool) -> Result<()> {
        let sql = "UPDATE peers SET paused = ?2 WHERE id = ?1";
        self.transaction.execute(sql, params![Sql(id), paused])?;
        Ok(())
    }

    /// Writes a peer whole, new or changed. Whether it is paused is written with a new one only, and then
    /// by [`Write::set_paused`]: a sync that runs meanwhile must not undo what its operator says.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_peer(&self, peer: &Peer) -> Result<()> {
        let text = |value: serde_json::Result<String>| {
            value.expect("lists of ids and heads have string keys and serialise")
        };
        let registered = peer.registered.as_ref();
        self.transaction
            .prepare_cached(
                "INSERT INTO peers (id, role, address, lan, name, follows, cursor, acked, paused, standing, reason,
                   until, state, first_seen, last_ok, counter, heads_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
                 ON CONFLICT (id) DO UPDATE SET role = excluded.role, address = excluded.address, lan = excluded.lan,
                   name = excluded.name, follows = excluded.follows, cursor = excluded.cursor,
                   acked = excluded.acked, standing = excluded.standing,
                   reason = excluded.reason, until = excluded.until, state = excluded.state,
                   first_seen = excluded.first_seen, last_ok = excluded.last_ok,
                   counter = excluded.counter, heads_at = excluded.heads_at",
            )?
            .execute(params![
                Sql(peer.id),
                role_word(peer.role),
                peer.address,
                peer.lan,
                peer.name,
                text(serde_json::to_string(&peer.follows)),
                peer.cursor.map(|cursor| cursor.to_string()),
                text(serde_json::to_string(&peer.acked)),
                peer.paused,
                registered.map(|it| it.standing.as_str()),
                registered.and_then(|it| it.reason.as_deref()),
                registered.and_then(|it| it.until).map(Sql),
                peer.state,
                Sql(peer.first_seen),
                peer.last_ok.map(Sql),
                Sql(peer.counter),
                peer.heads_at.map(Sql),
            ])?;
        Ok(())
    }

    /// Removes a peer; what came by it stays. Returns whether there was one.
    ///
    /// # Errors
    /// What the database reports.
    pub fn remove_peer(&self, id: &InstanceId) -> Result<bool> {
        let removed = self
            .transaction
            .execute("DELETE FROM peers WHERE id = ?1", [Sql(id)])?;
        Ok(removed > 0)
    }
}
