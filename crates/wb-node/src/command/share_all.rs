//! `wb record share --kind`: marks many records at one time, as far as their authors agreed to it.
//!
//! Only an author widens. So a steward's word for many takes a steward's own ceiling away where the author had chosen
//! as much; whoever chose less is asked, sees it on every page, and answers for each record or for all.

use std::collections::{BTreeMap, BTreeSet};

use wb_core::id::RecordId;
use wb_core::kinds::known_version;
use wb_core::leave::{Life, Stays};
use wb_core::scope::{Kind, Scope};
use wb_core::time::Timestamp;
use wb_store::{AccountState, Agreement, AgreementAnswer, LocalRecord};

use super::record_share::{forbidden, is_author, renew_share_code, withdraw_question};
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::plan::{Reaches, headline};

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SharedAll {
    /// Records that go as far as was said from here.
    pub changed: u64,
    /// Records that went as far before.
    pub already: u64,
    /// Records whose authors are asked now.
    pub asked: u64,
    /// Records whose authors were asked before, and have not answered.
    pub waiting: u64,
    /// Records whose authors declined before; they are not asked again.
    pub declined: u64,
    /// Records that were taken back before: one by one somebody may share them again, and not with many.
    pub taken_back: u64,
}

/// What would come of it, before it is done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WouldShare {
    /// What would be marked and asked.
    pub counts: SharedAll,
    /// Of what would be marked, records that go as far as was said with the next publish.
    pub leaves: u64,
    /// Of what would be marked, records that stay nearer all the same, and why.
    pub stays: BTreeMap<Stays, u64>,
    /// Authors who would be asked.
    pub authors: u64,
}

/// What is to be done about one record.
enum Step {
    Already,
    Waiting,
    Declined,
    TakenBack,
    Change(Box<LocalRecord>),
    Ask,
}

/// One record of those that are meant.
struct Meant {
    record: RecordId,
    author: RecordId,
    /// Whether a steward's newest word about it takes back what its author was asked before.
    withdraws: bool,
    step: Step,
}

/// What marking all records of a kind would do; nothing is changed.
///
/// # Errors
/// As [`share_all`].
pub fn would_share(node: &Node, actor: &Actor, kind: &Kind, scope: Scope) -> Result<WouldShare> {
    check(node, kind)?;
    let reaches = Reaches::new(node, node.now())?;
    let (mut would, mut authors) = (WouldShare::default(), BTreeSet::new());
    for meant in meant(node, actor, kind, scope)? {
        would.counts.note(&meant.step);
        match meant.step {
            Step::Change(record) => match reaches.of(&record)? {
                Ok(feed) if Scope::from(feed) >= scope => would.leaves += 1,
                Ok(_) => {}
                Err(stays) => *would.stays.entry(stays).or_default() += 1,
            },
            Step::Ask => drop(authors.insert(meant.author)),
            Step::Already | Step::Waiting | Step::Declined | Step::TakenBack => {}
        }
    }
    would.authors = authors.len() as u64;
    Ok(would)
}

