//! Everything held about a member, to take along, and erasing it: one's own in the settings, anybody's for admins.

use askama::Template;
use wb_node::NodeError;
use wb_node::command::user_erase::{Erased, user_erase};
use wb_node::command::user_export::user_export;
use wb_node::query::member_data::MemberData;
use wb_store::{Account, AccountState};

use crate::answer::Answer;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

#[derive(Template)]
#[template(path = "data.html")]
struct Page {
    shell: Shell,
    home: String,
    handle: String,
    /// Where its forms go.
    base: String,
    is_own: bool,
    records: usize,
    wrong: Option<String>,
}

/// What is left to do once an account is erased.
#[derive(Template)]
#[template(path = "erased.html")]
struct ErasedPage {
    shell: Shell,
    handle: String,
    is_own: bool,
    shared: u64,
    /// Older copies that still hold it.
    copies: Vec<String>,
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

/// Whose data a page is about.
struct Whose {
    /// Where its forms go.
    base: String,
    account: Account,
    is_own: bool,
}

/// One's own.
fn own(visit: &mut Visit<'_>) -> Result<Whose, Trouble> {
    let actor = visit.actor()?;
    let account = visit.node()?.store().private().account_of(&actor.user)?;
    Ok(Whose {
        base: "/settings/data".to_owned(),
        account: account.ok_or(Trouble::NotFound)?,
        is_own: true,
    })
}

/// That of the account in the path, for admins.
fn theirs(visit: &mut Visit<'_>) -> Result<Whose, Trouble> {
    let (id, actor) = (visit.own_record()?, visit.actor()?);
    let account = visit.node()?.store().private().account_of(&id)?;
    let account = account.filter(|account| account.state != AccountState::Gone);
    Ok(Whose {
        base: format!("/accounts/{id}"),
        account: account.ok_or(Trouble::NotFound)?,
        is_own: id == actor.user,
    })
}

/// One's own, to take along or to erase.
pub fn page(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let whose = own(visit)?;
    write(visit, whose, None)
}

/// All of it as a page.
pub fn html(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let whose = own(visit)?;
    download_page(visit, &whose)
}

/// All of it for programs.
pub fn json(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let whose = own(visit)?;
    download_json(visit, &whose)
}

/// Erases the account of who asks, once they typed its name.
pub fn erase(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let whose = own(visit)?;
    erase_typed(visit, whose)
}

/// Somebody else's, as an admin.
pub fn page_of(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let whose = theirs(visit)?;
    write(visit, whose, None)
}

/// All of it as a page.
pub fn html_of(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let whose = theirs(visit)?;
    download_page(visit, &whose)
}

/// All of it for programs.
pub fn json_of(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let whose = theirs(visit)?;
    download_json(visit, &whose)
}

/// Erases it, once its name was typed.
pub fn erase_of(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let whose = theirs(visit)?;
    erase_typed(visit, whose)
}

fn write(visit: &mut Visit<'_>, whose: Whose, wrong: Option<String>) -> Result<Answer, Trouble> {
    let node = visit.node()?;
    let wrote = node.store().written_by(&whose.account.user)?;
    let home = node.name().to_owned();
    let page = Page {
        shell: visit.shell(if whose.is_own {
            "Your data".to_owned()
        } else {
            format!("The data of {}", whose.account.handle)
        }),
        home,
        handle: whose.account.handle,
        base: whose.base,
        is_own: whose.is_own,
        records: wrote.len(),
        wrong,
    };
    Ok(Answer::page(page.render()?))
}

fn data(visit: &mut Visit<'_>, whose: &Whose) -> Result<MemberData, Trouble> {
    let actor = visit.actor()?;
    Ok(user_export(visit.node()?, &actor, &whose.account.handle)?)
}

fn download_page(visit: &mut Visit<'_>, whose: &Whose) -> Result<Answer, Trouble> {
    let text = member_data_page(&data(visit, whose)?)?.into_bytes();
    Ok(Answer::download(
        "text/html; charset=utf-8",
        "data.html",
        text,
    ))
}

fn download_json(visit: &mut Visit<'_>, whose: &Whose) -> Result<Answer, Trouble> {
    let text = data(visit, whose)?.to_json().into_bytes();
    Ok(Answer::download("application/json", "data.json", text))
}

fn erase_typed(visit: &mut Visit<'_>, whose: Whose) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let handle = whose.account.handle.clone();
    if visit.form.word("handle").as_deref() != Some(handle.as_str()) {
        let wrong = format!("That is not {handle}. Nothing was erased.");
        return write(visit, whose, Some(wrong));
    }
    match user_erase(visit.node()?, &actor, &handle) {
        Ok(erased) if !erased.copies.is_empty() => erased_page(visit, whose, &erased),
        Ok(_) => Ok(Answer::see(if whose.is_own { "/" } else { "/accounts" })),
        Err(error @ NodeError::Refused(_)) => {
            write(visit, whose, Some(crate::words::failure(&error)))
        }
        Err(error) => Err(error.into()),
    }
}

/// Names the copies that erasing does not reach: to admins by their paths, to members by their names, which say enough
/// to whoever looks after the node.
fn erased_page(visit: &mut Visit<'_>, whose: Whose, erased: &Erased) -> Result<Answer, Trouble> {
    let is_admin = visit.is_admin();
    let copies = erased.copies.iter().map(|path| {
        let name = path.file_name().filter(|_| !is_admin);
        name.map_or_else(
            || path.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        )
    });
    let copies = copies.collect();
    if whose.is_own {
        visit.caller.leave();
    }
    let page = ErasedPage {
        shell: visit.shell("Erased"),
        handle: whose.account.handle,
        is_own: whose.is_own,
        shared: erased.shared,
        copies,
    };
    Ok(Answer::page(page.render()?))
}
