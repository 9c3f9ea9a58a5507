//! What a page comes to: text, somewhere else to go, or a file.

use http::StatusCode;

/// What is answered.
#[derive(Debug)]
pub struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Body,
    pub(crate) cookies: Vec<Cookie>,
    /// What a cache may keep it by; none where it is for one person.
    pub(crate) kept: Option<Kept>,
    /// Seconds until the same would be answered.
    pub(crate) retry_after: Option<u64>,
}

/// By what a cache asks whether it still holds what is here. It has to ask each time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// The entity tag, in its quotes.
    pub tag: String,
    /// Since when it is so, as HTTP writes times.
    pub since: Option<String>,
}

#[derive(Debug)]
pub(crate) enum Body {
    /// A page.
    Page(String),
    /// Go there, with a GET.
    SeeOther(String),
    /// A file of a type.
    File(&'static str, Vec<u8>),
    /// Nothing: whoever asks has it.
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

    fn with(status: StatusCode, body: Body) -> Self {
        Self {
            status,
            body,
            cookies: Vec::new(),
            kept: None,
            retry_after: None,
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
