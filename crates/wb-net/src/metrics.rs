//! Who may read the numbers of a node or hub: whoever shows the token that lies in its folder.
//!
//! Names of peers and how far each side is are nobody else's business, and from where somebody asks says nothing: a
//! tunnel and a plain proxy ask from this computer, and need not say for whom.

use std::path::{Path, PathBuf};

use axum::body::Body;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use wb_core::hash::sha256;

/// The file with the token; who can read the folder can read it.
const TOKEN_FILE: &str = "metrics.token";
/// A shorter token could be tried out.
const TOKEN_CHARS_MIN: usize = 16;
/// What a refusal is.
const PLAIN: &str = "text/plain; charset=utf-8";

/// The token in a folder, read anew with each question: it counts at once.
#[derive(Debug, Clone)]
pub struct MetricsToken {
    file: PathBuf,
}

impl MetricsToken {
    /// The token of a folder.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            file: folder.join(TOKEN_FILE),
        }
    }

    /// The refusal of who does not show it; none for who does. Reads a file, so it belongs on a thread that may block.
    #[must_use]
    pub fn refusal(&self, headers: &HeaderMap) -> Option<Response<Body>> {
        let Some(token) = self.read() else {
            return Some(answer(
                StatusCode::NOT_FOUND,
                PLAIN,
                "metrics are served once metrics.token of the folder holds a token of 16 characters or more\n",
            ));
        };
        let refused = "this is answered to whoever shows the token in metrics.token\n";
        (!shows(&token, headers)).then(|| answer(StatusCode::FORBIDDEN, PLAIN, refused))
    }

    /// The token; none where there is no file, or one that could be tried out.
    fn read(&self) -> Option<String> {
        let kept = std::fs::read_to_string(&self.file).ok()?;
        let kept = kept.trim();
        (kept.chars().count() >= TOKEN_CHARS_MIN).then(|| kept.to_owned())
    }
}

/// The numbers, in a form that `kind` names.
#[must_use]
pub fn numbers(kind: &'static str, text: String) -> Response<Body> {
    answer(StatusCode::OK, kind, text)
}

/// That the numbers could not be read.
#[must_use]
pub fn unreadable() -> Response<Body> {
    answer(
        StatusCode::SERVICE_UNAVAILABLE,
        PLAIN,
        "the databases cannot be read; `wb doctor` says why\n",
    )
}

/// Compared by their hashes, so that the time it takes tells nothing.
fn shows(token: &str, headers: &HeaderMap) -> bool {
    let shown = headers
        .get(AUTHORIZATION)
        .and_then(|shown| shown.to_str().ok());
    let shown = shown.and_then(|shown| shown.strip_prefix("Bearer "));
    shown.is_some_and(|shown| sha256(shown.trim().as_bytes()) == sha256(token.as_bytes()))
}

fn answer(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
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
        let token = MetricsToken::in_folder(dir.path());
        let status = |headers: &HeaderMap| token.refusal(headers).map(|refused| refused.status());
        let good = bearer("0123456789abcdef");
        assert_eq!(status(&good), Some(StatusCode::NOT_FOUND));
        std::fs::write(&token.file, "short\n").unwrap();
        assert_eq!(status(&bearer("short")), Some(StatusCode::NOT_FOUND));
        std::fs::write(&token.file, "0123456789abcdef\n").unwrap();
        assert_eq!(status(&good), None);
        for wrong in [bearer("0123456789abcdeF"), bearer(""), HeaderMap::new()] {
            assert_eq!(status(&wrong), Some(StatusCode::FORBIDDEN));
        }
    }
}
