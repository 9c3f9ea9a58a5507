//! What is live in a snapshot, added up on a thread of its own: that is a seventh of reading it.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use wb_core::feed::{Live, LiveSum};
use wb_core::id::RecordId;
use wb_core::live::LiveHash;

use super::beside::Beside;

/// Records that cross at once.
const BLOCK_RECORDS: usize = 1_024;
/// Blocks that wait to be added: half a megabyte.
const BLOCKS_WAITING: usize = 4;
/// A thread is begun for a snapshot of so many records; fewer are added up before it would be there.
const RECORDS_MIN: u64 = 1_024;

type Block = Vec<(RecordId, Live)>;

/// Something to do there.
#[derive(Debug)]
enum ToDo {
    /// These records come next.
    Add(Block),
    /// The sum of what came so far is wanted.
    Tell(SyncSender<LiveHash>),
}

/// Adds up on another thread.
#[derive(Debug)]
struct Adding {
    thread: Beside<ToDo>,
    block: Block,
}

/// Somebody who adds up what is live in a snapshot of so many records, where that is worth a thread.
pub fn adding(records: u64) -> Option<Box<dyn LiveSum>> {
    (records >= RECORDS_MIN).then(|| Box::new(Adding::start()) as Box<dyn LiveSum>)
}

impl Adding {
    fn start() -> Self {
        Self {
            thread: Beside::start(BLOCKS_WAITING, add_all),
            block: Vec::with_capacity(BLOCK_RECORDS),
        }
    }

    fn hand_over(&mut self) {
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK_RECORDS));
        self.thread.give(ToDo::Add(block));
    }
}

fn add_all(to_do: Receiver<ToDo>) {
    let mut sum = LiveHash::default();
    for next in to_do {
        match next {
            ToDo::Add(block) => {
                for (id, live) in block {
                    sum.add(&live.element(&id));
                }
            }
            // Who asked waits for it.
            ToDo::Tell(answer) => drop(answer.send(sum.clone())),
        }
    }
}

impl LiveSum for Adding {
    fn add(&mut self, id: RecordId, live: Live) {
        self.block.push((id, live));
        if self.block.len() == BLOCK_RECORDS {
            self.hand_over();
        }
    }

    fn sum(&mut self) -> LiveHash {
        self.hand_over();
        let (answer, answered) = sync_channel(1);
        self.thread.give(ToDo::Tell(answer));
        answered.recv().expect("it answers everything")
    }
}

#[cfg(test)]
mod tests {
    use wb_core::hash::sha256;

    use super::*;

    fn record(n: usize) -> (RecordId, Live) {
        let text = format!("0199c856-9ec0-7395-9aed-{n:012x}");
        let live = Live {
            rev: n as u64 + 1,
            kind: "comment".parse().expect("a kind"),
            line_hash: sha256(text.as_bytes()),
        };
        (text.parse().expect("an id"), live)
    }

    #[test]
    fn it_is_the_sum_of_all_records_however_many() {
        for count in [
            0,
            1,
            BLOCK_RECORDS - 1,
            BLOCK_RECORDS,
            9 * BLOCK_RECORDS + 7,
        ] {
            let mut adding = Adding::start();
            let mut expected = LiveHash::default();
            for (id, live) in (0..count).map(record) {
                expected.add(&live.element(&id));
                adding.add(id, live);
            }
            assert_eq!(adding.sum(), expected, "{count} records");
        }
    }

    #[test]
    fn few_are_added_up_where_they_are_read_and_nobody_has_to_ask() {
        assert!(adding(RECORDS_MIN - 1).is_none());
        let (id, live) = record(1);
        let mut many = adding(RECORDS_MIN).expect("a thread");
        many.add(id, live);
    }
}
