//! An invitation as who was invited sees it, and taking it.

use askama::Template;
use wb_core::kinds::{Body, Invite};
use wb_core::scope::Scope;
use wb_node::NodeError;
use wb_node::command::invite_take::{InviteTake, invite_take, open_invite};
use wb_node::command::session::session_begin;

use super::login::session_cookie;
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
    handle: String,
    display_name: String,
    bio: String,
    email: String,
    scope: Scope,
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
    let typed = |name: &str, offered: Option<String>| {
        if visit.form.has(name) {
            visit.form.text(name)
        } else {
            offered.unwrap_or_default()
        }
    };
    let page = Page {
        handle: typed("handle", face.suggested_handle.clone()),
        display_name: typed("display_name", None),
        bio: typed("bio", row.suggested_bio),
        email: typed("email", None),
        scope: scope(visit),
        shell: visit.shell("You are invited"),
        action: visit.path,
        inviter,
        face,
        wrong,
    };
    Ok(Answer::page(page.render()?))
}

/// What the newcomer chose; nothing leaves that nobody chose.
fn scope(visit: &Visit<'_>) -> Scope {
    visit.form.text("scope").parse().unwrap_or(Scope::Private)
}

/// Takes it: an account, and this browser is in.
pub fn take(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    if visit.caller.member().is_some() {
        return Err(Trouble::Refused(IN_ALREADY.to_owned()));
    }
    let token = visit.param("token").to_owned();
    let [handle, name, bio, email] =
        ["handle", "display_name", "bio", "email"].map(|field| visit.form.word(field));
    let input = InviteTake {
        token: &token,
        handle: handle.as_deref().unwrap_or_default(),
        display_name: name.as_deref(),
        bio: bio.as_deref(),
        email: email.as_deref(),
        default_scope: scope(visit),
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
    let label = visit.label.clone();
    let secret = session_begin(visit.node()?, &account, &label)?;
    let answer = Answer::see("/");
    Ok(answer.cookie(session_cookie(visit, Some(secret.to_string()))?))
}

const OVER: &str = "This invitation is over: it was used, has ended or was switched off. Ask who gave it to you for another";
const IN_ALREADY: &str = "You are in already on this browser. Log out first, or open the link on the browser of whom you invite";
