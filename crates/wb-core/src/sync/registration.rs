//! What a node says when it registers at a hub, and how it stands there (spec: sync, registration).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::json::{object_only, text_only};
use crate::time::Timestamp;

/// Who may become a member of a hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum Policy {
    /// Whoever registers.
    Open,
    /// Whom the operator approves.
    Approval,
    /// Whoever brings the code of an invitation.
    Invite,
}

/// To whom a hub shows a member and what it published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum Visibility {
    /// Who knows its id.
    Unlisted,
    /// Members of the hub: in the directory and by `*`, and on no page.
    Members,
    /// Everybody.
    Public,
}

/// Where a registration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum Standing {
    /// It waits for approval.
    Waiting,
    /// It is a member.
    Member,
    /// It is suspended.
    Suspended,
}

text_only!(Policy, Standing, Visibility);

impl Policy {
    /// The word in the spec.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approval => "approval",
            Self::Invite => "invite",
        }
    }
}

impl Visibility {
    /// What a version means that says only whether it is listed.
    #[must_use]
    pub fn of_listed(listed: bool) -> Self {
        if listed { Self::Public } else { Self::Unlisted }
    }

    /// What a member asked for that asked to be listed, or to be shown to members.
    #[must_use]
    pub fn asked(listed: bool, for_members: bool) -> Self {
        match (listed, for_members) {
            (true, _) => Self::Public,
            (false, true) => Self::Members,
            (false, false) => Self::Unlisted,
        }
    }

    /// To whom a hub shows a member that asks for this. Lists are for who is listed; a notice may keep it out of them all.
    #[must_use]
    pub fn shown(self, is_listed: bool, is_delisted: bool) -> Self {
        if is_listed {
            Self::Public
        } else if is_delisted {
            Self::Unlisted
        } else {
            self.min(Self::Members)
        }
    }

    /// Whether members see it in the directory, and follow it by `*`.
    #[must_use]
    pub fn is_in_directory(self) -> bool {
        self >= Self::Members
    }

    /// The word in the spec.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unlisted => "unlisted",
            Self::Members => "members",
            Self::Public => "public",
        }
    }
}

impl std::fmt::Display for Visibility {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Visibility {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "unlisted" => Ok(Self::Unlisted),
            "members" => Ok(Self::Members),
            "public" => Ok(Self::Public),
            _ => Err(()),
        }
    }
}

impl Standing {
    /// The word in the spec.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Member => "member",
            Self::Suspended => "suspended",
        }
    }
}

impl std::str::FromStr for Standing {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "waiting" => Ok(Self::Waiting),
            "member" => Ok(Self::Member),
            "suspended" => Ok(Self::Suspended),
            _ => Err(()),
        }
    }
}

/// Reads a visibility; none for a word of a later version, of which `listed` says the rest.
pub(super) fn known_visibility<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Visibility>, D::Error> {
    let word = Option::<String>::deserialize(deserializer)?;
    Ok(word.and_then(|word| word.parse().ok()))
}

/// A registration.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Registration {
    /// 1.
    pub schema_version: u32,
    /// The sender's identity log: signed lines.
    pub identity: Vec<String>,
    /// The body of its card.
    pub card: Box<RawValue>,
    /// Whether everybody may see it: all that versions before this one know of `visibility`.
    pub listed: bool,
    /// Who may see it, where more is said than `listed` does.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "known_visibility"
    )]
    pub visibility: Option<Visibility>,
    /// The code of an invitation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Counts what the sender said when it registered; the hub keeps the highest.
    pub counter: u64,
}

impl Registration {
    /// Who may see it: as far as both of what it says allow.
    #[must_use]
    pub fn visibility(&self) -> Visibility {
        let listed = Visibility::of_listed(self.listed);
        match self.visibility {
            // A later word beside `listed`, or none: that is what is known.
            None => listed,
            // Who is not listed may still be for members: versions that do not know that show it to nobody.
            Some(Visibility::Members) => Visibility::Members,
            Some(visibility) => visibility.min(listed),
        }
    }
}

/// Where a registration stands, as answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Standings {
    /// 1.
    pub schema_version: u32,
    /// Where it stands.
    pub standing: Standing,
    /// Why it is suspended.
    pub reason: Option<String>,
    /// Until when.
    pub until: Option<Timestamp>,
    /// To whom the hub shows it; a hub that knows only of lists leaves it out.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "known_visibility"
    )]
    pub visibility: Option<Visibility>,
}

object_only!(Registration, Standings);

#[cfg(test)]
mod tests {
    use super::*;

    fn registration(listed: bool, visibility: &str) -> Registration {
        let text = format!(
            r#"{{"schema_version":1,"identity":[],"card":{{}},"listed":{listed}{visibility},"counter":1}}"#
        );
        serde_json::from_str(&text).expect("a registration")
    }

    #[test]
    fn a_registration_is_shown_no_further_than_both_of_its_words_allow() {
        use Visibility::{Members, Public, Unlisted};
        let said = |word: &str| format!(r#","visibility":"{word}""#);
        // Versions before this one say `listed` alone.
        assert_eq!(registration(true, "").visibility(), Public);
        assert_eq!(registration(false, "").visibility(), Unlisted);
        assert_eq!(registration(true, &said("public")).visibility(), Public);
        assert_eq!(registration(false, &said("members")).visibility(), Members);
        assert_eq!(registration(true, &said("members")).visibility(), Members);
        assert_eq!(registration(true, &said("unlisted")).visibility(), Unlisted);
        assert_eq!(registration(false, &said("public")).visibility(), Unlisted);
        // A word of a later version.
        assert_eq!(registration(false, &said("friends")).visibility(), Unlisted);
        assert_eq!(registration(true, &said("friends")).visibility(), Public);
    }

    #[test]
    fn what_is_not_said_is_not_written() {
        let text = serde_json::to_string(&registration(true, "")).expect("JSON");
        assert!(
            !text.contains("visibility") && !text.contains("code"),
            "{text}"
        );
    }
}
