//! What a letter does to an offer, by the tables of the spec. Whatever comes where they say nothing changes nothing.

use wb_core::id::{InstanceId, RecordRef};
use wb_core::leave::OwnersAct;
use wb_core::letter::{Letter, LetterBody, Offer};
use wb_core::limits::{LETTERS_PER_PAIR_MAX, OFFERS_PER_REQUEST_MAX};
use wb_core::scope::Scope;
use wb_core::time::Timestamp;
use wb_store::{AccountState, OfferRow, OfferState, Private};

use super::end::tell_closed;
use super::{OFFER, author_of, end, named};
use crate::error::Result;
use crate::letters::{Words, put};
use crate::node::Node;
use crate::query::letters::name_of;

/// What becomes of a letter that was folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Folded {
    /// It is kept as others are.
    Kept,
    /// It changes nothing here, and nothing of it is kept.
    Nothing,
}

/// Folds a letter into the offer of its thread. Called within [`Private::together`], before the letter is kept.
///
/// # Errors
/// What the store reports.
pub(crate) fn fold(
    node: &Node,
    private: &Private,
    letter: &Letter,
    says: &LetterBody,
    now: Timestamp,
) -> Result<Folded> {
    let (own, from) = (node.own_id(), letter.origin);
    if let LetterBody::Offer(offer) = says {
        return offered(node, private, letter, offer, now);
    }
    let is_about_help = matches!(
        says,
        LetterBody::Accept(_)
            | LetterBody::Contacts(_)
            | LetterBody::Decline(_)
            | LetterBody::Closed(_)
            | LetterBody::Done(_)
    );
    if !is_about_help && *says != LetterBody::Erase {
        return Ok(Folded::Kept);
    }
    let Some(offer) = private.offer_with(&own, &from, &letter.thread)? else {
        return Ok(if is_about_help {
            Folded::Nothing
        } else {
            Folded::Kept
        });
    };
    if says
        .request()
        .is_some_and(|request| *request != offer.request)
    {
        return Ok(Folded::Nothing);
    }
    if offer.key.origin == from {
        at_home(node, private, offer, says, now)
    } else {
        at_helper(node, private, &from, offer, says, now)
    }
}

/// Somebody elsewhere offers help.
fn offered(
    node: &Node,
    private: &Private,
    letter: &Letter,
    offer: &Offer,
    now: Timestamp,
) -> Result<Folded> {
    let from = letter.origin;
    let key = RecordRef {
        origin: from,
        id: letter.thread,
    };
    if let Some(held) = private.offer(&key)? {
        if held.state != OfferState::Offered || held.request != offer.request {
            return Ok(Folded::Nothing);
        }
        private.put_offer(&OfferRow {
            name: offer.name.clone(),
            text: offer.text.clone(),
            ..held
        })?;
        return Ok(Folded::Kept);
    }
    if !can_answer(node, private, &offer.request)? {
        let told = private.letter_out(&from, &letter.thread, false)?;
        let has_room = private.closed_to(&from)? < LETTERS_PER_PAIR_MAX;
        if told.is_none() && has_room && offer.request.origin == node.own_id() {
            tell_closed(private, from, letter.thread, offer.request, now)?;
        }
        return Ok(Folded::Nothing);
    }
    if private.offers_of(&from, &offer.request)? >= OFFERS_PER_REQUEST_MAX {
        return Ok(Folded::Nothing);
    }
    private.put_offer(&OfferRow {
        key,
        request: offer.request,
        helper: None,
        name: offer.name.clone(),
        text: offer.text.clone(),
        helper_contact: None,
        asker_contact: None,
        act_shown: None,
        state: OfferState::Offered,
        answer: None,
        helper_thanks: None,
        asker_thanks: None,
        named: false,
        completes: false,
        at: letter.at.min(now),
        changed_at: now,
    })?;
    Ok(Folded::Kept)
}

/// Whether somebody of another instance can be answered about a request: it is shared, and its author a member.
pub(super) fn can_answer(node: &Node, private: &Private, request: &RecordRef) -> Result<bool> {
    let Some((author, record)) = author_of(node, request)? else {
        return Ok(false);
    };
    let account = private.account_of(&author)?;
    let is_member = account.is_some_and(|account| account.state == AccountState::Approved);
    Ok(is_member && record.scope.min(record.ceiling) != Scope::Private)
}

