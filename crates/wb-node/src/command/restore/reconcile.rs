//! Bringing local records in line with the own history that came back.
//!
//! What is published and not here becomes a local record again; a higher revision wins, unless this copy had
//! narrowed the record; what was taken back since is taken back here too.

use std::collections::{BTreeMap, BTreeSet};

use wb_core::entry::{Entry, Reason};
use wb_core::id::RecordId;
use wb_core::kinds::{Body, User};
use wb_core::leave::{Life, ProfileShares};
use wb_core::line::Line;
use wb_core::scope::{By, FeedScope, Scope};
use wb_core::time::Timestamp;
use wb_store::{Account, AccountState, GuardStanding, LocalRecord, Role, StoreError, Write};

use crate::erasing::{erase_what_came_back, is_reserved};
use crate::error::Result;
use crate::node::Node;
use crate::plan::headline;
use crate::sync::Branch;

/// A record as it is told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The record.
    pub id: RecordId,
    /// Its kind.
    pub kind: String,
    /// Its title, or the start of its text.
    pub headline: String,
}

/// What came back, and in which form.
#[derive(Debug, Clone, Default)]
pub struct CameBack {
    /// Records that were not here.
    pub back: Vec<Told>,
    /// Records of which a later revision was published.
    pub newer: Vec<Told>,
    /// Records that were erased since, and are erased again.
    pub erased: Vec<Told>,
    /// Records that were taken back since: they are here, and private.
    pub private: Vec<Told>,
    /// Of those, how many were taken back for a reason that is not known.
    pub private_unsure: u64,
    /// Of those, how many were erased from elsewhere although this is no older copy: their text is still here,
    /// because it may have been a thief.
    pub private_erased: u64,
    /// Records published again since that this copy had narrowed: they stay as they are here.
    pub narrowed: u64,
    /// Records whose author is not known here; they keep the name they left with.
    pub nameless: u64,
    /// Published records whose text nobody gave back.
    pub without_text: u64,
    /// Members of the trusted audience of this copy, by name: nothing is sealed to them until they are trusted again.
    pub doubted: Vec<String>,
    /// Accounts that came back without any way to log in.
    pub accounts: Vec<String>,
}

impl CameBack {
    /// Whether nothing came back.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.back.is_empty()
            && self.newer.is_empty()
            && self.erased.is_empty()
            && self.private.is_empty()
            && self.without_text == 0
    }
}

/// Brings the local records in line with the own feed, and with the records of a branch that contradicts it.
/// Repeating it changes nothing.
///
/// # Errors
/// What the store reports.
pub(super) fn reconcile(node: &Node, branches: &[Branch], now: Timestamp) -> Result<CameBack> {
    let names = pseudonyms(node)?;
    let mut came = CameBack::default();
    let write = node.store.write_in_sight()?;
    let mut lines: Vec<(Vec<u8>, bool)> = Vec::new();
    if let Some(rows) = node
        .store
        .served()
        .snapshot(&node.own_id(), FeedScope::Public)?
    {
        node.store
            .served()
            .each_live(&rows, |item| -> std::result::Result<(), StoreError> {
                lines.push((item.to_vec(), true));
                Ok(())
            })?;
    }
    for branch in branches {
        lines.extend(branch.lines.iter().map(|line| (line.clone(), false)));
    }
    for (bytes, is_sealed) in &lines {
        if Entry::starts(bytes) {
            came.without_text += without_text(node, bytes)?;
            continue;
        }
        let line = Line::read(bytes)
            .map_err(|rule| StoreError::Damaged(format!("a line of the own feed breaks {rule}")))?;
        take(node, &write, &names, &line, *is_sealed, &mut came)?;
    }
    take_back_again(node, &write, now, &mut came)?;
    for (id, rev, reason) in branches.iter().flat_map(|branch| &branch.retracts) {
        take_back_of_branch(node, &write, (id, *rev, *reason), now, &mut came)?;
    }
    write.commit()?;
    if !came.erased.is_empty() {
        node.store.empty_logs()?;
    }
    // Before accounts are made for profiles: who was erased has none again.
    erase_what_came_back(node)?;
    accounts(node, now, &mut came)?;
    Ok(came)
}

