//! Driving a bundle into the place where feeds are kept, line by line.
//!
//! [`Driver`] knows the order of things; a [`Sink`] keeps feeds: a node's store, or memory when a
//! bundle is verified without an instance ([`super::Memory`]).

use std::collections::BTreeMap;

use super::head::{BundleHead, Form};
use super::reader::{BundleError, BundleReader, Event, Stage, in_feed};
use crate::feed::{
    Delta, Item, Outcome, Progress, Refusal, SnapshotOutcome, SnapshotReader, Totals,
};
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
}

impl FeedOutcome {
    /// Whether everything in the section counts or counted before.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self.outcome, "take" | "append" | "duplicate")
    }
}

/// Why driving stopped.
#[derive(Debug)]
pub enum DriveError<E> {
    /// The bundle is at fault.
    Bundle(BundleError),
    /// The place is.
    Sink(E),
}

/// Drives lines into a sink.
#[derive(Debug, Default)]
pub struct Driver {
    reader: BundleReader,
    identities: BTreeMap<InstanceId, IdentityLog>,
    head: Option<BundleHead>,
    feeds: Vec<FeedOutcome>,
    placed: Option<SnapshotOutcome>,
    evidence: Vec<(InstanceId, Merge)>,
    failed: Option<BundleError>,
    partial: bool,
    passing: bool,
    damage: Option<BundleError>,
}

/// What came of a feed section that does not verify, in a partial import.
const LEFT: &str = "refused";

impl Driver {
    /// Takes each feed section by itself: one that does not verify is undone and passed over.
    #[must_use]
    pub fn partial() -> Self {
        Self {
            partial: true,
            ..Self::default()
        }
    }

    /// The head, once it was read.
    #[must_use]
    pub fn head(&self) -> Option<&BundleHead> {
        self.head.as_ref()
    }

    /// What came of each feed section so far.
    #[must_use]
    pub fn feeds(&self) -> &[FeedOutcome] {
        &self.feeds
    }

    /// Identity logs that contradict what is held.
    #[must_use]
    pub fn evidence(&self) -> &[(InstanceId, Merge)] {
        &self.evidence
    }

    /// Identity logs of the bundle, as they hold here now.
    #[must_use]
    pub fn identities(&self) -> &BTreeMap<InstanceId, IdentityLog> {
        &self.identities
    }

    /// Ends a section that was not complete when the file ended.
    ///
    /// # Errors
    /// What the sink reports.
    pub fn cut_off<S: Sink>(&mut self, sink: &mut S) -> Result<(), S::Error> {
        if self.partial && self.reader.is_in_feed() {
            let error = self.reader.error(Stage::Format, Rule::Truncated);
            self.give_up(error, sink)?;
        }
        Ok(())
    }

    fn give_up<S: Sink>(&mut self, error: BundleError, sink: &mut S) -> Result<(), S::Error> {
        sink.undo_section()?;
        self.reader.abandon_section();
        self.passing = true;
        self.damage.get_or_insert(error);
        if let Some(feed) = self.feeds.last_mut() {
            feed.outcome = LEFT;
        }
        Ok(())
    }

    /// Takes a line of a partial import: an error within a feed section costs that section.
    fn push_partial<S: Sink>(&mut self, line: &[u8], sink: &mut S) -> Result<(), S::Error> {
        let begins = line.starts_with(b"{\"section\":");
        if self.passing && !begins {
            self.reader.pass(line);
            return Ok(());
        }
        self.passing = false;
        if begins && self.reader.is_in_feed() {
            let error = self.reader.error(Stage::Format, Rule::WrongCount);
            self.give_up(error, sink)?;
            self.passing = false;
        }
        let was_in_feed = self.reader.is_in_feed();
        match self.take(line, sink) {
            Ok(()) => Ok(()),
            Err(DriveError::Sink(error)) => Err(error),
            Err(DriveError::Bundle(error)) if was_in_feed => self.give_up(error, sink),
            Err(DriveError::Bundle(error)) => {
                self.failed = Some(error);
                Ok(())
            }
        }
    }

    /// Takes the next line (without LF). After the first error of the bundle the rest is only
    /// skimmed, because a damaged file should be called damaged; [`Driver::finish`] tells.
    ///
    /// # Errors
    /// What the sink reports.
    pub fn push<S: Sink>(&mut self, line: &[u8], sink: &mut S) -> Result<(), S::Error> {
        if self.failed.is_some() {
            if self
                .failed
                .as_ref()
                .is_some_and(|failed| failed.stage != Stage::Format)
                && let Err(damage) = self.reader.skim(line)
            {
                self.failed = Some(damage);
            }
            return Ok(());
        }
        if self.partial {
            return self.push_partial(line, sink);
        }
        match self.take(line, sink) {
            Ok(()) => Ok(()),
            Err(DriveError::Bundle(error)) => {
                self.failed = Some(error);
                Ok(())
            }
            Err(DriveError::Sink(error)) => Err(error),
        }
    }

