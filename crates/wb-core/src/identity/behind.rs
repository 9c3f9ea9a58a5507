//! Telling a rotation by an older copy of a folder from one by the newest.
//!
//! A `rotate` names the last head of the key that goes. Whoever holds more of the feed than that knows that
//! another copy published since, and takes no key from the older one: the newer would be shut out by it.

use super::log::IdentityLog;
use super::{Merge, Placed, merge};
use crate::feed::Header;
use crate::hash;
use crate::scope::FeedScope;

/// Whether a longer log rotates a key away below a head of the public feed that is held, as its signed line.
/// With a `recover` among what is new the words have decided, and a head that a recovery made void says nothing.
#[must_use]
pub fn rotates_behind(held: &IdentityLog, offered: &IdentityLog, head: &[u8]) -> bool {
    if merge(held, offered) != Merge::Extend {
        return false;
    }
    let new = offered.entries().get(held.entries().len()..);
    let new = new.unwrap_or_default();
    let Some(first) = new.first() else {
        return false;
    };
    if new.iter().any(super::Entry::is_recover) {
        return false;
    }
    let Ok((header, unverified)) = Header::read(head) else {
        return false;
    };
    if header.scope != FeedScope::Public {
        return false;
    }
    let body = Header::body_hash(unverified.payload());
    let placed = Placed {
        position: header.position(),
        scope: header.scope,
        log: header.log,
        generation: header.generation,
        seq: header.seq,
        hash: hash::header(header.prev.as_ref(), &body),
    };
    if held.is_void(&header.identity, &placed) {
        return false;
    }
    let Some(last) = first.heads().and_then(|heads| heads.public) else {
        return true;
    };
    if last.log == placed.log {
        return placed.seq > last.seq || (placed.seq == last.seq && placed.hash != last.hash);
    }
    placed.generation >= last.generation
}
