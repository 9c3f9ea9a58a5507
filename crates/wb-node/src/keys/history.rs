//! What a hub holds that was signed in the name of this instance, verified here entry by entry.
//!
//! A key that somebody else has signs as the owner does. So everything is asked for, also what does not
//! count any more, and what it means is decided by the owner.

use std::collections::BTreeSet;
use std::convert::Infallible;

use wb_core::feed::{Delta, FeedView, Header, Live, Opening, accept};
use wb_core::hash::sha256;
use wb_core::id::{Hash, LogId, RecordId};
use wb_core::identity::IdentityLog;
use wb_core::limits::{IDENTITY_ENTRIES_MAX, IDENTITY_ENTRY_BYTES_MAX};
use wb_core::ndjson::{lines, split_first};
use wb_core::sync::HistorySection;
use wb_core::want::Held;
use wb_net::HubClient;
use wb_store::header_of;

use crate::sync::{SyncEnd, bad_answer};

/// Identity entries beside the own log that are looked at; protects time from a hub that invents them.
const BESIDE_MAX: usize = 128;

/// Bytes of one history, over all its pages; protects memory from a hub that goes on and on.
const BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Pages of one history; protects time from a hub that sends empty ones.
const PAGES_MAX: usize = 16_384;

/// A delta as it came, proved by a key of this instance.
#[derive(Debug, Clone)]
pub struct SignedDelta {
    /// What its header says.
    pub header: Header,
    /// Hash of the header.
    pub hash: Hash,
    /// The signed header.
    pub line: Vec<u8>,
    /// Lines, and entries where the lines are not there.
    pub items: Vec<Vec<u8>>,
}

impl SignedDelta {
    /// Where the feed stands after it.
    #[must_use]
    pub fn head(&self) -> Held {
        Held {
            origin: self.header.origin,
            scope: self.header.scope,
            log: self.header.log,
            generation: self.header.generation,
            seq: self.header.seq,
            hash: self.hash,
        }
    }
}

/// What came.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Identity entries that are not in the log held here.
    pub entries: Vec<Vec<u8>>,
    /// Deltas that a key of this instance signed.
    pub deltas: Vec<SignedDelta>,
    /// Headers that a key of this instance signed, with their hashes, of which the hub has not the entries.
    pub heads: Vec<(Header, Hash)>,
}

/// The own log, up to before its last recovery, with the branches that entries from elsewhere make: under
/// it every delta that any key of this instance signed is proved, whether it counts or not.
///
/// Entries that lead to none of it are left out: a hub can send what it likes.
#[must_use]
pub fn proving_log(own: &IdentityLog, entries: &[Vec<u8>]) -> IdentityLog {
    let kept: Vec<&[u8]> = own.entries().iter().map(|e| e.line.as_slice()).collect();
    let plain = IdentityLog::verify(Some(own.id()), &kept).expect("a log that was verified");
    let mut beside: Vec<Vec<u8>> = Vec::new();
    let mut proved = plain.clone();
    // Of what does not fit, each is left out by itself.
    for entry in entries.iter().take(BESIDE_MAX) {
        let mut tried = beside.clone();
        tried.push(entry.clone());
        if let Ok(log) = plain.clone().with_history(Vec::new(), &tried) {
            beside = tried;
            proved = log;
        }
    }
    proved
}

/// Reads the whole history that a hub holds.
///
/// # Errors
/// Why it ended early.
pub async fn fetch_history(own: &IdentityLog, hub: &mut HubClient) -> Result<History, SyncEnd> {
    let mut reader = Reader::new(own);
    let mut after: Option<String> = None;
    loop {
        let body = hub.history(after.as_deref()).await?;
        match reader.page(&body)? {
            Some(next) => after = Some(next),
            None => return Ok(reader.history),
        }
    }
}

/// Reads page after page of a history, and ends whatever the hub does.
struct Reader<'o> {
    own: &'o IdentityLog,
    proving: IdentityLog,
    history: History,
    /// Deltas that came.
    known: BTreeSet<Hash>,
    /// Places that were named as the next one.
    named: BTreeSet<Hash>,
    bytes: u64,
}

impl<'o> Reader<'o> {
    fn new(own: &'o IdentityLog) -> Self {
        Self {
            own,
            proving: proving_log(own, &[]),
            history: History::default(),
            known: BTreeSet::new(),
            named: BTreeSet::new(),
            bytes: 0,
        }
    }

    /// Takes a page, and says what to ask for next.
    fn page(&mut self, body: &[u8]) -> Result<Option<String>, SyncEnd> {
        self.bytes += body.len() as u64;
        if self.bytes > BYTES_MAX {
            return Err(bad_answer("a history longer than any"));
        }
        let (first, rest) = split_first(body);
        let section = HistorySection::read(first).map_err(|rule| bad_answer(rule.as_str()))?;
        if section.entries > IDENTITY_ENTRIES_MAX as u64 {
            return Err(bad_answer("more identity entries than any log has"));
        }
        let mut left = lines(rest);
        let cut_short = || bad_answer("a history cut short");
        let before = self.history.entries.len();
        for _ in 0..section.entries {
            let line = left.next().ok_or_else(cut_short)?;
            self.entry(line)?;
        }
        if self.history.entries.len() > before {
            self.proving = proving_log(self.own, &self.history.entries);
        }
        for _ in 0..section.deltas {
            let header = left.next().ok_or_else(cut_short)?;
            let items =
                Delta::count_items(header).map_err(|error| bad_answer(error.to_string()))?;
            let items: Vec<Vec<u8>> = left.by_ref().take(items).map(<[u8]>::to_vec).collect();
            let Some(delta) = proved(&self.proving, header, items) else {
                continue;
            };
            if self.known.insert(delta.hash) {
                self.history.deltas.push(delta);
            }
        }
        for _ in 0..section.heads {
            let line = left.next().ok_or_else(cut_short)?;
            let Some((header, hash)) = proved_alone(&self.proving, line) else {
                continue;
            };
            if self.known.insert(hash) {
                self.history.heads.push((header, hash));
            }
        }
        let Some(next) = section.next else {
            return Ok(None);
        };
        // A place that was named before would go on for ever.
        if !self.named.insert(sha256(next.as_bytes())) || self.named.len() > PAGES_MAX {
            return Err(bad_answer("a history without end"));
        }
        Ok(Some(next))
    }

