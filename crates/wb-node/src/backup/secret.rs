//! What a backup is locked with, and what opens it.

use age::secrecy::SecretString;
use age::{scrypt, x25519};
use bech32::{Bech32, Hrp};
use wb_core::limits::{BACKUP_SCRYPT_LOG_N, BACKUP_SCRYPT_LOG_N_MAX};
use wb_core::words::{RecoveryWords, WordsError};
use zeroize::Zeroizing;

/// What a backup is locked with.
#[derive(Clone)]
pub enum Lock {
    /// A public key, as age writes it.
    Key(String),
    /// A passphrase.
    Passphrase(Zeroizing<String>),
}

/// What opens a backup.
pub enum Secret {
    /// The recovery words.
    Words(RecoveryWords),
    /// A passphrase.
    Passphrase(Zeroizing<String>),
    /// The key made for one file, while it is read back.
    Once(x25519::Identity),
}

impl std::fmt::Debug for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key(key) => write!(f, "Key({key})"),
            Self::Passphrase(_) => f.write_str("Passphrase(secret)"),
        }
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// The identity that age asks.
    pub(super) fn identity(&self) -> Box<dyn age::Identity> {
        match self {
            Self::Words(words) => Box::new(identity_of(words)),
            Self::Passphrase(passphrase) => {
                let mut identity = scrypt::Identity::new(secret(passphrase));
                identity.set_max_work_factor(BACKUP_SCRYPT_LOG_N_MAX);
                Box::new(identity)
            }
            Self::Once(identity) => Box::new(identity.clone()),
        }
    }
}

/// The recipient of a passphrase.
pub(super) fn passphrase_recipient(passphrase: &Zeroizing<String>) -> scrypt::Recipient {
    let mut recipient = scrypt::Recipient::new(secret(passphrase));
    recipient.set_work_factor(BACKUP_SCRYPT_LOG_N);
    recipient
}

fn secret(passphrase: &Zeroizing<String>) -> SecretString {
    SecretString::from(passphrase.as_str().to_owned())
}

/// Characters of a passphrase at least; scrypt makes each guess dear, and cannot help a short one.
pub const PASSPHRASE_CHARS_MIN: usize = 8;

/// The recovery words in a text: alone, or on the sheet that was written at founding.
///
/// # Errors
/// What is wrong with the words, where no line holds good ones.
pub fn words_in(text: &str) -> Result<RecoveryWords, WordsError> {
    let mut lines = text
        .lines()
        .filter_map(|line| RecoveryWords::parse(line).ok());
    match lines.next() {
        Some(words) => Ok(words),
        None => RecoveryWords::parse(text),
    }
}

/// The public key that backups are encrypted to, of the words.
#[must_use]
pub fn recipient_of(words: &RecoveryWords) -> String {
    identity_of(words).to_public().to_string()
}

/// The backup key. Age takes a key from its text only.
fn identity_of(words: &RecoveryWords) -> x25519::Identity {
    let prefix = Hrp::parse("age-secret-key-").expect("it is well formed");
    let text = bech32::encode::<Bech32>(prefix, words.backup_seed().as_slice());
    let text = Zeroizing::new(text.expect("32 bytes are not too long"));
    let upper = Zeroizing::new(text.to_uppercase());
    upper.parse().expect("it is a key as age writes it")
}

#[cfg(test)]
mod tests {
    use age::secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn the_key_of_words_is_that_of_the_specification() {
        let vectors = include_str!("../../../../docs/spec/vectors/words.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        let cases = vectors["cases"].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let words = RecoveryWords::parse(case["words"].as_str().unwrap()).unwrap();
            assert_eq!(
                recipient_of(&words),
                case["backup_recipient"].as_str().unwrap()
            );
            let key = identity_of(&words).to_string();
            assert_eq!(key.expose_secret(), case["backup_key"].as_str().unwrap());
        }
    }
}
