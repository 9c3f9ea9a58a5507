//! What decides whether a record leaves, gathered for `may_leave`, and what comes of its answer.

use std::cell::RefCell;
use std::collections::BTreeMap;

use wb_core::entry::Reason;
use wb_core::id::{RecordId, RecordRef};
use wb_core::kinds::{Body, User, known_version};
use wb_core::leave::{
    Account, Author, Candidate, Content, Leaving, Life, Parent, Stays, leaving_scope, may_leave,
};
use wb_core::limits::{BODY_BYTES_MAX, NUMBER_MAX};
use wb_core::scope::{By, FeedScope, Kind, Scope};
use wb_core::show::Cause;
use wb_core::time::Timestamp;
use wb_store::{
    AccountState, Belongs, Filter, HEADS_NOT_COMPARED, LocalRecord, LogDue, NewLog, Sealed,
};

use super::{Put, Retract, SPEAKS_ITSELF, Stay, opens};
use crate::command::retire::{Retirement, retirement};
use crate::error::Result;
use crate::node::Node;

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
        // No new log has a say in how far a record goes.
        Ok(Self(Gather::new(node, now, Vec::new())?))
    }

    /// How far a local record goes, or why it stays.
    pub(crate) fn of(&self, record: &LocalRecord) -> Result<std::result::Result<FeedScope, Stays>> {
        Ok(match self.0.closed(&record.kind) {
            Some(cause) => Err(cause),
            None => self.0.far(record)?,
        })
    }
}

/// What a publish would do with one record.
pub(super) struct Verdict {
    /// A revision to seal.
    pub put: Option<Put>,
    /// What is taken back, of each feed that it is not to be in.
    pub retracts: Vec<Retract>,
    /// That it stays home, and why.
    pub stay: Option<Stay>,
    /// Whether it is published already and unchanged.
    pub is_unchanged: bool,
    /// How far it goes, or what keeps it home.
    pub reach: std::result::Result<FeedScope, Stays>,
    /// Whether that holds, once it is published so, until something happens that marks it.
    pub lasts: bool,
}

impl Verdict {
    /// Whether there is anything to seal of it.
    pub fn acts(&self) -> bool {
        self.put.is_some() || !self.retracts.is_empty()
    }
}

/// Everything beyond a record that decides whether it leaves, each looked up when it is asked for first.
pub(super) struct Gather<'n> {
    node: &'n Node,
    pub now: Timestamp,
    /// New logs that are to be opened.
    pub new_logs: Vec<LogDue>,
    /// Whether the instance was closed: then nothing but its card leaves, which says so.
    pub is_retired: bool,
    /// Whether anybody is in the trusted audience.
    pub has_audience: bool,
    accounts: RefCell<BTreeMap<RecordId, Account>>,
    /// How far each profile goes decides under which name its owner's records leave.
    profiles: RefCell<BTreeMap<RecordId, Option<Scope>>>,
    /// A request with many comments is asked for many times.
    parents: RefCell<BTreeMap<RecordRef, Parent>>,
}

impl<'n> Gather<'n> {
    pub fn new(node: &'n Node, now: Timestamp, new_logs: Vec<LogDue>) -> Result<Self> {
        let mut audience = node.store.audience()?.into_iter();
        Ok(Self {
            node,
            now,
            new_logs,
            is_retired: matches!(retirement(node)?, Retirement::Retired(_)),
            has_audience: audience.any(|row| row.belongs == Belongs::In),
            accounts: RefCell::default(),
            profiles: RefCell::default(),
            parents: RefCell::default(),
        })
    }

    /// What a publish would do with a record.
    pub fn verdict(&self, record: &LocalRecord) -> Result<Verdict> {
        let sealed = self.node.store.sealed(&record.id)?;
        let leaves = match self.closed(&record.kind) {
            Some(cause) => Err(cause),
            None => may_leave(&self.candidate(record)?, self.node.secret()),
        };
        let mut verdict = Verdict {
            put: None,
            retracts: Vec::new(),
            stay: None,
            is_unchanged: false,
            reach: leaves.as_ref().map(Leaving::scope).map_err(|cause| *cause),
            lasts: !self.hangs_on_no_request(record.parent)?,
        };
        match leaves {
            Ok(leaving) => self.put(&mut verdict, record, &sealed, leaving)?,
            Err(cause) => self.keep_home(&mut verdict, record, &sealed, cause)?,
        }
        Ok(verdict)
    }

