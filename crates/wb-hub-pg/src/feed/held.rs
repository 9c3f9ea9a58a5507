//! Deltas that wait, contradict or were refused: kept with their bytes, by name.

use std::collections::{BTreeMap, BTreeSet};

use wb_core::entry::Entry;
use wb_core::feed::{Delta, Header, Item};
use wb_core::hash;
use wb_core::id::{Hash, RecordId};
use wb_core::line::Line;
use wb_core::ndjson;

use super::Feed;
use crate::error::Result;
use crate::tx::{Columns as _, int};

/// A header line and its items.
pub(super) type Bytes = (Vec<u8>, Vec<Vec<u8>>);

/// Deltas held of one origin; protects the disk from one that sends contradictions without end.
const HELD_PER_ORIGIN_MAX: i64 = 4_096;
/// Deltas held of all origins together that wait for an identity entry, so that nobody has verified.
const UNVERIFIED_MAX: i64 = 1_024;
/// What such a delta waits for, as its rule says.
const WAITS_FOR_IDENTITY: &str = "identity";
/// Bytes on either shelf; protects the disk likewise.
const HELD_BYTES_MAX: i64 = 64 * 1_024 * 1_024;

const UNVERIFIED: &str = "SELECT count(*) < $1 AND coalesce(sum(length(items)), 0) < $2 FROM held WHERE rule = 'identity'";
const OF_ORIGIN: &str = "SELECT count(*) < $2 AND coalesce(sum(length(items)), 0) < $3 FROM held
    WHERE instance_no = $1 AND rule IS DISTINCT FROM 'identity'";

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

