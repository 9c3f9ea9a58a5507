//! Letters that were sent and came: where each stands, and what it says to those who may read it.
//!
//! A reply is read by the members of its home, as what is private there; ways to reach somebody only by the author of
//! the request they are about. What came of an origin that is not accepted is a number, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::letter::{Contact, Letter, LetterBody, Redeem, Redeemed};
use wb_core::limits::LETTERS_KEPT_MAX;
use wb_core::scope::Scope;
use wb_core::time::Timestamp;
use wb_store::{LetterIn, LetterOut, Standing};

use super::offers::member_of_thread;
use crate::error::{NodeError, Result};
use crate::levels::{is_accepted, is_read};
use crate::node::{Actor, Node};
use crate::view::{Base, CommentView, LetterState, LetterView, SCHEMA_VERSION};

/// Stands for who wrote a letter and did not say their name.
const NAMELESS: &str = "a member";

/// Letters that an actor may know of, the newest first: their own, those about their requests, and for whoever looks
/// after the instance that there are others.
///
/// # Errors
/// What the store reports.
pub fn letters(node: &Node, actor: &Actor) -> Result<Vec<LetterView>> {
    of_user(node, &actor.user, actor.is_steward())
}

/// Letters that a member sent, and those about their requests, whatever the account may do beside that.
pub(crate) fn own_letters(node: &Node, user: &RecordId) -> Result<Vec<LetterView>> {
    of_user(node, user, false)
}

fn of_user(node: &Node, user: &RecordId, sees_others: bool) -> Result<Vec<LetterView>> {
    let names = Names::load(node)?;
    let private = node.store.private();
    let mut views = Vec::new();
    for letter in private.letters_out()? {
        let is_own = letter.owner == Some(*user);
        if letter.is_receipt || !(is_own || sees_others) {
            continue;
        }
        let body = letter.kind.parse().ok();
        let body = body.and_then(|kind| LetterBody::read(&kind, 1, &letter.body).ok().flatten());
        views.push(LetterView {
            schema_version: SCHEMA_VERSION,
            way: "sent",
            thread: letter.thread,
            n: letter.n,
            with: letter.recipient,
            name: names.of(&letter.recipient),
            request: letter.request,
            author: None,
            text: body.filter(|_| is_own).and_then(|body| text(&body)),
            at: letter.at,
            state: sent(&letter, &names, node.now()),
            kind: letter.kind,
        });
    }
    for letter in private.letters_in()? {
        let is_mine = is_for(node, user, letter.request.as_ref())?
            || member_of_thread(node, &letter.origin, &letter.thread)? == Some(*user);
        if !(is_mine || sees_others) {
            continue;
        }
        let body = shown(node, &letter)?;
        let may_read = match &body {
            Some(LetterBody::Reply(_)) | None => true,
            Some(_) => is_mine,
        };
        let body = body.filter(|_| may_read);
        views.push(LetterView {
            schema_version: SCHEMA_VERSION,
            way: "received",
            thread: letter.thread,
            n: letter.n,
            with: letter.origin,
            name: names.of(&letter.origin),
            kind: letter.kind.clone(),
            request: letter.request.map(|id| RecordRef {
                origin: node.own_id(),
                id,
            }),
            author: body.as_ref().and_then(author),
            text: body.as_ref().and_then(text),
            at: letter.at,
            state: received(node, &letter, body.is_some() || !may_read)?,
        });
    }
    views.sort_by_key(|view| std::cmp::Reverse((view.at, view.thread)));
    Ok(views)
}

/// An answer that came by letter, by its id or enough of it.
///
/// # Errors
/// That there is none, or more than one.
pub fn find_reply(node: &Node, name: &str) -> Result<RecordRef> {
    let wanted = name.rsplit('/').next().unwrap_or_default();
    let mut fits: Vec<RecordRef> = Vec::new();
    for view in replies(node, None)? {
        let id = view.base.id.to_string();
        if id == wanted || wanted.len() >= 4 && (id.starts_with(wanted) || id.ends_with(wanted)) {
            fits.push(RecordRef {
                origin: view.base.origin,
                id: view.base.id,
            });
        }
    }
    match fits.as_slice() {
        [one] => Ok(*one),
        [] => Err(NodeError::unknown("answer by letter", name)),
        more => Err(NodeError::Ambiguous {
            what: "answers by letter",
            name: name.to_owned(),
            count: more.len(),
        }),
    }
}

