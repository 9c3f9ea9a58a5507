//! `/metrics`: for whoever has the token.
//!
//! Names of peers and how far each side is are nobody else's business. So it is answered only to whoever shows
//! the token in `metrics.token` of the folder, and to nobody where there is none. From where somebody asks says
//! nothing: a tunnel and a plain proxy ask from this computer, and need not say for whom.

use axum::body::Body;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use wb_core::hash::sha256;
use wb_store::Home;

use crate::error::Result;
use crate::node::Node;
use crate::query::metrics::metrics;

/// The file with the token; who can read the folder can read it.
const TOKEN_FILE: &str = "metrics.token";
/// A shorter token could be tried out.
const TOKEN_CHARS_MIN: usize = 16;
/// The format, as those that read it name it.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a refusal is.
const PLAIN: &str = "text/plain; charset=utf-8";

/// Answers, or refuses without saying what is here. Belongs on a thread for work that blocks.
pub(super) fn answer(home: &Home, parts: &http::request::Parts) -> Response<Body> {
    let Some(token) = token(home) else {
        return text(
            StatusCode::NOT_FOUND,
            PLAIN,
            "metrics are served once metrics.token of the folder holds a token of 16 characters or more\n",
        );
    };
    if !shows(&token, &parts.headers) {
        return text(
            StatusCode::FORBIDDEN,
            PLAIN,
            "this is answered to whoever shows the token in metrics.token\n",
        );
    }
    let written: Result<String> = Node::open(home).and_then(|node| metrics(&node));
    match written {
        Ok(written) => text(StatusCode::OK, TEXT, written),
        Err(_) => text(
            StatusCode::SERVICE_UNAVAILABLE,
            PLAIN,
            "the databases cannot be read; `wb doctor` says why\n",
        ),
    }
}

/// The token in the folder; none where there is no file, or one that could be tried out.
fn token(home: &Home) -> Option<String> {
    let kept = std::fs::read_to_string(home.dir().join(TOKEN_FILE)).ok()?;
    let kept = kept.trim();
    (kept.chars().count() >= TOKEN_CHARS_MIN).then(|| kept.to_owned())
}

/// Compared by their hashes, so that the time it takes tells nothing.
fn shows(token: &str, headers: &HeaderMap) -> bool {
    let shown = headers
        .get(AUTHORIZATION)
        .and_then(|shown| shown.to_str().ok());
    let shown = shown.and_then(|shown| shown.strip_prefix("Bearer "));
    shown.is_some_and(|shown| sha256(shown.trim().as_bytes()) == sha256(token.as_bytes()))
}

fn text(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(
        http::header::CACHE_CONTROL,
        HeaderValue::from_static("no-store"),
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(token: &str) -> HeaderMap {
        let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
        HeaderMap::from_iter([(AUTHORIZATION, value)])
    }

    #[test]
    fn a_token_counts_where_there_is_one_that_is_long_enough() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::new(dir.path());
        let file = dir.path().join(TOKEN_FILE);
        assert_eq!(token(&home), None);
        std::fs::write(&file, "short\n").unwrap();
        assert_eq!(token(&home), None);
        std::fs::write(&file, "0123456789abcdef\n").unwrap();
        let kept = token(&home).unwrap();
        assert!(shows(&kept, &bearer("0123456789abcdef")));
        assert!(!shows(&kept, &bearer("0123456789abcdeF")));
        assert!(!shows(&kept, &bearer("")));
        assert!(!shows(&kept, &HeaderMap::new()));
    }
}
