//! `wb publish`: seals what is marked into the feeds of this instance.
//!
//! The order is commit, guard, send (see the guard): when this returns, what was sealed may be sent.

use std::collections::BTreeSet;
use std::path::Path;

use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::limits::{DELTA_BYTES_MAX, DELTA_ENTRIES_MAX, ENVELOPE_BYTES_MAX};
use wb_core::scope::FeedScope;
use wb_core::signed::Signer;
use wb_core::time::Timestamp;
use wb_store::{GuardStanding, NewLog, SealDelta, SealItem, Write};

use super::conflict_settle::settle_due;
use super::key_rotate::check_unchanged;
use super::retire::{Retirement, close_when_due, retirement};
use crate::card;
use crate::direct::folder;
use crate::direct::reach::FOLDER;
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::machine;
use crate::node::{Actor, Node};
use crate::offers;
use crate::plan::{self, Plan, Put, Retract, plan, rank};
use crate::promise;
use crate::sealed;
use crate::sync::turn::words_of;

/// What was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Published {
    /// Revisions put.
    pub puts: u64,
    /// Records taken back.
    pub retracts: u64,
    /// Deltas made.
    pub deltas: u64,
    /// Bytes of headers and lines.
    pub bytes: u64,
    /// New logs opened.
    pub new_logs: u64,
}

/// Seals what the plan of this moment says. The plan is returned for the report.
///
/// # Errors
/// `Suspect` for a database that is an older copy; what the store reports. Nothing is sealed then.
pub fn publish(node: &mut Node, actor: &Actor) -> Result<(Plan, Published)> {
    seal(node, actor, Seals::All)
}

/// Seals what is taken back and nothing else: what is marked to leave waits until somebody publishes it.
///
/// # Errors
/// As [`publish`].
pub fn publish_retracts(node: &mut Node, actor: &Actor) -> Result<Published> {
    Ok(seal(node, actor, Seals::Retracts)?.1)
}

/// Seals the notices of this instance, and its card, which tells whose they are; what is marked to leave waits until
/// somebody publishes it.
///
/// # Errors
/// As [`publish`].
pub fn publish_notices(node: &mut Node, actor: &Actor) -> Result<Published> {
    Ok(seal(node, actor, Seals::Notices)?.1)
}

/// What is sealed of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seals {
    All,
    Retracts,
    Notices,
}

fn seal(node: &mut Node, actor: &Actor, seals: Seals) -> Result<(Plan, Published)> {
    if node.store.guard() == GuardStanding::Suspect {
        return Err(NodeError::Suspect);
    }
    let now = node.now();
    node.refresh()?;
    if seals == Seals::All {
        // Closing takes everything back: who takes one record back did not ask for that.
        close_when_due(node, now)?;
        settle_due(node, now)?;
        offers::settle(node)?;
    }
    refresh_card(node, now)?;
    let signer = node.signer()?;
    // Planned and sealed in one transaction: what somebody takes back meanwhile is not sealed.
    let write = node.store.write_in_sight()?;
    if let Some(copy) = node.store.own_copies()?.first() {
        return Err(NodeError::TwoCopies(words_of(node, copy)?));
    }
    check_unchanged(&node.store, node.identity())?;
    let mut plan = plan(node, now)?;
    if seals == Seals::Retracts {
        let is_closed = matches!(retirement(node)?, Retirement::Retired(_));
        let said_anew = said_anew(node, &plan)?;
        keep_retracts(&mut plan, is_closed, &said_anew);
    }
    if seals == Seals::Notices {
        keep_notices(&mut plan);
    }
    let valid_until = promise::from_now(node, now)?;
    let renews = seals == Seals::All && promise::is_due(node, valid_until, now)?;
    if plan.is_empty() && !renews {
        if plan::is_to_be_kept(&plan) {
            plan::keep(node, &write, &plan)?;
            write.commit()?;
            plan::answered(node, &plan)?;
        } else {
            drop(write);
        }
        // Another process may have sealed what an export now sends.
        node.store.advance_guard()?;
        return Ok((plan, Published::default()));
    }
    let promise = (valid_until, renews);
    let published = seal_all(node, &write, &plan, promise, &signer, now)?;
    plan::keep(node, &write, &plan)?;
    write.commit()?;
    plan::answered(node, &plan)?;
    // What was erased must not stay behind in the log file.
    if !plan.retracts.is_empty() {
        node.store.forget_erased().map_err(NodeError::SealedOnly)?;
        withdraw_bundles(node)?;
        withdraw_sealed(node, None)?;
    }
    node.store.advance_guard().map_err(NodeError::SealedOnly)?;
    let Published { puts, retracts, .. } = published;
    node.audit(
        now,
        actor,
        "publish",
        &node.own_id(),
        format!("{puts} records, {retracts} taken back"),
    )?;
    Ok((plan, published))
}

