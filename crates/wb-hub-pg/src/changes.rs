//! What arrived after a cursor, of the feeds that a member follows (spec: sync, changes).
//!
//! Costs what arrived after the cursor, and not what is held: one look at what arrived, and one more for its bytes.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Row;
use wb_core::bundle::Writer;
use wb_core::feed::Delta;
use wb_core::id::{Hash, InstanceId, LogId};
use wb_core::identity::IdentityLog;
use wb_core::ndjson::put_line;
use wb_core::scope::FeedScope;
use wb_core::sync::{AgainSection, Arrival, ChangesSection, Cursor, FollowList, put_section};
use wb_core::time::Timestamp;
use wb_core::want::Held;
use wb_hub::PageRefused;

use crate::arrivals::{HEAD, Head, Place, kind_of};
use crate::error::{PgError, Result};
use crate::follow;
use crate::heads::{FEED, FeedAtHead};
use crate::identity;
use crate::items;
use crate::member::{IS_SERVED, is_in_directory};
use crate::tx::{Columns as _, Tx, int};
use crate::{envelopes, mail};

/// Arrivals on one page; bounds the sections that a reader has to keep count of.
const PAGE_ARRIVALS_MAX: usize = 1_000;

/// A page of changes.
#[derive(Debug)]
pub(crate) struct Changes {
    /// Its first line.
    pub section: ChangesSection,
    /// The lines after it.
    pub body: Vec<u8>,
    /// Where the member was noted to stand, and when.
    pub seen: (u64, Option<Timestamp>),
    /// Whom the member follows.
    pub follows: FollowList,
    pub member_no: i64,
}

/// One arrival of a feed or log that is served.
#[derive(Debug, Clone, Copy)]
struct Arrived {
    place: Place,
    kind: Arrival,
    origin: InstanceId,
    no: i64,
    /// The log's row and id, its generation, and the number of the header.
    header: Option<(i64, LogId, u64, u64)>,
    hash: Hash,
    bytes: usize,
    void: bool,
}

impl Arrived {
    fn read(row: &Row) -> Result<Self> {
        let log_no: Option<i64> = row.value(6)?;
        Ok(Self {
            place: Place {
                n: row.number(0)?,
                running: row.hash(1)?,
            },
            kind: kind_of(row.value(2)?),
            origin: row.instance(3)?,
            no: row.value(4)?,
            bytes: usize::try_from(row.number(5)?).unwrap_or(usize::MAX),
            header: match log_no {
                Some(log_no) => Some((log_no, row.log(7)?, row.number(8)?, row.number(9)?)),
                None => None,
            },
            hash: row.hash(10)?,
            void: row.value::<Option<bool>>(11)?.unwrap_or(false),
        })
    }
}

