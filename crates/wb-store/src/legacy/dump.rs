//! What a file of the Python program holds, as plain values.

use serde::Serialize;
use wb_core::scope::Scope;
use wb_core::time::Timestamp;

use super::{LeftBehind, Problem, SourceId};

/// Everything that can move, and what cannot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dump {
    /// Tells the same source again when it is read a second time.
    pub source: SourceId,
    /// By id.
    pub users: Vec<LegacyUser>,
    /// By id.
    pub requests: Vec<LegacyRequest>,
    /// By id; the deleted ones too. The request of each is in `requests`.
    pub comments: Vec<LegacyComment>,
    /// By token.
    pub invites: Vec<LegacyInvite>,
    /// By id. Both users of each are in `users`.
    pub vouches: Vec<LegacyVouch>,
    /// What could not be read as it stands, one by one.
    pub problems: Vec<Problem>,
    /// What does not move, with its rows counted.
    pub left_behind: Vec<LeftBehind>,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegacyUser {
    /// The id in the file.
    pub id: i64,
    /// The name as it stands; `None` for null.
    pub username: Option<String>,
    /// The name in lower case, or what is offered where that is missing, taken or too long. Unique in
    /// the file, never empty, at most [`wb_core::limits::NAME_CHARS_MAX`] characters.
    pub handle: String,
    /// Whether the member was an administrator.
    pub is_admin: bool,
    /// Private.
    pub contact_email: Option<String>,
    /// When the account was made.
    pub created_at: Timestamp,
    /// Public or private.
    pub scope: Scope,
    /// Who invited the member; another member of the file.
    pub invited_by: Option<i64>,
    /// The invite that was used; one of the file.
    pub invite_token: Option<String>,
    /// A full address or a path on the old node.
    pub photo: Option<String>,
    /// The other attributes, by key; all private.
    pub attributes: Vec<LegacyAttribute>,
    /// Whether a text is longer than a record allows, so that the record must stay private.
    pub too_long: bool,
}

/// A private attribute of a member.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct LegacyAttribute {
    /// The key.
    pub key: String,
    /// The value; `None` for null.
    pub value: Option<String>,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LegacyStatus {
    /// Not finished by its author.
    Draft,
    /// Waits for its author's approval; also every status that is unknown.
    Pending,
    /// Help is needed.
    Open,
    /// Help was given.
    Completed,
}

/// A request for help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegacyRequest {
    /// The id in the file.
    pub id: i64,
    /// The title; `None` for null and for nothing but white space, so the reader has to make one.
    pub title: Option<String>,
    /// The text; empty for null.
    pub description: String,
    /// The status.
    pub status: LegacyStatus,
    /// Private.
    pub contact_email: Option<String>,
    /// Its author; a member of the file, or unknown.
    pub creator: Option<i64>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When help was given.
    pub completed_at: Option<Timestamp>,
    /// Public or private.
    pub scope: Scope,
    /// Whether a text is longer than a record allows, so that the record must stay private.
    pub too_long: bool,
}

/// A comment on a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegacyComment {
    /// The id in the file.
    pub id: i64,
    /// The request; one of the file.
    pub request: i64,
    /// Its author; a member of the file, or unknown.
    pub author: Option<i64>,
    /// The text; empty for null.
    pub body: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was deleted; also where that time is unreadable.
    pub deleted_at: Option<Timestamp>,
    /// Public or private, whatever its request is.
    pub scope: Scope,
    /// Whether the text is longer than a record allows, so that the record must stay private.
    pub too_long: bool,
}

/// An invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegacyInvite {
    /// The secret of the home link.
    pub token: String,
    /// Who made it; a member of the file, or nobody known.
    pub creator: Option<i64>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; the time it was made where that is unreadable.
    pub expires_at: Option<Timestamp>,
    /// How many people it admits; 0 admits nobody.
    pub max_uses: u64,
    /// How many it has admitted.
    pub use_count: u64,
    /// Whether it is switched off.
    pub disabled: bool,
    /// Whether who uses it is a member at once.
    pub auto_approve: bool,
    /// A name offered to the newcomer.
    pub suggested_username: Option<String>,
    /// A text about the newcomer; private.
    pub suggested_bio: Option<String>,
    /// Public or private.
    pub scope: Scope,
    /// What makes it personal.
    pub personalisation: Option<LegacyPersonalisation>,
    /// Whether a text is longer than a record allows, so that the record must stay private.
    pub too_long: bool,
}

/// What makes an invite personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegacyPersonalisation {
    /// A full address or a path on the old node.
    pub photo: Option<String>,
    /// Thanks.
    pub gratitude: Option<String>,
    /// What the inviter can help with.
    pub support: Option<String>,
    /// Examples of help, one a line; empty lines left out.
    pub examples: Vec<String>,
    /// Something nice.
    pub fun: Option<String>,
    /// When it was written.
    pub created_at: Timestamp,
}

/// A vouch of one member for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegacyVouch {
    /// The id in the file.
    pub id: i64,
    /// Who vouches; a member of the file.
    pub voucher: i64,
    /// For whom; another member of the file.
    pub subject: i64,
    /// What the voucher wrote as a signature; free text that proves nothing.
    pub signature: Option<String>,
    /// When it was given.
    pub created_at: Timestamp,
}
