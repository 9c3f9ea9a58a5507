//! What is around every page of a hub, and pages that say what went wrong.

use askama::Template;
use http::StatusCode;
use wb_hub::{HubListings, HubStore};

use super::visit::{Trouble, Visit};
use crate::answer::Answer;
use crate::assets;
use crate::shell::Way;

/// What is around a page.
#[derive(Debug)]
pub(crate) struct Shell {
    pub title: String,
    /// The hub.
    pub community: String,
    /// The moderator who is in, by handle.
    pub handle: Option<String>,
    pub ways: Vec<Way>,
    pub form_token: String,
    /// Nothing of a hub is told over a stream.
    pub is_live: bool,
    pub style: String,
    pub script: String,
    pub icon: String,
    /// The feed of what is on the page, with its name.
    pub feed: Option<(String, String)>,
}

const PUBLIC_WAYS: &[(&str, &str)] = &[
    ("/requests", "Requests"),
    ("/communities", "Communities"),
    ("/notices", "Notices"),
];
const MODERATOR_WAYS: &[(&str, &str)] = &[
    ("/moderate", "Members"),
    ("/moderate/invites", "Invitations"),
    ("/moderate/log", "Log"),
    ("/moderate/sessions", "Browsers"),
];

impl Shell {
    pub fn of<S: HubStore + HubListings>(visit: &Visit<'_, S>, title: String) -> Self {
        let moderator = visit.moderator();
        let mut ways = PUBLIC_WAYS.to_vec();
        if moderator.is_some() {
            ways.extend(MODERATOR_WAYS);
        }
        let is_under = |path: &str| visit.path.starts_with(&format!("{path}/"));
        let way = |&(path, name): &(&'static str, &'static str)| Way {
            path,
            name,
            is_here: visit.path == path
                || (path == "/moderate"
                    && (is_under("/moderate/members") || is_under("/moderate/records")))
                || (path != "/moderate" && is_under(path)),
        };
        let caller = visit.inside.as_ref().map(|inside| &inside.caller);
        Self {
            title,
            community: visit.site.config.name.clone(),
            handle: moderator.map(|account| account.handle.clone()),
            ways: ways.iter().map(way).collect(),
            is_live: false,
            form_token: caller
                .and_then(crate::browser::Caller::form_token)
                .unwrap_or_default(),
            style: assets::style(),
            script: assets::script(),
            icon: assets::icon(),
            feed: None,
        }
    }

    /// With the feed of what is on the page.
    pub fn with_feed(mut self, address: String, name: String) -> Self {
        self.feed = Some((address, name));
        self
    }
}

#[derive(Template)]
#[template(path = "hub/trouble.html")]
struct TroublePage {
    shell: Shell,
    what: String,
    next: String,
    link: Option<(&'static str, &'static str)>,
}

/// A page that says what went wrong, whether data is safe, and what to do.
pub(super) fn trouble<S: HubStore + HubListings>(
    visit: &Visit<'_, S>,
    trouble: &Trouble,
) -> Answer {
    let start = Some(("/", "To the start"));
    let (status, title, next, link) = match trouble {
        Trouble::NotFound => (
            StatusCode::NOT_FOUND,
            "Nothing is here",
            "It may have been taken back, its community may not be listed here any more, or the address is not \
             complete."
                .to_owned(),
            start,
        ),
        Trouble::LogIn => (
            StatusCode::UNAUTHORIZED,
            "Please log in",
            "Nothing was changed. Moderators log in with a link.".to_owned(),
            Some(("/login", "How to log in")),
        ),
        Trouble::NotHere => (
            StatusCode::FORBIDDEN,
            "Not without encryption",
            "Nothing was changed. Use the address that starts with https, where there is one. Else there are two ways \
             out, with the hub's name in the setting hub.hosts: a proxy with TLS in front of it, named by \
             hub.behind_proxy; or a certificate of its own, named by hub.tls_cert and hub.tls_key. `wb hub list`, \
             `approve` and the other commands work meanwhile."
                .to_owned(),
            start,
        ),
        Trouble::Refused(_) | Trouble::Moderate(_) => (
            StatusCode::BAD_REQUEST,
            "That does not work",
            "Nothing was changed. Go back, and change what is named above.".to_owned(),
            None,
        ),
        Trouble::TooOften(seconds) => (
            StatusCode::TOO_MANY_REQUESTS,
            "Please wait a moment",
            format!("Nothing was changed. Try again in {seconds} s."),
            None,
        ),
        Trouble::NotHeeded(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Said, and not heeded yet",
            "It is in this hub's own feed, and holds here with the next round, within a minute. If it does not, tell whoever \
             runs this hub the words above."
                .to_owned(),
            Some(("/moderate", "To the members")),
        ),
        Trouble::Store(_) | Trouble::Node(_) | Trouble::Template(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "That does not work now",
            "Nothing was changed, and what the hub keeps is safe. Try again; if it stays, tell whoever runs this hub \
             the words above."
                .to_owned(),
            None,
        ),
    };
    let page = TroublePage {
        shell: visit.shell(title),
        what: trouble.to_string(),
        next,
        link,
    };
    let html = page.render();
    let mut answer = match html {
        Ok(html) => Answer::page_with(status, html),
        Err(error) => Answer::page_with(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    };
    if let Trouble::TooOften(seconds) = trouble {
        answer.retry_after = Some(*seconds);
    }
    answer
}
