//! Putting what came into the store: one page, one transaction, and the cursor in it.

use std::collections::BTreeSet;

use wb_core::bundle::Driver;
use wb_core::id::InstanceId;
use wb_core::scope::FeedScope;
use wb_core::sync::AgainSection;
use wb_core::time::Timestamp;
use wb_core::want::Held;
use wb_store::{Changed, Difference, Write};

use super::{SyncEnd, bad_answer};
use crate::error::NodeError;
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

/// Takes feed sections, as any road brings them.
pub(super) fn apply<'l>(
    write: &Write<'_>,
    taking: &Taking<'_>,
    lines: impl Iterator<Item = &'l [u8]>,
    tally: &mut Tally,
) -> Result<Applied, SyncEnd> {
    let mut applier = Applier::new(write, taking);
    for line in lines {
        applier.push(line)?;
    }
    applier.finish(tally)
}

/// Takes feed sections line by line.
pub(super) struct Applier<'w, 's> {
    sink: StoreSink<'w, 's>,
    driver: Driver,
    again: Vec<Held>,
}

impl<'w, 's> Applier<'w, 's> {
    pub fn new(write: &'w Write<'s>, taking: &Taking<'_>) -> Self {
        let mut sink = StoreSink::new(write, taking.own, taking.now);
        sink.run_no = taking.run_no;
        sink.takes_own = taking.takes_own;
        sink.approved.clone_from(taking.approved);
        Self {
            sink,
            driver: Driver::sections(),
            again: Vec::new(),
        }
    }

    pub fn push(&mut self, line: &[u8]) -> Result<(), SyncEnd> {
        if line.starts_with(AgainSection::START) {
            let again = AgainSection::read(line).map_err(|rule| bad_answer(rule.as_str()))?;
            self.again.push(again.head);
            return Ok(());
        }
        let pushed = self.driver.push(line, &mut self.sink);
        Ok(pushed.map_err(NodeError::from)?)
    }

    pub fn finish(mut self, tally: &mut Tally) -> Result<Applied, SyncEnd> {
        self.driver
            .cut_off(&mut self.sink)
            .map_err(NodeError::from)?;
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
                        rule: feed.rule.map(wb_core::rule::Rule::as_str),
                    });
                }
            }
        }
        tally.own_is_ahead |= self.sink.own_is_ahead;
        let own_came_back = self.sink.own_came_back;
        tally.recovered.append(&mut self.sink.recovered);
        let good = |outcome: &str| matches!(outcome, "append" | "take");
        let heard = self.driver.feeds().iter().filter(|feed| good(feed.outcome));
        tally.heard.extend(heard.map(|feed| feed.origin));
        let outcomes = self.driver.feeds().iter();
        Ok(Applied {
            want_snapshot,
            again: self.again,
            own_came_back,
            outcomes: outcomes
                .map(|feed| (feed.origin, feed.scope, feed.outcome))
                .collect(),
        })
    }
}
