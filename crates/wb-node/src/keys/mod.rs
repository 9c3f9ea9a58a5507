//! The keys of this instance: the file of the signing key, changing it in two steps that repeat safely,
//! and what hubs hold that was signed in this instance's name.

mod file;
mod history;
mod swap;

pub use file::{Behind, KeyForm, form, signer};
pub use history::{History, SignedDelta, fetch_history, proving_log};
pub(crate) use swap::{KeyLock, settle};
