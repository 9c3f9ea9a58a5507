//! Drafts of requests: written, changed, sent, deleted. They are in the private file until they are sent.

use wb_core::id::RecordId;
use wb_core::kinds::{Body, Request, check_text, check_title};
use wb_core::scope::Scope;
use wb_store::{Draft, LocalRecord, Role};

use super::init::local;
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};

/// Drafts of one member; protects the file.
pub const DRAFTS_MAX: usize = 100;

/// What a draft says.
#[derive(Debug, Clone)]
pub struct DraftPut<'a> {
    /// In a few words.
    pub title: &'a str,
    /// In full.
    pub description: &'a str,
    /// The scope it will have.
    pub scope: Scope,
}

/// Writes a draft: a new one, or the one that is named.
///
/// # Errors
/// What is wrong with its texts, that the named one is not the actor's, or that there are too many.
pub fn draft_put(
    node: &Node,
    actor: &Actor,
    draft: Option<&RecordId>,
    input: &DraftPut<'_>,
) -> Result<RecordId> {
    check_draft(input.title, input.description)?;
    let now = node.now();
    node.store.private().together(|private| {
        let mut row = match draft {
            Some(id) => draft_of(node, actor, id)?,
            None => Draft {
                id: entropy::record_id(now),
                author: Some(actor.user),
                scope: input.scope,
                title: String::new(),
                description: String::new(),
                created_at: now,
                at: now,
            },
        };
        let drafts = private.drafts()?.into_iter();
        let own = drafts.filter(|draft| draft.author == Some(actor.user));
        if draft.is_none() && own.count() >= DRAFTS_MAX {
            return Err(NodeError::Refused(format!(
                "you have {DRAFTS_MAX} drafts already, and more are not kept; send or delete one first"
            )));
        }
        input.title.clone_into(&mut row.title);
        input.description.clone_into(&mut row.description);
        (row.scope, row.at) = (input.scope, now);
        private.put_draft(&row)?;
        Ok(row.id)
    })
}

/// Whether texts can be those of a request.
///
/// # Errors
/// What is wrong with them.
pub fn check_draft(title: &str, description: &str) -> Result<()> {
    check_title(title).map_err(NodeError::text("title"))?;
    check_text(description).map_err(NodeError::text("description"))
}

/// Sends a draft: it becomes a request of the same id. The request is written first, so that what is cut
/// off in between is finished by sending again, and nothing is lost or there twice.
///
/// # Errors
/// That it is not the actor's, or what is wrong with its texts.
pub fn draft_send(node: &mut Node, actor: &Actor, draft: &RecordId) -> Result<()> {
    let row = draft_of(node, actor, draft)?;
    check_draft(&row.title, &row.description)?;
    let now = node.now();
    let write = node.store.write_in_sight()?;
    let before = node.store.local(draft)?;
    let body = Body::Request(Request {
        title: row.title,
        description: row.description,
        created_at: before.as_ref().map_or(now, |record| record.created_at),
        #[cfg(feature = "next-schema")]
        urgency: None,
    });
    let mut record = local(*draft, &body, row.author, row.scope, node.own, now);
    // Sent once already and cut off before the draft was gone: what it says now is what counts.
    let is_new = match before {
        Some(before) if (&before.body, before.scope) == (&record.body, record.scope) => false,
        Some(before) => {
            record = LocalRecord {
                body: record.body,
                scope: record.scope,
                at: now,
                edit: before.edit + 1,
                ..before
            };
            true
        }
        None => true,
    };
    if is_new {
        write.put_local(&record)?;
    }
    write.commit()?;
    node.store.private().drop_draft(draft)?;
    let detail = format!("scope {}, from a draft", row.scope);
    node.audit(now, actor, "request add", draft, detail)
}

/// Deletes a draft.
///
/// # Errors
/// That it is not the actor's.
pub fn draft_drop(node: &Node, actor: &Actor, draft: &RecordId) -> Result<()> {
    draft_of(node, actor, draft)?;
    node.store.private().drop_draft(draft)?;
    Ok(())
}

/// The draft, if it is the actor's. Those that nobody is known to have written are the admins'. Whether
/// somebody else has one of this id shows in nothing.
fn draft_of(node: &Node, actor: &Actor, draft: &RecordId) -> Result<Draft> {
    let drafts = node.store.private().drafts()?.into_iter();
    let is_own = |row: &Draft| {
        row.author
            .map_or(actor.role == Role::Admin, |author| author == actor.user)
    };
    let mut own = drafts.filter(|row| row.id == *draft && is_own(row));
    own.next()
        .ok_or_else(|| NodeError::unknown("draft", draft.to_string()))
}