impl Feed<'_, '_, '_> {
    pub(super) fn hold(&self, delta: &Delta<'_>, outcome: &str, rule: Option<&str>) -> Result<()> {
        // Only what is tried again needs its lines. The rest is evidence, and that is in the entries: a text that
        // its origin takes back must not live on here.
        let is_early = outcome == "early";
        let items = if is_early {
            join_items(delta)
        } else {
            join_entries(delta)
        };
        let holding = Holding {
            header: &delta.header,
            line: delta.header_line,
            hash: delta.hash,
            items: &items,
            digest: digest(delta.header_line, &join_items(delta)),
            lines: if is_early {
                with_lines(delta)
            } else {
                Vec::new()
            },
        };
        self.hold_header(&holding, outcome, rule)
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
        if !self.has_room(rule)? {
            return Ok(());
        }
        // What comes to another outcome comes anew: deltas are tried again in the order they came.
        self.tx().execute(
            "DELETE FROM held WHERE instance_no = $1 AND digest = $2 AND outcome <> $3",
            &[&self.no, &&held.digest.0[..], &outcome],
        )?;
        let number = {
            let mut now = self.now.borrow_mut();
            now.last_held += 1;
            (now.moved, now.has_held) = (true, true);
            now.last_held
        };
        let row = self.tx().one(
            "INSERT INTO held (instance_no, held_no, outcome, rule, hash, log, seq, header, items, at, digest)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (instance_no, digest) DO UPDATE SET rule = excluded.rule RETURNING held_no",
            &[
                &self.no,
                &number,
                &outcome,
                &rule,
                &&held.hash.0[..],
                &&held.header.log.0[..],
                &int(held.header.seq),
                &held.line,
                &held.items,
                &self.write.now.unix_ms(),
                &&held.digest.0[..],
            ],
        )?;
        if outcome == "early" {
            self.note_lines(row.value(0)?, &held.lines)?;
        }
        Ok(())
    }

    /// Whether the shelf has room. What waits for an identity entry was not verified, so anybody could have made it:
    /// it has a shelf of its own and cannot push evidence off the other.
    fn has_room(&self, rule: Option<&str>) -> Result<bool> {
        let row = if rule == Some(WAITS_FOR_IDENTITY) {
            self.tx()
                .one(UNVERIFIED, &[&UNVERIFIED_MAX, &HELD_BYTES_MAX])?
        } else {
            let values: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
                [&self.no, &HELD_PER_ORIGIN_MAX, &HELD_BYTES_MAX];
            self.tx().one(OF_ORIGIN, &values)?
        };
        row.value(0)
    }

    /// Forgets a delta that was held: it counts now, or can be asked for again.
    pub(super) fn drop_held(&self, delta: &Delta<'_>) -> Result<()> {
        if !self.now.borrow().has_held {
            return Ok(());
        }
        let digest = digest(delta.header_line, &join_items(delta));
        self.tx().execute(
            "DELETE FROM held WHERE instance_no = $1 AND digest = $2",
            &[&self.no, &&digest.0[..]],
        )?;
        Ok(())
    }

    /// Takes the text of what was taken back out of deltas that wait: an entry stands alone in its place, so that
    /// the delta is the same to verify.
    pub(super) fn strip_held(&self, gone: &BTreeMap<RecordId, u64>) -> Result<()> {
        if gone.is_empty() || !self.now.borrow().has_held {
            return Ok(());
        }
        for held_no in self.held_with(gone)? {
            let Some((header, items)) = self.held_bytes(held_no)? else {
                continue;
            };
            let (mut stripped, mut lines, mut left) = (false, Vec::new(), Vec::new());
            for item in &items {
                let line = (!Entry::starts(item))
                    .then(|| Line::read(item).ok())
                    .flatten();
                match line {
                    Some(line) if gone.get(&line.id).is_some_and(|rev| line.rev <= *rev) => {
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
                self.put_stripped(held_no, &header, &lines.join(&b'\n'))?;
            }
            self.note_lines(held_no, &left)?;
        }
        Ok(())
    }

    fn put_stripped(&self, held_no: i64, header: &[u8], items: &[u8]) -> Result<()> {
        let digest = digest(header, items);
        self.tx().execute(
            "DELETE FROM held WHERE instance_no = $1 AND digest = $2 AND held_no <> $3",
            &[&self.no, &&digest.0[..], &held_no],
        )?;
        self.tx().execute(
            "UPDATE held SET items = $3, digest = $4 WHERE instance_no = $1 AND held_no = $2",
            &[&self.no, &held_no, &items, &&digest.0[..]],
        )?;
        Ok(())
    }

    /// Deltas that wait and hold the text of what is gone. Looked up by its ids: who fills the shelf and takes
    /// something back again and again must not have it all read each time.
    fn held_with(&self, gone: &BTreeMap<RecordId, u64>) -> Result<BTreeSet<i64>> {
        let ids: Vec<&[u8]> = gone.keys().map(|id| &id.as_bytes()[..]).collect();
        let revs: Vec<i64> = gone.values().map(|rev| int(*rev)).collect();
        let rows = self.tx().rows(
            "SELECT DISTINCT l.held_no FROM unnest($2::bytea[], $3::bigint[]) AS g (id, rev)
             JOIN held_lines l ON l.instance_no = $1 AND l.id = g.id AND l.rev <= g.rev
             JOIN held h ON h.instance_no = l.instance_no AND h.held_no = l.held_no AND h.outcome = 'early'",
            &[&self.no, &ids, &revs],
        )?;
        rows.iter().map(|row| row.value(0)).collect()
    }

    /// Notes the lines of a delta that waits, in place of those noted before.
    fn note_lines(&self, held_no: i64, lines: &[(RecordId, u64)]) -> Result<()> {
        let ids: Vec<&[u8]> = lines.iter().map(|(id, _)| &id.as_bytes()[..]).collect();
        let revs: Vec<i64> = lines.iter().map(|(_, rev)| int(*rev)).collect();
        self.tx().all([
            (
                "DELETE FROM held_lines WHERE instance_no = $1 AND held_no = $2",
                &[&self.no, &held_no],
            ),
            (
                "INSERT INTO held_lines (instance_no, id, rev, held_no)
                 SELECT $1, id, rev, $4 FROM unnest($2::bytea[], $3::bigint[]) AS l (id, rev) ON CONFLICT DO NOTHING",
                &[&self.no, &ids, &revs, &held_no],
            ),
        ])?;
        Ok(())
    }

    pub(super) fn held_bytes(&self, held_no: i64) -> Result<Option<Bytes>> {
        let row = self.tx().row(
            "SELECT header, items FROM held WHERE instance_no = $1 AND held_no = $2",
            &[&self.no, &held_no],
        )?;
        let Some(row) = row else { return Ok(None) };
        let items: &[u8] = row.value(1)?;
        let items = ndjson::lines(items).map(<[u8]>::to_vec).collect();
        Ok(Some((row.bytes(0)?, items)))
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
