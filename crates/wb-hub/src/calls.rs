//! What can be asked of a hub, and how large a question may be.

use http::Method;
use wb_core::limits::{ENVELOPE_CALL_BYTES_MAX, LETTER_CALL_BYTES_MAX, SYNC_BODY_BYTES_MAX};
use wb_core::protocol::{PROTOCOL, of_path};
use wb_net::BodyLimit;

/// Bytes of a registration: an identity log of its full length as this program writes it, and a card. It
/// has to be read before its sender is known, so nothing more is taken.
const REGISTRATION_BYTES_MAX: usize = 1_024 * 1_024;
/// Bytes of a turn, or of who asks for a recovery.
pub(crate) const SMALL_BYTES_MAX: usize = 4_096;
/// Bytes of a reply to a notice: its text may be escaped.
const REPLY_BYTES_MAX: usize = 32_768;
/// Bytes of a list of envelopes or letters that were taken, of its full length.
const TAKEN_BYTES_MAX: usize = 128 * 1_024;
/// Bytes of a follow list of its full length.
const FOLLOWS_BYTES_MAX: usize = 1_024 * 1_024;
/// Bytes of receipts: a page of them, with as many kinds as may be named in each.
const RECEIPTS_BYTES_MAX: usize = 1_024 * 1_024;
/// One of the calls of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    Register,
    Member,
    Directory,
    Follows,
    Heads,
    Changes,
    Snapshot,
    Lines,
    History,
    Push,
    Own,
    Turn,
    Vouches,
    GiveReceipts,
    Receipts,
    KeepEnvelope,
    Envelopes,
    EnvelopesTaken,
    KeepLetter,
    Mail,
    MailTaken,
    Notices,
    Reply,
}

impl Route {
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        let (_, path) = of_path(path)?;
        let first = path.split('/').next().unwrap_or_default();
        let route = match (method.as_str(), first) {
            ("POST", "register") => Self::Register,
            ("GET", "member") => Self::Member,
            ("GET", "directory") => Self::Directory,
            ("PUT", "follows") => Self::Follows,
            ("GET", "heads") => Self::Heads,
            ("GET", "changes") => Self::Changes,
            ("GET", "snapshot") => Self::Snapshot,
            ("GET", "lines") => Self::Lines,
            ("GET", "history") => Self::History,
            ("POST", "push") => Self::Push,
            ("GET", "own") => Self::Own,
            ("POST", "turn") => Self::Turn,
            ("GET", "vouches") => Self::Vouches,
            ("POST", "receipts") => Self::GiveReceipts,
            ("GET", "receipts") => Self::Receipts,
            ("POST", "envelopes") if path == "envelopes/taken" => Self::EnvelopesTaken,
            ("POST", "envelopes") => Self::KeepEnvelope,
            ("GET", "envelopes") => Self::Envelopes,
            ("POST", "mail") if path == "mail/taken" => Self::MailTaken,
            ("POST", "mail") => Self::KeepLetter,
            ("GET", "mail") => Self::Mail,
            ("GET", "notices") => Self::Notices,
            ("POST", "reply") => Self::Reply,
            _ => return None,
        };
        let segments = path.split('/').count();
        let wanted = match route {
            Self::Snapshot | Self::Lines => 3,
            Self::Own | Self::EnvelopesTaken | Self::MailTaken => 2,
            _ => 1,
        };
        (segments == wanted).then_some(route)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Member => "member",
            Self::Directory => "directory",
            Self::Follows => "follows",
            Self::Heads => "heads",
            Self::Changes => "changes",
            Self::Snapshot => "snapshot",
            Self::Lines => "lines",
            Self::History => "history",
            Self::Push => "push",
            Self::Own => "own",
            Self::Turn => "turn",
            Self::Vouches => "vouches",
            Self::GiveReceipts => "receipts_give",
            Self::Receipts => "receipts",
            Self::KeepEnvelope => "envelopes_keep",
            Self::Envelopes => "envelopes",
            Self::EnvelopesTaken => "envelopes_taken",
            Self::KeepLetter => "mail_keep",
            Self::Mail => "mail",
            Self::MailTaken => "mail_taken",
            Self::Notices => "notices",
            Self::Reply => "reply",
        }
    }

    pub(crate) fn limit(self) -> BodyLimit {
        BodyLimit::bytes(match self {
            Self::Register => REGISTRATION_BYTES_MAX,
            Self::Follows => FOLLOWS_BYTES_MAX,
            Self::Push => SYNC_BODY_BYTES_MAX,
            Self::KeepEnvelope => ENVELOPE_CALL_BYTES_MAX,
            Self::EnvelopesTaken | Self::MailTaken => TAKEN_BYTES_MAX,
            Self::KeepLetter => LETTER_CALL_BYTES_MAX,
            Self::Turn => SMALL_BYTES_MAX,
            Self::Reply => REPLY_BYTES_MAX,
            Self::GiveReceipts => RECEIPTS_BYTES_MAX,
            _ => 0,
        })
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Of(Route),
    Recovery,
    WhoIsThis,
    /// In a protocol that is not spoken here: before anything else is looked at, the form of everything else is of
    /// that protocol.
    OtherProtocol(u32),
    Unknown,
}

impl Call {
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        let spoken = PROTOCOL.min..=PROTOCOL.max;
        match of_path(path) {
            Some((asked, _)) if !spoken.contains(&asked) => return Self::OtherProtocol(asked),
            Some((_, "recovery")) if method == Method::POST => return Self::Recovery,
            _ => {}
        }
        match Route::of(method, path) {
            Some(route) => Self::Of(route),
            None if path == "/.well-known/wb/node" && method == Method::GET => Self::WhoIsThis,
            None => Self::Unknown,
        }
    }

    /// What it is called in metrics and log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Of(route) => route.name(),
            Self::Recovery => "recovery",
            Self::WhoIsThis => "who_is_this",
            Self::OtherProtocol(_) => "other_protocol",
            Self::Unknown => "unknown",
        }
    }
}
