//! One step: the naive follower takes it, the subject beside it must answer the same.

use super::{Step, World};
use crate::naive::{Follower, Outcome};

impl World {
    pub(super) fn step(&mut self, step: &Step) -> Outcome {
        self.steps += 1;
        let to = match step {
            Step::Newcomer { to }
            | Step::Identity { to, .. }
            | Step::Delta { to, .. }
            | Step::Snapshot { to, .. }
            | Step::Fill { to, .. } => *to,
        };
        let peer = &mut self.peers[to];
        peer.touched = true;
        let outcome = match step {
            Step::Newcomer { .. } => {
                peer.reader = Follower::new(&peer.scopes);
                peer.floor.clear();
                peer.sent.clear();
                peer.evidence.clear();
                peer.ledger.clear();
                Outcome::plain("newcomer")
            }
            Step::Identity { lines, .. } => peer.reader.identity(lines),
            Step::Delta { header, items, .. } => peer.reader.delta(header, items),
            Step::Snapshot { lines, .. } => peer.reader.snapshot(lines),
            Step::Fill { line, .. } => peer.reader.fill(line),
        };
        let rule = outcome.rule.as_deref().unwrap_or("");
        *self
            .outcomes
            .entry(format!("{} {rule}", outcome.name))
            .or_default() += 1;
        if let Some(make) = self.make {
            if let Step::Newcomer { .. } = step {
                self.subjects[to] = make(&self.peers[to].scopes);
            } else {
                self.compare(to, step, &outcome);
            }
        }
        outcome
    }

    fn compare(&mut self, to: usize, step: &Step, outcome: &Outcome) {
        let subject = &mut self.subjects[to];
        let answer = match step {
            Step::Newcomer { .. } => return,
            Step::Identity { lines, .. } => subject.identity(lines),
            Step::Delta { header, items, .. } => subject.delta(header, items),
            Step::Snapshot { lines, .. } => subject.snapshot(lines),
            Step::Fill { line, .. } => subject.fill(line),
        };
        let reader = &self.peers[to].reader;
        // A snapshot that breaks several rules is not taken, whichever of them is met first: one
        // reader takes it line by line, the other as a whole.
        let not_taken =
            |outcome: &Outcome| ["refused", "void", "early"].contains(&outcome.name.as_str());
        let both_refuse = matches!(step, Step::Snapshot { broken: true, .. })
            && not_taken(&answer)
            && not_taken(outcome);
        let differs = if answer == *outcome || both_refuse {
            let feeds = (reader.feeds(), subject.feeds());
            let shown = (reader.shown(), subject.shown());
            let hidden = (reader.hidden(), subject.hidden());
            if feeds.0 != feeds.1 {
                Some(format!(
                    "feeds\n  naive   {:?}\n  subject {:?}",
                    feeds.0, feeds.1
                ))
            } else if shown.0 != shown.1 {
                Some(format!(
                    "shown\n  naive   {:?}\n  subject {:?}",
                    shown.0, shown.1
                ))
            } else if hidden.0 != hidden.1 {
                Some(format!(
                    "hidden\n  naive   {:?}\n  subject {:?}",
                    hidden.0, hidden.1
                ))
            } else {
                None
            }
        } else {
            Some(format!(
                "outcome\n  naive   {outcome:?}\n  subject {answer:?}"
            ))
        };
        if let Some(differs) = differs {
            let name = self.peers[to].name;
            self.fail(format!(
                "{name} after {outcome:?}: {differs}\n  step {step:?}"
            ));
        }
    }
}
