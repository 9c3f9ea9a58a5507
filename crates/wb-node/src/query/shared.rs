//! Everything of this instance that is marked to leave, or has left.

use std::collections::BTreeMap;

use wb_core::id::RecordId;
use wb_core::leave::Stays;
use wb_core::scope::{FeedScope, Kind, Scope};
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::node::Node;
use crate::plan::{Reaches, headline};

/// A record that is marked to leave, or has left.
#[derive(Debug, Clone)]
pub struct SharedView {
    /// Its id.
    pub id: RecordId,
    /// Its kind.
    pub kind: Kind,
    /// Its title, or the start of its text.
    pub headline: String,
    /// Who wrote it, by handle.
    pub author: String,
    /// How far its author lets it go.
    pub scope: Scope,
    /// Whether a steward keeps it narrower than that.
    pub is_narrowed: bool,
    /// How far it goes with the next publish, or why it stays.
    pub reach: std::result::Result<FeedScope, Stays>,
    /// Whether it is in a feed of this instance now.
    pub is_out: bool,
    /// When it was last written.
    pub at: Timestamp,
}

impl SharedView {
    /// Where it stands, in words.
    #[must_use]
    pub fn standing(&self) -> &'static str {
        match (self.is_out, self.reach.is_ok()) {
            (true, true) => "out",
            (true, false) => "taken back with the next publish",
            (false, true) => "leaves with the next publish",
            (false, false) => "stays here",
        }
    }
}

/// All of them, the newest first.
///
/// # Errors
/// What the store reports.
pub fn shared(node: &Node) -> Result<Vec<SharedView>> {
    let accounts = node.store.private().accounts()?.into_iter();
    let handles: BTreeMap<RecordId, String> = accounts
        .map(|account| (account.user, account.handle))
        .collect();
    let reaches = Reaches::new(node, node.now())?;
    let mut marked = Vec::new();
    node.store.each_local(|record| -> Result<()> {
        if record.scope != Scope::Private || record.rev > 0 {
            marked.push(record);
        }
        Ok(())
    })?;
    let mut views = Vec::new();
    for record in marked {
        let author = record.author.and_then(|author| handles.get(&author));
        views.push(SharedView {
            headline: headline(record.kind.as_str(), &record.body),
            author: author.cloned().unwrap_or_else(|| node.name().to_owned()),
            is_narrowed: record.ceiling < record.scope,
            reach: reaches.of(&record)?,
            is_out: !node.store.sealed(&record.id)?.is_empty(),
            id: record.id,
            kind: record.kind,
            scope: record.scope,
            at: record.at,
        });
    }
    views.sort_by_key(|view| std::cmp::Reverse(view.at));
    Ok(views)
}
