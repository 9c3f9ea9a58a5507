//! What is around every page: title, way around, notices, and where forms are bound.

use askama::Template;
use http::StatusCode;
use wb_node::NodeError;
use wb_node::query::audience::readers;
use wb_node::query::feed_link::feed_link;
use wb_node::query::notices::{NoticeView, notices};

use crate::answer::Answer;
use crate::assets;
use crate::routes::Access;
use crate::visit::{Trouble, Visit};
use crate::words;

/// A link in the way around.
#[derive(Debug)]
pub(crate) struct Way {
    pub path: &'static str,
    pub name: &'static str,
    pub is_here: bool,
}

/// What is around a page.
#[derive(Debug)]
pub(crate) struct Shell {
    pub title: String,
    /// The community.
    pub community: String,
    /// Who is in, by handle.
    pub handle: Option<String>,
    pub ways: Vec<Way>,
    /// What this browser's member is told.
    pub notices: Vec<NoticeView>,
    /// Where the member's own feed reader asks, if there is an address for it.
    pub feed: Option<String>,
    pub form_token: String,
    /// How many communities read what is for trusted ones only, for forms that let records go there.
    pub trusted: usize,
    /// Whether the page is told what is new.
    pub is_live: bool,
    pub style: String,
    pub script: String,
    pub icon: String,
}

const MEMBER_WAYS: &[(&str, &str)] = &[
    ("/requests", "Requests"),
    ("/things", "My things"),
    ("/members", "Members"),
    ("/invites", "Invites"),
    ("/settings", "Settings"),
];

const STEWARD_WAYS: &[(&str, &str)] = &[
    ("/sync", "Sync"),
    ("/shared", "Shared"),
    ("/review", "Review"),
    ("/inbox", "Inbox"),
    ("/accounts", "Accounts"),
];

impl Shell {
    pub fn of(visit: &Visit<'_>, title: String) -> Self {
        let account = visit.caller.member();
        let mut ways = Vec::new();
        if account.is_some() {
            ways.extend(MEMBER_WAYS);
        }
        if visit.is_steward() {
            ways.extend(STEWARD_WAYS);
        }
        let way = |(path, name): &(&'static str, &'static str)| Way {
            path,
            name,
            is_here: visit.path == *path || visit.path.starts_with(&format!("{path}/")),
        };
        let community = visit.node.as_deref().map(|node| node.name().to_owned());
        Self {
            title,
            community: community.unwrap_or_else(|| "WhiteBalloon".to_owned()),
            handle: account.map(|account| account.handle.clone()),
            ways: ways.iter().map(way).collect(),
            is_live: visit.caller.session().is_some(),
            notices: told(visit),
            trusted: trusted(visit),
            feed: feed(visit),
            form_token: visit.caller.form_token().unwrap_or_default(),
            style: assets::style(),
            script: assets::script(),
            icon: assets::icon(),
        }
    }
}

/// A page is worth more than what is told around it: what cannot be read is told on the next.
fn told(visit: &Visit<'_>) -> Vec<NoticeView> {
    let (Some(node), Some(account), Some(browser)) = (
        visit.node.as_deref(),
        visit.caller.member(),
        visit.caller.session_name(),
    ) else {
        return Vec::new();
    };
    notices(node, account, &browser).unwrap_or_default()
}

fn trusted(visit: &Visit<'_>) -> usize {
    let node = visit
        .node
        .as_deref()
        .filter(|_| visit.caller.member().is_some());
    node.and_then(|node| readers(node).ok()).unwrap_or_default()
}

fn feed(visit: &Visit<'_>) -> Option<String> {
    let (node, account) = (visit.node.as_deref()?, visit.caller.member()?);
    let link = feed_link(node, &account.user).ok()??;
    Some(format!("/feeds/{}/requests.atom", link.secret.as_str()))
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct TroublePage {
    shell: Shell,
    what: String,
    next: &'static str,
    link: Option<(&'static str, &'static str)>,
}

/// A page that says what went wrong, whether data is safe, and what to do.
pub(crate) fn trouble(visit: &Visit<'_>, trouble: &Trouble) -> Answer {
    let is_in = visit.caller.member().is_some();
    let (status, title, next, link) = match trouble {
        Trouble::NotFound | Trouble::Node(NodeError::Unknown { .. }) => (
            StatusCode::NOT_FOUND,
            "Nothing is here",
            "It may have been taken back, or the address is not complete.",
            Some(("/", "To the start")),
        ),
        Trouble::Forbidden(Access::Waiting | Access::Member) if !is_in => (
            StatusCode::UNAUTHORIZED,
            "Please log in",
            "This page is for members of this community.",
            Some(("/login", "Log in")),
        ),
        Trouble::Forbidden(_) | Trouble::Node(NodeError::Forbidden { .. }) => (
            StatusCode::FORBIDDEN,
            "This is not for you",
            "Ask an admin of your community if you should be able to do this.",
            Some(("/", "To the start")),
        ),
        Trouble::TooOften(_) => (
            StatusCode::TOO_MANY_REQUESTS,
            "Please wait a little",
            "Nothing was changed. Wait a minute, then load the page again; what you typed is still there when you go back.",
            None,
        ),
        Trouble::Refused(_) => (
            StatusCode::BAD_REQUEST,
            "That does not work",
            "Nothing was changed. Go back, and change what is named above.",
            None,
        ),
        Trouble::Node(error) if error.is_full() || error.is_read_only() => (
            StatusCode::INSUFFICIENT_STORAGE,
            "Nothing can be written",
            "Reading goes on. Go back to what you typed, and send it again once your operator has mended that.",
            None,
        ),
        Trouble::Node(_) => (
            StatusCode::CONFLICT,
            "That does not work",
            "Nothing was changed. Go back and try again; if it stays, tell your operator the words above.",
            None,
        ),
        Trouble::Template(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "The page could not be made",
            "What you wrote before is safe. Please tell your operator the words above.",
            None,
        ),
    };
    let page = TroublePage {
        shell: visit.shell(title),
        what: match trouble {
            Trouble::Node(error) => words::failure(error),
            trouble => trouble.to_string(),
        },
        next,
        link,
    };
    let mut answer = match page.render() {
        Ok(html) => Answer::page_with(status, html),
        Err(error) => Answer::page_with(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    };
    if let Trouble::TooOften(seconds) = trouble {
        answer.retry_after = Some(*seconds);
    }
    answer
}
