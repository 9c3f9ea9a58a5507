//! Logging in: a handle, and then somebody who is in already lets this browser in.

use askama::Template;
use wb_node::command::login_link::{login_link_owner, login_link_use};
use wb_node::command::session::{NotAsked, SESSION_DAYS, session_ask, session_end};
use wb_node::secret;

use crate::answer::{Answer, Cookie};
use crate::browser::SESSION;
use crate::shell::Shell;
use crate::site::Site;
use crate::visit::{Trouble, Visit};

#[derive(Template)]
#[template(path = "login.html")]
struct FormPage {
    shell: Shell,
    wrong: Option<&'static str>,
}

/// The form.
pub fn form(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    if visit.caller.session().is_some() {
        return Ok(Answer::see("/"));
    }
    write_form(visit, None)
}

fn write_form(visit: &Visit<'_>, wrong: Option<&'static str>) -> Result<Answer, Trouble> {
    let shell = visit.shell("Log in");
    Ok(Answer::page(FormPage { shell, wrong }.render()?))
}

/// Asks to be let in. Whether somebody has the handle shows in nothing.
pub fn ask(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let Some(handle) = visit.form.word("handle") else {
        return write_form(visit, Some("Type the name you are known by here."));
    };
    let label = visit.label.clone();
    let asked = session_ask(visit.node()?, &handle, &label)?;
    let secret = match asked {
        Ok(secret) => secret,
        Err(NotAsked::HandleFull) => return write_form(visit, Some(HANDLE_FULL)),
        Err(NotAsked::Full) => return write_form(visit, Some(FULL)),
    };
    let answer = Answer::see("/waiting");
    Ok(answer.cookie(session_cookie(visit, Some(secret.to_string()))?))
}

const HANDLE_FULL: &str = "Three browsers wait under this name already. One of them has to be let in or sent away \
    first; each waits for a day at most.";
const FULL: &str =
    "Too many browsers wait here at the moment. Try again later, or ask an admin for a link.";

#[derive(Template)]
#[template(path = "login_link.html")]
struct LinkPage<'p> {
    shell: Shell,
    action: &'p str,
}

/// A link to log in: looking at it uses nothing up, because programs look at links as well.
pub fn link(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let link = secret::name(visit.param("token"));
    login_link_owner(visit.node()?, &link)?;
    let page = LinkPage {
        shell: visit.shell("Log in"),
        action: visit.path,
    };
    Ok(Answer::page(page.render()?))
}

/// Uses the link.
pub fn use_link(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let link = secret::name(visit.param("token"));
    let label = visit.label.clone();
    let secret = login_link_use(visit.node()?, &link, &label)?;
    let answer = Answer::see("/");
    Ok(answer.cookie(session_cookie(visit, Some(secret.to_string()))?))
}

/// Ends this session.
pub fn logout(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let user = visit.actor()?.user;
    if let Some(session) = visit.caller.session_name() {
        session_end(visit.node()?, &user, &session)?;
    }
    Ok(Answer::see("/").cookie(session_cookie(visit, None)?))
}

/// The cookie that holds a session's secret.
pub(crate) fn session_cookie(
    visit: &mut Visit<'_>,
    value: Option<String>,
) -> Result<Cookie, Trouble> {
    Ok(Cookie {
        name: Site::cookie(SESSION, Some(visit.node()?.own_id())),
        value,
        days: SESSION_DAYS,
    })
}
