//! `wb comment publish`: shows an answer that came by letter to those whom this community trusts.
//!
//! It becomes a record of whoever publishes it, whose text says whose words they are. Taking it back is done here for
//! whoever wrote it, when they ask.

use wb_core::id::{RecordId, RecordRef};
use wb_core::kinds::{Body, Comment};
use wb_core::letter::{LetterBody, published_text};
use wb_core::scope::Scope;
use wb_store::LetterIn;

use super::init::local;
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::levels::is_read;
use crate::node::{Actor, Node};
use crate::query::letters::{name_of, shown};

/// Whether an actor may publish answers to a request: its author, or a steward.
///
/// # Errors
/// What the store reports.
pub fn may_publish(node: &Node, actor: &Actor, request: &RecordId) -> Result<bool> {
    let record = node.store.local(request)?;
    Ok(actor.is_steward() || record.is_some_and(|record| record.author == Some(actor.user)))
}

/// Publishes an answer that came by letter. Returns the record it becomes.
///
/// # Errors
/// That there is none of that name, that the actor may not, or that it is published or taken back already.
pub fn comment_publish(node: &mut Node, actor: &Actor, letter: &RecordRef) -> Result<RecordId> {
    let unknown = || NodeError::unknown("answer by letter", letter.id.to_string());
    let held = node.store.private().letter_in(&letter.origin, &letter.id)?;
    let held = held.ok_or_else(unknown)?;
    let Some(LetterBody::Reply(reply)) = shown(node, &held)? else {
        return Err(unknown());
    };
    let request = held.request.ok_or_else(unknown)?;
    if !may_publish(node, actor, &request)? {
        return Err(NodeError::Forbidden {
            actor: actor.handle.clone(),
            act: "publish this answer",
            why: "the author of the request does that, or a steward",
        });
    }
    if held.state != "arrived" {
        return Err(NodeError::Refused(
            "this answer was published already; nothing was changed".to_owned(),
        ));
    }
    debug_assert!(is_read(node, &held.origin)?);
    let now = node.now();
    // The intent first, so that it is one record however often this is begun.
    let id = held.published.unwrap_or_else(|| entropy::record_id(now));
    node.store.private().together(|private| {
        let held = private.letter_in(&letter.origin, &letter.id)?;
        match held.filter(|held| held.state == "arrived") {
            Some(held) => Ok(private.put_letter_in(&LetterIn {
                published: Some(id),
                ..held
            })?),
            None => Err(unknown()),
        }
    })?;
    let name = name_of(node, &held.origin)?;
    let body = Body::Comment(Comment {
        request: RecordRef {
            origin: node.own,
            id: request,
        },
        body: published_text(reply.name.as_deref(), &name, &reply.text),
        created_at: now,
    });
    let own = node.own;
    let write = node.store.write()?;
    write.put_local(&local(
        id,
        &body,
        Some(actor.user),
        Scope::TrustedPeers,
        own,
        now,
    ))?;
    write.commit()?;
    let done = node.store.private().together(|private| {
        // It may have been taken back meanwhile.
        let now_held = private.letter_in(&letter.origin, &letter.id)?;
        let Some(now_held) = now_held.filter(|now_held| now_held.state == "arrived") else {
            return Ok::<_, NodeError>(false);
        };
        private.put_letter_in(&LetterIn {
            state: "published".to_owned(),
            owes: true,
            ..now_held
        })?;
        Ok(true)
    })?;
    if !done {
        // Whoever settled that they took it back may not have seen this record.
        node.store.note_erasing()?;
        let write = node.store.write_in_sight()?;
        crate::letters::erase_published(node, &write, &id, now)?;
        write.commit()?;
        crate::letters::settle(node)?;
        node.store.empty_logs()?;
        return Err(NodeError::Refused(
            "who wrote this answer took it back meanwhile; nothing was published".to_owned(),
        ));
    }
    let detail = format!("of {}", letter.origin.short());
    node.audit(now, actor, "comment publish", &id, detail)?;
    Ok(id)
}
