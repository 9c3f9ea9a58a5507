//! What follows from where offers stand: home names who helps, and tells who waits for an answer that cannot come.
//!
//! Repeating it changes nothing, so a crash in between is finished with the next sync.

use wb_core::kinds::To;
use wb_core::letter::Letter;
use wb_core::scope::Scope;
use wb_core::time::Timestamp;
use wb_store::{GuardStanding, OfferRow, OfferState};

use super::end::tell_closed;
use super::fold::can_answer;
use super::{AGREED_DAYS, OFFER, author_of, ends_at, fold, hide, is_over, named, other};
use crate::command::helper::{name_in, withdraw_in};
use crate::command::status_say::{home_event, put as put_status};
use crate::error::{NodeError, Result};
use crate::levels::is_accepted;
use crate::node::Node;
use crate::query::request_status;

/// Brings everything that follows from offers in line with where they stand.
///
/// # Errors
/// What the store reports.
pub(crate) fn settle(node: &Node) -> Result<()> {
    if node.store.guard() == GuardStanding::Suspect || node.store.unwritable().is_some() {
        return Ok(());
    }
    take_up_kept(node)?;
    let offers = node.store.private().offers()?;
    let now = node.now();
    for offer in &offers {
        if offer.request.origin != node.own_id() {
            continue;
        }
        if is_unanswerable(node, offer, now)? {
            close(node, offer, now)?;
        }
    }
    speak(node, now)
}

/// Says in the feed what follows: who helps, who does not any more, and that help was given where who gave it said so by
/// letter. The private file says afterwards that it was said; said twice it is the same.
fn speak(node: &Node, now: Timestamp) -> Result<()> {
    let offers = node.store.private().offers()?;
    let helps = |offer: &OfferRow| matches!(offer.state, OfferState::Accepted | OfferState::Done);
    for offer in &offers {
        let (with, request) = (offer.key.origin, &offer.request);
        if with == node.own_id() || request.origin != node.own_id() {
            continue;
        }
        let others = offers.iter().any(|other| {
            helps(other)
                && other.key != offer.key
                && (other.key.origin, other.request) == (with, *request)
        });
        let is_there = can_answer(node, node.store.private(), request)?;
        let mut said = offer.clone();
        if helps(offer) && !offer.named && is_there {
            said.named = name(node, offer, now)?;
        } else if !helps(offer) && offer.named {
            if is_there && !others {
                let write = node.store.write_in_sight()?;
                match withdraw_in(node, &write, request, with, now) {
                    Ok(_) => write.commit()?,
                    // There is nothing to take back, and the other offers go on.
                    Err(NodeError::Refused(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            said.named = false;
        }
        if offer.completes {
            if is_there {
                complete(node, offer, now)?;
            }
            said.completes = false;
        }
        if said != *offer {
            mark(node, offer, &said)?;
        }
    }
    Ok(())
}

/// Names the instance of who helps. False where as many are named as can be: then its word is a claim.
fn name(node: &Node, offer: &OfferRow, now: Timestamp) -> Result<bool> {
    let write = node.store.write_in_sight()?;
    match name_in(node, &write, &offer.request, offer.key.origin, now) {
        Ok(_) => {
            write.commit()?;
            Ok(true)
        }
        Err(NodeError::Refused(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Says at home that a request for an audience is completed: who helped cannot say so in a feed.
fn complete(node: &Node, offer: &OfferRow, now: Timestamp) -> Result<()> {
    let Some((_, record)) = author_of(node, &offer.request)? else {
        return Ok(());
    };
    if record.scope.min(record.ceiling) == Scope::Public {
        return Ok(());
    }
    let write = node.store.write_in_sight()?;
    let status = request_status(node, &offer.request)?;
    if status.value == To::Open && !status.contested {
        let heard = status.heard.clone();
        let event = match home_event(&offer.request, &status, To::Completed, heard) {
            Ok(event) => event,
            // Nothing is to be said, and the other offers go on.
            Err(NodeError::Refused(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        put_status(node, &write, event, None, now)?;
        write.commit()?;
    }
    Ok(())
}

/// Notes what was said, where the offer stands as it did.
fn mark(node: &Node, offer: &OfferRow, said: &OfferRow) -> Result<()> {
    node.store.private().together(|private| {
        if let Some(held) = private.offer(&offer.key)?
            && held.state == offer.state
        {
            private.put_offer(&OfferRow {
                named: said.named,
                completes: said.completes,
                ..held
            })?;
        }
        Ok::<_, NodeError>(())
    })
}

/// Offers that came when this program did not know what they are.
fn take_up_kept(node: &Node) -> Result<()> {
    let private = node.store.private();
    for (origin, thread) in private.letters_unsettled("offer")? {
        let Some(came) = private.letter_in(&origin, &thread)? else {
            continue;
        };
        let key = wb_core::id::RecordRef {
            origin: came.origin,
            id: came.thread,
        };
        if private.offer(&key)?.is_some() || !is_accepted(node, &came.origin)? {
            continue;
        }
        let Ok(letter) = Letter::kept(&came.line) else {
            continue;
        };
        if let Ok(Some(says)) = letter.read_body() {
            let now = node.now();
            private.together(|private| {
                fold(node, private, &letter, &says, now)?;
                Ok::<_, NodeError>(())
            })?;
        }
    }
    Ok(())
}

/// Whether nobody can answer an offer any more: its request is not shared, or its author left, or it is over; and where
/// help was agreed on, whether it was over for long enough.
fn is_unanswerable(node: &Node, offer: &OfferRow, now: Timestamp) -> Result<bool> {
    if !offer.state.is_open() || is_over(offer, now) {
        return Ok(false);
    }
    let private = node.store.private();
    if other(node, offer).is_some() && !can_answer(node, private, &offer.request)? {
        return Ok(true);
    }
    if offer.state == OfferState::Accepted {
        return Ok(ends_at(node, offer)?.is_some_and(|ends| ends <= now));
    }
    if author_of(node, &offer.request)?.is_none() {
        return Ok(true);
    }
    let status = request_status(node, &offer.request)?;
    Ok(status.value != To::Open && !status.contested)
}

/// Tells who offered that no answer comes.
fn close(node: &Node, offer: &OfferRow, now: Timestamp) -> Result<()> {
    node.store.note_erasing()?;
    node.store.private().together(|private| {
        let Some(held) = private.offer(&offer.key)? else {
            return Ok(());
        };
        if held.state != offer.state {
            return Ok(());
        }
        let about = named(node, &held.request)?;
        if let Some(with) = other(node, &held) {
            tell_closed(private, with, held.key.id, held.request, now)?;
        } else if let Some(helper) = &held.helper {
            let words = format!("Help with {about} is not needed any more");
            private.put_notice(helper, now, OFFER, &words, None)?;
        }
        let author = author_of(node, &held.request)?;
        if let Some((author, _)) = author.filter(|_| held.state == OfferState::Accepted) {
            let words = format!(
                "Help with {about} ended by itself, {AGREED_DAYS} days after you did not need it any more: ways to reach \
                 each other are hidden again"
            );
            private.put_notice(&author, now, OFFER, &words, None)?;
        }
        hide(node, private, held, OfferState::Closed, now)?;
        Ok::<_, NodeError>(())
    })
}
