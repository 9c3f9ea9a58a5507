//! `wb offer accept` and `decline`: who asked answers an offer of help; who offered takes it back.

use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::leave::Helping;
use wb_core::letter::{Contact, Decline, LetterBody};
use wb_store::{OfferRow, OfferState, Private};

use super::offer_make::Ways;
use crate::error::{NodeError, Result};
use crate::letters::{ask_to_erase, tell_within, would_tell_in};
use crate::levels::is_accepted;
use crate::node::{Actor, Node};
use crate::offers::{OFFER, author_of, hide, is_over, named, other, settle};
use crate::query::letters::name_of;

/// Who somebody is in an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Who asked for help.
    Asker,
    /// Who offers it.
    Helper,
}

/// The side that a member is at; none where an offer is not theirs to see.
///
/// # Errors
/// What the store reports.
pub fn side(node: &Node, user: &RecordId, offer: &OfferRow) -> Result<Option<Side>> {
    if offer.helper.as_ref() == Some(user) {
        return Ok(Some(Side::Helper));
    }
    if offer.request.origin != node.own_id() {
        return Ok(None);
    }
    let record = node.store.local(&offer.request.id)?;
    let is_asker = record.is_some_and(|record| record.author.as_ref() == Some(user));
    Ok(is_asker.then_some(Side::Asker))
}

/// An offer that an actor is at one side of.
pub(super) fn of_actor(node: &Node, actor: &Actor, key: &RecordRef) -> Result<(OfferRow, Side)> {
    let unknown = || NodeError::unknown("offer of help", key.id.to_string());
    let offer = node.store.private().offer(key)?.ok_or_else(unknown)?;
    // Whether there is one is told to nobody else.
    let side = side(node, &actor.user, &offer)?.ok_or_else(unknown)?;
    Ok((offer, side))
}

/// What would be told with a yes, to be shown before somebody says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepting {
    /// The offer.
    pub key: RecordRef,
    /// The name of the other instance; none where both are here.
    pub to: Option<String>,
    /// How to reach who asked.
    pub contacts: Contact,
}

impl Accepting {
    /// What is told to whom, and what nobody can promise.
    #[must_use]
    pub fn words(&self) -> String {
        Self::words_for(self.to.as_deref())
    }

    /// The same before anything was chosen.
    #[must_use]
    pub fn words_for(to: Option<&str>) -> String {
        match to {
            Some(home) => format!(
                "This goes as a letter to {home} alone, sealed, and is shown there to whoever offered. They agreed to show you \
                 how to reach them once you accept: that comes back by itself. Both are hidden again when the help is done. \
                 The operators of both communities could read them on their disks, and nobody can take back what was read. \
                 With it your community names {home} as one that helps with this request."
            ),
            None => "This is shown to whoever offered, and you see how to reach them. Both are hidden again when the help is \
                     done. The operator of this community could read them on the disk, and nobody can take back what was read."
                .to_owned(),
        }
    }
}

/// What would be told with a yes.
///
/// # Errors
/// Why the offer cannot be accepted, or what is wrong with a field.
pub fn accepting(node: &Node, actor: &Actor, key: &RecordRef, ways: Ways) -> Result<Accepting> {
    let (offer, side) = of_actor(node, actor, key)?;
    can_accept(node, &offer, side)?;
    let contacts = ways.about(offer.request);
    let body = LetterBody::Accept(contacts.clone());
    body.check().map_err(|(field, source)| match field {
        "contact" => NodeError::Refused(
            "say at least one way to reach you: without it nobody can help; nothing was answered"
                .to_owned(),
        ),
        field => NodeError::Text { field, source },
    })?;
    let with = other(node, &offer);
    if let Some(with) = &with {
        super::retire::check_open(node)?;
        check(node, actor, with, &body)?;
    }
    Ok(Accepting {
        key: *key,
        to: with.map(|with| name_of(node, &with)).transpose()?,
        contacts,
    })
}

/// Whether an offer can be accepted by somebody at one side of it.
fn can_accept(node: &Node, offer: &OfferRow, side: Side) -> Result<()> {
    let refuse = |why: &str| Err(NodeError::Refused(format!("{why}; nothing was answered")));
    match (side, offer.state) {
        (Side::Helper, _) => refuse("this is your own offer: who asked answers it"),
        (_, OfferState::Offered) if is_over(offer, node.now()) => {
            refuse("this offer is older than 30 days and over; ask whether it still holds")
        }
        (_, OfferState::Offered) if author_of(node, &offer.request)?.is_some() => Ok(()),
        (_, OfferState::Offered) => refuse("the request is not there any more"),
        (_, OfferState::Accepted) => refuse("you accepted this offer already"),
        (_, OfferState::TakenBack) => refuse("who offered took it back"),
        _ => refuse("this offer was answered already"),
    }
}

/// Asks the one door about what an instance would be told in answer to its offer.
fn check(node: &Node, actor: &Actor, to: &InstanceId, body: &LetterBody) -> Result<()> {
    if !is_accepted(node, to)? {
        return Err(NodeError::Refused(format!(
            "{} is not accepted here any more; nothing was answered",
            to.short()
        )));
    }
    let told = would_tell_in(node, actor.user, *to, Helping::Offered, body, node.now())?;
    told.map_err(|why| NodeError::Refused(format!("nothing was answered: {}", why.sentence())))
}

