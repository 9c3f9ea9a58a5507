//! `GET /sync/v1/member`

use std::sync::Arc;

use wb_core::id::InstanceId;
use wb_net::signed::{JSON, Reply};

use crate::problems::{self, Refusal};
use crate::service::Hub;
use crate::store::HubStore;

/// Says where a registration stands.
pub async fn member<S: HubStore>(hub: &Arc<Hub<S>>, sender: InstanceId) -> Result<Reply, Refusal> {
    let standings = hub.kept(hub.store().standing(sender, hub.now()).await)?;
    let standings = standings.ok_or_else(|| problems::of_standing(None, &hub.info().name))?;
    Ok(Reply::ok(JSON, wb_core::signed::payload(&standings)))
}
