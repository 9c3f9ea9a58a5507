//! `wb invite list`.

use std::collections::BTreeMap;

use wb_core::id::{RecordId, Token};
use wb_core::kinds::{Body, Invite};
use wb_core::letter::RedeemRefusal;
use wb_store::{Filter, RecordRow, Role, Standing};

use super::authors::Authors;
use super::letters::Names;
use super::words::words_of;
use crate::error::Result;
use crate::node::{Actor, Node};
use crate::view::{Base, InviteView, UseView};

/// Invites: the actor's own (an admin's: all of this instance), and shared ones of other instances.
///
/// # Errors
/// What the store reports.
pub fn invites(node: &Node, actor: &Actor) -> Result<Vec<InviteView>> {
    let now = node.now();
    let authors = Authors::load(node)?;
    let mut elsewhere = uses_elsewhere(node)?;
    let mut views = Vec::new();
    for (row, invite) in faces(node)? {
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
            elsewhere: at_home
                .as_ref()
                .and_then(|home| elsewhere.remove(&home.record))
                .unwrap_or_default(),
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

/// Every invite that is shown here, own ones too, with its words.
fn faces(node: &Node) -> Result<Vec<(RecordRow, Invite)>> {
    let filter = Filter {
        kind: Some("invite".parse().expect("a kind")),
        ..Filter::default()
    };
    let rows = node.store.records(&filter)?.into_iter();
    let faces = rows.filter_map(|row| {
        let words = words_of(&row, |body| match body {
            Body::Invite(invite) => Some(invite),
            _ => None,
        })?;
        Some((row, words))
    });
    Ok(faces.collect())
}

/// Invites with a share code, with what every record in a list has.
pub(crate) fn shared_with_code(
    node: &Node,
    code: &Token,
) -> Result<Vec<(RecordRow, Invite, Base)>> {
    let mut found = faces(node)?;
    found.retain(|(_, invite)| invite.share_code == *code);
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let authors = Authors::load(node)?;
    let found = found.into_iter().map(|(row, invite)| {
        let base = authors.base(&row);
        (row, invite, base)
    });
    Ok(found.collect())
}

/// What was decided about newcomers elsewhere, by own invite.
pub(super) fn uses_elsewhere(node: &Node) -> Result<BTreeMap<RecordId, Vec<UseView>>> {
    let mut uses: BTreeMap<RecordId, Vec<UseView>> = BTreeMap::new();
    let names = Names::load(node)?;
    for used in node.store.private().invite_uses()? {
        let name = names.of(&used.origin);
        let cause = used.refused.as_deref().and_then(RedeemRefusal::from_word);
        let sentence = match &cause {
            None => format!("somebody joined {name}"),
            Some(cause) => format!("somebody at {name} was not counted: {}", cause.sentence()),
        };
        uses.entry(used.invite).or_default().push(UseView {
            origin: used.origin,
            name,
            at: used.at,
            state: cause.as_ref().map_or("counted", |_| "refused"),
            cause: used.refused,
            sentence,
        });
    }
    Ok(uses)
}
