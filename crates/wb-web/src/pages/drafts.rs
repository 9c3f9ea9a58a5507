//! One's own drafts: what was begun and not sent.

use askama::Template;
use wb_core::id::RecordId;
use wb_core::scope::Scope;
use wb_node::NodeError;
use wb_node::command::draft::{DraftPut, draft_drop, draft_put, draft_send};
use wb_node::query::drafts::drafts;
use wb_node::view::DraftView;

use crate::answer::Answer;
use crate::contact;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

#[derive(Template)]
#[template(path = "drafts.html")]
struct List {
    shell: Shell,
    drafts: Vec<DraftView>,
}

/// The list.
pub fn list(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let page = List {
        drafts: drafts(visit.node()?, &actor)?,
        shell: visit.shell("Your drafts"),
    };
    Ok(Answer::page(page.render()?))
}

#[derive(Template)]
#[template(path = "draft.html")]
struct Page {
    shell: Shell,
    id: RecordId,
    title: String,
    description: String,
    scope: Scope,
    wrong: Option<String>,
    warning: Option<&'static str>,
}

/// One draft, to go on with.
pub fn page(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    write(visit, None, None)
}

fn write(
    visit: &mut Visit<'_>,
    wrong: Option<String>,
    warning: Option<&'static str>,
) -> Result<Answer, Trouble> {
    let (id, actor) = (visit.own_record()?, visit.actor()?);
    let own = drafts(visit.node()?, &actor)?;
    let draft = own.into_iter().find(|draft| draft.id == id);
    let draft = draft.ok_or(Trouble::NotFound)?;
    let typed = visit.form.has("title");
    let page = Page {
        shell: visit.shell("A draft"),
        id,
        title: if typed {
            visit.form.text("title")
        } else {
            draft.title
        },
        description: if typed {
            visit.form.text("description")
        } else {
            draft.description
        },
        scope: visit.form.text("scope").parse().unwrap_or(draft.scope),
        wrong,
        warning,
    };
    Ok(Answer::page(page.render()?))
}

/// Keeps what was typed, and sends it where that was asked for.
pub fn change(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (id, actor) = (visit.own_record()?, visit.actor()?);
    let title = visit.form.word("title").unwrap_or_default();
    let description = visit.form.text("description");
    let scope = visit.form.text("scope").parse().unwrap_or(Scope::Private);
    let sends = visit.form.has("send");
    let input = DraftPut {
        title: &title,
        description: description.trim(),
        scope,
    };
    let node = visit.node()?;
    // Whatever comes of sending it, what was typed is kept.
    let kept = draft_put(node, &actor, Some(&id), &input);
    match kept {
        Ok(_) => {}
        Err(error @ (NodeError::Text { .. } | NodeError::Refused(_))) => {
            return write(visit, Some(crate::words::failure(&error)), None);
        }
        Err(error) => return Err(error.into()),
    }
    if !sends {
        return Ok(Answer::see("/drafts"));
    }
    if scope != Scope::Private && contact::is_in(&[&title, &description]) && !visit.form.has("sure")
    {
        return write(visit, None, Some(contact::WARNING));
    }
    let node = visit.node()?;
    draft_send(node, &actor, &id)?;
    Ok(Answer::see(format!("/requests/{}/{id}", node.own_id())))
}

/// Deletes it.
pub fn delete(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (id, actor) = (visit.own_record()?, visit.actor()?);
    draft_drop(visit.node()?, &actor, &id)?;
    Ok(Answer::see("/drafts"))
}
