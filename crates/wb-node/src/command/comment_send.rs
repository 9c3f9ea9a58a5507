//! `wb comment add` on what another community shared with its trusted peers only: the answer goes there as a letter.

use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::kinds::User;
use wb_core::letter::{LetterBody, Reply};
use wb_core::scope::Scope;
use wb_store::Filter;

use super::comment_add::{check, write_comment};
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::letters::{tell, would_tell};
use crate::levels::is_accepted;
use crate::node::{Actor, Node};
use crate::query::letters::name_of;

/// What would be sent, to be shown before somebody says yes to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// The one instance it goes to.
    pub to: InstanceId,
    /// Its name.
    pub name: String,
    /// Exactly what it would be told.
    pub body: LetterBody,
}

impl Sending {
    /// What is sent, to whom, and what nobody can promise.
    #[must_use]
    pub fn words(&self) -> String {
        let name = &self.name;
        match &self.body {
            LetterBody::Reply(reply) => {
                let by = reply.name.as_deref().map_or_else(
                    || "without your name".to_owned(),
                    |by| format!("with the name {by}"),
                );
                format!(
                    "{name} shared this with its trusted peers only, so the answer goes as a letter to {name} alone, sealed, {by}. \
                     Members there see it under the request; its author or a steward there may publish it to those whom {name} \
                     trusts. You can take it back, and {name} is asked to erase it; nobody can take back what was read."
                )
            }
            _ => format!(
                "It goes as a letter to {name} alone, sealed, for the author of this request. An admin there who reads the disk \
                 could read it; nobody can promise otherwise. You can take it back, and {name} is asked to erase it; nobody can \
                 take back what was read or written down."
            ),
        }
    }
}

/// Whether an answer to a request goes as a letter, and then what would be sent.
///
/// # Errors
/// That the request is not shown here, or why nothing may be sent.
pub fn sending(
    node: &Node,
    actor: &Actor,
    request: &RecordRef,
    text: &str,
    name: Option<&str>,
) -> Result<Option<Sending>> {
    if request.origin == node.own_id() {
        return Ok(None);
    }
    let filter = Filter {
        origin: Some(request.origin),
        id: Some(request.id),
        ..Filter::default()
    };
    let rows = node.store.records(&filter)?;
    let row = rows.iter().find(|row| row.kind.as_str() == "request");
    if row.is_none_or(|row| row.scope != Scope::TrustedPeers) {
        return Ok(None);
    }
    let body = LetterBody::Reply(Reply {
        request: *request,
        name: match name {
            Some(name) => Some(name.to_owned()),
            None => shared_name(node, actor)?,
        },
        text: text.to_owned(),
    });
    checked(node, actor, request, body).map(Some)
}

/// The name of a member, where their profile is shared with trusted peers at least.
fn shared_name(node: &Node, actor: &Actor) -> Result<Option<String>> {
    let Some(profile) = node.store.local(&actor.user)? else {
        return Ok(None);
    };
    if profile.scope.min(profile.ceiling) == Scope::Private {
        return Ok(None);
    }
    let shares = profile.shares.unwrap_or_default();
    let user: User = serde_json::from_str(&profile.body).unwrap_or_default();
    let display = user.display_name.filter(|_| shares.display_name);
    Ok(display.or(user.handle.filter(|_| shares.handle)))
}

/// A letter that may be told, with its recipient's name.
pub(super) fn checked(
    node: &Node,
    actor: &Actor,
    request: &RecordRef,
    body: LetterBody,
) -> Result<Sending> {
    body.check()
        .map_err(|(field, source)| NodeError::Text { field, source })?;
    let to = request.origin;
    if !is_accepted(node, &to)? {
        return Err(NodeError::Refused(format!(
            "{} is not accepted here; nothing was sent",
            to.short()
        )));
    }
    if let Err(why) = would_tell(node, actor.user, to, &body, node.now())? {
        return Err(NodeError::Refused(format!(
            "nothing was sent: {}",
            why.sentence()
        )));
    }
    Ok(Sending {
        to,
        name: name_of(node, &to)?,
        body,
    })
}

/// Answers by letter: what was shown, to whom it was shown for. The answer stands here as a private comment.
///
/// # Errors
/// What is wrong with it; nothing is sent then.
pub fn comment_send(
    node: &mut Node,
    actor: &Actor,
    request: &RecordRef,
    shown: &Sending,
) -> Result<RecordId> {
    let LetterBody::Reply(reply) = &shown.body else {
        return Err(NodeError::Refused(
            "this is no answer; nothing was sent".to_owned(),
        ));
    };
    let shown = checked(node, actor, request, LetterBody::Reply(reply.clone()))?;
    check(node, request, &reply.text)?;
    let now = node.now();
    let id = entropy::record_id(now);
    // First, because an answer that stands here without a letter would look as if it went.
    tell(node, actor.user, shown.to, id, &shown.body, now)?;
    write_comment(node, actor, id, request, &reply.text, Scope::Private)?;
    let detail = format!("to {}", shown.to.short());
    node.audit(now, actor, "comment send", &id, detail)?;
    Ok(id)
}
