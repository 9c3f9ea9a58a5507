//! `wb request list --drafts`: what its author has not sent yet.

use wb_store::Draft;

use crate::error::Result;
use crate::node::{Actor, Node};
use crate::view::{DraftView, SCHEMA_VERSION};

/// The actor's own drafts; drafts without an author are shown to admins.
///
/// # Errors
/// What the store reports.
pub fn drafts(node: &Node, actor: &Actor) -> Result<Vec<DraftView>> {
    let drafts = node.store.private().drafts()?.into_iter();
    let own = drafts.filter(|draft| {
        draft
            .author
            .map_or(actor.role == wb_store::Role::Admin, |author| {
                author == actor.user
            })
    });
    Ok(own.map(|draft| view(node, draft)).collect())
}

/// A draft as its author sees it.
pub(super) fn view(node: &Node, draft: Draft) -> DraftView {
    DraftView {
        schema_version: SCHEMA_VERSION,
        id: draft.id,
        origin: node.own_id(),
        home: node.name().to_owned(),
        title: draft.title,
        description: draft.description,
        scope: draft.scope,
        at: draft.at,
    }
}
