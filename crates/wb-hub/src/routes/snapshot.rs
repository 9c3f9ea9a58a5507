//! `GET /sync/v1/snapshot/ORIGIN/SCOPE`

use std::sync::Arc;

use wb_net::signed::{NDJSON, Reply, Request};

use super::{feed, kinds, parsed, value};
use crate::problems::{Refusal, bad_request, of_page};
use crate::service::Hub;
use crate::store::{HubStore, SnapshotAsk};

/// Gives a page of a snapshot. It is not signed: the origin's header proves all pages together.
pub async fn snapshot<S: HubStore>(hub: &Arc<Hub<S>>, request: &Request) -> Result<Reply, Refusal> {
    let (origin, scope) = feed(request)?;
    let ask = SnapshotAsk {
        origin,
        scope,
        head: parsed(request, "head")?,
        after: value(request, "after").map(str::to_owned),
        kinds: kinds(request)?,
    };
    if ask.head.is_some() != ask.after.is_some() {
        return Err(bad_request("`head` and `after` come together"));
    }
    let page = hub.kept(hub.store().snapshot(ask, hub.now()).await)?;
    Ok(Reply {
        proves_itself: true,
        ..Reply::ok(NDJSON, page.map_err(of_page)?)
    })
}
