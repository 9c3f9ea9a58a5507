//! `wb record share` and `unshare`: marks how far a record may go.
//!
//! Only a record's author widens its scope. A steward narrows anything, by a ceiling that the author
//! cannot lift, and may lift that ceiling again; what the author chose stays the limit.

use wb_core::id::{RecordId, RecordRef};
use wb_core::kinds::{Body, known_version};
use wb_core::leave::{ProfileShares, Stays};
use wb_core::scope::{FeedScope, Scope};
use wb_core::time::Timestamp;
use wb_store::{LocalRecord, Role, Write};

use super::status_say::{before_taking_back, put};
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::plan::reach;
use crate::query::own_any;

/// What sharing or unsharing led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// The record.
    pub id: RecordId,
    /// How far it goes with the next publish, or why it stays.
    pub reach: std::result::Result<FeedScope, Stays>,
    /// Feeds it is in now, until the next publish.
    pub published: Vec<FeedScope>,
    /// How many records belong to it and are narrowed along with it.
    pub children: usize,
}

/// Marks a record to be shared as far as `scope`; for a profile also which fields.
///
/// # Errors
/// That it is another instance's, of a kind that never leaves, or that the actor may not.
pub fn record_share(
    node: &Node,
    actor: &Actor,
    record: &RecordRef,
    scope: Scope,
    fields: Option<ProfileShares>,
) -> Result<Marked> {
    super::retire::check_open(node)?;
    // Read and written in one transaction: nobody's mark is lost.
    let write = node.store.write_in_sight()?;
    let mut found = own_any(node, record)?;
    if known_version(found.kind.as_str()).is_none() {
        return Err(NodeError::Refused(format!(
            "a {} never leaves this instance",
            found.kind
        )));
    }
    if fields.is_some() && found.shares.is_none() {
        return Err(NodeError::Refused(format!(
            "a {} has no fields to choose from",
            found.kind
        )));
    }
    if is_author(actor, &found) {
        found.scope = scope;
        found.shares = fields.or(found.shares);
        // A share code that was published once is dead; sharing again makes another.
        renew_share_code(&mut found, node)?;
    } else if actor.is_steward() && fields.is_none() {
        found.ceiling = scope;
        withdraw_question(node, &found.id, scope)?;
    } else {
        return Err(forbidden(actor));
    }
    save(node, write, actor, found, "record share", scope)
}

/// Takes the mark away: the record stays home, and the next publish takes it back from followers.
///
/// # Errors
/// That it is another instance's, or that the actor may not.
pub fn record_unshare(node: &Node, actor: &Actor, record: &RecordRef) -> Result<Marked> {
    let write = node.store.write_in_sight()?;
    let mut found = own_any(node, record)?;
    if is_author(actor, &found) {
        found.scope = Scope::Private;
    } else if actor.is_steward() {
        found.ceiling = Scope::Private;
    } else {
        return Err(forbidden(actor));
    }
    withdraw_question(node, &found.id, Scope::Private)?;
    save(node, write, actor, found, "record unshare", Scope::Private)
}

/// Takes a steward's ceiling away: what its author chose counts again. Authors cannot lift it.
///
/// # Errors
/// That it is another instance's, or that the actor may not.
pub fn record_lift(node: &Node, actor: &Actor, record: &RecordRef) -> Result<Marked> {
    let write = node.store.write_in_sight()?;
    let mut found = own_any(node, record)?;
    if !actor.is_steward() || found.author == Some(actor.user) {
        return Err(NodeError::Forbidden {
            actor: actor.handle.clone(),
            act: "lift what keeps this record here",
            why: "only a steward does, and not for a record of their own",
        });
    }
    found.ceiling = Scope::Public;
    save(node, write, actor, found, "record lift", Scope::Public)
}

pub(super) fn is_author(actor: &Actor, record: &LocalRecord) -> bool {
    match record.author {
        Some(author) => author == actor.user,
        None => actor.role == Role::Admin,
    }
}

pub(super) fn forbidden(actor: &Actor) -> NodeError {
    NodeError::Forbidden {
        actor: actor.handle.clone(),
        act: "change how far this record goes",
        why: "only its author widens it, and only a steward narrows what others wrote",
    }
}

/// Whoever keeps a record nearer takes back what its author was asked before: an answer to the older word must not lift
/// the newer one. Call it while writing is locked and before the mark is written, so that no crash leaves the question
/// beside the mark.
pub(super) fn withdraw_question(node: &Node, record: &RecordId, beyond: Scope) -> Result<()> {
    Ok(node.store.private().withdraw_agreement(record, beyond)?)
}

pub(super) fn renew_share_code(record: &mut LocalRecord, node: &Node) -> Result<()> {
    let was_published = record.rev > 0 && node.store.sealed(&record.id)?.is_empty();
    let body = Body::read(&record.kind, 1, node.own_id(), &record.body);
    if let (true, Ok(Body::Invite(mut invite))) = (was_published, body) {
        invite.share_code = entropy::token();
        record.body =
            serde_json::to_string(&invite).expect("a body has string keys and serialises");
    }
    Ok(())
}

/// What is done with somebody's record by another stands in their own log, too.
pub(super) fn note_for_author(
    node: &Node,
    actor: &Actor,
    record: &LocalRecord,
    act: &str,
    what: &str,
    now: Timestamp,
) -> Result<()> {
    let Some(author) = record.author.filter(|author| *author != actor.user) else {
        return Ok(());
    };
    let detail = format!("{} {}, {what}", record.kind, record.id);
    node.audit(now, actor, act, &author, detail)
}

fn save(
    node: &Node,
    write: Write<'_>,
    actor: &Actor,
    mut record: LocalRecord,
    act: &str,
    scope: Scope,
) -> Result<Marked> {
    let now = node.now();
    // Who helps is named and withdrawn by it: neither changes what is shown.
    let is_taken_back = record.scope.min(record.ceiling) == Scope::Private;
    if (is_taken_back || record.kind.as_str() == "helper")
        && let Some(event) = before_taking_back(node, &record)?
    {
        put(node, &write, event, None, now)?;
    }
    record.edit += 1;
    write.put_local(&record)?;
    // A reason that was given and not sealed is no word about this.
    write.drop_retract_reason(&record.id)?;
    write.commit()?;
    node.audit(now, actor, act, &record.id, format!("scope {scope}"))?;
    note_for_author(node, actor, &record, act, &format!("scope {scope}"), now)?;
    let key = RecordRef {
        origin: node.own_id(),
        id: record.id,
    };
    Ok(Marked {
        id: record.id,
        reach: reach(node, &record, now)?,
        published: node
            .store
            .sealed(&record.id)?
            .iter()
            .map(|line| line.scope)
            .collect(),
        children: node.store.local_children(&key)?.len(),
    })
}
