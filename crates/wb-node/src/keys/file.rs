//! The file of the signing key: 64 hex digits, readable by its owner only.

use std::path::Path;
use std::str::FromStr as _;

use wb_core::id::PublicKey;
use wb_core::signed::Signer;
use wb_store::{Home, write_private_file};
use zeroize::Zeroizing;

use crate::error::{NodeError, Result};

/// How a key lies on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyForm {
    /// As it is, kept by the rights of the file.
    Plain,
}

impl KeyForm {
    /// The word in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
        }
    }
}

/// How the key of a folder lies on the disk.
///
/// # Errors
/// That the file cannot be read.
pub fn form(home: &Home) -> Result<KeyForm> {
    let path = home.signing_key();
    std::fs::metadata(&path).map_err(NodeError::file(&path))?;
    Ok(KeyForm::Plain)
}

/// The signing key whose public half is `wanted`. It is read from its file each time, so that it stays in
/// memory only while it signs; the one that comes next counts from the moment its identity entry does.
///
/// # Errors
/// That no file holds it, or what stands in the way.
pub fn signer(home: &Home, wanted: &PublicKey) -> Result<Signer> {
    let path = home.signing_key();
    let kept = read(&path)?;
    if kept.public_key() == *wanted {
        return Ok(kept);
    }
    match read_if_there(&home.next_signing_key())? {
        Some(next) if next.public_key() == *wanted => Ok(next),
        _ => Err(NodeError::Key(path)),
    }
}

pub(super) fn read_if_there(path: &Path) -> Result<Option<Signer>> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        _ => read(path).map(Some),
    }
}

fn read(path: &Path) -> Result<Signer> {
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(NodeError::file(path))?);
    // A seed has the form of a public key: 64 hex digits.
    let seed = PublicKey::from_str(text.trim()).map_err(|_| NodeError::Key(path.to_owned()))?;
    Ok(Signer::from_seed(&Zeroizing::new(seed.0)))
}

/// Writes a key.
pub(super) fn write(path: &Path, seed: &Zeroizing<[u8; 32]>) -> Result<()> {
    let digits = Zeroizing::new(PublicKey(**seed).to_string());
    Ok(write_private_file(path, digits.as_bytes())?)
}
