//! `POST /sync/v1/push`

use std::sync::Arc;

use wb_core::id::InstanceId;
use wb_net::signed::{JSON, Reply};

use crate::problems::{Refusal, of_push};
use crate::service::Hub;
use crate::store::HubStore;

/// Takes sections of the sender's own feeds, and wakes whoever waits for them.
pub async fn push<S: HubStore>(
    hub: &Arc<Hub<S>>,
    sender: InstanceId,
    body: Vec<u8>,
) -> Result<Reply, Refusal> {
    let pushed = hub.kept(hub.store().push(sender, body, hub.now()).await)?;
    // Also where nothing was taken: of what went in between nobody here knows.
    hub.bodies().forget(&sender);
    let pushed = pushed.map_err(|refused| of_push(&refused))?;
    if !hub.store().hears_itself() {
        hub.tell_arrival(&sender);
    }
    Ok(Reply::ok(JSON, wb_core::signed::payload(&pushed)))
}
