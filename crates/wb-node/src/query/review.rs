//! `wb review list`: people and communities that wait for a decision.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::time::Timestamp;
use wb_store::{Account, AccountState, Filter, Standing};

use super::hub_notices::that_only_speak;
use super::invited::{Invitations, InvitedView, inviter_of, is_due};
use super::records::records;
use super::trust::{Outline, Trust, number};
use crate::error::Result;
use crate::node::Node;
use crate::view::SCHEMA_VERSION;

/// Headlines shown of a community.
const SAMPLE: usize = 5;

/// Who waits.
#[derive(Debug, Clone, Serialize)]
pub struct ReviewView {
    /// Version of this form.
    pub schema_version: u32,
    /// Accounts, the first to come first.
    pub accounts: Vec<AccountWaits>,
    /// Communities.
    pub origins: Vec<OriginWaits>,
    /// Communities that were shown by what others vouch, and fell: whether what was shown stays is asked.
    pub fallen: Vec<OriginFell>,
}

/// A community that fell.
#[derive(Debug, Clone, Serialize)]
pub struct OriginFell {
    /// Its id.
    pub id: InstanceId,
    /// Its name as it says, or the first digits of its id.
    pub name: String,
    /// When that was noticed.
    pub since: Timestamp,
    /// How far it is trusted here now.
    pub level: u8,
    /// Why it fell, in one sentence.
    pub why: String,
    /// Its records that are shown all the same.
    pub records: u64,
}

/// An account that waits.
#[derive(Debug, Clone, Serialize)]
pub struct AccountWaits {
    /// Its user record.
    pub user: RecordId,
    /// Its handle.
    pub handle: String,
    /// Since when.
    pub since: Timestamp,
    /// How it came, where that was by an invite of another instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invited: Option<InvitedView>,
    /// Whether it is in already, and a steward decides whether it counts as a member without its inviter.
    pub is_in: bool,
}

/// A community that waits.
#[derive(Debug, Clone, Serialize)]
pub struct OriginWaits {
    /// Its id.
    pub id: InstanceId,
    /// Its name as it says, or the first digits of its id.
    pub name: String,
    /// Since when it is known here.
    pub since: Timestamp,
    /// Records held and not shown, by kind.
    pub records: BTreeMap<String, u64>,
    /// Some of what its requests say.
    pub sample: Vec<String>,
    /// How far it is trusted here by what others vouch, 0 to 3.
    pub level: u8,
    /// The same in one sentence, with by whose word.
    pub why: String,
}

/// Who waits for a decision.
///
/// # Errors
/// What the store reports.
pub fn review(node: &Node) -> Result<ReviewView> {
    let private = node.store.private();
    let now = node.now();
    let due: BTreeSet<RecordId> = private
        .redemptions()?
        .into_iter()
        .filter(|redemption| is_due(redemption, now))
        .map(|redemption| redemption.user)
        .collect();
    let waiting = private.accounts()?.into_iter().filter(|account| {
        let is_due = account.state == AccountState::Approved && due.contains(&account.user);
        account.state == AccountState::Pending || is_due
    });
    let waiting: Vec<Account> = waiting.collect();
    let mut accounts = Vec::new();
    if !waiting.is_empty() {
        let invitations = Invitations::load(node)?;
        for account in waiting {
            let key = RecordRef {
                origin: node.own_id(),
                id: account.user,
            };
            accounts.push(AccountWaits {
                user: account.user,
                invited: invitations.of(&key, inviter_of(node, &account.user)?),
                is_in: account.state == AccountState::Approved,
                handle: account.handle,
                since: account.created_at,
            });
        }
    }
    accounts.sort_by_key(|account| account.since);
    let mut origins = Vec::new();
    let trust = Trust::of(node)?;
    let outline = trust.outline();
    let that_only_speak = that_only_speak(node)?;
    for instance in node.store.instances()? {
        if instance.standing != Standing::Waiting || that_only_speak.contains(&instance.id) {
            continue;
        }
        let filter = Filter {
            origin: Some(instance.id),
            hidden_too: true,
            ..Filter::default()
        };
        let mut held = records(node, &filter)?;
        // Of one that fell some are shown.
        held.retain(|record| record.base.hidden.is_some());
        if held.is_empty() {
            continue;
        }
        let mut counts = BTreeMap::new();
        for record in &held {
            *counts.entry(record.base.kind.to_string()).or_default() += 1;
        }
        let requests = held
            .iter()
            .filter(|record| record.base.kind.as_str() == "request");
        origins.push(OriginWaits {
            id: instance.id,
            name: instance.label(),
            since: instance.first_seen,
            level: number(outline.levels.get(&instance.id).copied()),
            why: trust.says(&outline, &instance.id),
            records: counts,
            sample: requests
                .take(SAMPLE)
                .map(|record| record.headline.clone())
                .collect(),
        });
    }
    Ok(ReviewView {
        schema_version: SCHEMA_VERSION,
        accounts,
        origins,
        fallen: fallen(node, &trust, &outline)?,
    })
}

/// Communities that fell, and of which nobody said yet whether what was shown stays.
fn fallen(node: &Node, trust: &Trust, outline: &Outline) -> Result<Vec<OriginFell>> {
    let fallen = node.store.fallen()?.into_iter().filter(|one| !one.kept);
    Ok(fallen
        .map(|one| OriginFell {
            id: one.id,
            name: trust.name(&one.id),
            since: one.at,
            level: number(outline.levels.get(&one.id).copied()),
            why: one.why,
            records: one.records,
        })
        .collect())
}
