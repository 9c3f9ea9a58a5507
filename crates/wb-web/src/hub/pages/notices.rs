//! What this hub says in public about members and records: the page of its notices, for everybody.

use askama::Template;
use wb_core::kinds::NoticeAct;
use wb_core::reply::Reply;
use wb_hub::{HubListings, HubStore, NoticeRow};

use crate::answer::Answer;
use crate::hub::caches;
use crate::hub::shell::Shell;
use crate::hub::visit::{Trouble, Visit};
use crate::limits::HUB_ROWS_PER_PAGE;

#[derive(Template)]
#[template(path = "hub/notices.html")]
struct Page {
    shell: Shell,
    rows: Vec<NoticeRow>,
    next: Option<String>,
    is_first: bool,
}

/// What was decided, in words.
fn decided(row: &NoticeRow) -> &'static str {
    match (row.said.notice.act, row.said.notice.record.is_some()) {
        (NoticeAct::Delist, _) => "taken out of lists",
        (NoticeAct::Suspend, _) => "suspended",
        (NoticeAct::Revoke, _) => "revoked",
        (NoticeAct::Withhold, _) => "withheld a record of",
        (NoticeAct::Reinstate, true) => "handed a record on again of",
        (NoticeAct::Reinstate, false) => "let in again",
    }
}

/// Whether it holds, in a word.
fn holds(row: &NoticeRow) -> &'static str {
    match (row.in_force, row.stands) {
        (true, _) => "in force",
        (false, true) => "over",
        (false, false) => "outdone by a later one",
    }
}

/// The name of whom it is about; who is not registered any more, or asks not to be listed, has the start of its id.
fn name(row: &NoticeRow) -> String {
    let short = || row.said.notice.subject.short();
    let name = row.name.clone().filter(|_| row.asks_listed);
    name.unwrap_or_else(short)
}

/// What whoever it is about replied.
fn reply(row: &NoticeRow) -> Option<String> {
    let line = row.reply.as_ref()?;
    Reply::kept(line).ok().map(|reply| reply.text)
}

/// The page, the newest first.
pub(crate) fn page<S: HubStore + HubListings>(visit: &mut Visit<'_, S>) -> Result<Answer, Trouble> {
    let before = visit.query.word("before").map(|before| before.parse());
    let before: Option<u64> = before.transpose().map_err(|_| Trouble::NotFound)?;
    let mut rows = visit.wait(visit.site.store.notices(visit.now))?;
    rows.retain(|row| before.is_none_or(|before| row.said.notice.n < before));
    let has_more = rows.len() > HUB_ROWS_PER_PAGE;
    rows.truncate(HUB_ROWS_PER_PAGE);
    let last = rows.last().filter(|_| has_more);
    let page = Page {
        shell: visit.shell("Notices"),
        next: last.map(|last| format!("/notices?before={}", last.said.notice.n)),
        is_first: before.is_none(),
        rows,
    };
    Ok(caches::page(page.render()?))
}
