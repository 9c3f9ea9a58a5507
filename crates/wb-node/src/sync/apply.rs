//! Putting what came into the store: one page, one transaction, and the cursor in it.

use std::collections::BTreeSet;

use wb_core::bundle::{Driver, Sink};
use wb_core::id::InstanceId;
use wb_core::rule::Rule;
use wb_core::scope::FeedScope;
use wb_core::sync::AgainSection;
use wb_core::time::Timestamp;
use wb_core::want::Held;
use wb_store::{Changed, Difference, Write};

use super::spool::Spool;
use super::{SyncEnd, bad_answer};
use crate::import::apart::{Unread, apart};
use crate::import::sink::StoreSink;

/// The outcome of a feed that breaks a rule, by the names of the spec.
const REFUSED: &str = "refused";

/// What changed, counted; and the records themselves, where a list is wanted.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Records new here.
    pub new: u64,
    /// Records with another revision.
    pub changed: u64,
    /// Records gone.
    pub gone: u64,
    /// Lines that were missing and came.
    pub filled: u64,
    /// Deltas that came.
    pub deltas: u64,
    /// Feeds that were taken whole.
    pub snapshots: u64,
    /// Feeds with an outcome that somebody should know of: origin, scope, outcome, rule.
    pub set_aside: Vec<SetAside>,
    /// The instance's own feed came back from elsewhere, longer than it is here.
    pub own_is_ahead: bool,
    /// Instances whose log came longer by a recovery.
    pub recovered: BTreeSet<InstanceId>,
    /// Origins of which something new came.
    pub heard: BTreeSet<InstanceId>,
}

/// A feed that did not go on, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// The instance.
    pub origin: InstanceId,
    /// The feed.
    pub scope: FeedScope,
    /// The outcome, by the names of the spec.
    pub outcome: &'static str,
    /// The rule broken, where it was refused.
    pub rule: Option<&'static str>,
}

impl SetAside {
    pub(crate) fn is_refused(&self) -> bool {
        self.outcome == REFUSED
    }

    /// Whether what its origin signed contradicts itself: then nobody who carries it can help.
    pub(super) fn is_set_by_origin(&self) -> bool {
        matches!(self.outcome, "fork" | "held")
    }
}

impl Tally {
    pub(crate) fn count(&mut self, changed: &[Changed]) {
        for change in changed {
            match change.difference {
                Difference::New => self.new += 1,
                Difference::Changed => self.changed += 1,
                Difference::Gone => self.gone += 1,
            }
        }
    }

    /// Says that something of a feed breaks a rule, in words. A hub checks what it takes by the same
    /// rules, so this is the hub's doing.
    #[must_use]
    pub fn refused(&self) -> Option<String> {
        let refused = self.set_aside.iter().find(|aside| aside.is_refused())?;
        let rule = refused.rule.unwrap_or("a rule");
        Some(format!(
            "what it holds of {} ({}) breaks {rule}",
            refused.origin, refused.scope
        ))
    }

    /// A feed is about to come anew, whatever was wrong with it before.
    pub(super) fn forgive(&mut self, origin: InstanceId, scope: FeedScope) {
        self.set_aside.retain(|aside| {
            !(aside.is_refused() && (aside.origin, aside.scope) == (origin, scope))
        });
    }

    /// Whether anything came.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.new + self.changed + self.gone + self.filled + self.deltas == 0
            && self.set_aside.is_empty()
            && self.recovered.is_empty()
    }
}

/// What the lines of a page led to.
pub(super) struct Applied {
    /// Feeds to which only a snapshot leads, also because what came of them breaks a rule.
    pub want_snapshot: Vec<(InstanceId, FeedScope)>,
    /// Heads the hub named without deltas that lead there.
    pub again: Vec<Held>,
    /// What came of each feed section.
    outcomes: Vec<(InstanceId, FeedScope, &'static str)>,
    /// Whether something of the own feed was taken.
    pub own_came_back: bool,
}

impl Applied {
    /// Whether what came of a feed stands beside what is held of it: on a branch, or in a log that is closed.
    pub fn is_beside(&self, feed: (InstanceId, FeedScope)) -> bool {
        let of_it = |(origin, scope, _): &&(InstanceId, FeedScope, &str)| (*origin, *scope) == feed;
        self.outcomes
            .iter()
            .filter(of_it)
            .any(|(_, _, outcome)| matches!(*outcome, "fork" | "closed"))
    }

