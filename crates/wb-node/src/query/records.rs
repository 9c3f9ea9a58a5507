//! `wb record list` and `show`.

use wb_core::id::RecordRef;
use wb_store::{Filter, RecordRow, Standing};

use super::authors::Authors;
use super::hub_notices::why_withheld;
use super::sync_log;
use crate::error::{NodeError, Result};
use crate::node::Node;
use crate::plan::{headline, reach};
use crate::view::{RecordDetail, RecordView};

/// Records of any kind, oldest first.
///
/// # Errors
/// What the store reports.
pub fn records(node: &Node, filter: &Filter) -> Result<Vec<RecordView>> {
    let authors = Authors::load(node)?;
    Ok(node
        .store
        .records(filter)?
        .iter()
        .map(|row| view(&authors, row))
        .collect())
}

/// One record with everything known of it; also one that is not shown, with the cause.
///
/// # Errors
/// That it is not here.
pub fn record(node: &Node, key: &RecordRef) -> Result<RecordDetail> {
    let authors = Authors::load(node)?;
    let filter = Filter {
        origin: Some(key.origin),
        id: Some(key.id),
        hidden_too: true,
        ..Filter::default()
    };
    let rows = node.store.records(&filter)?;
    let row = rows
        .first()
        .ok_or_else(|| NodeError::unknown("record", key.id.to_string()))?;
    let body = row
        .body
        .as_deref()
        .and_then(|body| serde_json::from_str(body).ok());
    let mut detail = RecordDetail {
        record: view(&authors, row),
        body: body.unwrap_or_default(),
        leaves: None,
        stays: None,
        published: None,
        shares: None,
        hidden_by: match &row.hidden {
            Some(_) => why_withheld(node, key, row.line_hash.as_ref())?,
            None => None,
        },
        road: sync_log::road(node, key)?,
        also: sync_log::also(node, key)?,
    };
    if row.standing == Standing::Own
        && let Some(local) = node.store.local(&key.id)?
    {
        let reach = reach(node, &local, node.now())?;
        detail.leaves = Some(reach.is_ok());
        detail.stays = reach.err().map(wb_core::leave::Stays::as_str);
        let sealed = node.store.sealed(&key.id)?;
        detail.published = Some(sealed.iter().map(|line| line.scope.to_string()).collect());
        detail.shares = local.shares;
    }
    Ok(detail)
}

fn view(authors: &Authors<'_>, row: &RecordRow) -> RecordView {
    RecordView {
        base: authors.base(row),
        headline: headline(row.kind.as_str(), row.body.as_deref().unwrap_or_default()),
        parent: row.parent,
    }
}