    /// Ends the bundle.
    ///
    /// # Errors
    /// The first stage that failed, with line and rule.
    pub fn finish(&self) -> Result<(), BundleError> {
        match &self.failed {
            Some(failed) if failed.stage == Stage::Format => Err(failed.clone()),
            Some(failed) => Err(self.reader.finish().err().unwrap_or_else(|| failed.clone())),
            None => match &self.damage {
                Some(damage) => Err(damage.clone()),
                None => self.reader.finish(),
            },
        }
    }

    /// Whether reading has failed already.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    fn take<S: Sink>(&mut self, line: &[u8], sink: &mut S) -> Result<(), DriveError<S::Error>> {
        let event = self
            .reader
            .push(line, &self.identities)
            .map_err(DriveError::Bundle)?;
        match event {
            Event::Head(head) => self.head = Some(*head),
            Event::Identity(log) => {
                let id = log.id();
                let (merge, log) = sink.identity(*log).map_err(DriveError::Sink)?;
                if matches!(merge, Merge::TwoRecovers | Merge::TwoRotates) {
                    self.evidence.push((id, merge));
                }
                self.identities.insert(id, log);
            }
            Event::SnapshotStart(totals) => {
                sink.begin_section().map_err(DriveError::Sink)?;
                self.start_snapshot(&totals);
            }
            Event::DeltasStart(totals) => {
                sink.begin_section().map_err(DriveError::Sink)?;
                self.feeds.push(FeedOutcome {
                    origin: totals.origin,
                    scope: totals.scope,
                    form: Form::Deltas,
                    items: totals.items,
                    outcome: "append",
                });
            }
            Event::Snapshot(progress) => self.snapshot(progress, sink)?,
            Event::Delta(header, items) => self.delta(&header, &items, sink)?,
            Event::Pending | Event::SectionEnd | Event::End => {}
        }
        if self
            .reader
            .snapshot()
            .is_some_and(|snapshot| snapshot.is_complete())
        {
            self.finish_snapshot(sink)?;
        }
        if self.reader.end_section() {
            sink.keep_section().map_err(DriveError::Sink)?;
        }
        Ok(())
    }

    fn start_snapshot(&mut self, totals: &Totals) {
        self.placed = None;
        self.feeds.push(FeedOutcome {
            origin: totals.origin,
            scope: totals.scope,
            form: Form::Snapshot,
            items: totals.live,
            outcome: "take",
        });
    }

    fn in_section(&self, refusal: &Refusal) -> BundleError {
        let line = self.reader.section_line() + refusal.item.map_or(0, |item| item as u64 + 1);
        in_feed(line, refusal)
    }

    fn snapshot<S: Sink>(
        &mut self,
        progress: Progress<'_>,
        sink: &mut S,
    ) -> Result<(), DriveError<S::Error>> {
        let taken = match (progress, &self.placed) {
            (Progress::Item(item), Some(SnapshotOutcome::Take)) => sink.item(&item),
            (Progress::Item(item), Some(SnapshotOutcome::Duplicate)) => sink.fill(&item),
            (Progress::Retracted(pairs), Some(SnapshotOutcome::Take)) => sink.retracted(&pairs),
            _ => Ok(()),
        };
        taken.map_err(DriveError::Sink)?;
        let Some(snapshot) = self.reader.snapshot() else {
            return Ok(());
        };
        if self.placed.is_none() && snapshot.is_placed() {
            let identity = self.identities.get(&snapshot.totals().origin);
            let placed = sink.place(snapshot, identity).map_err(DriveError::Sink)?;
            let placed = placed.map_err(|refusal| DriveError::Bundle(self.in_section(&refusal)))?;
            let feed = self.feeds.last_mut().expect("a section began");
            feed.outcome = placed.as_str();
            self.placed = Some(placed);
        }
        Ok(())
    }

    fn finish_snapshot<S: Sink>(&mut self, sink: &mut S) -> Result<(), DriveError<S::Error>> {
        let snapshot = self.reader.snapshot().expect("called within a snapshot");
        let finished = if self.placed == Some(SnapshotOutcome::Take) {
            sink.finish(snapshot).map_err(DriveError::Sink)?
        } else {
            snapshot.finish()
        };
        finished.map_err(|refusal| DriveError::Bundle(self.in_section(&refusal)))
    }

    fn delta<S: Sink>(
        &mut self,
        header: &[u8],
        items: &[Vec<u8>],
        sink: &mut S,
    ) -> Result<(), DriveError<S::Error>> {
        let delta = Delta::read(header, items)
            .map_err(|refusal| DriveError::Bundle(self.in_section(&refusal)))?;
        let feed = self.feeds.last().expect("a section began");
        if delta.header.origin != feed.origin || delta.header.scope != feed.scope {
            let rule = if delta.header.origin == feed.origin {
                Rule::LineScope
            } else {
                Rule::LineOrigin
            };
            return Err(DriveError::Bundle(
                self.in_section(&Refusal { rule, item: None }),
            ));
        }
        let outcome = sink.delta(&delta).map_err(DriveError::Sink)?;
        if let Outcome::Refused(refusal) = &outcome {
            return Err(DriveError::Bundle(self.in_section(refusal)));
        }
        let feed = self.feeds.last_mut().expect("a section began");
        if feed.is_good() {
            feed.outcome = outcome.as_str();
        }
        Ok(())
    }
}
