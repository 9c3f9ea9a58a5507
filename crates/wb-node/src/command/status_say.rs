//! Says where a request stands: at home, where home names this instance as a helper, or as a claim (spec: status).
//!
//! What would follow from it is said before it is done. Nothing here decides what is shown; that is a function of all
//! that is said.

use std::collections::BTreeMap;

use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::kinds::{Body, Status, To, check_text};
use wb_core::limits::{HEARD_MAX, NUMBER_MAX};
use wb_core::scope::Scope;
use wb_core::time::Timestamp;
use wb_store::{Filter, LocalRecord, Write};

use super::init::local;
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::query::{RequestStatus, own_record, request_status};

/// As whom this instance speaks of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpeaksAs {
    /// The request is its own: what it says stands, and it hears what helpers said.
    Home,
    /// Its home names this instance as a helper: its word counts.
    Helper,
    /// Neither: it is a claim.
    Claim,
}

/// What saying something would do, told before it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saying {
    /// As whom it is said.
    pub speaks_as: SpeaksAs,
    /// The name of the request's home.
    pub home: String,
    /// What follows, in words.
    pub words: String,
}

/// What would follow from saying that a request is open, completed or cancelled.
///
/// # Errors
/// That the actor may not say it, or that it is so already.
pub fn saying(node: &Node, actor: &Actor, request: &RecordRef, to: To) -> Result<Saying> {
    let (speaks_as, status) = check(node, actor, request, to)?;
    let home = home_of(node, request)?;
    let own = node.store.local(&request.id)?;
    let stays = own.is_some_and(|own| own.scope.min(own.ceiling) == Scope::Private);
    let words = if speaks_as == SpeaksAs::Home && stays {
        format!(
            "It is {} for the members here; nobody else has it.",
            to.as_str()
        )
    } else {
        words(speaks_as, &home, to, &status)
    };
    Ok(Saying {
        words,
        speaks_as,
        home,
    })
}

/// Says it. Returns the id of the status event.
///
/// # Errors
/// As [`saying`], and what is wrong with the note.
pub fn say(
    node: &Node,
    actor: &Actor,
    request: &RecordRef,
    to: To,
    note: Option<&str>,
) -> Result<RecordId> {
    say_if(node, actor, request, to, note, &|_| Ok(()))
}

/// Says it where the request stands as its caller expects, looked at within the same transaction.
pub(crate) fn say_if(
    node: &Node,
    actor: &Actor,
    request: &RecordRef,
    to: To,
    note: Option<&str>,
    expected: &dyn Fn(&RequestStatus) -> Result<()>,
) -> Result<RecordId> {
    if let Some(note) = note {
        check_text(note).map_err(NodeError::text("note"))?;
    }
    let now = node.now();
    // Read and written in one transaction: two who speak at one time do not count the same number.
    let write = node.store.write_in_sight()?;
    let (speaks_as, status) = check(node, actor, request, to)?;
    expected(&status)?;
    let event = Status {
        note: note.map(str::to_owned),
        ..match speaks_as {
            SpeaksAs::Home => home_event(request, &status, to, status.heard.clone())?,
            SpeaksAs::Helper | SpeaksAs::Claim => away_event(node, request, &status, to)?,
        }
    };
    let id = put(node, &write, event, Some(actor.user), now)?;
    write.commit()?;
    let act = format!("request {}", act_of(to));
    let detail = match speaks_as {
        SpeaksAs::Home => "",
        SpeaksAs::Helper => "as a helper",
        SpeaksAs::Claim => "as a claim",
    };
    node.audit(now, actor, &act, &request.id, detail)?;
    Ok(id)
}

/// The verb for a value.
fn act_of(to: To) -> &'static str {
    match to {
        To::Open => "reopen",
        To::Completed => "complete",
        To::Cancelled => "cancel",
    }
}

