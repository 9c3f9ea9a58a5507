//! Finding the record a person means: by its id, or by enough of it.

use wb_core::id::{RecordId, RecordRef};
use wb_store::{Filter, LocalRecord, Standing};

use crate::error::{NodeError, Result};
use crate::node::Node;

/// Characters of an id that are enough to look for.
const FRAGMENT_CHARS_MIN: usize = 4;

/// Finds a record by its id, or by the start or end of it. An id under several origins means the own
/// record; of another instance name it as `ORIGIN/ID`, where the origin can be its name.
///
/// # Errors
/// That nothing fits, or more than one.
pub fn find_record(node: &Node, text: &str) -> Result<RecordRef> {
    let (origin, fragment) = match text.split_once('/') {
        Some((origin, fragment)) => (Some(origin), fragment),
        None => (None, text),
    };
    let id: Option<RecordId> = fragment.parse().ok();
    let filter = Filter {
        id,
        hidden_too: true,
        ..Filter::default()
    };
    if id.is_none() && fragment.chars().count() < FRAGMENT_CHARS_MIN {
        return Err(NodeError::unknown("record", text));
    }
    let mut found = node.store.records(&filter)?;
    found.retain(|row| {
        let text = row.key.id.to_string();
        let fits_id = text.starts_with(fragment) || text.ends_with(fragment);
        let fits_origin = origin.is_none_or(|origin| {
            row.home.as_deref() == Some(origin) || row.key.origin.to_string().starts_with(origin)
        });
        fits_id && fits_origin
    });
    if found.len() > 1 && id.is_some() && found.iter().any(|row| row.standing == Standing::Own) {
        found.retain(|row| row.standing == Standing::Own);
    }
    match found.as_slice() {
        [] => Err(NodeError::unknown("record", text)),
        [row] => Ok(row.key),
        rows => Err(NodeError::Ambiguous {
            what: "records",
            name: text.to_owned(),
            count: rows.len(),
        }),
    }
}

/// A record of this instance, of whatever kind.
///
/// # Errors
/// That it is another instance's, or not here.
pub fn own_any(node: &Node, record: &RecordRef) -> Result<LocalRecord> {
    if record.origin != node.own_id() {
        let filter = Filter {
            origin: Some(record.origin),
            id: Some(record.id),
            hidden_too: true,
            ..Filter::default()
        };
        let home = node
            .store
            .records(&filter)?
            .into_iter()
            .next()
            .and_then(|row| row.home);
        return Err(NodeError::NotOurs {
            id: record.id.to_string(),
            home: home.unwrap_or_else(|| record.origin.short()),
        });
    }
    node.store
        .local(&record.id)?
        .ok_or_else(|| NodeError::unknown("record", record.id.to_string()))
}

/// A record of this instance, of one kind.
///
/// # Errors
/// As [`own_any`], or that it is of another kind.
pub fn own_record(node: &Node, record: &RecordRef, kind: &'static str) -> Result<LocalRecord> {
    let found = own_any(node, record)?;
    if found.kind.as_str() == kind {
        Ok(found)
    } else {
        Err(NodeError::Refused(format!(
            "record {} is a {}, not a {kind}",
            record.id, found.kind
        )))
    }
}
