//! Redeeming an invite at another instance: what the issuer is asked, and what it answers (spec: invites, letters).
//!
//! The question holds the invite and its code. Of who came it says nothing: there is no member for a name.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{RecordRef, Token};
use crate::json::{object_only, present};
use crate::scope::Kind;

/// That somebody came by an invite of the recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Redeem {
    /// The invite.
    pub invite: RecordRef,
    /// The share code that was given.
    pub code: Token,
}

/// What an issuer decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redeemed {
    /// It is one use of the invite.
    Counted,
    /// It is none.
    Refused(RedeemRefusal),
}

/// Why an issuer does not count somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedeemRefusal {
    /// There is no such invite for whoever asked.
    Unknown,
    /// It stays home.
    NotShared,
    /// It was switched off.
    Off,
    /// It ended.
    Expired,
    /// As many came by it as it admits.
    UsedUp,
    /// Who asked asked too often.
    TooMany,
    /// A cause that a newer version names.
    Other(Kind),
}

impl RedeemRefusal {
    /// The word in the spec.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Unknown => "unknown",
            Self::NotShared => "not_shared",
            Self::Off => "off",
            Self::Expired => "expired",
            Self::UsedUp => "used_up",
            Self::TooMany => "too_many",
            Self::Other(word) => word.as_str(),
        }
    }

    /// Reads the word; none where it cannot be one.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "unknown" => Self::Unknown,
            "not_shared" => Self::NotShared,
            "off" => Self::Off,
            "expired" => Self::Expired,
            "used_up" => Self::UsedUp,
            "too_many" => Self::TooMany,
            word => Self::Other(word.parse().ok()?),
        })
    }

    /// The reason in words, after "it was not counted: ".
    #[must_use]
    pub fn sentence(&self) -> &'static str {
        match self {
            Self::Unknown => "there is no such invitation",
            Self::NotShared => "the invitation is not shared any more",
            Self::Off => "the invitation was switched off",
            Self::Expired => "the invitation has ended",
            Self::UsedUp => "as many came by the invitation as it admits",
            Self::TooMany => "too many asked within a day",
            Self::Other(_) => "for a cause that a newer version of this program explains",
        }
    }
}

impl fmt::Display for RedeemRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The answer as it stands in a letter.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(remote = "Self")]
struct Wire {
    state: String,
    #[serde(deserialize_with = "present")]
    cause: Option<String>,
}

object_only!(Redeem, Wire);

impl Serialize for Redeemed {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (state, cause) = match self {
            Self::Counted => ("counted", None),
            Self::Refused(cause) => ("refused", Some(cause.to_string())),
        };
        let state = state.to_owned();
        Serialize::serialize(&Wire { state, cause }, serializer)
    }
}

impl<'de> Deserialize<'de> for Redeemed {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = <Wire as Deserialize>::deserialize(deserializer)?;
        let cause = wire.cause.as_deref().map(RedeemRefusal::from_word);
        match (wire.state.as_str(), cause) {
            ("counted", None) => Ok(Self::Counted),
            ("refused", Some(Some(cause))) => Ok(Self::Refused(cause)),
            _ => Err(serde::de::Error::custom(
                "not counted, and not refused with a cause",
            )),
        }
    }
}