/// Whose pseudonym is which: this node can make them anew of whoever has an account here.
fn pseudonyms(node: &Node) -> Result<BTreeMap<By, RecordId>> {
    let mut names = BTreeMap::new();
    for account in node.store.private().accounts()? {
        for scope in FeedScope::ALL {
            let token = node.secret().pseudonym(scope, &account.user);
            names.insert(By::Pseudonym(token), account.user);
        }
    }
    Ok(names)
}

/// 1 for a published record of which nothing is here and no text came.
fn without_text(node: &Node, stub: &[u8]) -> Result<u64> {
    let Ok(entry) = Entry::read(stub) else {
        return Ok(0);
    };
    Ok(u64::from(node.store.local(&entry.id)?.is_none()))
}

pub(super) fn told(kind: &str, id: RecordId, body: &str) -> Told {
    Told {
        id,
        kind: kind.to_owned(),
        headline: headline(kind, body),
    }
}

fn take(
    node: &Node,
    write: &Write<'_>,
    names: &BTreeMap<By, RecordId>,
    line: &Line<'_>,
    is_sealed: bool,
    came: &mut CameBack,
) -> Result<()> {
    let Some(local) = node.store.local(&line.id)? else {
        // What a branch put and the chain took back stays taken back.
        if !is_sealed && node.store.last_retract(&line.id)?.is_some() {
            return Ok(());
        }
        let record = restored(node, names, line, is_sealed);
        came.nameless += u64::from(is_nameless(&record));
        came.back
            .push(told(line.kind.as_str(), line.id, &record.body));
        return Ok(write.put_local(&record)?);
    };
    if !is_sealed && line.rev == local.rev && !is_same(node, line)? {
        // Two copies gave one number to two things: what is here is published again, above both. What either
        // shares no more of a profile is shared no more.
        let mut record = local;
        record.shares = narrower(node, &record, line);
        record.edit += 1;
        return Ok(write.put_local(&record)?);
    }
    if line.rev <= local.rev {
        return Ok(());
    }
    let is_narrow =
        local.scope.min(local.ceiling) < Scope::from(line.scope) || local.life != Life::Active;
    // What was changed here and not sealed: the younger text stays, and what is shared no more is not shared.
    let is_edited = local.edit != local.sealed_edit;
    let keeps = is_edited && local.at > line.at;
    let mut is_more = false;
    let mut record = local;
    if is_narrow {
        came.narrowed += 1;
    } else {
        let shares = is_edited.then(|| narrower(node, &record, line)).flatten();
        if keeps {
            record.shares = shares;
        } else {
            let (body, published) = merged(node, &record, line);
            is_more = shares.is_some() && shares != published;
            record.body = body;
            record.shares = shares.or(published);
            record.at = line.at;
            came.newer
                .push(told(line.kind.as_str(), line.id, &record.body));
        }
        record.edit += 1;
        write.put_local(&record)?;
    }
    // Of a branch nothing is sealed here: what is published next goes above it.
    let is_whole = is_sealed && !is_narrow && !keeps && !is_more;
    let sealed_edit = if is_whole {
        record.edit
    } else {
        record.sealed_edit
    };
    Ok(write.note_sealed(&line.id, sealed_edit, line.rev, line.by)?)
}

/// Whether a line is the one that is live here.
fn is_same(node: &Node, line: &Line<'_>) -> Result<bool> {
    let sealed = node.store.sealed(&line.id)?;
    Ok(sealed.iter().any(|sealed| sealed.line_hash == line.hash))
}

/// A local record made of a published line.
fn restored(
    node: &Node,
    names: &BTreeMap<By, RecordId>,
    line: &Line<'_>,
    is_sealed: bool,
) -> LocalRecord {
    let body = Body::read(&line.kind, line.schema_version, node.own_id(), line.body()).ok();
    let author = match line.by {
        By::User(user) => Some(user),
        By::Pseudonym(_) => names.get(&line.by).copied(),
        By::Instance => None,
    };
    let shares = match &body {
        Some(Body::User(profile)) => Some(shares_of(profile)),
        _ => None,
    };
    LocalRecord {
        id: line.id,
        kind: line.kind.clone(),
        author,
        scope: line.scope.into(),
        ceiling: Scope::Public,
        life: Life::Active,
        body: line.body().to_owned(),
        shares,
        parent: body.as_ref().and_then(|body| body.parent(node.own_id())),
        created_at: created_at(line),
        at: line.at,
        edit: 1,
        sealed_edit: u64::from(is_sealed),
        rev: line.rev,
        left_by: Some(line.by),
    }
}

