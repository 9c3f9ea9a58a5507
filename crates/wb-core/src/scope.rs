//! Scope, kind and author: the three words every record carries.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::{RecordId, Token};
use crate::json::text_only;

/// How far a record may go. The order is from narrow to wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum Scope {
    /// Never leaves the node.
    Private,
    /// Goes, sealed, to the instances of the trusted audience.
    TrustedPeers,
    /// Goes to whoever follows the instance.
    Public,
}

impl Scope {
    /// The word used in records, commands and pages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::TrustedPeers => "trusted_peers",
            Self::Public => "public",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Says that a word is none of the scopes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a scope; use private, trusted_peers or public")]
pub struct UnknownScope(String);

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        match text {
            "private" => Ok(Self::Private),
            "trusted_peers" => Ok(Self::TrustedPeers),
            "public" => Ok(Self::Public),
            _ => Err(UnknownScope(text.to_owned())),
        }
    }
}

/// The scope of a feed: what can leave at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum FeedScope {
    /// The public feed.
    Public,
    /// The trusted feed.
    TrustedPeers,
}

impl FeedScope {
    /// Both feeds of an instance.
    pub const ALL: [Self; 2] = [Self::Public, Self::TrustedPeers];

    /// The word used in headers and lines.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Scope::from(self).as_str()
    }
}

text_only!(Scope, FeedScope);

impl From<FeedScope> for Scope {
    fn from(scope: FeedScope) -> Self {
        match scope {
            FeedScope::Public => Self::Public,
            FeedScope::TrustedPeers => Self::TrustedPeers,
        }
    }
}

impl fmt::Display for FeedScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FeedScope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        match text.parse()? {
            Scope::Public => Ok(Self::Public),
            Scope::TrustedPeers => Ok(Self::TrustedPeers),
            Scope::Private => Err(UnknownScope(text.to_owned())),
        }
    }
}

/// A record's kind: `[a-z][a-z0-9_]{0,31}`. Kinds this version does not know are kinds too.
///
/// Every line names one, so it lies in place: the bytes of the word, and zeros after them, which sort as the word does.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    bytes: [u8; Kind::LEN_MAX],
    len: u8,
}

/// Says that a text cannot name a kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a kind: lower-case letters, digits and _, starting with a letter, at most 32")]
pub struct BadKind;

impl Kind {
    const LEN_MAX: usize = 32;

    /// The word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let word = &self.bytes[..usize::from(self.len)];
        std::str::from_utf8(word).expect("a kind is ASCII")
    }
}

impl FromStr for Kind {
    type Err = BadKind;

    fn from_str(text: &str) -> Result<Self, BadKind> {
        let bytes = text.as_bytes();
        let good = bytes.len() <= Self::LEN_MAX
            && bytes.first().is_some_and(u8::is_ascii_lowercase)
            && bytes
                .iter()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_');
        if !good {
            return Err(BadKind);
        }
        let mut kind = Self {
            bytes: [0; Self::LEN_MAX],
            len: u8::try_from(bytes.len()).map_err(|_| BadKind)?,
        };
        kind.bytes[..bytes.len()].copy_from_slice(bytes);
        Ok(kind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kind({self})")
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Who wrote a record, as far as its line tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// The instance itself.
    Instance,
    /// A member whose profile leaves in a scope at least as wide.
    User(RecordId),
    /// A member whose profile does not: stable for one author and scope, joining nothing else.
    Pseudonym(Token),
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance => f.write_str("instance"),
            Self::User(id) => write!(f, "user:{id}"),
            Self::Pseudonym(token) => write!(f, "pseudonym:{token}"),
        }
    }
}

/// Says that a text names no author.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an author: use user:UUID, pseudonym:HEX or instance")]
pub struct BadAuthor;

impl FromStr for By {
    type Err = BadAuthor;

    fn from_str(text: &str) -> Result<Self, BadAuthor> {
        match text.split_once(':') {
            None if text == "instance" => Ok(Self::Instance),
            Some(("user", id)) => id.parse().map(Self::User).map_err(|_| BadAuthor),
            Some(("pseudonym", token)) => token.parse().map(Self::Pseudonym).map_err(|_| BadAuthor),
            _ => Err(BadAuthor),
        }
    }
}

impl Serialize for By {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for By {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
