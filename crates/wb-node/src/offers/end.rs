//! The end of an offer: ways to reach each other go, here and there.

use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::letter::{Closed, LetterBody};
use wb_core::time::Timestamp;
use wb_store::{LetterIn, OfferRow, OfferState, Private};

use super::other;
use crate::error::Result;
use crate::letters::{ask_to_erase, put_of_instance};
use crate::node::Node;

/// Kinds of letters whose words are of no use once an offer is over.
const OVER: [&str; 3] = ["offer", "accept", "contacts"];

/// Ends an offer that the other side ended, or that nobody can answer: what was told there is asked back. Called within
/// [`Private::together`].
pub(crate) fn end(
    node: &Node,
    private: &Private,
    offer: OfferRow,
    state: OfferState,
    now: Timestamp,
) -> Result<OfferRow> {
    let ended = hide(node, private, offer, state, now)?;
    if let Some(other) = other(node, &ended)
        && let Some(told) = private.letter_out(&other, &ended.key.id, false)?
        && OVER.contains(&told.kind.as_str())
    {
        ask_to_erase(private, &told, told.owner, now)?;
    }
    Ok(ended)
}

/// Ends an offer here: ways to reach each other are gone from this file. Whoever calls it tells the other side
/// something in the place of what was told there. Called within [`Private::together`].
pub(crate) fn hide(
    node: &Node,
    private: &Private,
    offer: OfferRow,
    state: OfferState,
    now: Timestamp,
) -> Result<OfferRow> {
    let ended = OfferRow {
        helper_contact: None,
        asker_contact: None,
        act_shown: None,
        state,
        changed_at: now,
        ..offer
    };
    private.put_offer(&ended)?;
    if let Some(other) = other(node, &ended)
        && let Some(came) = private.letter_in(&other, &ended.key.id)?
        && OVER.contains(&came.kind.as_str())
    {
        forget_line(private, came)?;
    }
    Ok(ended)
}

/// Tells who waits elsewhere that nobody can answer an offer any more. Called within [`Private::together`].
pub(super) fn tell_closed(
    private: &Private,
    to: InstanceId,
    thread: RecordId,
    request: RecordRef,
    now: Timestamp,
) -> Result<()> {
    let closed = LetterBody::Closed(Closed { request });
    put_of_instance(private, to, thread, &closed, now)
}

/// Forgets what a letter said; its number stays, so that it does not come again.
pub(super) fn forget_line(private: &Private, came: LetterIn) -> Result<()> {
    Ok(private.put_letter_in(&LetterIn {
        line: Vec::new(),
        state: "erased".to_owned(),
        owes: false,
        ..came
    })?)
}
