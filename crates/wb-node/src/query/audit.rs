//! Who did what, and when, on this node.

use std::collections::BTreeMap;

use wb_core::id::RecordId;
use wb_core::time::Timestamp;
use wb_store::{AccountState, Role};

use super::authors::FORMER;

use crate::error::Result;
use crate::node::{Actor, Node};

/// Lines on one page.
pub const AUDIT_PAGE: usize = 100;

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditView {
    /// When.
    pub at: Timestamp,
    /// Who, by handle.
    pub actor: String,
    /// What, in words.
    pub what: String,
    /// To whom or what: a handle, or as it was noted.
    pub target: String,
    /// In other words.
    pub detail: String,
}

/// A page of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPage {
    /// The newest first.
    pub rows: Vec<AuditView>,
    /// From where older ones go on, if there are any.
    pub older: Option<i64>,
    /// Whether it is everybody's.
    pub is_whole: bool,
}

/// What was done: everything for admins, else what the actor did and what was done about the actor.
///
/// # Errors
/// What the store reports.
pub fn audit(node: &Node, actor: &Actor, before: Option<i64>) -> Result<AuditPage> {
    let private = node.store.private();
    let is_whole = actor.role == Role::Admin;
    let member = (!is_whole).then_some(&actor.user);
    let mut rows = private.audit_rows(member, before, AUDIT_PAGE + 1)?;
    let older = (rows.len() > AUDIT_PAGE).then(|| rows[AUDIT_PAGE - 1].0);
    rows.truncate(AUDIT_PAGE);
    let accounts = private.accounts()?.into_iter();
    let handles: BTreeMap<RecordId, String> = accounts
        .filter(|account| account.state != AccountState::Gone)
        .map(|account| (account.user, account.handle))
        .collect();
    let named = |text: &str| {
        let id: Option<RecordId> = text.parse().ok();
        let handle = id.and_then(|id| handles.get(&id)).cloned();
        handle.unwrap_or_else(|| text.to_owned())
    };
    let rows = rows.into_iter().map(|(_, row)| AuditView {
        at: row.at,
        actor: match row.actor {
            None => "the program".to_owned(),
            // Of who was erased the log keeps what they did, and not who they were.
            Some(id) => handles
                .get(&id)
                .cloned()
                .unwrap_or_else(|| FORMER.to_owned()),
        },
        what: words(&row.act),
        target: named(&row.target),
        detail: row.detail,
    });
    Ok(AuditPage {
        rows: rows.collect(),
        older,
        is_whole,
    })
}

/// An act as people say it; what is not known here stands as it was noted.
fn words(act: &str) -> String {
    match act {
        "session begin" => "logged in",
        "session approve" => "let a browser in",
        "session deny" => "sent a browser away",
        "session end" => "ended a session",
        "record share" => "changed how far a record goes",
        "record unshare" => "kept a record here",
        "record ask" => "asked to let records go further",
        "record agree" => "let a record go further, as was asked",
        "record decline" => "left a record as it is, though asked",
        "user export" => "took along what is held about a member",
        "user erase" => "erased an account",
        "retire" => "announced that this instance closes",
        "retire undo" => "took back that this instance closes",
        "user login-link" => "made a log-in link",
        "user add" => "added a member",
        "invite create" => "made an invitation",
        "sync" => "synced",
        "publish" => "published",
        "hub register" => "registered at a hub",
        "dismiss" => "put away news of the inbox",
        other => other,
    }
    .to_owned()
}
