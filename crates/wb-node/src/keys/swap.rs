//! Putting another signing key in the place of the one before, in step with the identity log.
//!
//! The order is: the next key on the disk, the entry that names it committed, the next key in the place of
//! the old one. A process that ends in between leaves `signing.key.next` behind; whoever opens the folder
//! then finishes or drops it, by what the log says under the lock. The lock keeps it from whoever is still at it.

use std::fs::File;

use wb_core::id::PublicKey;
use wb_core::signed::Signer;
use wb_store::{Home, Store, StoreError, remove_file, replace_file};
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

    /// Puts the next key on the disk; it counts for nothing yet. What a process that was cut off left behind is
    /// finished or dropped first: it may be the key that speaks.
    ///
    /// # Errors
    /// That what was left cannot be opened, or what the disk reports.
    pub fn write_next(
        &self,
        store: &Store,
        seed: &Zeroizing<[u8; 32]>,
        behind: &Behind,
    ) -> Result<Signer> {
        self.settle(store)?;
        let path = self.home.next_signing_key();
        if path.exists() {
            return Err(NodeError::Refused(format!(
                "{} is of a change of the key that was cut off, and cannot be opened without its passphrase; nothing \
                 was changed. Say the passphrase, or put the file away if you are sure",
                path.display()
            )));
        }
        write(&self.home, &path, seed, behind)?;
        Ok(Signer::from_seed(seed))
    }

    /// After something failed: takes the next key back, unless its entry was committed all the same; then it
    /// takes its place. Says whether it was. Where that cannot be read, the key stays for whoever opens the
    /// folder next.
    ///
    /// # Errors
    /// What the store or the disk reports.
    pub fn undo(&self, store: &Store, next: &PublicKey, behind: &Behind) -> Result<bool> {
        if newest_key(store)? == *next {
            self.finish(behind)?;
            return Ok(true);
        }
        self.drop_next()?;
        Ok(false)
    }

    fn drop_next(&self) -> Result<()> {
        Ok(remove_file(&self.home.next_signing_key())?)
    }

    /// Finishes or drops what was left behind. One that nobody can open now is left for who can: which it is,
    /// only its public half tells.
    fn settle(&self, store: &Store) -> Result<()> {
        match read_if_there(&self.home, &self.home.next_signing_key()) {
            Ok(None) | Err(NodeError::KeyLocked(_) | NodeError::WrongPassphrase(_)) => Ok(()),
            Ok(Some(next)) if next.public_key() == newest_key(store)? => {
                self.finish(&Behind::AsBefore)
            }
            Ok(Some(_)) => self.drop_next(),
            // It was being written when the process ended, so no entry names it.
            Err(NodeError::Key(_)) => self.drop_next(),
            Err(error) => Err(error),
        }
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
pub(crate) fn settle(store: &Store) -> Result<()> {
    let home = store.home();
    if !home.next_signing_key().exists() || store.unwritable().is_some() {
        return Ok(());
    }
    let Some(lock) = KeyLock::try_take(home)? else {
        return Ok(());
    };
    lock.settle(store)
}

/// The signing key of the newest identity entry, as it is now: what was read before the lock was taken may be
/// older.
fn newest_key(store: &Store) -> Result<PublicKey> {
    let missing = || StoreError::Damaged("the own identity log is missing".to_owned());
    let log = store.identity_log(&store.own_id()?)?.ok_or_else(missing)?;
    Ok(log.newest().signing_key)
}

#[cfg(test)]
mod tests {
    use wb_core::signed::Signer;
    use wb_store::Home;
    use zeroize::Zeroizing;

    use super::{Behind, KeyLock, newest_key};
    use crate::command::init::{Init, init};
    use crate::keys::signer;
    use crate::node::Node;

    fn found() -> (tempfile::TempDir, Home, Node) {
        let dir = tempfile::tempdir().expect("a folder");
        let home = Home::new(dir.path().join("north"));
        let input = Init {
            name: "North",
            admin: "alice",
            words_file: None,
        };
        let node = init(&home, &input).expect("an empty folder").node;
        (dir, home, node)
    }

    /// Another process was cut off after its entry was committed, while this one was open: the key that speaks was
    /// overwritten by the next one.
    #[test]
    fn a_key_that_was_left_unfinished_is_never_overwritten() {
        let (_dir, home, node) = found();
        let newest = newest_key(&node.store).expect("a log");
        std::fs::rename(home.signing_key(), home.next_signing_key()).expect("moved");
        std::fs::write(home.signing_key(), "11".repeat(32)).expect("a file");

        let lock = KeyLock::take(&home).expect("nobody has it");
        let seed = Zeroizing::new([7; 32]);
        let next = lock.write_next(&node.store, &seed, &Behind::Nothing);

        let next = next.expect("it is written").public_key();
        assert_eq!(next, Signer::from_seed(&seed).public_key());
        assert!(
            signer(&home, &newest).is_ok(),
            "the key that speaks is there"
        );
    }

    /// What fails after the entry is in the log must not take its key away.
    #[test]
    fn a_key_is_taken_back_only_where_the_log_does_not_name_it() {
        let (_dir, home, node) = found();
        let newest = newest_key(&node.store).expect("a log");
        let lock = KeyLock::take(&home).expect("nobody has it");
        let seed = Zeroizing::new([7; 32]);
        let next = lock.write_next(&node.store, &seed, &Behind::Nothing);
        let next = next.expect("it is written").public_key();
        let undone = lock.undo(&node.store, &next, &Behind::Nothing);
        assert!(!undone.expect("the log is read"));
        assert!(!home.next_signing_key().exists());

        std::fs::rename(home.signing_key(), home.next_signing_key()).expect("moved");
        let undone = lock.undo(&node.store, &newest, &Behind::Nothing);
        assert!(undone.expect("the log is read"), "it was committed");
        assert!(signer(&home, &newest).is_ok());
    }
}
