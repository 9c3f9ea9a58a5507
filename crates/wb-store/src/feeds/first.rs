//! Putting many items at once: those of an instance of which nothing was here before.
//!
//! Most of what a new node takes is of such instances. Nothing of them has to be looked up, so that several rows go in
//! with one statement: SQLite seeks a place in each index once, and goes on from there while ids rise.

use std::sync::LazyLock;

use wb_core::feed::Item;

use super::ingest::{ENTRY_COLUMNS, Ingest, Place, bind_entry};
use super::snapshot::Taken;
use crate::error::Result;
use crate::project::{RECORD_COLUMNS, first_row};
use crate::sql::insert;

/// Rows that go in with one statement. Twice as many gain nothing more, and each is a longer text.
const ROWS: usize = 16;

static PUT_ENTRIES: LazyLock<String> = LazyLock::new(|| insert("feed_lines", &ENTRY_COLUMNS, ROWS));
static PUT_RECORDS: LazyLock<String> = LazyLock::new(|| insert("records", &RECORD_COLUMNS, ROWS));

impl Ingest<'_> {
    /// Takes items of a snapshot being taken, in their order.
    ///
    /// # Errors
    /// What the database reports.
    pub fn snapshot_items(&self, taken: &Taken, items: &[Item<'_>]) -> Result<()> {
        let (many, few) = if taken.is_first {
            items.as_chunks::<ROWS>()
        } else {
            (&[][..], items)
        };
        for items in many {
            self.put_first(taken, items)?;
        }
        few.iter()
            .try_for_each(|item| self.snapshot_item(taken, item))
    }

    fn put_first(&self, taken: &Taken, items: &[Item<'_>; ROWS]) -> Result<()> {
        let at: Place = taken.place(self.run_no());
        let mut entries = self.connection.prepare_cached(&PUT_ENTRIES)?;
        let mut records = self.connection.prepare_cached(&PUT_RECORDS)?;
        for (nth, item) in items.iter().enumerate() {
            let line = item.line.as_ref();
            let bytes = line.map(|line| line.bytes.as_ref());
            let before = nth * ENTRY_COLUMNS.len();
            bind_entry(&mut entries, before, taken.nos, at, &item.entry, bytes)?;
            let row = first_row(
                self.connection,
                taken.instance_no,
                taken.scope,
                &item.entry,
                line,
            )?;
            row.bind(
                &mut records,
                nth * RECORD_COLUMNS.len(),
                taken.instance_no,
                &item.entry.id,
            )?;
        }
        entries.raw_execute()?;
        records.raw_execute()?;
        Ok(())
    }
}
