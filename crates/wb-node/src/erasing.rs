//! Erasing an account: what it wrote, what is kept about it, and that no older copy brings it back.
//!
//! The list beside the guard comes first, then what the private file keeps by the records, then the main file, and
//! the account in the private file last. Whoever is on the list is erased
//! whenever a folder is opened, so a crash in between is finished, and a database from before is brought in line.

use wb_core::id::RecordId;
use wb_core::kinds::Status;
use wb_core::leave::Life;
use wb_core::scope::{By, FeedScope};
use wb_core::time::Timestamp;
use wb_store::{
    Account, AccountState, AuditRow, ErasedList, ErasedRecords, PrivateTraces, Role, Store, Write,
};

use crate::command::status_say::{before_taking_back, put};
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::node::Node;

/// Members of a body that name a person; without them the rest of it stands.
const NAMING: [&str; 3] = ["inviter", "issuer_user", "subject_user"];

/// Accounts here that are on the list and not erased: this database is older than that, or it was cut off.
///
/// # Errors
/// What the store reports, or that the list is damaged.
pub(crate) fn due(store: &Store) -> Result<Vec<Account>> {
    let Some(list) = ErasedList::read(store.home())? else {
        return Ok(Vec::new());
    };
    let mut accounts = store.private().accounts()?;
    accounts.retain(|account| account.state != AccountState::Gone && list.has_user(&account.user));
    Ok(accounts)
}

/// Erases again whoever is due.
///
/// # Errors
/// What stands in the way.
pub(crate) fn finish(node: &Node) -> Result<()> {
    if node.store.unwritable().is_some() {
        return Ok(());
    }
    let due = due(&node.store)?;
    for account in &due {
        let heir = match heir(node, &account.user)? {
            Some(heir) => heir,
            // Nobody here could look after this instance: an admin without a past does.
            None => blank_admin(node)?,
        };
        erase(node, account, &heir, None)?;
    }
    if !due.is_empty() {
        let _ = node.store.home().drop_snapshots();
    }
    Ok(())
}

/// Who looks after what remains: whom commands act as, else the admin who is here longest.
pub(crate) fn heir(node: &Node, gone: &RecordId) -> Result<Option<RecordId>> {
    let mut admins = node.store.private().accounts()?;
    admins.retain(|account| {
        account.role == Role::Admin
            && account.state == AccountState::Approved
            && account.user != *gone
    });
    let founder = node.store.founder()?;
    admins.sort_by_key(|account| (Some(account.user) != founder, account.created_at));
    Ok(admins.first().map(|account| account.user))
}

fn blank_admin(node: &Node) -> Result<RecordId> {
    let now = node.now();
    let user = entropy::record_id(now);
    let handle = format!("admin-{}", &entropy::token().to_string()[..8]);
    let write = node.store.write_in_sight()?;
    let profile = crate::command::user_add::profile_record(user, &handle, node.own_id(), now);
    write.put_local(&profile)?;
    write.commit()?;
    node.store.private().put_account(&Account {
        user,
        handle,
        state: AccountState::Approved,
        role: Role::Admin,
        created_at: now,
    })?;
    Ok(user)
}

/// Erases an account. Repeating it changes nothing.
///
/// # Errors
/// What stands in the way; what was done counts, and the rest is done when the folder is opened next.
pub(crate) fn erase(
    node: &Node,
    account: &Account,
    heir: &RecordId,
    by: Option<&RecordId>,
) -> Result<ErasedRecords> {
    let (now, user) = (node.now(), account.user);
    let write = node.store.write_in_sight()?;
    put_on_list(node, account)?;
    let mut wrote = node.store.written_by(&user)?;
    let said = said_anew(node, &wrote, &user)?;
    let list = ErasedList::read(node.store.home())?;
    for (id, left_by) in node.store.nameless()? {
        if list.as_ref().is_some_and(|list| list.has_name(&left_by)) {
            wrote.push(id);
        }
    }
    forget_records(node, &wrote)?;
    let mut erased = ErasedRecords::default();
    for id in &wrote {
        erased += write.erase_record(id)?;
    }
    for id in node.store.records_that_name(&user.to_string())? {
        erased += forget_name(&write, &id, now)?;
    }
    write.erase_void_of_erased()?;
    // A need that was met is not open again because whoever said so is gone.
    for event in said {
        put(node, &write, event, None, now)?;
    }
    if node.store.founder()? == Some(user) {
        write.put_founder(heir)?;
    }
    node.store.note_erasing()?;
    write.commit()?;
    let nobody = entropy::record_id(now);
    let traces = PrivateTraces {
        user: &user,
        handle: &account.handle,
        nobody: &nobody,
    };
    node.store.private().together(|private| {
        crate::letters::take_back_of(private, &user, now)?;
        crate::offers::forget_member(node, private, &user, &wrote, now)?;
        private.erase_account(&traces)?;
        // Who erased itself is nobody now.
        let actor = by.map(|by| if *by == user { nobody } else { *by });
        Ok::<_, NodeError>(private.audit(&AuditRow {
            at: now,
            actor,
            act: "user erase".to_owned(),
            target: nobody.to_string(),
            detail: format!(
                "{} records, {} of them shared",
                erased.records, erased.shared
            ),
        })?)
    })?;
    node.store.empty_logs()?;
    Ok(erased)
}

