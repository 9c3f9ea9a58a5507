//! Identity logs: who an instance is, and which key speaks for it (spec: identity).
//!
//! [`IdentityLog::verify`] makes a log from lines ([`LogReader`] as they come), [`merge()`] says what a second log of the same id
//! means, [`IdentityLog::above_last_head`] says where a key stops. Making entries is in [`found()`],
//! [`rotate()`] and [`recover()`], so that the origin's own entries pass the same verifier.

mod behind;
mod entry;
mod found;
mod log;
mod merge;
mod next;
mod verified;

pub use behind::rotates_behind;
pub use entry::{Entry, Heads, LastHead, Op, Position};
pub use found::found;
pub use log::{Above, IdentityError, IdentityLog, LogReader, Placed};
pub use merge::{Merge, merge};
pub use next::{Recovery, recover, rotate};
pub use verified::VerifiedLogs;