    fn entry(&mut self, line: &[u8]) -> Result<(), SyncEnd> {
        let mut own = self.own.entries().iter();
        let is_known = own.any(|entry| entry.line == line)
            || self.history.entries.iter().any(|entry| entry == line);
        if is_known {
            return Ok(());
        }
        if self.history.entries.len() >= IDENTITY_ENTRIES_MAX
            || line.len() > IDENTITY_ENTRY_BYTES_MAX
        {
            return Err(bad_answer("more identity entries than any log has"));
        }
        self.history.entries.push(line.to_vec());
        Ok(())
    }
}

/// A delta, where a key of this instance signed it and its entries are those that were signed.
fn proved(log: &IdentityLog, header: &[u8], items: Vec<Vec<u8>>) -> Option<SignedDelta> {
    let (read, hash) = header_of(header).ok()?;
    if read.origin != log.id() {
        return None;
    }
    let is_proved = match proving_at(log, &read) {
        Some(log) => {
            let delta = Delta::read(header, &items).ok()?;
            let Ok(outcome) = accept(&delta, Some(&log), None, &Nothing);
            outcome.is_proved()
        }
        None => false,
    };
    is_proved.then(|| SignedDelta {
        header: read,
        hash,
        line: header.to_vec(),
        items,
    })
}

/// A header alone, where a key of this instance signed it.
fn proved_alone(log: &IdentityLog, line: &[u8]) -> Option<(Header, Hash)> {
    let (header, hash) = header_of(line).ok()?;
    let entry = log.entry(&header.identity)?;
    let (_, unverified) = Header::read(line).ok()?;
    let is_proved = header.origin == log.id()
        && entry.position == header.position()
        && unverified.verify(&entry.signing_key).is_ok();
    is_proved.then_some((header, hash))
}

/// The log up to the entry that signs a header: whether a later one made it void is another question.
fn proving_at(log: &IdentityLog, header: &Header) -> Option<IdentityLog> {
    let mut chain = Vec::new();
    let mut next = Some(header.identity);
    while let Some(hash) = next {
        let entry = log.entry(&hash)?;
        chain.push(entry.line.clone());
        next = entry.prev;
    }
    chain.reverse();
    IdentityLog::verify(Some(log.id()), &chain).ok()
}

/// A reader that holds nothing.
struct Nothing;

impl FeedView for Nothing {
    type Error = Infallible;

    fn live(&self, _: &RecordId) -> Result<Option<Live>, Infallible> {
        Ok(None)
    }

    fn header_hash(&self, _: u64) -> Result<Option<Hash>, Infallible> {
        Ok(None)
    }

    fn opening(&self, _: &LogId) -> Result<Option<Opening>, Infallible> {
        Ok(None)
    }

    fn has_rival(&self, _: &LogId, _: &Opening) -> Result<bool, Infallible> {
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use wb_core::hash;
    use wb_core::identity::{IdentityLog, found};
    use wb_core::signed::Signer;
    use wb_core::sync::HistorySection;
    use zeroize::Zeroizing;

    use super::Reader;

    fn own() -> IdentityLog {
        let signer = Signer::from_seed(&Zeroizing::new([1; 32]));
        let recovery = hash::recovery_commitment(&signer.public_key());
        let now = "2026-01-01T00:00:00.000Z".parse().expect("a time");
        IdentityLog::verify(None, &[found(&signer, recovery, now)]).expect("a log")
    }

    fn page(entries: u64, deltas: u64, next: Option<&str>) -> Vec<u8> {
        let section = HistorySection::new(entries, deltas, 0, next.map(str::to_owned));
        let mut body = serde_json::to_vec(&section).expect("a section");
        body.push(b'\n');
        body
    }

    /// A page that announces entries without sending any filled the memory.
    #[test]
    fn announced_is_not_sent() {
        let own = own();
        for (entries, deltas) in [(u64::MAX, 0), (1_000, 0), (0, u64::MAX)] {
            let mut reader = Reader::new(&own);
            assert!(reader.page(&page(entries, deltas, None)).is_err());
            assert!(reader.history.entries.is_empty());
        }
    }

    /// Two places that name each other went on for ever.
    #[test]
    fn a_place_is_asked_for_once() {
        let own = own();
        let mut reader = Reader::new(&own);
        for next in ["a", "b"] {
            let after = reader.page(&page(0, 0, Some(next))).expect("a page");
            assert_eq!(after.as_deref(), Some(next));
        }
        assert!(reader.page(&page(0, 0, Some("a"))).is_err());
    }

    /// What is sent again and again is kept once.
    #[test]
    fn an_entry_that_comes_again_is_kept_once() {
        let own = own();
        let mut reader = Reader::new(&own);
        for next in ["a", "b", "c"] {
            let mut body = page(2, 0, Some(next));
            body.extend_from_slice(b"{}\n{}\n");
            reader.page(&body).expect("a page");
        }
        assert_eq!(reader.history.entries.len(), 1);
    }
}
