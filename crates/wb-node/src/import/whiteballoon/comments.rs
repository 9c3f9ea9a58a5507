//! Comments become records under their request. Deleted ones stay deleted: none of their text is
//! kept, and a deletion in the old program is taken over also when the comment came earlier.

use wb_core::id::RecordId;
use wb_core::kinds::{Body, Comment};
use wb_core::leave::Life;
use wb_core::scope::Scope;
use wb_store::legacy::LegacyComment;

use super::problem::{Done, Found};
use super::report::Outcome;
use super::run::{Import, Moved};
use crate::error::Result;

const TABLE: &str = "request_comments";
/// Notes that a row was deleted when it was seen first, so that it never comes back.
const DELETED: &str = "request_comments.deleted";
const STAYS_DELETED: &str = "they were deleted in the old program and stay deleted";
const NO_REQUEST: &str = "their request did not move";

/// Brings all comments.
pub(super) fn bring(import: &mut Import<'_>, comments: &[LegacyComment]) -> Result<()> {
    for comment in comments {
        import.step();
        bring_one(import, comment)?;
    }
    Ok(())
}

fn bring_one(import: &mut Import<'_>, comment: &LegacyComment) -> Result<()> {
    let row = comment.id.to_string();
    let Some(request) = import.requests.get(&comment.request).copied() else {
        return leave(import, comment, NO_REQUEST, "not_moved");
    };
    let known = import.ids.of(TABLE, &row, comment.created_at)?;
    let Some(id) = known.id() else {
        import.leave_another(TABLE, row, comment.scope);
        return Ok(());
    };
    let was_deleted = import.ids.find(DELETED, &row)?.is_some();
    if comment.deleted_at.is_some() || was_deleted {
        return delete(import, comment, id, was_deleted);
    }
    let body = body(import, comment, request, comment.body.clone());
    let author = import.user(comment.author);
    let scope = (comment.scope, comment.too_long);
    let times = (comment.created_at, comment.created_at);
    let (record, kept) = import.record(id, &body, author, scope, times);
    import.settle(Moved {
        table: TABLE,
        row,
        known,
        record,
        scope: comment.scope,
        kept,
        updated_at: None,
    })?;
    Ok(())
}

fn body(import: &Import<'_>, comment: &LegacyComment, request: RecordId, text: String) -> Body {
    Body::Comment(Comment {
        request: import.reference(request),
        body: text,
        created_at: comment.created_at,
    })
}

fn leave(
    import: &mut Import<'_>,
    comment: &LegacyComment,
    why: &'static str,
    cause: &'static str,
) -> Result<()> {
    import.report.leave(TABLE, why);
    if comment.scope == Scope::Public {
        import.note("comment", None, Some(cause));
    }
    Ok(())
}

/// A deleted comment: marked, and deleted here where it is a record.
fn delete(
    import: &mut Import<'_>,
    comment: &LegacyComment,
    id: RecordId,
    was_deleted: bool,
) -> Result<()> {
    let row = comment.id.to_string();
    let here = if was_deleted {
        None
    } else {
        import.write.local(&id)?
    };
    let Some(mut record) = here else {
        import.ids.mark(DELETED, &row, &id)?;
        return leave(import, comment, STAYS_DELETED, "deleted");
    };
    import.report.count(TABLE, Outcome::Here, 1);
    if comment.scope == Scope::Public {
        import.note("comment", Some(id), Some("deleted"));
    }
    if record.life == Life::Deleted {
        return Ok(());
    }
    record.life = Life::Deleted;
    record.edit += 1;
    // The words go at once. What remains is a valid body, so that receivers hear it was deleted.
    if let Some(request) = record.parent {
        let empty = body(import, comment, request.id, String::new());
        record.body = serde_json::to_string(&empty).expect("a body has string keys and serialises");
    }
    import.write.put_local(&record)?;
    import.report.deleted_now += 1;
    import.trouble(TABLE, row, Found::DeletedSince, Done::Deleted);
    Ok(())
}
