//! Deltas that wait, contradict or were refused: kept with their bytes, by name.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension as _, params};
use wb_core::entry::Entry;
use wb_core::feed::{Delta, Header, Item};
use wb_core::hash;
use wb_core::id::{Hash, InstanceId, RecordId};
use wb_core::line::Line;
use wb_core::ndjson;
use wb_core::scope::FeedScope;

use super::ingest::Ingest;
use crate::error::Result;
use crate::sql::Sql;

/// A header line and its items.
pub(super) type Bytes = (Vec<u8>, Vec<Vec<u8>>);

/// Deltas held per origin; protects the disk from an origin that sends contradictions without end.
const HELD_PER_ORIGIN_MAX: i64 = 4_096;
/// Deltas held of all origins together that wait for an identity entry, so that nobody has verified.
const UNVERIFIED_MAX: i64 = 1_024;
/// What such a delta waits for, as its rule says.
const WAITS_FOR_IDENTITY: &str = "identity";
/// In place of an id: the lines of this delta are noted.
const LOOKED_THROUGH: &[u8] = &[0; 32];
/// Bytes on either shelf; protects the disk likewise.
const HELD_BYTES_MAX: i64 = 64 * 1_024 * 1_024;

/// A signed header to be kept, with what stands under it.
struct Holding<'h> {
    header: &'h Header,
    line: &'h [u8],
    hash: Hash,
    items: &'h [u8],
    digest: Hash,
    /// What has its text in the items.
    lines: Vec<(RecordId, u64)>,
}

