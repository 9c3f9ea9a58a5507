//! A node that its peers exchange envelopes with: the same calls as at a hub.

use wb_core::id::InstanceId;
use wb_core::limits::PAGE_BYTES_TARGET;
use wb_core::sync::{
    EnvelopeBody, EnvelopeKept, EnvelopesPage, EnvelopesTaken, GivenEnvelope, WaitingEnvelope,
};
use wb_store::{GuardStanding, Road, RunCounts, RunEnd};

use super::prepare;
use super::take::{Coming, Taken, take};
use crate::error::{NodeError, Result};
use crate::node::Node;

/// Takes an envelope that a peer gives.
pub(crate) fn keep(
    node: &mut Node,
    from: InstanceId,
    given: &GivenEnvelope,
) -> Result<EnvelopeKept> {
    let now = node.now();
    let coming = Coming {
        peer: from,
        road: Road::Direct,
        detail: "",
        run_no: None,
        started: now,
    };
    let is_kept = match take(node, given.envelope.as_bytes(), &given.body.0, coming)? {
        Taken::New {
            run_no, changed, ..
        } => {
            if let Some(run_no) = run_no {
                let mut counts = RunCounts::default();
                for change in changed {
                    match change.difference {
                        wb_store::Difference::New => counts.pulled_new += 1,
                        wb_store::Difference::Changed => counts.pulled_changed += 1,
                        wb_store::Difference::Gone => counts.pulled_gone += 1,
                    }
                }
                let end = RunEnd {
                    at: now,
                    outcome: "done",
                    cause: None,
                    counts,
                };
                let write = node.store.write()?;
                write.end_run(run_no, &end)?;
                write.commit()?;
            }
            true
        }
        // One that breaks a rule does not get better by coming again.
        Taken::Known | Taken::Refused(_) => true,
        Taken::Left(_) | Taken::Waits => false,
    };
    let own = is_kept.then(|| node.own_id());
    Ok(EnvelopeKept {
        schema_version: 1,
        kept_for: own.into_iter().collect(),
    })
}

/// How many envelopes wait here for a peer, sealed now where that was not done yet.
pub(crate) fn waiting(node: &Node, of: InstanceId) -> Result<u64> {
    // What cannot be sealed now keeps nothing else from going on.
    let may_seal = node.store.guard() == GuardStanding::Sound && node.store.unwritable().is_none();
    if may_seal {
        prepare(node, node.now())?;
    }
    Ok(node.store.envelopes_waiting(Some(&of))?.len() as u64)
}

/// A page of what waits here for a peer.
pub(crate) fn page(node: &Node, of: InstanceId, after: u64) -> Result<EnvelopesPage> {
    let mut page = EnvelopesPage {
        schema_version: 1,
        envelopes: Vec::new(),
        next: None,
    };
    let mut bytes = 0;
    for n in node.store.envelopes_waiting(Some(&of))? {
        if n <= after {
            continue;
        }
        if bytes > PAGE_BYTES_TARGET {
            page.next = page.envelopes.last().map(|last| last.n);
            break;
        }
        let Some(envelope) = node.store.envelope_waiting(n)? else {
            continue;
        };
        bytes += envelope.line.len() + envelope.body.len();
        page.envelopes.push(WaitingEnvelope {
            n,
            envelope: String::from_utf8_lossy(&envelope.line).into_owned(),
            body: EnvelopeBody(envelope.body),
        });
    }
    Ok(page)
}

/// Notes what a peer has.
pub(crate) fn taken(node: &mut Node, by: InstanceId, taken: &EnvelopesTaken) -> Result<()> {
    let write = node.store.write()?;
    for hash in &taken.hashes {
        write.envelope_given(hash, &by)?;
    }
    write.commit().map_err(NodeError::from)
}
