//! Reading a backup: nothing of it is believed before its hash fits, and no more is written than it says.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use age::Decryptor;
use age::stream::StreamReader;
use sha2::{Digest as _, Sha256};
use wb_core::backup::{Manifest, Part, PartName};
use wb_core::id::Hash;
use wb_core::limits::BACKUP_MANIFEST_BYTES_MAX;

use super::secret::Secret;
use super::{BackupError, CHUNK_BYTES, finish, hash_file};
use crate::error::{NodeError, Result};

/// How every age file begins.
const AGE: &[u8] = b"age-encryption.org/";

type Sealed = StreamReader<BufReader<File>>;
type Packed = zstd::stream::read::Decoder<'static, BufReader<Sealed>>;

/// A backup that opened, with its manifest read.
pub struct Opened {
    path: PathBuf,
    plain: BufReader<Packed>,
    /// What it says of itself.
    pub manifest: Manifest,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Opened").field(&self.manifest).finish()
    }
}

/// Opens a backup.
///
/// # Errors
/// Why it does not open, or what the operating system reports.
pub fn open(path: &Path, secret: &Secret) -> Result<Opened> {
    let wrong = |error: BackupError| NodeError::backup(path)(error);
    let file = File::open(path).map_err(NodeError::file(path))?;
    let mut file = BufReader::with_capacity(CHUNK_BYTES, file);
    if !begins_with(&mut file, AGE).map_err(NodeError::file(path))? {
        return Err(wrong(BackupError::NotABackup));
    }
    let decryptor = Decryptor::new_buffered(file).map_err(|error| of_age(path, error))?;
    check_sort(&decryptor, secret).map_err(wrong)?;
    let identity = secret.identity();
    let sealed = decryptor
        .decrypt(std::iter::once(&*identity as &dyn age::Identity))
        .map_err(|error| of_age(path, error))?;
    let sealed = BufReader::with_capacity(CHUNK_BYTES, sealed);
    let packed = zstd::stream::read::Decoder::with_buffer(sealed)
        .map_err(|error| of_reading(path, error))?
        .single_frame();
    let mut plain = BufReader::with_capacity(CHUNK_BYTES, packed);
    let mut line = Vec::new();
    let limit = BACKUP_MANIFEST_BYTES_MAX as u64 + 1;
    (&mut plain)
        .take(limit)
        .read_until(b'\n', &mut line)
        .map_err(|error| of_reading(path, error))?;
    if line.pop() != Some(b'\n') {
        return Err(wrong(BackupError::NotABackup));
    }
    let manifest = Manifest::read(&line).map_err(|error| wrong(error.into()))?;
    Ok(Opened {
        path: path.to_owned(),
        plain,
        manifest,
    })
}

/// Says which of the two secrets a file needs, before half a second of work is done for the other.
fn check_sort<R>(
    decryptor: &Decryptor<R>,
    secret: &Secret,
) -> std::result::Result<(), BackupError> {
    match (decryptor.is_scrypt(), secret) {
        (true, Secret::Words(_)) => Err(BackupError::WrongSecret(
            "this backup was locked with a passphrase, not with the recovery words",
        )),
        (false, Secret::Passphrase(_)) => Err(BackupError::WrongSecret(
            "this backup was locked with the recovery words, not with a passphrase",
        )),
        _ => Ok(()),
    }
}

/// Whether a backup is opened by a passphrase; the words open every other.
///
/// # Errors
/// That it is no backup, or what the operating system reports.
pub fn needs_passphrase(path: &Path) -> Result<bool> {
    let file = File::open(path).map_err(NodeError::file(path))?;
    let mut file = BufReader::new(file);
    if !begins_with(&mut file, AGE).map_err(NodeError::file(path))? {
        return Err(NodeError::backup(path)(BackupError::NotABackup));
    }
    let decryptor = Decryptor::new_buffered(file).map_err(|error| of_age(path, error))?;
    Ok(decryptor.is_scrypt())
}