    fn opens(&self, scope: FeedScope) -> Option<NewLog> {
        opens(&self.new_logs, scope)
    }

    /// What leaves is put where it is to be, if it is not there, and taken back elsewhere.
    fn put(
        &self,
        verdict: &mut Verdict,
        record: &LocalRecord,
        sealed: &[Sealed],
        leaving: Leaving,
    ) -> Result<()> {
        let elsewhere = sealed.iter().filter(|line| line.scope != leaving.scope());
        verdict.retracts = elsewhere
            .map(|line| retract(record, line, None, Reason::Scope))
            .collect();
        let is_live = sealed.iter().any(|line| line.scope == leaving.scope());
        // A log that starts from nothing holds nothing yet, whatever was live before.
        let is_afresh = self.opens(leaving.scope()) == Some(NewLog::Afresh);
        if is_live && !is_afresh && record.sealed_edit == record.edit {
            verdict.is_unchanged = true;
            return Ok(());
        }
        let above = if self.new_logs.is_empty() {
            record.rev
        } else {
            record.rev.max(self.node.store.highest_seen(&record.id)?)
        };
        if above >= NUMBER_MAX {
            // One record must not keep all others home.
            verdict.stay = Some(stay(record, Stays::NumbersUsedUp));
            verdict.lasts = false;
            return Ok(());
        }
        verdict.put = Some(Put {
            leaving,
            rev: above + 1,
            edit: record.edit,
            is_new: !is_live,
        });
        Ok(())
    }

    /// What stays home is taken back wherever it is.
    fn keep_home(
        &self,
        verdict: &mut Verdict,
        record: &LocalRecord,
        sealed: &[Sealed],
        cause: Stays,
    ) -> Result<()> {
        let is_unchanged = !sealed.is_empty() && record.sealed_edit == record.edit;
        // A log that starts from nothing holds nothing yet: what is not put in it is taken back by that, and
        // told so.
        let goes_on = !sealed
            .iter()
            .any(|line| self.opens(line.scope) == Some(NewLog::Afresh));
        if goes_on
            && cause == Stays::ParentUnknown
            && is_unchanged
            && !self.has_seen(record.parent)?
        {
            // It was published under a request that was known then. That nothing of it is here any more is
            // no word of whoever wrote it. Once anything of it is, it is looked at again.
            verdict.is_unchanged = true;
            verdict.lasts = false;
            return Ok(());
        }
        if !sealed.is_empty() {
            let reason = self.node.store.retract_reason(&record.id)?;
            let reason = reason.unwrap_or(Reason::Scope);
            let taken_back = sealed.iter();
            verdict.retracts = taken_back
                .map(|line| retract(record, line, Some(cause), reason))
                .collect();
        }
        verdict.stay = Some(stay(record, cause));
        Ok(())
    }

    /// Whether it belongs to a record of others that is no request: nothing marks it when that changes.
    fn hangs_on_no_request(&self, parent: Option<RecordRef>) -> Result<bool> {
        let Some(parent) = parent.filter(|parent| parent.origin != self.node.own_id()) else {
            return Ok(false);
        };
        let kind = self.node.store.kind_of(&parent)?;
        Ok(kind.is_some_and(|kind| kind.as_str() != "request"))
    }

    /// How far a record goes, or why it stays.
    pub fn far(&self, record: &LocalRecord) -> Result<std::result::Result<FeedScope, Stays>> {
        Ok(leaving_scope(&self.outline(record)?))
    }

    fn closed(&self, kind: &Kind) -> Option<Stays> {
        (self.is_retired && kind.as_str() != "card").then_some(Stays::Retired)
    }

    fn candidate(&self, record: &LocalRecord) -> Result<Candidate> {
        let mut candidate = self.outline(record)?;
        if let Content::Profile { profile, .. } = &mut candidate.content {
            self.hide_inviter(profile, record)?;
        }
        if let (Author::Member { user, profile, .. }, Some(_)) =
            (&mut candidate.author, record.author)
        {
            *profile = self.profile(*user)?.unwrap_or(Scope::Private);
        }
        Ok(candidate)
    }

