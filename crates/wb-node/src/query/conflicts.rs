//! `wb conflict list`: requests about which their home and those who help disagree.

use serde::Serialize;
use wb_core::id::RecordRef;
use wb_core::time::Timestamp;

use super::requests::{request, requests};
use super::standing::request_status;
use crate::command::conflict_settle::settles_at;
use crate::error::Result;
use crate::node::Node;
use crate::view::RequestView;

/// A contested request, with who settles it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConflictView {
    /// The request, with who says what.
    #[serde(flatten)]
    pub request: RequestView,
    /// Whether it is settled here: the request is of this instance.
    pub settled_here: bool,
    /// Of an own request: when this instance says by itself what is shown; absent until it was noticed by a publish or
    /// a sync.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settles_at: Option<Timestamp>,
}

/// Contested requests shown here, oldest first.
///
/// # Errors
/// What the store reports.
pub fn conflicts(node: &Node) -> Result<Vec<ConflictView>> {
    let requests = requests(node)?.into_iter();
    let contested = requests.filter(|request| request.contested && !request.erased);
    contested.map(|request| view(node, request)).collect()
}

/// One request, contested or not.
///
/// # Errors
/// That it is not a request or not shown.
pub fn conflict(node: &Node, key: &RecordRef) -> Result<ConflictView> {
    view(node, request(node, key)?)
}

fn view(node: &Node, request: RequestView) -> Result<ConflictView> {
    let key = RecordRef {
        origin: request.base.origin,
        id: request.base.id,
    };
    let at = if request.contested && request.base.local {
        settles_at(node, &key, &request_status(node, &key)?)?
    } else {
        None
    };
    Ok(ConflictView {
        settled_here: request.base.local,
        settles_at: at,
        request,
    })
}
