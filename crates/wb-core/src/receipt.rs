//! A follower's signed word of where it stands with one feed, and what that says of a record (spec: receipts).
//!
//! Pure: who keeps receipts, and hands them on, decides nothing about them. A receipt counts under the newest key
//! known of its follower alone, because it may say that something was erased.

use serde::{Deserialize, Serialize};

use crate::id::{Hash, InstanceId, LogId};
use crate::identity::{IdentityLog, Position};
use crate::json::object_only;
use crate::limits::FEED_KINDS_MAX;
use crate::rule::Rule;
use crate::scope::{FeedScope, Kind};
use crate::signed::{self, Signer, Unverified};
use crate::time::Timestamp;
use crate::want::Held;

/// Receipts in one body, either way; protects memory, and whoever verifies them.
pub const RECEIPTS_PAGE_MAX: usize = 200;
/// A follower says it again after this long, also where nothing changed.
pub const RECEIPT_EVERY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Who has not erased something and was not heard of for this long is told of as silent.
pub const SILENT_AFTER_MS: i64 = 3 * 24 * 60 * 60 * 1_000;

/// Lines of which much was taken back at once are erased after this long.
pub const ERASE_AFTER_MS: i64 = 72 * 60 * 60 * 1_000;
/// What is taken back within this time counts together.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// As many records may be taken back in a day and are erased at once, however small the feed is.
const RETRACTS_ALWAYS_ERASED: u64 = 50;
/// Of this many records one may be taken back in a day and is erased at once.
const RETRACTS_SHARE: u64 = 5;

/// Whether so much was taken back in one day that it may be a thief's doing: it is hidden at once, and erased later.
#[must_use]
pub fn is_much(retracted: u64, live_before: u64) -> bool {
    retracted > RETRACTS_ALWAYS_ERASED && retracted.saturating_mul(RETRACTS_SHARE) > live_before
}

/// A receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Receipt {
    #[serde(rename = "type")]
    tag: String,
    schema_version: u32,
    /// Who says it.
    pub follower: InstanceId,
    /// Recoveries up to the entry that signs.
    pub era: u64,
    /// Number of the entry that signs.
    pub key: u64,
    /// Hash of the entry that signs.
    pub identity: Hash,
    /// Whose feed it is.
    pub origin: InstanceId,
    /// Which of its feeds.
    pub scope: FeedScope,
    /// The log of the head held.
    pub log: LogId,
    /// Its generation.
    pub generation: u64,
    /// Number of the head.
    pub seq: u64,
    /// Hash of the head.
    pub hash: Hash,
    /// The live digest at it.
    pub live: Hash,
    /// Up to which number of this log every line that was dropped is gone from its files.
    #[serde(deserialize_with = "Option::deserialize")]
    pub erased_to: Option<u64>,
    /// Kinds of which no line is held, rising.
    pub stubs: Vec<Kind>,
    /// Counts what the follower said of this feed under its key: of two receipts the one of the later key counts, and of
    /// one key that with the higher count.
    pub n: u64,
    /// When.
    pub at: Timestamp,
}

object_only!(Receipt);

/// Where a follower stands with a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// The head it holds.
    pub head: Held,
    /// The live digest at it.
    pub live: Hash,
    /// Up to which number of its log what was dropped is gone.
    pub erased_to: Option<u64>,
    /// Kinds of which no line is held, rising.
    pub stubs: Vec<Kind>,
}

impl Receipt {
    /// Says where the owner of an identity log stands with a feed.
    #[must_use]
    pub fn new(identity: &IdentityLog, stand: &Stand, n: u64, at: Timestamp) -> Self {
        let (newest, head) = (identity.newest(), &stand.head);
        Self {
            tag: signed::RECEIPT.0.to_owned(),
            schema_version: 1,
            follower: identity.id(),
            era: newest.position.era,
            key: newest.position.n,
            identity: newest.hash,
            origin: head.origin,
            scope: head.scope,
            log: head.log,
            generation: head.generation,
            seq: head.seq,
            hash: head.hash,
            live: stand.live,
            erased_to: stand.erased_to,
            stubs: stand.stubs.clone(),
            n,
            at,
        }
    }

