//! Reading on a thread of its own, keeping on this one.
//!
//! Reading strictly, hashing and adding up what is live take as long as writing to the database. [`apart`] does the
//! first on another thread: what is read there is kept through an [`Across`], which hands each call on to the place
//! where feeds are kept. Items of a snapshot cross many at a time and are not waited for; every other call is answered
//! before reading goes on. So that place sees the calls that it would see with one thread, in their order, and what it
//! answers decides as it does there. The queue is bounded: who reads waits for who writes.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use wb_core::bundle::Sink;
use wb_core::feed::{Delta, Item, Outcome, Refusal, SnapshotOutcome, SnapshotReader};
use wb_core::id::{InstanceId, RecordId};
use wb_core::identity::{IdentityLog, Merge};

use crate::error::NodeError;

/// Items that cross at once: so many that crossing costs nothing beside reading them.
const BATCH_ITEMS: usize = 256;
/// Bytes of lines above which they cross although they are fewer. It bounds what waits.
const BATCH_BYTES: usize = 524_288;
/// Calls that wait to be done: with their items three megabytes or so.
const CALLS_WAITING: usize = 4;

/// Says that whoever keeps does so no more: why is told there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

/// Why reading ended early.
#[derive(Debug)]
pub enum Unread {
    /// Whoever keeps has stopped.
    Stopped,
    /// What is read cannot be.
    Failed(NodeError),
}

impl From<Stopped> for Unread {
    fn from(Stopped: Stopped) -> Self {
        Self::Stopped
    }
}

impl From<NodeError> for Unread {
    fn from(error: NodeError) -> Self {
        Self::Failed(error)
    }
}

/// The place where feeds are kept, whatever it is.
pub(crate) type Keeper<'k, E> = dyn Sink<Error = E> + 'k;

/// Something to do with it, on its thread.
pub(crate) type Call<E> = Box<dyn FnOnce(&mut Keeper<'_, E>) -> Result<(), E> + Send>;

/// What is to be done there, and how many lines were read by then.
pub(crate) type ToDo<E> = Receiver<(u64, Call<E>)>;

/// Reads on a thread of its own what `sink` keeps on this one; `progress` is told, on this one, how many lines were
/// read.
///
/// # Errors
/// What the sink reports, and nothing more is read then; what reading fails with.
pub fn apart<S, T, E>(
    sink: &mut S,
    progress: &mut dyn FnMut(u64),
    read: impl FnOnce(&mut Across<S::Error>) -> Result<T, Unread> + Send,
) -> Result<T, E>
where
    S: Sink<Error: 'static>,
    T: Send,
    E: From<S::Error> + From<NodeError>,
{
    let (across, to_do) = Across::new();
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || across.read(read));
        let kept = keep(sink, to_do, progress);
        let read = match reader.join() {
            Ok(read) => read,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        kept?;
        read.map_err(|unread| match unread {
            Unread::Failed(error) => error.into(),
            Unread::Stopped => unreachable!("who keeps stops for an error alone"),
        })
    })
}

/// Does what was asked for, until nothing more is. The queue goes with an error: nobody waits at it any longer.
pub(crate) fn keep<E>(
    sink: &mut Keeper<'_, E>,
    to_do: ToDo<E>,
    progress: &mut dyn FnMut(u64),
) -> Result<(), E> {
    for (lines, call) in to_do {
        call(sink)?;
        progress(lines);
    }
    Ok(())
}

/// A place where feeds are kept, as whoever reads on another thread sees it.
pub struct Across<E> {
    calls: SyncSender<(u64, Call<E>)>,
    lines: u64,
    /// Items that have not crossed yet, and whether they may only fill stubs.
    batch: Vec<Item<'static>>,
    batch_bytes: usize,
    fills: bool,
}

