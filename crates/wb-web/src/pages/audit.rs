//! What was done here: everything for admins, for members what concerns them.

use askama::Template;
use wb_node::query::audit::{AuditPage, audit};

use crate::answer::Answer;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

#[derive(Template)]
#[template(path = "audit.html")]
struct Page {
    shell: Shell,
    log: AuditPage,
}

/// The page.
pub fn page(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let before = visit.query.word("before");
    let before = before.and_then(|before| before.parse().ok());
    let log = audit(visit.node()?, &actor, before)?;
    let shell = visit.shell("What was done");
    Ok(Answer::page(Page { shell, log }.render()?))
}
