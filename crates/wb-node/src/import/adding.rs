//! What is live in a snapshot, added up on a thread of its own: that is a seventh of reading it.

use wb_core::feed::{Live, LiveSum};
use wb_core::id::RecordId;
use wb_core::live::LiveHash;

use super::beside::Beside;

/// Records that cross at once.
const BLOCK_RECORDS: usize = 1_024;
/// A thread is begun for a snapshot of so many records; fewer are added up before it would be there.
const RECORDS_MIN: u64 = 1_024;

/// Adds up on another thread.
#[derive(Debug)]
struct Adding(Beside<(RecordId, Live), LiveHash>);

/// Somebody who adds up what is live in a snapshot of so many records, where that is worth a thread.
pub fn adding(records: u64) -> Option<Box<dyn LiveSum>> {
    (records >= RECORDS_MIN).then(|| Box::new(Adding::start()) as Box<dyn LiveSum>)
}

impl Adding {
    fn start() -> Self {
        Self(Beside::start(BLOCK_RECORDS, |sum, records| {
            for (id, live) in records {
                sum.add(&live.element(&id));
            }
        }))
    }
}

impl LiveSum for Adding {
    fn add(&mut self, id: RecordId, live: Live) {
        self.0.room_for(1).push((id, live));
    }

    fn sum(&mut self) -> LiveHash {
        self.0.so_far()
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
