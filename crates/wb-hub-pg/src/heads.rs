//! Heads of feeds: those a member follows, its own, and those of the directory.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use tokio_postgres::Row;
use wb_core::id::InstanceId;
use wb_core::limits::FEED_KINDS_MAX;
use wb_core::scope::{FeedScope, Kind};
use wb_core::sync::{Directory, DirectoryRow, FeedHead, Heads, Visibility};
use wb_core::time::Timestamp;
use wb_core::want::Held;

use crate::arrivals::{HEAD, Head};
use crate::error::{PgError, Result};
use crate::follow::{self, FOLLOWS};
use crate::member::{IS_SERVED, is_in_directory};
use crate::tx::{Columns as _, Tx, ids};

/// The head of the feed of `members m`, where something of it was taken.
pub(crate) const FEED: &str =
    "SELECT m.id, g.log, g.generation, f.seq, f.hash, f.live_n, m.instance_no, h.void, f.log_no
    FROM members m JOIN feeds f USING (instance_no)
    JOIN logs g ON g.instance_no = f.instance_no AND g.log_no = f.log_no
    JOIN headers h ON h.instance_no = f.instance_no AND h.log_no = f.log_no AND h.seq = f.seq";

/// A feed of which something was taken.
#[derive(Debug, Clone)]
pub(crate) struct FeedAtHead {
    pub no: i64,
    pub log_no: i64,
    pub live_n: u64,
    /// A recovery made its head void: it is not handed on.
    pub void: bool,
    pub held: Held,
}

impl FeedAtHead {
    /// Reads the columns of [`FEED`].
    pub fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            held: Held {
                origin: row.instance(0)?,
                scope: FeedScope::Public,
                log: row.log(1)?,
                generation: row.number(2)?,
                seq: row.number(3)?,
                hash: row.hash(4)?,
            },
            live_n: row.number(5)?,
            no: row.value(6)?,
            void: row.value(7)?,
            log_no: row.value(8)?,
        })
    }

    /// The feed of an instance.
    pub fn load(tx: &Tx<'_>, id: &InstanceId) -> Result<Option<Self>> {
        let sql = format!("{FEED} WHERE m.id = $1");
        let row = tx.row(&sql, &[&&id.0[..]])?;
        row.as_ref().map(Self::read).transpose()
    }

    /// The feed of a member that is served, unless a recovery made its head void.
    pub fn served(
        tx: &Tx<'_>,
        id: &InstanceId,
        scope: FeedScope,
        now: Timestamp,
    ) -> Result<Option<Self>> {
        if scope != FeedScope::Public {
            return Ok(None);
        }
        let sql = format!("{FEED} WHERE {IS_SERVED} AND m.id = $2 AND NOT h.void");
        let row = tx.row(&sql, &[&now.unix_ms(), &&id.0[..]])?;
        row.as_ref().map(Self::read).transpose()
    }
}

/// The heads held of an instance's feeds.
pub(crate) fn own(tx: &Tx<'_>, id: &InstanceId) -> Result<Vec<Held>> {
    let feed = FeedAtHead::load(tx, id)?;
    Ok(feed.into_iter().map(|feed| feed.held).collect())
}

/// The feeds of some instances with what is live in them, by kind: the most frequent ones, because an origin may
/// invent as many as it likes. None whose head a recovery made void.
pub(crate) fn of(tx: &Tx<'_>, wanted: &[InstanceId]) -> Result<BTreeMap<InstanceId, FeedHead>> {
    let sql = format!("{FEED} WHERE m.id = ANY ($1) AND NOT h.void");
    let kinds = "SELECT id, kind, n FROM (
        SELECT m.id, l.kind, count(*) AS n, row_number() OVER (PARTITION BY m.id ORDER BY count(*) DESC, l.kind) AS place
        FROM members m JOIN lines l ON l.instance_no = m.instance_no AND l.live = 1
        WHERE m.id = ANY ($1) GROUP BY m.id, l.kind) counted WHERE place <= $2";
    let wanted = ids(wanted);
    let kinds_max = i64::try_from(FEED_KINDS_MAX).unwrap_or(i64::MAX);
    let [feeds, kinds] = tx.all([(&sql, &[&wanted]), (kinds, &[&wanted, &kinds_max])])?;
    let mut heads = BTreeMap::new();
    for row in &feeds {
        let feed = FeedAtHead::read(row)?;
        let origin = feed.held.origin;
        let head = FeedHead {
            head: feed.held,
            live: feed.live_n,
            kinds: BTreeMap::new(),
        };
        heads.insert(origin, head);
    }
    for row in &kinds {
        if let Some(head) = heads.get_mut(&row.instance(0)?) {
            head.kinds.insert(row.word::<Kind>(1)?, row.number(2)?);
        }
    }
    Ok(heads)
}

