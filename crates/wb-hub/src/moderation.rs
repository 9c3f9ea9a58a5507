//! What a moderator decides about a member: the same at the command line and on the pages.
//!
//! A hub's moderators are the stewards and admins of its own instance. Each act is written down with who
//! did it, when and why; where the program ends between both, doing it again does no harm.

use wb_core::id::{InstanceId, RecordId};
use wb_core::sync::Standing;
use wb_core::time::Timestamp;
use wb_store::{AuditRow, Private, Role, StoreError};

use crate::store::{Decision, HubStore, MemberRow, StoreProblem};

/// Characters of a reason; whoever it is about reads it on a phone.
pub const REASON_CHARS_MAX: usize = 500;

/// What is done to a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Lets a registration in.
    Approve,
    /// Leaves a member out.
    Suspend {
        /// Why; the member reads it.
        reason: String,
        /// Until when; none: until it is undone.
        until: Option<Timestamp>,
    },
    /// Lets a suspended member in again.
    Reinstate {
        /// Why; for the log alone.
        reason: String,
    },
}

impl Act {
    /// The word in the log.
    fn word(&self) -> &'static str {
        match self {
            Self::Approve => "hub approve",
            Self::Suspend { .. } => "hub suspend",
            Self::Reinstate { .. } => "hub reinstate",
        }
    }

    fn reason(&self) -> &str {
        match self {
            Self::Approve => "",
            Self::Suspend { reason, .. } | Self::Reinstate { reason } => reason,
        }
    }

    /// What the log says beside the word.
    fn detail(&self) -> String {
        match self {
            Self::Suspend {
                reason,
                until: Some(until),
            } => format!("{reason} (until {until})"),
            other => other.reason().to_owned(),
        }
    }
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum ModerateError {
    /// Whoever asks is no moderator.
    #[error("that needs a steward or an admin of the hub's own instance")]
    NotAModerator,
    /// There is no such member.
    #[error("nobody of that id is registered here")]
    Unknown,
    /// A suspended member is not approved but let in again.
    #[error("{0} is suspended")]
    IsSuspended(String),
    /// Whoever waits was never let in.
    #[error("{0} was never let in")]
    NeverLetIn(String),
    /// Whoever is left out is told why.
    #[error("a reason is needed: {0} reads it")]
    NoReason(String),
    /// The reason is too long.
    #[error("the reason is longer than {REASON_CHARS_MAX} characters")]
    LongReason,
    /// It would be over before it began.
    #[error("{0} is not in the future")]
    Over(Timestamp),
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
        matches!(self, Self::NoReason(_) | Self::LongReason | Self::Over(_))
    }
}

/// Decides about a member, and writes it down.
///
/// # Errors
/// Why nothing was done.
pub async fn moderate<S: HubStore>(
    store: &S,
    log: &Private,
    moderator: (RecordId, Role),
    id: InstanceId,
    act: Act,
    now: Timestamp,
) -> Result<MemberRow, ModerateError> {
    let (user, role) = moderator;
    if role < Role::Steward {
        return Err(ModerateError::NotAModerator);
    }
    let member = store.member(id, now).await?;
    check(&member.ok_or(ModerateError::Unknown)?, &act, now)?;
    let row = AuditRow {
        at: now,
        actor: Some(user),
        act: act.word().to_owned(),
        target: id.to_string(),
        detail: act.detail(),
    };
    let decision = match act {
        Act::Approve => Decision::Approve,
        Act::Suspend { reason, until } => Decision::Suspend { reason, until },
        Act::Reinstate { .. } => Decision::Reinstate,
    };
    store.decide(id, decision, now).await?;
    log.audit(&row)?;
    let after = store.member(id, now).await?;
    after.ok_or(ModerateError::Unknown)
}

fn check(member: &MemberRow, act: &Act, now: Timestamp) -> Result<(), ModerateError> {
    let name = || member.name.clone();
    if act.reason().chars().count() > REASON_CHARS_MAX {
        return Err(ModerateError::LongReason);
    }
    match (act, member.standings.standing) {
        (Act::Approve, Standing::Suspended) => Err(ModerateError::IsSuspended(name())),
        (Act::Reinstate { .. }, Standing::Waiting) => Err(ModerateError::NeverLetIn(name())),
        (Act::Suspend { reason, .. }, _) if reason.trim().is_empty() => {
            Err(ModerateError::NoReason(name()))
        }
        (
            Act::Suspend {
                until: Some(until), ..
            },
            _,
        ) if *until <= now => Err(ModerateError::Over(*until)),
        _ => Ok(()),
    }
}
