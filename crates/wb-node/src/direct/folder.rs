//! A folder that two nodes share (spec: peers, folders): what each leaves there for the other.
//!
//! Anybody may have written into it, and it may go at any moment. So a file is read within limits, counts only
//! when it is whole and signed by whose name it has, and is written beside its name and renamed.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use wb_core::hash;
use wb_core::id::{Hash, InstanceId};
use wb_core::identity::IdentityLog;
use wb_core::limits::SYNC_BODY_BYTES_MAX;
use wb_core::ndjson;
use wb_core::pairing::{NO_TOKEN, safety_words};
use wb_core::sync::{EnvelopeBody, PeerCause, WaitingEnvelope, read_message};
use wb_core::want::Want;
use wb_store::OutEnvelope;

use super::make::{Delivery, own_bundle_file};
use super::want::own_receipt;
use crate::command::bundle_export::temporary_beside;
use crate::error::{NodeError, Result};
use crate::node::Node;
use crate::sync::SyncEnd;

/// Bytes of a want file that is read: an identity log of its full length, and the heads of many peers.
const WANT_BYTES_MAX: u64 = 4 * 1_024 * 1_024;
/// Bytes of a file of sealed envelopes.
const SEALED_BYTES_MAX: u64 = SYNC_BODY_BYTES_MAX as u64;
/// Files of a folder that are looked at; protects from a directory that is no shared folder.
const FILES_MAX: usize = 10_000;
/// Instances of a folder that are told.
const FOUND_MAX: usize = 100;
/// How the name of a want ends.
const WANT: &str = ".want";

/// Who left a want in a folder.
#[derive(Debug, Clone)]
pub struct InFolder {
    /// Its id.
    pub id: InstanceId,
    /// Its name, where it is known here.
    pub name: Option<String>,
    /// The eight words to compare.
    pub words: String,
    pub(crate) log: IdentityLog,
}

/// A want that was found.
pub(crate) struct Found {
    pub want: Want,
    pub log: IdentityLog,
    pub hash: Hash,
}

/// The folder of an address, with its whole path: a node is run from anywhere.
pub(crate) fn absolute(folder: &Path) -> Result<PathBuf> {
    let path = fs::canonicalize(folder).map_err(NodeError::file(folder))?;
    if path.is_dir() {
        return Ok(path);
    }
    Err(NodeError::Refused(format!(
        "{} is no folder; nothing was changed",
        path.display()
    )))
}

pub(crate) fn want_file(folder: &Path, of: InstanceId) -> PathBuf {
    folder.join(format!("{of}{WANT}"))
}

pub(crate) fn bundle_file(folder: &Path, from: InstanceId, to: InstanceId) -> PathBuf {
    folder.join(format!("{from}-for-{to}.wbb"))
}

pub(crate) fn sealed_file(folder: &Path, from: InstanceId, to: InstanceId) -> PathBuf {
    folder.join(format!("{from}-for-{to}.wbs"))
}

pub(crate) fn letter_file(folder: &Path, from: InstanceId, to: InstanceId) -> PathBuf {
    folder.join(format!("{from}-for-{to}.wbl"))
}

/// Whether there is a plain file of that name: nothing else is opened, because opening a pipe waits.
pub(crate) fn is_plain(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file())
}

/// Reads the want that an instance left; none where there is none.
///
/// # Errors
/// That it is damaged, or not of whose name it has.
pub(crate) fn read_want(
    folder: &Path,
    of: InstanceId,
) -> std::result::Result<Option<Found>, SyncEnd> {
    let path = want_file(folder, of);
    if !is_plain(&path) {
        return Ok(None);
    }
    let damaged = |what: String| {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        SyncEnd::Peer(PeerCause::BadAnswer, format!("{file}: {what}"))
    };
    let mut bytes = Vec::new();
    let file = File::open(&path).map_err(|error| damaged(error.to_string()))?;
    file.take(WANT_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| damaged(error.to_string()))?;
    if bytes.len() as u64 > WANT_BYTES_MAX {
        return Err(damaged("it is larger than any want".to_owned()));
    }
    let lines: Vec<&[u8]> = ndjson::lines(&bytes).collect();
    let (want, log) =
        Want::read(&lines).map_err(|(line, rule)| damaged(format!("line {line} breaks {rule}")))?;
    if want.instance != of {
        return Err(damaged(format!("it is of {}", want.instance)));
    }
    let hash = hash::sha256(lines.first().copied().unwrap_or_default());
    Ok(Some(Found { want, log, hash }))
}