/// SQL for whether the member `f` is given the arrival `a` of `m`: the hub's own goes to every member, and who follows
/// everybody that is listed is given what arrived since it was.
const IS_GIVEN: &str = concat!(
    "(m.is_hub OR m.id = ANY (f.follows_ids)
    OR (f.follows_all AND a.n > m.listed_from AND NOT m.id = ANY (f.follows_except) AND ",
    is_in_directory!(),
    "))"
);

/// The member of each arrival is looked up by its number (`OFFSET 0` keeps the planner from joining them): with counts that
/// are older than the members are many, it would read every member for the few arrivals that are new.
fn select() -> String {
    format!(
        "SELECT a.n, a.running, a.kind, m.id, a.instance_no, a.bytes, a.log_no, g.log, g.generation, a.seq, a.hash, h.void
         FROM arrivals a
         CROSS JOIN LATERAL (SELECT * FROM members WHERE instance_no = a.instance_no OFFSET 0) m
         JOIN members f ON f.id = $2 AND f.instance_no <> m.instance_no
         LEFT JOIN logs g ON g.instance_no = a.instance_no AND g.log_no = a.log_no
         LEFT JOIN headers h ON h.instance_no = a.instance_no AND h.log_no = a.log_no AND h.seq = a.seq
         WHERE a.n > $3 AND {IS_SERVED} AND {IS_GIVEN} ORDER BY a.n LIMIT $4"
    )
}

/// What arrived after a cursor of the feeds that a member follows, its own left out.
pub(crate) fn changes(
    tx: &Tx<'_>,
    member: &InstanceId,
    since: &Cursor,
    bytes_max: usize,
    now: Timestamp,
) -> Result<std::result::Result<Changes, PageRefused>> {
    let (id, at) = (&member.0[..], now.unix_ms());
    let own = format!("{FEED} WHERE m.id = $1");
    let of_member = format!(
        "SELECT {}, m.instance_no, coalesce(s.n, 0), s.at FROM members m LEFT JOIN seen s USING (instance_no)
         WHERE m.id = $1",
        follow::COLUMNS
    );
    let rows_max = i64::try_from(PAGE_ARRIVALS_MAX + 1).unwrap_or(i64::MAX);
    let [
        head,
        here,
        of_member,
        rows,
        own,
        receipts,
        envelopes,
        letters,
    ] = tx.all([
        (HEAD, &[]),
        (
            "SELECT running FROM arrivals WHERE n = $1",
            &[&int(since.n)],
        ),
        (&of_member, &[&id]),
        (&select(), &[&at, &id, &int(since.n), &rows_max]),
        (&own, &[&id]),
        ("SELECT last FROM receipt_counts WHERE origin = $1", &[&id]),
        (envelopes::WAITING, &[&id, &at]),
        (mail::WAITING, &[&id, &at]),
    ])?;
    let head = Head::read(&head)?;
    if let Err(refused) = check(&head, since, here.first())? {
        return Ok(Err(refused));
    }
    let Some(row) = of_member.first() else {
        return Ok(Err(PageRefused::NotFound));
    };
    let list: FollowList = follow::read(row, 0)?;
    let (member_no, seen) = (row.value(4)?, (row.number(5)?, row.time_or(6)?));
    let arrived: Vec<Arrived> = rows.iter().map(Arrived::read).collect::<Result<_>>()?;
    let taken = fitting(&arrived, bytes_max);
    let more = taken < arrived.len();
    let at = arrived[..taken].last().map(|last| last.place);
    let at = at.filter(|_| more).unwrap_or(head.last);
    let mut lines = Lines::load(tx, &arrived[..taken])?;
    for arrived in &arrived[..taken] {
        lines.push(arrived)?;
    }
    lines.end_section();
    let own = own.first().map(FeedAtHead::read).transpose()?;
    let first = |rows: &[Row]| rows.first().map_or(Ok(0), |row| row.number(0));
    let mut section = ChangesSection::new(
        at.cursor(head.log),
        more,
        (lines.deltas, lines.items),
        follow::named(&list),
        own.into_iter().map(|feed| feed.held).collect(),
    )
    .with_receipts(first(&receipts)?);
    section.envelopes = first(&envelopes)?;
    section.letters = first(&letters)?;
    Ok(Ok(Changes {
        section,
        body: lines.body,
        follows: list,
        seen,
        member_no,
    }))
}

/// Whether a cursor is one of this hub's and the deltas after it are kept. `here` is the arrival of its number.
fn check(
    head: &Head,
    since: &Cursor,
    here: Option<&Row>,
) -> Result<std::result::Result<(), PageRefused>> {
    if since.log != head.log || since.n > head.last.n {
        return Ok(Err(PageRefused::CursorUnknown));
    }
    if since.n < head.floor.n {
        return Ok(Err(PageRefused::CursorTooOld));
    }
    let running = match here {
        _ if since.n == head.floor.n => head.floor.running,
        Some(row) => row.hash(0)?,
        None => return Err(PgError::damaged("the arrivals have a gap")),
    };
    Ok(if since.agrees(&running) {
        Ok(())
    } else {
        Err(PageRefused::CursorUnknown)
    })
}

/// How many arrivals a page takes: one at least.
fn fitting(arrived: &[Arrived], bytes_max: usize) -> usize {
    let mut bytes = 0_usize;
    for (count, row) in arrived.iter().enumerate() {
        if count > 0 && (bytes >= bytes_max || count >= PAGE_ARRIVALS_MAX) {
            return count;
        }
        bytes = bytes.saturating_add(row.bytes);
    }
    arrived.len()
}

/// A header and its items, as they are served.
#[derive(Debug, Default)]
struct Served {
    header: Vec<u8>,
    items: Vec<Vec<u8>>,
}

/// The lines of a page while it is made; deltas of one feed that follow each other are one section.
struct Lines {
    deltas_of: BTreeMap<(i64, i64, u64), Served>,
    identities: BTreeMap<InstanceId, IdentityLog>,
    body: Vec<u8>,
    section: Option<Deltas>,
    told: BTreeSet<InstanceId>,
    deltas: u64,
    items: u64,
}

/// A `deltas` section while it grows.
struct Deltas {
    origin: InstanceId,
    lines: Vec<u8>,
    deltas: u64,
    items: u64,
}

impl Lines {
    /// Reads the bytes of what a page tells.
    fn load(tx: &Tx<'_>, arrived: &[Arrived]) -> Result<Self> {
        let mut made = Self {
            deltas_of: BTreeMap::new(),
            identities: BTreeMap::new(),
            body: Vec::new(),
            section: None,
            told: BTreeSet::new(),
            deltas: 0,
            items: 0,
        };
        if arrived.is_empty() {
            return Ok(made);
        }
        let is_told = |row: &&Arrived| row.kind == Arrival::Identity || is_first(row);
        let origins: BTreeMap<i64, InstanceId> = arrived
            .iter()
            .filter(is_told)
            .map(|row| (row.no, row.origin))
            .collect();
        let nos: Vec<i64> = origins.keys().copied().collect();
        let deltas = arrived
            .iter()
            .filter(|row| row.kind == Arrival::Delta && !row.void);
        let keys: Vec<(i64, i64, i64)> = deltas
            .filter_map(|row| {
                row.header
                    .map(|(log_no, _, _, seq)| (row.no, log_no, int(seq)))
            })
            .collect();
        let of = |part: fn(&(i64, i64, i64)) -> i64| keys.iter().map(part).collect::<Vec<i64>>();
        let (of_no, of_log, of_seq) = (of(|key| key.0), of(|key| key.1), of(|key| key.2));
        let lines = format!(
            "SELECT {}, l.instance_no, l.log_no, l.seq
             FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS k (instance_no, log_no, seq)
             JOIN lines l ON l.instance_no = k.instance_no AND l.log_no = k.log_no AND l.seq = k.seq
             WHERE l.idx IS NOT NULL ORDER BY l.instance_no, l.log_no, l.seq, l.idx",
            items::COLUMNS
        );
        let [entries, headers, lines] = tx.all([
            (
                "SELECT line, hash, branch, instance_no FROM identity_entries WHERE instance_no = ANY ($1)
                 ORDER BY instance_no, n",
                &[&nos],
            ),
            (
                "SELECT h.instance_no, h.log_no, h.seq, h.line
                 FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS k (instance_no, log_no, seq)
                 JOIN headers h ON h.instance_no = k.instance_no AND h.log_no = k.log_no AND h.seq = k.seq
                 WHERE h.line IS NOT NULL",
                &[&of_no, &of_log, &of_seq],
            ),
            (&lines, &[&of_no, &of_log, &of_seq]),
        ])?;
        for rows in entries.chunk_by(|a, b| a.get::<_, i64>(3) == b.get::<_, i64>(3)) {
            let id = origins[&rows[0].value::<i64>(3)?];
            if let Some(log) = identity::read(&id, rows)? {
                made.identities.insert(id, log);
            }
        }
        for row in &headers {
            let served = made
                .deltas_of
                .entry((row.value(0)?, row.value(1)?, row.number(2)?));
            served.or_default().header = row.bytes(3)?;
        }
        for row in &lines {
            let served = made
                .deltas_of
                .entry((row.value(8)?, row.value(9)?, row.number(10)?));
            served.or_default().items.push(items::item(row)?);
        }
        Ok(made)
    }

    fn push(&mut self, row: &Arrived) -> Result<()> {
        if row.void {
            return Ok(());
        }
        match (row.kind, row.header) {
            (Arrival::Delta, Some((log_no, _, _, seq))) => {
                // Who followed before there was a feed may have been away when the log arrived.
                if is_first(row) {
                    self.end_section();
                    self.identity(&row.origin)?;
                }
                self.delta(row.origin, (row.no, log_no, seq))
            }
            (Arrival::Again, Some((_, log, generation, seq))) => {
                self.end_section();
                let head = Held {
                    origin: row.origin,
                    scope: FeedScope::Public,
                    log,
                    generation,
                    seq,
                    hash: row.hash,
                };
                put_section(&mut self.body, &AgainSection::new(head));
                Ok(())
            }
            (Arrival::Identity, _) => {
                self.end_section();
                self.identity(&row.origin)
            }
            (_, None) => Err(PgError::damaged("an arrival that names no feed")),
        }
    }

    /// A log as it is held now. Once a page is enough.
    fn identity(&mut self, origin: &InstanceId) -> Result<()> {
        if !self.told.insert(*origin) {
            return Ok(());
        }
        let log = self.identities.get(origin);
        let log = log.ok_or_else(|| PgError::damaged("a member without an identity log"))?;
        put_identity(&mut self.body, log);
        Ok(())
    }

    fn delta(&mut self, origin: InstanceId, key: (i64, i64, u64)) -> Result<()> {
        if self
            .section
            .as_ref()
            .is_some_and(|open| open.origin != origin)
        {
            self.end_section();
        }
        let served = self
            .deltas_of
            .remove(&key)
            .filter(|served| !served.header.is_empty());
        let served = served.ok_or_else(|| PgError::damaged("a header of a feed is missing"))?;
        let announced = Delta::count_items(&served.header)
            .map_err(|refusal| PgError::damaged(format!("a stored header {refusal}")))?;
        let open = self.section.get_or_insert_with(|| Deltas {
            origin,
            lines: Vec::new(),
            deltas: 0,
            items: 0,
        });
        put_line(&mut open.lines, &served.header);
        for item in &served.items {
            put_line(&mut open.lines, item);
        }
        open.deltas += 1;
        open.items += announced as u64;
        Ok(())
    }

    fn end_section(&mut self) {
        let Some(open) = self.section.take() else {
            return;
        };
        let section = Writer::deltas(open.origin, FeedScope::Public, open.deltas, open.items);
        put_line(&mut self.body, &section);
        self.body.extend_from_slice(&open.lines);
        self.deltas += open.deltas;
        self.items += open.items;
    }
}

/// Whether it is the first delta of a log, before which the identity log of its origin is told.
fn is_first(row: &Arrived) -> bool {
    row.kind == Arrival::Delta && row.header.is_some_and(|(_, _, _, seq)| seq == 0)
}

/// An identity section.
pub(crate) fn put_identity(body: &mut Vec<u8>, log: &IdentityLog) {
    put_line(
        body,
        &Writer::identity(log.id(), log.entries().len() as u64),
    );
    for entry in log.entries() {
        put_line(body, &entry.line);
    }
}

/// Arrivals of feeds that a member follows that came after the one it last said to have.
pub(crate) fn pending(tx: &Tx<'_>, member: &InstanceId, now: Timestamp) -> Result<u64> {
    let sql = format!(
        "SELECT count(*) FROM members f LEFT JOIN seen s ON s.instance_no = f.instance_no
         JOIN arrivals a ON a.n > coalesce(s.n, 0)
         JOIN members m ON m.instance_no = a.instance_no AND m.instance_no <> f.instance_no
         WHERE f.id = $2 AND {IS_SERVED} AND {IS_GIVEN}"
    );
    tx.one(&sql, &[&now.unix_ms(), &&member.0[..]])?.number(0)
}