fn check(
    node: &Node,
    actor: &Actor,
    request: &RecordRef,
    to: To,
) -> Result<(SpeaksAs, RequestStatus)> {
    let speaks_as = if request.origin == node.own_id() {
        must_decide(node, actor, request, what_of(to))?;
        SpeaksAs::Home
    } else {
        check_away(node, request, to)?;
        SpeaksAs::Claim
    };
    let status = request_status(node, request)?;
    if status.value == to && !status.contested {
        let is = match to {
            To::Open => "open",
            To::Completed => "completed",
            To::Cancelled => "cancelled",
        };
        return Err(NodeError::Refused(format!("the request is {is} already")));
    }
    let own = node.own_id();
    if speaks_as == SpeaksAs::Home {
        return Ok((speaks_as, status));
    }
    // Who says the same again says nothing new, as long as home said nothing either.
    let last = status.word_of(&own);
    if last.is_some_and(|last| last.word.to == to && last.word.answers) {
        return Err(NodeError::Refused(format!(
            "this community says already that it is {}; nothing was changed",
            to.as_str()
        )));
    }
    let speaks_as = if status.helpers.contains(&own) {
        SpeaksAs::Helper
    } else {
        SpeaksAs::Claim
    };
    Ok((speaks_as, status))
}

fn what_of(to: To) -> &'static str {
    match to {
        To::Open => "reopen this request",
        To::Completed => "complete this request",
        To::Cancelled => "cancel this request",
    }
}

/// Refuses who may not decide where an own request stands; `act` is what they tried.
///
/// # Errors
/// That the request is another instance's, or that the actor neither wrote it nor is a steward.
pub fn must_decide(
    node: &Node,
    actor: &Actor,
    request: &RecordRef,
    act: &'static str,
) -> Result<()> {
    let record = own_record(node, request, "request")?;
    if record.author == Some(actor.user) || actor.is_steward() {
        return Ok(());
    }
    Err(NodeError::Forbidden {
        actor: actor.handle.clone(),
        act,
        why: "its author or a steward does that",
    })
}

fn check_away(node: &Node, request: &RecordRef, to: To) -> Result<()> {
    super::retire::check_open(node)?;
    let filter = Filter {
        origin: Some(request.origin),
        id: Some(request.id),
        ..Filter::default()
    };
    let rows = node.store.records(&filter)?;
    let row = rows.into_iter().find(|row| row.kind.as_str() == "request");
    let row = row.ok_or_else(|| NodeError::unknown("request", request.id.to_string()))?;
    if to == To::Cancelled {
        return Err(NodeError::Refused(
            "only the community that asked cancels a request; from here it can be said that help was given (complete) or \
             is needed (reopen)"
                .to_owned(),
        ));
    }
    if row.scope == Scope::TrustedPeers {
        return Err(NodeError::Refused(
            "its home shared this request with trusted communities alone, so nothing about it goes into a feed from here. \
             Nothing was changed; tell them with an answer, which goes as a letter (`wb comment add`)"
                .to_owned(),
        ));
    }
    Ok(())
}

fn home_of(node: &Node, request: &RecordRef) -> Result<String> {
    if request.origin == node.own_id() {
        return Ok(node.name().to_owned());
    }
    let instances = node.store.instances()?;
    let home = instances.iter().find(|known| known.id == request.origin);
    Ok(home.map_or_else(|| request.origin.short(), wb_store::Instance::label))
}

fn words(speaks_as: SpeaksAs, home: &str, to: To, status: &RequestStatus) -> String {
    let to = to.as_str();
    match speaks_as {
        SpeaksAs::Home => {
            let settles = if status.contested {
                " That settles what those who help say otherwise: this community has heard it."
            } else {
                ""
            };
            format!(
                "It is {to} here at once, and with the next publish or sync for everybody who has it.{settles}"
            )
        }
        SpeaksAs::Helper => format!(
            "{home} names this community as helping here, so its word counts: with the next publish or sync it is {to} for \
             everybody who has the request. If {home} says something else meanwhile, both are shown until {home} \
             settles it."
        ),
        SpeaksAs::Claim => format!(
            "{home} has not named this community as helping here, so this is a claim: whoever follows this community sees \
             it beside the request, and it does not change where the request stands. {home} decides that."
        ),
    }
}

