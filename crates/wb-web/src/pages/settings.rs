//! One's own browsers: which are in, and letting another in by the code it shows.

use askama::Template;
use wb_core::id::Hash;
use wb_node::Actor;
use wb_node::command::session::{session_approve, session_deny, session_end};
use wb_store::SessionRow;

use crate::answer::Answer;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

#[derive(Template)]
#[template(path = "settings.html")]
struct Page {
    shell: Shell,
    handle: String,
    here: Hash,
    sessions: Vec<SessionRow>,
    /// Browsers that wait under the own handle.
    waiting: Vec<SessionRow>,
    is_steward: bool,
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
    let (actor, is_steward) = (visit.actor()?, visit.is_steward());
    let here = visit.caller.session_name().ok_or(Trouble::NotFound)?;
    let node = visit.node()?;
    let (now, private) = (node.now(), node.store().private());
    let sessions = private.sessions_of(&actor.user, now)?;
    let waiting = private.sessions_waiting(Some(&actor.handle), now)?;
    let page = Page {
        shell: visit.shell("Settings"),
        handle: actor.handle,
        here,
        sessions,
        waiting,
        is_steward,
        is_admin: visit.is_admin(),
        wrong,
        done,
    };
    Ok(Answer::page(page.render()?))
}

/// Lets a browser in, or sends it away, by the code it shows.
pub fn approve(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let handle = visit
        .form
        .word("handle")
        .unwrap_or_else(|| actor.handle.clone());
    match decide(visit, &actor, &handle)? {
        Ok(done) => write(visit, None, Some(done)),
        Err(wrong) => write(visit, Some(wrong), None),
    }
}

/// Does what the form says about the browser that shows a code; gives what was done, or what is wrong.
pub(super) fn decide(
    visit: &mut Visit<'_>,
    actor: &Actor,
    handle: &str,
) -> Result<Result<String, String>, Trouble> {
    let code = visit.form.text("code");
    let denies = visit.form.has("deny");
    let node = visit.node()?;
    let decided = if denies {
        session_deny(node, actor, handle, &code)
    } else {
        session_approve(node, actor, handle, &code)
    };
    let did = if denies { "Sent away" } else { "Let in" };
    Ok(match decided {
        Ok(session) => Ok(format!("{did}: {}.", session.label)),
        Err(error) => Err(crate::words::failure(&error)),
    })
}

/// Ends one of the own sessions.
pub fn end(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let session: Hash = visit
        .form
        .text("session")
        .parse()
        .map_err(|_| Trouble::NotFound)?;
    session_end(visit.node()?, &actor.user, &session)?;
    Ok(Answer::see("/settings"))
}
