//! Who comes in: as the policy of a hub says, or by the code of an invitation (spec: sync, registration).

use wb_core::id::Hash;
use wb_core::sync::{Policy, Standing, Standings};
use wb_core::time::Timestamp;
use wb_store::relay::{Applicant, RelayWrite};

use crate::store::{RegisterRefused, Registering};

/// How long one that waits is kept in any case.
const WAITING_KEPT_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// What becomes of who registers, by what it brings, before anything is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entering {
    /// It was let in, or left out, before: no code is looked at.
    AsBefore,
    /// It is new here, and is a member or waits as the policy says.
    ByPolicy,
    /// It comes by the code that it brings: it is a member at once, whatever the policy.
    ByCode(Hash),
    /// It needs a code, and brings none.
    NotWithoutCode,
}

impl Entering {
    /// What becomes of who brings a code or none, and stood somewhere before or nowhere.
    #[must_use]
    pub fn of(before: Option<Standing>, code: Option<Hash>, policy: Policy) -> Self {
        match (before, code) {
            (Some(Standing::Member | Standing::Suspended), _) | (Some(Standing::Waiting), None) => {
                Self::AsBefore
            }
            (Some(Standing::Waiting) | None, Some(code)) => Self::ByCode(code),
            (None, None) if policy == Policy::Invite => Self::NotWithoutCode,
            (None, None) => Self::ByPolicy,
        }
    }
}

/// Takes a registration. What would refuse it is looked at before anything is written; a code is used last, so that one
/// of a registration that is stale is used by nobody.
pub(crate) fn register(
    write: &RelayWrite<'_>,
    registering: &Registering,
    policy: Policy,
    waiting_max: u64,
    now: Timestamp,
) -> wb_store::Result<Result<Standings, RegisterRefused>> {
    let id = registering.identity.id();
    let before = write.member(&id, now)?;
    let stood = before.map(|member| member.standings.standing);
    let entering = Entering::of(stood, registering.code, policy);
    let invite = match entering {
        Entering::NotWithoutCode => return Ok(Err(RegisterRefused::InviteNeeded)),
        Entering::ByCode(code) => match write.invite_of(&code, now)? {
            Ok(invite) => Some(invite),
            Err(refused) => return Ok(Err(RegisterRefused::Invite(refused))),
        },
        Entering::AsBefore => None,
        Entering::ByPolicy => {
            let would_wait = policy == Policy::Approval;
            if would_wait && !write.make_room(waiting_max, now.plus_ms(-WAITING_KEPT_MS))? {
                return Ok(Err(RegisterRefused::QueueFull(waiting_max)));
            }
            None
        }
    };
    let applicant = Applicant {
        identity: &registering.identity,
        card: &registering.card,
        name: &registering.name,
        visibility: registering.visibility,
        counter: registering.counter,
    };
    let first = invite.map_or(policy, |_| Policy::Open);
    let mut standings = match write.register(&applicant, first, now)? {
        Ok(registered) => registered.standings,
        Err(stale) => return Ok(Err(RegisterRefused::Stale(stale.counter))),
    };
    if let Some(invite) = invite {
        write.note_came_by(&id, invite)?;
        if standings.standing == Standing::Waiting {
            write.set_standing(&id, Standing::Member, None, None, now)?;
            standings.standing = Standing::Member;
        }
    }
    Ok(Ok(standings))
}
