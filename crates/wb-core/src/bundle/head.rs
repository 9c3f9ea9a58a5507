//! The signed head of a bundle, and what two programs tell each other about their versions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{Hash, InstanceId};
use crate::identity::IdentityLog;
use crate::json::{object_only, text_only};
use crate::kinds::{KNOWN, ProtocolRange};
use crate::protocol::PROTOCOL;
use crate::scope::{FeedScope, Kind};
use crate::signed::{self, Signer};

/// What a program speaks: protocol, kinds, and its own name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speaks {
    /// Protocol versions.
    pub protocol: ProtocolRange,
    /// Kinds, with the highest `schema_version` of each.
    pub kinds: BTreeMap<Kind, u32>,
    /// Name and version.
    pub software: String,
}

impl Speaks {
    /// What this version speaks.
    ///
    /// # Panics
    /// Never: the names in [`KNOWN`] are kinds.
    #[must_use]
    pub fn this() -> Self {
        let kinds = KNOWN
            .iter()
            .map(|(kind, version)| (kind.parse().expect("a kind"), *version));
        Self {
            protocol: PROTOCOL,
            kinds: kinds.collect(),
            software: format!("whiteballoon/{}", env!("CARGO_PKG_VERSION")),
        }
    }
}

/// In which form a feed stands in a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum Form {
    /// At its head, without history.
    Snapshot,
    /// The deltas after what the receiver holds.
    Deltas,
}

/// One feed section, as the head lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Contents {
    /// The instance.
    pub origin: InstanceId,
    /// The feed's scope.
    pub scope: FeedScope,
    /// In which form.
    pub form: Form,
    /// Items in the section.
    pub items: u64,
}

text_only!(Form);
object_only!(Contents);

/// What the head of a bundle says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleHead {
    #[serde(rename = "type")]
    kind: String,
    schema_version: u32,
    /// Who made the bundle; feeds need no trust in it.
    pub exporter: InstanceId,
    /// Recoveries up to the entry that signs.
    pub era: u64,
    /// Number of the entry that signs.
    pub key: u64,
    /// Hash of the entry that signs.
    pub identity: Hash,
    /// Protocol versions the exporter speaks.
    pub protocol: ProtocolRange,
    /// Kinds the exporter knows.
    pub kinds: BTreeMap<Kind, u32>,
    /// The exporter's program.
    pub software: String,
    /// Hash of the want line this answers.
    #[serde(deserialize_with = "crate::json::present")]
    pub want: Option<Hash>,
    /// The feed sections, in order.
    pub contents: Vec<Contents>,
}

impl BundleHead {
    /// Describes a bundle.
    #[must_use]
    pub fn new(
        identity: &IdentityLog,
        speaks: Speaks,
        want: Option<Hash>,
        contents: Vec<Contents>,
    ) -> Self {
        let newest = identity.newest();
        Self {
            kind: signed::BUNDLE.0.to_owned(),
            schema_version: 1,
            exporter: identity.id(),
            era: newest.position.era,
            key: newest.position.n,
            identity: newest.hash,
            protocol: speaks.protocol,
            kinds: speaks.kinds,
            software: speaks.software,
            want,
            contents,
        }
    }

    /// The signed line.
    #[must_use]
    pub fn sign(&self, signer: &Signer) -> Vec<u8> {
        signer.sign(signed::BUNDLE, &signed::payload(self))
    }
}