    /// The signed line.
    #[must_use]
    pub fn sign(&self, signer: &Signer) -> Vec<u8> {
        signer.sign(signed::RECEIPT, &signed::payload(self))
    }

    /// Reads a receipt and verifies it under the newest entry of its follower's log.
    ///
    /// # Errors
    /// The rule it breaks: one of strict JSON or signed lines, `receipt_malformed`, `wrong_id` for another follower
    /// than the log's, `wrong_key`, `bad_signature`.
    pub fn verify(line: &[u8], identity: &IdentityLog) -> Result<Self, Rule> {
        let unverified = Unverified::read(line, signed::RECEIPT)?;
        let receipt: Self =
            serde_json::from_slice(unverified.payload()).map_err(|_| Rule::ReceiptMalformed)?;
        if !receipt.is_well_formed() {
            return Err(Rule::ReceiptMalformed);
        }
        if receipt.follower != identity.id() {
            return Err(Rule::WrongId);
        }
        let newest = identity.newest();
        if (receipt.identity, receipt.position()) != (newest.hash, newest.position) {
            return Err(Rule::WrongKey);
        }
        unverified.verify(&newest.signing_key)?;
        Ok(receipt)
    }

    /// Reads a receipt that was verified before it was kept, without verifying it again.
    ///
    /// # Errors
    /// `receipt_malformed`: it is not what was kept.
    pub fn kept(line: &[u8]) -> Result<Self, Rule> {
        let unverified = Unverified::read(line, signed::RECEIPT)?;
        serde_json::from_slice(unverified.payload()).map_err(|_| Rule::ReceiptMalformed)
    }

    /// The same, where the key that signed it is still the newest of its follower.
    ///
    /// # Errors
    /// As [`Receipt::kept`]; `wrong_key` where another key followed.
    pub fn kept_under(line: &[u8], identity: &IdentityLog) -> Result<Self, Rule> {
        let receipt = Self::kept(line)?;
        if receipt.identity == identity.newest().hash {
            Ok(receipt)
        } else {
            Err(Rule::WrongKey)
        }
    }

    fn is_well_formed(&self) -> bool {
        let rises = self.stubs.windows(2).all(|pair| pair[0] < pair[1]);
        self.follower != self.origin
            && self.erased_to.is_none_or(|to| to <= self.seq)
            && rises
            && self.stubs.len() <= FEED_KINDS_MAX
    }

    /// Where the key that signs stands in its follower's log.
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            era: self.era,
            n: self.key,
        }
    }

    /// The head it is about.
    #[must_use]
    pub fn head(&self) -> Held {
        Held {
            origin: self.origin,
            scope: self.scope,
            log: self.log,
            generation: self.generation,
            seq: self.seq,
            hash: self.hash,
        }
    }

    /// Where it says that its follower stands.
    #[must_use]
    pub fn stand(&self) -> Stand {
        Stand {
            head: self.head(),
            live: self.live,
            erased_to: self.erased_to,
            stubs: self.stubs.clone(),
        }
    }
}

/// What a feed says of a record last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move<'a> {
    /// The log.
    pub log: LogId,
    /// Its generation.
    pub generation: u64,
    /// Number of the delta.
    pub seq: u64,
    /// Whether it was put there; else it was taken back.
    pub is_put: bool,
    /// The record's kind.
    pub kind: &'a Kind,
}

/// What a receipt says of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// The record is there.
    Holds,
    /// Its entry may be there, and never its text.
    Stubs,
    /// It is not there yet, or not known to be taken back.
    Pending,
    /// It is hidden there, and its text is erased later.
    Hidden,
    /// Its text is gone there.
    Erased,
}