/// Who else left a want in a folder, each verified.
pub(crate) fn look(node: &Node, folder: &Path) -> Result<Vec<InFolder>> {
    let folder = absolute(folder)?;
    let mut found = Vec::new();
    let names = node.store.instances()?;
    for file in fs::read_dir(&folder)
        .map_err(NodeError::file(&folder))?
        .take(FILES_MAX)
    {
        let file = file.map_err(NodeError::file(&folder))?.file_name();
        let id = file.to_str().and_then(|name| name.strip_suffix(WANT));
        let Some(id) = id.and_then(|id| id.parse::<InstanceId>().ok()) else {
            continue;
        };
        if id == node.own_id() || found.len() >= FOUND_MAX {
            continue;
        }
        // A damaged one is passed over: its writer leaves another.
        let Ok(Some(one)) = read_want(&folder, id) else {
            continue;
        };
        let known = names.iter().find(|known| known.id == id);
        found.push(InFolder {
            id,
            name: known.and_then(|known| known.name.clone()),
            words: safety_words(node.own_id(), id, &NO_TOKEN),
            log: one.log,
        });
    }
    found.sort_by_key(|one| one.id);
    Ok(found)
}

/// Writes a file beside its name, waits for the disk, and renames it.
fn write_whole(path: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let temporary = temporary_beside(path);
    let written = write(&temporary).and_then(|()| {
        fs::rename(&temporary, path).map_err(NodeError::file(path))?;
        // The name itself has to be on the stick before it is pulled out.
        let folder = path.parent().unwrap_or(Path::new("."));
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        // Not every file system lets a folder be synced; the file was.
        let _ = synced;
        Ok(())
    });
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Whether a plain file has these bytes. No more than them is read: anybody may have put it there.
fn is_same(path: &Path, bytes: &[u8]) -> bool {
    if !is_plain(path) {
        return false;
    }
    let mut before = Vec::new();
    let limit = bytes.len() as u64 + 1;
    let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut before));
    read.is_ok() && before == bytes
}

/// Leaves what is held here of a peer, of everybody else who has a file here, and of this instance.
pub(crate) fn leave_want(node: &Node, folder: &Path, with: Option<InstanceId>) -> Result<()> {
    let mut of = vec![node.own_id()];
    of.extend(with);
    for peer in node.store.peers()? {
        let is_here = is_plain(&want_file(folder, peer.id));
        if is_here && node.store.pair(&peer.id)?.is_some() && !of.contains(&peer.id) {
            of.push(peer.id);
        }
    }
    let bytes = own_receipt(node, &of)?.with_identity(node);
    let path = want_file(folder, node.own_id());
    if is_same(&path, &bytes) {
        return Ok(());
    }
    write_whole(&path, |temporary| {
        let mut file = File::create_new(temporary).map_err(NodeError::file(temporary))?;
        file.write_all(&bytes)
            .and_then(|()| file.sync_all())
            .map_err(NodeError::file(temporary))
    })
}

/// Leaves a bundle for a peer; returns its bytes.
pub(crate) fn leave_bundle(
    node: &Node,
    folder: &Path,
    to: InstanceId,
    want: Option<Hash>,
    delivery: &Delivery<'_>,
) -> Result<u64> {
    let path = bundle_file(folder, node.own_id(), to);
    let mut bytes = 0;
    write_whole(&path, |temporary| {
        bytes = own_bundle_file(node, want, delivery, temporary)?;
        Ok(())
    })?;
    Ok(bytes)
}

