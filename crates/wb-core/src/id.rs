//! Identifiers and fixed-size byte values, as newtypes that read and write lower-case hexadecimal.
//!
//! A value has exactly one text form (spec: conventions, encodings); upper case, missing digits and
//! white space are refused, so equality of text is equality of bytes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::object_only;
use crate::time::Timestamp;

/// Says that a text is not the one form of the value it should hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {expected}")]
pub struct ParseError {
    expected: &'static str,
}

macro_rules! hex_newtype {
    ($(#[$doc:meta])* $name:ident, $len:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// The bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// Takes exactly the right number of bytes; anything else is `None`.
            #[must_use]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                let error = ParseError { expected: $expected };
                if text.len() != 2 * $len {
                    return Err(error);
                }
                let mut bytes = [0; $len];
                match data_encoding::HEXLOWER.decode_mut(text.as_bytes(), &mut bytes) {
                    Ok(_) => Ok(Self(bytes)),
                    Err(_) => Err(error),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

hex_newtype!(
    /// A SHA-256 hash: of a line, an entry, a header, a root, a live digest.
    Hash, 32, "64 lower-case hex digits"
);
hex_newtype!(
    /// An instance, named by the hash of the first entry of its identity log.
    InstanceId, 32, "an instance id (64 lower-case hex digits)"
);
hex_newtype!(
    /// The log a feed lives in: 16 random bytes.
    LogId, 16, "a log id (32 lower-case hex digits)"
);
hex_newtype!(
    /// Fresh random bytes in each line, so that the hash that outlives it gives nothing away.
    Salt, 16, "a salt (32 lower-case hex digits)"
);
hex_newtype!(
    /// Another value of 16 bytes: a pseudonym, a session attribution, a share code.
    Token, 16, "32 lower-case hex digits"
);
hex_newtype!(
    /// An Ed25519 public key, not yet checked to be a good point.
    PublicKey, 32, "a public key (64 lower-case hex digits)"
);
hex_newtype!(
    /// An Ed25519 signature.
    Signature, 64, "a signature (128 lower-case hex digits)"
);

impl InstanceId {
    /// The first digits, enough for people to tell instances apart in a list.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..8].to_owned()
    }
}

/// A record's id: a UUID version 7, unique together with the record's origin.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId([u8; 16]);

impl RecordId {
    /// Builds an id from a time and ten bytes of entropy.
    #[must_use]
    pub fn new(at: Timestamp, entropy: [u8; 10]) -> Self {
        let uuid = uuid::Builder::from_unix_timestamp_millis(at.unix_ms_clamped(), &entropy);
        Self(uuid.into_uuid().into_bytes())
    }

    /// The 16 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Takes 16 bytes that are a version 7 UUID; anything else is `None`.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; 16] = bytes.try_into().ok()?;
        let is_v7 = bytes[6] >> 4 == 7 && bytes[8] >> 6 == 0b10;
        is_v7.then_some(Self(bytes))
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        f.write_str(
            uuid::Uuid::from_bytes(self.0)
                .hyphenated()
                .encode_lower(&mut text),
        )
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordId({self})")
    }
}

impl FromStr for RecordId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = ParseError {
            expected: "a UUID version 7 in lower case with hyphens",
        };
        let bytes = text.as_bytes();
        let canonical = bytes.len() == 36
            && bytes.iter().enumerate().all(|(i, b)| match i {
                8 | 13 | 18 | 23 => *b == b'-',
                _ => b.is_ascii_digit() || (b'a'..=b'f').contains(b),
            });
        if !canonical {
            return Err(error);
        }
        let uuid = uuid::Uuid::try_parse(text).map_err(|_| error.clone())?;
        Self::from_slice(uuid.as_bytes()).ok_or(error)
    }
}

impl Serialize for RecordId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RecordId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A record of any instance: its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct RecordRef {
    /// The instance that writes the record.
    pub origin: InstanceId,
    /// The record's id there.
    pub id: RecordId,
}

object_only!(RecordRef);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_has_one_form() {
        let text = "00ff".repeat(16);
        let hash: Hash = text.parse().unwrap();
        assert_eq!(hash.to_string(), text);
        assert!(text.to_uppercase().parse::<Hash>().is_err());
        assert!(text[1..].parse::<Hash>().is_err());
    }

    #[test]
    fn record_ids_are_version_7_in_canonical_form() {
        let id = RecordId::new("2026-11-22T10:23:59.123Z".parse().unwrap(), [0xff; 10]);
        assert_eq!(id.to_string().parse::<RecordId>().unwrap(), id);
        assert!(id.to_string().to_uppercase().parse::<RecordId>().is_err());
        assert!(
            "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
                .parse::<RecordId>()
                .is_err()
        );
    }
}
