//! `GET /sync/v1/directory`

use std::sync::Arc;

use wb_core::limits::DIRECTORY_PAGE_MAX;
use wb_net::signed::{JSON, Reply, Request};

use super::parsed;
use crate::problems::Refusal;
use crate::service::Hub;
use crate::store::HubStore;

/// Lists members, page by page.
pub async fn directory<S: HubStore>(
    hub: &Arc<Hub<S>>,
    request: &Request,
) -> Result<Reply, Refusal> {
    let after = parsed(request, "after")?;
    let limit: Option<usize> = parsed(request, "limit")?;
    let limit = limit.map_or(DIRECTORY_PAGE_MAX, |limit| {
        limit.clamp(1, DIRECTORY_PAGE_MAX)
    });
    let page = hub.kept(hub.store().directory(after, limit, hub.now()).await)?;
    Ok(Reply::ok(JSON, wb_core::signed::payload(&page)))
}
