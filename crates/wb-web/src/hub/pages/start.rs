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
    policy: Policy,
    join: String,
    rows: Vec<ListedRequest>,
}

/// The command that joins this hub, with a code or without.
pub(super) fn join<S>(visit: &Visit<'_, S>, code: Option<&str>) -> String {
    let link = format!("wb join {}#{}", visit.base, visit.site.config.id);
    match code {
        None => link,
        Some(code) => format!("{link} --code {code}"),
    }
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
        policy: config.policy,
        join: join(visit, (config.policy == Policy::Invite).then_some("CODE")),
        rows,
    };
    Ok(caches::page(page.render()?))
}
