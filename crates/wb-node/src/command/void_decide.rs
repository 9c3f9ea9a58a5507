//! `wb inbox keep` and `wb inbox drop`: what a recovery made void is published again, or stays gone.

use std::collections::BTreeMap;

use wb_core::id::RecordId;
use wb_core::kinds::{Body, User};
use wb_core::leave::{Life, ProfileShares};
use wb_core::line::Line;
use wb_core::scope::{By, Scope};
use wb_store::{LocalRecord, VoidDecision, VoidEntry, Write};

use super::key_rotate::check_admin;
use super::restore::merged;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::plan::SPEAKS_ITSELF;

/// Names all of them.
const ALL: &str = "all";
/// Characters of an id that name a record at least.
const ID_CHARS_MIN: usize = 4;
/// What is done here, for who may not.
const ACT: &str = "decide about what was published with a stolen key";

/// Revisions up to which the next one of a record that is kept stands above the void one, for whoever has not
/// heard of the recovery yet. A higher one was made to use up the numbers; marks of what is void count nowhere.
const VOID_REV_MAX: u64 = 1 << 40;

/// What was decided about one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The record.
    pub id: RecordId,
    /// Its kind.
    pub kind: String,
    /// Why it cannot be kept as it is; it waits on. Of `all` alone: one that was named is an error.
    pub refused: Option<String>,
}

/// Publishes void records again with the next publish, as own ones: one by its id, or `all`.
///
/// # Errors
/// That there is none of that name, that it cannot be kept as it is, or what the store reports.
pub fn void_keep(node: &mut Node, actor: &Actor, name: &str) -> Result<Vec<Decided>> {
    check_admin(actor, ACT)?;
    let chosen = find(node.store.void_publications()?, name);
    if name != ALL
        && chosen.is_empty()
        && let [entry] = find(node.store.void_taken_back()?, name).as_slice()
    {
        return Err(NodeError::Refused(format!(
            "record {} was taken back and stays as it is here, so nothing was changed; whoever wrote it shares it \
             again with `wb record share {}`, and `wb inbox drop` lets it stay taken back",
            entry.id, entry.id
        )));
    }
    let chosen = named(chosen, name)?;
    let write = node.store.write_in_sight()?;
    let mut refused = BTreeMap::new();
    for entry in &chosen {
        match keep(node, &write, actor, entry) {
            Ok(()) => write.decide_void(&entry.id, VoidDecision::Kept)?,
            // What cannot be kept as it is must not hold up the others.
            Err(NodeError::Refused(why)) if name == ALL => {
                refused.insert(entry.id, why);
            }
            Err(error) => return Err(error),
        }
    }
    write.commit()?;
    done(node, actor, "void keep", chosen, refused)
}

/// Lets void records stay gone, and what was taken back stay so: one by its id, or `all`.
///
/// # Errors
/// That there is none of that name, or what the store reports.
pub fn void_drop(node: &mut Node, actor: &Actor, name: &str) -> Result<Vec<Decided>> {
    check_admin(actor, ACT)?;
    let mut listed = node.store.void_publications()?;
    listed.extend(node.store.void_taken_back()?);
    let chosen = named(find(listed, name), name)?;
    let write = node.store.write_in_sight()?;
    if name == ALL {
        write.drop_void()?;
    }
    for entry in &chosen {
        write.decide_void(&entry.id, VoidDecision::Dropped)?;
    }
    write.commit()?;
    done(node, actor, "void drop", chosen, BTreeMap::new())
}

fn done(
    node: &Node,
    actor: &Actor,
    act: &str,
    chosen: Vec<VoidEntry>,
    mut refused: BTreeMap<RecordId, String>,
) -> Result<Vec<Decided>> {
    let now = node.now();
    let mut decided = Vec::new();
    for entry in chosen {
        let one = Decided {
            id: entry.id,
            kind: entry.kind.to_string(),
            refused: refused.remove(&entry.id),
        };
        if one.refused.is_none() {
            node.audit(now, actor, act, &one.id, one.kind.clone())?;
        }
        decided.push(one);
    }
    // What was dropped must not stay behind in the log file.
    node.store.forget_erased()?;
    Ok(decided)
}

fn find(mut entries: Vec<VoidEntry>, name: &str) -> Vec<VoidEntry> {
    if name != ALL {
        entries
            .retain(|entry| name.len() >= ID_CHARS_MIN && entry.id.to_string().starts_with(name));
    }
    entries
}

fn named(entries: Vec<VoidEntry>, name: &str) -> Result<Vec<VoidEntry>> {
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

/// Makes a void publication a record of this instance, or its text the text of the record that is here. Of a
/// record that is here nothing is lost by it, and nothing is published that the void line does not say.
fn keep(node: &Node, write: &Write<'_>, actor: &Actor, entry: &VoidEntry) -> Result<()> {
    let refused = |why: &str| {
        NodeError::Refused(format!(
            "record {} {why}; `wb inbox drop` puts it away, and the record here stays as it is",
            entry.id
        ))
    };
    let line = entry.line.as_deref().and_then(|line| Line::read(line).ok());
    let Some(line) = line else {
        return Err(refused(
            "cannot be published again, because the text that was published is nowhere any more",
        ));
    };
    let record = match write.local(&entry.id)? {
        None => made(node, actor, entry, &line)?,
        Some(local) if local.kind != entry.kind => {
            let here = local.kind;
            return Err(refused(&format!(
                "is a {here} here and was published as a {}",
                entry.kind
            )));
        }
        Some(local) if local.life != Life::Active => {
            return Err(refused("was erased here, or waits for approval"));
        }
        Some(local) if local.edit != local.sealed_edit => {
            return Err(refused(
                "has another text here that was not published and would be lost: publish that, or write into it what is to be kept",
            ));
        }
        Some(mut local) => {
            let (body, shares) = merged(node, &local, &line);
            (local.body, local.shares) = (body, shares);
            local.scope = Scope::from(entry.scope);
            local.edit += 1;
            local.at = node.now();
            local
        }
    };
    write.put_local(&record)?;
    Ok(write.rise_above(&entry.id, entry.rev.min(VOID_REV_MAX))?)
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
        rev: entry.rev.min(VOID_REV_MAX),
        left_by: None,
    })
}
