//! Why something is refused over the network: one stable word for each cause (spec: requests, problems).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::json::object_only;
use crate::kinds::ProtocolRange;

macro_rules! causes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:literal,)*) => {
        /// Why a request was refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Cause {
            $($(#[$doc])* $variant,)*
        }

        impl Cause {
            /// Every cause.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word in the spec.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The HTTP status that goes with it.
            #[must_use]
            pub fn status(self) -> u16 {
                match self {
                    $(Self::$variant => $status,)*
                }
            }
        }
    };
}

causes! {
    /// No signature of the name `wb`.
    SignatureMissing = "signature_missing", 401,
    /// A signature of another form, or over other components.
    SignatureMalformed = "signature_malformed", 400,
    /// The request is for another instance.
    WrongRecipient = "wrong_recipient", 421,
    /// The body is not the one signed.
    DigestMismatch = "digest_mismatch", 400,
    /// The sender or its key is not known here.
    KeyUnknown = "key_unknown", 401,
    /// The key was followed by a newer one.
    KeyRetired = "key_retired", 401,
    /// The signature does not verify.
    SignatureInvalid = "signature_invalid", 401,
    /// The times of the request do not fit the clock here.
    Clock = "clock", 401,
    /// The sender never registered.
    NotRegistered = "not_registered", 403,
    /// The sender's registration waits for approval.
    Waiting = "waiting", 403,
    /// The sender is suspended.
    Suspended = "suspended", 403,
    /// The hub takes only whom it invited, and no code came.
    InviteNeeded = "invite_needed", 403,
    /// The code is of no invitation.
    InviteUnknown = "invite_unknown", 403,
    /// As many as may have come by the invitation.
    InviteUsed = "invite_used", 410,
    /// The invitation has ended, or was switched off.
    InviteOver = "invite_over", 410,
    /// No pair with the sender, or it is blocked.
    NotPaired = "not_paired", 403,
    /// A person has to confirm the pair first.
    PairWaits = "pair_waits", 403,
    /// The link was used, is over, or was never made.
    LinkOver = "link_over", 410,
    /// A push of another instance's feed.
    NotYours = "not_yours", 403,
    /// A request that is not well formed.
    BadRequest = "bad_request", 400,
    /// Nothing of that name.
    NotFound = "not_found", 404,
    /// A body over a limit.
    TooLarge = "too_large", 413,
    /// A body that came too slowly.
    TooSlow = "too_slow", 408,
    /// Too many requests.
    TooMany = "too_many", 429,
    /// A follow list older than the one held.
    FollowsStale = "follows_stale", 409,
    /// Another reply to that notice is kept.
    Replied = "replied", 409,
    /// A registration older than the one held.
    RegistrationStale = "registration_stale", 409,
    /// A key rotated away by who lacks what is held here of its feed.
    RotatedBehind = "rotated_behind", 409,
    /// The hub is not the one the cursor is of.
    CursorUnknown = "cursor_unknown", 409,
    /// The deltas after the cursor are not kept.
    CursorTooOld = "cursor_too_old", 410,
    /// The head of a snapshot being paged is gone.
    HeadGone = "head_gone", 410,
    /// No protocol version in common.
    VersionSkew = "version_skew", 409,
    /// Another process is writing.
    Busy = "busy", 503,
    /// No room on the disk.
    Full = "full", 507,
    /// More than a hub keeps of one member.
    OverQuota = "over_quota", 507,
    /// Something failed on the answering side.
    Failed = "failed", 500,
}

impl Cause {
    /// The cause of a word; none for a word of a later version.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|cause| cause.as_str() == word)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal as it is sent (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Problem {
    /// `urn:wb:problem:` and the cause.
    #[serde(rename = "type")]
    pub kind: String,
    /// What happened, the same for each of its kind.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened here.
    pub detail: String,
    /// The cause; a word of a later version is kept.
    pub cause: String,
    /// The next thing to do, and who has to.
    pub action: String,
    /// 1.
    pub schema_version: u32,
    /// With `clock`: the time there, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<u64>,
    /// With `version_skew`: what is spoken there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<ProtocolRange>,
    /// With `too_large`: the limit in bytes; with `over_quota`: the quota.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// With `follows_stale` and `registration_stale`: the counter held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counter: Option<u64>,
    /// With `too_many`, `busy` and `too_slow`: seconds after which the same may be asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// With `over_quota`: what is counted, `bytes` or `records`; `limit` is how much of it there may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<String>,
    /// With `over_quota`: how much there would be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
}

object_only!(Problem);

impl Problem {
    /// A refusal with its cause, what happened, and what to do.
    #[must_use]
    pub fn new(cause: Cause, detail: impl Into<String>, action: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:wb:problem:{cause}"),
            title: cause.as_str().replace('_', " "),
            status: cause.status(),
            detail: detail.into(),
            cause: cause.as_str().to_owned(),
            action: action.into(),
            schema_version: 1,
            now: None,
            protocol: None,
            limit: None,
            counter: None,
            retry_after: None,
            quota: None,
            used: None,
        }
    }

    /// The cause, where this version knows it.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        Cause::of(&self.cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_read_back_and_an_unknown_cause_survives() {
        let problem = Problem::new(Cause::Waiting, "wait", "ask");
        let text = serde_json::to_string(&problem).unwrap();
        assert_eq!(serde_json::from_str::<Problem>(&text).unwrap(), problem);
        let later = text.replace("\"cause\":\"waiting\"", "\"cause\":\"sleeping\"");
        let later: Problem = serde_json::from_str(&later).unwrap();
        assert_eq!((later.cause(), later.cause.as_str()), (None, "sleeping"));
    }
}