    /// Makes sure that a snapshot of the feed asked for came and meant something. Its pages are not
    /// signed, so that one which is missing would otherwise go by in silence.
    pub fn check_snapshot(&self, feed: (InstanceId, FeedScope)) -> Result<(), SyncEnd> {
        match self.outcomes.as_slice() {
            [(origin, scope, outcome)] if (*origin, *scope) == feed => match *outcome {
                "refused" | "early" | "need_snapshot" => Err(bad_answer(format!(
                    "its snapshot of a feed of {origin} is {outcome}"
                ))),
                _ => Ok(()),
            },
            _ => Err(bad_answer("another thing than the snapshot asked for")),
        }
    }
}

/// Who is taken in, and how.
pub(super) struct Taking<'t> {
    pub own: InstanceId,
    pub now: Timestamp,
    pub run_no: Option<i64>,
    /// Whether the own feed is taken back.
    pub takes_own: bool,
    /// Origins approved by hand: their records are shown at once.
    pub approved: &'t BTreeSet<InstanceId>,
}

impl Taking<'_> {
    /// The place into which a transaction takes it.
    pub fn sink<'w, 's>(&self, write: &'w Write<'s>) -> StoreSink<'w, 's> {
        let mut sink = StoreSink::new(write, self.own, self.now);
        sink.run_no = self.run_no;
        sink.takes_own = self.takes_own;
        sink.approved.clone_from(self.approved);
        sink
    }
}

/// Takes feed sections, as any road brings them.
pub(super) fn apply<'l>(
    write: &Write<'_>,
    taking: &Taking<'_>,
    lines: impl Iterator<Item = &'l [u8]>,
    tally: &mut Tally,
) -> Result<Applied, SyncEnd> {
    let mut sink = taking.sink(write);
    let mut sections = Sections::default();
    for line in lines {
        sections.push(line, &mut sink)?;
    }
    sections.cut_off(&mut sink)?;
    sections.end(&mut sink, tally)
}

/// The same for what waits in a file: it may be long, so it is read on a thread of its own.
pub(super) fn apply_spooled(
    write: &Write<'_>,
    taking: &Taking<'_>,
    spool: Spool,
    tally: &mut Tally,
) -> Result<Applied, SyncEnd> {
    let mut sink = taking.sink(write);
    let sections: Result<Sections, SyncEnd> = apart(&mut sink, &mut |_| {}, |across| {
        let mut sections = Sections::default();
        spool.each(|line| Ok::<_, Unread>(sections.push(line, across)?))?;
        sections.cut_off(across)?;
        Ok(sections)
    });
    sections?.end(&mut sink, tally)
}

/// Reads feed sections line by line into the place where feeds are kept.
pub(super) struct Sections {
    driver: Driver,
    again: Vec<Held>,
    /// What is wrong with a line that is of no feed: then nothing of it all counts.
    broken: Option<Rule>,
}

impl Default for Sections {
    fn default() -> Self {
        Self {
            driver: Driver::sections(),
            again: Vec::new(),
            broken: None,
        }
    }
}

impl Sections {
    pub fn push<S: Sink>(&mut self, line: &[u8], sink: &mut S) -> Result<(), S::Error> {
        if self.broken.is_some() {
            return Ok(());
        }
        if line.starts_with(AgainSection::START) {
            match AgainSection::read(line) {
                Ok(again) => self.again.push(again.head),
                Err(rule) => self.broken = Some(rule),
            }
            return Ok(());
        }
        self.driver.push(line, sink)
    }

    /// No line comes any more.
    pub fn cut_off<S: Sink>(&mut self, sink: &mut S) -> Result<(), S::Error> {
        self.driver.cut_off(sink)
    }

    /// What all of it led to.
    pub fn end(self, sink: &mut StoreSink<'_, '_>, tally: &mut Tally) -> Result<Applied, SyncEnd> {
        if let Some(rule) = self.broken {
            return Err(bad_answer(rule.as_str()));
        }
        self.driver
            .finish()
            .map_err(|error| bad_answer(error.to_string()))?;
        let mut want_snapshot = Vec::new();
        for feed in self.driver.feeds() {
            match feed.outcome {
                "early" | "need_snapshot" => want_snapshot.push((feed.origin, feed.scope)),
                _ if feed.is_good() => {}
                outcome => {
                    if outcome == REFUSED {
                        want_snapshot.push((feed.origin, feed.scope));
                    }
                    tally.set_aside.push(SetAside {
                        origin: feed.origin,
                        scope: feed.scope,
                        outcome,
                        rule: feed.rule.map(Rule::as_str),
                    });
                }
            }
        }
        tally.own_is_ahead |= sink.own_is_ahead;
        tally.recovered.append(&mut sink.recovered);
        let good = |outcome: &str| matches!(outcome, "append" | "take");
        let heard = self.driver.feeds().iter().filter(|feed| good(feed.outcome));
        tally.heard.extend(heard.map(|feed| feed.origin));
        let outcomes = self.driver.feeds().iter();
        Ok(Applied {
            want_snapshot,
            again: self.again,
            own_came_back: sink.own_came_back,
            outcomes: outcomes
                .map(|feed| (feed.origin, feed.scope, feed.outcome))
                .collect(),
        })
    }
}