/// When a record was first written: its body says so where its kind has it.
fn created_at(line: &Line<'_>) -> Timestamp {
    let body: serde_json::Value = serde_json::from_str(line.body()).unwrap_or_default();
    let written = body.get("created_at").and_then(|at| at.as_str());
    written.and_then(|at| at.parse().ok()).unwrap_or(line.at)
}

fn is_nameless(record: &LocalRecord) -> bool {
    record.author.is_none() && record.left_by.is_some_and(|by| by != By::Instance)
}

/// What a published profile shares.
fn shares_of(profile: &User) -> ProfileShares {
    ProfileShares {
        handle: profile.handle.is_some(),
        display_name: profile.display_name.is_some(),
        bio: profile.bio.is_some(),
        avatar: profile.avatar.is_some(),
        home: profile.home.is_some(),
        inviter: profile.inviter.is_some(),
        attributes: profile.attributes.is_some(),
    }
}

/// What of a profile is shared by this copy and by a published line.
fn narrower(node: &Node, local: &LocalRecord, line: &Line<'_>) -> Option<ProfileShares> {
    let here = local.shares?;
    let read = Body::read(&line.kind, line.schema_version, node.own_id(), line.body());
    let Ok(Body::User(profile)) = read else {
        return Some(here);
    };
    let there = shares_of(&profile);
    Some(ProfileShares {
        handle: here.handle && there.handle,
        display_name: here.display_name && there.display_name,
        bio: here.bio && there.bio,
        avatar: here.avatar && there.avatar,
        home: here.home && there.home,
        inviter: here.inviter && there.inviter,
        attributes: here.attributes && there.attributes,
    })
}

/// The body after a later revision was published. Of a profile, what was not shared then is what it was here,
/// and is shared no more.
pub(crate) fn merged(
    node: &Node,
    local: &LocalRecord,
    line: &Line<'_>,
) -> (String, Option<ProfileShares>) {
    let read = |text: &str| match Body::read(&line.kind, line.schema_version, node.own_id(), text) {
        Ok(Body::User(profile)) => Some(profile),
        _ => None,
    };
    let (Some(here), Some(there)) = (read(&local.body), read(line.body())) else {
        return (line.body().to_owned(), local.shares);
    };
    let shares = shares_of(&there);
    let profile = User {
        handle: there.handle.or(here.handle),
        display_name: there.display_name.or(here.display_name),
        bio: there.bio.or(here.bio),
        avatar: there.avatar.or(here.avatar),
        home: there.home.or(here.home),
        inviter: there.inviter.or(here.inviter),
        attributes: there.attributes.or(here.attributes),
    };
    let body = serde_json::to_string(&Body::User(profile));
    (
        body.expect("a body has string keys and serialises"),
        Some(shares),
    )
}

/// What this copy takes for published and the feed took back since.
fn take_back_again(
    node: &Node,
    write: &Write<'_>,
    now: Timestamp,
    came: &mut CameBack,
) -> Result<()> {
    let mut gone: Vec<LocalRecord> = Vec::new();
    // What an older copy missed was erased by a newer one of the same owner. Nothing says so where this is none.
    let is_older = node.store.guard() == GuardStanding::Suspect;
    node.store.each_local(|record| -> Result<()> {
        if record.sealed_edit > 0 && node.store.sealed(&record.id)?.is_empty() {
            gone.push(record);
        }
        Ok(())
    })?;
    for mut record in gone {
        let last = node.store.last_retract(&record.id)?;
        let rev = last.map_or(record.rev, |last| last.rev);
        let reason = last.and_then(|last| last.reason);
        let may_erase = is_older || last.is_some_and(|last| last.sealed_here);
        let told = told(record.kind.as_str(), record.id, &record.body);
        record.at = now;
        record.edit += 1;
        if reason == Some(Reason::Erase) && may_erase {
            record.life = Life::Deleted;
            node.store.private().forget_records(&[record.id])?;
            write.put_local(&record)?;
            write.note_retracted(&record.id, rev, Reason::Erase)?;
            came.erased.push(told);
        } else {
            record.scope = Scope::Private;
            write.put_local(&record)?;
            write.note_retracted(&record.id, rev, Reason::Scope)?;
            came.private_unsure += u64::from(reason.is_none());
            came.private_erased += u64::from(reason == Some(Reason::Erase));
            came.private.push(told);
        }
    }
    Ok(())
}

