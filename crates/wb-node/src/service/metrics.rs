//! `/metrics`: for whoever has the token.

use axum::body::Body;
use http::Response;
use wb_net::metrics::{MetricsToken, numbers, unreadable};
use wb_store::Home;

use crate::error::Result;
use crate::node::Node;
use crate::query::metrics::metrics;

/// The format, as those that read it name it.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers, or refuses without saying what is here. Belongs on a thread for work that blocks.
pub(super) fn answer(home: &Home, parts: &http::request::Parts) -> Response<Body> {
    if let Some(refused) = MetricsToken::in_folder(home.dir()).refusal(&parts.headers) {
        return refused;
    }
    let written: Result<String> = Node::open(home).and_then(|node| metrics(&node));
    match written {
        Ok(written) => numbers(TEXT, written),
        Err(_) => unreadable(),
    }
}
