//! What a hub's file may still hold of what was erased: in its log, and between the cells of its pages.
//!
//! The log is emptied after each push that replaced or took back something. The pages are looked through by the tidying,
//! where something was written since they were last: that reads the whole file, beside whoever writes, and a large one not
//! all of the time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use wb_core::time::Timestamp;
use wb_store::relay::{Relay, RelayFile};

use crate::sqlite::lock;

/// Pages for each millisecond until they are looked through again: a file of 1 GiB, which takes a second to read, rests
/// for a minute. Protects who else needs the disk.
const PAGES_PER_MS: u64 = 4;

/// What is owed to a hub's file.
#[derive(Debug)]
pub(crate) struct Traces {
    /// Whether something erased may still stand in the log.
    log: AtomicBool,
    pages: Mutex<Pages>,
}

/// When the pages were looked through.
#[derive(Debug, Default)]
struct Pages {
    /// Rows that the writer had changed by then.
    changes: Option<u64>,
    /// Before which they are not again.
    rest_until: Option<Timestamp>,
}

impl Traces {
    /// A process that ended early may have left it to this one.
    pub(crate) fn all_owed() -> Self {
        Self {
            log: AtomicBool::new(true),
            pages: Mutex::default(),
        }
    }

    /// Empties the log: what was taken back must not stay behind in it. Where somebody reads meanwhile it is owed, and
    /// done with the next tidying; what was written counts either way.
    pub(crate) fn empty_log(&self, writer: &Relay) {
        let is_done = writer.checkpoint().unwrap_or(false);
        self.log.store(!is_done, Ordering::Relaxed);
    }

    /// Does what is owed.
    pub(crate) fn tidy(
        &self,
        file: &RelayFile,
        writer: &Mutex<Relay>,
        now: Timestamp,
    ) -> wb_store::Result<()> {
        self.look_through(file, writer, now)?;
        if self.log.load(Ordering::Relaxed) {
            self.empty_log(&lock(writer));
        }
        Ok(())
    }

    fn look_through(
        &self,
        file: &RelayFile,
        writer: &Mutex<Relay>,
        now: Timestamp,
    ) -> wb_store::Result<()> {
        let mut pages = lock(&self.pages);
        let changes = lock(writer).rows_changed()?;
        let rests = pages.rest_until.is_some_and(|until| now < until);
        if rests || pages.changes == Some(changes) {
            return Ok(());
        }
        let found = file.reader()?.gaps()?;
        let rest = i64::try_from(found.seen() / PAGES_PER_MS).unwrap_or(i64::MAX);
        pages.rest_until = Some(now.plus_ms(rest));
        let writer = lock(writer);
        let is_done = writer.overwrite(&found)?;
        if !found.is_empty() {
            self.log.store(true, Ordering::Relaxed);
        }
        // What others wrote while the pages were read is looked through the next time.
        let own = writer.rows_changed()? - changes;
        let is_all = own == u64::try_from(found.len()).unwrap_or(u64::MAX);
        pages.changes = (is_done && is_all).then_some(changes + own);
        Ok(())
    }
}
