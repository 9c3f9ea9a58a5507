//! Invites become their working half in the private file and a record as their public face.
//!
//! The token of the home link and the suggested bio have no member in the record: they cannot leave.

use std::collections::BTreeSet;

use wb_core::kinds::{Body, Invite, Personalisation, check_address};
use wb_core::limits::NUMBER_MAX;
use wb_store::InviteRow;
use wb_store::legacy::{LegacyInvite, LegacyPersonalisation};

use super::ids::Known;
use super::problem::{Done, Found};
use super::report::Outcome;
use super::run::{Import, Moved};
use super::users::filled;
use crate::entropy;
use crate::error::Result;

const TABLE: &str = "invite_tokens";
const PERSONAL: &str = "invite_personalizations";

/// Brings all invites.
pub(super) fn bring(import: &mut Import<'_>, invites: &[LegacyInvite]) -> Result<()> {
    let held = import.private.invites()?.into_iter();
    let tokens: BTreeSet<String> = held.map(|invite| invite.token).collect();
    for invite in invites {
        import.step();
        bring_one(import, invite, &tokens)?;
    }
    Ok(())
}

fn bring_one(
    import: &mut Import<'_>,
    invite: &LegacyInvite,
    tokens: &BTreeSet<String>,
) -> Result<()> {
    let row: String = invite.token.chars().take(2).chain(['…']).collect();
    let personal = u64::from(invite.personalisation.is_some());
    let is_seen = import.ids.find(TABLE, &invite.token)?.is_some();
    if !is_seen && tokens.contains(&invite.token) {
        import.trouble(TABLE, row, Found::TokenTaken, Done::LeftBehind);
        import
            .report
            .leave(TABLE, "an invite of this instance has the same token");
        import.report.count(PERSONAL, Outcome::Left, personal);
        if invite.scope == wb_core::scope::Scope::Public {
            import.note("invite", None, None);
        }
        return Ok(());
    }
    let known = import.ids.of(TABLE, &invite.token, invite.created_at)?;
    let Some(id) = known.id() else {
        import.leave_another(TABLE, row, invite.scope);
        import.report.count(PERSONAL, Outcome::Left, personal);
        return Ok(());
    };
    let author = import.user(invite.creator);
    let outcome = if let Known::New(_) = known {
        import.private.put_invite(&InviteRow {
            record: id,
            token: invite.token.clone(),
            created_by: author,
            created_at: invite.created_at,
            expires_at: invite.expires_at,
            max_uses: Some(invite.max_uses),
            uses: invite.use_count,
            disabled: invite.disabled,
            suggested_bio: invite.suggested_bio.clone(),
            photo_path: photo_path(invite),
        })?;
        Outcome::New
    } else {
        compare(import, invite, &id, &row)?;
        Outcome::Here
    };
    import.report.count(PERSONAL, outcome, personal);
    let body = face(invite);
    let scope = (invite.scope, invite.too_long);
    let times = (invite.created_at, invite.created_at);
    let (record, kept) = import.record(id, &body, author, scope, times);
    import.settle(Moved {
        table: TABLE,
        row,
        known,
        record,
        scope: invite.scope,
        kept,
        updated_at: None,
    })?;
    Ok(())
}

/// Uses and ends are counted here from now on; what happened in the old program since is told.
fn compare(
    import: &mut Import<'_>,
    invite: &LegacyInvite,
    id: &wb_core::id::RecordId,
    row: &str,
) -> Result<()> {
    let here = import.private.invite(id)?;
    let is_changed = here
        .is_some_and(|here| invite.use_count > here.uses || (invite.disabled && !here.disabled));
    if is_changed {
        import.trouble(TABLE, row.to_owned(), Found::ChangedSince, Done::NotTaken);
    }
    Ok(())
}

/// The public face. An invite that admits nobody says one, because a face has no other way to say it;
/// its working half keeps it closed.
fn face(invite: &LegacyInvite) -> Body {
    Body::Invite(Invite {
        share_code: entropy::token(),
        max_uses: Some(invite.max_uses.clamp(1, NUMBER_MAX)),
        expires_at: invite.expires_at,
        auto_approve: invite.auto_approve,
        suggested_handle: filled(invite.suggested_username.as_ref()).map(str::to_owned),
        personalisation: invite.personalisation.as_ref().and_then(personalisation),
    })
}

fn personalisation(personal: &LegacyPersonalisation) -> Option<Personalisation> {
    let text = |text: &Option<String>| filled(text.as_ref()).map(str::to_owned);
    let personal = Personalisation {
        photo: personal
            .photo
            .clone()
            .filter(|photo| check_address(photo).is_ok()),
        gratitude: text(&personal.gratitude),
        support: text(&personal.support),
        examples: (!personal.examples.is_empty()).then(|| personal.examples.clone()),
        fun: text(&personal.fun),
    };
    (personal != Personalisation::default()).then_some(personal)
}

/// A photo that has no address elsewhere.
fn photo_path(invite: &LegacyInvite) -> Option<String> {
    let photo = invite.personalisation.as_ref()?.photo.as_ref()?;
    check_address(photo).is_err().then(|| photo.clone())
}
