//! The communities that are listed, and one of them.

use askama::Template;
use wb_core::time::Timestamp;
use wb_hub::{
    Community, CommunityPlace, HubListings, HubStore, ListedRequest, RequestOrder, RequestsAsk,
};

use super::requests::home_feed;
use crate::answer::Answer;
use crate::hub::caches;
use crate::hub::shell::Shell;
use crate::hub::visit::{Trouble, Visit};
use crate::limits::HUB_ROWS_PER_PAGE;
use crate::words;

#[derive(Template)]
#[template(path = "hub/communities.html")]
struct List {
    shell: Shell,
    rows: Vec<Community>,
    next: Option<String>,
    is_first: bool,
}

/// How many records of a kind are listed, in words; none where there are none.
fn counted(community: &Community) -> String {
    let count = |kind: &str, one: &str, many: &str| {
        let tally = community.kinds.get(kind).copied().unwrap_or_default();
        match tally.n {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{tally} {many}")),
        }
    };
    let counts = [
        count("request", "request", "requests"),
        count("comment", "comment", "comments"),
        count("user", "profile", "profiles"),
    ];
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    if counts.is_empty() {
        "nothing shared yet".to_owned()
    } else {
        counts.join(", ")
    }
}

/// When it was last heard, as a day: more would tell when its operator sits at the computer.
fn heard(community: &Community) -> String {
    community.seen_at.map_or_else(
        || "not heard yet".to_owned(),
        |at| format!("last heard {}", day(&at)),
    )
}

/// The day of a time.
pub(super) fn day(at: &Timestamp) -> String {
    let at = at.to_string();
    at.split('T').next().unwrap_or_default().to_owned()
}

/// The list, by name.
pub(crate) fn list<S: HubStore + HubListings>(visit: &mut Visit<'_, S>) -> Result<Answer, Trouble> {
    let after = visit.query.word("after");
    let after = after.map(|after| after.parse::<CommunityPlace>());
    let after = after.transpose().map_err(|_| Trouble::NotFound)?;
    let is_first = after.is_none();
    let asked = visit
        .site
        .store
        .communities(after, HUB_ROWS_PER_PAGE + 1, visit.now);
    let mut rows = visit.wait(asked)?;
    let has_more = rows.len() > HUB_ROWS_PER_PAGE;
    rows.truncate(HUB_ROWS_PER_PAGE);
    let last = rows.last().filter(|_| has_more);
    let page = List {
        shell: visit.shell("Communities"),
        next: last.map(|last| {
            let place = words::encode(&last.place.to_string());
            format!("/communities?after={place}")
        }),
        is_first,
        rows,
    };
    Ok(caches::page(page.render()?))
}

#[derive(Template)]
#[template(path = "hub/community.html")]
struct Page {
    shell: Shell,
    community: Community,
    rows: Vec<ListedRequest>,
    next: Option<String>,
}

/// One community with its requests.
pub(crate) fn page<S: HubStore + HubListings>(visit: &mut Visit<'_, S>) -> Result<Answer, Trouble> {
    let id = visit.home()?;
    let store = &visit.site.store;
    let community = visit.wait(store.community(id, visit.now))?;
    let community = community.ok_or(Trouble::NotFound)?;
    let ask = RequestsAsk {
        home: Some(id),
        words: None,
        order: RequestOrder::OpenFirst,
        after: None,
        limit: HUB_ROWS_PER_PAGE + 1,
    };
    let mut rows = visit.wait(store.requests(ask, visit.now))?.rows;
    let has_more = rows.len() > HUB_ROWS_PER_PAGE;
    rows.truncate(HUB_ROWS_PER_PAGE);
    let last = rows.last().filter(|_| has_more);
    let page = Page {
        shell: home_feed(visit.shell(community.name.clone()), &community),
        next: last.map(|last| format!("/requests?home={id}&after={}", last.place())),
        community,
        rows,
    };
    Ok(caches::page(page.render()?))
}
