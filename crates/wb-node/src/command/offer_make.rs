//! `wb offer make`: offers help with a request, to its author alone.
//!
//! Of another community's request it goes by letter. Ways to reach who offers are chosen here and stay here until the
//! offer is accepted: that they go then is part of what is agreed to now.

use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::kinds::To;
use wb_core::leave::{Helping, OwnersAct};
use wb_core::letter::{Contact, LetterBody, Offer};
use wb_core::limits::{OFFERS_PER_MEMBER_MAX, OFFERS_PER_REQUEST_MAX};
use wb_store::{AccountState, OfferRow, OfferState};

use crate::entropy;
use crate::error::{NodeError, Result};
use crate::letters::{tell_within, would_tell_in};
use crate::levels::is_accepted;
use crate::node::{Actor, Node};
use crate::offers::{author_of, is_over};
use crate::query::letters::name_of;
use crate::query::requests::request;

/// Ways to be reached, as their owner chose; nothing goes that is not here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ways {
    /// The name.
    pub name: Option<String>,
    /// An e-mail address.
    pub email: Option<String>,
    /// A number.
    pub phone: Option<String>,
    /// Anything else.
    pub more: Option<String>,
}

impl Ways {
    /// As a letter about a request says them.
    #[must_use]
    pub fn about(self, request: RecordRef) -> Contact {
        Contact {
            request,
            name: self.name,
            email: self.email,
            phone: self.phone,
            text: self.more,
        }
    }
}

/// What would be offered, to be shown before somebody says yes to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offering {
    /// The request.
    pub request: RecordRef,
    /// Its title.
    pub title: String,
    /// The other instance and its name; none where the request is of this one.
    pub to: Option<(InstanceId, String)>,
    /// What its author is told now.
    pub offer: Offer,
    /// What they are told once they accept.
    pub contacts: Contact,
}

impl Offering {
    /// What is told to whom and when, and what nobody can promise.
    #[must_use]
    pub fn words(&self) -> String {
        words(self.to.as_ref().map(|(_, name)| name.as_str()))
    }
}

fn words(to: Option<&str>) -> String {
    match to {
            Some(home) => format!(
                "The offer goes as a letter to {home} alone, sealed, and is shown there to whoever asked. How to reach you \
                 goes after it, once they accept, and not before; then you see how to reach them. It is hidden again when \
                 the help is done. The operators of both communities could read it on their disks, and nobody can take \
                 back what was read. If it is accepted, {home} names your community as one that helps with this request, \
                 and not you."
            ),
            None => "The offer is shown to whoever asked, and to nobody else. How to reach you is shown to them once they \
                     accept, and not before; then you see how to reach them. It is hidden again when the help is done. The \
                     operator of this community could read it on the disk, and nobody can take back what was read."
                .to_owned(),
        }
}

/// What is told to whom and when, before anything was written.
///
/// # Errors
/// What the store reports.
pub fn offering_words(node: &Node, key: &RecordRef) -> Result<String> {
    if key.origin == node.own_id() {
        return Ok(words(None));
    }
    Ok(words(Some(&name_of(node, &key.origin)?)))
}

/// What would be offered.
///
/// # Errors
/// Why nothing can be offered here, or what is wrong with a field.
pub fn offering(
    node: &Node,
    actor: &Actor,
    key: &RecordRef,
    text: Option<String>,
    ways: Ways,
) -> Result<Offering> {
    let title = may_offer(node, actor, key)?;
    let offer = Offer {
        request: *key,
        name: ways.name.clone(),
        text,
    };
    let contacts = ways.about(*key);
    for body in [
        LetterBody::Offer(offer.clone()),
        LetterBody::Contacts(contacts.clone()),
    ] {
        check(node, actor, key, &body)?;
    }
    let is_home = key.origin == node.own_id();
    Ok(Offering {
        request: *key,
        title,
        to: match is_home {
            true => None,
            false => Some((key.origin, name_of(node, &key.origin)?)),
        },
        offer,
        contacts,
    })
}

