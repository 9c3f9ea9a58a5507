//! The words of a record.

use serde::de::DeserializeOwned;
use wb_core::id::InstanceId;
use wb_core::kinds::Body;
use wb_core::scope::Kind;
use wb_store::{RecordRow, Standing};

/// The body of a row, if it is of the kind that `pick` takes.
pub(crate) fn words_of<T: DeserializeOwned>(
    row: &RecordRow,
    pick: fn(Body) -> Option<T>,
) -> Option<T> {
    let body = row.body.as_deref().unwrap_or_default();
    if row.standing == Standing::Own {
        return own_words(&row.kind, row.key.origin, body, pick);
    }
    let read = Body::read(&row.kind, 1, row.key.origin, body);
    read.ok().and_then(pick)
}

/// The body of an own record, also where its text is longer than a shared record may be: it was moved
/// over from another program, stays home like that, and its author must be able to read and shorten it.
pub(crate) fn own_words<T: DeserializeOwned>(
    kind: &Kind,
    own: InstanceId,
    body: &str,
    pick: fn(Body) -> Option<T>,
) -> Option<T> {
    match Body::read(kind, 1, own, body) {
        Ok(body) => pick(body),
        Err(_) => serde_json::from_str(body).ok(),
    }
}
