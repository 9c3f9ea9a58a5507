//! A moderator's own browsers, and ending one.

use askama::Template;
use wb_core::id::Hash;
use wb_hub::{HubListings, HubStore};
use wb_node::command::session::session_end;
use wb_store::SessionRow;

use crate::answer::Answer;
use crate::hub::shell::Shell;
use crate::hub::visit::{Trouble, Visit};
use crate::limits::MODERATOR_IDLE_HOURS;

#[derive(Template)]
#[template(path = "hub/sessions.html")]
struct Page {
    shell: Shell,
    here: Option<Hash>,
    sessions: Vec<SessionRow>,
    hours: i64,
}

impl Page {
    fn is_here(&self, session: &SessionRow) -> bool {
        self.here == Some(session.session)
    }
}

/// The page.
pub(crate) fn page<S: HubStore + HubListings>(visit: &mut Visit<'_, S>) -> Result<Answer, Trouble> {
    let user = visit.moderator().ok_or(Trouble::LogIn)?.user;
    let inside = visit.inside()?;
    let (node, here) = (&inside.node, inside.caller.session_name());
    let page = Page {
        shell: visit.shell("Browsers"),
        here,
        sessions: node.store().private().sessions_of(&user, node.now())?,
        hours: MODERATOR_IDLE_HOURS,
    };
    Ok(Answer::page(page.render()?))
}

/// Ends one.
pub(crate) fn end<S: HubStore + HubListings>(visit: &mut Visit<'_, S>) -> Result<Answer, Trouble> {
    let user = visit.moderator().ok_or(Trouble::LogIn)?.user;
    let session = visit.form.text("session");
    let session: Hash = session.parse().map_err(|_| Trouble::NotFound)?;
    session_end(visit.node()?, &user, &session)?;
    Ok(Answer::see("/moderate/sessions"))
}
