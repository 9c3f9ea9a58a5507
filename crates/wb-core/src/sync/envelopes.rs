//! How envelopes are given, asked for and confirmed, at a hub and at a node (spec: sealed envelopes, roads).

use data_encoding::BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::messages::read_message;
use crate::id::{Hash, InstanceId};
use crate::json::{object_only, present};
use crate::limits::TAKEN_HASHES_MAX;

/// The body of an envelope: bytes, in base64 where they travel in JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body(pub Vec<u8>);

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let bytes = BASE64.decode(text.as_bytes());
        bytes.map(Self).map_err(serde::de::Error::custom)
    }
}

/// An envelope that is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct GivenEnvelope {
    /// 1.
    pub schema_version: u32,
    /// The signed line.
    pub envelope: String,
    /// What is sealed.
    pub body: Body,
}

/// For whom an envelope is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct EnvelopeKept {
    /// 1.
    pub schema_version: u32,
    /// Those of its recipients that are known there.
    pub kept_for: Vec<InstanceId>,
}

/// An envelope that waited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct WaitingEnvelope {
    /// Its number where it waited; absent in a folder.
    #[serde(default)]
    pub n: u64,
    /// The signed line.
    pub envelope: String,
    /// What is sealed.
    pub body: Body,
}

/// A page of the envelopes that wait for the caller, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct EnvelopesPage {
    /// 1.
    pub schema_version: u32,
    /// The envelopes.
    pub envelopes: Vec<WaitingEnvelope>,
    /// After which to ask on; none at the end.
    #[serde(deserialize_with = "present")]
    pub next: Option<u64>,
}

/// Envelopes that were taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct EnvelopesTaken {
    /// 1.
    pub schema_version: u32,
    /// Hashes of their bodies.
    pub hashes: Vec<Hash>,
}

impl EnvelopesTaken {
    /// Reads what one call says.
    ///
    /// # Errors
    /// What is wrong with it, or that one call may not say so much, in words.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        let taken: Self = read_message(body)?;
        if taken.hashes.len() > TAKEN_HASHES_MAX {
            return Err(format!(
                "more than {TAKEN_HASHES_MAX} hashes in one call; nothing was changed"
            ));
        }
        Ok(taken)
    }

    /// As many calls as it takes to say that these were taken.
    pub fn calls(hashes: &[Hash]) -> impl Iterator<Item = Self> {
        hashes.chunks(TAKEN_HASHES_MAX).map(|hashes| Self {
            schema_version: 1,
            hashes: hashes.to_vec(),
        })
    }
}

/// That something was noted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Noted {
    /// 1.
    pub schema_version: u32,
}

object_only!(
    GivenEnvelope,
    EnvelopeKept,
    WaitingEnvelope,
    EnvelopesPage,
    EnvelopesTaken,
    Noted
);
