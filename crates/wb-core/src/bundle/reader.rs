//! Reading a bundle, or the same sections as a stream, line by line.

use std::collections::BTreeMap;

use super::digest::{Here, LinesDigest};
use super::error::{BundleError, Stage, in_feed};
use super::head::{BundleHead, Contents, Form};
use super::section::{
    DeltasTotals, EndTotals, IdentityTotals, SECTION_START, SECTION_VERSION, SectionName,
};
use crate::entry::Entry;
use crate::feed::{Delta, LiveSum, Progress, SnapshotReader, Totals};
use crate::id::InstanceId;
use crate::identity::{IdentityError, IdentityLog, LogReader, Position};
use crate::json;
use crate::limits::{
    BUNDLE_FEEDS_MAX, DELTA_BYTES_MAX, ENTRY_BYTES_MAX, IDENTITY_ENTRIES_MAX, STREAM_SECTIONS_MAX,
};
use crate::protocol::PROTOCOL;
use crate::rule::Rule;
use crate::scope::FeedScope;
use crate::signed::{self, Unverified};

/// What a line completed.
#[derive(Debug)]
pub enum Event<'a> {
    /// Nothing by itself.
    Pending,
    /// The head was read; its signature is verified with the first identity log.
    Head(Box<BundleHead>),
    /// An identity log, valid by itself.
    Identity(Box<IdentityLog>),
    /// A snapshot begins.
    SnapshotStart(Totals),
    /// A line of a snapshot; [`BundleReader::snapshot`] has the reader.
    Snapshot(Progress<'a>),
    /// Deltas begin.
    DeltasStart(DeltasTotals),
    /// A whole delta: header line and items.
    Delta(Vec<u8>, Vec<Vec<u8>>),
    /// A section of a feed is complete.
    SectionEnd,
    /// The bundle is complete.
    End,
}

#[derive(Debug)]
enum Within {
    Head,
    Between,
    Identity {
        left: u64,
        log: LogReader,
    },
    Snapshot(Box<SnapshotReader>),
    Deltas {
        totals: DeltasTotals,
        deltas: u64,
        items: u64,
        header: Option<(Vec<u8>, usize)>,
        read: Vec<Vec<u8>>,
        /// Bytes of the record lines in `read`, each with its LF.
        bytes: u64,
        last_line: u64,
    },
    /// The rest of a feed section of which nothing more is taken.
    Passed {
        last_line: LastLine,
    },
    End,
}

/// Where a section that is passed over ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LastLine {
    /// At this line, as the section announced.
    At(u64),
    /// Before the next section, or with the stream: a snapshot does not announce its lines.
    Open,
}

/// How sections come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frame {
    /// As a file: a signed head that lists them, and a line that ends them.
    Bundle,
    /// As the answer of somebody whose answers are signed as a whole.
    Stream,
}

/// Reads a bundle, or sections without its frame, line by line; see the [module](super).
#[derive(Debug)]
pub struct BundleReader {
    frame: Frame,
    within: Within,
    line: u64,
    sha: Box<dyn LinesDigest>,
    /// Who adds up what is live in a snapshot of so many records, when not here.
    live_sum: fn(u64) -> Option<Box<dyn LiveSum>>,
    head: Option<(Vec<u8>, BundleHead)>,
    head_verified: bool,
    last_identity: Option<InstanceId>,
    sections: usize,
    feeds: usize,
    section_line: u64,
}

/// What the head lists is at fault, wherever the difference shows.
const CONTENTS_MISMATCH: BundleError = BundleError {
    stage: Stage::Head,
    line: 1,
    rule: Rule::ContentsMismatch,
};

impl Default for BundleReader {
    fn default() -> Self {
        Self {
            frame: Frame::Bundle,
            within: Within::Head,
            line: 0,
            sha: Box::new(Here::default()),
            live_sum: |_| None,
            head: None,
            head_verified: false,
            last_identity: None,
            sections: 0,
            feeds: 0,
            section_line: 0,
        }
    }
}

