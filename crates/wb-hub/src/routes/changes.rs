//! `GET /sync/v1/changes`

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wb_core::id::InstanceId;
use wb_core::limits::WAIT_SECONDS_MAX;
use wb_core::sync::Cursor;
use wb_net::signed::{NDJSON, Reply, Request};

use super::{kinds, parsed};
use crate::journal::Course;
use crate::problems::{Refusal, bad_request, of_page};
use crate::service::{Hub, check_member};
use crate::store::{ChangesPage, HubStore};
use crate::subset::only;
use crate::waits::Wait;

/// Who waits looks again this often although nothing woke it: an end that a time brings wakes nobody.
const LOOK_AGAIN: Duration = Duration::from_secs(20);

/// Gives what arrived after a cursor; with `wait` it holds the answer back until there is something.
pub async fn changes<S: HubStore>(
    hub: &Arc<Hub<S>>,
    sender: InstanceId,
    request: &Request,
    course: &mut Course,
) -> Result<Reply, Refusal> {
    let since: Cursor =
        parsed(request, "since")?.ok_or_else(|| bad_request("`since` is missing"))?;
    let wait: u64 = parsed(request, "wait")?.unwrap_or(0);
    let kinds = kinds(request)?;
    // Before the first look, so that what arrives right after it wakes us.
    let waiting = (wait > 0).then(|| hub.waits().begin(sender)).flatten();
    let mut page = look(hub, sender, since).await?;
    if let Some(waiting) = waiting {
        let until = Instant::now() + Duration::from_secs(wait.min(WAIT_SECONDS_MAX));
        page = hold(hub, (sender, since), page, (&waiting, until), course).await?;
    }
    let body = match &kinds {
        Some(kinds) => only(&page.body, kinds),
        None => page.body,
    };
    Ok(Reply::ok(NDJSON, body))
}

async fn look<S: HubStore>(
    hub: &Arc<Hub<S>>,
    sender: InstanceId,
    since: Cursor,
) -> Result<ChangesPage, Refusal> {
    let page = hub.kept(hub.store().changes(sender, since, hub.now()).await)?;
    page.map_err(of_page)
}

/// Looks again whenever something woke it, until there is something new or its time is over.
async fn hold<S: HubStore>(
    hub: &Arc<Hub<S>>,
    (sender, since): (InstanceId, Cursor),
    mut page: ChangesPage,
    (waiting, until): (&Wait, Instant),
    course: &mut Course,
) -> Result<ChangesPage, Refusal> {
    let mut arrived = None;
    while !page.has_news && Instant::now() < until {
        waiting.for_those(std::mem::take(&mut page.follows));
        let begun = Instant::now();
        let next = until.min(begun + LOOK_AGAIN);
        // Either way there is another look; the last one may be in vain.
        let _ = tokio::time::timeout_at(next, waiting.woken()).await;
        course.held_back(begun.elapsed());
        arrived = waiting.take_arrived();
        // Much may be decided about a member while it waits.
        check_member(hub, sender).await?;
        page = look(hub, sender, since).await?;
    }
    if let Some(arrived) = arrived.filter(|_| page.has_news) {
        course.delivers(arrived);
    }
    Ok(page)
}
