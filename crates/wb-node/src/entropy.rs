//! The one place where the clock is read and randomness is made.
//!
//! A simulator owns both: [`with_source`] puts another source under everything that runs on this thread,
//! until its guard is dropped. Nothing else calls it.

use std::cell::RefCell;
use std::rc::Rc;

use wb_core::id::{LogId, RecordId, Salt, Token};
use wb_core::time::Timestamp;
use zeroize::Zeroizing;

/// A clock and a source of randomness.
pub trait Source {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Fills with fresh random bytes.
    fn fill(&self, bytes: &mut [u8]);
}

thread_local! {
    /// What stands in for the machine on this thread.
    static SOURCE: RefCell<Option<Rc<dyn Source>>> = const { RefCell::new(None) };
}

/// Puts the source before it back when it is dropped.
#[must_use = "the source counts for as long as the guard is kept"]
pub struct Sourced(Option<Rc<dyn Source>>);

impl std::fmt::Debug for Sourced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sourced")
    }
}

impl Drop for Sourced {
    fn drop(&mut self) {
        SOURCE.set(self.0.take());
    }
}

/// Takes clock and randomness of this thread from a source, until the guard is dropped. Guards end in the
/// reverse order of their making.
pub fn with_source(source: Rc<dyn Source>) -> Sourced {
    Sourced(SOURCE.replace(Some(source)))
}

/// The source in place of the machine, where there is one.
fn source() -> Option<Rc<dyn Source>> {
    SOURCE.with_borrow(Clone::clone)
}

/// Fresh random bytes.
///
/// # Panics
/// When the operating system has none to give: nothing safe can be done then.
#[must_use]
pub fn bytes<const N: usize>() -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    if let Some(source) = source() {
        source.fill(bytes.as_mut_slice());
        return bytes;
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the place where randomness is made"
    )]
    getrandom::fill(bytes.as_mut_slice()).expect("the operating system gives randomness");
    bytes
}

/// Now.
///
/// # Panics
/// When the clock of this computer stands outside of the years 1 to 9999.
#[must_use]
pub fn now() -> Timestamp {
    if let Some(source) = source() {
        return source.now();
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the place where the clock is read"
    )]
    let now = jiff::Timestamp::now();
    Timestamp::from_unix_ms(now.as_millisecond())
        .expect("the clock stands within the years 1 to 9999")
}

/// A fresh record id of a moment.
#[must_use]
pub fn record_id(at: Timestamp) -> RecordId {
    RecordId::new(at, *bytes())
}

/// A fresh salt.
#[must_use]
pub fn salt() -> Salt {
    Salt(*bytes())
}

/// A fresh log id.
#[must_use]
pub fn log_id() -> LogId {
    LogId(*bytes())
}

/// A fresh token, for share codes and links.
#[must_use]
pub fn token() -> Token {
    Token(*bytes())
}

/// A fresh number, to spread what would otherwise come at once.
#[must_use]
pub fn chance() -> u64 {
    u64::from_be_bytes(*bytes())
}
