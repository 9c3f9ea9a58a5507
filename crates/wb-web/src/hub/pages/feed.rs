//! Feeds of public requests: of everything listed, and of one community.

use wb_hub::{HubListings, HubStore, RequestOrder, RequestsAsk};

use crate::answer::Answer;
use crate::hub::atom::{Feed, feed_id};
use crate::hub::caches;
use crate::hub::visit::{Trouble, Visit};
use crate::limits::FEED_ENTRIES_MAX;

/// Of everything.
pub(crate) fn of_all<S: HubStore + HubListings>(
    visit: &mut Visit<'_, S>,
) -> Result<Answer, Trouble> {
    let config = &visit.site.config;
    let feed = Feed {
        id: feed_id(&config.id, None),
        title: format!("Requests at {}", config.name),
        page: format!("{}/requests", visit.base),
        rows: Vec::new(),
        base: visit.base.clone(),
        itself: format!("{}{}", visit.base, visit.path),
    };
    write(visit, feed, None)
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
        id: feed_id(&config.id, Some(&id)),
        title: format!("Requests of {} at {}", community.name, config.name),
        page: format!("{}/communities/{id}", visit.base),
        rows: Vec::new(),
        base: visit.base.clone(),
        itself: format!("{}{}", visit.base, visit.path),
    };
    write(visit, feed, Some(id))
}

fn write<S: HubStore + HubListings>(
    visit: &Visit<'_, S>,
    mut feed: Feed,
    home: Option<wb_core::id::InstanceId>,
) -> Result<Answer, Trouble> {
    let ask = RequestsAsk {
        home,
        words: None,
        order: RequestOrder::Changed,
        after: None,
        limit: FEED_ENTRIES_MAX,
    };
    feed.rows = visit.wait(visit.site.store.requests(ask, visit.now))?;
    let xml = feed.write()?;
    let seen = visit.site.seen.lock();
    // A panic elsewhere leaves what was seen whole.
    let mut seen = seen.unwrap_or_else(std::sync::PoisonError::into_inner);
    let address = &feed.itself;
    Ok(caches::feed(
        visit.headers,
        &mut seen,
        address,
        xml,
        visit.now,
    ))
}
