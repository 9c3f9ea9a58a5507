//! `wb offer list` and *My things*: what members offered and were offered, each for its two sides alone.
//!
//! How to reach the other side is shown while both agree, and at no other time.

use std::collections::BTreeMap;

use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::kinds::{To, User};
use wb_core::letter::LetterBody;
use wb_store::{LetterOut, OfferRow, OfferState, Private};

use super::letters::{Names, sent};
use crate::command::offer_answer::{Side, side};
use crate::command::offer_make::Ways;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::offers::{author_of, ends_at, is_over, other, title};
use crate::query::request_status;
use crate::view::{OfferView, SCHEMA_VERSION, WaysView};

/// Characters of an id that are enough to look for.
const FRAGMENT_CHARS_MIN: usize = 4;

/// Offers that an actor is at one side of, the newest first.
///
/// # Errors
/// What the store reports.
pub fn offers(node: &Node, actor: &Actor) -> Result<Vec<OfferView>> {
    offers_of(node, &actor.user)
}

/// The same for a member, whoever asks.
pub(crate) fn offers_of(node: &Node, user: &RecordId) -> Result<Vec<OfferView>> {
    let private = node.store.private();
    let mut views = Vec::new();
    let mut names = None;
    for offer in private.offers()? {
        if let Some(side) = side(node, user, &offer)? {
            let names = match &names {
                Some(names) => names,
                None => names.insert(Names::load(node)?),
            };
            views.push(view(node, private, names, offer, side)?);
        }
    }
    views.reverse();
    Ok(views)
}

/// Offers about one request that an actor is at one side of.
///
/// # Errors
/// What the store reports.
pub fn offers_about(node: &Node, actor: &Actor, request: &RecordRef) -> Result<Vec<OfferView>> {
    let mut offers = offers(node, actor)?;
    offers.retain(|offer| offer.request == *request);
    Ok(offers)
}

/// How many offers wait for an answer of a member.
///
/// # Errors
/// What the store reports.
pub fn waiting(node: &Node, user: &RecordId) -> Result<usize> {
    let mut count = 0;
    // Asked with every page: what does not wait is passed over before anything else is looked up.
    for offer in node.store.private().offers()? {
        let may_wait = offer.state == OfferState::Offered
            && offer.request.origin == node.own_id()
            && !is_over(&offer, node.now());
        if may_wait && side(node, user, &offer)? == Some(Side::Asker) && !is_gone(node, &offer)? {
            count += 1;
        }
    }
    Ok(count)
}

/// An offer, by its id or enough of it.
///
/// # Errors
/// That the actor is at no side of one, or of more than one.
pub fn find_offer(node: &Node, actor: &Actor, name: &str) -> Result<RecordRef> {
    let wanted = name.rsplit('/').next().unwrap_or_default();
    let mut fits = Vec::new();
    for offer in offers(node, actor)? {
        let id = offer.id.to_string();
        let is_long = wanted.len() >= FRAGMENT_CHARS_MIN;
        if id == wanted || is_long && (id.starts_with(wanted) || id.ends_with(wanted)) {
            fits.push(RecordRef {
                origin: offer.origin,
                id: offer.id,
            });
        }
    }
    match fits.as_slice() {
        [one] => Ok(*one),
        [] => Err(NodeError::unknown("offer of help", name)),
        more => Err(NodeError::Ambiguous {
            what: "offers of help",
            name: name.to_owned(),
            count: more.len(),
        }),
    }
}

/// Ways to reach a member that are kept here, to choose from.
///
/// # Errors
/// What the store reports.
pub fn known_ways(node: &Node, actor: &Actor) -> Result<Ways> {
    let mut ways = Ways {
        name: Some(name_of_member(node, actor)?),
        ..Ways::default()
    };
    let kept: BTreeMap<String, String> = node
        .store
        .private()
        .contacts(&actor.user)?
        .into_iter()
        .collect();
    for (kind, value) in kept {
        match kind.as_str() {
            "email" => ways.email = Some(value),
            "phone" => ways.phone = Some(value),
            _ if ways.more.is_none() => ways.more = Some(format!("{kind}: {value}")),
            _ => {}
        }
    }
    Ok(ways)
}

/// What a member calls themselves.
fn name_of_member(node: &Node, actor: &Actor) -> Result<String> {
    let profile = node.store.local(&actor.user)?;
    let user: Option<User> = profile.and_then(|profile| serde_json::from_str(&profile.body).ok());
    let name = user.and_then(|user| user.display_name);
    let name = name.filter(|name| !name.trim().is_empty());
    Ok(name.unwrap_or_else(|| actor.handle.clone()))
}

