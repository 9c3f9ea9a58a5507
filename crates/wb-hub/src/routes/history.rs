//! `GET /sync/v1/history`

use std::sync::Arc;

use wb_core::id::InstanceId;
use wb_net::signed::{NDJSON, Reply, Request};

use super::value;
use crate::problems::{Refusal, of_page};
use crate::service::Hub;
use crate::store::HubStore;

/// Gives the sender what is held of itself, also what does not count any more.
pub async fn history<S: HubStore>(
    hub: &Arc<Hub<S>>,
    sender: InstanceId,
    request: &Request,
) -> Result<Reply, Refusal> {
    let after = value(request, "after").map(str::to_owned);
    let page = hub.kept(hub.store().history(sender, after).await)?;
    Ok(Reply::ok(NDJSON, page.map_err(of_page)?))
}