impl Opened {
    /// Reads every part to its end, into files where places are given, and then the file to its end. Gives
    /// the size and the hash of the file.
    ///
    /// # Errors
    /// What does not fit, or what the operating system reports.
    pub fn unpack(
        mut self,
        into: Option<&dyn Fn(PartName) -> PathBuf>,
        going: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<(u64, Hash)> {
        let mut done = 0;
        for part in self.manifest.parts.clone() {
            let to = into.map(|place| place(part.name));
            self.part(&part, to.as_deref(), &mut done, going)?;
        }
        self.end()
    }

    fn part(
        &mut self,
        part: &Part,
        to: Option<&Path>,
        done: &mut u64,
        going: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut out = match to {
            Some(to) => {
                wb_store::write_private_file(to, &[])?;
                let file = File::options().write(true).open(to);
                Some((to, file.map_err(NodeError::file(to))?))
            }
            None => None,
        };
        let (mut hash, mut left) = (Sha256::new(), part.bytes);
        let mut chunk = vec![0; CHUNK_BYTES];
        while left > 0 {
            let most = usize::try_from(left).map_or(CHUNK_BYTES, |left| left.min(CHUNK_BYTES));
            let read = self
                .plain
                .read(&mut chunk[..most])
                .map_err(|error| of_reading(&self.path, error))?;
            if read == 0 {
                return Err(self.damaged(format!("it ends within {}", part.name)));
            }
            hash.update(&chunk[..read]);
            if let Some((to, file)) = &mut out {
                file.write_all(&chunk[..read])
                    .map_err(NodeError::file(*to))?;
            }
            left -= read as u64;
            *done += read as u64;
            if going(*done).is_break() {
                return Err(wb_store::StoreError::Stopped.into());
            }
        }
        if finish(hash) != part.sha256 {
            return Err(self.damaged(format!("{} is not what was backed up", part.name)));
        }
        Ok(())
    }

    /// After the last part comes nothing, in none of the layers: the last chunk is authenticated only by
    /// being read.
    fn end(mut self) -> Result<(u64, Hash)> {
        let goes_on = |read: io::Result<usize>| read.map(|bytes| bytes > 0);
        let mut byte = [0];
        let read = self.plain.read(&mut byte);
        if goes_on(read).map_err(|error| of_reading(&self.path, error))? {
            return Err(self.damaged("it goes on after its last part".to_owned()));
        }
        let path = self.path;
        let mut sealed = self.plain.into_inner().finish();
        let read = sealed.read(&mut byte);
        if goes_on(read).map_err(|error| of_reading(&path, error))? {
            let what = "it goes on after its end".to_owned();
            return Err(NodeError::backup(&path)(BackupError::Damaged(what)));
        }
        // Age has read its input to the end by now: its last chunk is the one that nothing follows.
        hash_file(&path)
    }

    fn damaged(&self, what: String) -> NodeError {
        NodeError::backup(&self.path)(BackupError::Damaged(what))
    }
}

fn begins_with(file: &mut impl BufRead, start: &[u8]) -> io::Result<bool> {
    Ok(file.fill_buf()?.starts_with(start))
}

/// What age says; what the operating system reports stays that.
fn of_age(path: &Path, error: age::DecryptError) -> NodeError {
    match error {
        age::DecryptError::Io(error) => of_reading(path, error),
        other => NodeError::backup(path)(other.into()),
    }
}

/// What age and zstd find wrong has no number of the operating system: the file is damaged then.
fn of_reading(path: &Path, error: io::Error) -> NodeError {
    if error.raw_os_error().is_some() {
        return NodeError::file(path)(error);
    }
    let what = match error.kind() {
        io::ErrorKind::UnexpectedEof => "it ends too early".to_owned(),
        _ => error.to_string(),
    };
    NodeError::backup(path)(BackupError::Damaged(what))
}
