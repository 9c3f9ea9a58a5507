//! Where feeds are kept while they are read, and what came of each.

use super::head::Form;
use crate::feed::{Delta, Item, Outcome, Refusal, SnapshotOutcome, SnapshotReader};
use crate::id::{InstanceId, RecordId};
use crate::identity::{IdentityLog, Merge};
use crate::rule::Rule;
use crate::scope::FeedScope;

/// Where feeds are kept while a bundle is read.
pub trait Sink {
    /// Why the place could not take something.
    type Error;

    /// A feed section begins: what is taken from here on may have to be undone alone.
    ///
    /// # Errors
    /// Whatever the place reports.
    fn begin_section(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// The feed section is whole.
    ///
    /// # Errors
    /// Whatever the place reports.
    fn keep_section(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// The feed section does not verify: undoes what was taken since it began.
    ///
    /// # Errors
    /// Whatever the place reports.
    fn undo_section(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// The identity log held for an instance, to verify feeds whose log does not come along. A bundle
    /// brings every log it needs, so it is asked only for a stream of sections.
    ///
    /// # Errors
    /// Whatever the place reports.
    fn known_identity(&mut self, id: &InstanceId) -> Result<Option<IdentityLog>, Self::Error> {
        let _ = id;
        Ok(None)
    }

    /// Takes an identity log; returns what it means and the log that holds from now on.
    ///
    /// # Errors
    /// Whatever the place reports.
    fn identity(&mut self, log: IdentityLog) -> Result<(Merge, IdentityLog), Self::Error>;

    /// Places a snapshot whose head and chain have come, and gets ready for its items.
    ///
    /// # Errors
    /// Whatever the place reports.
    fn place(
        &mut self,
        snapshot: &mut SnapshotReader,
        identity: Option<&IdentityLog>,
    ) -> Result<Result<SnapshotOutcome, Refusal>, Self::Error>;

    /// Takes an item of the snapshot that was placed to be taken.
    ///
    /// # Errors
    /// Whatever the place reports.
    fn item(&mut self, item: &Item<'_>) -> Result<(), Self::Error>;

    /// Takes several items one after the other; who has a way that is shorter than one at a time has it here.
    ///
    /// # Errors
    /// Whatever the place reports.
    fn items(&mut self, items: &[Item<'_>]) -> Result<(), Self::Error> {
        items.iter().try_for_each(|item| self.item(item))
    }

    /// Takes an item of a snapshot that is a duplicate: its line may fill a stub. Who keeps no lines
    /// has nothing to do.
    ///
    /// # Errors
    /// Whatever the place reports.
    fn fill(&mut self, item: &Item<'_>) -> Result<(), Self::Error> {
        let _ = item;
        Ok(())
    }

    /// Takes retracted pairs of that snapshot.
    ///
    /// # Errors
    /// Whatever the place reports.
    fn retracted(&mut self, pairs: &[(RecordId, u64)]) -> Result<(), Self::Error>;

    /// Ends that snapshot: checks the whole.
    ///
    /// # Errors
    /// Whatever the place reports.
    fn finish(&mut self, snapshot: &SnapshotReader) -> Result<Result<(), Refusal>, Self::Error>;

    /// Takes a delta.
    ///
    /// # Errors
    /// Whatever the place reports.
    fn delta(&mut self, delta: &Delta<'_>) -> Result<Outcome, Self::Error>;
}

/// What came of one feed section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedOutcome {
    /// The instance.
    pub origin: InstanceId,
    /// The feed's scope.
    pub scope: FeedScope,
    /// In which form it came.
    pub form: Form,
    /// Items in the section.
    pub items: u64,
    /// What came of it, by the names of the spec; of several deltas the first that is not `append`
    /// or `duplicate`.
    pub outcome: &'static str,
    /// The rule broken, where that is `refused`.
    pub rule: Option<Rule>,
}

/// The outcome of a feed section that breaks a rule.
const REFUSED: &str = "refused";

impl FeedOutcome {
    pub(super) fn refuse(&mut self, rule: Rule) {
        self.outcome = REFUSED;
        self.rule = Some(rule);
    }

    /// Whether everything in the section counts or counted before.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self.outcome, "take" | "append" | "duplicate")
    }
}
