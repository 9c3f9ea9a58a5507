//! `/metrics`: for programs on this computer, and for whoever has the token.
//!
//! Names of peers and how far each side is are nobody else's business. So it is answered to this computer
//! itself, asked under a name of this computer and past every proxy; elsewhere only to whoever shows the
//! token in `metrics.token` of the folder.

use axum::body::Body;
use http::header::{AUTHORIZATION, CONTENT_TYPE, FORWARDED, HOST, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use wb_core::hash::sha256;
use wb_net::{Client, Road};
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

/// Answers, or refuses without saying what is here. Belongs on a thread for work that blocks.
pub(super) fn answer(home: &Home, parts: &http::request::Parts) -> Response<Body> {
    let client = parts.extensions.get::<Client>().copied();
    if !is_this_computer(client, &parts.headers) && !shows_token(home, &parts.headers) {
        return text(
            StatusCode::FORBIDDEN,
            "text/plain; charset=utf-8",
            "this is answered to this computer itself, and to whoever shows the token in metrics.token\n".to_owned(),
        );
    }
    let written: Result<String> = Node::open(home).and_then(|node| metrics(&node));
    match written {
        Ok(written) => text(StatusCode::OK, TEXT, written),
        Err(_) => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "text/plain; charset=utf-8",
            "the databases cannot be read; `wb doctor` says why\n".to_owned(),
        ),
    }
}

/// Whether a program on this computer asks, and no browser that was led here by a name of somebody else's.
fn is_this_computer(client: Option<Client>, headers: &HeaderMap) -> bool {
    let is_here =
        client.is_some_and(|client| client.address.is_loopback() && client.road != Road::Proxy);
    let is_forwarded = headers.contains_key(FORWARDED) || headers.contains_key("x-forwarded-for");
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    is_here && !is_forwarded && host.is_some_and(is_own_name)
}

fn is_own_name(host: &str) -> bool {
    let authority: Option<http::uri::Authority> = host.parse().ok();
    let name = authority.as_ref().map(http::uri::Authority::host);
    name.is_some_and(|name| {
        let address = name.trim_start_matches('[').trim_end_matches(']');
        let address: Option<std::net::IpAddr> = address.parse().ok();
        name.eq_ignore_ascii_case("localhost") || address.is_some_and(|it| it.is_loopback())
    })
}

/// Compared by their hashes, so that the time it takes tells nothing.
fn shows_token(home: &Home, headers: &HeaderMap) -> bool {
    let kept = std::fs::read_to_string(home.dir().join(TOKEN_FILE)).unwrap_or_default();
    let kept = kept.trim();
    let shown = headers
        .get(AUTHORIZATION)
        .and_then(|shown| shown.to_str().ok());
    let shown = shown.and_then(|shown| shown.strip_prefix("Bearer "));
    kept.chars().count() >= TOKEN_CHARS_MIN
        && shown.is_some_and(|shown| sha256(shown.trim().as_bytes()) == sha256(kept.as_bytes()))
}

fn text(status: StatusCode, kind: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
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
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| {
                let name = http::header::HeaderName::from_static(name);
                (name, HeaderValue::from_str(value).unwrap())
            })
            .collect()
    }

    fn client(address: [u8; 4], road: Road) -> Option<Client> {
        Some(Client {
            address: IpAddr::V4(Ipv4Addr::from(address)),
            road,
        })
    }

    #[test]
    fn only_this_computer_under_a_name_of_its_own_is_answered_without_a_token() {
        let here = client([127, 0, 0, 1], Road::Direct);
        let plain = headers(&[("host", "127.0.0.1:8000")]);
        assert!(is_this_computer(here, &plain));
        assert!(is_this_computer(
            here,
            &headers(&[("host", "localhost:8000")])
        ));
        assert!(is_this_computer(here, &headers(&[("host", "[::1]:8000")])));
        for (client, headers) in [
            (None, plain.clone()),
            (client([192, 0, 2, 7], Road::Direct), plain.clone()),
            (client([127, 0, 0, 1], Road::Proxy), plain.clone()),
            (here, headers(&[])),
            (here, headers(&[("host", "evil.example:8000")])),
            (
                here,
                headers(&[("host", "127.0.0.1"), ("x-forwarded-for", "192.0.2.7")]),
            ),
            (
                here,
                headers(&[("host", "127.0.0.1"), ("forwarded", "for=192.0.2.7")]),
            ),
        ] {
            assert!(
                !is_this_computer(client, &headers),
                "{client:?} {headers:?}"
            );
        }
    }

    #[test]
    fn a_token_counts_where_there_is_one_that_is_long_enough() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::new(dir.path());
        let shown = |token: &str| headers(&[("authorization", &format!("Bearer {token}"))]);
        assert!(!shows_token(&home, &shown("")));
        std::fs::write(dir.path().join(TOKEN_FILE), "short\n").unwrap();
        assert!(!shows_token(&home, &shown("short")));
        std::fs::write(dir.path().join(TOKEN_FILE), "0123456789abcdef\n").unwrap();
        assert!(shows_token(&home, &shown("0123456789abcdef")));
        assert!(!shows_token(&home, &shown("0123456789abcdeF")));
        assert!(!shows_token(&home, &headers(&[])));
    }
}
