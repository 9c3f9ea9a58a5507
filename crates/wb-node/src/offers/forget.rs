//! Offers of a member whose account goes, and those about their requests: nothing of either stays.

use wb_core::id::{InstanceId, RecordId};
use wb_core::time::Timestamp;
use wb_store::{OfferRow, OfferState, Private};

use super::end::{forget_line, hide, tell_closed};
use super::{OFFER, other};
use crate::error::Result;
use crate::node::Node;

/// Forgets what a member offered and was offered. What was told elsewhere is asked back by
/// [`take_back_of`](crate::letters::take_back_of); who waits there for an answer is told that none comes. Called within
/// [`Private::together`].
pub(crate) fn forget_member(
    node: &Node,
    private: &Private,
    user: &RecordId,
    wrote: &[RecordId],
    now: Timestamp,
) -> Result<()> {
    for offer in private.offers()? {
        let is_asked = offer.request.origin == node.own_id() && wrote.contains(&offer.request.id);
        let is_helper = offer.helper.as_ref() == Some(user);
        if !is_asked && !is_helper {
            continue;
        }
        match other(node, &offer) {
            None => tell_other(node, private, &offer, is_asked, now)?,
            Some(with) => {
                if let Some(came) = private.letter_in(&with, &offer.key.id)? {
                    forget_line(private, came)?;
                }
                let told = private.letter_out(&with, &offer.key.id, false)?;
                if is_asked && told.is_none() && offer.state.is_open() {
                    tell_closed(private, with, offer.key.id, offer.request, now)?;
                }
            }
        }
        private.drop_offer(&offer.key)?;
    }
    Ok(())
}

/// Ends offers between members here and an instance that is refused, and forgets what it said with them. Called within
/// [`Private::together`].
pub(crate) fn forget_refused(
    node: &Node,
    private: &Private,
    refused: &InstanceId,
    now: Timestamp,
) -> Result<()> {
    for offer in private.offers()? {
        if other(node, &offer) != Some(*refused) {
            continue;
        }
        let state = match offer.state.is_open() {
            true => OfferState::Closed,
            false => offer.state,
        };
        let without = if offer.key.origin == *refused {
            OfferRow {
                name: None,
                text: None,
                helper_thanks: None,
                ..offer
            }
        } else {
            OfferRow {
                answer: None,
                asker_thanks: None,
                ..offer
            }
        };
        hide(node, private, without, state, now)?;
    }
    Ok(())
}

/// Tells the member at the other side that nothing comes of an offer.
fn tell_other(
    node: &Node,
    private: &Private,
    offer: &OfferRow,
    is_asked: bool,
    now: Timestamp,
) -> Result<()> {
    if !offer.state.is_open() {
        return Ok(());
    }
    let (whom, words) = if is_asked {
        (offer.helper, "Who asked for help that you offered has left")
    } else {
        let record = node.store.local(&offer.request.id)?;
        let author = record.and_then(|record| record.author);
        (author, "Somebody who offered to help you has left")
    };
    if let Some(whom) = whom {
        private.put_notice(&whom, now, OFFER, words, None)?;
    }
    Ok(())
}
