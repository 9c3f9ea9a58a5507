//! The kinds of records this version knows, and what their bodies hold (spec: records, kinds).
//!
//! A body is read only to be shown. A kind or a `schema_version` this version does not know, and a
//! body that its kind does not allow, are told apart by [`BodyError`]; neither is ever refused.

mod body;
mod notice;
mod text;

pub use body::{
    Body, Card, Comment, Helper, Invite, Level, Personalisation, ProtocolRange, Request, Status,
    SyncRhythm, To, User, Vouch,
};
pub use notice::{Notice, NoticeAct, Subject};
pub(crate) use text::check_lines;
pub use text::{BadText, check_address, check_name, check_text, check_title};

/// Kinds and the highest `schema_version` known of each, in order of name.
pub const KNOWN: &[(&str, u32)] = &[
    ("card", 1),
    ("comment", 1),
    ("helper", 1),
    ("invite", 1),
    ("notice", 1),
    ("request", 1),
    #[cfg(feature = "next-schema")]
    ("skill", 1),
    ("status", 1),
    ("user", 1),
    ("vouch", 1),
];

/// The highest `schema_version` this version knows of a kind; `None` for a kind it does not know.
#[must_use]
pub fn known_version(kind: &str) -> Option<u32> {
    KNOWN
        .iter()
        .find(|(known, _)| *known == kind)
        .map(|(_, version)| *version)
}

/// Why a body cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Its kind or `schema_version` is of a later version.
    #[error("needs a newer version")]
    NeedsNewerVersion,
    /// It is not what its kind allows.
    #[error("the body is not what its kind allows")]
    Invalid,
}
