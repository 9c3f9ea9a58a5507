//! `PUT /sync/v1/follows`

use std::sync::Arc;

use wb_core::id::InstanceId;
use wb_core::sync::{Cause, FollowList, Problem, read_message};
use wb_net::signed::{JSON, Reply};

use crate::problems::{Refusal, bad_request};
use crate::service::Hub;
use crate::store::HubStore;

/// Takes a member's follow list.
pub async fn put_follows<S: HubStore>(
    hub: &Arc<Hub<S>>,
    sender: InstanceId,
    body: &[u8],
) -> Result<Reply, Refusal> {
    let list: FollowList = read_message(body).map_err(bad_request)?;
    list.check()
        .map_err(|error| bad_request(error.to_string()))?;
    match hub.kept(hub.store().put_follows(sender, list).await)? {
        Ok(follows) => {
            hub.tell_follows(&sender);
            Ok(Reply::ok(JSON, wb_core::signed::payload(&follows)))
        }
        Err(counter) => {
            let mut problem = Problem::new(
                Cause::FollowsStale,
                format!("a later follow list of this instance is held here (counter {counter})"),
                "send the list again with a counter above that",
            );
            problem.counter = Some(counter);
            Err(Box::new(problem))
        }
    }
}
