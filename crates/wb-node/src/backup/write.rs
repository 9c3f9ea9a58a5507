//! Writing a backup: whole or not at all, and not in its place before it was read back.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use age::{Encryptor, x25519};
use sha2::{Digest as _, Sha256};
use wb_core::backup::{Manifest, Part, PartName};
use wb_core::id::Hash;

use super::names::PARTIAL;
use super::read;
use super::secret::{Lock, Secret, passphrase_recipient};
use super::{BackupError, CHUNK_BYTES, finish, hash_file};
use crate::error::{NodeError, Result};

/// How hard a backup is compressed.
const ZSTD_LEVEL: i32 = 3;

/// A backup that was written beside its place and not read back yet. Dropped, it leaves nothing.
#[derive(Debug)]
pub struct Unchecked {
    partial: Partial,
    secret: Secret,
    manifest: Manifest,
    sha256: Hash,
}

/// A backup that was read back whole, and only has to take its place.
#[derive(Debug)]
pub struct Checked {
    partial: Partial,
    /// Its size.
    pub bytes: u64,
    /// Its hash.
    pub sha256: Hash,
}

/// A file beside its place, removed unless it takes it.
#[derive(Debug)]
struct Partial {
    place: PathBuf,
    path: PathBuf,
    // Says to others that somebody writes it.
    _lock: File,
    placed: bool,
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.placed {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Sizes and hashes of the files that are to be parts.
///
/// # Errors
/// What the operating system reports.
pub fn parts(names: &[PartName], path: &dyn Fn(PartName) -> PathBuf) -> Result<Vec<Part>> {
    let part = |name: &PartName| {
        let (bytes, sha256) = hash_file(&path(*name))?;
        Ok(Part {
            name: *name,
            bytes,
            sha256,
        })
    };
    names.iter().map(part).collect()
}

/// Writes a backup beside `place`.
///
/// # Errors
/// That there is a file of that name, `Stopped`, or what the operating system reports.
pub fn write(
    place: &Path,
    manifest: Manifest,
    path: &dyn Fn(PartName) -> PathBuf,
    lock: &Lock,
    going: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Unchecked> {
    if place.exists() {
        return Err(NodeError::Refused(format!(
            "{} exists; name a file that does not, so that no backup is lost",
            place.display()
        )));
    }
    let (partial, file) = Partial::new(place)?;
    let (encryptor, secret) = encryptor(lock);
    let failed = |error| NodeError::file(&partial.path)(error);
    let out = Hashing {
        out: BufWriter::with_capacity(CHUNK_BYTES, file),
        hash: Sha256::new(),
    };
    let sealed = encryptor.wrap_output(out).map_err(failed)?;
    let mut packed = zstd::stream::write::Encoder::new(sealed, ZSTD_LEVEL).map_err(failed)?;
    packed.include_checksum(true).map_err(failed)?;
    packed.write_all(&manifest.line()).map_err(failed)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut done = 0;
    for part in &manifest.parts {
        let from = path(part.name);
        let mut file = File::open(&from).map_err(NodeError::file(&from))?;
        loop {
            let read = file.read(&mut chunk).map_err(NodeError::file(&from))?;
            if read == 0 {
                break;
            }
            packed.write_all(&chunk[..read]).map_err(failed)?;
            done += read as u64;
            if going(done).is_break() {
                return Err(wb_store::StoreError::Stopped.into());
            }
        }
    }
    let sealed = packed.finish().map_err(failed)?;
    let mut out = sealed.finish().map_err(failed)?;
    out.flush().map_err(failed)?;
    let Hashing { out, hash } = out;
    out.get_ref().sync_all().map_err(failed)?;
    drop(out);
    Ok(Unchecked {
        partial,
        secret,
        manifest,
        sha256: finish(hash),
    })
}

impl Unchecked {
    /// Where it lies now.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.partial.path
    }

    /// Opens the file again and reads it to its end: it is what was written, it opens, and every part has
    /// its length and hash.
    ///
    /// # Errors
    /// What does not fit; nothing stays then.
    pub fn read_back(self, going: &mut dyn FnMut(u64) -> ControlFlow<()>) -> Result<Checked> {
        let path = &self.partial.path;
        let opened = read::open(path, &self.secret)?;
        if opened.manifest != self.manifest {
            return Err(NodeError::backup(path)(BackupError::Damaged(
                "its manifest is not the one that was written".to_owned(),
            )));
        }
        let (bytes, sha256) = opened.unpack(None, going)?;
        if sha256 != self.sha256 {
            return Err(NodeError::backup(path)(BackupError::Damaged(
                "it is not what was written".to_owned(),
            )));
        }
        Ok(Checked {
            partial: self.partial,
            bytes,
            sha256,
        })
    }
}

impl Checked {
    /// Gives the file its name, on the disk.
    ///
    /// # Errors
    /// What the operating system reports.
    pub fn place(mut self) -> Result<()> {
        let (path, place) = (&self.partial.path, &self.partial.place);
        fs::rename(path, place).map_err(NodeError::file(place))?;
        self.partial.placed = true;
        let dir = folder_of(&self.partial.place);
        let sync = File::open(dir).and_then(|dir| dir.sync_all());
        sync.map_err(NodeError::file(dir))
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

impl Partial {
    /// Makes the file, readable by its owner only.
    fn new(place: &Path) -> Result<(Self, File)> {
        let mut path = place.as_os_str().to_owned();
        path.push(PARTIAL);
        let path = PathBuf::from(path);
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let file = options.open(&path).map_err(NodeError::file(&path))?;
        if file.try_lock().is_err() {
            return Err(NodeError::Refused(format!(
                "another wb is writing {}",
                place.display()
            )));
        }
        // What a killed process left behind is written anew.
        file.set_len(0).map_err(NodeError::file(&path))?;
        let lock = file.try_clone().map_err(NodeError::file(&path))?;
        let partial = Self {
            place: place.to_owned(),
            path,
            _lock: lock,
            placed: false,
        };
        Ok((partial, file))
    }
}

/// What encrypts, and what it can be read back with: the passphrase, or a key made for this file and
/// forgotten with it.
fn encryptor(lock: &Lock) -> (Encryptor, Secret) {
    match lock {
        Lock::Passphrase(passphrase) => {
            let recipient = passphrase_recipient(passphrase);
            let recipients = [&recipient as &dyn age::Recipient];
            let encryptor = Encryptor::with_recipients(recipients.into_iter());
            (
                encryptor.expect("one passphrase is a set of recipients"),
                Secret::Passphrase(passphrase.clone()),
            )
        }
        Lock::Key(recipient) => {
            let once = x25519::Identity::generate();
            let recipient: x25519::Recipient = recipient.parse().expect("it was read before");
            let back = once.to_public();
            let recipients = [&recipient as &dyn age::Recipient, &back];
            let encryptor = Encryptor::with_recipients(recipients.into_iter());
            (
                encryptor.expect("two keys of one kind are a set of recipients"),
                Secret::Once(once),
            )
        }
    }
}

impl Lock {
    /// Takes a public key as age writes it.
    ///
    /// # Errors
    /// That it is none.
    pub fn key(text: &str) -> Result<Self> {
        match text.parse::<x25519::Recipient>() {
            Ok(_) => Ok(Self::Key(text.to_owned())),
            Err(_) => Err(wb_store::StoreError::Damaged(
                "the public key for backups is not one".to_owned(),
            )
            .into()),
        }
    }
}

struct Hashing<W> {
    out: W,
    hash: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