/// Accepts an offer, with exactly what was shown.
///
/// # Errors
/// As [`accepting`]; nothing is answered then.
pub fn offer_accept(node: &Node, actor: &Actor, shown: &Accepting) -> Result<()> {
    let body = LetterBody::Accept(shown.contacts.clone());
    let (offer, side) = of_actor(node, actor, &shown.key)?;
    can_accept(node, &offer, side)?;
    let with = other(node, &offer);
    if let Some(with) = &with {
        check(node, actor, with, &body)?;
    }
    let now = node.now();
    node.store.private().together(|private| {
        let offer = as_it_was(private, &offer)?;
        private.put_offer(&OfferRow {
            asker_contact: Some(body.to_raw().get().to_owned()),
            state: OfferState::Accepted,
            changed_at: now,
            ..offer.clone()
        })?;
        match (&with, &offer.helper) {
            (Some(with), _) => {
                tell_within(private, actor.user, *with, offer.key.id, &body, now)?;
            }
            (None, Some(helper)) => {
                let about = named(node, &offer.request)?;
                let words = format!("Your help with {about} was accepted");
                private.put_notice(helper, now, OFFER, &words, None)?;
            }
            (None, None) => {}
        }
        Ok::<_, NodeError>(())
    })?;
    // Who helps is named in the feed after it stands here that it was accepted; else the next sync does it.
    settle(node)?;
    node.audit(now, actor, "offer accept", &shown.key.id, "")
}

/// An offer, where nobody answered or took it back meanwhile.
pub(super) fn as_it_was(private: &Private, offer: &OfferRow) -> Result<OfferRow> {
    let held = private.offer(&offer.key)?;
    held.filter(|held| held.state == offer.state)
        .ok_or_else(|| {
            NodeError::Refused(
                "something came about this offer meanwhile; nothing was changed, look at it again"
                    .to_owned(),
            )
        })
}

/// Kindly declines an offer, or ends one that was accepted; who offered takes it back. Returns the side it was done by.
///
/// # Errors
/// That it is over already, or what is wrong with the text.
pub fn offer_decline(
    node: &Node,
    actor: &Actor,
    key: &RecordRef,
    text: Option<String>,
) -> Result<Side> {
    let (offer, side) = of_actor(node, actor, key)?;
    if !offer.state.is_open() {
        return Err(NodeError::Refused(
            "this offer is over already; nothing was changed".to_owned(),
        ));
    }
    match side {
        Side::Asker => decline(node, actor, &offer, text)?,
        Side::Helper if text.is_some() => {
            return Err(NodeError::Refused(
                "an offer is taken back without words, and everything you said with it is erased; nothing was changed"
                    .to_owned(),
            ));
        }
        Side::Helper => take_back(node, actor, &offer)?,
    }
    node.store.empty_logs()?;
    settle(node)?;
    Ok(side)
}

fn decline(node: &Node, actor: &Actor, offer: &OfferRow, text: Option<String>) -> Result<()> {
    let body = LetterBody::Decline(Decline {
        request: offer.request,
        text: text.clone(),
    });
    body.check()
        .map_err(|(field, source)| NodeError::Text { field, source })?;
    let with = other(node, offer);
    // It ends here also where the other instance is told nothing any more.
    if let Some(with) = &with
        && is_accepted(node, with)?
    {
        check(node, actor, with, &body)?;
    }
    let now = node.now();
    node.store.note_erasing()?;
    node.store.private().together(|private| {
        let held = OfferRow {
            answer: text,
            ..as_it_was(private, offer)?
        };
        let ended = hide(node, private, held, OfferState::Declined, now)?;
        match (&with, &ended.helper) {
            (Some(with), _) => {
                tell_within(private, actor.user, *with, ended.key.id, &body, now)?;
            }
            (None, Some(helper)) => {
                let about = named(node, &ended.request)?;
                let words = format!("Your help with {about} was kindly declined");
                private.put_notice(helper, now, OFFER, &words, None)?;
            }
            (None, None) => {}
        }
        Ok::<_, NodeError>(())
    })?;
    node.audit(now, actor, "offer decline", &offer.key.id, "")
}

fn take_back(node: &Node, actor: &Actor, offer: &OfferRow) -> Result<()> {
    let now = node.now();
    node.store.note_erasing()?;
    node.store.private().together(|private| {
        let held = OfferRow {
            name: None,
            text: None,
            ..as_it_was(private, offer)?
        };
        let was_accepted = held.state == OfferState::Accepted;
        let ended = hide(node, private, held, OfferState::TakenBack, now)?;
        let told = match other(node, &ended) {
            Some(with) => private.letter_out(&with, &ended.key.id, false)?,
            None => None,
        };
        if let Some(told) = told {
            ask_to_erase(private, &told, told.owner, now)?;
        }
        let author = author_of(node, &ended.request)?.filter(|_| was_accepted);
        if let Some((author, _)) = author {
            let about = named(node, &ended.request)?;
            let words = format!("Who wanted to help with {about} took that back");
            private.put_notice(&author, now, OFFER, &words, None)?;
        }
        Ok::<_, NodeError>(())
    })?;
    node.audit(now, actor, "offer take back", &offer.key.id, "")
}
