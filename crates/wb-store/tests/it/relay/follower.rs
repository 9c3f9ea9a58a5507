//! A node that follows what a hub relays.

use wb_core::bundle::{Driver, Sink};
use wb_core::feed::{Delta, Item, Outcome, Refusal, SnapshotOutcome, SnapshotReader};
use wb_core::id::{InstanceId, RecordId};
use wb_core::identity::{IdentityLog, Merge};
use wb_core::sync::AgainSection;
use wb_store::{Standing, StoreError, Taken, Write};

use crate::node::Node;
use crate::origin::now;

pub struct Follower {
    pub node: Node,
}

struct Into<'w, 's> {
    write: &'w Write<'s>,
    taken: Option<Taken>,
}

impl Follower {
    pub fn new() -> Self {
        Self { node: Node::new() }
    }

    /// Takes sections; returns what came of each feed.
    pub fn take(&mut self, body: &[u8]) -> Vec<&'static str> {
        let write = self.node.store.write().expect("a transaction");
        let mut sink = Into {
            write: &write,
            taken: None,
        };
        let mut driver = Driver::sections();
        for line in body.split(|byte| *byte == b'\n') {
            if !line.is_empty() && !line.starts_with(AgainSection::START) {
                driver.push(line, &mut sink).expect("a readable store");
            }
        }
        assert_eq!(driver.finish(), Ok(()));
        let outcomes = driver.feeds().iter().map(|feed| feed.outcome).collect();
        write.commit().expect("a commit");
        outcomes
    }

    /// The heads held, by origin.
    pub fn held(&self) -> Vec<wb_core::want::Held> {
        let feeds = self.node.store.served().feeds().expect("feeds");
        feeds.into_iter().map(|feed| feed.held).collect()
    }

    /// Nothing held is unsound, and lines are missing only where `stubs` says so.
    pub fn check(&mut self, stubs: u64) {
        self.node.check();
        let feeds = self.node.store.served().feeds().expect("feeds");
        assert_eq!(feeds.iter().map(|feed| feed.stubs).sum::<u64>(), stubs);
    }
}

impl Sink for Into<'_, '_> {
    type Error = StoreError;

    fn known_identity(&mut self, id: &InstanceId) -> Result<Option<IdentityLog>, StoreError> {
        self.write.identity_log(id)
    }

    fn identity(&mut self, log: IdentityLog) -> Result<(Merge, IdentityLog), StoreError> {
        let merge = self.write.put_identity(&log, Standing::Approved, now())?;
        let held = self.write.identity_log(&log.id())?.unwrap_or(log);
        Ok((merge, held))
    }

    fn place(
        &mut self,
        snapshot: &mut SnapshotReader,
        identity: Option<&IdentityLog>,
    ) -> Result<Result<SnapshotOutcome, Refusal>, StoreError> {
        let placed = self
            .write
            .ingest(now())
            .place_snapshot(snapshot, identity)?;
        Ok(placed.map(|(outcome, taken)| {
            self.taken = taken;
            outcome
        }))
    }

    fn item(&mut self, item: &Item<'_>) -> Result<(), StoreError> {
        let taken = self.taken.as_ref().expect("a snapshot is taken");
        self.write.ingest(now()).snapshot_item(taken, item)
    }

    fn fill(&mut self, item: &Item<'_>) -> Result<(), StoreError> {
        self.write.ingest(now()).fill_item(item)
    }

    fn retracted(&mut self, pairs: &[(RecordId, u64)]) -> Result<(), StoreError> {
        let taken = self.taken.as_ref().expect("a snapshot is taken");
        self.write.ingest(now()).snapshot_retracted(taken, pairs)
    }

    fn finish(&mut self, snapshot: &SnapshotReader) -> Result<Result<(), Refusal>, StoreError> {
        let taken = self.taken.take().expect("a snapshot is taken");
        self.write.ingest(now()).finish_snapshot(snapshot, &taken)
    }

    fn delta(&mut self, delta: &Delta<'_>) -> Result<Outcome, StoreError> {
        self.write.ingest(now()).delta(delta)
    }
}
