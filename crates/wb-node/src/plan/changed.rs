//! The plan from what changed: what nothing happened to since it was worked out last is taken from what is kept.
//!
//! Triggers mark a record when it was written, when the request of others that it belongs to changes, and when its author's
//! account or its invite does (`wb-store/src/planned.rs`). What is marked is worked out here; where it goes as far as it did, what
//! belongs to it does as well, else that is worked out too. What decides about all records alike is one text, the ground:
//! where it is another than what is kept was worked out under, everything is worked out anew.

use std::collections::{BTreeMap, BTreeSet};

use wb_core::id::{RecordId, RecordRef};
use wb_core::leave::Stays;
use wb_core::scope::FeedScope;
use wb_core::time::Timestamp;
use wb_store::{LocalRecord, PlanGround, Write};

use super::gather::{Gather, Verdict};
use super::{Plan, Tally};
use crate::error::Result;
use crate::node::Node;

/// Raised when the same records, under the same ground, would be planned otherwise.
const RULES: u32 = 1;
/// After so long everything is worked out once more, whatever changed: a change that nothing marked must not keep public
/// for long what should be taken back.
const WHOLE_EVERY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What was looked at for a plan.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// How many records.
    pub at: usize,
    /// Those of which something else has to be kept than is.
    other: Vec<Other>,
    /// Whether that is every record there is.
    is_whole: bool,
    /// How many records there are of each answer: as kept, with what was looked at.
    counts: BTreeMap<String, u64>,
    /// When it was; none where nothing was.
    now: Option<Timestamp>,
    /// The number of the last member or invite that was looked at because something happened to it.
    asked: i64,
}

/// What was found of a record, and is not kept so.
#[derive(Debug)]
struct Other {
    id: RecordId,
    /// How far it goes, or the cause that keeps it home.
    word: &'static str,
    lasts: bool,
    /// Whether there is something to seal of it.
    acts: bool,
}

/// Works out what would be published, from what changed.
pub(super) fn plan(node: &Node, now: Timestamp) -> Result<Plan> {
    let new_logs = node.store.new_logs_due()?;
    let opens_logs = !new_logs.is_empty();
    // Before anything that they decide about: what happens meanwhile is asked with a later number.
    let (asked, members) = node.store.private().plan_asked()?;
    let gather = Gather::new(node, now, new_logs)?;
    let kept = match node.store.plan_ground()? {
        Some(kept) if !opens_logs && is_ground(node, &gather, &kept)? => Some(kept),
        _ => None,
    };
    let mut looking = Looking {
        node,
        gather: &gather,
        plan: Plan::default(),
        done: BTreeSet::new(),
    };
    looking.plan.looked.now = Some(now);
    looking.plan.looked.asked = asked;
    match kept {
        None => {
            looking.plan.looked.is_whole = true;
            node.store
                .each_local(|record| looking.look(&record).map(drop))?;
        }
        Some(kept) => {
            looking.plan.looked.counts = node.store.planned_counts()?;
            looking.plan.tally = tally(&looking.plan.looked.counts);
            looking.look_at_all(node.store.plan_due()?)?;
            looking.look_at_all(node.store.private().invites_ending(kept.at, now)?)?;
            for member in members {
                looking.look_at_all(vec![member])?;
                looking.look_at_all(node.store.ids_by(&member)?)?;
            }
        }
    }
    let mut plan = looking.plan;
    plan.new_logs = gather.new_logs;
    plan.sort();
    Ok(plan)
}

/// What is looked at, one after the other.
struct Looking<'n> {
    node: &'n Node,
    gather: &'n Gather<'n>,
    plan: Plan,
    done: BTreeSet<RecordId>,
}

