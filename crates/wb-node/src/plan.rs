//! What would be published now, and why the rest stays home.
//!
//! The preview and the publishing itself both run [`plan`], so the list shown is the list sealed.
//! Every decision is `may_leave`'s; here its arguments are gathered.

use std::cell::RefCell;
use std::collections::BTreeMap;

use wb_core::entry::Reason;
use wb_core::id::{RecordId, RecordRef};
use wb_core::kinds::{Body, User, known_version};
use wb_core::leave::{
    self, Account, Author, Candidate, Content, Leaving, Life, Parent, Stays, leaving_scope,
    may_leave,
};
use wb_core::limits::{BODY_BYTES_MAX, NUMBER_MAX};
use wb_core::scope::{By, FeedScope, Kind, Scope};
use wb_core::show::Cause;
use wb_core::time::Timestamp;
use wb_store::{
    AccountState, Belongs, Filter, HEADS_NOT_COMPARED, InviteRow, LocalRecord, LogDue, NewLog,
};

use crate::command::retire::{Retirement, retirement};
use crate::error::{NodeError, Result};
use crate::node::Node;

/// Kinds that an instance writes itself (spec: records, `by`). A member says where a request stands; the instance
/// does where the value shown is said anew.
pub(crate) const SPEAKS_ITSELF: [&str; 5] = ["card", "vouch", "helper", "status", "notice"];

/// A revision to seal.
#[derive(Debug)]
pub struct Put {
    /// What leaves.
    pub leaving: Leaving,
    /// Its revision.
    pub rev: u64,
    /// The local change it stands for.
    pub edit: u64,
    /// Whether the record was in this feed before.
    pub is_new: bool,
}

/// A record to take back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retract {
    /// The record.
    pub id: RecordId,
    /// Its kind.
    pub kind: String,
    /// The feed.
    pub scope: FeedScope,
    /// Why, for the receivers.
    pub reason: Reason,
    /// The revision taken back.
    pub rev: u64,
    /// What keeps it home now; none when it moves to another feed.
    pub cause: Option<Stays>,
}

/// A record that stays home although its author would share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// The record.
    pub id: RecordId,
    /// Its kind.
    pub kind: String,
    /// Why.
    pub cause: Stays,
    /// The scope its author chose.
    pub scope: Scope,
}

/// What would be published.
#[derive(Debug, Default)]
pub struct Plan {
    /// Revisions to seal, in the order they are sealed.
    pub puts: Vec<Put>,
    /// Records to take back.
    pub retracts: Vec<Retract>,
    /// Records already published and unchanged: id and kind.
    pub unchanged: Vec<(RecordId, String)>,
    /// Records that stay home, with the cause; private ones included.
    pub stays: Vec<Stay>,
    /// New logs that are opened by it, also where there is nothing else to seal.
    pub new_logs: Vec<LogDue>,
}

impl Plan {
    /// Whether there is nothing to seal.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.puts.is_empty() && self.retracts.is_empty() && self.new_logs.is_empty()
    }

    /// The new log that a feed is to go on in.
    #[must_use]
    pub fn opens(&self, scope: FeedScope) -> Option<NewLog> {
        let due = self.new_logs.iter().find(|due| due.scope == scope);
        due.map(|due| due.opens)
    }
}

/// Works out what would be published now.
///
/// # Errors
/// What the store reports.
pub fn plan(node: &Node, now: Timestamp) -> Result<Plan> {
    let gather = Gather::new(node, now)?;
    let mut plan = Plan {
        new_logs: node.store.new_logs_due()?,
        ..Plan::default()
    };
    node.store
        .each_local(|record| -> Result<()> { gather.place(&mut plan, &record) })?;
    plan.puts
        .sort_by_key(|put| (rank(put.leaving.kind().as_str()), put.leaving.id()));
    Ok(plan)
}

/// The order within a publish: profiles, then requests, then what refers to them.
pub(crate) fn rank(kind: &str) -> u8 {
    match kind {
        "user" => 0,
        "request" => 1,
        _ => 2,
    }
}

