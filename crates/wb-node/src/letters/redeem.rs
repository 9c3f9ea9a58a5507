//! Redemptions: counting those who came elsewhere by an own invite, and hearing how others counted those who came here
//! by theirs (spec: invites, counting).
//!
//! Each thread is decided about once, in the transaction that makes one use of the invite of it and writes the answer.
//! So what comes twice or late changes nothing, and a crash in between leaves it to the next sync.

use wb_core::id::InstanceId;
use wb_core::kinds::Body;
use wb_core::leave::{Life, Stays};
use wb_core::letter::{Letter, LetterBody, Redeem, RedeemRefusal, Redeemed};
use wb_core::limits::REDEMPTIONS_PER_DAY_MAX;
use wb_core::scope::Scope;
use wb_core::time::Timestamp;
use wb_store::{
    Account, AccountState, AuditRow, Belongs, InviteRow, InviteUse, LetterIn, NewLetter, Private,
    Redemption, RedemptionState,
};

use super::prepare::LASTS_MS;
use crate::error::{NodeError, Result};
use crate::levels::is_accepted;
use crate::node::Node;
use crate::plan::reach;
use crate::query::letters::name_of;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What a notice about an invitation used at another instance is about.
pub(crate) const INVITE_TOLD: &str = "invite";

/// Decides about the redemptions that came, and takes the answers that came.
///
/// # Errors
/// What the store reports.
pub(super) fn settle_redemptions(node: &Node) -> Result<()> {
    let private = node.store.private();
    for kind in [LetterBody::REDEEM, LetterBody::REDEEMED] {
        for (origin, thread) in private.letters_unsettled(kind)? {
            let Some(letter) = private.letter_in(&origin, &thread)? else {
                continue;
            };
            match letter.kind.as_str() {
                LetterBody::REDEEM => count(node, &letter)?,
                LetterBody::REDEEMED => hear(node, &letter)?,
                _ => {}
            }
        }
    }
    Ok(())
}

fn says(letter: &LetterIn) -> Option<LetterBody> {
    Letter::kept(&letter.line).ok()?.read_body().ok().flatten()
}

/// Decides about one newcomer elsewhere, for good.
fn count(node: &Node, letter: &LetterIn) -> Result<()> {
    let Some(LetterBody::Redeem(redeem)) = says(letter) else {
        return Ok(());
    };
    if !is_accepted(node, &letter.origin)? {
        return Ok(());
    }
    let (now, origin) = (node.now(), letter.origin);
    let standing = standing(node, &redeem, &origin, now)?;
    let home = name_of(node, &origin)?;
    node.store.private().together(|private| {
        if private.invite_use(&origin, &letter.thread)?.is_some() {
            return Ok(());
        }
        let before = private.letter_out(&origin, &letter.thread, false)?;
        if before.as_ref().is_some_and(|before| before.owner.is_some()) {
            // A thread in which a member here told something is no place to ask in.
            return Ok(());
        }
        let row = private.invite(&redeem.invite.id)?;
        let decided = match standing {
            Ok(()) => use_one(private, row.as_ref(), &origin, now)?,
            Err(cause) => Err(cause),
        };
        let refused = decided.as_ref().err().map(RedeemRefusal::to_string);
        private.put_invite_use(&InviteUse {
            origin,
            thread: letter.thread,
            invite: redeem.invite.id,
            at: now,
            refused: refused.clone(),
        })?;
        let inviter = row.and_then(|row| row.created_by);
        if let (Ok(()), Some(inviter)) = (&decided, &inviter) {
            let detail = format!("Somebody joined {home} by your invitation");
            private.put_notice(inviter, now, INVITE_TOLD, &detail, None)?;
        }
        let answer = decided.map_or_else(Redeemed::Refused, |()| Redeemed::Counted);
        let answer = LetterBody::Redeemed(answer);
        private.put_letter(&NewLetter {
            recipient: origin,
            thread: letter.thread,
            is_receipt: false,
            n: before.map_or(1, |before| before.n + 1),
            kind: LetterBody::REDEEMED,
            body: answer.to_raw().get(),
            owner: None,
            request: None,
            act: None,
            at: now,
            expires: now.plus_ms(LASTS_MS),
        })?;
        private.audit(&AuditRow {
            at: now,
            actor: None,
            act: "invite count".to_owned(),
            target: redeem.invite.id.to_string(),
            detail: match refused {
                None => format!("used at {}", origin.short()),
                Some(cause) => format!("refused for {}: {cause}", origin.short()),
            },
        })?;
        Ok::<_, NodeError>(())
    })
}

