//! Who asks: from the cookies of a request to an account.

use http::HeaderMap;
use http::header::COOKIE;
use wb_core::hash;
use wb_core::id::Hash;
use wb_node::command::session::{Browser, browser};
use wb_node::{Node, NodeError, secret};
use wb_store::{Account, AccountState, Role};

use crate::routes::Access;
use crate::site::Site;

/// Names of cookies.
pub(crate) const SESSION: &str = "session";
pub(crate) const VISITOR: &str = "visitor";

/// Who asks.
#[derive(Debug)]
pub(crate) struct Caller {
    /// The secret that forms are bound to: of the session, else of the visitor.
    secret: Option<String>,
    browser: Option<Browser>,
}

impl Caller {
    /// Reads the cookies.
    pub fn of(headers: &HeaderMap, node: Option<&Node>) -> Result<Self, NodeError> {
        let instance = node.map(Node::own_id);
        let visitor = cookie(headers, &Site::cookie(VISITOR, instance));
        let Some(node) = node else {
            return Ok(Self {
                secret: visitor,
                browser: None,
            });
        };
        let held = cookie(headers, &Site::cookie(SESSION, instance));
        let browser = match &held {
            Some(secret) => browser(node, &secret::name(secret))?,
            None => None,
        };
        let secret = if browser.is_some() { held } else { visitor };
        Ok(Self { secret, browser })
    }

    /// The session, waiting or not.
    pub fn session(&self) -> Option<&Browser> {
        self.browser.as_ref()
    }

    /// The name of the session.
    pub fn session_name(&self) -> Option<Hash> {
        self.browser.as_ref().map(|browser| browser.session.session)
    }

    /// The account of a member who is in.
    pub fn member(&self) -> Option<&Account> {
        let browser = self
            .browser
            .as_ref()
            .filter(|browser| browser.session.renewed)?;
        let account = browser.account.as_ref()?;
        (account.state == AccountState::Approved).then_some(account)
    }

    /// Whoever it was has no account any more: the rest of this answer is for anybody.
    pub fn leave(&mut self) {
        self.browser = None;
    }

    /// What this browser may ask for.
    pub fn may(&self, access: Access) -> bool {
        let role = self.member().map(|account| account.role);
        match access {
            // The secret in the path decides.
            Access::Setup | Access::Anyone => true,
            Access::Waiting => self.browser.is_some(),
            Access::Member => role.is_some(),
            Access::Steward => role >= Some(Role::Steward),
            Access::Admin => role == Some(Role::Admin),
        }
    }

    /// What a form has to bring, so that no other site can send it.
    pub fn form_token(&self) -> Option<String> {
        self.secret.as_deref().map(form_token)
    }

    /// Whether forms have nothing to be bound to yet: then a visitor's secret is set.
    pub fn is_new(&self) -> bool {
        self.secret.is_none()
    }

    /// Binds the forms of this answer to a secret that is set with it.
    pub fn bind(&mut self, secret: &str) {
        self.secret = Some(secret.to_owned());
    }
}

/// What a form has to bring when the browser holds a secret.
pub(crate) fn form_token(secret: &str) -> String {
    hash::sha256(&[b"wb form\0", secret.as_bytes()].concat()).to_string()
}

/// The value of a cookie. Of several of one name the first counts.
pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(COOKIE).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
        .filter(|value| !value.is_empty())
}

/// A browser in words: its name and system, from what it says about itself.
pub(crate) fn label(headers: &HeaderMap) -> String {
    let agent = headers
        .get(http::header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let has = |word: &str| agent.contains(word);
    let browser = match () {
        () if has("Firefox/") => "Firefox",
        () if has("Edg/") => "Edge",
        () if has("Chrome/") || has("Chromium/") => "Chrome",
        () if has("Safari/") => "Safari",
        () => "A browser",
    };
    let system = match () {
        () if has("Android") => "Android",
        () if has("iPhone") || has("iPad") => "iOS",
        () if has("Windows") => "Windows",
        () if has("Mac OS X") => "macOS",
        () if has("Linux") => "Linux",
        () => "an unknown system",
    };
    format!("{browser} on {system}")
}
