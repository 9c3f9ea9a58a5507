//! Accounts: who is here in which role, their browsers, and who may let in whom.

use askama::Template;
use wb_core::id::Hash;
use wb_node::command::session::session_end_by;
use wb_node::query::accounts::{AccountView, accounts};

use super::settings::decide;
use crate::answer::Answer;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

#[derive(Template)]
#[template(path = "accounts.html")]
struct Page {
    shell: Shell,
    accounts: Vec<AccountView>,
    is_admin: bool,
    wrong: Option<String>,
    done: Option<String>,
}

/// The page.
pub fn page(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    write(visit, None, None)
}

fn write(
    visit: &mut Visit<'_>,
    wrong: Option<String>,
    done: Option<String>,
) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let accounts = accounts(visit.node()?, &actor)?;
    let page = Page {
        shell: visit.shell("Accounts"),
        is_admin: visit.is_admin(),
        accounts,
        wrong,
        done,
    };
    Ok(Answer::page(page.render()?))
}

/// Lets a browser in by the code it shows, or sends it away.
pub fn approve(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let handle = visit.form.text("handle");
    match decide(visit, &actor, &handle)? {
        Ok(done) => write(visit, None, Some(done)),
        Err(wrong) => write(visit, Some(wrong), None),
    }
}

/// Ends a browser of somebody.
pub fn end(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let session: Hash = visit
        .form
        .text("session")
        .parse()
        .map_err(|_| Trouble::NotFound)?;
    session_end_by(visit.node()?, &actor, &session)?;
    Ok(Answer::see("/accounts"))
}
