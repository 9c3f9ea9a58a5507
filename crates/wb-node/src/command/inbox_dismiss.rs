//! `wb inbox dismiss`: puts away what is only news. It is told again when more of it comes.

use crate::error::Result;
use crate::node::{Actor, Node};
use crate::query::inbox::to_dismiss;
use crate::view::InboxView;

/// Dismisses an item, by its number or its key.
///
/// # Errors
/// That there is none of that name, or that it is more than news.
pub fn inbox_dismiss(node: &mut Node, actor: &Actor, name: &str) -> Result<InboxView> {
    let now = node.now();
    let (view, up_to) = to_dismiss(node, name)?;
    let write = node.store.write()?;
    write.dismiss(&view.key, &up_to)?;
    write.commit()?;
    node.audit(now, actor, "dismiss", &view.key, view.happened.clone())?;
    Ok(view)
}
