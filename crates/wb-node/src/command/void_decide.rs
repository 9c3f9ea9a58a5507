//! `wb inbox keep` and `wb inbox drop`: what a recovery made void is published again, or stays gone.

use wb_core::id::RecordId;
use wb_core::kinds::{Body, User};
use wb_core::leave::{Life, ProfileShares};
use wb_core::line::Line;
use wb_core::scope::{By, Scope};
use wb_store::{LocalRecord, VoidDecision, VoidEntry, Write};

use super::key_rotate::check_admin;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::plan::SPEAKS_ITSELF;

/// Names all of them.
const ALL: &str = "all";
/// Characters of an id that name a record at least.
const ID_CHARS_MIN: usize = 4;

/// What was decided about one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The record.
    pub id: RecordId,
    /// Its kind.
    pub kind: String,
}

/// Publishes void records again with the next publish, as own ones: one by its id, or `all`.
///
/// # Errors
/// That there is none of that name, that nothing of it is left, or what the store reports.
pub fn void_keep(node: &mut Node, actor: &Actor, name: &str) -> Result<Vec<Decided>> {
    decide(node, actor, name, VoidDecision::Kept)
}

/// Lets void records stay gone: one by its id, or `all`.
///
/// # Errors
/// That there is none of that name, or what the store reports.
pub fn void_drop(node: &mut Node, actor: &Actor, name: &str) -> Result<Vec<Decided>> {
    decide(node, actor, name, VoidDecision::Dropped)
}

fn decide(
    node: &mut Node,
    actor: &Actor,
    name: &str,
    decision: VoidDecision,
) -> Result<Vec<Decided>> {
    check_admin(actor, "decide about what was published with a stolen key")?;
    let now = node.now();
    let chosen = find(node, name)?;
    let write = node.store.write_in_sight()?;
    for entry in &chosen {
        if decision == VoidDecision::Kept {
            keep(node, &write, actor, entry)?;
        }
        write.decide_void(&entry.id, decision)?;
    }
    write.commit()?;
    let act = match decision {
        VoidDecision::Kept => "void keep",
        VoidDecision::Dropped => "void drop",
    };
    for entry in &chosen {
        node.audit(now, actor, act, &entry.id, entry.kind.to_string())?;
    }
    // What was dropped must not stay behind in the log file.
    node.store.checkpoint()?;
    let decided = chosen.into_iter().map(|entry| Decided {
        id: entry.id,
        kind: entry.kind.to_string(),
    });
    Ok(decided.collect())
}

fn find(node: &Node, name: &str) -> Result<Vec<VoidEntry>> {
    let mut entries = node.store.void_publications()?;
    if name != ALL {
        entries
            .retain(|entry| name.len() >= ID_CHARS_MIN && entry.id.to_string().starts_with(name));
    }
    match entries.len() {
        0 => Err(NodeError::unknown("void publication", name)),
        1 => Ok(entries),
        _ if name == ALL => Ok(entries),
        count => Err(NodeError::Ambiguous {
            what: "void publications",
            name: name.to_owned(),
            count,
        }),
    }
}

/// Makes a void publication a record of this instance, or its text the text of the record that is here.
fn keep(node: &Node, write: &Write<'_>, actor: &Actor, entry: &VoidEntry) -> Result<()> {
    let gone = || {
        NodeError::Refused(format!(
            "the text of record {} is nowhere any more, so it cannot be published again; `wb inbox drop` puts it away",
            entry.id
        ))
    };
    let known = write.local(&entry.id)?;
    let line = match &entry.line {
        Some(bytes) => Some(Line::read(bytes).map_err(|_| gone())?),
        None => None,
    };
    let now = node.now();
    let record = match (known, line) {
        (Some(mut record), line) => {
            if let Some(line) = line {
                line.body().clone_into(&mut record.body);
            }
            record.scope = Scope::from(entry.scope);
            record.edit += 1;
            record.at = now;
            record
        }
        (None, Some(line)) => made(node, actor, entry, &line)?,
        (None, None) => return Err(gone()),
    };
    write.put_local(&record)?;
    Ok(write.rise_above(&entry.id, entry.rev)?)
}

fn made(node: &Node, actor: &Actor, entry: &VoidEntry, line: &Line<'_>) -> Result<LocalRecord> {
    let own = node.own_id();
    let body = Body::read(&entry.kind, line.schema_version, own, line.body()).map_err(|_| {
        NodeError::Refused(format!(
            "record {} is of a kind or form that this version does not write; `wb inbox drop` puts it away",
            entry.id
        ))
    })?;
    let accounts = node.store.private().accounts()?;
    let author = match line.by {
        By::User(user) if accounts.iter().any(|account| account.user == user) => Some(user),
        By::Instance if SPEAKS_ITSELF.contains(&entry.kind.as_str()) => None,
        // Nobody here wrote it, so whoever keeps it answers for it.
        _ => Some(actor.user),
    };
    Ok(LocalRecord {
        id: entry.id,
        kind: entry.kind.clone(),
        author,
        scope: Scope::from(entry.scope),
        ceiling: Scope::Public,
        life: Life::Active,
        body: line.body().to_owned(),
        shares: matches!(body, Body::User(User { .. })).then(ProfileShares::default),
        parent: body.parent(own),
        created_at: entry.at,
        at: line.at,
        edit: 1,
        sealed_edit: 0,
        rev: entry.rev,
        left_by: None,
    })
}