/// Ways to reach people that were sent about a request, for its author alone.
///
/// # Errors
/// What the store reports.
pub fn contacts(
    node: &Node,
    actor: &Actor,
    request: &RecordRef,
) -> Result<Vec<(String, Contact, Timestamp)>> {
    if request.origin != node.own_id() || !is_for(node, &actor.user, Some(&request.id))? {
        return Ok(Vec::new());
    }
    let names = Names::load(node)?;
    let mut found = Vec::new();
    for letter in node.store.private().letters_about(&request.id)? {
        if let Some(LetterBody::Contact(contact)) = shown(node, &letter)? {
            let who = contact.name.as_deref().unwrap_or(NAMELESS);
            let who = format!("{who} at {}", names.of(&letter.origin));
            found.push((who, contact, letter.at));
        }
    }
    Ok(found)
}

/// Letters that an actor sent about a request of another instance: ways to reach them.
///
/// # Errors
/// What the store reports.
pub fn sent_about(
    node: &Node,
    actor: &Actor,
    request: &RecordRef,
) -> Result<Vec<(RecordId, LetterState)>> {
    let names = Names::load(node)?;
    let letters = node.store.private().letters_out()?.into_iter();
    let contacts = letters.filter(|letter| {
        !letter.is_receipt
            && letter.owner == Some(actor.user)
            && letter.request.as_ref() == Some(request)
            // An answer whose record was never written, because somebody was cut off, stands in the list of letters.
            && letter.kind != "reply"
            // What belongs to an offer is shown with that.
            && node.store.private().offer(&RecordRef { origin: node.own_id(), id: letter.thread }).is_ok_and(|offer| offer.is_none())
            && node
                .store
                .local(&letter.thread)
                .is_ok_and(|found| found.is_none())
    });
    Ok(contacts
        .map(|letter| (letter.thread, sent(&letter, &names, node.now())))
        .collect())
}

/// Letters that wait for their receipts, by recipient: its id, its name, and how many.
///
/// # Errors
/// What the store reports.
pub fn outbox(node: &Node) -> Result<Vec<(InstanceId, String, u64)>> {
    let mut counts: BTreeMap<InstanceId, u64> = BTreeMap::new();
    for letter in node.store.private().letters_out()? {
        if !letter.is_receipt && letter.receipt.is_none() && letter.lost_at.is_none() {
            *counts.entry(letter.recipient).or_default() += 1;
        }
    }
    let names = Names::load(node)?;
    let counts = counts.into_iter();
    Ok(counts
        .map(|(id, count)| (id, names.of(&id), count))
        .collect())
}

/// To whom a record of this instance went as a letter, and where each stands.
///
/// # Errors
/// What the store reports.
pub fn letters_of_record(
    node: &Node,
    id: &RecordId,
) -> Result<Vec<(InstanceId, String, LetterState)>> {
    let names = Names::load(node)?;
    let letters = node.store.private().letters_of_thread(id)?.into_iter();
    Ok(letters
        .map(|letter| {
            let state = sent(&letter, &names, node.now());
            (letter.recipient, names.of(&letter.recipient), state)
        })
        .collect())
}

/// Says of own comments that went as letters where each stands.
pub(crate) fn on_sent(node: &Node, views: &mut [CommentView]) -> Result<()> {
    let letters = node.store.private().letters_out()?.into_iter();
    let letters: BTreeMap<RecordId, LetterOut> = letters
        .filter(|letter| !letter.is_receipt)
        .map(|letter| (letter.thread, letter))
        .collect();
    if letters.is_empty() {
        return Ok(());
    }
    let names = Names::load(node)?;
    for view in views.iter_mut().filter(|view| view.base.local) {
        let letter = letters.get(&view.base.id);
        view.letter = letter.map(|letter| sent(letter, &names, node.now()));
    }
    Ok(())
}

/// Replies that came by letter and were not published, as comments that only members here see.
pub(crate) fn replies(node: &Node, request: Option<&RecordRef>) -> Result<Vec<CommentView>> {
    let private = node.store.private();
    let held = match request {
        Some(request) if request.origin != node.own_id() => return Ok(Vec::new()),
        Some(request) => private.letters_about(&request.id)?,
        None => private.letters_in()?,
    };
    if held.is_empty() {
        return Ok(Vec::new());
    }
    let names = Names::load(node)?;
    let mut views = Vec::new();
    for letter in held {
        if letter.state != "arrived" {
            continue;
        }
        let (Some(LetterBody::Reply(reply)), Some(_)) = (shown(node, &letter)?, letter.request)
        else {
            continue;
        };
        let home = names.of(&letter.origin);
        let name = reply.name.as_deref().unwrap_or(NAMELESS);
        views.push(CommentView {
            base: Base {
                schema_version: SCHEMA_VERSION,
                id: letter.thread,
                origin: letter.origin,
                author: format!("{name} at {home}"),
                home,
                local: false,
                kind: "comment".parse().expect("a kind"),
                scope: Scope::Private,
                rev: 0,
                by: None,
                created_at: letter.at,
                at: letter.at,
                hidden: None,
            },
            request: reply.request,
            body: reply.text,
            erased: false,
            letter: Some(received(node, &letter, true)?),
        });
    }
    Ok(views)
}

