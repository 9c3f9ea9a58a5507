//! `GET /sync/v1/own/SCOPE`

use std::sync::Arc;

use wb_core::id::InstanceId;
use wb_core::scope::FeedScope;
use wb_core::want::Held;
use wb_net::signed::{NDJSON, Reply, Request};

use super::value;
use crate::problems::{Refusal, bad_request, of_page};
use crate::service::Hub;
use crate::store::HubStore;

/// Gives a member its own feed back. It is not signed: what its origin signed proves itself.
pub async fn own<S: HubStore>(
    hub: &Arc<Hub<S>>,
    sender: InstanceId,
    request: &Request,
) -> Result<Reply, Refusal> {
    let scope: Option<FeedScope> = request
        .path()
        .split('/')
        .nth(4)
        .and_then(|scope| scope.parse().ok());
    let scope = scope.ok_or_else(|| bad_request("the path does not name a scope"))?;
    let after = match value(request, "after") {
        None => None,
        Some(text) => Some(
            Held::of_query(sender, scope, text)
                .ok_or_else(|| bad_request("`after` in the query is not a head"))?,
        ),
    };
    let page = hub.kept(hub.store().own(sender, scope, after).await)?;
    Ok(Reply {
        proves_itself: true,
        ..Reply::ok(NDJSON, page.map_err(of_page)?)
    })
}