/// How far a local record goes now, or why it stays.
///
/// # Errors
/// What the store reports.
pub fn reach(
    node: &Node,
    record: &LocalRecord,
    now: Timestamp,
) -> Result<std::result::Result<FeedScope, Stays>> {
    Reaches::new(node, now)?.of(record)
}

/// The same for many records at one time.
pub(crate) struct Reaches<'n>(Gather<'n>);

impl<'n> Reaches<'n> {
    pub(crate) fn new(node: &'n Node, now: Timestamp) -> Result<Self> {
        Ok(Self(Gather::new(node, now)?))
    }

    /// How far a local record goes, or why it stays.
    pub(crate) fn of(&self, record: &LocalRecord) -> Result<std::result::Result<FeedScope, Stays>> {
        Ok(match self.0.closed(&record.kind) {
            Some(cause) => Err(cause),
            None => leaving_scope(&self.0.candidate(record)?),
        })
    }
}

/// Everything beyond a record that decides whether it leaves.
struct Gather<'n> {
    node: &'n Node,
    now: Timestamp,
    accounts: BTreeMap<RecordId, Account>,
    profiles: BTreeMap<RecordId, Scope>,
    invites: BTreeMap<RecordId, InviteRow>,
    /// Whether the instance was closed: then nothing but its card leaves, which says so.
    is_retired: bool,
    /// Whether anybody is in the trusted audience.
    has_audience: bool,
    /// Parents worked out before: a request with many comments is asked for many times.
    parents: RefCell<BTreeMap<RecordRef, Parent>>,
}

impl<'n> Gather<'n> {
    fn new(node: &'n Node, now: Timestamp) -> Result<Self> {
        let private = node.store.private();
        let provisional = private.provisional()?;
        let accounts = private.accounts()?.into_iter().map(|account| {
            let state = match account.state {
                AccountState::Approved if provisional.contains(&account.user) => {
                    Account::Provisional
                }
                AccountState::Approved => Account::Approved,
                AccountState::Pending => Account::Pending,
                AccountState::Gone => Account::Gone,
            };
            (account.user, state)
        });
        let invites = private
            .invites()?
            .into_iter()
            .map(|invite| (invite.record, invite));
        let mut gather = Self {
            node,
            now,
            is_retired: matches!(retirement(node)?, Retirement::Retired(_)),
            accounts: accounts.collect(),
            profiles: BTreeMap::new(),
            invites: invites.collect(),
            has_audience: node
                .store
                .audience()?
                .iter()
                .any(|row| row.belongs == Belongs::In),
            parents: RefCell::default(),
        };
        // How far each profile goes decides under which name its owner's records leave.
        let users: Vec<RecordId> = gather.accounts.keys().copied().collect();
        for user in users {
            if let Some(record) = node.store.local(&user)? {
                let scope =
                    leaving_scope(&gather.candidate(&record)?).map_or(Scope::Private, Scope::from);
                gather.profiles.insert(user, scope);
            }
        }
        Ok(gather)
    }

