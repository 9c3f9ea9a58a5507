//! `wb invite redeem`: an account for whoever has the share code of another community's invite (spec: invites).
//!
//! The newcomer is shown exactly what the issuer would be told, and says yes to it: the invite and its code. Account,
//! redemption and letter are written in one transaction. Until the issuer counted it nothing of the newcomer leaves.

use wb_core::hash;
use wb_core::id::{Hash, InstanceId, RecordId, RecordRef, Token};
use wb_core::kinds::Invite;
use wb_core::letter::{LetterBody, Redeem};
use wb_core::limits::REDEMPTIONS_WAITING_MAX;
use wb_core::scope::{By, Scope};
use wb_store::{Account, AccountState, AuditRow, Redemption, RedemptionState, Role, Standing};

use super::invite_take::{Newcomer, put_profile};
use super::retire::check_open;
use super::user_add::check_handle;
use crate::entropy;
use crate::erasing::is_reserved;
use crate::error::{NodeError, Result};
use crate::letters::tell_within;
use crate::levels::is_accepted;
use crate::node::Node;
use crate::query::authors::is_nameless;
use crate::query::invites::shared_with_code;
use crate::query::letters::redeem_text;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// An invite of another instance that a code belongs to.
#[derive(Debug, Clone)]
pub struct Redeemable {
    /// The invite.
    pub key: RecordRef,
    /// The name of its community.
    pub home: String,
    /// Who invites, in words.
    pub inviter: String,
    /// What its author wrote.
    pub face: Invite,
    /// Whether who comes is a member by the issuer's answer.
    pub at_once: bool,
    /// The profile of who invites, where they share it.
    profile: Option<RecordRef>,
}

impl Redeemable {
    /// Exactly what the issuer is told.
    #[must_use]
    pub fn body(&self) -> LetterBody {
        LetterBody::Redeem(Redeem {
            invite: self.key,
            code: self.face.share_code,
        })
    }

    /// The same for people.
    #[must_use]
    pub fn text(&self) -> String {
        redeem_text(&Redeem {
            invite: self.key,
            code: self.face.share_code,
        })
    }

    /// Names what was shown; who says yes names it again.
    #[must_use]
    pub fn shown(&self) -> Hash {
        hash::sha256(self.body().to_raw().get().as_bytes())
    }

    /// Whether the words for who invites name the community already: no name of theirs is known here.
    #[must_use]
    pub fn is_nameless(&self) -> bool {
        is_nameless(&self.inviter, &self.home)
    }

    /// Who is told what, and what follows.
    #[must_use]
    pub fn words(&self, own_name: &str) -> String {
        let home = &self.home;
        let then = if self.at_once {
            format!("Once {home} counts it you are a member")
        } else {
            format!("Somebody who looks after {own_name} lets you in, as every newcomer")
        };
        format!(
            "This goes as a letter to {home} alone, sealed: which invitation, and its code. Your name is not in it, nor \
             anything else about you; {home} learns that somebody came to {own_name} by this invitation, and decides whether it \
             still counts. {then}. What you write leaves {own_name} only after {home} counted it. It cannot be taken back."
        )
    }
}

/// What a newcomer says.
#[derive(Debug, Clone)]
pub struct InviteRedeem<'a> {
    /// The code, alone or after the id of its community and a slash or a dot.
    pub code: &'a str,
    /// What the newcomer was shown and said yes to.
    pub shown: Hash,
    /// The handle wanted.
    pub handle: &'a str,
    /// The name shown.
    pub display_name: Option<&'a str>,
    /// About the newcomer.
    pub bio: Option<&'a str>,
    /// A contact that stays private.
    pub email: Option<&'a str>,
    /// How far what the newcomer writes goes unless they say otherwise.
    pub default_scope: Scope,
}

