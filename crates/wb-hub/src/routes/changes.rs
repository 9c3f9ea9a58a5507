//! `GET /sync/v1/changes`

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wb_core::id::InstanceId;
use wb_core::limits::WAIT_SECONDS_MAX;
use wb_core::sync::Cursor;
use wb_net::signed::{NDJSON, Reply, Request};

use super::{kinds, parsed};
use crate::problems::{Refusal, bad_request, of_page};
use crate::service::{Hub, check_member};
use crate::store::HubStore;
use crate::subset::only;

/// Gives what arrived after a cursor; with `wait` it holds the answer back until there is something.
pub async fn changes<S: HubStore>(
    hub: &Arc<Hub<S>>,
    sender: InstanceId,
    request: &Request,
) -> Result<Reply, Refusal> {
    let since: Cursor =
        parsed(request, "since")?.ok_or_else(|| bad_request("`since` is missing"))?;
    let wait: u64 = parsed(request, "wait")?.unwrap_or(0);
    let kinds = kinds(request)?;
    let waiting = (wait > 0).then(|| hub.waits().begin(sender)).flatten();
    let wait = waiting.as_ref().map_or(0, |_| wait.min(WAIT_SECONDS_MAX));
    let until = Instant::now() + Duration::from_secs(wait);
    // Before the first look, so that what arrives right after it wakes us.
    let mut arrivals = hub.arrivals();
    loop {
        let page = hub.kept(hub.store().changes(sender, since, hub.now()).await)?;
        let page = page.map_err(of_page)?;
        if page.has_news || Instant::now() >= until {
            let body = match &kinds {
                Some(kinds) => only(&page.body, kinds),
                None => page.body,
            };
            return Ok(Reply::ok(NDJSON, body));
        }
        let arrival = hub.wait_for_arrival(&mut arrivals);
        // Either way there is another look; the last one may be in vain.
        let _ = tokio::time::timeout_at(until, arrival).await;
        // Much may be decided about a member while it waits.
        check_member(hub, sender).await?;
    }
}