/// Marks all records of a kind: a member one's own, a steward everybody's as far as their authors chose.
///
/// # Errors
/// That records of this kind never leave, or what the store reports; then nothing was changed.
pub fn share_all(node: &Node, actor: &Actor, kind: &Kind, scope: Scope) -> Result<SharedAll> {
    check(node, kind)?;
    let now = node.now();
    // Read and written in one transaction: nobody's mark is lost.
    let write = node.store.write_in_sight()?;
    let (mut done, mut asks) = (SharedAll::default(), Vec::new());
    let mut changed: BTreeMap<RecordId, u64> = BTreeMap::new();
    for meant in meant(node, actor, kind, scope)? {
        done.note(&meant.step);
        if meant.withdraws {
            withdraw_question(node, &meant.record, scope)?;
        }
        match meant.step {
            Step::Already | Step::Waiting | Step::Declined | Step::TakenBack => {}
            Step::Ask => asks.push((meant.author, meant.record)),
            Step::Change(mut record) => {
                *changed.entry(meant.author).or_default() += 1;
                record.edit += 1;
                write.put_local(&record)?;
            }
        }
    }
    write.commit()?;
    let mut asked: BTreeMap<RecordId, u64> = BTreeMap::new();
    node.store.private().together(|private| {
        for (author, record) in &asks {
            *asked.entry(*author).or_default() += 1;
            private.put_agreement(&Agreement {
                record: *record,
                user: *author,
                scope,
                asked_by: Some(actor.user),
                asked_at: now,
                answer: None,
                answered_at: None,
            })?;
        }
        Ok::<_, NodeError>(())
    })?;
    // It stands in each author's own log.
    for (act, counts) in [("record share", changed), ("record ask", asked)] {
        for (author, count) in counts {
            let detail = format!("{count} of kind {kind}, scope {scope}");
            node.audit(now, actor, act, &author, detail)?;
        }
    }
    Ok(done)
}

impl SharedAll {
    fn note(&mut self, step: &Step) {
        *match step {
            Step::Already => &mut self.already,
            Step::Waiting => &mut self.waiting,
            Step::Declined => &mut self.declined,
            Step::TakenBack => &mut self.taken_back,
            Step::Change(_) => &mut self.changed,
            Step::Ask => &mut self.asked,
        } += 1;
    }
}

fn check(node: &Node, kind: &Kind) -> Result<()> {
    if known_version(kind.as_str()).is_none() {
        return Err(NodeError::Refused(format!(
            "a {kind} never leaves this instance"
        )));
    }
    super::retire::check_open(node)
}

/// The records that are meant, and what is to be done about each.
fn meant(node: &Node, actor: &Actor, kind: &Kind, scope: Scope) -> Result<Vec<Meant>> {
    let mut records = Vec::new();
    node.store.each_local(|record| -> Result<()> {
        if record.kind == *kind && record.life == Life::Active {
            records.push(record);
        }
        Ok(())
    })?;
    let mut all = Vec::new();
    for record in records {
        let Some(author) = record.author else {
            continue;
        };
        if author != actor.user && !actor.is_steward() {
            continue;
        }
        all.push(Meant {
            record: record.id,
            author,
            // As far as its author chose, or less.
            withdraws: !is_author(actor, &record) && scope <= record.scope,
            step: step(node, actor, record, scope)?,
        });
    }
    Ok(all)
}

/// Whether a record was shared once and is kept home since.
fn was_taken_back(node: &Node, record: &LocalRecord) -> Result<bool> {
    let is_home = record.scope.min(record.ceiling) == Scope::Private;
    Ok(is_home && record.rev > 0 && node.store.sealed(&record.id)?.is_empty())
}

fn step(node: &Node, actor: &Actor, mut record: LocalRecord, scope: Scope) -> Result<Step> {
    if scope > Scope::Private && was_taken_back(node, &record)? {
        return Ok(Step::TakenBack);
    }
    if is_author(actor, &record) {
        if record.scope == scope {
            return Ok(Step::Already);
        }
        record.scope = scope;
        renew_share_code(&mut record, node)?;
        return Ok(Step::Change(Box::new(record)));
    }
    if scope <= record.scope {
        // As far as its author chose, or less. It is the newest word of a steward.
        if record.ceiling == scope || (record.ceiling > scope && record.scope == scope) {
            return Ok(Step::Already);
        }
        record.ceiling = scope;
        return Ok(Step::Change(Box::new(record)));
    }
    let private = node.store.private();
    let author = match record.author {
        Some(author) => private.account_of(&author)?,
        None => None,
    };
    if author.is_none_or(|author| author.state != AccountState::Approved) {
        // Nobody can answer.
        return Ok(Step::Declined);
    }
    Ok(match private.agreement(&record.id)? {
        Some(asked) if asked.scope >= scope && asked.answer.is_none() => Step::Waiting,
        Some(asked) if asked.answer == Some(AgreementAnswer::Declined) => Step::Declined,
        _ => Step::Ask,
    })
}

