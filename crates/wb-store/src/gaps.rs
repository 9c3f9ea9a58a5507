//! Overwriting what SQLite leaves in a file between the cells of its pages.
//!
//! `secure_delete` overwrites a cell where it is deleted. A page that was split, joined or put in order keeps bytes of
//! cells that moved away, in the room between its pointers and its content and in the blocks that are free inside the
//! content: nothing reads them, and nothing overwrites them until the room is used. Here that room is filled with zero
//! bytes. A page stays what it was for SQLite, so a cut in the middle leaves a sound file.
//!
//! The form of a page is that of the file format (<https://sqlite.org/fileformat2.html#b_tree_pages>).

use std::ops::Range;

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::error::{Result, StoreError};

/// Pages of one transaction: others may write in between.
const PAGES_AT_ONCE: usize = 1_024;

/// Where the header of the first page begins, after that of the file.
const FILE_HEADER: usize = 100;

/// Pages from which on a page of text may look like one with cells: its first four bytes are the number of another
/// page, and with fewer pages they begin with zero, as no page with cells does.
const PAGES_MAX: i64 = 0x0200_0000;

/// Pages that have something to overwrite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gaps {
    numbers: Vec<i64>,
    seen: u64,
}

impl Gaps {
    /// Looks through all pages, as of one moment. That keeps nobody from writing. In a file from 128 GiB up nothing is
    /// found: there nothing tells what a page is.
    ///
    /// # Errors
    /// What the database reports.
    pub(crate) fn find(connection: &Connection) -> Result<Self> {
        let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        if pages >= PAGES_MAX {
            return Ok(Self {
                numbers: Vec::new(),
                seen: 0,
            });
        }
        Ok(Self {
            numbers: found(connection)?,
            seen: u64::try_from(pages).unwrap_or(0),
        })
    }

    /// Fills them with zero bytes. False where somebody else writes meanwhile, or the disk is full.
    ///
    /// # Errors
    /// What the database reports.
    pub(crate) fn overwrite(&self, connection: &Connection) -> Result<bool> {
        match overwrite_all(connection, &self.numbers) {
            Err(error) if error.is_full() || error.is_busy() => Ok(false),
            other => other.map(|()| true),
        }
    }

    /// How many pages these are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// How many pages were looked at.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }
}

/// Fills the room between cells with zero bytes. False where somebody else writes meanwhile, or the disk is full.
pub(crate) fn overwrite(connection: &Connection) -> Result<bool> {
    Gaps::find(connection)?.overwrite(connection)
}

fn overwrite_all(connection: &Connection, pages: &[i64]) -> Result<()> {
    for some in pages.chunks(PAGES_AT_ONCE) {
        let write = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        let reserved = reserved_bytes(&write)?;
        for number in some {
            // It is looked at again: somebody may have written since.
            let sql = "SELECT data FROM sqlite_dbpage WHERE pgno = ?1";
            let page: Option<Vec<u8>> = write
                .prepare_cached(sql)?
                .query_row([number], |row| row.get(0))
                .optional()?;
            let Some(mut page) = page else { continue };
            if clear(&mut page, *number == 1, reserved) {
                let sql = "UPDATE sqlite_dbpage SET data = ?2 WHERE pgno = ?1";
                write.prepare_cached(sql)?.execute(params![number, page])?;
            }
        }
        write.commit()?;
    }
    Ok(())
}

/// The pages that have something to overwrite, as of one moment.
fn found(connection: &Connection) -> Result<Vec<i64>> {
    let reserved = reserved_bytes(connection)?;
    let mut statement = connection.prepare_cached("SELECT pgno, data FROM sqlite_dbpage")?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(0)?;
        let page = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let mut rooms = rooms(page, number == 1, reserved).into_iter();
        if rooms.any(|room| page[room].iter().any(|byte| *byte != 0)) {
            found.push(number);
        }
    }
    Ok(found)
}

/// Bytes at the end of each page that are not for cells.
fn reserved_bytes(connection: &Connection) -> Result<usize> {
    let sql = "SELECT data FROM sqlite_dbpage WHERE pgno = 1";
    let first: Vec<u8> = connection
        .prepare_cached(sql)?
        .query_row([], |row| row.get(0))?;
    first
        .get(20)
        .map(|bytes| usize::from(*bytes))
        .ok_or_else(|| StoreError::damaged("the first page is too short"))
}

fn clear(page: &mut [u8], is_first: bool, reserved: usize) -> bool {
    let rooms = rooms(page, is_first, reserved);
    let mut is_changed = false;
    for room in rooms {
        is_changed |= page[room.clone()].iter().any(|byte| *byte != 0);
        page[room].fill(0);
    }
    is_changed
}

/// Where a page holds nothing: between pointers and content, and in each free block after what chains it. Of a page that
/// is none with cells, or whose form is not as it should be, nowhere.
fn rooms(page: &[u8], is_first: bool, reserved: usize) -> Vec<Range<usize>> {
    rooms_of(page, is_first, reserved).unwrap_or_default()
}

