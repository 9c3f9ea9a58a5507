//! Feeds of public requests: of everything listed, and of one community.

use std::sync::PoisonError;

use wb_core::id::InstanceId;
use wb_hub::{HubListings, HubStore, ListedRequest, RequestOrder, RequestsAsk};

use crate::answer::Answer;
use crate::atom::{Entry, Feed, name_of};
use crate::hub::caches;
use crate::hub::visit::{Trouble, Visit};
use crate::limits::FEED_ENTRIES_MAX;

/// Of everything.
pub(crate) fn of_all<S: HubStore + HubListings>(
    visit: &mut Visit<'_, S>,
) -> Result<Answer, Trouble> {
    let config = &visit.site.config;
    let feed = Feed {
        id: name_of(&format!("public requests at {}", config.id)),
        title: format!("{}: public requests", config.name),
        about: "What communities of this hub ask for in public, and what came of it.".to_owned(),
        page: format!("{}/requests", visit.base),
        address: format!("{}{}", visit.base, visit.path),
        since: config.since,
        entries: entries(visit, None)?,
    };
    Ok(write(visit, &feed))
}

/// Of one community.
pub(crate) fn of_home<S: HubStore + HubListings>(
    visit: &mut Visit<'_, S>,
) -> Result<Answer, Trouble> {
    let id = visit.home()?;
    let community = visit.wait(visit.site.store.community(id, visit.now))?;
    let community = community.ok_or(Trouble::NotFound)?;
    let config = &visit.site.config;
    let feed = Feed {
        id: name_of(&format!("public requests of {id} at {}", config.id)),
        title: format!("{}: public requests at {}", community.name, config.name),
        about: "What one community asks for in public, and what came of it.".to_owned(),
        page: format!("{}/communities/{id}", visit.base),
        address: format!("{}{}", visit.base, visit.path),
        since: community.since,
        entries: entries(visit, Some(id))?,
    };
    Ok(write(visit, &feed))
}

fn entries<S: HubStore + HubListings>(
    visit: &Visit<'_, S>,
    home: Option<InstanceId>,
) -> Result<Vec<Entry>, Trouble> {
    let ask = RequestsAsk {
        home,
        words: None,
        order: RequestOrder::Changed,
        after: None,
        limit: FEED_ENTRIES_MAX,
    };
    let page = visit.wait(visit.site.store.requests(ask, visit.now))?;
    Ok(page
        .rows
        .into_iter()
        .map(|row| entry(&visit.base, row))
        .collect())
}

/// Its id is the same in every feed that has it, at every hub and node.
fn entry(base: &str, row: ListedRequest) -> Entry {
    let (origin, id, status) = (row.key.origin, row.key.id, row.status.as_str());
    Entry {
        id: name_of(&format!("request {origin}/{id}")),
        title: row.title,
        page: format!("{base}/requests/{origin}/{id}"),
        author: format!("{}, {}", row.author, row.home),
        text: format!(
            "{status} · public · from {}\n\n{}",
            row.home, row.description
        ),
        published: row.placed_at,
        updated: row.changed_at,
        categories: vec![status.to_owned()],
    }
}

fn write<S>(visit: &Visit<'_, S>, feed: &Feed) -> Answer {
    let seen = visit.site.seen.lock();
    // A panic elsewhere leaves what was seen whole.
    let mut seen = seen.unwrap_or_else(PoisonError::into_inner);
    let address = &feed.address;
    caches::feed(visit.headers, &mut seen, address, feed.atom(), visit.now)
}
