//! `wb invite list`.

use wb_core::kinds::Body;
use wb_store::{Filter, Role, Standing};

use super::authors::Authors;
use super::words::words_of;
use crate::error::Result;
use crate::node::{Actor, Node};
use crate::view::InviteView;

/// Invites: the actor's own (an admin's: all of this instance), and shared ones of other instances.
///
/// # Errors
/// What the store reports.
pub fn invites(node: &Node, actor: &Actor) -> Result<Vec<InviteView>> {
    let now = node.now();
    let authors = Authors::load(node)?;
    let filter = Filter {
        kind: Some("invite".parse().expect("a kind")),
        ..Filter::default()
    };
    let mut views = Vec::new();
    for row in node.store.records(&filter)? {
        let words = words_of(&row, |body| match body {
            Body::Invite(invite) => Some(invite),
            _ => None,
        });
        let Some(invite) = words else { continue };
        let own = row.standing == Standing::Own;
        let at_home = if own {
            node.store.private().invite(&row.key.id)?
        } else {
            None
        };
        let may_see = at_home
            .as_ref()
            .is_none_or(|home| actor.role == Role::Admin || home.created_by == Some(actor.user));
        if !may_see {
            continue;
        }
        let open = at_home.as_ref().map(|home| home.is_open(now));
        views.push(InviteView {
            base: authors.base(&row),
            open,
            uses: at_home.as_ref().map(|home| home.uses),
            disabled: at_home.as_ref().map(|home| home.disabled),
            token: at_home.as_ref().map(|home| home.token.clone()),
            suggested_bio: at_home.and_then(|home| home.suggested_bio),
            share_code: invite.share_code,
            max_uses: invite.max_uses,
            expires_at: invite.expires_at,
            auto_approve: invite.auto_approve,
            suggested_handle: invite.suggested_handle,
            personalisation: invite.personalisation,
        });
    }
    Ok(views)
}
