//! The inbox: everything that was set aside or needs a person, by name, each with the next action.

use askama::Template;
use wb_node::command::inbox_dismiss::inbox_dismiss;
use wb_node::query::inbox::{inbox, inbox_item};
use wb_node::view::{InboxThing, InboxView};

use crate::answer::Answer;
use crate::limits::THINGS_SHOWN_MAX;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

#[derive(Template)]
#[template(path = "inbox.html")]
struct List {
    shell: Shell,
    items: Vec<InboxView>,
}

/// The list.
pub fn list(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let items = inbox(visit.node()?)?;
    let shell = visit.shell("Inbox");
    Ok(Answer::page(List { shell, items }.render()?))
}

#[derive(Template)]
#[template(path = "inbox_item.html")]
struct Item {
    shell: Shell,
    item: InboxView,
    things: Vec<InboxThing>,
    /// Things beyond those that are listed.
    more: usize,
}

/// One item, with everything that it stands for.
pub fn item(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let key = visit.param("key").to_owned();
    let (item, mut things) = inbox_item(visit.node()?, &key)?;
    let more = things.len().saturating_sub(THINGS_SHOWN_MAX);
    things.truncate(THINGS_SHOWN_MAX);
    let page = Item {
        shell: visit.shell("Inbox"),
        item,
        things,
        more,
    };
    Ok(Answer::page(page.render()?))
}

/// Puts away what is only news.
pub fn dismiss(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (actor, key) = (visit.actor()?, visit.param("key").to_owned());
    inbox_dismiss(visit.node()?, &actor, &key)?;
    Ok(Answer::see("/inbox"))
}
