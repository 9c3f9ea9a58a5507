//! Settings: the private address of one's own feed reader.

use askama::Template;
use wb_node::command::feed_link::{feed_link_drop, feed_link_renew};
use wb_node::query::feed_link::{FeedLinkView, feed_link};

use crate::answer::Answer;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

#[derive(Template)]
#[template(path = "feed_link.html")]
struct Page {
    shell: Shell,
    base: String,
    link: Option<FeedLinkView>,
}

/// The address, when it was made and when a reader asked last.
pub fn page(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let user = visit.actor()?.user;
    let page = Page {
        link: feed_link(visit.node()?, &user)?,
        base: visit.base.clone(),
        shell: visit.shell("Your feed"),
    };
    Ok(Answer::page(page.render()?))
}

/// Makes another, or switches it off.
pub fn change(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (actor, ends) = (visit.actor()?, visit.form.has("off"));
    let node = visit.node()?;
    if ends {
        feed_link_drop(node, &actor)?;
    } else {
        feed_link_renew(node, &actor)?;
    }
    Ok(Answer::see("/settings/feed"))
}
