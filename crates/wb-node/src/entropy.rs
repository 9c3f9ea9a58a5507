//! The one place where the clock is read and randomness is made.

use wb_core::id::{LogId, RecordId, Salt, Token};
use wb_core::time::Timestamp;
use zeroize::Zeroizing;

/// Fresh random bytes.
///
/// # Panics
/// When the operating system has none to give: nothing safe can be done then.
#[must_use]
pub fn bytes<const N: usize>() -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
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