/// What home says next.
pub(crate) fn home_event(
    request: &RecordRef,
    status: &RequestStatus,
    to: To,
    heard: BTreeMap<InstanceId, u64>,
) -> Result<Status> {
    Ok(Status {
        request: *request,
        to,
        n: next(status.home_n)?,
        note: None,
        heard: (!heard.is_empty()).then_some(heard),
        after: None,
    })
}

/// What this instance says next of a request of another.
fn away_event(node: &Node, request: &RecordRef, status: &RequestStatus, to: To) -> Result<Status> {
    let last = status.word_of(&node.own_id()).map_or(0, |last| last.n);
    Ok(Status {
        request: *request,
        to,
        n: next(last)?,
        note: None,
        heard: None,
        after: status.home_event,
    })
}

fn next(n: u64) -> Result<u64> {
    if n < NUMBER_MAX {
        return Ok(n + 1);
    }
    Err(NodeError::Refused(
        "somebody who had the key used up the numbers that count what is said of this request; nothing was changed. Ask \
         anew in another request"
            .to_owned(),
    ))
}

/// Writes a status event. It goes as far as its request does, so its own scope is the widest. Without an author the
/// instance says it.
pub(crate) fn put(
    node: &Node,
    write: &Write<'_>,
    event: Status,
    author: Option<RecordId>,
    now: Timestamp,
) -> Result<RecordId> {
    let id = entropy::record_id(now);
    let body = Body::Status(event);
    let record = local(id, &body, author, Scope::Public, node.own_id(), now);
    write.put_local(&record)?;
    Ok(id)
}

/// What this instance has to say before a record of its own about where a request stands is taken back, so that what
/// is shown stays as it is: the value shown now. Nothing where taking it back changes nothing.
///
/// # Errors
/// What the store reports.
pub(crate) fn before_taking_back(node: &Node, record: &LocalRecord) -> Result<Option<Status>> {
    let Some(request) = record.parent else {
        return Ok(None);
    };
    let own = node.own_id();
    match record.kind.as_str() {
        "helper" => {
            let helper = Body::read(&record.kind, 1, own, &record.body);
            let Ok(Body::Helper(helper)) = helper else {
                return Ok(None);
            };
            let status = request_status(node, &request)?;
            shown_anew(&request, &status, helper.instance)
        }
        "status" => {
            let status = request_status(node, &request)?;
            let last = status.word_of(&own);
            let Some(last) = last.filter(|last| last.id == record.id) else {
                return Ok(None);
            };
            if request.origin == own {
                let heard = status.home_heard.clone();
                return home_event(&request, &status, status.value, heard).map(Some);
            }
            // A claim takes nothing along, and a helper cannot say that a request is cancelled: then home's word is
            // what is shown, with this one or without.
            if !last.word.is_pending || status.value == To::Cancelled {
                return Ok(None);
            }
            away_event(node, &request, &status, status.value).map(Some)
        }
        _ => Ok(None),
    }
}

/// The value shown now as home's word, which has heard what one instance said. Nothing where that instance says
/// nothing that home has not heard.
pub(crate) fn shown_anew(
    request: &RecordRef,
    status: &RequestStatus,
    hears: InstanceId,
) -> Result<Option<Status>> {
    let known = status.home_heard.get(&hears).copied().unwrap_or(0);
    let latest = status.latest.get(&hears).copied();
    let Some(n) = latest.filter(|n| *n > known) else {
        return Ok(None);
    };
    let mut heard = status.home_heard.clone();
    heard.insert(hears, n);
    // What is remembered of those who are not named any more makes room: a word that nobody can read ends nothing.
    while heard.len() > HEARD_MAX {
        let mut held = heard.keys();
        let gone = held.find(|id| **id != hears && !status.helpers.contains(*id));
        let Some(gone) = gone.copied() else { break };
        heard.remove(&gone);
    }
    home_event(request, status, status.value, heard).map(Some)
}