impl BundleReader {
    /// Reads sections without the frame of a bundle, from somebody whose answers are signed as a
    /// whole: no head, no list of contents, no end line. Sections come in any order, at most
    /// [`STREAM_SECTIONS_MAX`].
    #[must_use]
    pub fn sections() -> Self {
        Self {
            frame: Frame::Stream,
            within: Within::Between,
            ..Self::default()
        }
    }

    /// Has the digest over its lines computed elsewhere; said before the first line.
    pub fn digest_by(&mut self, digest: Box<dyn LinesDigest>) {
        self.sha = digest;
    }

    /// Has what is live in a snapshot added up elsewhere, where `live_sum` gives somebody for so many records.
    pub fn add_up_by(&mut self, live_sum: fn(u64) -> Option<Box<dyn LiveSum>>) {
        self.live_sum = live_sum;
    }

    /// The number of the line read last, from 1.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The snapshot being read.
    pub fn snapshot(&mut self) -> Option<&mut SnapshotReader> {
        match &mut self.within {
            Within::Snapshot(reader) => Some(reader),
            _ => None,
        }
    }

    /// An error at the line read last.
    #[must_use]
    pub fn error(&self, stage: Stage, rule: Rule) -> BundleError {
        BundleError {
            stage,
            line: self.line,
            rule,
        }
    }

