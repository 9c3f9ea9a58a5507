//! Taking a snapshot while its pages come.
//!
//! Pages are read on a thread of its own ([`crate::import::apart`]); on this one they are kept, and the next is asked for.
//! What came is kept first, and the network is waited for when there is nothing else to do, so that a hub that answers
//! faster than this computer writes costs no time. The transaction is open meanwhile, and members wait for it: where the
//! network is slower, that ends after [`WAITED_MAX`] in all, nothing counts, and the snapshot is taken once it has come.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::time::Instant;
use wb_core::ndjson::lines;
use wb_store::StoreError;

use super::apply::Sections;
use super::fetch::{Fetch, Pages};
use super::source::Source;
use super::spool::Spool;
use super::{SyncEnd, bad_answer};
use crate::import::apart::{Across, ToDo, Unread, keep};
use crate::import::sink::StoreSink;

/// A first page that took longer says that the network is slow.
pub(super) const FIRST_PAGE_MAX: Duration = Duration::from_millis(500);
/// How long the network is waited for in all while the transaction is open and there is nothing to write. Who writes here
/// meanwhile waits for ten seconds.
const WAITED_MAX: Duration = Duration::from_secs(1);
/// How long what is read is waited for before the network is looked at again.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// Pages that wait to be read.
const PAGES_WAITING: usize = 1;

/// Why nothing was taken while it came.
pub(super) enum Untaken {
    /// The network is too slow: the rest is fetched with nothing open.
    Slow,
    /// Nothing more comes, or it cannot be kept.
    Ended(Fetch),
}

impl<E: Into<Fetch>> From<E> for Untaken {
    fn from(error: E) -> Self {
        Self::Ended(error.into())
    }
}

/// Fetches the rest of the pages, and keeps all of them in `sink`; the pages are put into the spool as well. What stands in
/// the spool already is read first.
pub(super) async fn take_while_it_comes(
    source: &mut Source<'_>,
    pages: &mut Pages<'_>,
    first: Vec<u8>,
    spool: &mut Spool,
    sink: &mut StoreSink<'_, '_>,
    mut progress: impl FnMut(u64),
) -> Result<Sections, Untaken> {
    let mut reading = Reading::start();
    reading.give(first, sink)?;
    let mut waited = Duration::ZERO;
    while pages.goes_on() {
        let page = next_page(source, pages, &mut reading, sink, &mut waited).await?;
        spool.put(&page)?;
        progress(pages.items());
        reading.give(page, sink)?;
    }
    Ok(reading.end(sink)?)
}

/// The next page; what is read meanwhile is kept.
async fn next_page(
    source: &mut Source<'_>,
    pages: &mut Pages<'_>,
    reading: &mut Reading,
    sink: &mut StoreSink<'_, '_>,
    waited: &mut Duration,
) -> Result<Vec<u8>, Untaken> {
    let mut page = pin!(pages.next(source));
    loop {
        tokio::select! {
            biased;
            page = &mut page => return Ok(page?),
            () = tokio::task::yield_now() => {}
        }
        if reading.keep_some(sink)? {
            continue;
        }
        let begun = Instant::now();
        let left = WAITED_MAX.saturating_sub(*waited);
        let came = tokio::time::timeout(left, &mut page).await;
        *waited += begun.elapsed();
        match came {
            Ok(page) => return Ok(page?),
            Err(_) => return Err(Untaken::Slow),
        }
    }
}

/// Pages that are read on another thread.
struct Reading {
    /// None once all were given.
    pages: Option<SyncSender<Vec<u8>>>,
    to_do: Option<ToDo<StoreError>>,
    given: u64,
    read: Arc<AtomicU64>,
    thread: Option<JoinHandle<Result<Sections, Unread>>>,
}

impl Reading {
    fn start() -> Self {
        let (pages, given) = sync_channel::<Vec<u8>>(PAGES_WAITING);
        let (across, to_do) = Across::new();
        let read = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&read);
        let read_all = move |across: &mut Across<StoreError>| {
            let mut sections = Sections::default();
            for page in given {
                for line in lines(&page) {
                    sections.push(line, across)?;
                }
                counted.fetch_add(1, Ordering::Relaxed);
            }
            sections.cut_off(across)?;
            Ok(sections)
        };
        Self {
            pages: Some(pages),
            to_do: Some(to_do),
            given: 0,
            read,
            thread: Some(std::thread::spawn(move || across.read(read_all))),
        }
    }

    /// Gives a page to be read; what was read before is kept until there is room for it.
    fn give(&mut self, mut page: Vec<u8>, sink: &mut StoreSink<'_, '_>) -> Result<(), SyncEnd> {
        self.given += 1;
        let pages = self.pages.clone().expect("none was the last one yet");
        loop {
            match pages.try_send(page) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(unsent)) => page = unsent,
                // It has panicked; that is told in the end.
                Err(TrySendError::Disconnected(_)) => return Ok(()),
            }
            self.keep_some(sink)?;
        }
    }

    /// Keeps what is read within a moment; whether there may be more without another page.
    fn keep_some(&mut self, sink: &mut StoreSink<'_, '_>) -> Result<bool, SyncEnd> {
        let to_do = self.to_do.as_ref().expect("it has not ended");
        match to_do.recv_timeout(LOOK_EVERY) {
            Ok((_, call)) => {
                call(sink)?;
                Ok(true)
            }
            Err(RecvTimeoutError::Timeout) => Ok(self.read.load(Ordering::Relaxed) < self.given),
            Err(RecvTimeoutError::Disconnected) => Ok(false),
        }
    }

    /// No page comes any more: keeps the rest.
    fn end(mut self, sink: &mut StoreSink<'_, '_>) -> Result<Sections, SyncEnd> {
        self.pages = None;
        let to_do = self.to_do.take().expect("it has not ended");
        keep(sink, to_do, &mut |_| {})?;
        let thread = self.thread.take().expect("it has not ended");
        match thread.join() {
            Ok(Ok(sections)) => Ok(sections),
            Ok(Err(Unread::Failed(error))) => Err(error.into()),
            Ok(Err(Unread::Stopped)) => Err(bad_answer("it was not read to its end")),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        // The thread ends as soon as it finds nobody who gives or keeps.
        self.pages = None;
        self.to_do = None;
        if let Some(thread) = self.thread.take() {
            // One that panicked has nothing to tell here: nothing of it counts.
            let _ = thread.join();
        }
    }
}
