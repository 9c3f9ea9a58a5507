//! Public requests: open ones first, of one community, by words; and one with its comments.

use askama::Template;
use wb_core::id::InstanceId;
use wb_hub::{
    CommentsAsk, Community, HubListings, HubStore, ListedComment, ListedRequest, RequestOrder,
    RequestPlace, RequestsAsk, Words,
};

use crate::answer::Answer;
use crate::hub::caches;
use crate::hub::shell::Shell;
use crate::hub::visit::{Trouble, Visit};
use crate::limits::{
    HUB_COMMENTS_PER_PAGE, HUB_ROWS_PER_PAGE, HUB_SEARCHED_ROWS_MAX, SEARCH_CHARS_MAX,
};
use crate::words;

/// With the feed of everything.
pub(super) fn all_feed<S: HubStore + HubListings>(visit: &Visit<'_, S>, shell: Shell) -> Shell {
    let name = format!("Requests at {}", visit.site.config.name);
    shell.with_feed("/requests.atom".to_owned(), name)
}

/// With the feed of one community.
pub(super) fn home_feed(shell: Shell, community: &Community) -> Shell {
    let address = format!("/communities/{}/requests.atom", community.id);
    shell.with_feed(address, format!("Requests of {}", community.name))
}

#[derive(Template)]
#[template(path = "hub/requests.html")]
struct List {
    shell: Shell,
    community: Option<Community>,
    words: String,
    rows: Vec<ListedRequest>,
    is_first: bool,
    first: String,
    next: Option<String>,
    /// After how many requests search stopped, where it did.
    stopped_after: Option<usize>,
}

/// What is asked for in the query, read.
struct Asked {
    home: Option<InstanceId>,
    words: Option<String>,
    after: Option<RequestPlace>,
}

impl Asked {
    fn read<S: HubStore + HubListings>(visit: &Visit<'_, S>) -> Result<Self, Trouble> {
        let home = visit
            .query
            .word("home")
            .map(|home| home.parse())
            .transpose();
        let after = visit
            .query
            .word("after")
            .map(|after| after.parse())
            .transpose();
        let words = visit.query.word("words");
        Ok(Self {
            home: home.map_err(|_| Trouble::NotFound)?,
            after: after.map_err(|_| Trouble::NotFound)?,
            words: words.map(|words| words.chars().take(SEARCH_CHARS_MAX).collect()),
        })
    }

    /// The address of the list, after a place.
    fn address(&self, after: Option<RequestPlace>) -> String {
        let pairs = [
            self.home.map(|home| format!("home={home}")),
            self.words
                .as_deref()
                .map(|words| format!("words={}", words::encode(words))),
            after.map(|after| format!("after={after}")),
        ];
        let pairs: Vec<String> = pairs.into_iter().flatten().collect();
        match pairs.is_empty() {
            true => "/requests".to_owned(),
            false => format!("/requests?{}", pairs.join("&")),
        }
    }
}

/// The list.
pub(crate) fn list<S: HubStore + HubListings>(visit: &mut Visit<'_, S>) -> Result<Answer, Trouble> {
    let asked = Asked::read(visit)?;
    let store = &visit.site.store;
    let community = match asked.home {
        Some(home) => {
            let found = visit.wait(store.community(home, visit.now))?;
            Some(found.ok_or(Trouble::NotFound)?)
        }
        None => None,
    };
    let ask = RequestsAsk {
        home: asked.home,
        words: asked.words.clone().map(|text| Words {
            text,
            rows_max: HUB_SEARCHED_ROWS_MAX,
        }),
        order: RequestOrder::OpenFirst,
        after: asked.after,
        limit: HUB_ROWS_PER_PAGE + 1,
    };
    let found = visit.wait(store.requests(ask, visit.now))?;
    let (mut rows, stopped_at) = (found.rows, found.stopped_at);
    let has_more = rows.len() > HUB_ROWS_PER_PAGE;
    rows.truncate(HUB_ROWS_PER_PAGE);
    let last = rows.last().filter(|_| has_more).map(ListedRequest::place);
    let shell = visit.shell("Requests");
    let page = List {
        shell: match &community {
            Some(community) => home_feed(shell, community),
            None => all_feed(visit, shell),
        },
        community,
        is_first: asked.after.is_none(),
        first: asked.address(None),
        next: last.or(stopped_at).map(|place| asked.address(Some(place))),
        stopped_after: stopped_at.map(|_| HUB_SEARCHED_ROWS_MAX),
        words: asked.words.unwrap_or_default(),
        rows,
    };
    Ok(caches::page(page.render()?))
}

#[derive(Template)]
#[template(path = "hub/request.html")]
struct Page {
    shell: Shell,
    request: ListedRequest,
    comments: Vec<ListedComment>,
    next: Option<String>,
    is_first: bool,
}

/// One request.
pub(crate) fn page<S: HubStore + HubListings>(visit: &mut Visit<'_, S>) -> Result<Answer, Trouble> {
    let key = visit.request()?;
    let store = &visit.site.store;
    let request = visit.wait(store.request(key, visit.now))?;
    let request = request.ok_or(Trouble::NotFound)?;
    let after = match visit.query.word("after") {
        Some(after) => Some(after.parse().map_err(|_| Trouble::NotFound)?),
        None => None,
    };
    let ask = CommentsAsk {
        request: key,
        after,
        limit: HUB_COMMENTS_PER_PAGE + 1,
    };
    let mut comments = visit.wait(store.comments(ask, visit.now))?;
    let has_more = comments.len() > HUB_COMMENTS_PER_PAGE;
    comments.truncate(HUB_COMMENTS_PER_PAGE);
    let last = comments.last().filter(|_| has_more);
    let next = last.map(|last| {
        let (origin, id, place) = (key.origin, key.id, last.place());
        format!("/requests/{origin}/{id}?after={place}")
    });
    let page = Page {
        shell: visit.shell(request.title.clone()),
        is_first: after.is_none(),
        request,
        comments,
        next,
    };
    Ok(caches::page(page.render()?))
}
