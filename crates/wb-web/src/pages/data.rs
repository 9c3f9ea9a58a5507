//! Settings: everything held about oneself, to take along, and erasing it.

use askama::Template;
use wb_node::NodeError;
use wb_node::command::user_erase::user_erase;
use wb_node::command::user_export::user_export;
use wb_node::query::member_data::MemberData;

use crate::answer::Answer;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

#[derive(Template)]
#[template(path = "data.html")]
struct Page {
    shell: Shell,
    home: String,
    handle: String,
    records: usize,
    wrong: Option<String>,
}

#[derive(Template)]
#[template(path = "member_data.html")]
struct DataPage<'d> {
    data: &'d MemberData,
}

/// Everything held about a member, as one page that needs nothing else.
///
/// # Errors
/// That it cannot be written.
pub fn member_data_page(data: &MemberData) -> Result<String, askama::Error> {
    DataPage { data }.render()
}

/// The members of a body, as people read them.
pub(crate) fn members(body: &serde_json::Value) -> Vec<(String, String)> {
    let members = body.as_object().into_iter().flatten();
    members
        .map(|(member, value)| {
            let text = value.as_str().map(str::to_owned);
            (member.clone(), text.unwrap_or_else(|| value.to_string()))
        })
        .collect()
}

/// The page.
pub fn page(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    write(visit, None)
}

fn write(visit: &mut Visit<'_>, wrong: Option<String>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let node = visit.node()?;
    let (home, wrote) = (
        node.name().to_owned(),
        node.store().written_by(&actor.user)?,
    );
    let page = Page {
        shell: visit.shell("Your data"),
        home,
        handle: actor.handle,
        records: wrote.len(),
        wrong,
    };
    Ok(Answer::page(page.render()?))
}

/// All of it as a page.
pub fn html(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let data = own(visit)?;
    let text = member_data_page(&data)?;
    Ok(Answer::download(
        "text/html; charset=utf-8",
        "my-data.html",
        text.into_bytes(),
    ))
}

/// All of it for programs.
pub fn json(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let text = own(visit)?.to_json();
    Ok(Answer::download(
        "application/json",
        "my-data.json",
        text.into_bytes(),
    ))
}

fn own(visit: &mut Visit<'_>) -> Result<MemberData, Trouble> {
    let actor = visit.actor()?;
    Ok(user_export(visit.node()?, &actor, &actor.handle)?)
}

/// Erases the account of who asks, once they typed its name.
pub fn erase(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    if visit.form.word("handle").as_deref() != Some(actor.handle.as_str()) {
        let wrong = format!("That is not {}. Nothing was erased.", actor.handle);
        return write(visit, Some(wrong));
    }
    match user_erase(visit.node()?, &actor, &actor.handle) {
        Ok(_) => Ok(Answer::see("/")),
        Err(error @ NodeError::Refused(_)) => write(visit, Some(crate::words::failure(&error))),
        Err(error) => Err(error.into()),
    }
}
