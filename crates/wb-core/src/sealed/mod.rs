//! What only some instances may read, as it travels (spec: sealed envelopes).
//!
//! An envelope is a signed line that anybody who carries it can check, and a body that only its recipients can
//! open. Encrypting is done elsewhere; here is what stands outside the seal ([`Envelope`]), what stands inside
//! ([`Sealed`]), and which lengths give little away ([`padded`]).

mod envelope;
mod inside;
mod padding;

pub use envelope::Envelope;
pub use inside::{Contents, Purpose, Sealed};
pub use padding::padded;

use crate::id::InstanceId;
use crate::identity::IdentityLog;
use crate::limits::ENVELOPE_RECIPIENTS_MAX;

/// Whether a list names somebody, each once and in order, and not its own author.
fn is_list_of_others(list: &[InstanceId], author: &InstanceId) -> bool {
    !list.is_empty()
        && list.len() <= ENVELOPE_RECIPIENTS_MAX
        && list.is_sorted_by(|a, b| a < b)
        && list.binary_search(author).is_err()
}

/// Whether a signature names the newest entry that is known of its author: a key that was followed by another
/// seals nothing any more.
pub(crate) fn is_newest(log: &IdentityLog, era: u64, key: u64, identity: &crate::id::Hash) -> bool {
    let newest = log.newest();
    newest.hash == *identity && (newest.position.era, newest.position.n) == (era, key)
}
