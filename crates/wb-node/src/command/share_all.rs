//! `wb record share --kind`: marks many records at one time, as far as their authors agreed to it.
//!
//! Only an author widens. So a steward's word for many takes a steward's own ceiling away where the author had chosen
//! as much; whoever chose less is asked, sees it on every page, and answers for each record or for all.

use std::collections::BTreeMap;

use wb_core::id::RecordId;
use wb_core::kinds::known_version;
use wb_core::leave::Life;
use wb_core::scope::{Kind, Scope};
use wb_core::time::Timestamp;
use wb_store::{AccountState, Agreement, AgreementAnswer, LocalRecord};

use super::record_share::{forbidden, is_author, renew_share_code, withdraw_question};
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};

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
}

/// What is to be done about one record.
enum Step {
    Already,
    Waiting,
    Declined,
    Change(Box<LocalRecord>),
    Ask(RecordId),
}

/// Marks all records of a kind: a member one's own, a steward everybody's as far as their authors chose.
///
/// # Errors
/// That records of this kind never leave, or what the store reports; then nothing was changed.
pub fn share_all(node: &Node, actor: &Actor, kind: &Kind, scope: Scope) -> Result<SharedAll> {
    if known_version(kind.as_str()).is_none() {
        return Err(NodeError::Refused(format!(
            "a {kind} never leaves this instance"
        )));
    }
    super::retire::check_open(node)?;
    let now = node.now();
    // Read and written in one transaction: nobody's mark is lost.
    let write = node.store.write_in_sight()?;
    let (mut done, mut asks, mut records) = (SharedAll::default(), Vec::new(), Vec::new());
    node.store.each_local(|record| -> Result<()> {
        if record.kind == *kind && record.life == Life::Active {
            records.push(record);
        }
        Ok(())
    })?;
    let mut changed: BTreeMap<RecordId, u64> = BTreeMap::new();
    for record in records {
        let Some(author) = record.author else {
            continue;
        };
        if author != actor.user && !actor.is_steward() {
            continue;
        }
        match step(node, actor, record, scope)? {
            Step::Already => done.already += 1,
            Step::Waiting => done.waiting += 1,
            Step::Declined => done.declined += 1,
            Step::Ask(record) => {
                done.asked += 1;
                asks.push((author, record));
            }
            Step::Change(mut record) => {
                done.changed += 1;
                *changed.entry(author).or_default() += 1;
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

fn step(node: &Node, actor: &Actor, mut record: LocalRecord, scope: Scope) -> Result<Step> {
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
        withdraw_question(node, &record.id, scope)?;
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
        _ => Step::Ask(record.id),
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
        let record = node.store.local(&row.record)?;
        let is_open = row.answer.is_none()
            && record.is_some_and(|record| {
                record.author == Some(*user)
                    && record.life == Life::Active
                    && record.scope < row.scope
            });
        if is_open {
            waiting.push(Asked {
                record: row.record,
                scope: row.scope,
                at: row.asked_at,
            });
        }
    }
    Ok(waiting)
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
