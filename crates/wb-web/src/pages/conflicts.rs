//! Requests about which their home and those who help disagree.

use askama::Template;
use wb_node::query::conflicts::{ConflictView, conflicts};

use crate::answer::Answer;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

#[derive(Template)]
#[template(path = "conflicts.html")]
struct Page {
    shell: Shell,
    rows: Vec<ConflictView>,
}

/// The list.
pub fn list(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let rows = conflicts(visit.node()?)?;
    let shell = visit.shell("Contested requests");
    Ok(Answer::page(Page { shell, rows }.render()?))
}