/// The invite that a code belongs to, as it is shown here.
///
/// # Errors
/// That no community that is accepted here shares such a one, or more than one do.
pub fn redeemable(node: &Node, code: &str) -> Result<Redeemable> {
    check_open(node)?;
    let code = code.trim().trim_end_matches('/');
    let (issuer, code) = match code.rsplit_once(['/', '.']) {
        // A whole link may have been copied.
        Some((before, code)) => {
            let (_, issuer) = before.rsplit_once('/').unwrap_or(("", before));
            (issuer.parse::<InstanceId>().ok(), code)
        }
        None => (None, code),
    };
    let code: Token = code
        .to_ascii_lowercase()
        .parse()
        .map_err(|_| NodeError::Refused(NO_CODE.to_owned()))?;
    let mut found = Vec::new();
    for (row, face, base) in shared_with_code(node, &code)? {
        if row.standing == Standing::Own {
            return Err(NodeError::Refused(OWN_CODE.to_owned()));
        }
        if issuer.is_none_or(|issuer| issuer == row.key.origin)
            && is_accepted(node, &row.key.origin)?
        {
            found.push(Redeemable {
                at_once: face.auto_approve && row.scope == Scope::TrustedPeers,
                profile: match row.by {
                    Some(By::User(id)) => Some(RecordRef {
                        origin: row.key.origin,
                        id,
                    }),
                    _ => None,
                },
                key: row.key,
                home: base.home,
                inviter: base.author,
                face,
            });
        }
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(NodeError::Refused(UNKNOWN_CODE.to_owned())),
        count => Err(NodeError::Refused(format!(
            "{count} communities show an invitation with this code, and only one of them made it; put the id of the right \
             one and a slash before the code"
        ))),
    }
}

/// Makes the account of a newcomer, and asks the issuer. Returns the account and the thread of the letter.
///
/// # Errors
/// That the code is of no invite, what was shown is another, too many wait, the handle is taken, or what is wrong with the
/// texts. Nothing was made and nobody was told then.
pub fn invite_redeem(node: &mut Node, input: &InviteRedeem<'_>) -> Result<(Account, RecordId)> {
    check_handle(input.handle)?;
    let invite = redeemable(node, input.code)?;
    if invite.shown() != input.shown {
        return Err(NodeError::Refused(
            "what would be sent is not what was shown; look at it again. Nobody was told anything"
                .to_owned(),
        ));
    }
    let private = node.store.private();
    if private.account(input.handle)?.is_some() || is_reserved(node, input.handle)? {
        return Err(NodeError::HandleTaken(input.handle.to_owned()));
    }
    let issuer = invite.key.origin;
    check_room(node, &issuer)?;
    let now = node.now();
    // The issuer reads the day alone: a time to the millisecond would be the one in the id of the profile.
    let asked = now.plus_ms(-now.unix_ms().rem_euclid(DAY_MS));
    let (user, thread) = (entropy::record_id(now), entropy::record_id(asked));
    let newcomer = Newcomer {
        handle: input.handle,
        display_name: input.display_name,
        bio: input.bio,
        inviter: invite.profile,
    };
    put_profile(node, user, &newcomer, now)?;
    let account = Account {
        user,
        handle: input.handle.to_owned(),
        state: AccountState::Pending,
        role: Role::Member,
        created_at: now,
    };
    let redemption = Redemption {
        user,
        thread,
        issuer,
        invite: invite.key.id,
        at: now,
        at_once: invite.at_once,
        state: RedemptionState::Asked,
        answered_at: None,
        settled_at: None,
    };
    node.store.private().together(|private| {
        // Looked at again: another browser may have come first.
        check_room(node, &issuer)?;
        private.put_account(&account)?;
        if let Some(email) = input.email {
            private.put_contact(&user, "email", email)?;
        }
        private.put_default_scope(&user, input.default_scope)?;
        private.put_redemption(&redemption)?;
        tell_within(private, user, issuer, thread, &invite.body(), asked)?;
        private.audit(&AuditRow {
            at: now,
            actor: Some(user),
            act: "invite redeem".to_owned(),
            target: user.to_string(),
            detail: format!("of {}", issuer.short()),
        })?;
        Ok::<_, NodeError>(())
    })?;
    Ok((account, thread))
}

/// Whether there is room for one more newcomer by the codes of an issuer.
fn check_room(node: &Node, issuer: &InstanceId) -> Result<()> {
    let private = node.store.private();
    let mut open = 0;
    for redemption in private.redemptions()? {
        if redemption.issuer != *issuer {
            continue;
        }
        let account = private.account_of(&redemption.user)?;
        let waits = account.is_some_and(|account| account.state == AccountState::Pending);
        open += usize::from(waits || redemption.is_provisional());
    }
    if open < REDEMPTIONS_WAITING_MAX {
        return Ok(());
    }
    Err(NodeError::Refused(format!(
        "{open} newcomers wait here already by invitations of that community; somebody who looks after this one has to decide \
         about them first. Nobody was told anything; ask again in a few days"
    )))
}

const NO_CODE: &str = "this is no code of an invitation: one has 32 digits and letters from a to f";
const OWN_CODE: &str = "this code is of an invitation of this community itself, and lets people in elsewhere; here its link does. Ask who invited \
     you for the link";
const UNKNOWN_CODE: &str = "no community that is accepted here shares an invitation with this code: it may be over, taken back, or of a community \
     that this one does not know. Ask who gave it to you; nobody was told anything";