impl Looking<'_> {
    /// Looks at records, and at what belongs to each that goes otherwise than it did.
    fn look_at_all(&mut self, mut ids: Vec<RecordId>) -> Result<()> {
        while let Some(id) = ids.pop() {
            if self.done.contains(&id) {
                continue;
            }
            let Some(record) = self.node.store.local(&id)? else {
                continue;
            };
            if self.look(&record)? {
                let origin = self.node.own_id();
                ids.extend(self.node.store.ids_under(&RecordRef { origin, id })?);
            }
        }
        Ok(())
    }

    /// Looks at one; says whether it goes otherwise than when it was looked at last.
    fn look(&mut self, record: &LocalRecord) -> Result<bool> {
        let was = self.node.store.planned(&record.id)?;
        let verdict = self.gather.verdict(record)?;
        let Plan {
            puts,
            retracts,
            tally,
            looked,
            ..
        } = &mut self.plan;
        looked.at += 1;
        if !looked.is_whole {
            self.done.insert(record.id);
            if let Some(word) = &was.word {
                tally.take_away(word);
                if let Some(records) = looked.counts.get_mut(word) {
                    *records = records.saturating_sub(1);
                }
            }
        }
        tally.count(&verdict);
        let word = word_of(&verdict);
        *looked.counts.entry(word.to_owned()).or_default() += 1;
        let (lasts, acts) = (verdict.lasts, verdict.acts());
        let is_kept = was.word.as_deref() == Some(word) && was.is_due != (lasts && !acts);
        // Sealing marks what it seals.
        if acts || !is_kept {
            let id = record.id;
            looked.other.push(Other {
                id,
                word,
                lasts,
                acts,
            });
        }
        let before = was.word.as_deref().map(scope_of);
        // What is unfit in the form in which it would leave may go far for those that belong to it.
        let is_unfit = |word: &str| word == Stays::BodyUnfit.as_str();
        let moves = before != Some(verdict.reach.ok())
            || is_unfit(word)
            || was.word.as_deref().is_some_and(is_unfit);
        puts.extend(verdict.put);
        retracts.extend(verdict.retracts);
        Ok(moves)
    }
}

/// What decides about all records alike, as one text.
fn ground_text(node: &Node, gather: &Gather<'_>) -> Result<String> {
    let copy = node.store.meta("incarnation")?.unwrap_or_default();
    Ok(format!(
        "{RULES} {} retired={} audience={} copy={copy} heads={}",
        env!("CARGO_PKG_VERSION"),
        gather.is_retired,
        gather.has_audience,
        node.store.own_heads()?,
    ))
}

/// Whether what is kept was worked out under what is now, and not too long ago.
fn is_ground(node: &Node, gather: &Gather<'_>, kept: &PlanGround) -> Result<bool> {
    let since = gather.now.unix_ms() - kept.whole_at.unix_ms();
    Ok((0..WHOLE_EVERY_MS).contains(&since) && kept.text == ground_text(node, gather)?)
}

fn word_of(verdict: &Verdict) -> &'static str {
    match &verdict.reach {
        Ok(scope) => scope.as_str(),
        Err(cause) => cause.as_str(),
    }
}

/// The feed that a kept word names; none where it is a cause that keeps a record home.
fn scope_of(word: &str) -> Option<FeedScope> {
    FeedScope::ALL
        .into_iter()
        .find(|scope| scope.as_str() == word)
}

fn tally(counts: &BTreeMap<String, u64>) -> Tally {
    let mut tally = Tally::default();
    for (word, records) in counts.iter().filter(|(_, records)| **records > 0) {
        match cause_of(word) {
            Some(cause) => *tally.stays.entry(cause).or_default() += records,
            None => tally.unchanged += records,
        }
    }
    tally
}

fn cause_of(word: &str) -> Option<Stays> {
    Stays::ALL.into_iter().find(|cause| cause.as_str() == word)
}

impl Tally {
    /// One less of a kept word.
    fn take_away(&mut self, word: &str) {
        let Some(cause) = cause_of(word) else {
            self.unchanged = self.unchanged.saturating_sub(1);
            return;
        };
        if let Some(records) = self.stays.get_mut(&cause) {
            *records -= 1;
            if *records == 0 {
                self.stays.remove(&cause);
            }
        }
    }
}