/// Heads of the feeds a member follows, after one origin where it is given; a page ends with the origin that brings
/// it to `limit` feeds.
pub(crate) fn heads(
    tx: &Tx<'_>,
    member: &InstanceId,
    after: Option<&InstanceId>,
    limit: usize,
    now: Timestamp,
) -> Result<Heads> {
    let list = format!("SELECT {} FROM members m WHERE m.id = $1", follow::COLUMNS);
    // Only of those that have a feed: the others fill no page.
    let followed = format!(
        "SELECT m.id FROM members f JOIN members m ON m.instance_no <> f.instance_no
         JOIN feeds x ON x.instance_no = m.instance_no AND x.log_no IS NOT NULL
         WHERE {IS_SERVED} AND f.id = $2 AND m.id > $3 AND (m.is_hub OR {FOLLOWS}) ORDER BY m.id LIMIT $4"
    );
    let after = after.map_or(&[][..], |id| &id.0[..]);
    let rows = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let [head, list, followed] = tx.all([
        (HEAD, &[]),
        (&list, &[&&member.0[..]]),
        (&followed, &[&now.unix_ms(), &&member.0[..], &after, &rows]),
    ])?;
    let head = Head::read(&head)?;
    let list = list
        .first()
        .map_or_else(|| Ok(Default::default()), |row| follow::read(row, 0))?;
    let mut origins: Vec<InstanceId> = followed
        .iter()
        .map(|row| row.instance(0))
        .collect::<Result<_>>()?;
    let has_more = origins.len() > limit;
    origins.truncate(limit);
    Ok(Heads {
        schema_version: 1,
        cursor: head.last.cursor(head.log),
        next: origins.last().copied().filter(|_| has_more),
        follows: follow::named(&list),
        own: own(tx, member)?,
        feeds: of(tx, &origins)?.into_values().collect(),
    })
}

/// Members that members may see, with their feeds, after one where it is given.
pub(crate) fn directory(
    tx: &Tx<'_>,
    after: Option<&InstanceId>,
    limit: usize,
    now: Timestamp,
) -> Result<Directory> {
    let sql = format!(
        "SELECT m.id, m.card, m.since, m.listed FROM members m
         WHERE {IS_SERVED} AND {} AND m.id > $2 ORDER BY m.id LIMIT $3",
        is_in_directory!()
    );
    let after = after.map_or(&[][..], |id| &id.0[..]);
    let rows = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let mut rows = tx.rows(&sql, &[&now.unix_ms(), &after, &rows])?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let listed: Vec<InstanceId> = rows
        .iter()
        .map(|row| row.instance(0))
        .collect::<Result<_>>()?;
    let mut feeds = of(tx, &listed)?;
    let members = rows.iter().map(|row| {
        let id = row.instance(0)?;
        let card = RawValue::from_string(row.value(1)?);
        Ok(DirectoryRow {
            id,
            card: card.map_err(|_| PgError::damaged("a member's card"))?,
            since: row.time(2)?,
            visibility: (!row.value::<bool>(3)?).then_some(Visibility::Members),
            feeds: feeds.remove(&id).into_iter().collect(),
        })
    });
    Ok(Directory {
        schema_version: 1,
        next: listed.last().copied().filter(|_| has_more),
        members: members.collect::<Result<_>>()?,
    })
}