/// What a letter says, where it may be shown at all: of an origin that is accepted now, and of a kind that is known.
pub(crate) fn shown(node: &Node, letter: &LetterIn) -> Result<Option<LetterBody>> {
    if !is_read(node, &letter.origin)? {
        return Ok(None);
    }
    let Ok(read) = Letter::kept(&letter.line) else {
        return Ok(None);
    };
    Ok(read.read_body().ok().flatten())
}

/// Who wrote letters that nobody here sees, with how many: left elsewhere, or held from when it was accepted.
///
/// # Errors
/// What the store reports.
pub(crate) fn unseen(node: &Node) -> Result<BTreeMap<InstanceId, u64>> {
    let mut counts: BTreeMap<InstanceId, u64> = BTreeMap::new();
    for (origin, count) in node.store.mail_left()? {
        *counts.entry(origin).or_default() += count;
    }
    for (origin, count) in node.store.private().letters_by_origin()? {
        if is_read(node, &origin)? {
            continue;
        }
        *counts.entry(origin).or_default() += count;
    }
    let mut accepted = BTreeSet::new();
    for origin in counts.keys() {
        let standing = node.store.standing(origin)?;
        if standing == Some(Standing::Blocked) || standing.is_some_and(Standing::is_accepted) {
            accepted.insert(*origin);
        }
    }
    counts.retain(|origin, _| !accepted.contains(origin));
    Ok(counts)
}

/// Who wrote letters that wait elsewhere because so many of it are kept here already, with how many wait.
///
/// # Errors
/// What the store reports.
pub(crate) fn full(node: &Node) -> Result<Vec<(InstanceId, u64)>> {
    let mut full = Vec::new();
    for (origin, count) in node.store.mail_left()? {
        if is_accepted(node, &origin)?
            && node.store.private().letters_of(&origin)? >= LETTERS_KEPT_MAX
        {
            full.push((origin, count));
        }
    }
    Ok(full)
}

/// Letters that did not arrive, by recipient, with when that was told last.
pub(crate) fn lost(node: &Node) -> Result<BTreeMap<InstanceId, (u64, Timestamp)>> {
    let mut lost: BTreeMap<InstanceId, (u64, Timestamp)> = BTreeMap::new();
    for letter in node.store.private().letters_out()? {
        // One that arrived after all was told, and what is asked to be erased is no letter of anybody.
        let is_letter = letter.receipt.is_none() && letter.kind != "erase";
        let Some(at) = letter.lost_at.filter(|_| is_letter) else {
            continue;
        };
        let of = lost.entry(letter.recipient).or_insert((0, at));
        *of = (of.0 + 1, of.1.max(at));
    }
    Ok(lost)
}

/// Whether a member wrote the own request that a letter is about.
fn is_for(node: &Node, user: &RecordId, request: Option<&RecordId>) -> Result<bool> {
    let Some(request) = request else {
        return Ok(false);
    };
    let record = node.store.local(request)?;
    Ok(record.is_some_and(|record| record.author == Some(*user)))
}

fn author(body: &LetterBody) -> Option<String> {
    match body {
        LetterBody::Reply(reply) => reply.name.clone(),
        LetterBody::Contact(contact) => contact.name.clone(),
        LetterBody::Offer(offer) => offer.name.clone(),
        _ => None,
    }
}

/// What a letter says, in one text. Ways to reach who helps and who asked are shown with the offer alone, while both
/// agree.
fn text(body: &LetterBody) -> Option<String> {
    match body {
        LetterBody::Reply(reply) => Some(reply.text.clone()),
        LetterBody::Contact(contact) => Some(contact_text(contact)),
        LetterBody::Offer(offer) => offer.text.clone(),
        LetterBody::Decline(decline) => decline.text.clone(),
        LetterBody::Done(done) => done.thanks.clone(),
        LetterBody::Redeem(redeem) => Some(redeem_text(redeem)),
        LetterBody::Redeemed(redeemed) => Some(redeemed_text(redeemed)),
        LetterBody::Accept(_)
        | LetterBody::Contacts(_)
        | LetterBody::Closed(_)
        | LetterBody::Erase
        | LetterBody::Receipt(_) => None,
    }
}

