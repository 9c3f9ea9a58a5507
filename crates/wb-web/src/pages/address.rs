//! Settings of the node: how others reach it.

use askama::Template;
use wb_node::NodeError;
use wb_node::command::address::address_set;
use wb_node::query::address::address;

use crate::answer::Answer;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

#[derive(Template)]
#[template(path = "address.html")]
struct Page {
    shell: Shell,
    address: String,
    /// Whether this very page was asked for under it.
    is_reached: bool,
    wrong: Option<String>,
}

/// The address.
pub fn page(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let kept = address(visit.node()?)?.unwrap_or_default();
    write(visit, kept, None)
}

fn write(visit: &Visit<'_>, address: String, wrong: Option<String>) -> Result<Answer, Trouble> {
    let page = Page {
        shell: visit.shell("How others reach you"),
        is_reached: address == visit.base,
        address,
        wrong,
    };
    Ok(Answer::page(page.render()?))
}

/// Changes it.
pub fn change(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (actor, typed) = (visit.actor()?, visit.form.word("address"));
    match address_set(visit.node()?, &actor, typed.as_deref()) {
        Ok(()) => Ok(Answer::see("/settings/address")),
        Err(error @ NodeError::Refused(_)) => write(
            visit,
            typed.unwrap_or_default(),
            Some(crate::words::failure(&error)),
        ),
        Err(error) => Err(error.into()),
    }
}