/// Whether a member can offer help with a request now. Returns its title.
///
/// # Errors
/// Why not.
pub fn may_offer(node: &Node, actor: &Actor, key: &RecordRef) -> Result<String> {
    let refuse = |why: &str| NodeError::Refused(format!("{why}; nothing was offered"));
    let request = request(node, key)?;
    if request.erased || request.base.hidden.is_some() {
        return Err(NodeError::unknown("request", key.id.to_string()));
    }
    if request.status != To::Open {
        return Err(refuse("help with this is not needed any more"));
    }
    if key.origin != node.own_id() {
        super::retire::check_open(node)?;
    }
    if key.origin == node.own_id() {
        match author_of(node, key)? {
            Some((author, _)) if author == actor.user => {
                return Err(refuse("this is your own request"));
            }
            Some(_) => {}
            None => return Err(refuse("nobody is here to answer for this request")),
        }
    }
    let account = node.store.private().account_of(&actor.user)?;
    if account.is_none_or(|account| account.state != AccountState::Approved) {
        return Err(refuse("your account is not approved yet"));
    }
    let now = node.now();
    let private = node.store.private();
    let mine = private.offers()?.into_iter().filter(|offer| {
        offer.helper == Some(actor.user) && offer.state.is_open() && !is_over(offer, now)
    });
    let mine: Vec<OfferRow> = mine.collect();
    if mine.iter().any(|offer| offer.request == *key) {
        return Err(refuse("you offered help with this already"));
    }
    let waiting = mine
        .iter()
        .filter(|offer| offer.state == OfferState::Offered);
    if waiting.count() as u64 >= OFFERS_PER_MEMBER_MAX {
        return Err(refuse(&format!(
            "{OFFERS_PER_MEMBER_MAX} of your offers wait for an answer; take one of them back first"
        )));
    }
    if private.offers_of(&node.own_id(), key)? >= OFFERS_PER_REQUEST_MAX {
        return Err(refuse(&format!(
            "members here made {OFFERS_PER_REQUEST_MAX} offers to this request already"
        )));
    }
    Ok(request.title)
}

/// What a letter would be held against: its form always, and where it goes elsewhere, the one door.
fn check(node: &Node, actor: &Actor, key: &RecordRef, body: &LetterBody) -> Result<()> {
    body.check().map_err(|(field, source)| match field {
        "contact" => NodeError::Refused(
            "say at least one way to reach you: it goes once the offer is accepted, and not before; nothing was offered"
                .to_owned(),
        ),
        field => NodeError::Text { field, source },
    })?;
    let to = key.origin;
    if to == node.own_id() {
        return Ok(());
    }
    if !is_accepted(node, &to)? {
        return Err(NodeError::Refused(format!(
            "{} is not accepted here; nothing was offered",
            to.short()
        )));
    }
    // What is agreed to now for later is looked at as if the other side had agreed.
    let told = would_tell_in(node, actor.user, to, Helping::Accepted, body, node.now())?;
    told.map_err(|why| NodeError::Refused(format!("nothing was offered: {}", why.sentence())))
}

/// Offers exactly what was shown. Returns the offer.
///
/// # Errors
/// As [`offering`]; nothing is offered then.
pub fn offer_make(node: &Node, actor: &Actor, shown: &Offering) -> Result<RecordId> {
    let key = shown.request;
    may_offer(node, actor, &key)?;
    let now = node.now();
    let id = entropy::record_id(now);
    let (offer, contacts) = (
        LetterBody::Offer(shown.offer.clone()),
        LetterBody::Contacts(shown.contacts.clone()),
    );
    for body in [&offer, &contacts] {
        check(node, actor, &key, body)?;
    }
    let agreed = contacts.to_raw();
    let is_home = key.origin == node.own_id();
    node.store.private().together(|private| {
        private.put_offer(&OfferRow {
            key: RecordRef {
                origin: node.own_id(),
                id,
            },
            request: key,
            helper: Some(actor.user),
            name: shown.offer.name.clone(),
            text: shown.offer.text.clone(),
            helper_contact: Some(agreed.get().to_owned()),
            asker_contact: None,
            act_shown: Some(OwnersAct::to_say(actor.user, key.origin, &agreed).shown),
            state: OfferState::Offered,
            answer: None,
            helper_thanks: None,
            asker_thanks: None,
            named: false,
            completes: false,
            at: now,
            changed_at: now,
        })?;
        if !is_home {
            tell_within(private, actor.user, key.origin, id, &offer, now)?;
        }
        Ok::<_, NodeError>(())
    })?;
    let detail = match is_home {
        true => "here".to_owned(),
        false => format!("to {}", key.origin.short()),
    };
    node.audit(now, actor, "offer make", &id, detail)?;
    Ok(id)
}
