//! The start: members see what is asked for, others where to log in.

use askama::Template;

use crate::answer::Answer;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

#[derive(Template)]
#[template(path = "home.html")]
struct Page {
    shell: Shell,
}

/// The start.
pub fn home(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    if visit.caller.member().is_some() {
        return Ok(Answer::see("/requests"));
    }
    if visit.caller.session().is_some() {
        return Ok(Answer::see("/waiting"));
    }
    let shell = visit.shell("Welcome");
    Ok(Answer::page(Page { shell }.render()?))
}
