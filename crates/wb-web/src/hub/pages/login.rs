//! How a moderator's browser gets in: by a link that was printed where the hub runs.

use askama::Template;
use wb_core::id::RecordId;
use wb_hub::{HubListings, HubStore};
use wb_node::command::login_link::login_link_use;
use wb_node::command::session::{SESSION_DAYS, session_end};
use wb_node::secret;
use wb_store::{Account, AccountState, Role};

use crate::answer::{Answer, Cookie};
use crate::browser::SESSION;
use crate::hub::shell::Shell;
use crate::hub::visit::{Trouble, Visit};
use crate::limits::MODERATOR_IDLE_HOURS;
use crate::site::Site;

#[derive(Template)]
#[template(path = "hub/login.html")]
struct HowPage {
    shell: Shell,
    hours: i64,
}

/// How to log in.
pub(crate) fn how<S: HubStore + HubListings>(visit: &mut Visit<'_, S>) -> Result<Answer, Trouble> {
    if visit.moderator().is_some() {
        return Ok(Answer::see("/moderate"));
    }
    let page = HowPage {
        shell: visit.shell("Log in as a moderator"),
        hours: MODERATOR_IDLE_HOURS,
    };
    Ok(Answer::page(page.render()?))
}

#[derive(Template)]
#[template(path = "hub/login_link.html")]
struct LinkPage<'p> {
    shell: Shell,
    action: &'p str,
}

/// A link to log in: looking at it uses nothing up, because programs look at links as well.
pub(crate) fn link<S: HubStore + HubListings>(visit: &mut Visit<'_, S>) -> Result<Answer, Trouble> {
    owner(visit)?;
    let page = LinkPage {
        shell: visit.shell("Log in as a moderator"),
        action: visit.path,
    };
    Ok(Answer::page(page.render()?))
}

/// Uses the link.
pub(crate) fn use_link<S: HubStore + HubListings>(
    visit: &mut Visit<'_, S>,
) -> Result<Answer, Trouble> {
    owner(visit)?;
    let link = secret::name(visit.param("token"));
    let secret = login_link_use(visit.node()?, &link, &visit.label)?;
    let answer = Answer::see("/moderate");
    Ok(answer.cookie(session_cookie(visit, Some(secret.to_string()))))
}

/// Whom the link lets in, where that is a moderator.
fn owner<S: HubStore + HubListings>(visit: &Visit<'_, S>) -> Result<Account, Trouble> {
    let link = secret::name(visit.param("token"));
    let node = visit.node()?;
    let private = node.store().private();
    let user: Option<RecordId> = private.login_link(&link, node.now())?;
    let account = match user {
        Some(user) => private.account_of(&user)?,
        None => None,
    };
    account
        .filter(|account| account.state == AccountState::Approved && account.role >= Role::Steward)
        .ok_or(Trouble::NotFound)
}

/// Ends this session.
pub(crate) fn logout<S: HubStore + HubListings>(
    visit: &mut Visit<'_, S>,
) -> Result<Answer, Trouble> {
    let user = visit.moderator().ok_or(Trouble::LogIn)?.user;
    let inside = visit.inside()?;
    if let Some(session) = inside.caller.session_name() {
        session_end(&inside.node, &user, &session)?;
    }
    Ok(Answer::see("/").cookie(session_cookie(visit, None)))
}

fn session_cookie<S: HubStore + HubListings>(
    visit: &Visit<'_, S>,
    value: Option<String>,
) -> Cookie {
    Cookie {
        name: Site::cookie(SESSION, Some(visit.site.config.id)),
        value,
        days: SESSION_DAYS,
    }
}
