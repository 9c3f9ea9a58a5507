//! `POST /sync/v1/turn`

use std::sync::Arc;

use wb_core::id::InstanceId;
use wb_core::sync::turn::MACHINE_BYTES_MAX;
use wb_core::sync::{TurnCall, read_message};
use wb_net::signed::{JSON, Reply};

use crate::problems::{Refusal, bad_request};
use crate::service::Hub;
use crate::store::HubStore;

/// Takes a turn of a member: two running copies of it are told.
pub async fn turn<S: HubStore>(
    hub: &Arc<Hub<S>>,
    sender: InstanceId,
    body: &[u8],
) -> Result<Reply, Refusal> {
    let call: TurnCall = read_message(body).map_err(bad_request)?;
    if call.machine.len() > MACHINE_BYTES_MAX {
        return Err(bad_request(format!(
            "the name of a machine has at most {MACHINE_BYTES_MAX} bytes"
        )));
    }
    let answer = hub.kept(hub.store().turn(sender, call, hub.now()).await)?;
    Ok(Reply::ok(JSON, wb_core::signed::payload(&answer)))
}
