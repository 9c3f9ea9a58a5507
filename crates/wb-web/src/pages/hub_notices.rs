//! What hubs decided about communities and records, with the reason, and what is done with it here.
//!
//! Every member reads it; a steward hides or keeps what one notice names; an admin says what is done with a hub's
//! notices as such.

use askama::Template;
use wb_core::id::InstanceId;
use wb_core::notice::{Answer as Word, Heeds};
use wb_node::command::notice_heed::{notice_answer, notice_heed};
use wb_node::query::hub_notices::{HubHeeds, NoticeView, find_notice, hubs, notices};

use crate::answer::Answer;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

#[derive(Template)]
#[template(path = "hub_notices.html")]
struct Page {
    shell: Shell,
    rows: Vec<NoticeView>,
    hubs: Vec<HubHeeds>,
    is_steward: bool,
    is_admin: bool,
}

/// What follows from a notice here, in words.
fn follows(row: &NoticeView) -> String {
    match (row.in_force, row.follows) {
        (false, _) => "It is over.".to_owned(),
        (true, None) => "Nothing is hidden by it.".to_owned(),
        (true, Some("waits")) => format!(
            "It waits for a word; it would hide so many records here: {}.",
            row.would_hide.unwrap_or(0)
        ),
        (true, Some("hides")) => format!("It hides so many records here: {}.", row.hidden),
        (true, Some(_)) => "It hides nothing here.".to_owned(),
    }
}

/// What is set for a hub, as the form names it.
fn set(hub: &HubHeeds) -> &'static str {
    hub.heeds.map_or("default", Heeds::as_str)
}

/// The page.
pub fn list(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let node = visit.node()?;
    let page = Page {
        rows: notices(node)?,
        hubs: hubs(node)?,
        shell: visit.shell("Hub notices"),
        is_steward: visit.is_steward(),
        is_admin: visit.is_admin(),
    };
    Ok(Answer::page(page.render()?))
}

/// Says what one notice does here.
pub fn answer(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let word = match visit.form.text("answer").as_str() {
        "hide" => Some(Word::Hide),
        "keep" => Some(Word::Keep),
        "undo" => None,
        _ => return Err(Trouble::Refused("Choose whether it hides".to_owned())),
    };
    let name = visit.form.text("notice");
    let node = visit.node()?;
    let notice = find_notice(node, &name)?;
    notice_answer(node, &actor, &notice, word)?;
    Ok(Answer::see("/hub-notices"))
}

/// Says what is done with the notices of a hub.
pub fn heed(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let heeds = match visit.form.text("heeds").as_str() {
        "default" => None,
        word => Some(
            word.parse()
                .map_err(|_| Trouble::Refused("Choose what is done with its notices".to_owned()))?,
        ),
    };
    let hub: InstanceId = visit
        .form
        .text("hub")
        .parse()
        .map_err(|_| Trouble::NotFound)?;
    notice_heed(visit.node()?, &actor, hub, heeds)?;
    Ok(Answer::see("/hub-notices"))
}