    fn place(&self, plan: &mut Plan, record: &LocalRecord) -> Result<()> {
        let candidate = self.candidate(record)?;
        let sealed = self.node.store.sealed(&record.id)?;
        let kind = record.kind.to_string();
        let leaves = match self.closed(&record.kind) {
            Some(cause) => Err(cause),
            None => may_leave(&candidate, self.node.secret()),
        };
        let (target, cause) = match leaves {
            Ok(leaving) => (Some(leaving), None),
            Err(cause) => (None, Some(cause)),
        };
        let is_unchanged = !sealed.is_empty() && record.sealed_edit == record.edit;
        // A log that starts from nothing holds nothing yet: what is not put in it is taken back by that, and
        // told so.
        let goes_on = !sealed
            .iter()
            .any(|line| plan.opens(line.scope) == Some(NewLog::Afresh));
        if goes_on
            && cause == Some(Stays::ParentUnknown)
            && is_unchanged
            && !self.has_seen(record.parent)?
        {
            // It was published under a request that was known then. That nothing of it is here any more is
            // no word of whoever wrote it.
            plan.unchanged.push((record.id, kind));
            return Ok(());
        }
        let target_scope = target.as_ref().map(Leaving::scope);
        let reason = match cause {
            Some(_) if !sealed.is_empty() => self.node.store.retract_reason(&record.id)?,
            _ => None,
        };
        for line in sealed
            .iter()
            .filter(|line| Some(line.scope) != target_scope)
        {
            // Also where its author had kept it home before, and that was not published yet.
            let is_erased = matches!(cause, Some(Stays::Deleted | Stays::AuthorGone))
                || record.life == Life::Deleted;
            plan.retracts.push(Retract {
                id: record.id,
                kind: kind.clone(),
                scope: line.scope,
                reason: if is_erased {
                    Reason::Erase
                } else {
                    reason.unwrap_or(Reason::Scope)
                },
                rev: line.rev,
                cause,
            });
        }
        if let Some(cause) = cause {
            plan.stays.push(Stay {
                id: record.id,
                kind: kind.clone(),
                cause,
                scope: record.scope,
            });
        }
        let Some(leaving) = target else { return Ok(()) };
        let is_live = sealed.iter().any(|line| line.scope == leaving.scope());
        // A log that starts from nothing holds nothing yet, whatever was live before.
        let is_afresh = plan.opens(leaving.scope()) == Some(NewLog::Afresh);
        if is_live && !is_afresh && record.sealed_edit == record.edit {
            plan.unchanged.push((record.id, kind));
        } else {
            let above = if plan.new_logs.is_empty() {
                record.rev
            } else {
                record.rev.max(self.node.store.highest_seen(&record.id)?)
            };
            if above >= NUMBER_MAX {
                // One record must not keep all others home.
                plan.stays.push(Stay {
                    id: record.id,
                    kind,
                    cause: Stays::NumbersUsedUp,
                    scope: record.scope,
                });
                return Ok(());
            }
            plan.puts.push(Put {
                leaving,
                rev: above + 1,
                edit: record.edit,
                is_new: !is_live,
            });
        }
        Ok(())
    }

    fn closed(&self, kind: &Kind) -> Option<Stays> {
        (self.is_retired && kind.as_str() != "card").then_some(Stays::Retired)
    }

    fn candidate(&self, record: &LocalRecord) -> Result<Candidate> {
        Ok(Candidate {
            id: record.id,
            kind: record.kind.clone(),
            content: self.content(record)?,
            scope: record.scope,
            ceiling: record.ceiling,
            life: record.life,
            author: self.author(record),
            parent: self.parent(record.parent)?,
            has_audience: self.has_audience,
            at: record.at,
            left_by: record.left_by,
            session: None,
        })
    }

    fn author(&self, record: &LocalRecord) -> Author {
        match record.author {
            // It came back from what this instance had published, and the account did not.
            None if let Some(by) = record.left_by.filter(|by| *by != By::Instance) => {
                Author::Known(by)
            }
            None if SPEAKS_ITSELF.contains(&record.kind.as_str()) => Author::Instance,
            // Somebody wrote it, and nobody knows who: it must not leave as the instance's own words.
            None => Author::Member {
                user: record.id,
                account: Account::Gone,
                profile: Scope::Private,
            },
            Some(user) => Author::Member {
                user,
                account: self.accounts.get(&user).copied().unwrap_or(Account::Gone),
                profile: self.profiles.get(&user).copied().unwrap_or(Scope::Private),
            },
        }
    }

    fn content(&self, record: &LocalRecord) -> Result<Content> {
        if known_version(record.kind.as_str()).is_none() {
            return Ok(Content::HomeOnly);
        }
        // Too long for a record, or erased, so that there is no body any more: either stays.
        let fits = record.body.len() <= BODY_BYTES_MAX;
        let body = Body::read(&record.kind, 1, self.node.own_id(), &record.body).ok();
        let Some(body) = body.filter(|_| fits) else {
            return Ok(Content::Unfit);
        };
        Ok(match body {
            Body::User(profile) => Content::Profile {
                profile: self.without_hidden_inviter(profile, record)?,
                shares: record.shares.unwrap_or_default(),
            },
            body @ Body::Invite(_) => {
                let open = self
                    .invites
                    .get(&record.id)
                    .is_some_and(|invite| invite.is_open(self.now));
                Content::Invite { body, open }
            }
            body => Content::Record(body),
        })
    }

