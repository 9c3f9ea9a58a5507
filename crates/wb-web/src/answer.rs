//! What a page comes to: text, somewhere else to go, or a file.

use http::StatusCode;
use wb_core::hash;

use crate::live::Lines;

/// What is answered.
#[derive(Debug)]
pub struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Body,
    pub(crate) cookies: Vec<Cookie>,
    /// Seconds until the same would be answered.
    pub(crate) retry_after: Option<u64>,
    /// Names these very bytes, for who asks again and again: the same are not sent twice.
    pub(crate) tag: Option<String>,
    /// Since when they are so, as HTTP writes times, where that is known.
    pub(crate) since: Option<String>,
    /// The name under which a browser keeps it, where it is to be kept and not shown.
    pub(crate) keep_as: Option<&'static str>,
    /// Whether they are the same for everybody, so that what is in between may keep them, too.
    pub(crate) is_for_all: bool,
}

#[derive(Debug)]
pub(crate) enum Body {
    /// A page.
    Page(String),
    /// Go there, with a GET.
    SeeOther(String),
    /// A file of a type.
    File(&'static str, Vec<u8>),
    /// A file made of something from elsewhere: opened by itself, it may do nothing.
    Foreign(&'static str, Vec<u8>),
    /// What is new, for as long as the browser listens.
    Events(Lines),
    /// Nothing: whoever asks has it, or should not ask again by itself.
    Nothing,
}

/// A cookie that is set, or ended where there is no value.
#[derive(Debug)]
pub(crate) struct Cookie {
    pub name: String,
    pub value: Option<String>,
    pub days: i64,
}

impl Answer {
    pub(crate) fn page(html: String) -> Self {
        Self::with(StatusCode::OK, Body::Page(html))
    }

    pub(crate) fn page_with(status: StatusCode, html: String) -> Self {
        Self::with(status, Body::Page(html))
    }

    /// After something was changed: loading again must not change it again.
    pub(crate) fn see(path: impl Into<String>) -> Self {
        Self::with(StatusCode::SEE_OTHER, Body::SeeOther(path.into()))
    }

    pub(crate) fn file(kind: &'static str, bytes: Vec<u8>) -> Self {
        Self::with(StatusCode::OK, Body::File(kind, bytes))
    }

    /// A file that a browser keeps instead of showing it.
    pub(crate) fn download(kind: &'static str, name: &'static str, bytes: Vec<u8>) -> Self {
        Self {
            keep_as: Some(name),
            ..Self::file(kind, bytes)
        }
    }

    pub(crate) fn events(lines: Lines) -> Self {
        Self::with(StatusCode::OK, Body::Events(lines))
    }

    pub(crate) fn nothing() -> Self {
        Self::with(StatusCode::NO_CONTENT, Body::Nothing)
    }

    /// A file that is asked for again and again.
    pub(crate) fn watched(kind: &'static str, bytes: Vec<u8>) -> Self {
        Self {
            tag: Some(Self::tag_of(&bytes)),
            ..Self::file(kind, bytes)
        }
    }

    /// A file made of something from elsewhere; whoever keeps it asks each time, because it may be taken back.
    pub(crate) fn foreign(kind: &'static str, bytes: Vec<u8>) -> Self {
        Self {
            tag: Some(Self::tag_of(&bytes)),
            ..Self::with(StatusCode::OK, Body::Foreign(kind, bytes))
        }
    }

    /// The name of these very bytes.
    pub(crate) fn tag_of(bytes: &[u8]) -> String {
        format!("\"{}\"", hash::sha256(bytes))
    }

    /// Whether it is what somebody holds already who names tags as `If-None-Match` does.
    pub(crate) fn is_held(&self, tags: &str) -> bool {
        let mut held = tags
            .split(',')
            .map(|tag| tag.trim().trim_start_matches("W/"));
        self.tag
            .as_deref()
            .is_some_and(|tag| held.any(|held| held == tag || held == "*"))
    }

    fn with(status: StatusCode, body: Body) -> Self {
        Self {
            status,
            body,
            cookies: Vec::new(),
            retry_after: None,
            tag: None,
            since: None,
            keep_as: None,
            is_for_all: false,
        }
    }

    /// What a cache holds is still so.
    pub(crate) fn not_modified() -> Self {
        Self::with(StatusCode::NOT_MODIFIED, Body::Nothing)
    }

    pub(crate) fn cookie(mut self, cookie: Cookie) -> Self {
        self.cookies.push(cookie);
        self
    }
}
