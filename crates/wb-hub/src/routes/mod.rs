//! One file for each call: what it takes, what it answers.

pub mod changes;
pub mod directory;
pub mod envelopes;
pub mod follows;
pub mod heads;
pub mod history;
pub mod lines;
pub mod mail;
pub mod member;
pub mod notices;
pub mod own;
pub mod push;
pub mod receipts;
pub mod recovery;
pub mod register;
pub mod snapshot;
pub mod turn;
pub mod vouches;

use std::collections::BTreeSet;
use std::str::FromStr;

use wb_core::id::InstanceId;
use wb_core::limits::FEED_KINDS_MAX;
use wb_core::scope::{FeedScope, Kind};
use wb_net::signed::Request;

use crate::problems::{Refusal, bad_request};

/// A value of the query, as it stands there: nothing in this protocol needs escapes.
fn value<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    let pairs = request.query()?.split('&');
    pairs
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// A value of the query that is read.
fn parsed<T: FromStr>(request: &Request, name: &str) -> Result<Option<T>, Refusal> {
    let Some(text) = value(request, name) else {
        return Ok(None);
    };
    let parsed = text.parse().ok();
    parsed
        .map(Some)
        .ok_or_else(|| bad_request(format!("`{name}` in the query is not what it should be")))
}

/// The kinds asked for.
fn kinds(request: &Request) -> Result<Option<BTreeSet<Kind>>, Refusal> {
    let Some(text) = value(request, "kinds") else {
        return Ok(None);
    };
    if text.split(',').count() > FEED_KINDS_MAX {
        return Err(bad_request(format!(
            "`kinds` in the query names more than {FEED_KINDS_MAX} kinds"
        )));
    }
    let kinds: Result<BTreeSet<Kind>, _> = text.split(',').map(str::parse).collect();
    kinds
        .map(Some)
        .map_err(|_| bad_request("`kinds` in the query is not a list of kinds"))
}

/// The feed that the path names.
fn feed(request: &Request) -> Result<(InstanceId, FeedScope), Refusal> {
    let mut segments = request.path().split('/').skip(4);
    let origin = segments.next().and_then(|text| text.parse().ok());
    let scope = segments.next().and_then(|text| text.parse().ok());
    match (origin, scope) {
        (Some(origin), Some(scope)) => Ok((origin, scope)),
        _ => Err(bad_request(
            "the path does not name an instance and a scope",
        )),
    }
}
