//! A browser that waits: its code, and drafts that join the account once it is let in.

use askama::Template;
use wb_node::command::draft::check_draft;
use wb_node::command::session::{session_code, session_renew};
use wb_node::entropy;
use wb_node::query::invited::invited_of;
use wb_store::{AccountState, WaitingDraft};

use super::login::session_cookie;
use crate::answer::Answer;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

/// Drafts that a browser may write while it waits.
const DRAFTS_MAX: usize = 10;

#[derive(Template)]
#[template(path = "waiting.html")]
struct Page {
    shell: Shell,
    handle: String,
    code: String,
    drafts: Vec<WaitingDraft>,
    /// Whether the browser is in and the account waits.
    account_waits: bool,
    /// How they came, where that is known.
    invited: Option<String>,
}

/// The code; or, once this browser was let in, its new secret and the start.
pub fn page(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let session = visit.caller.session_name().ok_or(Trouble::NotFound)?;
    if visit.caller.member().is_some() {
        return Ok(Answer::see("/"));
    }
    if let Some(secret) = session_renew(visit.node()?, &session)? {
        let answer = Answer::see("/");
        return Ok(answer.cookie(session_cookie(visit, Some(secret.to_string()))?));
    }
    let browser = visit.caller.session().ok_or(Trouble::NotFound)?;
    let handle = browser.session.handle.clone();
    let account = browser.account.as_ref();
    let waits = account.filter(|account| account.state == AccountState::Pending);
    let waits = waits.map(|account| account.user);
    let node = visit.node()?;
    let invited = match &waits {
        Some(user) => invited_of(node, user)?,
        None => None,
    };
    let (code, drafts) = (
        session_code(node, &session)?,
        node.store().private().waiting_drafts(&session)?,
    );
    let page = Page {
        shell: visit.shell("Waiting to be let in"),
        handle,
        code: format!("{} {}", &code[..3], &code[3..]),
        drafts,
        account_waits: waits.is_some(),
        invited: invited.map(|invited| invited.sentence),
    };
    Ok(Answer::page(page.render()?))
}

/// Keeps a draft.
pub fn draft(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let session = visit.caller.session_name().ok_or(Trouble::NotFound)?;
    let title = visit
        .form
        .word("title")
        .ok_or_else(|| Trouble::Refused("A draft needs a few words to find it by".to_owned()))?;
    let description = visit.form.text("description");
    check_draft(&title, &description)?;
    let node = visit.node()?;
    let now = node.now();
    let private = node.store().private();
    if private.waiting_drafts(&session)?.len() >= DRAFTS_MAX {
        return Err(Trouble::Refused(format!(
            "A browser that waits keeps {DRAFTS_MAX} drafts at most"
        )));
    }
    private.put_waiting_draft(
        &session,
        &WaitingDraft {
            id: entropy::record_id(now),
            title,
            description,
            at: now,
        },
    )?;
    Ok(Answer::see("/waiting"))
}
