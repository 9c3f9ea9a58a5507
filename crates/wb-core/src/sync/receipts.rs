//! What members and hubs say to each other about receipts (spec: receipts).

use serde::{Deserialize, Serialize};

use crate::id::InstanceId;
use crate::json::object_only;
use crate::scope::FeedScope;

/// Receipts of a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct ReceiptsGiven {
    /// 1.
    pub schema_version: u32,
    /// Signed lines.
    pub receipts: Vec<String>,
}

/// What came of receipts that were given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct ReceiptsTaken {
    /// 1.
    pub schema_version: u32,
    /// Those of which a later one is held.
    pub stale: Vec<StaleReceipt>,
}

/// A feed of which a later receipt is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct StaleReceipt {
    /// Whose feed.
    pub origin: InstanceId,
    /// Which of them.
    pub scope: FeedScope,
    /// The count of the one held.
    pub n: u64,
}

/// A page of receipts for an origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Receipts {
    /// 1.
    pub schema_version: u32,
    /// In the order of their numbers.
    pub receipts: Vec<ReceiptRow>,
    /// Where to go on.
    pub next: u64,
    /// The highest number there is.
    pub last: u64,
    /// Members that follow the caller.
    pub followers: u64,
}

/// A receipt, with what it is verified by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct ReceiptRow {
    /// The signed line.
    pub receipt: String,
    /// The identity log of its follower.
    pub identity: Vec<String>,
    /// The name on the follower's card there.
    pub name: String,
}

object_only!(
    ReceiptsGiven,
    ReceiptsTaken,
    StaleReceipt,
    Receipts,
    ReceiptRow,
);
