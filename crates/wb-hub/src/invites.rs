//! Invitations: moderators make and end them, at the command line and on the pages alike (spec: sync, registration).
//!
//! A code is told once, to whoever made the invitation. What is kept of it is a hash.

use wb_core::hash::sha256;
use wb_core::id::{Hash, RecordId, Token};
use wb_core::time::Timestamp;
pub use wb_store::relay::{InviteRow, NewInvite};
use wb_store::{AuditRow, Private, Role};

use crate::moderation::ModerateError;
use crate::sqlite::SqliteHub;
use crate::store::Kept;

/// Characters of a note; it is for moderators, who read it in a list.
pub const NOTE_CHARS_MAX: usize = 200;
/// Communities that one invitation may let in, where it says how many; a number and no disguise for "everybody".
pub const USES_MAX: u64 = 1_000_000;
/// Invitations that a hub keeps; protects the disk from a moderator's script.
pub const INVITES_MAX: u64 = 100_000;

/// Where a hub keeps its invitations.
pub trait HubInvites: Clone + Send + Sync + 'static {
    /// Makes one; its number, or none where [`INVITES_MAX`] are kept.
    fn put_invite(
        &self,
        invite: NewInvite,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Option<u64>>> + Send;

    /// Invitations, the newest first, below one where it is given; with the first `came_max` of those who came by each.
    fn invites(
        &self,
        below: Option<u64>,
        limit: usize,
        came_max: usize,
    ) -> impl Future<Output = Kept<Vec<InviteRow>>> + Send;

    /// Switches one off: whether it was on; none where there is none of that number.
    fn invite_off(&self, n: u64, now: Timestamp)
    -> impl Future<Output = Kept<Option<bool>>> + Send;
}

impl HubInvites for SqliteHub {
    async fn put_invite(&self, invite: NewInvite, now: Timestamp) -> Kept<Option<u64>> {
        self.write(move |write| write.put_invite(&invite, INVITES_MAX, now))
            .await
    }

    async fn invites(
        &self,
        below: Option<u64>,
        limit: usize,
        came_max: usize,
    ) -> Kept<Vec<InviteRow>> {
        self.read(move |relay| relay.invites(below, limit, came_max))
            .await
    }

    async fn invite_off(&self, n: u64, now: Timestamp) -> Kept<Option<bool>> {
        self.write(move |write| write.invite_off(n, now)).await
    }
}

/// What is kept of a code. It is 128 bits of chance, so nobody finds it by its hash.
#[must_use]
pub fn code_hash(code: &str) -> Hash {
    sha256(format!("wb hub invitation\n{}", code.trim().to_lowercase()).as_bytes())
}

/// What a moderator asks of an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inviting {
    /// How many may come by it; none for no limit.
    pub uses_max: Option<u64>,
    /// From then on nobody comes by it any more.
    pub until: Option<Timestamp>,
    /// For moderators.
    pub note: String,
}

/// Makes an invitation with a fresh code, and writes that down without it.
///
/// # Errors
/// Why nothing was done.
pub async fn invite<S: HubInvites>(
    store: &S,
    log: &Private,
    moderator: (RecordId, Role),
    inviting: Inviting,
    code: &Token,
    now: Timestamp,
) -> Result<u64, ModerateError> {
    let (user, role) = moderator;
    if role < Role::Steward {
        return Err(ModerateError::NotAModerator);
    }
    if inviting.note.chars().count() > NOTE_CHARS_MAX {
        return Err(ModerateError::LongNote);
    }
    if let Some(until) = inviting.until.filter(|until| *until <= now) {
        return Err(ModerateError::Over(until));
    }
    if inviting.uses_max.is_some_and(|n| n == 0 || n > USES_MAX) {
        return Err(ModerateError::BadUses);
    }
    let made = NewInvite {
        code: code_hash(&code.to_string()),
        note: inviting.note,
        uses_max: inviting.uses_max,
        until: inviting.until,
    };
    let n = store.put_invite(made, now).await?;
    let n = n.ok_or(ModerateError::TooManyInvites)?;
    note(log, user, "hub invite create", n, now)?;
    Ok(n)
}

/// Switches an invitation off, and writes that down; whether it was on.
///
/// # Errors
/// Why nothing was done.
pub async fn invite_off<S: HubInvites>(
    store: &S,
    log: &Private,
    moderator: (RecordId, Role),
    n: u64,
    now: Timestamp,
) -> Result<bool, ModerateError> {
    let (user, role) = moderator;
    if role < Role::Steward {
        return Err(ModerateError::NotAModerator);
    }
    let was_on = store.invite_off(n, now).await?;
    let was_on = was_on.ok_or(ModerateError::NoInvite(n))?;
    if was_on {
        note(log, user, "hub invite off", n, now)?;
    }
    Ok(was_on)
}

fn note(
    log: &Private,
    user: RecordId,
    act: &str,
    n: u64,
    now: Timestamp,
) -> Result<(), ModerateError> {
    Ok(log.audit(&AuditRow {
        at: now,
        actor: Some(user),
        act: act.to_owned(),
        target: format!("invitation {n}"),
        detail: String::new(),
    })?)
}
