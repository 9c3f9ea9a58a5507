//! What trust says in words: of many at once, of one with everything, and why one fell.

use std::collections::{BTreeMap, BTreeSet};

use wb_core::id::{InstanceId, RecordId};
use wb_core::kinds::Level;
use wb_core::trust::{Levels, Step, Why};

use super::{StepView, Trust, number};
use crate::view::NamedView;

/// Every level with the way by which it came: what a list says of many at once.
pub(crate) struct Outline {
    pub levels: Levels,
    ways: BTreeMap<InstanceId, Vec<Step>>,
}

impl Trust {
    /// The levels of all with their ways: three flows and three searches, however many there are. Until when each
    /// holds and what it hangs on is asked of one at a time ([`Trust::why`]).
    pub(crate) fn outline(&self) -> Outline {
        let levels = self.levels();
        let mut ways = BTreeMap::new();
        for level in [Level::Known, Level::Trusted, Level::Steward] {
            let of_it = levels.iter().filter(|(_, one)| **one == level);
            let ids: BTreeSet<InstanceId> = of_it.map(|(id, _)| *id).collect();
            ways.extend(self.ground.ways(level, &ids, self.now));
        }
        Outline { levels, ways }
    }

    /// How far an instance is trusted and by which way, in one sentence.
    pub(crate) fn says(&self, outline: &Outline, id: &InstanceId) -> String {
        let name = self.name(id);
        let Some(level) = outline.levels.get(id) else {
            return self.without_level(id, &name);
        };
        let mut sentence = format!("{name} is level {}: ", number(Some(*level)));
        if self.ground.approved.get(id).is_some_and(|far| far >= level) {
            sentence.push_str("approved here by hand");
            return sentence;
        }
        sentence.push_str("You");
        for step in outline.ways.get(id).into_iter().flatten() {
            sentence.push_str(" → ");
            sentence.push_str(&self.name(&step.to));
        }
        sentence
    }

    fn without_level(&self, id: &InstanceId, name: &str) -> String {
        if self.ground.refused.contains(id) {
            format!("{name} is refused here: level 0, whoever vouches for it")
        } else {
            format!("{name} is level 0: nobody who is trusted here vouches for it")
        }
    }

    /// Why an arrow that let somebody be shown does not count any more; none where it does.
    pub(crate) fn broken(
        &self,
        from: &InstanceId,
        to: &InstanceId,
        vouch: Option<&RecordId>,
    ) -> Option<String> {
        let (issuer, subject) = (self.name(from), self.name(to));
        for (id, name) in [(from, &issuer), (to, &subject)] {
            if self.ground.refused.contains(id) {
                return Some(format!("{name} is refused here"));
            }
        }
        let Some(vouch) = vouch else {
            let is_approved = self.ground.approved.contains_key(to);
            return (!is_approved).then(|| format!("{subject} is not accepted here any more"));
        };
        let mut known = self.vouches.iter();
        let held = known.find(|(one, _)| one.id == *vouch && one.issuer == *from);
        let Some((held, _)) = held.filter(|(one, _)| one.subject == *to) else {
            return Some(format!("{issuer} took back what it vouched for {subject}"));
        };
        if held.expires_at <= self.now {
            Some(format!("what {issuer} vouched for {subject} ran out"))
        } else if held.feed_valid_until.is_some_and(|until| until <= self.now) {
            Some(format!("nothing was heard of {issuer} for too long"))
        } else if held.level < Level::Trusted {
            Some(format!("{issuer} vouches for {subject} as known only"))
        } else {
            None
        }
    }

    pub(super) fn sentence(
        &self,
        id: InstanceId,
        why: Option<&Why>,
        way: &[StepView],
        hangs_on: &[NamedView],
    ) -> String {
        let name = self.name(&id);
        let Some(why) = why else {
            return self.without_level(&id, &name);
        };
        let mut sentence = format!("{name} is level {}: ", number(Some(why.level)));
        if why.by_hand {
            sentence.push_str("approved here by hand");
            return sentence;
        }
        sentence.push_str("You");
        for step in way {
            sentence.push_str(" → ");
            sentence.push_str(&self.name(&step.to.id));
        }
        let ways = why.disjoint_ways;
        sentence.push_str(&match ways {
            1 => "; 1 way".to_owned(),
            _ => format!("; {ways} ways that share nobody"),
        });
        if let Some(until) = why.until {
            sentence.push_str(&format!("; until {until}"));
        }
        if !hangs_on.is_empty() {
            let names: Vec<String> = hangs_on.iter().map(|one| self.name(&one.id)).collect();
            sentence.push_str(&format!("; falls if {} revokes", names.join(" or ")));
        }
        sentence
    }
}
