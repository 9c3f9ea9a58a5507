//! Vouches one by one, as a hub gives them (spec: sync, vouches one by one).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{InstanceId, RecordId};
use crate::json::object_only;
use crate::trust::LoneVouch;

/// Whose vouches are asked for; at least one of issuer and subject is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VouchesAsk {
    /// Who vouches.
    pub issuer: Option<InstanceId>,
    /// For whom.
    pub subject: Option<InstanceId>,
    /// The place of the last one of the page before.
    pub after: Option<VouchPlace>,
}

/// Where a vouch stands in a list: by issuer, then by record. In JSON it is its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct VouchPlace {
    /// Who vouches.
    pub issuer: InstanceId,
    /// The record.
    pub id: RecordId,
}

impl fmt::Display for VouchPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.issuer, self.id)
    }
}

/// A place that is not `ISSUER.UUID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a place in a list of vouches is an instance id, a dot and a record id")]
pub struct BadVouchPlace;

impl FromStr for VouchPlace {
    type Err = BadVouchPlace;

    fn from_str(text: &str) -> Result<Self, BadVouchPlace> {
        let (issuer, id) = text.split_once('.').ok_or(BadVouchPlace)?;
        Ok(Self {
            issuer: issuer.parse().map_err(|_| BadVouchPlace)?,
            id: id.parse().map_err(|_| BadVouchPlace)?,
        })
    }
}

impl Serialize for VouchPlace {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VouchPlace {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A page of vouches, each alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct VouchesPage {
    /// 1.
    pub schema_version: u32,
    /// By issuer, then record. Each is verified by its reader.
    pub vouches: Vec<LoneVouch>,
    /// Vouches of this page that the hub holds and cannot prove one by one.
    pub unproved: u64,
    /// The `after` of the next page.
    pub next: Option<VouchPlace>,
}

object_only!(VouchesPage);

#[cfg(test)]
mod tests {
    use super::VouchPlace;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        let text = format!("{}.0196f3c4-0000-7000-8000-000000000001", "ab".repeat(32));
        let place: VouchPlace = text.parse().expect("a place");
        assert_eq!(place.to_string(), text);
        for wrong in ["", ".", &text[1..], &text[..70], &text.replace('.', "-")] {
            assert!(wrong.parse::<VouchPlace>().is_err(), "{wrong}");
        }
    }
}
