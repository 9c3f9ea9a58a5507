//! `POST /sync/v1/recovery`

use std::sync::Arc;

use wb_core::hash;
use wb_core::sync::{RecoveryAnswer, RecoveryAsk, read_message};
use wb_net::signed::{JSON, Reply};

use crate::problems::{Refusal, bad_request, not_found};
use crate::service::Hub;
use crate::store::HubStore;

/// Gives the identity log and the head of an instance to whoever can name its recovery key. Until that is used,
/// only its hash is known to anybody else.
pub async fn recovery<S: HubStore>(hub: &Arc<Hub<S>>, body: &[u8]) -> Result<Reply, Refusal> {
    let ask: RecoveryAsk = read_message(body).map_err(bad_request)?;
    let log = hub.kept(hub.store().identity(ask.id).await)?;
    let named = hash::recovery_commitment(&ask.recovery_key);
    let Some(log) = log.filter(|log| log.newest().recovery == named) else {
        return Err(not_found("such instance with these recovery words"));
    };
    let head = hub.kept(hub.store().own_head(ask.id).await)?;
    let lossy = |line: &[u8]| String::from_utf8_lossy(line).into_owned();
    let answer = RecoveryAnswer {
        schema_version: 1,
        identity: log
            .entries()
            .iter()
            .map(|entry| lossy(&entry.line))
            .collect(),
        head: head.map(|head| lossy(&head)),
    };
    Ok(Reply::ok(JSON, wb_core::signed::payload(&answer)))
}
