//! What a hub holds that was signed in the name of this instance, verified here entry by entry.
//!
//! A key that somebody else has signs as the owner does. So everything is asked for, also what does not
//! count any more, and what it means is decided by the owner.

use std::convert::Infallible;

use wb_core::feed::{Delta, FeedView, Header, Live, Opening, accept};
use wb_core::id::{Hash, LogId, RecordId};
use wb_core::identity::IdentityLog;
use wb_core::ndjson::{lines, split_first};
use wb_core::sync::HistorySection;
use wb_net::HubClient;
use wb_store::header_of;

use crate::sync::{SyncEnd, bad_answer};

/// Identity entries beside the own log that are looked at; protects time from a hub that invents them.
const BESIDE_MAX: usize = 128;

/// Deltas read of one history; protects memory from a hub that invents them: none that is not signed
/// with a key of this instance counts, but each has to be looked at.
const DELTAS_MAX: usize = 1_000_000;

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

/// What came.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Identity entries that are not in the log held here.
    pub entries: Vec<Vec<u8>>,
    /// Deltas that a key of this instance signed.
    pub deltas: Vec<SignedDelta>,
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
    let mut history = History::default();
    let mut after: Option<String> = None;
    let mut proving = proving_log(own, &[]);
    loop {
        let body = hub.history(after.as_deref()).await?;
        let (first, mut rest) = split_first(&body);
        let section = HistorySection::read(first).map_err(|rule| bad_answer(rule.as_str()))?;
        for _ in 0..section.entries {
            let (line, others) = split_first(rest);
            rest = others;
            if own.entries().iter().all(|entry| entry.line != line) {
                history.entries.push(line.to_vec());
            }
        }
        if section.entries > 0 {
            proving = proving_log(own, &history.entries);
        }
        let mut left = lines(rest);
        for _ in 0..section.deltas {
            let header = left
                .next()
                .ok_or_else(|| bad_answer("a history cut short"))?;
            let items =
                Delta::count_items(header).map_err(|error| bad_answer(error.to_string()))?;
            let items: Vec<Vec<u8>> = left.by_ref().take(items).map(<[u8]>::to_vec).collect();
            history.deltas.extend(proved(&proving, header, items));
        }
        if history.deltas.len() > DELTAS_MAX {
            return Err(bad_answer("a history longer than any"));
        }
        match section.next {
            // A place that was named before would go on for ever.
            Some(next) if Some(&next) != after.as_ref() => after = Some(next),
            _ => return Ok(history),
        }
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
