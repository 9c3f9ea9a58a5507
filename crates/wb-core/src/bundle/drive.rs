//! Driving a bundle, or sections that came as a stream, into the place where feeds are kept, line by
//! line.
//!
//! [`Driver`] knows the order of things; a [`Sink`] keeps feeds: a node's store, or memory when a
//! bundle is verified without an instance ([`super::Memory`]).

use std::collections::BTreeMap;

use super::digest::LinesDigest;
use super::error::{BundleError, Stage, in_feed};
use super::head::{BundleHead, Form};
use super::reader::{BundleReader, Event};
use super::section::SECTION_START;
use super::sink::{FeedOutcome, Sink};
use crate::feed::{Delta, LiveSum, Outcome, Progress, Refusal, SnapshotOutcome};
use crate::id::InstanceId;
use crate::identity::{IdentityLog, Merge};
use crate::rule::Rule;
use crate::scope::FeedScope;

/// Why driving stopped.
#[derive(Debug)]
pub enum DriveError<E> {
    /// The bundle is at fault.
    Bundle(BundleError),
    /// The place is.
    Sink(E),
}

/// What an error within a feed section costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Cost {
    /// Everything: a bundle counts as a whole.
    #[default]
    All,
    /// That section, whatever the error: the operator asked to save what verifies.
    Section,
    /// That section where the feed is at fault, everything where the lines are: who sends a stream
    /// passes on the feeds of others, and answers for its lines.
    Feed,
}

/// Drives lines into a sink.
#[derive(Debug, Default)]
pub struct Driver {
    reader: BundleReader,
    identities: BTreeMap<InstanceId, IdentityLog>,
    feeds: Vec<FeedOutcome>,
    placed: Option<SnapshotOutcome>,
    evidence: Vec<(InstanceId, Merge)>,
    failed: Option<BundleError>,
    cost: Cost,
    passing: bool,
    damage: Option<BundleError>,
}

impl Driver {
    /// Takes each feed section by itself: one that does not verify is undone and passed over.
    #[must_use]
    pub fn partial() -> Self {
        Self {
            cost: Cost::Section,
            ..Self::default()
        }
    }

    /// Takes sections without the frame of a bundle; see [`BundleReader::sections`].
    ///
    /// A feed section is verified with the identity log that the stream brought before it, else with
    /// the one that the sink holds; where there is neither, the stream breaks `wrong_order`. A delta
    /// that is refused stops its feed: what came before stays, and the rest of its section is passed
    /// over. A snapshot that is refused is undone and passed over. After any other error nothing more
    /// is taken and the section it fell in is undone, so that what the sink holds is whole sections.
    #[must_use]
    pub fn sections() -> Self {
        Self {
            reader: BundleReader::sections(),
            cost: Cost::Feed,
            ..Self::default()
        }
    }

    /// Has the digest over the lines of a bundle computed elsewhere.
    #[must_use]
    pub fn digest_by(mut self, digest: Box<dyn LinesDigest>) -> Self {
        self.reader.digest_by(digest);
        self
    }

    /// Has what is live in a snapshot added up elsewhere; see [`BundleReader::add_up_by`].
    #[must_use]
    pub fn add_up_by(mut self, live_sum: fn(u64) -> Option<Box<dyn LiveSum>>) -> Self {
        self.reader.add_up_by(live_sum);
        self
    }

