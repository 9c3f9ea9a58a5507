//! Closing the whole community: what happens and when, typed and announced, and taken back while there is time.

use askama::Template;
use wb_node::NodeError;
use wb_node::command::retire::{
    RETIRE_DAYS, RETIRE_DAYS_MAX, Retirement, retire as announce, retire_undo, retirement,
};

use crate::answer::Answer;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

/// Where the page is.
const PAGE: &str = "/settings/retire";

#[derive(Template)]
#[template(path = "retire.html")]
struct Page {
    shell: Shell,
    home: String,
    stands: Retirement,
    days: String,
    days_max: u32,
    wrong: Option<String>,
}

/// The page.
pub fn page(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    write(visit, RETIRE_DAYS.to_string(), None)
}

fn write(visit: &mut Visit<'_>, days: String, wrong: Option<String>) -> Result<Answer, Trouble> {
    let node = visit.node()?;
    let (home, stands) = (node.name().to_owned(), retirement(node)?);
    let page = Page {
        shell: visit.shell("Close this community"),
        home,
        stands,
        days,
        days_max: RETIRE_DAYS_MAX,
        wrong,
    };
    Ok(Answer::page(page.render()?))
}

/// Announces it, once the name of the community was typed.
pub fn retire(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let typed = visit.form.word("name").unwrap_or_default();
    let days = visit.form.word("days").unwrap_or_default();
    let node = visit.node()?;
    if typed != node.name().trim() {
        let wrong = format!("That is not {}. Nothing was changed.", node.name());
        return write(visit, days, Some(wrong));
    }
    let number = days.parse::<u32>().ok();
    let Some(number) = number.filter(|days| *days <= RETIRE_DAYS_MAX) else {
        let wrong =
            format!("Write the days as a number up to {RETIRE_DAYS_MAX}. Nothing was changed.");
        return write(visit, days, Some(wrong));
    };
    match announce(node, &actor, number) {
        Ok(_) => Ok(Answer::see(PAGE)),
        Err(error @ NodeError::Refused(_)) => {
            write(visit, days, Some(crate::words::failure(&error)))
        }
        Err(error) => Err(error.into()),
    }
}

/// Takes the announcement back.
pub fn undo(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    retire_undo(visit.node()?, &actor)?;
    Ok(Answer::see(PAGE))
}
