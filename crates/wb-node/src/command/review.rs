//! `wb review`: deciding about people and communities that wait.

use wb_core::id::{InstanceId, RecordId};
use wb_core::sync::Role;
use wb_store::{Account, AccountState, Belongs, Redemption, Standing};

use super::follow::{Target, follow, unfollow};
use super::peer_block::forget_letters;
use super::peer_pause::must_be_admin;
use super::peer_trust::untrust;
use super::vouch::take_back_refused;
use crate::error::{NodeError, Result};
use crate::letters::take_back_of;
use crate::levels::settle;
use crate::node::{Actor, Node};
use crate::query::invited::is_due;

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Whoever waits is in.
    Accept,
    /// A community is in, as a steward: those whom it vouches for that far may be offered the trusted scope.
    Steward,
    /// Whoever waits is not.
    Refuse,
}

impl Decision {
    fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Steward => "accept as a steward",
            Self::Refuse => "refuse",
        }
    }
}

fn must_be_steward(actor: &Actor) -> Result<()> {
    if actor.is_steward() {
        return Ok(());
    }
    Err(NodeError::Forbidden {
        actor: actor.handle.clone(),
        act: "decide about who waits",
        why: "that needs a steward or an admin",
    })
}

/// Decides about an account that waits. One that is refused is gone: its handle is free again, and its
/// profile stays private. Of one that came by an invite of another instance, which refused it or did not answer for long
/// enough, this decides as well whether it is a member without that; one that is in already and is refused waits again.
///
/// # Errors
/// That no such account waits, or that the actor may not.
pub fn review_account(
    node: &Node,
    actor: &Actor,
    user: &RecordId,
    decision: Decision,
) -> Result<Account> {
    must_be_steward(actor)?;
    let (private, now) = (node.store.private(), node.now());
    let account = private.together(|private| {
        let due = private.redemption_of(user)?;
        let due = due.filter(|redemption| is_due(redemption, now));
        let found = private.account_of(user)?;
        let account = found
            .filter(|account| match account.state {
                AccountState::Pending => true,
                AccountState::Approved => due.is_some(),
                AccountState::Gone => false,
            })
            .ok_or_else(|| NodeError::unknown("waiting account", user.to_string()))?;
        let put = |state| {
            private.put_account(&Account {
                state,
                ..account.clone()
            })
        };
        match (decision, account.state) {
            (Decision::Accept | Decision::Steward, _) => {
                put(AccountState::Approved)?;
                if let Some(redemption) = due {
                    private.put_redemption(&Redemption {
                        settled_at: Some(now),
                        ..redemption
                    })?;
                }
            }
            (Decision::Refuse, AccountState::Pending) => {
                // Whoever was told of them is asked to forget it.
                take_back_of(private, user, now)?;
                private.forget_account(user)?;
            }
            // What they wrote here is not thrown away with one click.
            (Decision::Refuse, _) => {
                put(AccountState::Pending)?;
                // An answer that comes after all does not let them in again.
                if let Some(redemption) = due {
                    private.put_redemption(&Redemption {
                        at_once: false,
                        ..redemption
                    })?;
                }
            }
        }
        Ok::<_, NodeError>(account)
    })?;
    let act = format!("review {}", decision.as_str());
    node.audit(now, actor, &act, user, account.handle.clone())?;
    Ok(account)
}

/// Decides about a community whose records are held and not shown. One that is refused stays refused,
/// whoever speaks for it, until it is accepted by hand.
///
/// # Errors
/// That it is not known, or that the actor may not.
pub fn review_origin(
    node: &mut Node,
    actor: &Actor,
    origin: InstanceId,
    decision: Decision,
) -> Result<()> {
    must_be_steward(actor)?;
    match node.store.standing(&origin)? {
        Some(Standing::Waiting | Standing::Vouched | Standing::Blocked | Standing::Approved) => {}
        Some(Standing::Own) | None => {
            return Err(NodeError::unknown("instance", origin.to_string()));
        }
    }
    if decision == Decision::Steward {
        must_be_admin(actor, "approve an instance as a steward")?;
    }
    if decision != Decision::Refuse {
        // Also one that was refused before.
        let write = node.store.write()?;
        write.set_standing(&origin, Standing::Approved)?;
        write.put_steward(&origin, decision == Decision::Steward)?;
        write.commit()?;
    }
    if decision == Decision::Refuse {
        let row = node.store.in_audience(&origin)?;
        if row.is_some_and(|row| matches!(row.belongs, Belongs::In | Belongs::Unsure)) {
            untrust(node, actor, origin)?;
        }
        let write = node.store.write()?;
        write.set_standing(&origin, Standing::Blocked)?;
        write.commit()?;
    }
    let mut peers = node.store.peers()?.into_iter();
    let has_hubs = peers.any(|peer| peer.role == Role::Hub);
    let target = Target::Instance(origin);
    if has_hubs {
        match decision {
            Decision::Accept | Decision::Steward => drop(follow(node, actor, None, &target)?),
            Decision::Refuse => drop(unfollow(node, actor, None, &target)?),
        }
    }
    if decision == Decision::Refuse {
        // Whoever refuses an instance does not vouch for it to others.
        take_back_refused(node, actor, origin)?;
        // Pictures of its members went with it.
        forget_letters(node, &origin)?;
    }
    settle(node)?;
    let act = format!("review {}", decision.as_str());
    node.audit(node.now(), actor, &act, &origin, "")
}

/// Decides about what was shown of a community that fell: it stays, or it is hidden. What came later waits either way.
///
/// # Errors
/// That it did not fall, or that the actor may not.
pub fn review_fallen(node: &Node, actor: &Actor, origin: InstanceId, keep: bool) -> Result<()> {
    must_be_steward(actor)?;
    let write = node.store.write_in_sight()?;
    let fallen = node.store.fallen()?;
    if !fallen.iter().any(|one| one.id == origin) {
        return Err(NodeError::unknown(
            "community that fell",
            origin.to_string(),
        ));
    }
    if keep {
        write.keep_fallen(&origin)?;
    } else {
        write.forget_fallen(&origin)?;
    }
    write.commit()?;
    if !keep {
        // Pictures of its members went with it.
        node.store.empty_logs()?;
    }
    let act = if keep { "review keep" } else { "review hide" };
    node.audit(node.now(), actor, act, &origin, "")
}
