//! `GET /sync/v1/heads`

use std::sync::Arc;

use wb_core::id::InstanceId;
use wb_net::signed::{JSON, Reply, Request};

use super::parsed;
use crate::problems::Refusal;
use crate::service::Hub;
use crate::store::HubStore;

/// Says where the feeds stand that a member follows.
pub async fn heads<S: HubStore>(
    hub: &Arc<Hub<S>>,
    sender: InstanceId,
    request: &Request,
) -> Result<Reply, Refusal> {
    let after = parsed(request, "after")?;
    let heads = hub.kept(hub.store().heads(sender, after, hub.now()).await)?;
    Ok(Reply::ok(JSON, wb_core::signed::payload(&heads)))
}
