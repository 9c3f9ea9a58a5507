//! Requests become drafts or records; a completed one also has the event that says so.

use std::collections::BTreeMap;

use wb_core::id::RecordId;
use wb_core::kinds::{Body, Request, Status, To};
use wb_core::leave::Life;
use wb_core::scope::Scope;
use wb_core::time::Timestamp;
use wb_store::Draft;
use wb_store::legacy::{LegacyRequest, LegacyStatus};

use super::ids::Known;
use super::problem::{Done, Found};
use super::report::Outcome;
use super::run::{Import, Moved};
use super::users::filled;
use crate::error::Result;

const TABLE: &str = "help_requests";
/// Notes that a row came as a draft, so that no record is made of it later behind its author's back.
const DRAFT: &str = "help_requests.draft";
/// The event that completed a request.
const COMPLETED: &str = "help_requests.completed";
/// Characters of a title made of a description: enough to tell requests apart in a list.
const TITLE_CHARS: usize = 60;

/// Brings all requests.
pub(super) fn bring(import: &mut Import<'_>, requests: &[LegacyRequest]) -> Result<()> {
    let drafts = import.private.drafts()?.into_iter();
    let drafts: BTreeMap<RecordId, Timestamp> = drafts.map(|draft| (draft.id, draft.at)).collect();
    for request in requests {
        import.step();
        let row = request.id.to_string();
        let known = import.ids.of(TABLE, &row, request.created_at)?;
        let Some(id) = known.id() else {
            import.leave_another(TABLE, row, request.scope);
            continue;
        };
        import.requests.insert(request.id, id);
        if let (Known::New(_), Some(email)) = (known, filled(request.contact_email.as_ref())) {
            import.private.put_contact(&id, "email", email)?;
        }
        let is_draft = match known {
            Known::New(_) => request.status == LegacyStatus::Draft,
            _ => import.ids.find(DRAFT, &row)?.is_some(),
        };
        if is_draft {
            put_draft(import, request, id, known, drafts.get(&id).copied())?;
        } else {
            put_request(import, request, id, known)?;
        }
    }
    Ok(())
}

fn title(import: &mut Import<'_>, request: &LegacyRequest, is_new: bool) -> String {
    request.title.clone().unwrap_or_else(|| {
        import.report.titles_made += u64::from(is_new);
        title_from(&request.description)
    })
}

/// The first words of a text.
fn title_from(text: &str) -> String {
    let mut title = String::new();
    let mut chars = 0;
    for word in text.split_whitespace() {
        let word_chars = word.chars().count() + usize::from(chars > 0);
        if chars + word_chars > TITLE_CHARS {
            break;
        }
        if chars > 0 {
            title.push(' ');
        }
        title.push_str(word);
        chars += word_chars;
    }
    if title.is_empty() {
        title = text
            .split_whitespace()
            .flat_map(str::chars)
            .take(TITLE_CHARS)
            .collect();
    }
    if title.is_empty() {
        title.push_str("Request without words");
    }
    title
}

/// A draft stays in the private file. One that was published or changed here since is left alone.
fn put_draft(
    import: &mut Import<'_>,
    request: &LegacyRequest,
    id: RecordId,
    known: Known,
    written_at: Option<Timestamp>,
) -> Result<()> {
    let row = request.id.to_string();
    if request.scope == Scope::Public {
        import.note("request", Some(id), Some("draft"));
    }
    if let Known::New(_) = known {
        let draft = Draft {
            id,
            author: import.user(request.creator),
            scope: request.scope,
            title: title(import, request, true),
            description: request.description.clone(),
            created_at: request.created_at,
            at: request.updated_at,
        };
        import.private.put_draft(&draft)?;
        import.ids.mark(DRAFT, &row, &id)?;
        import.report.drafts += 1;
        import.report.count(TABLE, Outcome::New, 1);
        return Ok(());
    }
    let is_newer = written_at.is_some_and(|at| request.updated_at > at);
    if is_newer || request.status != LegacyStatus::Draft {
        import.trouble(TABLE, row, Found::ChangedSince, Done::NotTaken);
    }
    import.report.count(TABLE, Outcome::Here, 1);
    Ok(())
}

fn put_request(
    import: &mut Import<'_>,
    request: &LegacyRequest,
    id: RecordId,
    known: Known,
) -> Result<()> {
    let is_new = matches!(known, Known::New(_));
    let body = Body::Request(Request {
        title: title(import, request, is_new),
        description: request.description.clone(),
        created_at: request.created_at,
        #[cfg(feature = "next-schema")]
        urgency: None,
    });
    let author = import.user(request.creator);
    let scope = (request.scope, request.too_long);
    let times = (request.created_at, request.updated_at);
    let (mut record, kept) = import.record(id, &body, author, scope, times);
    record.life = match request.status {
        LegacyStatus::Pending | LegacyStatus::Draft => Life::Pending,
        LegacyStatus::Open | LegacyStatus::Completed => Life::Active,
    };
    let is_written = import.settle(Moved {
        table: TABLE,
        row: request.id.to_string(),
        known,
        record,
        scope: request.scope,
        kept,
        updated_at: Some(request.updated_at),
    })?;
    if request.status == LegacyStatus::Completed {
        complete(import, request, id, is_written)?;
    }
    Ok(())
}

/// The event belongs to its request: it goes as far, and comes with it or not at all.
fn complete(
    import: &mut Import<'_>,
    request: &LegacyRequest,
    of: RecordId,
    is_written: bool,
) -> Result<()> {
    let at = request.completed_at.unwrap_or(request.updated_at);
    let row = request.id.to_string();
    let id = if is_written {
        Some(import.ids.beside(COMPLETED, &row, at)?)
    } else {
        import.ids.find(COMPLETED, &row)?
    };
    let Some(id) = id else { return Ok(()) };
    let author = import.user(request.creator);
    if request.scope == Scope::Public {
        import.note("status", Some(id), author.is_none().then_some("no_author"));
    }
    if is_written {
        let body = Body::Status(Status {
            request: import.reference(of),
            to: To::Completed,
            n: 1,
            note: None,
            heard: None,
            after: None,
        });
        let scope = (Scope::Public, false);
        let (record, _) = import.record(id, &body, author, scope, (at, at));
        import.write.put_local(&record)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::title_from;

    #[test]
    fn a_title_is_the_first_words() {
        assert_eq!(title_from("one\n two\tthree"), "one two three");
        let long = "word ".repeat(30);
        assert_eq!(title_from(&long), "word ".repeat(12).trim_end());
        assert_eq!(title_from(&"x".repeat(100)), "x".repeat(60));
        assert_eq!(title_from(" \n"), "Request without words");
    }
}
