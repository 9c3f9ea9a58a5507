//! A code of another community's invitation: what it says, exactly what that community is told, and joining by it.

use askama::Template;
use wb_node::NodeError;
use wb_node::command::invite_redeem::{InviteRedeem, Redeemable, invite_redeem, redeemable};

use super::newcomer::{self, Newcomer};
use crate::answer::Answer;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};
use crate::words;

#[derive(Template)]
#[template(path = "code.html")]
struct Ask {
    shell: Shell,
    wrong: Option<String>,
}

/// The form for a code; one that was typed leads to its page.
pub fn form(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let Some(typed) = visit.query.word("code") else {
        return write_form(visit, None);
    };
    match redeemable(visit.node()?, &typed) {
        // Another community may show the same code: the page is of this one's.
        Ok(invite) => {
            let (issuer, code) = (invite.key.origin, invite.face.share_code);
            Ok(Answer::see(format!("/code/{issuer}.{code}")))
        }
        Err(error @ NodeError::Refused(_)) => write_form(visit, Some(words::failure(&error))),
        Err(error) => Err(error.into()),
    }
}

fn write_form(visit: &Visit<'_>, wrong: Option<String>) -> Result<Answer, Trouble> {
    let shell = visit.shell("A code of another community");
    Ok(Answer::page(Ask { shell, wrong }.render()?))
}

#[derive(Template)]
#[template(path = "code_join.html")]
struct Page<'p> {
    shell: Shell,
    action: &'p str,
    invite: Redeemable,
    told: String,
    words: String,
    /// Names what was shown.
    shown: String,
    newcomer: Newcomer,
    wrong: Option<String>,
}

impl Page<'_> {
    /// Whoever shares no name, at the beginning of a sentence; the community is in it.
    fn nameless(&self) -> Option<String> {
        let inviter = self.invite.is_nameless().then_some(&self.invite.inviter)?;
        Some(match inviter.strip_prefix("a ") {
            Some(rest) => format!("A {rest}"),
            None => inviter.clone(),
        })
    }
}

/// The invitation of the code. Looking at it tells nobody anything.
pub fn page(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    write(visit, None)
}

fn write(visit: &mut Visit<'_>, wrong: Option<String>) -> Result<Answer, Trouble> {
    let code = visit.param("token").to_owned();
    let invite = match redeemable(visit.node()?, &code) {
        Ok(invite) => invite,
        Err(error @ NodeError::Refused(_)) => {
            return write_form(visit, Some(words::failure(&error)));
        }
        Err(error) => return Err(error.into()),
    };
    let shell = visit.shell("You are invited");
    let page = Page {
        newcomer: Newcomer::of(visit, invite.face.suggested_handle.clone(), None),
        told: invite.text(),
        words: invite.words(&shell.community),
        shown: invite.shown().to_string(),
        action: visit.path,
        invite,
        shell,
        wrong,
    };
    Ok(Answer::page(page.render()?))
}

/// Joins by it: an account that waits, a letter to the issuer, and this browser is that account's.
pub fn join(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    if visit.caller.member().is_some() {
        return Err(Trouble::Refused(IN_ALREADY.to_owned()));
    }
    let code = visit.param("token").to_owned();
    let shown = visit.form.text("shown").parse();
    let (true, Ok(shown)) = (visit.form.has("sure"), shown) else {
        return write(visit, Some(NOT_AGREED.to_owned()));
    };
    let [handle, name, bio, email] = newcomer::words(visit);
    let input = InviteRedeem {
        code: &code,
        shown,
        handle: handle.as_deref().unwrap_or_default(),
        display_name: name.as_deref(),
        bio: bio.as_deref(),
        email: email.as_deref(),
        default_scope: newcomer::scope(visit),
    };
    let account = match invite_redeem(visit.node()?, &input) {
        Ok((account, _)) => account,
        Err(
            error @ (NodeError::HandleTaken(_) | NodeError::Text { .. } | NodeError::Refused(_)),
        ) => return write(visit, Some(words::failure(&error))),
        Err(error) => return Err(error.into()),
    };
    newcomer::begin(visit, &account)
}

const IN_ALREADY: &str = "You are in already on this browser. Log out first, or open this page on the browser of whom it is for";
const NOT_AGREED: &str = "Nobody was told anything, and you have no account yet: say first whether exactly this may be sent";
