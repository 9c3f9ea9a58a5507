//! Open requests for a member's own feed reader, under an address that only the member has.

use wb_core::kinds::To;
use wb_node::command::feed_link::feed_link_use;
use wb_node::query::requests::requests;
use wb_node::secret;
use wb_node::view::RequestView;

use crate::answer::Answer;
use crate::atom::{ATOM, Entry, Feed, RSS, name_of};
use crate::limits::FEED_ENTRIES_MAX;
use crate::visit::{Trouble, Visit};

/// Open requests as Atom.
pub fn atom(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let feed = open_requests(visit)?;
    Ok(Answer::watched(ATOM, feed.atom().into_bytes()))
}

/// Open requests as RSS.
pub fn rss(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let feed = open_requests(visit)?;
    Ok(Answer::watched(RSS, feed.rss().into_bytes()))
}

fn open_requests(visit: &mut Visit<'_>) -> Result<Feed, Trouble> {
    let link = secret::name(visit.param("token"));
    let (base, address) = (visit.base.clone(), format!("{}{}", visit.base, visit.path));
    let node = visit.node()?;
    // Whether the secret was ever good shows in nothing.
    feed_link_use(node, &link)?.ok_or(Trouble::NotFound)?;
    let mut rows = requests(node)?;
    rows.retain(|row| row.base.hidden.is_none() && row.status == To::Open && !row.unlisted);
    rows.reverse();
    rows.truncate(FEED_ENTRIES_MAX);
    Ok(Feed {
        id: name_of(&format!("open requests at {}", node.own_id())),
        title: format!("{}: open requests", node.name()),
        about: "What is asked for, as you see it as a member.".to_owned(),
        page: format!("{base}/requests"),
        address,
        since: node.identity().newest().at,
        entries: rows.into_iter().map(|row| entry(&base, row)).collect(),
    })
}

fn entry(base: &str, row: RequestView) -> Entry {
    let (origin, id) = (row.base.origin, row.base.id);
    Entry {
        id: name_of(&format!("request {origin}/{id}")),
        title: row.title,
        page: format!("{base}/requests/{origin}/{id}"),
        author: format!("{}, {}", row.base.author, row.base.home),
        text: row.description,
        published: row.base.created_at,
        updated: row.base.at,
        categories: vec![row.status.as_str().to_owned()],
    }
}
