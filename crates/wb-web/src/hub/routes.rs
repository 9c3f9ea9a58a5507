//! Everything that can be asked of a hub's pages, and who may ask.

use http::Method;
use wb_hub::{HubListings, HubStore};

use super::pages::{
    communities, decide, feed, invites, log, login, members, notices, requests, sessions, start,
};
use super::visit::{Trouble, Visit};
use crate::answer::Answer;

/// Who may ask for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody, and it is the same for everybody: cookies are not looked at.
    Public,
    /// Whoever wants to become a moderator's browser.
    Door,
    /// A moderator: a steward or admin of the hub's own instance.
    Moderator,
}

/// What answers.
pub(crate) type Handler<S> = fn(&mut Visit<'_, S>) -> Result<Answer, Trouble>;

/// One thing that can be asked for.
pub struct Route<S> {
    /// How: what changes something is never a GET.
    pub method: Method,
    /// Where.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
    pub(crate) handler: Handler<S>,
}

impl<S> std::fmt::Debug for Route<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// The list.
#[must_use]
pub fn routes<S: HubStore + HubListings>() -> Vec<Route<S>> {
    use Access::{Door, Moderator, Public};
    let get = |path, access, handler: Handler<S>| route(Method::GET, path, access, handler);
    let post = |path, access, handler: Handler<S>| route(Method::POST, path, access, handler);
    vec![
        get("/", Public, start::page),
        get("/communities", Public, communities::list),
        get("/communities/{home}", Public, communities::page),
        get("/communities/{home}/requests.atom", Public, feed::of_home),
        get("/requests", Public, requests::list),
        get("/requests/{home}/{id}", Public, requests::page),
        get("/requests.atom", Public, feed::of_all),
        get("/notices", Public, notices::page),
        get("/login", Door, login::how),
        get("/login/link/{token}", Door, login::link),
        post("/login/link/{token}", Door, login::use_link),
        post("/logout", Moderator, login::logout),
        get("/moderate", Moderator, members::list),
        get("/moderate/members/{home}", Moderator, members::page),
        post(
            "/moderate/members/{home}/approve",
            Moderator,
            members::approve,
        ),
        post(
            "/moderate/members/{home}/suspend",
            Moderator,
            decide::suspend,
        ),
        post("/moderate/members/{home}/revoke", Moderator, decide::revoke),
        post("/moderate/members/{home}/delist", Moderator, decide::delist),
        post(
            "/moderate/members/{home}/reinstate",
            Moderator,
            decide::reinstate,
        ),
        get("/moderate/record", Moderator, decide::find),
        get("/moderate/records/{home}/{id}", Moderator, decide::record),
        post(
            "/moderate/records/{home}/{id}/withhold",
            Moderator,
            decide::withhold,
        ),
        post(
            "/moderate/records/{home}/{id}/reinstate",
            Moderator,
            decide::reinstate_record,
        ),
        get("/moderate/invites", Moderator, invites::page),
        post("/moderate/invites", Moderator, invites::make),
        post("/moderate/invites/{n}/off", Moderator, invites::off),
        get("/moderate/log", Moderator, log::page),
        get("/moderate/sessions", Moderator, sessions::page),
        post("/moderate/sessions/end", Moderator, sessions::end),
    ]
}

fn route<S>(method: Method, path: &'static str, access: Access, handler: Handler<S>) -> Route<S> {
    Route {
        method,
        path,
        access,
        handler,
    }
}