    /// A profile without a reference to an inviter whose own profile does not go as far, here or at their home.
    fn without_hidden_inviter(&self, mut profile: User, record: &LocalRecord) -> Result<User> {
        let reach = record.scope.min(record.ceiling);
        if let Some(inviter) = profile.inviter {
            let goes = if inviter.origin == self.node.own_id() {
                self.profiles.get(&inviter.id).copied()
            } else {
                self.shared_elsewhere(inviter)?
            };
            if goes.is_none_or(|scope| scope < reach) {
                profile.inviter = None;
            }
        }
        Ok(profile)
    }

    /// How far another instance shares a profile; none where it is not known here.
    fn shared_elsewhere(&self, profile: RecordRef) -> Result<Option<Scope>> {
        let filter = Filter {
            origin: Some(profile.origin),
            id: Some(profile.id),
            ..Filter::default()
        };
        let found = self.node.store.records(&filter)?.into_iter().next();
        Ok(found.map(|row| row.scope))
    }

    fn parent(&self, parent: Option<RecordRef>) -> Result<Parent> {
        let Some(parent) = parent else {
            return Ok(Parent::None);
        };
        if let Some(known) = self.parents.borrow().get(&parent) {
            return Ok(*known);
        }
        let found = self.find_parent(parent)?;
        self.parents.borrow_mut().insert(parent, found);
        Ok(found)
    }

    /// Whether anything of a record was ever held here.
    fn has_seen(&self, parent: Option<RecordRef>) -> Result<bool> {
        match parent {
            Some(parent) => Ok(self.node.store.has_mark(&parent)?),
            None => Ok(true),
        }
    }

    fn find_parent(&self, parent: RecordRef) -> Result<Parent> {
        if parent.origin == self.node.own_id() {
            let Some(record) = self.node.store.local(&parent.id)? else {
                return Ok(Parent::Unknown);
            };
            let scope =
                leaving_scope(&self.candidate(&record)?).map_or(Scope::Private, Scope::from);
            return Ok(Parent::Scope(scope));
        }
        let filter = Filter {
            origin: Some(parent.origin),
            id: Some(parent.id),
            hidden_too: true,
            ..Filter::default()
        };
        // Hidden until heads are compared is not taken back.
        let shown = self.node.store.records(&filter)?.into_iter().find(|row| {
            let hidden = row.hidden.as_deref();
            // Nor does what a hub says about it take back what was said here.
            let stays = [HEADS_NOT_COMPARED, Cause::WithheldByHub.as_str()];
            hidden.is_none_or(|hidden| stays.contains(&hidden))
        });
        Ok(match shown {
            None => Parent::Unknown,
            // The audience of its origin is not the one here: an answer could reach whom it is not for.
            Some(row) if row.scope == Scope::TrustedPeers => Parent::TrustedElsewhere,
            Some(row) => Parent::Scope(row.scope),
        })
    }
}

/// A short text that tells people which record is meant: its title, or the start of its text.
#[must_use]
pub fn headline(kind: &str, body: &str) -> String {
    const CHARS_MAX: usize = 60;
    let value: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let text = |key: &str| {
        value
            .get(key)
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let found = match kind {
        "user" => {
            let name = text("display_name");
            if name.is_empty() {
                text("handle")
            } else {
                name
            }
        }
        "request" | "skill" => text("title"),
        "comment" => text("body"),
        "status" => text("to"),
        "card" => text("name"),
        "invite" => text("suggested_handle"),
        "vouch" => text("basis"),
        "notice" => text("reason"),
        _ => String::new(),
    };
    let line = found.lines().next().unwrap_or_default();
    if line.chars().count() > CHARS_MAX {
        line.chars().take(CHARS_MAX - 1).chain(['…']).collect()
    } else {
        line.to_owned()
    }
}

/// Counts the causes that keep records home.
#[must_use]
pub fn count_stays(stays: &[Stay]) -> BTreeMap<Stays, u64> {
    let mut counts = BTreeMap::new();
    for stay in stays {
        *counts.entry(stay.cause).or_default() += 1;
    }
    counts
}

impl From<leave::Stays> for NodeError {
    fn from(cause: Stays) -> Self {
        Self::Refused(format!("it stays home: {}", cause.sentence()))
    }
}