/// Removes ways to reach somebody about records, before their texts go: whoever is cut off after that would not find
/// them again.
pub(crate) fn forget_records(node: &Node, records: &[RecordId]) -> Result<()> {
    let (private, now) = (node.store.private(), node.now());
    private.together(|private| {
        crate::letters::forget_contacts(private, records, now)?;
        Ok::<_, NodeError>(private.forget_records(records)?)
    })
}

/// The names that records of a member left under.
fn names(node: &Node, user: &RecordId) -> Vec<By> {
    let pseudonyms = FeedScope::ALL.into_iter();
    let pseudonyms = pseudonyms.map(|scope| By::Pseudonym(node.secret().pseudonym(scope, user)));
    std::iter::once(By::User(*user)).chain(pseudonyms).collect()
}

/// Called while writing is locked, so that of two who write the list neither is lost.
fn put_on_list(node: &Node, account: &Account) -> Result<()> {
    let home = node.store.home();
    let list = ErasedList::read(home)?;
    let mut list = list.unwrap_or_else(|| ErasedList::new(entropy::salt()));
    if !list.has_user(&account.user) {
        list.add(&account.user, &account.handle, &names(node, &account.user));
        list.write(home)?;
    }
    Ok(())
}

/// What this instance says anew of requests of others about which a member had its last word: the value shown, without
/// the member's words.
fn said_anew(node: &Node, wrote: &[RecordId], user: &RecordId) -> Result<Vec<Status>> {
    let mut said = Vec::new();
    for id in wrote {
        let record = node.store.local(id)?;
        let Some(record) = record.filter(|record| record.kind.as_str() == "status") else {
            continue;
        };
        let own_request = record.parent.filter(|of| of.origin == node.own_id());
        let about = match own_request {
            Some(of) => node.store.local(&of.id)?,
            None => None,
        };
        // A request goes with what was said of it.
        let goes_as_well = about.is_some_and(|about| about.author == Some(*user));
        if !goes_as_well {
            said.extend(before_taking_back(node, &record)?);
        }
    }
    Ok(said)
}

/// Takes a member out of a record of somebody else; one that is about nothing else is erased.
fn forget_name(write: &Write<'_>, id: &RecordId, now: Timestamp) -> Result<ErasedRecords> {
    let Some(mut record) = write.local(id)? else {
        return Ok(ErasedRecords::default());
    };
    let body: serde_json::Value = serde_json::from_str(&record.body).unwrap_or_default();
    let serde_json::Value::Object(mut body) = body else {
        return Ok(ErasedRecords::default());
    };
    match record.kind.as_str() {
        "user" | "vouch" => {
            body.retain(|member, _| !NAMING.contains(&member.as_str()));
            record.body = serde_json::Value::Object(body).to_string();
            record.at = now;
            record.edit += 1;
            write.put_local(&record)?;
            Ok(ErasedRecords::default())
        }
        "member_vouch" => Ok(write.erase_record(id)?),
        // What others wrote in their own words is theirs.
        _ => Ok(ErasedRecords::default()),
    }
}

/// Makes tombstones of what came back from a hub or a bundle, and is of somebody who was erased.
///
/// # Errors
/// What stands in the way.
pub(crate) fn erase_what_came_back(node: &Node) -> Result<ErasedRecords> {
    let Some(list) = ErasedList::read(node.store.home())? else {
        return Ok(ErasedRecords::default());
    };
    let write = node.store.write_in_sight()?;
    let mut found = Vec::new();
    node.store.each_local(|record| -> Result<()> {
        let is_theirs = record.author.is_some_and(|author| list.has_user(&author))
            || record.left_by.is_some_and(|by| list.has_name(&by))
            || (record.kind.as_str() == "user" && list.has_user(&record.id));
        if is_theirs && !(record.life == Life::Deleted && record.author.is_none()) {
            found.push(record.id);
        }
        Ok(())
    })?;
    forget_records(node, &found)?;
    let mut erased = ErasedRecords::default();
    for id in &found {
        erased += write.erase_record(id)?;
    }
    write.erase_void_of_erased()?;
    if erased.records > 0 {
        node.store.note_erasing()?;
    }
    write.commit()?;
    if erased.records > 0 {
        node.store.empty_logs()?;
    }
    Ok(erased)
}

/// Whether a handle was that of somebody who was erased. Nobody takes it by themselves: elsewhere it still means them.
///
/// # Errors
/// That the list cannot be read.
pub(crate) fn is_reserved(node: &Node, handle: &str) -> Result<bool> {
    let list = ErasedList::read(node.store.home())?;
    Ok(list.is_some_and(|list| list.has_handle(handle)))
}
