//! Holding two stores against each other: every row of every table in the order of its key, and every feed against the
//! digest that its head commits to.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use wb_core::hash::{live_element, sha256};
use wb_core::id::{Hash, RecordId};
use wb_core::live::LiveHash;

use super::{Batches, MoveProblem, Progress, Row, Rows, Table, Value, in_destination, in_source};

/// Bytes of a value that are shown where two rows differ.
const SHOWN_BYTES: usize = 16;

/// What two stores hold of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSum {
    /// The table.
    pub table: Table,
    /// Rows in the source and in the destination.
    pub rows: [u64; 2],
    /// A hash over all of them, in their order.
    pub hashes: [Hash; 2],
}

/// The first row in which they differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: Table,
    /// What names the row.
    pub key: String,
    /// How they differ, without what a row says: names of columns.
    pub what: String,
}

/// What both hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Each table.
    pub tables: Vec<TableSum>,
    /// Feeds whose live lines, as they are in the destination, make the digest of their head.
    pub feeds: u64,
    /// Where they differ first; nothing, where they are the same.
    pub difference: Option<Difference>,
}

/// Reads both stores.
///
/// # Errors
/// What one of them said.
pub fn compare(
    from: &impl Rows,
    to: &impl Rows,
    tell: &mut dyn FnMut(Progress),
) -> Result<Compared, MoveProblem> {
    let mut compared = Compared {
        tables: Vec::new(),
        feeds: 0,
        difference: None,
    };
    let mut feeds = Feeds::default();
    for &table in Table::ALL {
        let (sum, difference) =
            compare_table(table, from, to, tell, &mut |row| feeds.see(table, row))?;
        compared.tables.push(sum);
        compared.difference = compared.difference.or(difference);
    }
    let (same, other) = feeds.finish();
    compared.feeds = same;
    compared.difference = compared.difference.or(other);
    Ok(compared)
}

/// The rows of one store, one after the other, counted and hashed.
struct Side {
    batches: Batches,
    batch: std::vec::IntoIter<Row>,
    rows: u64,
    hash: Hash,
    store: fn(String) -> MoveProblem,
}

impl Side {
    fn new(batches: Batches, store: fn(String) -> MoveProblem) -> Self {
        Self {
            batches,
            batch: Vec::new().into_iter(),
            rows: 0,
            hash: Hash([0; 32]),
            store,
        }
    }

    fn next(&mut self, table: Table) -> Result<Option<Row>, MoveProblem> {
        loop {
            if let Some(row) = self.batch.next() {
                self.rows += 1;
                self.hash = after(&self.hash, table, &row);
                return Ok(Some(row));
            }
            match self.batches.recv() {
                Ok(batch) => self.batch = batch.map_err(self.store)?.into_iter(),
                // Whoever gave them is done.
                Err(_) => return Ok(None),
            }
        }
    }
}

fn compare_table(
    table: Table,
    from: &impl Rows,
    to: &impl Rows,
    tell: &mut dyn FnMut(Progress),
    see: &mut dyn FnMut(&Row),
) -> Result<(TableSum, Option<Difference>), MoveProblem> {
    let mut sides = [
        Side::new(from.read(table), in_source),
        Side::new(to.read(table), in_destination),
    ];
    let mut difference = None;
    loop {
        let rows = [sides[0].next(table)?, sides[1].next(table)?];
        if let Some(row) = &rows[1] {
            see(row);
        }
        match &rows {
            [None, None] => break,
            [one, other] if difference.is_none() => {
                difference = differs(table, one.as_ref(), other.as_ref());
            }
            _ => {}
        }
        if sides[0].rows.is_multiple_of(table.rows_at_once() as u64) {
            tell(Progress {
                table,
                rows: sides[0].rows,
            });
        }
    }
    let [one, other] = sides;
    let sum = TableSum {
        table,
        rows: [one.rows, other.rows],
        hashes: [one.hash, other.hash],
    };
    Ok((sum, difference))
}

/// The hash after one more row.
fn after(before: &Hash, table: Table, row: &Row) -> Hash {
    let mut bytes = before.0.to_vec();
    for (column, value) in table.columns().iter().zip(row) {
        if column.compared {
            put(&mut bytes, value);
        }
    }
    sha256(&bytes)
}