/// Reads the sealed envelopes that a peer left; none where there is no file of that name.
///
/// # Errors
/// That it cannot be read, or is larger than all that may wait.
pub(crate) fn read_sealed(path: &Path) -> Result<Vec<WaitingEnvelope>> {
    if is_plain(path) {
        // A damaged line costs itself.
        return Ok(read_envelopes(path)?.0);
    }
    Ok(Vec::new())
}

/// Reads a file of sealed envelopes, and counts its lines that are none.
///
/// # Errors
/// As [`read_sealed`].
pub(crate) fn read_envelopes(path: &Path) -> Result<(Vec<WaitingEnvelope>, u64)> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(NodeError::file(path))?;
    file.take(SEALED_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(NodeError::file(path))?;
    if bytes.len() as u64 > SEALED_BYTES_MAX {
        return Err(NodeError::Refused(format!(
            "{} is larger than all envelopes that may wait; it was not read",
            path.display()
        )));
    }
    let (mut found, mut damaged) = (Vec::new(), 0);
    for line in ndjson::lines(&bytes) {
        match read_message(line) {
            Ok(envelope) => found.push(envelope),
            Err(_) => damaged += 1,
        }
    }
    Ok((found, damaged))
}

/// Leaves the sealed envelopes that wait for a peer, or takes the file away where none does.
pub(crate) fn leave_sealed(node: &Node, folder: &Path, to: InstanceId) -> Result<u64> {
    let path = sealed_file(folder, node.own_id(), to);
    let waiting = node.store.envelopes_waiting(Some(&to))?;
    leave_lines(&path, &waiting, |n| Ok(node.store.envelope_waiting(n)?))
}

/// Leaves the letters that wait for a peer, or takes the file away where none does.
pub(crate) fn leave_letters(node: &Node, folder: &Path, to: InstanceId) -> Result<u64> {
    let path = letter_file(folder, node.own_id(), to);
    let private = node.store.private();
    let waiting = private.letters_due(&to, Some(&to), node.now())?;
    leave_lines(&path, &waiting, |n| Ok(private.letter_sealed(n)?))
}

/// Writes what is sealed into a file, or takes it away where there is nothing.
fn leave_lines(
    path: &Path,
    waiting: &[u64],
    sealed: impl Fn(u64) -> Result<Option<OutEnvelope>>,
) -> Result<u64> {
    let mut bytes = Vec::new();
    let mut left = 0;
    for &n in waiting {
        let Some(envelope) = sealed(n)? else {
            continue;
        };
        let line = wb_core::signed::payload(&WaitingEnvelope {
            n,
            envelope: String::from_utf8_lossy(&envelope.line).into_owned(),
            body: EnvelopeBody(envelope.body),
        });
        if (bytes.len() + line.len()) as u64 >= SEALED_BYTES_MAX {
            // The rest comes once these were taken.
            break;
        }
        ndjson::put_line(&mut bytes, &line);
        left += 1;
    }
    if bytes.is_empty() {
        if is_plain(path) {
            let _ = fs::remove_file(path);
        }
        return Ok(0);
    }
    if is_same(path, &bytes) {
        return Ok(0);
    }
    write_whole(path, |temporary| {
        let mut file = File::create_new(temporary).map_err(NodeError::file(temporary))?;
        file.write_all(&bytes)
            .and_then(|()| file.sync_all())
            .map_err(NodeError::file(temporary))
    })?;
    Ok(left)
}

/// Takes the own sealed envelopes for a peer away.
pub(crate) fn remove_sealed(node: &Node, folder: &Path, to: InstanceId) {
    let path = sealed_file(folder, node.own_id(), to);
    if is_plain(&path) {
        // What stays was sealed for its reader, and is over within days.
        let _ = fs::remove_file(path);
    }
}

/// Takes the own bundle for a peer away, once it has everything.
pub(crate) fn remove_bundle(node: &Node, folder: &Path, to: InstanceId) {
    let path = bundle_file(folder, node.own_id(), to);
    if is_plain(&path) {
        // One that stays is known to its reader already.
        let _ = fs::remove_file(path);
    }
}
