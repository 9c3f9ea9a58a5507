//! How far a record goes: changed in place by its author, narrowed by a steward.

use wb_core::id::RecordRef;
use wb_core::scope::Scope;
use wb_node::command::record_share::{record_share, record_unshare};

use crate::answer::Answer;
use crate::visit::{Trouble, Visit};

/// Keeps home what a preview said would leave.
pub fn keep(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let id = visit
        .form
        .text("id")
        .parse()
        .map_err(|_| Trouble::NotFound)?;
    let actor = visit.actor()?;
    let node = visit.node()?;
    let key = RecordRef {
        origin: node.own_id(),
        id,
    };
    record_unshare(node, &actor, &key)?;
    super::sync::preview(visit)
}

/// Changes the scope of an own record.
pub fn scope(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let id = visit.own_record()?;
    let actor = visit.actor()?;
    let scope: Scope = visit
        .form
        .text("scope")
        .parse()
        .map_err(|_| Trouble::Refused("Choose how far it goes".to_owned()))?;
    let node = visit.node()?;
    let key = RecordRef {
        origin: node.own_id(),
        id,
    };
    if scope == Scope::Private {
        record_unshare(node, &actor, &key)?;
    } else {
        record_share(node, &actor, &key, scope, None)?;
    }
    Ok(Answer::see(format!("/requests/{}/{id}", key.origin)))
}