/// Leaves out of a plan what is not taken back. A new log has to hold what stays live in its feed, so that is sealed
/// whole; of a record that moves to another feed both halves wait. Once the instance is closed its card goes along: it
/// tells those who follow why.
fn keep_retracts(plan: &mut Plan, is_closed: bool, said_anew: &BTreeSet<RecordId>) {
    let new_logs = &plan.new_logs;
    plan.puts.retain(|put| {
        let opens = |scope| new_logs.iter().any(|due| due.scope == scope);
        opens(put.leaving.scope())
            || (is_closed && put.leaving.kind().as_str() == "card")
            || said_anew.contains(&put.leaving.id())
    });
    let puts = &plan.puts;
    plan.retracts.retain(|retract| {
        let moves = || puts.iter().any(|put| put.leaving.id() == retract.id);
        retract.cause.is_some() || moves()
    });
}

/// Leaves out of a plan what is no notice and no card. A new log has to hold what stays live in its feed, so that is
/// sealed whole.
fn keep_notices(plan: &mut Plan) {
    let new_logs = &plan.new_logs;
    let opens = |scope| new_logs.iter().any(|due| due.scope == scope);
    plan.puts.retain(|put| {
        opens(put.leaving.scope()) || ["notice", "card"].contains(&put.leaving.kind().as_str())
    });
    plan.retracts
        .retain(|retract| opens(retract.scope) || retract.kind == "notice");
}

/// What is said of requests of which a word is taken back: it stands in the place of that word, so that nobody sees the
/// request without either.
fn said_anew(node: &Node, plan: &Plan) -> Result<BTreeSet<RecordId>> {
    let about = |id: &RecordId| -> Result<Option<RecordRef>> {
        Ok(node.store.local(id)?.and_then(|record| record.parent))
    };
    let mut requests = BTreeSet::new();
    for retract in &plan.retracts {
        if ["status", "helper"].contains(&retract.kind.as_str()) {
            requests.extend(about(&retract.id)?);
        }
    }
    let mut said = BTreeSet::new();
    for put in &plan.puts {
        let is_status = !requests.is_empty() && put.leaving.kind().as_str() == "status";
        if is_status && about(&put.leaving.id())?.is_some_and(|of| requests.contains(&of)) {
            said.insert(put.leaving.id());
        }
    }
    Ok(said)
}

/// Takes away the bundles that wait in folders for peers: they hold what was taken back. The next sync leaves anew
/// what a peer lacks. A stick that is not there is looked at with the next sync as well.
fn withdraw_bundles(node: &Node) -> Result<()> {
    for peer in node.store.peers()? {
        if let Some(folder) = peer.address.strip_prefix(FOLDER) {
            folder::remove_bundle(node, Path::new(folder), peer.id);
        }
    }
    Ok(())
}

/// Takes away the sealed envelopes that wait in folders, for one peer or for all: they hold what was taken back, or are
/// for one that was removed. The next sync leaves anew what a peer lacks.
pub(super) fn withdraw_sealed(node: &Node, of: Option<InstanceId>) -> Result<()> {
    for peer in node.store.peers()? {
        if let Some(folder) = peer.address.strip_prefix(FOLDER)
            && of.is_none_or(|of| of == peer.id)
        {
            folder::remove_sealed(node, Path::new(folder), peer.id);
        }
    }
    Ok(())
}

/// The card tells which kinds and protocol this program knows, and how often it syncs; after an upgrade, or when that is
/// otherwise, it is written anew.
fn refresh_card(node: &mut Node, now: Timestamp) -> Result<()> {
    for (mut record, old) in card::kept(node)? {
        let mut newest = old.clone();
        card::put_speaks(&mut newest);
        newest.sealing_key = Some(sealed::keys::own_key(&node.store, now)?);
        newest.sync = promise::rhythm(node, old.sync, now)?;
        if newest == old {
            continue;
        }
        record.body =
            serde_json::to_string(&newest).expect("a body has string keys and serialises");
        record.at = now;
        record.edit += 1;
        let write = node.store.write()?;
        write.put_local(&record)?;
        write.commit()?;
    }
    Ok(())
}

enum Act<'p> {
    Put(&'p Put),
    Retract(&'p Retract),
}

impl Act<'_> {
    /// The order of entries within a publish (spec: feeds, sealing).
    fn place(&self) -> (u8, RecordId) {
        match self {
            Self::Put(put) => (rank(put.leaving.kind().as_str()), put.leaving.id()),
            Self::Retract(retract) => (rank(&retract.kind), retract.id),
        }
    }
}