/// What comes from who offered, where the request is at home.
fn at_home(
    node: &Node,
    private: &Private,
    offer: OfferRow,
    says: &LetterBody,
    now: Timestamp,
) -> Result<Folded> {
    let author = author_of(node, &offer.request)?.map(|(author, _)| author);
    let tell = |words: String| match &author {
        Some(author) => Ok(private.put_notice(author, now, OFFER, &words, None)?),
        None => Ok::<_, crate::error::NodeError>(()),
    };
    let who = format!(
        "{} at {}",
        offer.name.as_deref().unwrap_or("A member"),
        name_of(node, &offer.key.origin)?
    );
    let about = named(node, &offer.request)?;
    match (says, offer.state) {
        (LetterBody::Contacts(_), OfferState::Accepted) => {
            let is_news = offer.helper_contact.is_none();
            private.put_offer(&OfferRow {
                helper_contact: Some(raw(says)),
                changed_at: now,
                ..offer
            })?;
            if is_news {
                tell(format!(
                    "{who}, who helps with {about}, sent how to reach them"
                ))?;
            }
        }
        (LetterBody::Done(done), state) if state.is_open() || state == OfferState::Done => {
            let offer = OfferRow {
                helper_thanks: done.thanks.clone(),
                completes: offer.completes || state == OfferState::Accepted,
                ..offer
            };
            end(node, private, offer, OfferState::Done, now)?;
            if state.is_open() {
                tell(format!("{who} says that the help with {about} is done"))?;
            }
        }
        (LetterBody::Erase, state) => {
            let was_accepted = state == OfferState::Accepted;
            let without = OfferRow {
                name: None,
                text: None,
                helper_thanks: None,
                ..offer
            };
            let state = if state.is_open() {
                OfferState::TakenBack
            } else {
                state
            };
            end(node, private, without, state, now)?;
            if was_accepted {
                tell(format!("{who} took back the offer to help with {about}"))?;
            }
        }
        _ => return Ok(Folded::Nothing),
    }
    Ok(Folded::Kept)
}

/// What comes from the home of the request, where who offered is.
fn at_helper(
    node: &Node,
    private: &Private,
    home: &InstanceId,
    offer: OfferRow,
    says: &LetterBody,
    now: Timestamp,
) -> Result<Folded> {
    let helper = offer.helper;
    let tell = |words: String| match &helper {
        Some(helper) => Ok(private.put_notice(helper, now, OFFER, &words, None)?),
        None => Ok::<_, crate::error::NodeError>(()),
    };
    let (name, about) = (name_of(node, home)?, named(node, &offer.request)?);
    match (says, offer.state) {
        (LetterBody::Accept(_), OfferState::Offered) if super::is_over(&offer, now) => {
            // Who offered reads that it is over, and may have promised their time to somebody else.
            end(node, private, offer, OfferState::Closed, now)?;
            return Ok(Folded::Nothing);
        }
        (LetterBody::Accept(_), OfferState::Offered) => {
            let accepted = OfferRow {
                asker_contact: Some(raw(says)),
                state: OfferState::Accepted,
                changed_at: now,
                ..offer
            };
            private.put_offer(&accepted)?;
            tell_contacts(private, home, &accepted, now)?;
            tell(format!("Your help with {about} was accepted at {name}"))?;
        }
        (LetterBody::Decline(decline), state) if state.is_open() => {
            let offer = OfferRow {
                answer: decline.text.clone(),
                ..offer
            };
            end(node, private, offer, OfferState::Declined, now)?;
            tell(format!(
                "Your help with {about} was kindly declined at {name}"
            ))?;
        }
        (LetterBody::Closed(_), state) if state.is_open() => {
            end(node, private, offer, OfferState::Closed, now)?;
            tell(format!(
                "Help with {about} is not needed at {name} any more"
            ))?;
        }
        (LetterBody::Done(done), state) if state.is_open() || state == OfferState::Done => {
            let offer = OfferRow {
                asker_thanks: done.thanks.clone(),
                ..offer
            };
            end(node, private, offer, OfferState::Done, now)?;
            if state.is_open() {
                tell(format!("{name} says that your help with {about} is done"))?;
            }
        }
        (LetterBody::Erase, state) => {
            let without = OfferRow {
                answer: None,
                asker_thanks: None,
                ..offer
            };
            let ends = state.is_open();
            let state = if ends { OfferState::Closed } else { state };
            end(node, private, without, state, now)?;
            if ends {
                tell(format!(
                    "Help with {about} is not needed at {name} any more"
                ))?;
            }
        }
        _ => return Ok(Folded::Nothing),
    }
    Ok(Folded::Kept)
}

/// Tells the ways to be reached that who offered agreed to, now that the other side did as well.
fn tell_contacts(
    private: &Private,
    home: &InstanceId,
    offer: &OfferRow,
    now: Timestamp,
) -> Result<()> {
    let (Some(helper), Some(body), Some(shown)) =
        (offer.helper, &offer.helper_contact, offer.act_shown)
    else {
        return Ok(());
    };
    let words = Words {
        to: *home,
        thread: offer.key.id,
        kind: LetterBody::CONTACTS,
        body,
        owner: Some(helper),
        request: Some(offer.request),
        act: Some(OwnersAct {
            by: helper,
            to: *home,
            shown,
        }),
    };
    put(private, &words, now)
}

/// The body of a letter, as it is kept here.
fn raw(says: &LetterBody) -> String {
    says.to_raw().get().to_owned()
}