/// Whether something else was found than what is kept, so that it is worth a write though there is nothing to seal.
pub(crate) fn is_to_be_kept(plan: &Plan) -> bool {
    let looked = &plan.looked;
    looked.is_whole || looked.asked > 0 || !looked.other.is_empty()
}

/// Keeps what was found, in the transaction in which it was looked at and in which the puts of the plan were sealed.
pub(crate) fn keep(node: &Node, write: &Write<'_>, plan: &Plan) -> Result<()> {
    let looked = &plan.looked;
    let Some(at) = looked.now else { return Ok(()) };
    let sealed: BTreeSet<RecordId> = plan.puts.iter().map(|put| put.leaving.id()).collect();
    for one in &looked.other {
        let lasts = one.lasts && (sealed.contains(&one.id) || !one.acts);
        write.keep_planned(&one.id, one.word, lasts)?;
    }
    for word in node.store.planned_counts()?.keys() {
        if !looked.counts.contains_key(word) {
            write.keep_planned_count(word, 0)?;
        }
    }
    for (word, records) in &looked.counts {
        write.keep_planned_count(word, *records)?;
    }
    let whole_at = match node.store.plan_ground()? {
        Some(kept) if !looked.is_whole => kept.whole_at,
        _ => at,
    };
    let gather = Gather::new(node, at, Vec::new())?;
    write.keep_plan_ground(&PlanGround {
        text: ground_text(node, &gather)?,
        at,
        whole_at,
    })?;
    Ok(())
}

/// Forgets which members and invites were looked at, once what was found is kept.
pub(crate) fn answered(node: &Node, plan: &Plan) -> Result<()> {
    if plan.looked.asked > 0 {
        node.store.private().plan_answered(plan.looked.asked)?;
    }
    Ok(())
}

/// Keeps what would be published where nothing is to be sealed, so that it is not looked at again.
pub(crate) fn settle(node: &Node, now: Timestamp) -> Result<()> {
    let write = node.store.write_in_sight()?;
    let plan = super::plan(node, now)?;
    let kept = Plan {
        puts: Vec::new(),
        ..plan
    };
    keep(node, &write, &kept)?;
    write.commit()?;
    answered(node, &kept)
}

/// What the plan from what changed and the plan of everything differ in; none where they say the same. What another process
/// wrote between the two is no difference, so that is looked at again.
///
/// # Errors
/// What the store reports.
pub fn disagreement(node: &Node, now: Timestamp) -> Result<Option<String>> {
    const TRIES: u32 = 3;
    let mut differs = None;
    for _ in 0..TRIES {
        differs = difference(&plan(node, now)?, &super::whole(node, now)?.plan);
        if differs.is_none() {
            break;
        }
    }
    Ok(differs)
}

fn difference(changed: &Plan, whole: &Plan) -> Option<String> {
    let text = |plan: &Plan| {
        let puts = plan.puts.iter().map(|put| {
            let leaving = &put.leaving;
            let (id, scope, by) = (leaving.id(), leaving.scope(), leaving.by());
            let (rev, edit, is_new) = (put.rev, put.edit, put.is_new);
            let body = leaving.body();
            format!("put {id} {scope:?} {by} {rev} {edit} {is_new} {body}")
        });
        let retracts = plan.retracts.iter().map(|retract| format!("{retract:?}"));
        let rest = format!("{:?} {:?}", plan.new_logs, plan.tally);
        puts.chain(retracts).chain([rest]).collect::<Vec<_>>()
    };
    let (changed, whole) = (text(changed), text(whole));
    let lacks: Vec<&String> = whole.iter().filter(|one| !changed.contains(one)).collect();
    let adds: Vec<&String> = changed.iter().filter(|one| !whole.contains(one)).collect();
    let differs = changed != whole;
    differs.then(|| format!("the plan from what changed lacks {lacks:#?} and has {adds:#?}"))
}