fn seal_all(
    node: &Node,
    write: &Write<'_>,
    plan: &Plan,
    (valid_until, renews): (Option<Timestamp>, bool),
    signer: &Signer,
    now: Timestamp,
) -> Result<Published> {
    let (own, newest) = (node.own_id(), node.identity().newest());
    let identity = (newest.position, newest.hash);
    write.count_sealing()?;
    let machine = machine::label();
    let mut published = Published::default();
    for scope in FeedScope::ALL {
        let puts = plan
            .puts
            .iter()
            .filter(|put| put.leaving.scope() == scope)
            .map(Act::Put);
        let retracts = plan
            .retracts
            .iter()
            .filter(|retract| retract.scope == scope)
            .map(Act::Retract);
        let mut acts: Vec<Act<'_>> = puts.chain(retracts).collect();
        acts.sort_by_key(Act::place);
        let takes_back = acts.iter().any(|act| matches!(act, Act::Retract(_)));
        if scope == FeedScope::TrustedPeers && takes_back {
            // What was taken back must not go out with what waits, nor come back from there.
            write.seal_feed_anew()?;
        }
        let mut open = plan.opens(scope);
        if open == Some(NewLog::Afresh) {
            // What is not put in a log that starts from nothing is taken back by that.
            let (puts, gone): (Vec<_>, Vec<_>) =
                acts.into_iter().partition(|act| matches!(act, Act::Put(_)));
            note(write, &gone, &mut published)?;
            acts = puts;
        }
        // A delta of the trusted feed has to fit into an envelope.
        let bytes_max = match scope {
            FeedScope::Public => DELTA_BYTES_MAX,
            FeedScope::TrustedPeers => ENVELOPE_BYTES_MAX as u64 / 2,
        };
        let mut chunks = chunks(&acts, bytes_max);
        // Who was removed from the audience gets the empty beginning of the new log, so that has to be empty.
        let parts = scope == FeedScope::TrustedPeers && open.is_some();
        let renews = renews && scope == FeedScope::Public;
        if open.is_some() && parts || (open.is_some() || renews) && chunks.is_empty() {
            chunks.insert(0, &[]);
        }
        for (number, chunk) in chunks.into_iter().enumerate() {
            let items: Vec<SealItem<'_>> = chunk.iter().map(seal_item).collect();
            published.new_logs += u64::from(open.is_some());
            let request = SealDelta {
                origin: own,
                scope,
                signer,
                identity,
                new_log: entropy::log_id(),
                open: open.take(),
                items: &items,
                at: now,
                // The other feed goes along with this one; an envelope for each member every week would tell more
                // than it proves.
                valid_until: valid_until.filter(|_| scope == FeedScope::Public),
            };
            published.bytes += write.seal(&request)?;
            write.note_sealed_here(scope, &machine)?;
            published.deltas += 1;
            note(write, chunk, &mut published)?;
            if parts && number == 0 {
                sealed::part(node, write, signer, now)?;
            }
        }
    }
    write.new_logs_opened()?;
    Ok(published)
}

/// Splits into deltas within the limits on entries and on bytes.
fn chunks<'a, 'p>(acts: &'a [Act<'p>], bytes_max: u64) -> Vec<&'a [Act<'p>]> {
    const ENVELOPE_BYTES: u64 = 1_024;
    let (mut chunks, mut start, mut bytes) = (Vec::new(), 0, 0_u64);
    for (index, act) in acts.iter().enumerate() {
        let size = match act {
            Act::Put(put) => put.leaving.body().len() as u64 + ENVELOPE_BYTES,
            Act::Retract(_) => 0,
        };
        let is_full = index - start >= DELTA_ENTRIES_MAX || bytes + size > bytes_max;
        if is_full {
            chunks.push(&acts[start..index]);
            (start, bytes) = (index, 0);
        }
        bytes += size;
    }
    if start < acts.len() {
        chunks.push(&acts[start..]);
    }
    chunks
}

fn seal_item<'p>(act: &Act<'p>) -> SealItem<'p> {
    match act {
        Act::Put(put) => SealItem::Put {
            leaving: &put.leaving,
            rev: put.rev,
            salt: entropy::salt(),
        },
        Act::Retract(retract) => SealItem::Retract {
            id: retract.id,
            reason: retract.reason,
        },
    }
}

fn note(write: &Write<'_>, chunk: &[Act<'_>], published: &mut Published) -> Result<()> {
    for act in chunk {
        match act {
            Act::Put(put) => {
                write.note_sealed(&put.leaving.id(), put.edit, put.rev, put.leaving.by())?;
                published.puts += 1;
            }
            Act::Retract(retract) => {
                // A record that only moved to another feed was sealed there.
                if retract.cause.is_some() {
                    write.note_retracted(&retract.id, retract.rev, retract.reason)?;
                }
                published.retracts += 1;
            }
        }
    }
    Ok(())
}
