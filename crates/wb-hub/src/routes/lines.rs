//! `GET /sync/v1/lines/ORIGIN/SCOPE`

use std::sync::Arc;

use wb_core::limits::LINES_NEWEST_MAX;
use wb_net::signed::{NDJSON, Reply, Request};

use super::{feed, kinds, parsed};
use crate::problems::{Refusal, of_page};
use crate::service::Hub;
use crate::store::{HubStore, LinesPage};

/// Gives a page of the lines live in a feed. It is not signed: each line is proved by its entry. Asked for one line
/// it is, because then it may say that there is none.
pub async fn lines<S: HubStore>(hub: &Arc<Hub<S>>, request: &Request) -> Result<Reply, Refusal> {
    let (origin, scope) = feed(request)?;
    let newest: Option<usize> = parsed(request, "newest")?;
    let ask = LinesPage {
        origin,
        scope,
        after: parsed(request, "after")?,
        kinds: kinds(request)?,
        newest: newest.map(|count| count.min(LINES_NEWEST_MAX)),
        only: parsed(request, "id")?,
    };
    let is_one = ask.only.is_some();
    let page = hub.kept(hub.store().lines(ask, hub.now()).await)?;
    Ok(Reply {
        proves_itself: !is_one,
        ..Reply::ok(NDJSON, page.map_err(of_page)?)
    })
}
