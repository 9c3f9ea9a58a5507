//! The file of the signing key: 64 hex digits, readable by its owner only; or the same digits behind a
//! passphrase, as an age file (spec: identity, the file of the key).

use std::io::Read as _;
use std::path::Path;
use std::str::FromStr as _;

use age::secrecy::SecretString;
use wb_core::hash;
use wb_core::id::PublicKey;
use wb_core::signed::Signer;
use wb_store::{Home, write_private_file};
use zeroize::Zeroizing;

use crate::error::{NodeError, Result};

/// How every age file begins.
const AGE: &[u8] = b"age-encryption.org/";
/// Work of scrypt as a power of two: some tenths of a second, so that guessing is dear.
const WORK: u8 = 16;
/// Work of a file that another program wrote, beyond which it is not opened; protects memory.
const WORK_MAX: u8 = 20;
/// Bytes of a key file; protects memory from a file that is something else.
const KEY_BYTES_MAX: u64 = 65_536;

/// How a key lies on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyForm {
    /// As it is, kept by the rights of the file.
    Plain,
    /// Behind a passphrase.
    Passphrase,
}

impl KeyForm {
    /// The word in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Passphrase => "passphrase",
        }
    }

    fn of(bytes: &[u8]) -> Self {
        if bytes.starts_with(AGE) {
            Self::Passphrase
        } else {
            Self::Plain
        }
    }
}

/// What the next key is put behind.
#[derive(Debug, Clone)]
pub enum Behind {
    /// What the key before is behind.
    AsBefore,
    /// A passphrase.
    Passphrase(Zeroizing<String>),
    /// Nothing but the rights of its file.
    Nothing,
}

/// How the key of a folder lies on the disk.
///
/// # Errors
/// That the file cannot be read.
pub fn form(home: &Home) -> Result<KeyForm> {
    Ok(KeyForm::of(&bytes(&home.signing_key())?))
}

/// The signing key whose public half is `wanted`. The one that comes next counts from the moment its identity
/// entry does.
///
/// # Errors
/// That no file holds it, that nobody said the passphrase, or what stands in the way.
pub fn signer(home: &Home, wanted: &PublicKey) -> Result<Signer> {
    let path = home.signing_key();
    let kept = read(home, &path)?;
    if kept.public_key() == *wanted {
        return Ok(kept);
    }
    match read_if_there(home, &home.next_signing_key())? {
        Some(next) if next.public_key() == *wanted => Ok(next),
        _ => Err(NodeError::Key(path)),
    }
}

pub(super) fn read_if_there(home: &Home, path: &Path) -> Result<Option<Signer>> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        _ => read(home, path).map(Some),
    }
}

fn bytes(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let file = std::fs::File::open(path).map_err(NodeError::file(path))?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(KEY_BYTES_MAX)
        .read_to_end(&mut bytes)
        .map_err(NodeError::file(path))?;
    Ok(bytes)
}

/// Reads a key. A plain one is read each time, so that it stays in memory only while it signs; one behind a
/// passphrase is kept for as long as the process runs, because opening it is slow on purpose.
fn read(home: &Home, path: &Path) -> Result<Signer> {
    let bytes = bytes(path)?;
    if KeyForm::of(&bytes) == KeyForm::Plain {
        return Ok(Signer::from_seed(&seed(&bytes, path)?));
    }
    let (digest, unlock) = (hash::sha256(&bytes), home.unlock());
    if let Some(opened) = unlock.opened(&digest) {
        return Ok(Signer::from_seed(&opened));
    }
    let passphrase = unlock
        .passphrase()
        .ok_or_else(|| NodeError::KeyLocked(path.to_owned()))?;
    let mut identity = age::scrypt::Identity::new(secret(&passphrase));
    identity.set_max_work_factor(WORK_MAX);
    let digits = age::decrypt(&identity, &bytes).map_err(|_| {
        // The next one who needs it is asked again.
        unlock.learn(None);
        NodeError::WrongPassphrase(path.to_owned())
    })?;
    let seed = seed(&Zeroizing::new(digits), path)?;
    let signer = Signer::from_seed(&seed);
    unlock.keep(digest, seed);
    Ok(signer)
}

fn seed(digits: &[u8], path: &Path) -> Result<Zeroizing<[u8; 32]>> {
    let text = std::str::from_utf8(digits).map_err(|_| NodeError::Key(path.to_owned()))?;
    // A seed has the form of a public key: 64 hex digits.
    let seed = PublicKey::from_str(text.trim()).map_err(|_| NodeError::Key(path.to_owned()))?;
    Ok(Zeroizing::new(seed.0))
}

fn secret(passphrase: &Zeroizing<String>) -> SecretString {
    SecretString::from(passphrase.as_str().to_owned())
}

/// Writes a key, behind what is wanted.
pub(super) fn write(
    home: &Home,
    path: &Path,
    seed: &Zeroizing<[u8; 32]>,
    behind: &Behind,
) -> Result<()> {
    let digits = Zeroizing::new(PublicKey(**seed).to_string());
    let passphrase = match behind {
        Behind::Nothing => None,
        Behind::Passphrase(passphrase) => Some(passphrase.clone()),
        Behind::AsBefore => match form(home)? {
            KeyForm::Plain => None,
            KeyForm::Passphrase => {
                let told = home.unlock().passphrase();
                Some(told.ok_or_else(|| NodeError::KeyLocked(home.signing_key()))?)
            }
        },
    };
    let Some(passphrase) = passphrase else {
        return Ok(write_private_file(path, digits.as_bytes())?);
    };
    let mut recipient = age::scrypt::Recipient::new(secret(&passphrase));
    recipient.set_work_factor(WORK);
    let bytes = age::encrypt(&recipient, digits.as_bytes()).map_err(|error| {
        NodeError::Refused(format!(
            "the key cannot be put behind a passphrase: {error}"
        ))
    })?;
    Ok(write_private_file(path, &bytes)?)
}
