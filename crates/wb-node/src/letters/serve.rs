//! A node that its peers exchange letters with: the same calls as at a hub.

use wb_core::id::InstanceId;
use wb_core::limits::PAGE_BYTES_TARGET;
use wb_core::sync::{
    EnvelopeBody, EnvelopeKept, EnvelopesPage, EnvelopesTaken, GivenEnvelope, WaitingEnvelope,
};
use wb_store::GuardStanding;

use super::{prepare, settle, take};
use crate::error::Result;
use crate::node::Node;

/// Takes a letter that a peer gives.
pub(crate) fn keep(node: &Node, given: &GivenEnvelope) -> Result<EnvelopeKept> {
    let taken = take(node, given.envelope.as_bytes(), &given.body.0)?;
    settle(node)?;
    // One that breaks a rule does not get better by coming again.
    let own = (!taken.stays()).then(|| node.own_id());
    Ok(EnvelopeKept {
        schema_version: 1,
        kept_for: own.into_iter().collect(),
    })
}

/// How many letters wait here for a peer, sealed now where that was not done yet.
pub(crate) fn waiting(node: &Node, of: InstanceId) -> Result<u64> {
    // What cannot be sealed now keeps nothing else from going on.
    let may_seal = node.store.guard() == GuardStanding::Sound && node.store.unwritable().is_none();
    let now = node.now();
    if may_seal {
        prepare(node, now)?;
    }
    let due = node.store.private().letters_due(&of, Some(&of), now)?;
    Ok(due.len() as u64)
}

/// A page of the letters that wait here for a peer.
pub(crate) fn page(node: &Node, of: InstanceId, after: u64) -> Result<EnvelopesPage> {
    let mut page = EnvelopesPage {
        schema_version: 1,
        envelopes: Vec::new(),
        next: None,
    };
    let private = node.store.private();
    let mut bytes = 0;
    for n in private.letters_due(&of, Some(&of), node.now())? {
        if n <= after {
            continue;
        }
        if bytes > PAGE_BYTES_TARGET {
            page.next = page.envelopes.last().map(|last| last.n);
            break;
        }
        let Some(letter) = private.letter_sealed(n)? else {
            continue;
        };
        bytes += letter.line.len() + letter.body.len();
        page.envelopes.push(WaitingEnvelope {
            n,
            envelope: String::from_utf8_lossy(&letter.line).into_owned(),
            body: EnvelopeBody(letter.body),
        });
    }
    Ok(page)
}

/// Notes what a peer has.
pub(crate) fn taken(node: &Node, by: InstanceId, taken: &EnvelopesTaken) -> Result<()> {
    let private = node.store.private();
    for hash in &taken.hashes {
        private.letter_given(hash, &by, true, node.now())?;
    }
    Ok(())
}
