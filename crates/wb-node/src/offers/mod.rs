//! Offers of help: what letters do to them, when ways to reach each other are hidden again, and what home says of
//! them in its feed (spec: help).
//!
//! The private file says where each offer stands. What ends one removes the other side's ways to be reached in the same
//! transaction. What the main file has to say follows, and is repeated until it is done.

mod end;
mod fold;
mod forget;
mod settle;
mod title;

use wb_core::id::{InstanceId, RecordId};
use wb_core::kinds::To;
use wb_core::leave::Helping;
use wb_core::limits::ENVELOPE_DAYS;
use wb_core::time::Timestamp;
use wb_store::{OfferRow, OfferState, Private};

use crate::error::Result;
use crate::node::Node;
use crate::query::request_status;

pub(crate) use end::{end, hide};
pub(crate) use fold::{Folded, fold};
pub(crate) use forget::{forget_member, forget_refused};
pub(crate) use settle::settle;
pub(crate) use title::{author_of, named, title};

/// Milliseconds within which an offer can be answered.
const ANSWER_MS: i64 = ENVELOPE_DAYS * DAY_MS;
/// Days that help which was agreed on goes on after home said that its request is over: whoever forgets to say that it is
/// done keeps nobody's ways to be reached, and who said it early cuts nobody off.
const AGREED_DAYS: i64 = 7;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What a notice about an offer is about.
pub(crate) const OFFER: &str = "offer";

/// Whether an offer was not answered in time.
pub(crate) fn is_over(offer: &OfferRow, now: Timestamp) -> bool {
    offer.state == OfferState::Offered && offer.at.plus_ms(ANSWER_MS) <= now
}

/// When help that was agreed on ends by itself: none while its request is open, contested, or over by a helper's word
/// alone, and at helpers, whose home tells them.
pub(crate) fn ends_at(node: &Node, offer: &OfferRow) -> Result<Option<Timestamp>> {
    if offer.state != OfferState::Accepted || offer.request.origin != node.own_id() {
        return Ok(None);
    }
    let status = request_status(node, &offer.request)?;
    let last = status.word_of(&node.own_id());
    let last = last.filter(|last| last.word.to != To::Open && !status.contested);
    Ok(last.map(|last| last.at.plus_ms(AGREED_DAYS * DAY_MS)))
}

/// The other instance of an offer; none where both sides are here.
pub(crate) fn other(node: &Node, offer: &OfferRow) -> Option<InstanceId> {
    let other = if offer.key.origin == node.own_id() {
        offer.request.origin
    } else {
        offer.key.origin
    };
    (other != node.own_id()).then_some(other)
}

/// What came from another instance about help in a thread.
pub(crate) fn helping(
    node: &Node,
    private: &Private,
    from: &InstanceId,
    thread: &RecordId,
) -> Result<Helping> {
    let Some(offer) = private.offer_with(&node.own_id(), from, thread)? else {
        return Ok(Helping::Nothing);
    };
    let is_theirs = offer.key.origin == *from;
    Ok(match offer.state {
        OfferState::TakenBack | OfferState::Closed => Helping::Nothing,
        _ if is_theirs => Helping::Offered,
        OfferState::Accepted | OfferState::Done => Helping::Accepted,
        OfferState::Offered | OfferState::Declined => Helping::Nothing,
    })
}