    /// A candidate with everything that decides how far it goes, and not yet in the form in which it leaves.
    fn outline(&self, record: &LocalRecord) -> Result<Candidate> {
        Ok(Candidate {
            id: record.id,
            kind: record.kind.clone(),
            content: self.content(record)?,
            scope: record.scope,
            ceiling: record.ceiling,
            life: record.life,
            author: self.author(record)?,
            parent: self.parent(record.parent)?,
            has_audience: self.has_audience,
            at: record.at,
            left_by: record.left_by,
            session: None,
        })
    }

    /// Who it is by. How far the profile goes is not looked up here.
    fn author(&self, record: &LocalRecord) -> Result<Author> {
        Ok(match record.author {
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
                account: self.account(user)?,
                profile: Scope::Private,
            },
        })
    }

    fn account(&self, user: RecordId) -> Result<Account> {
        if let Some(known) = self.accounts.borrow().get(&user) {
            return Ok(*known);
        }
        let private = self.node.store.private();
        let account = match private.account_of(&user)?.map(|account| account.state) {
            Some(AccountState::Approved) => {
                let redemption = private.redemption_of(&user)?;
                if redemption.is_some_and(|redemption| redemption.is_provisional()) {
                    Account::Provisional
                } else {
                    Account::Approved
                }
            }
            Some(AccountState::Pending) => Account::Pending,
            Some(AccountState::Gone) | None => Account::Gone,
        };
        self.accounts.borrow_mut().insert(user, account);
        Ok(account)
    }

    /// How far the profile of a member goes; none where there is no such member.
    fn profile(&self, user: RecordId) -> Result<Option<Scope>> {
        if let Some(known) = self.profiles.borrow().get(&user) {
            return Ok(*known);
        }
        let is_known = self.node.store.private().account_of(&user)?.is_some();
        let record = self.node.store.local(&user)?.filter(|_| is_known);
        let far = record.map(|record| self.far(&record)).transpose()?;
        let scope = far.map(|far| far.map_or(Scope::Private, Scope::from));
        self.profiles.borrow_mut().insert(user, scope);
        Ok(scope)
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
                profile,
                shares: record.shares.unwrap_or_default(),
            },
            body @ Body::Invite(_) => {
                let invite = self.node.store.private().invite(&record.id)?;
                let open = invite.is_some_and(|invite| invite.is_open(self.now));
                Content::Invite { body, open }
            }
            body => Content::Record(body),
        })
    }

    /// Leaves out of a profile an inviter whose own profile does not go as far, here or at their home.
    fn hide_inviter(&self, profile: &mut User, record: &LocalRecord) -> Result<()> {
        let reach = record.scope.min(record.ceiling);
        if let Some(inviter) = profile.inviter {
            let goes = if inviter.origin == self.node.own_id() {
                self.profile(inviter.id)?
            } else {
                self.shared_elsewhere(inviter)?
            };
            if goes.is_none_or(|scope| scope < reach) {
                profile.inviter = None;
            }
        }
        Ok(())
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
            let far = self.far(&record)?;
            return Ok(Parent::Scope(far.map_or(Scope::Private, Scope::from)));
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

/// That a record is taken back of a feed; none as cause where it moves to another.
fn retract(record: &LocalRecord, line: &Sealed, cause: Option<Stays>, reason: Reason) -> Retract {
    // Also where its author had kept it home before, and that was not published yet.
    let is_erased =
        matches!(cause, Some(Stays::Deleted | Stays::AuthorGone)) || record.life == Life::Deleted;
    Retract {
        id: record.id,
        kind: record.kind.to_string(),
        scope: line.scope,
        reason: if is_erased { Reason::Erase } else { reason },
        rev: line.rev,
        cause,
    }
}

fn stay(record: &LocalRecord, cause: Stays) -> Stay {
    Stay {
        id: record.id,
        kind: record.kind.to_string(),
        cause,
        scope: record.scope,
    }
}