/// Whether an invite is one that this origin may name, and is shared now.
fn standing(
    node: &Node,
    redeem: &Redeem,
    origin: &InstanceId,
    now: Timestamp,
) -> Result<std::result::Result<(), RedeemRefusal>> {
    let own = node.own_id();
    if redeem.invite.origin != own {
        return Ok(Err(RedeemRefusal::Unknown));
    }
    let Some(record) = node.store.local(&redeem.invite.id)? else {
        return Ok(Err(RedeemRefusal::Unknown));
    };
    let body = Body::read(&record.kind, 1, own, &record.body);
    let has_code = matches!(&body, Ok(Body::Invite(face)) if face.share_code == redeem.code);
    if !has_code || record.life != Life::Active {
        return Ok(Err(RedeemRefusal::Unknown));
    }
    let scope = record.scope.min(record.ceiling);
    if scope == Scope::TrustedPeers {
        // A code that went to the audience alone is worth nothing to others.
        let row = node.store.in_audience(origin)?;
        if row.is_none_or(|row| row.belongs != Belongs::In) {
            return Ok(Err(RedeemRefusal::Unknown));
        }
    }
    Ok(match reach(node, &record, now)? {
        // Which of the three it is, the row says.
        Ok(_) | Err(Stays::InviteClosed) => Ok(()),
        Err(_) => Err(RedeemRefusal::NotShared),
    })
}

/// Makes one use of an invite, where one is left.
fn use_one(
    private: &Private,
    row: Option<&InviteRow>,
    origin: &InstanceId,
    now: Timestamp,
) -> Result<std::result::Result<(), RedeemRefusal>> {
    let Some(row) = row else {
        return Ok(Err(RedeemRefusal::Unknown));
    };
    if row.disabled {
        return Ok(Err(RedeemRefusal::Off));
    }
    if row.expires_at.is_some_and(|end| now >= end) {
        return Ok(Err(RedeemRefusal::Expired));
    }
    if row.max_uses.is_some_and(|max| row.uses >= max) {
        return Ok(Err(RedeemRefusal::UsedUp));
    }
    let day = now.plus_ms(-DAY_MS);
    if private.invite_uses_since(origin, day)? >= REDEMPTIONS_PER_DAY_MAX {
        return Ok(Err(RedeemRefusal::TooMany));
    }
    private.put_invite(&InviteRow {
        uses: row.uses + 1,
        ..row.clone()
    })?;
    Ok(Ok(()))
}

/// Takes what an issuer says of somebody who came here by its invite.
fn hear(node: &Node, letter: &LetterIn) -> Result<()> {
    let private = node.store.private();
    let Some(known) = private.redemption_in(&letter.origin, &letter.thread)? else {
        return Ok(());
    };
    let Some(LetterBody::Redeemed(said)) = says(letter) else {
        return Ok(());
    };
    if moved(&known.state, &said).is_none() {
        return Ok(());
    }
    let now = node.now();
    let name = name_of(node, &letter.origin)?;
    private.together(|private| {
        let known = private.redemption_in(&letter.origin, &letter.thread)?;
        let Some(known) = known else { return Ok(()) };
        let Some(state) = moved(&known.state, &said) else {
            return Ok(());
        };
        let user = known.user;
        let is_counted = state == RedemptionState::Counted;
        let is_at_once = is_counted && known.at_once;
        private.put_redemption(&Redemption {
            state,
            answered_at: Some(now),
            ..known
        })?;
        let waits = private
            .account_of(&user)?
            .filter(|account| account.state == AccountState::Pending);
        if let Some(account) = waits.filter(|_| is_at_once) {
            private.put_account(&Account {
                state: AccountState::Approved,
                ..account
            })?;
        }
        let words = match &said {
            Redeemed::Counted => format!("{name} counted the invitation that you came by"),
            Redeemed::Refused(cause) => format!(
                "{name} did not count the invitation that you came by ({}); somebody who looks after this community \
                 decides",
                cause.sentence()
            ),
        };
        private.put_notice(&user, now, INVITE_TOLD, &words, None)?;
        let detail = match &said {
            Redeemed::Counted => "counted".to_owned(),
            Redeemed::Refused(cause) => format!("refused: {cause}"),
        };
        private.audit(&AuditRow {
            at: now,
            actor: None,
            act: "invite answer".to_owned(),
            target: user.to_string(),
            detail,
        })?;
        Ok::<_, NodeError>(())
    })
}

/// Where an answer moves a redemption; none where it stays. Nothing goes back from counted.
fn moved(state: &RedemptionState, said: &Redeemed) -> Option<RedemptionState> {
    match (state, said) {
        (RedemptionState::Counted, _) | (RedemptionState::Refused(_), Redeemed::Refused(_)) => None,
        (_, Redeemed::Counted) => Some(RedemptionState::Counted),
        (RedemptionState::Asked, Redeemed::Refused(cause)) => {
            Some(RedemptionState::Refused(cause.to_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_goes_back_from_counted() {
        let refused = || RedemptionState::Refused("off".to_owned());
        let no = Redeemed::Refused(RedeemRefusal::Off);
        assert_eq!(moved(&RedemptionState::Asked, &no), Some(refused()));
        assert_eq!(moved(&refused(), &no), None);
        assert_eq!(moved(&RedemptionState::Counted, &no), None);
        for state in [RedemptionState::Asked, refused()] {
            let counted = moved(&state, &Redeemed::Counted);
            assert_eq!(counted, Some(RedemptionState::Counted));
        }
        assert_eq!(moved(&RedemptionState::Counted, &Redeemed::Counted), None);
    }
}
