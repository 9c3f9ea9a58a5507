//! The recovery words: twelve English words that are the recovery key (spec: identity).

use bip39::{Language, Mnemonic};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::signed::Signer;

const RECOVERY_LABEL: &[u8] = b"wb/recovery/v1";
const BACKUP_LABEL: &[u8] = b"wb/backup/v1";
/// Words on the sheet.
pub const WORDS: usize = 12;

/// The entropy behind the words; it never touches a disk.
pub struct RecoveryWords {
    entropy: Zeroizing<[u8; 16]>,
}

/// Says what is wrong with words that were typed in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// There are not twelve of them.
    #[error("the sheet has {WORDS} words, these are {0}")]
    Count(usize),
    /// A word is not in the list.
    #[error("word {} (`{word}`) is not in the list; look for a misspelling", .at + 1)]
    Unknown {
        /// Position, from 0.
        at: usize,
        /// The word as typed.
        word: String,
    },
    /// The checksum does not fit: a word is wrong or two are swapped.
    #[error(
        "each word is in the list, but together they do not fit: look for a wrong or swapped word"
    )]
    Checksum,
}

impl std::fmt::Debug for RecoveryWords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryWords(secret)")
    }
}

impl RecoveryWords {
    /// The words that 128 bits of entropy stand for.
    #[must_use]
    pub fn from_entropy(entropy: Zeroizing<[u8; 16]>) -> Self {
        Self { entropy }
    }

    /// Reads words as typed, in any case, with any white space between.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parse(text: &str) -> Result<Self, WordsError> {
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        if words.len() != WORDS {
            return Err(WordsError::Count(words.len()));
        }
        let list = Language::English.word_list();
        if let Some(at) = words.iter().position(|word| !list.contains(&word.as_str())) {
            return Err(WordsError::Unknown {
                at,
                word: words[at].clone(),
            });
        }
        let mnemonic = Mnemonic::parse_in_normalized(Language::English, &words.join(" "))
            .map_err(|_| WordsError::Checksum)?;
        let (bytes, _) = mnemonic.to_entropy_array();
        let mut entropy = Zeroizing::new([0; 16]);
        entropy.copy_from_slice(&bytes[..16]);
        Ok(Self { entropy })
    }

    /// The words, separated by single spaces.
    ///
    /// # Panics
    /// Never: 128 bits are a length BIP 39 knows.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        let mnemonic = Mnemonic::from_entropy_in(Language::English, self.entropy.as_slice())
            .expect("16 bytes are valid entropy");
        Zeroizing::new(mnemonic.words().collect::<Vec<_>>().join(" "))
    }

    /// The recovery key.
    #[must_use]
    pub fn recovery_signer(&self) -> Signer {
        Signer::from_seed(&self.derive(RECOVERY_LABEL))
    }

    /// The seed of the key that backups are encrypted to.
    #[must_use]
    pub fn backup_seed(&self) -> Zeroizing<[u8; 32]> {
        self.derive(BACKUP_LABEL)
    }

    fn derive(&self, label: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.entropy.as_slice())
            .expect("any key length is valid");
        mac.update(label);
        Zeroizing::new(mac.finalize().into_bytes().into())
    }
}