    /// Takes the next line (without LF). `identities` holds the logs to verify feeds with: those of
    /// the bundle, merged with what the reader knows.
    ///
    /// # Errors
    /// Stage, line and rule.
    pub fn push<'a>(
        &mut self,
        line: &'a [u8],
        identities: &BTreeMap<InstanceId, IdentityLog>,
    ) -> Result<Event<'a>, BundleError> {
        self.line += 1;
        let event = self.read(line, identities);
        self.note(line);
        event
    }

    /// Hashes a line that was read: what the end line counts are the lines before it.
    fn note(&mut self, line: &[u8]) {
        if self.frame == Frame::Bundle {
            self.sha.add(line);
        }
    }

    fn read<'a>(
        &mut self,
        line: &'a [u8],
        identities: &BTreeMap<InstanceId, IdentityLog>,
    ) -> Result<Event<'a>, BundleError> {
        if line.starts_with(SECTION_START) {
            match self.within {
                Within::Head | Within::Between | Within::End => {}
                Within::Passed {
                    last_line: LastLine::Open,
                } => self.within = Within::Between,
                // A new section before the last one had everything it announced.
                _ => return Err(self.error(Stage::Format, Rule::WrongCount)),
            }
        }
        match &mut self.within {
            Within::Head => self.read_head(line),
            Within::Between => self.read_section(line),
            Within::Identity { .. } => self.read_identity(line),
            Within::Snapshot(reader) => {
                let identity = identities.get(&reader.totals().origin);
                let (number, section) = (self.line, self.section_line);
                reader
                    .push(line, identity)
                    .map(Event::Snapshot)
                    .map_err(|refusal| {
                        let is_of_line = refusal.item.is_some()
                            || refusal.rule == Rule::WrongCount
                            || refusal.rule.is_strict_json();
                        in_feed(if is_of_line { number } else { section }, &refusal)
                    })
            }
            Within::Deltas { .. } => self.read_delta(line),
            Within::Passed { .. } => self.read_passed(line),
            Within::End => Err(self.error(Stage::Format, Rule::TrailingData)),
        }
    }

    /// Ends a section when every announced line has come; call after each [`BundleReader::push`].
    pub fn end_section(&mut self) -> bool {
        let complete = match &self.within {
            Within::Snapshot(reader) => reader.is_complete(),
            Within::Deltas {
                totals,
                deltas,
                items,
                header,
                ..
            } => header.is_none() && *deltas == totals.deltas && *items == totals.items,
            _ => false,
        };
        if complete {
            self.within = Within::Between;
        }
        complete
    }

    /// The line where the section or delta read last began.
    #[must_use]
    pub fn section_line(&self) -> u64 {
        self.section_line
    }

    /// Reads on after an error, only to tell a damaged file from a wrong one: damage is the first
    /// thing to know.
    ///
    /// # Errors
    /// Damage: a strict JSON rule, or an end line that does not fit what was read.
    pub fn skim(&mut self, line: &[u8]) -> Result<(), BundleError> {
        self.line += 1;
        if matches!(self.within, Within::End) {
            return Err(self.error(Stage::Format, Rule::TrailingData));
        }
        let text = json::check(line).map_err(|rule| self.error(Stage::Format, rule))?;
        if line.starts_with(b"{\"section\":\"end\"") {
            let end: EndTotals = serde_json::from_str(text)
                .map_err(|_| self.error(Stage::Format, Rule::UnknownSection))?;
            if end.lines != self.line - 1 {
                return Err(self.error(Stage::Format, Rule::WrongCount));
            }
            if end.sha256.0 != self.digest() {
                return Err(self.error(Stage::Format, Rule::WrongDigest));
            }
            self.within = Within::End;
        }
        self.note(line);
        Ok(())
    }

    /// Whether a feed section has begun and has not ended.
    #[must_use]
    pub fn is_in_feed(&self) -> bool {
        matches!(self.within, Within::Snapshot(_) | Within::Deltas { .. })
    }

    /// Gives up the feed section being read; what is left of it is passed over with
    /// [`BundleReader::pass`].
    pub fn abandon_section(&mut self) {
        if self.is_in_feed() {
            self.within = Within::Between;
        }
    }

    /// Passes over a line of a section that was given up.
    pub fn pass(&mut self, line: &[u8]) {
        self.line += 1;
        self.note(line);
    }

    /// Takes nothing more of the feed section being read: its other lines are still pushed, and only
    /// have to be JSON. Deltas end where they announced; a snapshot ends before the next section.
    pub fn pass_over_section(&mut self) {
        let last_line = match &self.within {
            Within::Snapshot(_) => LastLine::Open,
            Within::Deltas { last_line, .. } => LastLine::At(*last_line),
            _ => return,
        };
        self.within = Within::Passed { last_line };
        self.end_passed();
    }

    fn end_passed(&mut self) {
        if let Within::Passed { last_line } = self.within
            && last_line == LastLine::At(self.line)
        {
            self.within = Within::Between;
        }
    }

    fn read_passed(&mut self, line: &[u8]) -> Result<Event<'static>, BundleError> {
        json::check(line).map_err(|rule| self.error(Stage::Format, rule))?;
        self.end_passed();
        Ok(Event::Pending)
    }

    /// Says whether the file was whole; a stream is where it stands between sections.
    ///
    /// # Errors
    /// `truncated`, or `not_a_bundle` for a file without a line.
    pub fn finish(&self) -> Result<(), BundleError> {
        match self.within {
            Within::End => Ok(()),
            Within::Between
            | Within::Passed {
                last_line: LastLine::Open,
            } if self.frame == Frame::Stream => Ok(()),
            // Lines are counted from 1: what is missing in an empty file is its first.
            Within::Head => Err(BundleError {
                stage: Stage::Format,
                line: 1,
                rule: Rule::NotABundle,
            }),
            _ => Err(self.error(Stage::Format, Rule::Truncated)),
        }
    }

    /// The head, once it was read; its signature may not have been looked at.
    #[must_use]
    pub fn head(&self) -> Option<&BundleHead> {
        self.head.as_ref().map(|(_, head)| head)
    }

    fn read_head(&mut self, line: &[u8]) -> Result<Event<'static>, BundleError> {
        let unverified = Unverified::read(line, signed::BUNDLE).map_err(|rule| {
            let rule = if rule == Rule::NotSignedLine || rule == Rule::WrongType {
                Rule::NotABundle
            } else {
                rule
            };
            self.error(Stage::Format, rule)
        })?;
        let head: Result<BundleHead, _> = serde_json::from_slice(unverified.payload());
        let head = head.map_err(|_| self.error(Stage::Format, Rule::NotABundle))?;
        if head.contents.len() > BUNDLE_FEEDS_MAX {
            return Err(self.error(Stage::Format, Rule::TooLarge));
        }
        // Kept either way: what it says of its maker's program tells who has to be upgraded.
        self.head = Some((line.to_vec(), head.clone()));
        if head.protocol.newest_common(PROTOCOL).is_none() {
            return Err(self.error(Stage::Versions, Rule::VersionSkew));
        }
        self.within = Within::Between;
        Ok(Event::Head(Box::new(head)))
    }

    fn read_section(&mut self, line: &[u8]) -> Result<Event<'static>, BundleError> {
        let text = json::check(line).map_err(|rule| self.error(Stage::Format, rule))?;
        let unknown = self.error(Stage::Format, Rule::UnknownSection);
        let name: SectionName = serde_json::from_str(text).map_err(|_| unknown.clone())?;
        if name.schema_version != SECTION_VERSION {
            return Err(unknown);
        }
        let name = name.section.as_str();
        if self.frame == Frame::Bundle && name != "identity" && !self.head_verified {
            return Err(self.error(Stage::Head, Rule::WrongKey));
        }
        self.sections += 1;
        if self.frame == Frame::Stream && self.sections > STREAM_SECTIONS_MAX {
            return Err(self.error(Stage::Format, Rule::TooLarge));
        }
        match name {
            "identity" => {
                let totals: IdentityTotals = serde_json::from_str(text).map_err(|_| unknown)?;
                self.start_identity(&totals)
            }
            "snapshot" => {
                let mut reader =
                    SnapshotReader::start(line).map_err(|refusal| in_feed(self.line, &refusal))?;
                let totals = *reader.totals();
                reader.add_up_by((self.live_sum)(totals.live));
                self.next_feed(totals.origin, totals.scope, Form::Snapshot, totals.live)?;
                self.section_line = self.line;
                self.within = Within::Snapshot(Box::new(reader));
                Ok(Event::SnapshotStart(totals))
            }
            "deltas" => {
                let totals: DeltasTotals = serde_json::from_str(text).map_err(|_| unknown)?;
                self.next_feed(totals.origin, totals.scope, Form::Deltas, totals.items)?;
                let lines = totals.deltas.saturating_add(totals.items);
                self.within = Within::Deltas {
                    totals,
                    deltas: 0,
                    items: 0,
                    header: None,
                    read: Vec::new(),
                    bytes: 0,
                    last_line: self.line.saturating_add(lines),
                };
                Ok(Event::DeltasStart(totals))
            }
            "end" if self.frame == Frame::Bundle => {
                let end = serde_json::from_str(text).map_err(|_| unknown)?;
                self.end_bundle(&end)
            }
            _ => Err(unknown),
        }
    }

    fn start_identity(&mut self, totals: &IdentityTotals) -> Result<Event<'static>, BundleError> {
        let origin = totals.origin;
        let is_late = self.frame == Frame::Bundle && self.feeds > 0;
        if totals.entries == 0 || is_late {
            return Err(self.error(Stage::Format, Rule::WrongCount));
        }
        if totals.entries > IDENTITY_ENTRIES_MAX as u64 {
            return Err(self.error(Stage::Identity, Rule::IdentityTooLong));
        }
        if let Some((_, head)) = &self.head {
            self.check_identity_place(origin, head)?;
        }
        self.last_identity = Some(origin);
        self.within = Within::Identity {
            left: totals.entries,
            log: LogReader::new(Some(origin)),
        };
        Ok(Event::Pending)
    }

    /// The exporter's log comes first, then the others by id, and only those that a feed needs: a
    /// reader keeps every log until the end.
    fn check_identity_place(
        &self,
        origin: InstanceId,
        head: &BundleHead,
    ) -> Result<(), BundleError> {
        let is_exporter = origin == head.exporter;
        let in_order = match self.last_identity {
            None => is_exporter,
            Some(last) => !is_exporter && (last == head.exporter || last < origin),
        };
        if !in_order {
            return Err(self.error(Stage::Identity, Rule::WrongOrder));
        }
        let mut listed = head.contents.iter().map(|feed| feed.origin);
        if !is_exporter && !listed.any(|listed| listed == origin) {
            return Err(CONTENTS_MISMATCH);
        }
        Ok(())
    }

    fn end_bundle(&mut self, end: &EndTotals) -> Result<Event<'static>, BundleError> {
        if end.lines != self.line - 1 {
            return Err(self.error(Stage::Format, Rule::WrongCount));
        }
        if end.sha256.0 != self.digest() {
            return Err(self.error(Stage::Format, Rule::WrongDigest));
        }
        self.within = Within::End;
        if self.contents().len() != self.feeds {
            return Err(CONTENTS_MISMATCH);
        }
        Ok(Event::End)
    }

    /// SHA-256 of every line noted so far.
    fn digest(&mut self) -> [u8; 32] {
        self.sha.so_far()
    }

    fn contents(&self) -> &[Contents] {
        self.head.as_ref().map_or(&[], |(_, head)| &head.contents)
    }

    fn next_feed(
        &mut self,
        origin: InstanceId,
        scope: FeedScope,
        form: Form,
        items: u64,
    ) -> Result<(), BundleError> {
        let found = Contents {
            origin,
            scope,
            form,
            items,
        };
        if self.frame == Frame::Bundle && self.contents().get(self.feeds) != Some(&found) {
            return Err(CONTENTS_MISMATCH);
        }
        self.feeds += 1;
        Ok(())
    }

    fn read_identity(&mut self, line: &[u8]) -> Result<Event<'static>, BundleError> {
        let Within::Identity { left, log } = &mut self.within else {
            unreachable!("called within an identity section")
        };
        let broken = |line, error: IdentityError| BundleError {
            stage: Stage::Identity,
            line,
            rule: error.rule,
        };
        // Entry by entry: of a log that breaks a rule nothing after it is read.
        log.push(line).map_err(|error| broken(self.line, error))?;
        *left -= 1;
        if *left > 0 {
            return Ok(Event::Pending);
        }
        let log = std::mem::replace(log, LogReader::new(None));
        let log = log.finish().map_err(|error| broken(self.line, error))?;
        if self.frame == Frame::Bundle && !self.head_verified {
            self.verify_head(&log)?;
        }
        self.within = Within::Between;
        Ok(Event::Identity(Box::new(log)))
    }

    /// The exporter's log comes first, and the head must verify under it.
    fn verify_head(&mut self, log: &IdentityLog) -> Result<(), BundleError> {
        let (line, head) = self.head.as_ref().expect("sections come after the head");
        let error = |rule| BundleError {
            stage: Stage::Head,
            line: 1,
            rule,
        };
        let position = Position {
            era: head.era,
            n: head.key,
        };
        let entry = log
            .entry(&head.identity)
            .filter(|_| log.id() == head.exporter);
        let entry = entry
            .filter(|entry| entry.position == position)
            .ok_or(error(Rule::WrongKey))?;
        let unverified = Unverified::read(line, signed::BUNDLE).map_err(error)?;
        unverified.verify(&entry.signing_key).map_err(error)?;
        self.head_verified = true;
        Ok(())
    }

    fn read_delta(&mut self, line: &[u8]) -> Result<Event<'static>, BundleError> {
        let number = self.line;
        let Within::Deltas {
            totals,
            deltas,
            items,
            header,
            read,
            bytes,
            ..
        } = &mut self.within
        else {
            unreachable!("called within a deltas section")
        };
        if header.is_none() {
            let count = Delta::count_items(line).map_err(|refusal| in_feed(number, &refusal))?;
            *deltas += 1;
            *items += count as u64;
            if *deltas > totals.deltas || *items > totals.items {
                return Err(BundleError {
                    stage: Stage::Format,
                    line: number,
                    rule: Rule::WrongCount,
                });
            }
            self.section_line = number;
            *header = Some((line.to_vec(), count));
            *bytes = 0;
        } else {
            let error = |rule| BundleError {
                stage: Stage::Feed,
                line: number,
                rule,
            };
            // Before it is kept, so that no more than one delta's bytes ever are.
            if !Entry::starts(line) {
                *bytes += line.len() as u64 + 1;
            } else if line.len() > ENTRY_BYTES_MAX {
                return Err(error(Rule::EntryMalformed));
            }
            if *bytes > DELTA_BYTES_MAX {
                return Err(error(Rule::DeltaTooLarge));
            }
            read.push(line.to_vec());
        }
        match header.take() {
            Some((line, count)) if count == read.len() => {
                Ok(Event::Delta(line, std::mem::take(read)))
            }
            waiting => {
                *header = waiting;
                Ok(Event::Pending)
            }
        }
    }
}