impl Stand {
    /// What this says of a record whose last move in the feed is `last`. The head has to be one of the origin's own.
    #[must_use]
    pub fn says(&self, last: &Move<'_>) -> Says {
        let is_same_log = self.head.log == last.log;
        let is_later_log = self.head.generation > last.generation;
        let reaches = is_later_log || (is_same_log && self.head.seq >= last.seq);
        let is_erased = match self.erased_to {
            Some(to) => is_later_log || (is_same_log && to >= last.seq),
            None => false,
        };
        // Also of a kind of which no line is held: those that were taken back are kept beside the feed for a while.
        match (reaches && !last.is_put, is_erased) {
            (true, true) => return Says::Erased,
            (true, false) => return Says::Hidden,
            (false, _) => {}
        }
        if self.stubs.contains(last.kind) {
            return Says::Stubs;
        }
        if reaches { Says::Holds } else { Says::Pending }
    }
}

#[cfg(test)]
mod tests {
    use super::{Move, Says, Stand};
    use crate::id::{Hash, InstanceId, LogId};
    use crate::scope::{FeedScope, Kind};
    use crate::want::Held;

    fn stand(log: u8, generation: u64, seq: u64, erased_to: Option<u64>) -> Stand {
        Stand {
            head: Held {
                origin: InstanceId([1; 32]),
                scope: FeedScope::Public,
                log: LogId([log; 16]),
                generation,
                seq,
                hash: Hash([2; 32]),
            },
            live: Hash([3; 32]),
            erased_to,
            stubs: Vec::new(),
        }
    }

    fn last(is_put: bool, kind: &Kind) -> Move<'_> {
        Move {
            log: LogId([1; 16]),
            generation: 3,
            seq: 7,
            is_put,
            kind,
        }
    }

    #[test]
    fn a_receipt_says_of_a_record_what_its_place_says() {
        let kind: Kind = "request".parse().unwrap();
        let (put, gone) = (last(true, &kind), last(false, &kind));
        let cases = [
            // The head is before the move, at it, and in the next log.
            (stand(1, 3, 6, Some(6)), Says::Pending, Says::Pending),
            (stand(1, 3, 7, Some(7)), Says::Holds, Says::Erased),
            (stand(2, 4, 0, Some(0)), Says::Holds, Says::Erased),
            // Hidden, and kept for a while.
            (stand(1, 3, 7, Some(6)), Says::Holds, Says::Hidden),
            (stand(1, 3, 9, None), Says::Holds, Says::Hidden),
            (stand(2, 4, 5, None), Says::Holds, Says::Hidden),
            // An earlier log, and another of the same place.
            (stand(2, 2, 90, Some(90)), Says::Pending, Says::Pending),
            (stand(2, 3, 90, Some(90)), Says::Pending, Says::Pending),
        ];
        for (stand, of_put, of_retract) in cases {
            assert_eq!(stand.says(&put), of_put, "{stand:?}");
            assert_eq!(stand.says(&gone), of_retract, "{stand:?}");
        }
    }

    #[test]
    fn much_is_more_than_a_fifth_and_over_fifty() {
        for (retracted, live, much) in [
            (50, 50, false),
            (51, 51, true),
            (51, 254, true),
            (51, 255, false),
            (200, 1_000, false),
            (201, 1_000, true),
            (u64::MAX, u64::MAX - 1, true),
        ] {
            assert_eq!(
                super::is_much(retracted, live),
                much,
                "{retracted} of {live}"
            );
        }
    }

    #[test]
    fn who_takes_no_lines_of_a_kind_has_nothing_to_erase() {
        let kind: Kind = "comment".parse().unwrap();
        let mut stand = stand(1, 3, 6, Some(6));
        stand.stubs = vec![kind.clone()];
        assert_eq!(stand.says(&last(false, &kind)), Says::Stubs);
        assert_eq!(stand.says(&last(true, &kind)), Says::Stubs);
        stand.head.seq = 7;
        stand.erased_to = Some(7);
        assert_eq!(stand.says(&last(false, &kind)), Says::Erased);
        // All lines of a kind were taken back, and none is held of it any more: they are kept for 72 hours.
        stand.erased_to = Some(6);
        assert_eq!(stand.says(&last(false, &kind)), Says::Hidden);
    }
}
