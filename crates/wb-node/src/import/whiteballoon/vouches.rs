//! Vouches between members become records of a kind that never leaves. What was called a signature is
//! free text that proves nothing, so it is kept as a note.

use serde::Serialize;
use wb_core::id::RecordRef;
use wb_core::leave::Life;
use wb_core::scope::Scope;
use wb_core::time::Timestamp;
use wb_store::LocalRecord;
use wb_store::legacy::LegacyVouch;

use super::run::{Import, Moved};
use crate::error::Result;

const TABLE: &str = "vouches";
const NO_USER: &str = "one of their two users did not move";

/// The kind of a vouch between two members of one instance; not one of those that leave.
pub const MEMBER_VOUCH: &str = "member_vouch";

/// The body of such a record.
#[derive(Debug, Serialize)]
struct MemberVouch<'a> {
    /// Who vouches.
    voucher: RecordRef,
    /// For whom.
    subject: RecordRef,
    /// What the voucher wrote.
    note: Option<&'a str>,
    /// When it was given.
    created_at: Timestamp,
}

/// Brings all vouches.
pub(super) fn bring(import: &mut Import<'_>, vouches: &[LegacyVouch]) -> Result<()> {
    for vouch in vouches {
        import.step();
        bring_one(import, vouch)?;
    }
    Ok(())
}

fn bring_one(import: &mut Import<'_>, vouch: &LegacyVouch) -> Result<()> {
    let row = vouch.id.to_string();
    let (Some(voucher), Some(subject)) = (
        import.user(Some(vouch.voucher)),
        import.user(Some(vouch.subject)),
    ) else {
        import.report.leave(TABLE, NO_USER);
        return Ok(());
    };
    let known = import.ids.of(TABLE, &row, vouch.created_at)?;
    let Some(id) = known.id() else {
        import.leave_another(TABLE, row, Scope::Private);
        return Ok(());
    };
    let body = MemberVouch {
        voucher: import.reference(voucher),
        subject: import.reference(subject),
        note: vouch.signature.as_deref(),
        created_at: vouch.created_at,
    };
    let record = LocalRecord {
        id,
        kind: MEMBER_VOUCH.parse().expect("a kind"),
        author: Some(voucher),
        scope: Scope::Private,
        ceiling: Scope::Public,
        life: Life::Active,
        body: serde_json::to_string(&body).expect("a body has string keys and serialises"),
        shares: None,
        parent: None,
        created_at: vouch.created_at,
        at: vouch.created_at,
        edit: 1,
        sealed_edit: 0,
        rev: 0,
        left_by: None,
    };
    import.settle(Moved {
        table: TABLE,
        row,
        known,
        record,
        scope: Scope::Private,
        kept: None,
        updated_at: None,
    })?;
    Ok(())
}
