//! Changing the words of one's own request.

use askama::Template;
use wb_core::id::RecordRef;
use wb_core::scope::Scope;
use wb_node::NodeError;
use wb_node::command::request_edit::request_edit;
use wb_node::query::requests::request;
use wb_node::view::RequestView;

use crate::answer::Answer;
use crate::contact;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

#[derive(Template)]
#[template(path = "request_edit.html")]
struct Page {
    shell: Shell,
    request: RequestView,
    title: String,
    description: String,
    wrong: Option<String>,
    warning: Option<&'static str>,
}

/// The form.
pub fn form(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    write(visit, None, None)
}

/// The request, where this browser's member wrote it.
fn own(visit: &mut Visit<'_>) -> Result<(RecordRef, RequestView), Trouble> {
    let (key, actor) = (visit.record()?, visit.actor()?);
    let node = visit.node()?;
    let request = request(node, &key)?;
    let local = match request.base.local {
        true => node.store().local(&key.id)?,
        false => None,
    };
    if local.is_none_or(|record| record.author != Some(actor.user)) {
        return Err(Trouble::Node(NodeError::Forbidden {
            actor: actor.handle,
            act: "edit this request",
            why: "only its author changes its words",
        }));
    }
    Ok((key, request))
}

fn write(
    visit: &mut Visit<'_>,
    wrong: Option<String>,
    warning: Option<&'static str>,
) -> Result<Answer, Trouble> {
    let (_, request) = own(visit)?;
    let typed = visit.form.has("title");
    let page = Page {
        shell: visit.shell("Change the words"),
        title: if typed {
            visit.form.text("title")
        } else {
            request.title.clone()
        },
        description: if typed {
            visit.form.text("description")
        } else {
            request.description.clone()
        },
        request,
        wrong,
        warning,
    };
    Ok(Answer::page(page.render()?))
}

/// Changes them. What is public stays public; where an address or number is new in it, that is asked about.
pub fn edit(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (key, request) = own(visit)?;
    let actor = visit.actor()?;
    let title = visit.form.word("title").unwrap_or_default();
    let description = visit.form.text("description");
    // What its author chose: a steward's ceiling may be lifted later, and nobody asks then.
    let local = visit.node()?.store().local(&key.id)?;
    let leaves = local.is_some_and(|record| record.scope != Scope::Private);
    let before = [request.title.as_str(), request.description.as_str()];
    let texts = [title.as_str(), description.as_str()];
    if leaves && contact::is_new_in(&texts, &before) && !visit.form.has("sure") {
        return write(visit, None, Some(contact::WARNING));
    }
    let node = visit.node()?;
    match request_edit(node, &actor, &key, Some(&title), Some(description.trim())) {
        Ok(()) => Ok(Answer::see(format!("/requests/{}/{}", key.origin, key.id))),
        Err(error @ (NodeError::Text { .. } | NodeError::Refused(_))) => {
            write(visit, Some(crate::words::failure(&error)), None)
        }
        Err(error) => Err(error.into()),
    }
}