impl Ingest<'_> {
    pub(super) fn hold(&self, delta: &Delta<'_>, outcome: &str, rule: Option<&str>) -> Result<()> {
        // Only what is tried again needs its lines. The rest is evidence, and that is in the entries:
        // a text that its origin takes back must not live on here.
        let items = if outcome == "early" {
            join_items(delta)
        } else {
            join_entries(delta)
        };
        let digest = digest(delta.header_line, &join_items(delta));
        self.hold_header(
            &Holding {
                header: &delta.header,
                line: delta.header_line,
                hash: delta.hash,
                items: &items,
                digest,
                lines: if outcome == "early" {
                    with_lines(delta)
                } else {
                    Vec::new()
                },
            },
            outcome,
            rule,
        )
    }

    /// Keeps the head of a snapshot that contradicts what is held: both are evidence.
    pub(super) fn hold_head(&self, header: &Header, line: &[u8], hash: Hash) -> Result<()> {
        let holding = Holding {
            header,
            line,
            hash,
            items: &[],
            digest: digest(line, &[]),
            lines: Vec::new(),
        };
        self.hold_header(&holding, "fork", None)
    }

    fn hold_header(&self, held: &Holding<'_>, outcome: &str, rule: Option<&str>) -> Result<()> {
        let header = held.header;
        if !self.has_room(&header.origin, rule)? {
            return Ok(());
        }
        // What comes to another outcome comes anew: deltas are tried again in the order they came.
        self.connection.execute(
            "DELETE FROM held WHERE digest = ?1 AND outcome != ?2",
            params![Sql(held.digest), outcome],
        )?;
        self.connection.execute(
            "INSERT INTO held (origin, scope, outcome, rule, hash, log, seq, header, items, at, digest)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (digest) DO UPDATE SET rule = excluded.rule",
            params![
                Sql(header.origin),
                header.scope.as_str(),
                outcome,
                rule,
                Sql(held.hash),
                Sql(header.log),
                Sql(header.seq),
                held.line,
                held.items,
                Sql(self.now),
                Sql(held.digest),
            ],
        )?;
        if outcome == "early" {
            let held_no = self.connection.query_row(
                "SELECT held_no FROM held WHERE digest = ?1",
                [Sql(held.digest)],
                |row| row.get(0),
            )?;
            self.note_lines(held_no, &held.lines)?;
        }
        Ok(())
    }

    /// Whether the shelf has room. What waits for an identity entry was not verified, so anybody could
    /// have made it: it has a shelf of its own and cannot push evidence off the other.
    fn has_room(&self, origin: &InstanceId, rule: Option<&str>) -> Result<bool> {
        let waits = rule == Some(WAITS_FOR_IDENTITY);
        let room = if waits {
            "SELECT count(*) < ?2 AND ifnull(sum(length(items)), 0) < ?3 FROM held
             WHERE rule = 'identity' AND ?1 IS NOT NULL"
        } else {
            "SELECT count(*) < ?2 AND ifnull(sum(length(items)), 0) < ?3 FROM held
             WHERE rule IS NOT 'identity' AND origin = ?1"
        };
        let count_max = if waits {
            UNVERIFIED_MAX
        } else {
            HELD_PER_ORIGIN_MAX
        };
        let values = params![Sql(origin), count_max, HELD_BYTES_MAX];
        Ok(self.connection.query_row(room, values, |row| row.get(0))?)
    }

    /// Forgets a delta that was held: it counts now, or can be asked for again.
    pub(super) fn drop_held(&self, delta: &Delta<'_>) -> Result<()> {
        let digest = digest(delta.header_line, &join_items(delta));
        self.connection
            .prepare_cached("DELETE FROM held WHERE digest = ?1")?
            .execute([Sql(digest)])?;
        Ok(())
    }

    /// Takes the text of what was taken back out of deltas of a feed that wait: an entry stands alone in its place, so
    /// that the delta is the same to verify.
    pub(super) fn strip_held(
        &self,
        origin: &InstanceId,
        scope: FeedScope,
        gone: &BTreeMap<RecordId, u64>,
    ) -> Result<()> {
        for held_no in self.held_with(origin, scope, gone)? {
            let Some((header, items)) = self.held_bytes(held_no)? else {
                continue;
            };
            let (mut stripped, mut lines, mut left) = (false, Vec::new(), Vec::new());
            for item in &items {
                let line = (!Entry::starts(item))
                    .then(|| Line::read(item).ok())
                    .flatten();
                let is_gone =
                    |line: &Line<'_>| gone.get(&line.id).is_some_and(|rev| line.rev <= *rev);
                match line {
                    Some(line) if is_gone(&line) => {
                        stripped = true;
                        lines.push(Entry::of_line(&line).to_bytes());
                    }
                    line => {
                        left.extend(line.map(|line| (line.id, line.rev)));
                        lines.push(item.clone());
                    }
                }
            }
            if stripped {
                let items = lines.join(&b'\n');
                let digest = digest(&header, &items);
                self.connection.execute(
                    "DELETE FROM held WHERE digest = ?1 AND held_no != ?2",
                    params![Sql(digest), held_no],
                )?;
                self.connection.execute(
                    "UPDATE held SET items = ?2, digest = ?3 WHERE held_no = ?1",
                    params![held_no, items, Sql(digest)],
                )?;
            }
            self.note_lines(held_no, &left)?;
        }
        Ok(())
    }

    /// Deltas of a feed that wait and may hold the text of what is gone. Looked up by its ids: who fills the shelf and
    /// takes something back again and again must not have it all read each time.
    fn held_with(
        &self,
        origin: &InstanceId,
        scope: FeedScope,
        gone: &BTreeMap<RecordId, u64>,
    ) -> Result<BTreeSet<i64>> {
        let sql = "SELECT held_no FROM held WHERE origin = ?1 AND scope = ?2 AND outcome = 'early'
                     AND NOT EXISTS (SELECT 1 FROM held_lines l WHERE l.id = ?3 AND l.rev = 0 AND l.held_no = held.held_no)";
        let mut found: BTreeSet<i64> = self
            .connection
            .prepare_cached(sql)?
            .query_map(
                params![Sql(origin), scope.as_str(), LOOKED_THROUGH],
                |row| row.get(0),
            )?
            .collect::<rusqlite::Result<_>>()?;
        let sql = "SELECT held_no FROM held_lines l CROSS JOIN held h USING (held_no)
                   WHERE l.id = ?1 AND l.rev <= ?2 AND h.origin = ?3 AND h.scope = ?4 AND h.outcome = 'early'";
        let mut statement = self.connection.prepare_cached(sql)?;
        for (id, rev) in gone {
            let key = params![Sql(id), Sql(*rev), Sql(origin), scope.as_str()];
            for held_no in statement.query_map(key, |row| row.get(0))? {
                found.insert(held_no?);
            }
        }
        Ok(found)
    }

    /// Notes the lines of a delta that waits, in place of those noted before.
    fn note_lines(&self, held_no: i64, lines: &[(RecordId, u64)]) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM held_lines WHERE held_no = ?1")?
            .execute([held_no])?;
        let sql = "INSERT OR IGNORE INTO held_lines (id, rev, held_no) VALUES (?1, ?2, ?3)";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.execute(params![LOOKED_THROUGH, 0, held_no])?;
        for (id, rev) in lines {
            statement.execute(params![Sql(id), Sql(*rev), held_no])?;
        }
        Ok(())
    }

    pub(super) fn held_bytes(&self, held_no: i64) -> Result<Option<Bytes>> {
        let sql = "SELECT header, items FROM held WHERE held_no = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([held_no], read_bytes).optional()?)
    }
}

/// What has its text in a delta.
fn with_lines(delta: &Delta<'_>) -> Vec<(RecordId, u64)> {
    let items = delta.items.iter().filter(|item| item.line.is_some());
    items.map(|item| (item.entry.id, item.entry.rev)).collect()
}

/// The entries of a delta, one a line.
fn join_entries(delta: &Delta<'_>) -> Vec<u8> {
    let entries: Vec<Vec<u8>> = delta
        .items
        .iter()
        .map(|item| item.entry.to_bytes())
        .collect();
    entries.join(&b'\n')
}

/// The items of a delta, one a line.
fn join_items(delta: &Delta<'_>) -> Vec<u8> {
    let items: Vec<Vec<u8>> = delta.items.iter().map(Item::to_bytes).collect();
    items.join(&b'\n')
}

/// Names the bytes of a delta: the same header with other lines is another thing to hold.
fn digest(header_line: &[u8], items: &[u8]) -> Hash {
    hash::sha256(&[header_line, b"\n", items].concat())
}

fn read_bytes(row: &rusqlite::Row<'_>) -> rusqlite::Result<Bytes> {
    let items: Vec<u8> = row.get(1)?;
    let items = ndjson::lines(&items).map(<[u8]>::to_vec);
    Ok((row.get(0)?, items.collect()))
}
