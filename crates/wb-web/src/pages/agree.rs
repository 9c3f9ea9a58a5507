//! What a member is asked to share more widely, and the answer.

use askama::Template;
use wb_core::id::RecordId;
use wb_core::scope::Scope;
use wb_core::time::Timestamp;
use wb_node::command::share_all::{answer as answer_one, asked};
use wb_node::plan::headline;
use wb_store::AgreementAnswer;

use crate::answer::Answer;
use crate::contact;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

struct Row {
    record: RecordId,
    kind: String,
    headline: String,
    now: Scope,
    scope: Scope,
    at: Timestamp,
    /// Said where the text holds a way to reach somebody that would leave with it.
    warning: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "agree.html")]
struct Page {
    shell: Shell,
    rows: Vec<Row>,
}

/// The page.
pub fn page(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let node = visit.node()?;
    let mut rows = Vec::new();
    for asked in asked(node, &actor.user)? {
        let Some(record) = node.store().local(&asked.record)? else {
            continue;
        };
        rows.push(Row {
            record: asked.record,
            headline: headline(record.kind.as_str(), &record.body),
            kind: record.kind.to_string(),
            now: record.scope.min(record.ceiling),
            scope: asked.scope,
            at: asked.at,
            warning: contact::is_in(&[&record.body]).then_some(contact::WARNING),
        });
    }
    let page = Page {
        shell: visit.shell("What you are asked to share"),
        rows,
    };
    Ok(Answer::page(page.render()?))
}

/// Answers for one record, or for all that are asked about.
pub fn answer(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let answer = match visit.form.text("answer").as_str() {
        "agree" => AgreementAnswer::Agreed,
        "decline" => AgreementAnswer::Declined,
        _ => return Err(Trouble::Refused("Choose one of the answers".to_owned())),
    };
    let which = visit.form.text("record");
    let node = visit.node()?;
    let records: Vec<RecordId> = if which == "all" {
        let asked = asked(node, &actor.user)?.into_iter();
        asked.map(|asked| asked.record).collect()
    } else {
        vec![which.parse().map_err(|_| Trouble::NotFound)?]
    };
    for record in &records {
        answer_one(node, &actor, record, answer)?;
    }
    Ok(Answer::see("/agree"))
}
