//! Who did what to whom, when and why.

use std::collections::BTreeMap;

use askama::Template;
use wb_core::id::InstanceId;
use wb_core::time::Timestamp;
use wb_hub::{HubListings, HubStore};
use wb_node::Node;
use wb_store::AuditLine;

use crate::answer::Answer;
use crate::hub::shell::Shell;
use crate::hub::visit::{Trouble, Visit};
use crate::limits::HUB_ROWS_PER_PAGE;

/// The word that begins what moderators do in the log.
const WORD: &str = "hub";

/// A line of the log for people.
pub(super) struct LogRow {
    pub at: Timestamp,
    pub who: String,
    pub act: String,
    pub whom: String,
    pub whom_name: String,
    pub why: String,
}

#[derive(Template)]
#[template(path = "hub/log.html")]
struct Page {
    shell: Shell,
    rows: Vec<LogRow>,
    next: Option<String>,
    is_first: bool,
}

/// The page, newest first.
pub(crate) fn page<S: HubStore + HubListings>(visit: &mut Visit<'_, S>) -> Result<Answer, Trouble> {
    let before = visit.query.word("before").map(|before| before.parse());
    let before: Option<u64> = before.transpose().map_err(|_| Trouble::NotFound)?;
    let private = visit.node()?.store().private();
    let mut lines = private.audit_lines(WORD, before, HUB_ROWS_PER_PAGE + 1)?;
    let has_more = lines.len() > HUB_ROWS_PER_PAGE;
    lines.truncate(HUB_ROWS_PER_PAGE);
    let last = lines.last().filter(|_| has_more);
    let page = Page {
        shell: visit.shell("Log"),
        next: last.map(|last| format!("/moderate/log?before={}", last.number)),
        rows: rows(visit, &lines)?,
        is_first: before.is_none(),
    };
    Ok(Answer::page(page.render()?))
}

fn rows<S: HubStore + HubListings>(
    visit: &Visit<'_, S>,
    lines: &[AuditLine],
) -> Result<Vec<LogRow>, Trouble> {
    let handles = handles(visit.node()?)?;
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    for line in lines {
        let target = line.row.target.as_str();
        let Ok(id) = member_of(target).parse::<InstanceId>() else {
            continue;
        };
        if !names.contains_key(target) {
            let member = visit.wait(visit.site.store.member(id, visit.now))?;
            names.insert(
                target,
                member.map_or_else(|| id.short(), |member| member.name),
            );
        }
    }
    let row = |line: &AuditLine| LogRow {
        at: line.row.at,
        who: line
            .row
            .actor
            .and_then(|user| handles.get(&user).cloned())
            .unwrap_or_else(|| "the program".to_owned()),
        act: acted(&line.row.act).to_owned(),
        whom: address(&line.row.target),
        whom_name: names
            .get(line.row.target.as_str())
            .cloned()
            .unwrap_or_else(|| line.row.target.clone()),
        why: line.row.detail.clone(),
    };
    Ok(lines.iter().map(row).collect())
}

/// The member that a line is about, or of whose record.
fn member_of(target: &str) -> &str {
    target.split_once('/').map_or(target, |(member, _)| member)
}

/// The page of what a line is about.
fn address(target: &str) -> String {
    if target.starts_with("invitation ") {
        "/moderate/invites".to_owned()
    } else if target.contains('/') {
        format!("/moderate/records/{target}")
    } else {
        format!("/moderate/members/{target}")
    }
}

fn handles(node: &Node) -> Result<BTreeMap<wb_core::id::RecordId, String>, Trouble> {
    let accounts = node.store().private().accounts()?;
    let pairs = accounts.into_iter();
    Ok(pairs
        .map(|account| (account.user, account.handle))
        .collect())
}

/// What was done, in words.
fn acted(act: &str) -> &str {
    match act {
        "hub approve" => "let in",
        "hub invite create" => "made",
        "hub invite off" => "switched off",
        "hub suspend" => "suspended",
        "hub revoke" => "revoked",
        "hub delist" => "took out of lists",
        "hub withhold" => "withheld a record",
        "hub reinstate" => "let in again",
        other => other,
    }
}

/// What was done to one member, newest first.
pub(super) fn of_member<S: HubStore + HubListings>(
    visit: &Visit<'_, S>,
    id: &InstanceId,
) -> Result<Vec<LogRow>, Trouble> {
    let private = visit.node()?.store().private();
    let lines = private.audit_lines_of(WORD, &id.to_string(), HUB_ROWS_PER_PAGE)?;
    rows(visit, &lines)
}
