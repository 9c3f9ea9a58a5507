//! What opens a signing key that lies behind a passphrase: who is asked for it, and what was told, for as
//! long as the process runs.
//!
//! It is carried by the name of the folder, so that everything a process opens in it shares one answer, and
//! a person is asked once.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wb_core::id::Hash;
use zeroize::Zeroizing;

/// Asks for the passphrase; none where nobody can say it.
pub type AskPassphrase = Arc<dyn Fn() -> Option<Zeroizing<String>> + Send + Sync>;

/// What a process knows of the passphrase of one folder. Wiped when it ends.
#[derive(Clone, Default)]
pub struct Unlock {
    ask: Option<AskPassphrase>,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    passphrase: Option<Zeroizing<String>>,
    /// The seed that a file of this hash opened to: opening is made slow on purpose.
    seed: Option<(Hash, Zeroizing<[u8; 32]>)>,
}

impl fmt::Debug for Unlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unlock(secret)")
    }
}

impl Unlock {
    /// Asks whoever knows.
    #[must_use]
    pub fn asking(ask: AskPassphrase) -> Self {
        Self {
            ask: Some(ask),
            kept: Arc::default(),
        }
    }

    /// The passphrase: as it was told, else as it is asked for now.
    #[must_use]
    pub fn passphrase(&self) -> Option<Zeroizing<String>> {
        if let Some(known) = self.lock().passphrase.clone() {
            return Some(known);
        }
        // Whoever is asked takes time, so nothing is locked meanwhile.
        let told = self.ask.as_ref().and_then(|ask| ask())?;
        self.lock().passphrase = Some(told.clone());
        Some(told)
    }

    /// Takes another passphrase from here on; none to forget the one that did not fit.
    pub fn learn(&self, passphrase: Option<Zeroizing<String>>) {
        let mut kept = self.lock();
        kept.passphrase = passphrase;
        kept.seed = None;
    }

    /// The seed that a file of this hash was opened to.
    #[must_use]
    pub fn opened(&self, file: &Hash) -> Option<Zeroizing<[u8; 32]>> {
        let kept = self.lock();
        let seed = kept.seed.as_ref().filter(|(known, _)| known == file);
        seed.map(|(_, seed)| seed.clone())
    }

    /// Keeps what a file of this hash was opened to.
    pub fn keep(&self, file: Hash, seed: Zeroizing<[u8; 32]>) {
        self.lock().seed = Some((file, seed));
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // A panic elsewhere leaves it whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