/// What an author is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The record.
    pub record: RecordId,
    /// How far it would go.
    pub scope: Scope,
    /// Since when.
    pub at: Timestamp,
}

/// What a member is asked to share more widely and has not answered. What they widened by themselves since is not asked
/// any more, nor what somebody kept nearer after the question.
///
/// # Errors
/// What the store reports.
pub fn asked(node: &Node, user: &RecordId) -> Result<Vec<Asked>> {
    let mut waiting = Vec::new();
    for row in node.store.private().agreements_of(user)? {
        if open(node, &row)?.is_some() {
            waiting.push(Asked {
                record: row.record,
                scope: row.scope,
                at: row.asked_at,
            });
        }
    }
    Ok(waiting)
}

/// The record that a question is about, while it is open.
fn open(node: &Node, row: &Agreement) -> Result<Option<LocalRecord>> {
    let record = node.store.local(&row.record)?;
    Ok(record.filter(|record| {
        row.answer.is_none()
            && record.author == Some(row.user)
            && record.life == Life::Active
            && record.scope < row.scope
    }))
}

/// Who was asked, and has not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// The author's handle.
    pub author: String,
    /// The kind of the record.
    pub kind: Kind,
    /// Its title, or the start of its text.
    pub headline: String,
    /// How far it would go.
    pub scope: Scope,
    /// Since when.
    pub at: Timestamp,
}

/// Every question that an author of this instance has not answered, the oldest first.
///
/// # Errors
/// What the store reports.
pub fn unanswered(node: &Node) -> Result<Vec<Unanswered>> {
    let private = node.store.private();
    let mut all = Vec::new();
    for row in private.agreements_waiting()? {
        let (Some(record), Some(author)) = (open(node, &row)?, private.account_of(&row.user)?)
        else {
            continue;
        };
        all.push(Unanswered {
            author: author.handle,
            headline: headline(record.kind.as_str(), &record.body),
            kind: record.kind,
            scope: row.scope,
            at: row.asked_at,
        });
    }
    Ok(all)
}

/// Answers for one record: it goes as far as was asked from here, or stays as it is and is not asked about again.
///
/// # Errors
/// That nothing is asked of the actor about it.
pub fn answer(
    node: &Node,
    actor: &Actor,
    record: &RecordId,
    answer: AgreementAnswer,
) -> Result<()> {
    let now = node.now();
    let write = node.store.write_in_sight()?;
    let mut asked = asked(node, &actor.user)?.into_iter();
    let asked = asked.find(|asked| asked.record == *record);
    let asked = asked.ok_or_else(|| NodeError::unknown("question about", record.to_string()))?;
    let found = write.local(record)?;
    let mut found = found.ok_or_else(|| NodeError::unknown("record", record.to_string()))?;
    if !is_author(actor, &found) {
        return Err(forbidden(actor));
    }
    if answer == AgreementAnswer::Agreed {
        super::retire::check_open(node)?;
        found.scope = asked.scope;
        // A steward asked for it: no steward keeps it here any more.
        found.ceiling = found.ceiling.max(asked.scope);
        renew_share_code(&mut found, node)?;
        found.edit += 1;
        write.put_local(&found)?;
    }
    write.commit()?;
    let private = node.store.private();
    if let Some(mut row) = private.agreement(record)? {
        row.answer = Some(answer);
        row.answered_at = Some(now);
        private.put_agreement(&row)?;
    }
    let act = match answer {
        AgreementAnswer::Agreed => "record agree",
        AgreementAnswer::Declined => "record decline",
    };
    node.audit(now, actor, act, record, format!("scope {}", asked.scope))
}