/// Ways to reach somebody, each on a line with what it is.
#[must_use]
pub fn contact_text(contact: &Contact) -> String {
    let fields = [
        ("name", &contact.name),
        ("e-mail", &contact.email),
        ("phone", &contact.phone),
        ("more", &contact.text),
    ];
    let lines = fields
        .into_iter()
        .filter_map(|(field, value)| Some(format!("{field}: {}", value.as_ref()?)));
    lines.collect::<Vec<_>>().join("\n")
}

/// What an issuer is asked, with nothing left out.
#[must_use]
pub fn redeem_text(redeem: &Redeem) -> String {
    format!("invitation: {}\ncode: {}", redeem.invite.id, redeem.code)
}

/// What an issuer answers.
#[must_use]
pub fn redeemed_text(redeemed: &Redeemed) -> String {
    match redeemed {
        Redeemed::Counted => "counted".to_owned(),
        Redeemed::Refused(cause) => format!("not counted: {}", cause.sentence()),
    }
}

/// Where a letter that was sent stands.
pub(super) fn sent(letter: &LetterOut, names: &Names, now: Timestamp) -> LetterState {
    let to = names.of(&letter.recipient);
    let is_back = letter.kind == "erase";
    let of = |state: &'static str, sentence: String| LetterState { state, sentence };
    if let Some((_, state, at)) = &letter.receipt {
        return match state.as_str() {
            "erased" => of("erased", format!("{to} says that it is erased there")),
            "published" => of("published", format!("{to} published it ({at})")),
            _ => of("arrived", format!("it arrived at {to} ({at})")),
        };
    }
    if letter.lost_at.is_some() || letter.expires <= now {
        let what = if is_back {
            format!("{to} did not say within 30 days that it erased it, and may have it still")
        } else {
            format!("{to} did not say within 30 days that it arrived")
        };
        return of("lost", what);
    }
    let asks = if is_back { "taking it back " } else { "" };
    if let Some(place) = letter.kept_at.first() {
        let place = names.of(place);
        return of(
            "at_hub",
            format!("{asks}waits at {place} until {to} takes it"),
        );
    }
    let why = match letter.blocked.as_deref() {
        None => "goes with the next sync",
        Some("no_key") => {
            "waits here: the card of the other community with its sealing key is not here"
        }
        Some("key_in_doubt") => {
            "waits here: the other community recovered its key and its card is from before"
        }
        Some("new_key") => {
            "stays here: the sealing key of the other community changed since this was sealed; send it once more if it is \
             for whoever has that one now"
        }
        Some("not_accepted") => "waits here: the other community is not accepted here any more",
        Some("not_theirs") => "waits here: what it is about is not there any more",
        Some("not_agreed") => "waits here: the offer is not accepted any more",
        Some(_) => "waits here and may not go",
    };
    of("waiting", format!("{asks}{why}"))
}

/// Where a letter that came stands.
fn received(node: &Node, letter: &LetterIn, is_known: bool) -> Result<LetterState> {
    let of = |state: &'static str, sentence: &str| LetterState {
        state,
        sentence: sentence.to_owned(),
    };
    if !is_read(node, &letter.origin)? {
        return Ok(of(
            "not_accepted",
            "who wrote it is not accepted here; it is shown once somebody accepts them",
        ));
    }
    Ok(match letter.state.as_str() {
        "published" => of("published", "it was published here"),
        "erased" | "erasing" => of("erased", "who wrote it took it back"),
        _ if !is_known => of("unknown", "a newer version of this program shows it"),
        _ => of("arrived", "it came by letter, for this community alone"),
    })
}

/// What an instance is called.
///
/// # Errors
/// What the store reports.
pub(crate) fn name_of(node: &Node, id: &InstanceId) -> Result<String> {
    Ok(Names::load(node)?.of(id))
}

/// Names of instances.
pub(super) struct Names(BTreeMap<InstanceId, String>);

impl Names {
    pub(super) fn load(node: &Node) -> Result<Self> {
        let mut names = BTreeMap::new();
        for peer in node.store.peers()? {
            names.insert(peer.id, super::peers::label(&peer.name, &peer.id));
        }
        // What its own card says, before what somebody else calls it.
        for known in node.store.instances()? {
            if let Some(name) = known.name {
                names.insert(known.id, name);
            }
        }
        Ok(Self(names))
    }

    pub(super) fn of(&self, id: &InstanceId) -> String {
        let name = self.0.get(id).filter(|name| !name.trim().is_empty());
        name.cloned().unwrap_or_else(|| id.short())
    }
}
