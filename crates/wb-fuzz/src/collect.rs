//! A place for feeds that remembers the record lines it was given, section by section.

use std::collections::BTreeSet;
use std::convert::Infallible;

use wb_core::bundle::{Driver, Memory, Sink};
use wb_core::feed::{Delta, Item, Outcome, Refusal, SnapshotOutcome, SnapshotReader};
use wb_core::id::{InstanceId, RecordId};
use wb_core::identity::{IdentityLog, Merge};

/// Feeds in memory, and the lines that count.
#[derive(Default)]
pub struct Collect {
    memory: Memory,
    lines: Vec<Vec<u8>>,
    kept: usize,
}

impl Collect {
    /// Lines of sections that are whole.
    pub fn kept(&self) -> BTreeSet<Vec<u8>> {
        self.lines[..self.kept].iter().cloned().collect()
    }

    fn note(&mut self, item: &Item<'_>) {
        self.lines
            .extend(item.line.as_ref().map(|line| line.bytes.to_vec()));
    }
}

/// Drives lines into a place of their own.
pub fn drive<L: AsRef<[u8]>>(mut driver: Driver, lines: &[L]) -> (Driver, Collect) {
    let mut place = Collect::default();
    for line in lines {
        let Ok(()) = driver.push(line.as_ref(), &mut place);
    }
    let Ok(()) = driver.cut_off(&mut place);
    (driver, place)
}

impl Sink for Collect {
    type Error = Infallible;

    fn keep_section(&mut self) -> Result<(), Infallible> {
        self.kept = self.lines.len();
        Ok(())
    }

    fn undo_section(&mut self) -> Result<(), Infallible> {
        self.lines.truncate(self.kept);
        Ok(())
    }

    fn known_identity(&mut self, id: &InstanceId) -> Result<Option<IdentityLog>, Infallible> {
        self.memory.known_identity(id)
    }

    fn identity(&mut self, log: IdentityLog) -> Result<(Merge, IdentityLog), Infallible> {
        self.memory.identity(log)
    }

    fn place(
        &mut self,
        snapshot: &mut SnapshotReader,
        identity: Option<&IdentityLog>,
    ) -> Result<Result<SnapshotOutcome, Refusal>, Infallible> {
        self.memory.place(snapshot, identity)
    }

    fn item(&mut self, item: &Item<'_>) -> Result<(), Infallible> {
        self.note(item);
        self.memory.item(item)
    }

    fn retracted(&mut self, pairs: &[(RecordId, u64)]) -> Result<(), Infallible> {
        self.memory.retracted(pairs)
    }

    fn finish(&mut self, snapshot: &SnapshotReader) -> Result<Result<(), Refusal>, Infallible> {
        self.memory.finish(snapshot)
    }

    fn delta(&mut self, delta: &Delta<'_>) -> Result<Outcome, Infallible> {
        let outcome = self.memory.delta(delta)?;
        if matches!(outcome, Outcome::Append(_)) {
            for item in &delta.items {
                self.note(item);
            }
        }
        Ok(outcome)
    }
}
