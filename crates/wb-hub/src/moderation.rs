//! What a moderator may decide, and what would come of it: the same at the command line and on the pages.
//!
//! A hub's moderators are the stewards and admins of its own instance. Letting a registration in says nothing about
//! anybody and is done here. Everything else is said in public: this looks whether it may be said, the hub's own
//! instance seals it, and the store heeds what its feed says ([`crate::HubNotices`]).

use wb_core::id::{InstanceId, RecordId};
use wb_core::kinds::{NoticeAct, Subject};
use wb_core::limits::NOTICE_REASON_CHARS_MAX;
use wb_core::notice::Deciding;
use wb_core::sync::Standing;
use wb_core::time::Timestamp;
use wb_store::{AuditRow, Private, Role, StoreError};

use crate::invites::{INVITES_MAX, NOTE_CHARS_MAX, USES_MAX};
use crate::notices::{Effect, HubNotices};
use crate::store::{Decision, HubStore, MemberRow, StoreProblem};

/// Characters of a reason; whoever it is about reads it on a phone.
pub const REASON_CHARS_MAX: usize = NOTICE_REASON_CHARS_MAX;

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum ModerateError {
    /// Whoever asks is no moderator.
    #[error("that needs a steward or an admin of the hub's own instance")]
    NotAModerator,
    /// There is no such member.
    #[error("nobody of that id is registered here")]
    Unknown,
    /// Nothing of that record is here.
    #[error("nothing of that record is held here")]
    NoRecord,
    /// A suspended member is not approved but let in again.
    #[error("{0} is suspended")]
    IsSuspended(String),
    /// Whoever waits was never let in.
    #[error("{0} was never let in")]
    NeverLetIn(String),
    /// Nothing was decided about it that could be undone.
    #[error("nothing was decided about {0} that is in force")]
    NothingToUndo(String),
    /// Whoever is left out is told why.
    #[error("a reason is needed: {0} reads it, and everybody else")]
    NoReason(String),
    /// The reason is too long.
    #[error("the reason is longer than {REASON_CHARS_MAX} characters")]
    LongReason,
    /// It would be over before it began.
    #[error("{0} is not in the future")]
    Over(Timestamp),
    /// What has no end is given one.
    #[error("that lasts until it is undone, so it takes no end")]
    TakesNoEnd,
    /// The note of an invitation is too long.
    #[error("the note is longer than {NOTE_CHARS_MAX} characters")]
    LongNote,
    /// The number of those who may come by an invitation is none.
    #[error("how many may come is a number from 1 to {USES_MAX}")]
    BadUses,
    /// There is no such invitation.
    #[error("there is no invitation {0} here")]
    NoInvite(u64),
    /// As many invitations as may are kept.
    #[error("{INVITES_MAX} invitations are kept, and no more")]
    TooManyInvites,
    /// The hub's file reports something.
    #[error(transparent)]
    Store(#[from] StoreProblem),
    /// The file with the log reports something.
    #[error(transparent)]
    Log(#[from] StoreError),
}

impl ModerateError {
    /// Whether other words in the form would mend it.
    #[must_use]
    pub fn is_about_the_words(&self) -> bool {
        matches!(
            self,
            Self::NoReason(_)
                | Self::LongReason
                | Self::Over(_)
                | Self::TakesNoEnd
                | Self::LongNote
                | Self::BadUses
        )
    }
}

/// What a decision would do, before anybody does it.
#[derive(Debug, Clone)]
pub struct WouldDecide {
    /// The member that it is about, or whose record it is about.
    pub member: MemberRow,
    /// Whom it touches.
    pub effect: Effect,
}

/// Lets a registration in, and writes it down.
///
/// # Errors
/// Why nothing was done.
pub async fn approve<S: HubStore>(
    store: &S,
    log: &Private,
    moderator: (RecordId, Role),
    id: InstanceId,
    now: Timestamp,
) -> Result<MemberRow, ModerateError> {
    let (user, role) = moderator;
    if role < Role::Steward {
        return Err(ModerateError::NotAModerator);
    }
    let member = store.member(id, now).await?.ok_or(ModerateError::Unknown)?;
    if member.standings.standing == Standing::Suspended {
        return Err(ModerateError::IsSuspended(member.name));
    }
    store.decide(id, Decision::Approve, now).await?;
    log.audit(&AuditRow {
        at: now,
        actor: Some(user),
        act: "hub approve".to_owned(),
        target: id.to_string(),
        detail: String::new(),
    })?;
    let after = store.member(id, now).await?;
    after.ok_or(ModerateError::Unknown)
}

/// Looks whether something may be decided, and says what would come of it.
///
/// # Errors
/// Why it may not.
pub async fn would_decide<S: HubStore + HubNotices>(
    store: &S,
    role: Role,
    deciding: &Deciding,
    now: Timestamp,
) -> Result<WouldDecide, ModerateError> {
    if role < Role::Steward {
        return Err(ModerateError::NotAModerator);
    }
    let subject = deciding.subject;
    let member = store.member(subject.instance(), now).await?;
    let member = member.ok_or(ModerateError::Unknown)?;
    let effect = store.effect(subject, now).await?;
    let effect = effect.ok_or(ModerateError::NoRecord)?;
    check(&member, &effect, deciding, now)?;
    Ok(WouldDecide { member, effect })
}

fn check(
    member: &MemberRow,
    effect: &Effect,
    deciding: &Deciding,
    now: Timestamp,
) -> Result<(), ModerateError> {
    let name = || member.name.clone();
    if deciding.reason.chars().count() > REASON_CHARS_MAX {
        return Err(ModerateError::LongReason);
    }
    if deciding.reason.trim().is_empty() {
        return Err(ModerateError::NoReason(name()));
    }
    if let Some(until) = deciding.until {
        if !deciding.act.may_end() {
            return Err(ModerateError::TakesNoEnd);
        }
        if until <= now {
            return Err(ModerateError::Over(until));
        }
    }
    if deciding.act != NoticeAct::Reinstate {
        return Ok(());
    }
    let is_something = match (&deciding.subject, &effect.record) {
        (Subject::Instance(_), _) => {
            if member.standings.standing == Standing::Waiting {
                return Err(ModerateError::NeverLetIn(name()));
            }
            member.standings.standing == Standing::Suspended || member.delisted
        }
        (Subject::Record(_), record) => record.as_ref().is_some_and(|record| record.is_withheld),
    };
    if is_something {
        Ok(())
    } else {
        Err(ModerateError::NothingToUndo(match deciding.subject {
            Subject::Instance(_) => name(),
            Subject::Record(key) => format!("record {} of {}", key.id, name()),
        }))
    }
}
