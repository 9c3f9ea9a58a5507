//! What every invitation asks of whoever joins by it, whoever made it, and the browser that is in then.

use wb_core::scope::Scope;
use wb_node::command::session::session_begin;
use wb_store::Account;

use super::login::session_cookie;
use crate::answer::Answer;
use crate::visit::{Trouble, Visit};

/// The fields of the form: what was typed, or what the invitation offers.
pub(super) struct Newcomer {
    pub handle: String,
    pub display_name: String,
    pub bio: String,
    pub email: String,
    pub scope: Scope,
}

impl Newcomer {
    pub fn of(visit: &Visit<'_>, handle: Option<String>, bio: Option<String>) -> Self {
        let typed = |name: &str, offered: Option<String>| {
            if visit.form.has(name) {
                visit.form.text(name)
            } else {
                offered.unwrap_or_default()
            }
        };
        Self {
            handle: typed("handle", handle),
            display_name: typed("display_name", None),
            bio: typed("bio", bio),
            email: typed("email", None),
            scope: scope(visit),
        }
    }
}

/// What the newcomer chose; nothing leaves that nobody chose.
pub(super) fn scope(visit: &Visit<'_>) -> Scope {
    visit.form.text("scope").parse().unwrap_or(Scope::Private)
}

/// What was typed: handle, display name, bio, e-mail.
pub(super) fn words(visit: &Visit<'_>) -> [Option<String>; 4] {
    ["handle", "display_name", "bio", "email"].map(|field| visit.form.word(field))
}

/// This browser is that account's from now on.
pub(super) fn begin(visit: &mut Visit<'_>, account: &Account) -> Result<Answer, Trouble> {
    let label = visit.label.clone();
    let secret = session_begin(visit.node()?, account, &label)?;
    let answer = Answer::see("/");
    Ok(answer.cookie(session_cookie(visit, Some(secret.to_string()))?))
}