impl<E: 'static> Across<E> {
    /// One, and where what it hands on is to be done.
    pub(crate) fn new() -> (Self, ToDo<E>) {
        let (calls, to_do) = sync_channel(CALLS_WAITING);
        let across = Self {
            calls,
            lines: 0,
            batch: Vec::new(),
            batch_bytes: 0,
            fills: false,
        };
        (across, to_do)
    }

    /// Reads all there is.
    pub(crate) fn read<T>(
        mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Unread>,
    ) -> Result<T, Unread> {
        let read = read(&mut self);
        // Whether anybody takes the rest is told by who does.
        let _ = self.hand_over();
        read
    }

    /// Notes how many lines were read.
    pub fn note_lines(&mut self, lines: u64) {
        self.lines = lines;
    }

    fn send(&self, call: Call<E>) -> Result<(), Stopped> {
        self.calls.send((self.lines, call)).map_err(|_| Stopped)
    }

    /// Lets the items gathered so far cross.
    fn hand_over(&mut self) -> Result<(), Stopped> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let (items, fills) = (std::mem::take(&mut self.batch), self.fills);
        self.batch_bytes = 0;
        self.send(Box::new(move |sink| {
            if fills {
                items.iter().try_for_each(|item| sink.fill(item))
            } else {
                sink.items(&items)
            }
        }))
    }

    fn gather(&mut self, item: &Item<'_>, fills: bool) -> Result<(), Stopped> {
        if self.fills != fills {
            self.hand_over()?;
            self.fills = fills;
        }
        let item = item.to_owned_item();
        if let Some(line) = &item.line {
            self.batch_bytes += line.bytes.len();
            // Read here, so that it is not read there.
            let _ = line.said();
        }
        self.batch.push(item);
        if self.batch_bytes >= BATCH_BYTES || self.batch.len() >= BATCH_ITEMS {
            self.hand_over()?;
        }
        Ok(())
    }

    /// Has something done after everything before it, and waits for what comes of it.
    fn ask<T: Send + 'static>(
        &mut self,
        call: impl FnOnce(&mut Keeper<'_, E>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Stopped> {
        self.hand_over()?;
        let (answer, answered) = sync_channel(1);
        self.send(Box::new(move |sink| {
            // Who asked waits for it, or has panicked.
            let _ = answer.send(call(sink)?);
            Ok(())
        }))?;
        answered.recv().map_err(|_| Stopped)
    }
}

impl<E: 'static> Sink for Across<E> {
    type Error = Stopped;

    fn begin_section(&mut self) -> Result<(), Stopped> {
        self.ask(|sink| {
            sink.begin_section()?;
            Ok(())
        })
    }

    fn keep_section(&mut self) -> Result<(), Stopped> {
        self.ask(|sink| {
            sink.keep_section()?;
            Ok(())
        })
    }

    fn undo_section(&mut self) -> Result<(), Stopped> {
        self.ask(|sink| {
            sink.undo_section()?;
            Ok(())
        })
    }

    fn known_identity(&mut self, id: &InstanceId) -> Result<Option<IdentityLog>, Stopped> {
        let id = *id;
        self.ask(move |sink| sink.known_identity(&id))
    }

    fn identity(&mut self, log: IdentityLog) -> Result<(Merge, IdentityLog), Stopped> {
        self.ask(move |sink| sink.identity(log))
    }

    fn place(
        &mut self,
        snapshot: &mut SnapshotReader,
        identity: Option<&IdentityLog>,
    ) -> Result<Result<SnapshotOutcome, Refusal>, Stopped> {
        let (mut apart, identity) = (snapshot.without_items(), identity.cloned());
        let (placed, apart) = self.ask(move |sink| {
            let placed = sink.place(&mut apart, identity.as_ref())?;
            Ok((placed, apart))
        })?;
        // No item has come yet, so nothing is missing in it.
        *snapshot = apart;
        Ok(placed)
    }

    fn item(&mut self, item: &Item<'_>) -> Result<(), Stopped> {
        self.gather(item, false)
    }

    fn fill(&mut self, item: &Item<'_>) -> Result<(), Stopped> {
        self.gather(item, true)
    }

    fn retracted(&mut self, pairs: &[(RecordId, u64)]) -> Result<(), Stopped> {
        let pairs = pairs.to_vec();
        self.ask(move |sink| sink.retracted(&pairs))
    }

    fn finish(&mut self, snapshot: &SnapshotReader) -> Result<Result<(), Refusal>, Stopped> {
        let apart = snapshot.without_items();
        self.ask(move |sink| sink.finish(&apart))
    }

    fn delta(&mut self, delta: &Delta<'_>) -> Result<Outcome, Stopped> {
        let header = delta.header_line.to_vec();
        let items: Vec<Vec<u8>> = delta.items.iter().map(Item::to_bytes).collect();
        self.ask(move |sink| {
            let delta = Delta::read(&header, &items).expect("it was read on the other thread");
            sink.delta(&delta)
        })
    }
}
