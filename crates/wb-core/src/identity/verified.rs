//! Logs that were verified before: of the same bytes verifying says the same again.
//!
//! A program reads the log of whoever speaks to it with every call, and its signatures were most of what such a call cost.
//! What is remembered is looked up by all bytes that a log is made of, so that a log that was changed or damaged where it is
//! kept is verified like any other.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::log::{IdentityError, IdentityLog};
use crate::hash::Streaming;
use crate::id::{Hash, InstanceId};

/// Entries that are remembered, of all logs together: some ten megabytes at most. Once there are more all are forgotten, and
/// verified again when they are needed.
const ENTRIES_MAX: usize = 8_192;

/// Remembers logs that were verified.
#[derive(Debug, Default)]
pub struct VerifiedLogs(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    logs: BTreeMap<Hash, IdentityLog>,
    entries: usize,
}

impl VerifiedLogs {
    /// Remembers none.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(Remembered {
            logs: BTreeMap::new(),
            entries: 0,
        }))
    }

    /// A log as it is kept: [`IdentityLog::verify`], and [`IdentityLog::with_history`].
    ///
    /// # Errors
    /// As those.
    pub fn stored<L: AsRef<[u8]>>(
        &self,
        id: InstanceId,
        lines: &[L],
        void: Vec<Hash>,
        beside: &[L],
    ) -> Result<IdentityLog, IdentityError> {
        let key = key(&id, lines, &void, beside);
        if let Some(log) = self.with(|remembered| remembered.logs.get(&key).cloned()) {
            return Ok(log);
        }
        // Others go on meanwhile; two may verify the same.
        let log = IdentityLog::verify(Some(id), lines)?.with_history(void, beside)?;
        self.with(|remembered| remembered.put(key, &log));
        Ok(log)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Remembered) -> T) -> T {
        // Each change of it is one that cannot fail half-way.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Remembered {
    fn put(&mut self, key: Hash, log: &IdentityLog) {
        let more = log.entries().len() + log.beside().len();
        if self.entries + more > ENTRIES_MAX {
            *self = Self::default();
        }
        if self.logs.insert(key, log.clone()).is_none() {
            self.entries += more;
        }
    }
}

/// Everything that a log is made of, told apart by lengths.
fn key<L: AsRef<[u8]>>(id: &InstanceId, lines: &[L], void: &[Hash], beside: &[L]) -> Hash {
    let mut sha = Streaming::default();
    sha.update(&id.0);
    for branch in [lines, beside] {
        sha.update(&branch.len().to_be_bytes());
        for line in branch.iter().map(AsRef::as_ref) {
            sha.update(&line.len().to_be_bytes());
            sha.update(line);
        }
    }
    void.iter().for_each(|hash| sha.update(&hash.0));
    sha.finish()
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::hash::{recovery_commitment, sha256};
    use crate::identity::found;
    use crate::signed::Signer;
    use crate::time::Timestamp;

    #[test]
    fn no_more_is_remembered_than_the_limit_says() {
        let signer = Signer::from_seed(&Zeroizing::new([7; 32]));
        let now = Timestamp::from_unix_ms(0).expect("in range");
        let line = found(&signer, recovery_commitment(&signer.public_key()), now);
        let log = IdentityLog::verify(None, &[line]).expect("a log");
        let mut remembered = Remembered::default();
        for n in 0..2 * ENTRIES_MAX + 3 {
            remembered.put(sha256(&n.to_be_bytes()), &log);
            assert_eq!(remembered.entries, remembered.logs.len());
            assert_eq!(remembered.logs.len(), n % ENTRIES_MAX + 1);
        }
    }
}