fn rooms_of(page: &[u8], is_first: bool, reserved: usize) -> Option<Vec<Range<usize>>> {
    let header = if is_first { FILE_HEADER } else { 0 };
    let usable = page.len().checked_sub(reserved)?;
    let two = |at: usize| {
        let bytes = page.get(at..at + 2)?;
        Some(usize::from(u16::from_be_bytes([bytes[0], bytes[1]])))
    };
    let length = match page.get(header)? {
        // Pages inside a tree have the number of one more page below.
        0x02 | 0x05 => 12,
        0x0a | 0x0d => 8,
        _ => return None,
    };
    let pointers_end = header + length + 2 * two(header + 3)?;
    let content = match two(header + 5)? {
        0 => 65_536,
        start => start,
    };
    if pointers_end > content || content > usable {
        return None;
    }
    let mut rooms = Vec::new();
    rooms.push(pointers_end..content);
    let mut block = two(header + 1)?;
    let mut from = content;
    while block != 0 {
        let (next, size) = (two(block)?, two(block + 2)?);
        // They stand in order, inside of the content.
        if block < from || size < 4 || block + size > usable {
            return None;
        }
        rooms.push(block + 4..block + size);
        from = block + size;
        block = next;
    }
    Some(rooms)
}

#[cfg(test)]
mod tests {
    use rusqlite::params;

    use super::{overwrite, rooms};
    use crate::emptying::empty_log;
    use crate::open::{MAIN, Opening, open};

    const ERASED: &[u8] = b"Heron over the quiet boathouse";
    const STAYS: &[u8] = b"what stays and is read again";

    /// The files of a database in which half of the rows were deleted, in an order without any.
    fn bytes_after_deleting(seed: u64, order: &str, overwrites: bool) -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wb.db");
        let connection = open(&path, MAIN, Opening::Make).unwrap();
        // Nothing is cut off here, and hundreds of commits would wait for the disk.
        connection
            .pragma_update(None, "synchronous", "OFF")
            .unwrap();
        let sql = format!("CREATE TABLE texts (id BLOB PRIMARY KEY, line BLOB) {order}");
        connection.execute_batch(&sql).unwrap();
        let id = |n: u64| drawn(seed, n);
        for n in 0..120 {
            let text = if n % 2 == 0 { ERASED } else { STAYS };
            let line = text.repeat(4 + usize::from(id(n)[0] % 16));
            connection
                .execute("INSERT INTO texts VALUES (?1, ?2)", params![id(n), line])
                .unwrap();
        }
        for n in (0..120).step_by(2) {
            connection
                .execute("DELETE FROM texts WHERE id = ?1", params![id(n)])
                .unwrap();
        }
        if overwrites {
            assert!(overwrite(&connection).unwrap());
        }
        assert!(empty_log(&connection).unwrap());
        // What is there is all there, for SQLite too, and goes on being written to.
        let sound = || -> String {
            let sql = "PRAGMA integrity_check";
            connection.query_row(sql, [], |row| row.get(0)).unwrap()
        };
        assert_eq!(sound(), "ok");
        for n in (1..120).step_by(2) {
            let line: Vec<u8> = connection
                .query_row("SELECT line FROM texts WHERE id = ?1", [id(n)], |row| {
                    row.get(0)
                })
                .unwrap();
            assert_eq!(line, STAYS.repeat(4 + usize::from(id(n)[0] % 16)));
        }
        let bytes = std::fs::read(&path).unwrap();
        for n in 200..260 {
            connection
                .execute(
                    "INSERT INTO texts VALUES (?1, ?2)",
                    params![id(n), STAYS.repeat(9)],
                )
                .unwrap();
        }
        assert_eq!(sound(), "ok");
        bytes
    }

    fn drawn(seed: u64, n: u64) -> [u8; 16] {
        let mut bytes = [0; 16];
        let mut state =
            seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ n.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        for byte in &mut bytes {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = u8::try_from(state & 0xff).unwrap();
        }
        bytes
    }

    #[test]
    fn nothing_of_what_was_deleted_stays_between_cells() {
        let holds = |bytes: &[u8]| bytes.windows(ERASED.len()).any(|part| part == ERASED);
        let left = |overwrites| {
            let of = |order| {
                let seeds = (1..=20).map(move |seed| bytes_after_deleting(seed, order, overwrites));
                seeds.filter(|bytes| holds(bytes)).count()
            };
            (of("WITHOUT ROWID"), of(""))
        };
        let (without, with) = left(false);
        assert!(
            without + with > 0,
            "deleting alone leaves nothing: this shows nothing"
        );
        assert_eq!(left(true), (0, 0));
    }

    /// Damage is for the doctor: no page is written to whose form is not as it should be.
    #[test]
    fn a_page_of_another_form_has_no_room() {
        let leaf = |count: u8, content: u8, block: u8| {
            let mut page = vec![1; 256];
            page[..8].copy_from_slice(&[0x0d, 0, block, 0, count, 0, content, 0]);
            page[100..104].copy_from_slice(&[0, 0, 0, 20]);
            page
        };
        assert_eq!(rooms(&leaf(2, 90, 100), false, 0), [12..90, 104..120]);
        assert_eq!(rooms(&leaf(2, 90, 0), false, 8).first(), Some(&(12..90)));
        assert!(
            rooms(&leaf(2, 90, 80), false, 0).is_empty(),
            "outside of the content"
        );
        assert!(
            rooms(&leaf(50, 90, 0), false, 0).is_empty(),
            "pointers reach into the content"
        );
        assert!(rooms(&[5; 3], false, 0).is_empty());
        assert!(rooms(&[0; 256], false, 0).is_empty());
        let mut loops = leaf(2, 90, 100);
        loops[100..104].copy_from_slice(&[0, 100, 0, 20]);
        assert!(rooms(&loops, false, 0).is_empty());
    }
}
