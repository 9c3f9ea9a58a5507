//! What this hub is, how to join it, and what is asked for lately.

use askama::Template;
use wb_core::sync::Policy;
use wb_hub::{HubListings, HubStore, ListedRequest, RequestOrder, RequestsAsk};

use super::requests::all_feed;
use crate::answer::Answer;
use crate::hub::caches;
use crate::hub::shell::Shell;
use crate::hub::visit::{Trouble, Visit};

/// Requests on it.
const REQUESTS_MAX: usize = 5;

#[derive(Template)]
#[template(path = "hub/start.html")]
struct Page {
    shell: Shell,
    id: String,
    is_open: bool,
    join: String,
    rows: Vec<ListedRequest>,
}

/// The page.
pub(crate) fn page<S: HubStore + HubListings>(visit: &mut Visit<'_, S>) -> Result<Answer, Trouble> {
    let ask = RequestsAsk {
        home: None,
        words: None,
        order: RequestOrder::OpenFirst,
        after: None,
        limit: REQUESTS_MAX,
    };
    let rows = visit.wait(visit.site.store.requests(ask, visit.now))?.rows;
    let config = &visit.site.config;
    let page = Page {
        shell: all_feed(visit, visit.shell(config.name.clone())),
        id: config.id.to_string(),
        is_open: config.policy == Policy::Open,
        join: format!("wb join {}#{}", visit.base, config.id),
        rows,
    };
    Ok(caches::page(page.render()?))
}