/// A value such that no two rows have the same bytes.
fn put(bytes: &mut Vec<u8>, value: &Value) {
    let (tag, content) = match value {
        Value::Null => (0, &[][..]),
        Value::Int(number) => {
            bytes.push(1);
            bytes.extend_from_slice(&number.to_be_bytes());
            return;
        }
        Value::Text(text) => (2, text.as_bytes()),
        Value::Bytes(content) => (3, &content[..]),
    };
    bytes.push(tag);
    bytes.extend_from_slice(&(content.len() as u64).to_be_bytes());
    bytes.extend_from_slice(content);
}

fn differs(table: Table, one: Option<&Row>, other: Option<&Row>) -> Option<Difference> {
    let difference = |row: &Row, what: String| Difference {
        table,
        key: key(table, row),
        what,
    };
    match (one, other) {
        (None, None) => None,
        (Some(row), None) => Some(difference(row, "missing in the destination".to_owned())),
        (None, Some(row)) => Some(difference(row, "not in the source".to_owned())),
        (Some(one), Some(other)) => {
            let columns = table.columns().iter().zip(one.iter().zip(other));
            let others: Vec<&str> = columns
                .filter(|(column, (one, other))| column.compared && one != other)
                .map(|(column, _)| column.name)
                .collect();
            (!others.is_empty())
                .then(|| difference(one, format!("differs in {}", others.join(", "))))
        }
    }
}

/// What names a row: numbers, and the beginning of ids and hashes.
fn key(table: Table, row: &Row) -> String {
    let mut text = String::new();
    for (column, value) in table.columns().iter().zip(row).take(table.key()) {
        if !text.is_empty() {
            text.push_str(", ");
        }
        let _ = write!(text, "{} ", column.name);
        let _ = match value {
            Value::Null => write!(text, "none"),
            Value::Int(number) => write!(text, "{number}"),
            Value::Text(word) => write!(text, "{word}"),
            Value::Bytes(bytes) => bytes
                .iter()
                .take(SHOWN_BYTES)
                .try_for_each(|byte| write!(text, "{byte:02x}")),
        };
    }
    text
}

/// Feeds of the destination, by member: what their lines make, and what their head commits to. A hash is kept for each
/// feed; of lines nothing is.
#[derive(Default)]
struct Feeds {
    heads: BTreeMap<i64, Hash>,
    /// The member whose lines are read, and what they made so far.
    at: Option<(i64, LiveHash)>,
    same: u64,
    difference: Option<Difference>,
}

impl Feeds {
    fn see(&mut self, table: Table, row: &Row) {
        match (table, &row[0]) {
            (Table::Feeds, Value::Int(member)) => {
                if let Value::Bytes(live) = &row[6] {
                    self.heads.insert(*member, sha256(live));
                }
            }
            (Table::Lines, Value::Int(member)) => self.line(*member, row),
            _ => {}
        }
    }

    fn line(&mut self, member: i64, row: &Row) {
        if self.at.as_ref().is_none_or(|(at, _)| *at != member) {
            self.end_member();
            self.at = Some((member, LiveHash::default()));
        }
        let (Some((_, live)), Some(element)) = (&mut self.at, element(row)) else {
            return;
        };
        live.add(&element);
    }

    fn end_member(&mut self) {
        let Some((member, live)) = self.at.take() else {
            return;
        };
        if let Some(head) = self.heads.remove(&member) {
            self.judge(member, &head, &live);
        }
    }

    fn judge(&mut self, member: i64, head: &Hash, live: &LiveHash) {
        if *head == sha256(&live.to_bytes()) {
            self.same += 1;
        } else if self.difference.is_none() {
            self.difference = Some(Difference {
                table: Table::Feeds,
                key: format!("instance_no {member}"),
                what: "its live lines do not make the digest of its head".to_owned(),
            });
        }
    }

    /// How many are what their head commits to, and the first that is not.
    fn finish(mut self) -> (u64, Option<Difference>) {
        self.end_member();
        // Those without a line have nothing live.
        for (member, head) in std::mem::take(&mut self.heads) {
            self.judge(member, &head, &LiveHash::default());
        }
        (self.same, self.difference)
    }
}

/// What a live line adds to its feed.
fn element(row: &Row) -> Option<Hash> {
    let [id, rev, kind, line_hash] = [&row[7], &row[8], &row[9], &row[10]];
    let is_live = row[15] == Value::Int(1);
    match (id, rev, kind, line_hash) {
        (Value::Bytes(id), Value::Int(rev), Value::Text(kind), Value::Bytes(hash)) if is_live => {
            Some(live_element(
                &RecordId::from_slice(id)?,
                u64::try_from(*rev).ok()?,
                kind,
                &Hash::from_slice(hash)?,
            ))
        }
        _ => None,
    }
}