fn view(
    node: &Node,
    private: &Private,
    names: &Names,
    offer: OfferRow,
    side: Side,
) -> Result<OfferView> {
    let with = other(node, &offer);
    let home = names.of(&with.unwrap_or_else(|| node.own_id()));
    let told = match &with {
        Some(with) => private.letter_out(with, &offer.key.id, false)?,
        None => None,
    };
    let letter = told.as_ref().map(|told| sent(told, names, node.now()));
    let (contact, own_contact) = match side {
        Side::Asker => (&offer.helper_contact, &offer.asker_contact),
        Side::Helper => (&offer.asker_contact, &offer.helper_contact),
    };
    let agreed = offer.state == OfferState::Accepted;
    let contact = contact.as_deref().filter(|_| agreed).and_then(ways);
    let own_contact = own_contact.as_deref().and_then(ways);
    let (thanks, own_thanks) = match side {
        Side::Asker => (&offer.helper_thanks, &offer.asker_thanks),
        Side::Helper => (&offer.asker_thanks, &offer.helper_thanks),
    };
    let stands = stands(node, &offer, side, told.as_ref())?;
    let there = match &letter {
        Some(letter) if stands.is_told => {
            let what = told.as_ref().map_or("", |told| part(&told.kind));
            format!("; {what}{}", letter.sentence)
        }
        _ => String::new(),
    };
    let comes = if agreed && side == Side::Asker && contact.is_none() {
        format!("; how to reach them comes with a letter of {home}")
    } else {
        String::new()
    };
    Ok(OfferView {
        schema_version: SCHEMA_VERSION,
        id: offer.key.id,
        origin: offer.key.origin,
        way: match side {
            Side::Asker => "received",
            Side::Helper => "made",
        },
        request: offer.request,
        title: title(node, &offer.request)?,
        who: who(node, &offer, side, &home)?,
        with: home,
        state: stands.state,
        sentence: format!("{}{comes}{there}", stands.words),
        waits: side == Side::Asker && stands.state == "offered",
        can_thank: offer.state == OfferState::Done && own_thanks.is_none(),
        ends_at: ends_at(node, &offer)?,
        contact,
        own_contact,
        thanks: thanks.clone(),
        own_thanks: own_thanks.clone(),
        text: offer.text,
        answer: offer.answer,
        letter,
        at: offer.at,
        changed_at: offer.changed_at,
    })
}

/// What a letter is of an offer, before the words about where it is.
fn part(kind: &str) -> &'static str {
    match kind {
        LetterBody::CONTACTS => "how to reach you: ",
        "accept" | "decline" => "your answer: ",
        "done" => "your word: ",
        // An offer is named before, and taking back says so itself.
        _ => "",
    }
}

/// Where an offer stands, for one of its sides.
struct Stands {
    state: &'static str,
    words: &'static str,
    /// Whether it matters where the last letter is.
    is_told: bool,
}

fn stands(node: &Node, offer: &OfferRow, side: Side, told: Option<&LetterOut>) -> Result<Stands> {
    let is = |state, words, is_told| {
        Ok(Stands {
            state,
            words,
            is_told,
        })
    };
    let is_lost = told.is_some_and(|told| {
        told.receipt.is_none() && (told.lost_at.is_some() || told.expires <= node.now())
    });
    match (offer.state, side) {
        (OfferState::Offered, Side::Helper) if is_lost => {
            is("lost", "your offer did not arrive", true)
        }
        (OfferState::Offered, _) if is_over(offer, node.now()) => {
            is("over", "nobody answered within 30 days", false)
        }
        (OfferState::Offered, _) if is_gone(node, offer)? => is(
            "closed",
            "the request is answered or gone, so this offer is over",
            false,
        ),
        (OfferState::Offered, Side::Helper) => is("offered", "you offered help", true),
        (OfferState::Offered, Side::Asker) => is("offered", "it waits for your answer", false),
        (OfferState::Accepted, Side::Helper) => is("accepted", "your help was accepted", true),
        (OfferState::Accepted, Side::Asker) => is("accepted", "you accepted", true),
        (OfferState::Declined, Side::Helper) => is("declined", "it was kindly declined", false),
        (OfferState::Declined, Side::Asker) => is("declined", "you kindly declined", true),
        (OfferState::Closed, _) => is("closed", "the request is answered or gone", false),
        (OfferState::TakenBack, Side::Helper) => is("taken_back", "you took it back", true),
        (OfferState::TakenBack, Side::Asker) => is("taken_back", "who offered took it back", false),
        (OfferState::Done, _) => is(
            "done",
            "it is done",
            told.is_some_and(|told| told.kind == "done"),
        ),
    }
}

/// Whether nothing can come of an offer of a member here to another, or of one that was made here: the next sync says
/// so of the others.
fn is_gone(node: &Node, offer: &OfferRow) -> Result<bool> {
    if offer.request.origin != node.own_id() {
        return Ok(false);
    }
    if author_of(node, &offer.request)?.is_none() {
        return Ok(true);
    }
    let status = request_status(node, &offer.request)?;
    Ok(status.value != To::Open && !status.contested)
}

/// Who the other side is, as far as they say.
fn who(node: &Node, offer: &OfferRow, side: Side, home: &str) -> Result<String> {
    let is_here = other(node, offer).is_none();
    Ok(match side {
        Side::Asker if is_here => offer
            .name
            .clone()
            .unwrap_or_else(|| "a member here".to_owned()),
        Side::Asker => format!("{} at {home}", offer.name.as_deref().unwrap_or("a member")),
        Side::Helper => {
            let request = crate::query::requests::request(node, &offer.request);
            request.map_or_else(|_| home.to_owned(), |request| request.base.author)
        }
    })
}

/// Ways to reach somebody, from the body of the letter that says them.
fn ways(body: &str) -> Option<WaysView> {
    let kind = LetterBody::CONTACTS.parse().ok()?;
    let Ok(Some(LetterBody::Contacts(contact))) = LetterBody::read(&kind, 1, body) else {
        return None;
    };
    Some(WaysView {
        name: contact.name,
        email: contact.email,
        phone: contact.phone,
        text: contact.text,
    })
}

/// Who of this instance an offer in a thread with another is of or for.
pub(crate) fn member_of_thread(
    node: &Node,
    with: &InstanceId,
    thread: &RecordId,
) -> Result<Option<RecordId>> {
    let private = node.store.private();
    let Some(offer) = private.offer_with(&node.own_id(), with, thread)? else {
        return Ok(None);
    };
    if offer.helper.is_some() {
        return Ok(offer.helper);
    }
    let record = node.store.local(&offer.request.id)?;
    Ok(record.and_then(|record| record.author))
}
