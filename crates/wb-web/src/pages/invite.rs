//! An invitation as who was invited sees it, and taking it.

use askama::Template;
use wb_core::kinds::{Body, Invite};
use wb_node::NodeError;
use wb_node::command::invite_take::{InviteTake, invite_take, open_invite};

use super::newcomer::{self, Newcomer};
use crate::answer::Answer;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

#[derive(Template)]
#[template(path = "invite.html")]
struct Page<'p> {
    shell: Shell,
    action: &'p str,
    inviter: String,
    face: Invite,
    newcomer: Newcomer,
    wrong: Option<String>,
}

/// The invitation. Looking at it uses nothing up.
pub fn page(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    write(visit, None)
}

fn write(visit: &mut Visit<'_>, wrong: Option<String>) -> Result<Answer, Trouble> {
    let token = visit.param("token").to_owned();
    let node = visit.node()?;
    let row = open_invite(node, &token)?.ok_or(Trouble::Refused(OVER.to_owned()))?;
    let own = node.own_id();
    let record = node.store().local(&row.record)?.ok_or(Trouble::NotFound)?;
    let Ok(Body::Invite(face)) = Body::read(&record.kind, 1, own, &record.body) else {
        return Err(Trouble::NotFound);
    };
    let inviter = match row.created_by {
        Some(user) => node.store().private().account_of(&user)?,
        None => None,
    };
    let inviter = inviter.map_or_else(|| "Somebody".to_owned(), |account| account.handle);
    let page = Page {
        newcomer: Newcomer::of(visit, face.suggested_handle.clone(), row.suggested_bio),
        shell: visit.shell("You are invited"),
        action: visit.path,
        inviter,
        face,
        wrong,
    };
    Ok(Answer::page(page.render()?))
}

/// Takes it: an account, and this browser is in.
pub fn take(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    if visit.caller.member().is_some() {
        return Err(Trouble::Refused(IN_ALREADY.to_owned()));
    }
    let token = visit.param("token").to_owned();
    let [handle, name, bio, email] = newcomer::words(visit);
    let input = InviteTake {
        token: &token,
        handle: handle.as_deref().unwrap_or_default(),
        display_name: name.as_deref(),
        bio: bio.as_deref(),
        email: email.as_deref(),
        default_scope: newcomer::scope(visit),
    };
    let account = match invite_take(visit.node()?, &input) {
        Ok(account) => account,
        Err(
            error @ (NodeError::HandleTaken(_) | NodeError::Text { .. } | NodeError::Refused(_)),
        ) => {
            return write(visit, Some(crate::words::failure(&error)));
        }
        Err(error) => return Err(error.into()),
    };
    newcomer::begin(visit, &account)
}

const OVER: &str = "This invitation is over: it was used, has ended or was switched off. Ask who gave it to you for another";
const IN_ALREADY: &str = "You are in already on this browser. Log out first, or open the link on the browser of whom you invite";
