//! Putting another signing key in the place of the one before, in step with the identity log.
//!
//! The order is: the next key on the disk, the entry that names it committed, the next key in the place of
//! the old one. A process that ends in between leaves `signing.key.next` behind; whoever opens the folder
//! then finishes or drops it, by what the log says. The lock keeps it from whoever is still at it.

use std::fs::File;

use wb_core::id::PublicKey;
use wb_core::signed::Signer;
use wb_store::{Home, Store, remove_file, replace_file};
use zeroize::Zeroizing;

use super::file::{Behind, read_if_there, write};
use crate::error::{NodeError, Result};

/// Held while the key of a folder is changed; it goes with the process.
#[derive(Debug)]
pub(crate) struct KeyLock {
    home: Home,
    _file: File,
}

impl KeyLock {
    /// Takes the lock.
    ///
    /// # Errors
    /// That another process is changing the key, or what stands in the way.
    pub fn take(home: &Home) -> Result<Self> {
        Self::try_take(home)?.ok_or_else(|| {
            NodeError::Refused(
                "another wb is changing the key of this folder; nothing was changed. Wait until it ends".to_owned(),
            )
        })
    }

    fn try_take(home: &Home) -> Result<Option<Self>> {
        let path = home.key_lock();
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(NodeError::file(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self {
                home: home.clone(),
                _file: file,
            })),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(NodeError::file(path)(error)),
        }
    }

    /// Puts the next key on the disk; it counts for nothing yet.
    pub fn write_next(&self, seed: &Zeroizing<[u8; 32]>, behind: &Behind) -> Result<Signer> {
        write(&self.home, &self.home.next_signing_key(), seed, behind)?;
        Ok(Signer::from_seed(seed))
    }

    /// Takes the next key back: its entry was not committed.
    pub fn drop_next(&self) -> Result<()> {
        Ok(remove_file(&self.home.next_signing_key())?)
    }

    /// Puts the next key in the place of the old one, which is gone then; this process knows what it is behind.
    pub fn finish(&self, behind: &Behind) -> Result<()> {
        match behind {
            Behind::AsBefore => {}
            Behind::Passphrase(passphrase) => self.home.unlock().learn(Some(passphrase.clone())),
            Behind::Nothing => self.home.unlock().learn(None),
        }
        Ok(replace_file(
            &self.home.next_signing_key(),
            &self.home.signing_key(),
        )?)
    }
}

/// Finishes or drops what a process that was cut off left behind. Where nothing can be written, or somebody
/// is still at it, it stays: the key is found in either file.
///
/// # Errors
/// What stands in the way.
pub(crate) fn settle(store: &Store, newest: &PublicKey) -> Result<()> {
    let home = store.home();
    if !home.next_signing_key().exists() || store.unwritable().is_some() {
        return Ok(());
    }
    let Some(lock) = KeyLock::try_take(home)? else {
        return Ok(());
    };
    // As it is under the lock. One that nobody can open now is left for who can: which it is, only its
    // public half tells.
    match read_if_there(home, &home.next_signing_key()) {
        Ok(None) | Err(NodeError::KeyLocked(_) | NodeError::WrongPassphrase(_)) => Ok(()),
        Ok(Some(next)) if next.public_key() == *newest => lock.finish(&Behind::AsBefore),
        Ok(Some(_)) => lock.drop_next(),
        // It was being written when the process ended, so no entry names it.
        Err(NodeError::Key(_)) => lock.drop_next(),
        Err(error) => Err(error),
    }
}
