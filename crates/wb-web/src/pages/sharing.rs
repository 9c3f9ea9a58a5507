//! Settings: how far what one writes goes unless one says otherwise.

use askama::Template;
use wb_core::scope::Scope;
use wb_node::command::default_scope::default_scope_set;

use crate::answer::Answer;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

/// Where a founder goes on to, once this is said.
const NEXT: &str = "invites";

#[derive(Template)]
#[template(path = "sharing.html")]
struct Page {
    shell: Shell,
    scope: Scope,
    /// Whether this is a step on the way from founding to the first invitation.
    is_step: bool,
}

/// The choice.
pub fn page(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let is_step = visit.query.text("next") == NEXT;
    let page = Page {
        scope: visit.default_scope()?,
        shell: visit.shell("What you share"),
        is_step,
    };
    Ok(Answer::page(page.render()?))
}

/// Keeps it.
pub fn choose(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let scope: Scope = visit
        .form
        .text("scope")
        .parse()
        .map_err(|_| Trouble::Refused("Choose how far it goes".to_owned()))?;
    let is_step = visit.form.text("next") == NEXT;
    default_scope_set(visit.node()?, &actor, scope)?;
    Ok(Answer::see(if is_step { "/invites" } else { "/settings" }))
}
