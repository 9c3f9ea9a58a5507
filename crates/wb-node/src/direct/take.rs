//! Taking a bundle that a peer made: its own feed and nothing else, whole or not at all.

use std::collections::BTreeSet;

use wb_core::bundle::{BundleError, Driver, FeedOutcome, Form};
use wb_core::id::InstanceId;
use wb_core::rule::Rule;
use wb_core::scope::FeedScope;
use wb_core::time::Timestamp;
use wb_store::{StoreError, Write};

use crate::import::sink::StoreSink;
use crate::sync::own::{Gathered, OwnBack};

/// Whose bundle is taken, and for which run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taking {
    /// This instance.
    pub own: InstanceId,
    /// Who made the bundle.
    pub from: InstanceId,
    /// Whether it may hold the own feed as well, to be compared.
    pub may_be_own: bool,
    /// Whether the own feed is taken back instead.
    pub takes_own: bool,
    /// The run by which it comes.
    pub run_no: Option<i64>,
    /// Now.
    pub now: Timestamp,
}

/// What was taken.
#[derive(Debug)]
pub(crate) struct Took {
    /// What came of each feed.
    pub feeds: Vec<FeedOutcome>,
    /// Deltas that were appended.
    pub deltas: u64,
    /// Whether more of the own feed came than is here.
    pub own_is_ahead: bool,
    /// What came back of the own feed, where it is taken back.
    pub own_back: OwnBack,
    /// Instances that recovered their key, as it came with this.
    pub recovered: BTreeSet<InstanceId>,
}

impl Took {
    /// Feeds that were taken whole.
    pub fn snapshots(&self) -> u64 {
        let feeds = self.feeds.iter();
        let whole = feeds.filter(|feed| feed.form == Form::Snapshot && feed.outcome == "take");
        whole.count() as u64
    }

    /// Whether nothing of it was new.
    pub fn is_known(&self) -> bool {
        self.feeds.iter().all(|feed| feed.outcome == "duplicate")
    }
}

/// Why nothing of a bundle counts.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// It breaks a rule.
    Bundle(BundleError),
    /// It was made by another instance.
    Exporter(InstanceId),
    /// It holds the feed of somebody else.
    NotYours(InstanceId),
    /// It holds a feed that is not public.
    NotPublic,
    /// Something here.
    Store(StoreError),
}

impl From<StoreError> for NotTaken {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl std::fmt::Display for NotTaken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bundle(error) => error.fmt(f),
            Self::Exporter(id) => write!(f, "the bundle was made by {id}, and not by who sent it"),
            Self::NotYours(id) => write!(
                f,
                "the bundle holds a feed of {id}, and a peer gives its own only"
            ),
            Self::NotPublic => f.write_str("the bundle holds a feed that is not public"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

/// Whether what came of the own public feed stands beside what is held of it.
pub(crate) fn is_beside(feeds: &[FeedOutcome], own: &InstanceId) -> bool {
    let mut feeds = feeds.iter();
    feeds.any(|feed| {
        feed.origin == *own
            && feed.scope == FeedScope::Public
            && matches!(feed.outcome, "fork" | "closed")
    })
}

/// Takes a bundle line by line into a transaction, which its caller drops when it is not taken.
pub(crate) struct Taker<'w, 's> {
    taking: Taking,
    sink: StoreSink<'w, 's>,
    driver: Driver,
    gathered: Option<Gathered>,
}

impl<'w, 's> Taker<'w, 's> {
    /// Begins.
    pub fn new(write: &'w Write<'s>, taking: Taking) -> Self {
        let mut sink = StoreSink::new(write, taking.own, taking.now);
        sink.run_no = taking.run_no;
        sink.takes_own = taking.takes_own;
        Self {
            taking,
            sink,
            driver: Driver::default(),
            gathered: taking.takes_own.then(|| Gathered::new(taking.own)),
        }
    }

    /// Takes the next line.
    pub fn push(&mut self, line: &[u8]) -> Result<(), StoreError> {
        if let Some(gathered) = &mut self.gathered {
            gathered.push(line);
        }
        self.driver.push(line, &mut self.sink)
    }

    /// Ends, and says whether it may count.
    pub fn finish(self) -> Result<Took, NotTaken> {
        // Whose it is comes first: it says who is at fault.
        if let Some(head) = self.driver.head() {
            self.check_whose(head.exporter)?;
        }
        self.driver.finish().map_err(NotTaken::Bundle)?;
        if self.driver.head().is_none() {
            let stage = wb_core::bundle::Stage::Format;
            let (line, rule) = (1, Rule::Truncated);
            return Err(NotTaken::Bundle(BundleError { stage, line, rule }));
        }
        let own_back = match self.gathered {
            Some(gathered) => OwnBack::of(
                self.sink.own_came_back,
                is_beside(self.driver.feeds(), &self.taking.own),
                gathered,
            ),
            None => OwnBack::default(),
        };
        Ok(Took {
            own_back,
            feeds: self.driver.feeds().to_vec(),
            deltas: self.sink.deltas,
            own_is_ahead: self.sink.own_is_ahead,
            recovered: self.sink.recovered,
        })
    }

    fn check_whose(&self, exporter: InstanceId) -> Result<(), NotTaken> {
        let Taking {
            own,
            from,
            may_be_own,
            ..
        } = self.taking;
        if exporter != from {
            return Err(NotTaken::Exporter(exporter));
        }
        let head = self.driver.head().into_iter();
        let announced = head.flat_map(|head| &head.contents);
        for contents in announced {
            let is_own = may_be_own && contents.origin == own;
            if contents.origin != from && !is_own {
                return Err(NotTaken::NotYours(contents.origin));
            }
            if contents.scope != FeedScope::Public {
                return Err(NotTaken::NotPublic);
            }
        }
        Ok(())
    }
}