/// What another copy took back is taken back, also where it is live here.
fn take_back_of_branch(
    node: &Node,
    write: &Write<'_>,
    (id, rev, reason): (&RecordId, u64, Option<Reason>),
    now: Timestamp,
    came: &mut CameBack,
) -> Result<()> {
    // What this feed took back as well was decided here, whatever became of it since.
    let last = node.store.last_retract(id)?;
    if last.is_some_and(|last| last.rev >= rev) {
        return Ok(());
    }
    let Some(mut record) = write.local(id)? else {
        return Ok(());
    };
    let reason = match reason {
        Some(reason) => Some(reason),
        None => node.store.aside_retract(id, rev)?,
    };
    // As with what the own feed took back: it may have been a thief where this is no older copy.
    let may_erase = node.store.guard() == GuardStanding::Suspect;
    let erases = reason == Some(Reason::Erase) && may_erase;
    let is_done = record.life == Life::Deleted || (!erases && record.scope == Scope::Private);
    if is_done {
        return Ok(());
    }
    let told = told(record.kind.as_str(), record.id, &record.body);
    came.back.retain(|back| back.id != *id);
    came.newer.retain(|newer| newer.id != *id);
    record.at = now;
    record.edit += 1;
    record.rev = record.rev.max(rev);
    if erases {
        record.life = Life::Deleted;
        node.store.private().forget_records(&[*id])?;
        came.erased.push(told);
    } else {
        record.scope = Scope::Private;
        came.private_unsure += u64::from(reason.is_none());
        came.private_erased += u64::from(reason == Some(Reason::Erase));
        came.private.push(told);
    }
    let rev = record.rev;
    write.put_local(&record)?;
    // Where it is live here the next sealing takes it back; else there is nothing to wait for.
    if node.store.sealed(id)?.is_empty() {
        let reason = if erases { Reason::Erase } else { Reason::Scope };
        write.note_retracted(id, rev, reason)?;
    }
    Ok(())
}

/// Members whose profile came back have an account again, with no way to log in until a steward gives one;
/// one whose profile was erased has none any more.
fn accounts(node: &Node, now: Timestamp, came: &mut CameBack) -> Result<()> {
    let private = node.store.private();
    let known = private.accounts()?;
    let erased: BTreeSet<RecordId> = came.erased.iter().map(|told| told.id).collect();
    for account in known
        .iter()
        .filter(|account| erased.contains(&account.user))
    {
        private.put_account(&Account {
            state: AccountState::Gone,
            ..account.clone()
        })?;
    }
    let mut missing: Vec<LocalRecord> = Vec::new();
    node.store.each_local(|record| -> Result<()> {
        let is_known = known.iter().any(|account| account.user == record.id);
        if record.kind.as_str() == "user" && record.life == Life::Active && !is_known {
            missing.push(record);
        }
        Ok(())
    })?;
    for record in missing {
        let profile: User = serde_json::from_str(&record.body).unwrap_or_default();
        let handle = free_handle(node, profile.handle, &record.id)?;
        private.put_account(&Account {
            user: record.id,
            handle: handle.clone(),
            state: AccountState::Approved,
            role: Role::Member,
            created_at: now,
        })?;
        came.accounts.push(handle);
    }
    Ok(())
}

/// The handle of a profile, or one of its id where it has none that is free.
fn free_handle(node: &Node, wanted: Option<String>, id: &RecordId) -> Result<String> {
    if let Some(handle) = wanted
        && crate::command::user_add::check_handle(&handle).is_ok()
        && node.store.private().account(&handle)?.is_none()
        && !is_reserved(node, &handle)?
    {
        return Ok(handle);
    }
    let digits: String = id
        .to_string()
        .chars()
        .rev()
        .filter(|c| *c != '-')
        .take(8)
        .collect();
    Ok(format!("member-{digits}"))
}