    /// The head, once it was read; of a bundle that is refused it is its maker's word alone.
    #[must_use]
    pub fn head(&self) -> Option<&BundleHead> {
        self.reader.head()
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

    /// Identity logs of the bundle, as they hold here now; of a stream also those the sink was asked
    /// for.
    #[must_use]
    pub fn identities(&self) -> &BTreeMap<InstanceId, IdentityLog> {
        &self.identities
    }

    /// Ends a section that was not complete when the file or stream ended. A bundle that counts as a
    /// whole is left to whoever drops it.
    ///
    /// # Errors
    /// What the sink reports.
    pub fn cut_off<S: Sink>(&mut self, sink: &mut S) -> Result<(), S::Error> {
        if self.failed.is_some() || !self.reader.is_in_feed() {
            return Ok(());
        }
        let error = self.reader.error(Stage::Format, Rule::Truncated);
        match self.cost {
            Cost::All => Ok(()),
            Cost::Section => self.give_up(error, sink),
            Cost::Feed => self.fail(error, sink),
        }
    }

    fn give_up<S: Sink>(&mut self, error: BundleError, sink: &mut S) -> Result<(), S::Error> {
        sink.undo_section()?;
        self.reader.abandon_section();
        self.passing = true;
        if let Some(feed) = self.feeds.last_mut() {
            feed.refuse(error.rule);
        }
        self.damage.get_or_insert(error);
        Ok(())
    }

    /// Ends a stream at an error; what is whole may be kept.
    fn fail<S: Sink>(&mut self, error: BundleError, sink: &mut S) -> Result<(), S::Error> {
        if self.reader.is_in_feed() {
            sink.undo_section()?;
            if let Some(feed) = self.feeds.last_mut() {
                feed.refuse(error.rule);
            }
        }
        self.failed = Some(error);
        Ok(())
    }

    /// Takes a line of a stream: a feed that breaks a rule costs that feed.
    fn push_section<S: Sink>(&mut self, line: &[u8], sink: &mut S) -> Result<(), S::Error> {
        match self.take(line, sink) {
            Ok(()) => Ok(()),
            Err(DriveError::Sink(error)) => Err(error),
            Err(DriveError::Bundle(error)) => {
                if error.stage == Stage::Feed && self.reader.is_in_feed() {
                    self.refuse(error.rule, sink)
                } else {
                    self.fail(error, sink)
                }
            }
        }
    }

    /// Stops the feed being read. Its deltas before the refused one were accepted, and the sink may
    /// have noted that one by name; a snapshot is whole or nothing.
    fn refuse<S: Sink>(&mut self, rule: Rule, sink: &mut S) -> Result<(), S::Error> {
        let feed = self.feeds.last_mut().expect("a section began");
        feed.refuse(rule);
        match feed.form {
            Form::Snapshot => sink.undo_section()?,
            Form::Deltas => sink.keep_section()?,
        }
        self.reader.pass_over_section();
        Ok(())
    }

    /// Takes a line of a partial import: an error within a feed section costs that section.
    fn push_partial<S: Sink>(&mut self, line: &[u8], sink: &mut S) -> Result<(), S::Error> {
        let begins = line.starts_with(SECTION_START);
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

    fn push_whole<S: Sink>(&mut self, line: &[u8], sink: &mut S) -> Result<(), S::Error> {
        match self.take(line, sink) {
            Ok(()) => Ok(()),
            Err(DriveError::Bundle(error)) => {
                self.failed = Some(error);
                Ok(())
            }
            Err(DriveError::Sink(error)) => Err(error),
        }
    }

    /// Takes the next line (without LF). After the first error of the bundle the rest is only
    /// skimmed, because a damaged file should be called damaged; the rest of a stream is not read.
    /// [`Driver::finish`] tells.
    ///
    /// # Errors
    /// What the sink reports.
    pub fn push<S: Sink>(&mut self, line: &[u8], sink: &mut S) -> Result<(), S::Error> {
        if let Some(failed) = &self.failed {
            if self.cost != Cost::Feed
                && failed.stage != Stage::Format
                && let Err(damage) = self.reader.skim(line)
            {
                self.failed = Some(damage);
            }
            return Ok(());
        }
        match self.cost {
            Cost::All => self.push_whole(line, sink),
            Cost::Section => self.push_partial(line, sink),
            Cost::Feed => self.push_section(line, sink),
        }
    }

    /// Ends the bundle or stream.
    ///
    /// # Errors
    /// The first stage that failed, with line and rule.
    pub fn finish(&self) -> Result<(), BundleError> {
        match &self.failed {
            Some(failed) if failed.stage == Stage::Format || self.cost == Cost::Feed => {
                Err(failed.clone())
            }
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
            Event::Identity(log) => {
                let id = log.id();
                let (merge, log) = sink.identity(*log).map_err(DriveError::Sink)?;
                if matches!(merge, Merge::TwoRecovers | Merge::TwoRotates) {
                    self.evidence.push((id, merge));
                }
                self.identities.insert(id, log);
            }
            Event::SnapshotStart(totals) => {
                let (origin, scope) = (totals.origin, totals.scope);
                self.start_feed(origin, scope, Form::Snapshot, totals.live, sink)?;
            }
            Event::DeltasStart(totals) => {
                let (origin, scope) = (totals.origin, totals.scope);
                self.start_feed(origin, scope, Form::Deltas, totals.items, sink)?;
            }
            Event::Snapshot(progress) => self.snapshot(progress, sink)?,
            Event::Delta(header, items) => self.delta(&header, &items, sink)?,
            Event::Head(_) | Event::Pending | Event::SectionEnd | Event::End => {}
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

    fn start_feed<S: Sink>(
        &mut self,
        origin: InstanceId,
        scope: FeedScope,
        form: Form,
        items: u64,
        sink: &mut S,
    ) -> Result<(), DriveError<S::Error>> {
        if self.cost == Cost::Feed {
            self.find_identity(origin, sink)?;
        }
        sink.begin_section().map_err(DriveError::Sink)?;
        self.placed = None;
        let outcome = match form {
            Form::Snapshot => SnapshotOutcome::Take.as_str(),
            Form::Deltas => "append",
        };
        self.feeds.push(FeedOutcome {
            origin,
            scope,
            form,
            items,
            outcome,
            rule: None,
        });
        Ok(())
    }

    /// A stream brings only the logs that are new to its reader.
    fn find_identity<S: Sink>(
        &mut self,
        origin: InstanceId,
        sink: &mut S,
    ) -> Result<(), DriveError<S::Error>> {
        if self.identities.contains_key(&origin) {
            return Ok(());
        }
        let held = sink.known_identity(&origin).map_err(DriveError::Sink)?;
        let Some(held) = held else {
            // The section has only begun, and nothing of it was handed on.
            self.reader.abandon_section();
            let error = self.reader.error(Stage::Identity, Rule::WrongOrder);
            return Err(DriveError::Bundle(error));
        };
        self.identities.insert(origin, held);
        Ok(())
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
