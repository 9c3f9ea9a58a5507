//! The inbox: everything that was set aside or needs a person, by name, each with the next action.

use askama::Template;
use wb_core::sync::PeerCause;
use wb_node::Node;
use wb_node::command::inbox_dismiss::inbox_dismiss;
use wb_node::query::inbox::{inbox, inbox_item};
use wb_node::view::{InboxThing, InboxView};
use wb_store::Standing;

use crate::answer::Answer;
use crate::limits::THINGS_SHOWN_MAX;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

/// Where something of the inbox is decided about by page.
pub(super) struct Way {
    /// Each with what is done there.
    pub(super) links: Vec<(String, &'static str)>,
    /// Whether that takes an admin.
    pub(super) for_admins: bool,
}

impl Way {
    /// The pages for it; none where the command line alone has a way.
    pub(super) fn of(node: &Node, item: &InboxView) -> Result<Option<Self>, Trouble> {
        let of = |act: &str| {
            item.origin
                .map_or_else(String::new, |id| format!("/trust/{id}{act}"))
        };
        let (links, for_admins) = match item.cause {
            "waiting" => (vec![("/review".to_owned(), "Decide under Review")], false),
            "notice_asks" => (
                vec![(
                    "/hub-notices".to_owned(),
                    "Hide or keep it under Hub notices",
                )],
                false,
            ),
            "fell" => (
                vec![
                    ("/review".to_owned(), "Keep or hide it under Review"),
                    (of(""), "accept it by hand"),
                ],
                false,
            ),
            "audience_fell" => (
                vec![
                    (of(""), "Accept it by hand"),
                    ("/trusted".to_owned(), "trust it no longer"),
                ],
                true,
            ),
            "audience_unsure" => (
                vec![("/trusted".to_owned(), "Choose again who is trusted")],
                true,
            ),
            "vouch_ends" => (
                vec![(of("/vouch"), "Renew it"), (of("/revoke"), "take it back")],
                true,
            ),
            "void_publications" => (
                vec![("/settings/keys#void".to_owned(), "Decide under Keys")],
                true,
            ),
            "missing_lines" | "early" => (vec![("/sync".to_owned(), "Sync now")], false),
            "letters_wait" => {
                let standing = item.origin.map(|id| node.store().standing(&id));
                match standing.transpose()?.flatten() {
                    // Only who is known here has a page.
                    Some(Standing::Waiting) => (vec![(of(""), "Accept it by hand")], false),
                    _ => return Ok(None),
                }
            }
            cause if PeerCause::ALL.iter().any(|one| one.as_str() == cause) => {
                let Some(peer) = item.origin else {
                    return Ok(None);
                };
                (
                    vec![(format!("/sync/with/{peer}"), "Look at it there")],
                    false,
                )
            }
            _ => return Ok(None),
        };
        Ok(Some(Self { links, for_admins }))
    }
}

#[derive(Template)]
#[template(path = "inbox.html")]
struct List {
    shell: Shell,
    items: Vec<(InboxView, Option<Way>)>,
}

/// The list.
pub fn list(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let node = visit.node()?;
    let items = with_ways(node, inbox(node)?)?;
    let shell = visit.shell("Inbox");
    Ok(Answer::page(List { shell, items }.render()?))
}

/// Each with where it is decided about.
pub(super) fn with_ways(
    node: &Node,
    items: Vec<InboxView>,
) -> Result<Vec<(InboxView, Option<Way>)>, Trouble> {
    let items = items.into_iter();
    let with = items.map(|item| Way::of(node, &item).map(|way| (item, way)));
    with.collect()
}

#[derive(Template)]
#[template(path = "inbox_item.html")]
struct Item {
    shell: Shell,
    item: InboxView,
    way: Option<Way>,
    things: Vec<InboxThing>,
    /// Things beyond those that are listed.
    more: usize,
}

/// One item, with everything that it stands for.
pub fn item(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let key = visit.param("key").to_owned();
    let node = visit.node()?;
    let (item, mut things) = inbox_item(node, &key)?;
    let way = Way::of(node, &item)?;
    let more = things.len().saturating_sub(THINGS_SHOWN_MAX);
    things.truncate(THINGS_SHOWN_MAX);
    let page = Item {
        shell: visit.shell("Inbox"),
        item,
        way,
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
