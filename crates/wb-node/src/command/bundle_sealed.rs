//! Sealed envelopes beside a bundle (spec: bundles): written for named peers, looked at, and taken.
//!
//! They lie in a file of their own, so that a program from before them takes the bundle as ever. Whoever carries them
//! reads for whom each is and until when, and nothing else.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use wb_core::id::InstanceId;
use wb_core::limits::SYNC_BODY_BYTES_MAX;
use wb_core::ndjson::put_line;
use wb_core::sealed::Envelope;
use wb_core::sync::WaitingEnvelope;
use wb_core::time::Timestamp;
use wb_store::{Changed, Difference, Road, RunCounts, RunEnd};

use super::bundle_export::temporary_beside;
use crate::direct::folder::read_envelopes;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::sealed::carry;
use crate::sealed::keys::note_keys;
use crate::sealed::{Coming, Taken, take};

/// How the name of a file of envelopes ends.
const SEALED: &str = "wbs";

/// The file of envelopes that goes with a bundle: the same name with another ending.
#[must_use]
pub fn sealed_beside(bundle: &Path) -> PathBuf {
    bundle.with_extension(SEALED)
}

/// Whether a file is one of envelopes, by its name.
#[must_use]
pub fn is_sealed_file(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == SEALED)
}

/// Envelopes that were written for one peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarriedFor {
    /// For whom.
    pub id: InstanceId,
    /// Its name, where it is known.
    pub name: Option<String>,
    /// How many; none where it said that it has everything.
    pub envelopes: u64,
}

/// Refuses peers for whom nothing could be carried, before anything is written.
///
/// # Errors
/// Of the first such peer, why; that the bundle itself has the name of a file of envelopes.
pub fn check_sealed(node: &Node, bundle: &Path, peers: &[InstanceId]) -> Result<()> {
    if !peers.is_empty() && is_sealed_file(bundle) {
        return Err(NodeError::Refused(format!(
            "{} would be both the bundle and the envelopes beside it; nothing was written. Give the bundle another ending",
            bundle.display()
        )));
    }
    peers.iter().try_for_each(|peer| carry::check(node, *peer))
}

/// Writes what these peers lack, sealed to each, beside a bundle that was just written. An older file there is replaced,
/// or taken away where nobody lacks anything.
///
/// # Errors
/// As [`check_sealed`]; what the disk reports. An existing file stays then.
pub fn bundle_seal(
    node: &Node,
    actor: &Actor,
    bundle: &Path,
    peers: &[InstanceId],
) -> Result<Vec<CarriedFor>> {
    check_sealed(node, bundle, peers)?;
    let now = node.now();
    let known = node.store.instances()?;
    let (mut bytes, mut written) = (Vec::new(), Vec::new());
    for peer in peers {
        let carried = carry::carry(node, *peer, now)?;
        for envelope in &carried {
            put_line(&mut bytes, &wb_core::signed::payload(envelope));
        }
        let name = known.iter().find(|known| known.id == *peer);
        written.push(CarriedFor {
            id: *peer,
            name: name.and_then(|known| known.name.clone()),
            envelopes: carried.len() as u64,
        });
    }
    if bytes.len() as u64 > SYNC_BODY_BYTES_MAX as u64 {
        return Err(NodeError::Refused(
            "the envelopes are more than one file of them holds; no file of envelopes was written. Name fewer peers"
                .to_owned(),
        ));
    }
    write_file(&sealed_beside(bundle), &bytes)?;
    for one in written.iter().filter(|one| one.envelopes > 0) {
        let detail = format!("{} envelopes in a file", one.envelopes);
        node.audit(now, actor, "bundle seal", &one.id, detail)?;
    }
    Ok(written)
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    if bytes.is_empty() {
        return match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(NodeError::file(path)(error))
            }
            _ => Ok(()),
        };
    }
    let temporary = temporary_beside(path);
    let written = File::create_new(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(NodeError::file(path))
}

/// What came of an envelope in a file, or would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CameOf {
    /// It is for this instance, and was not looked into.
    Ours,
    /// It is for others, and stays where it is.
    Foreign,
    /// It was sealed here.
    Own,
    /// It was taken.
    Taken,
    /// It came before.
    Known,
    /// Its origin is not accepted here, or has a key that is not known yet; it stays where it is.
    Left,
    /// It breaks this rule, and nothing of it counts.
    Refused(&'static str),
}

impl CameOf {
    /// The word in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Foreign => "foreign",
            Self::Own => "own",
            Self::Taken => "taken",
            Self::Known => "known",
            Self::Left => "left",
            Self::Refused(_) => "refused",
        }
    }
}

/// An envelope in a file, from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// Who sealed it, as it says.
    pub origin: InstanceId,
    /// Who can open it.
    pub recipients: Vec<InstanceId>,
    /// After which nobody takes it.
    pub expires: Timestamp,
    /// Bytes of its body.
    pub bytes: u64,
    /// What came of it.
    pub came_of: CameOf,
}

/// What a file of envelopes holds, and what came of it.
#[derive(Debug, Default)]
pub struct CarriedFile {
    /// The envelopes, in their order.
    pub envelopes: Vec<Carried>,
    /// Lines that are no envelope.
    pub damaged: u64,
    /// What changed here.
    pub changed: Vec<Changed>,
}

/// The outside of each envelope in a file; without an instance none is anybody's own.
///
/// # Errors
/// What the disk reports, or that it is larger than any such file.
pub fn bundle_look(path: &Path, own: Option<InstanceId>) -> Result<CarriedFile> {
    let mut file = CarriedFile::default();
    for (carried, _) in outsides(path, own, &mut file.damaged)? {
        file.envelopes.push(carried);
    }
    Ok(file)
}

/// The outsides with the envelopes themselves.
fn outsides(
    path: &Path,
    own: Option<InstanceId>,
    damaged: &mut u64,
) -> Result<Vec<(Carried, WaitingEnvelope)>> {
    let (found, broken) = read_envelopes(path)?;
    *damaged = broken;
    let mut all = Vec::new();
    for waiting in found {
        let Ok((envelope, _)) = Envelope::read(waiting.envelope.as_bytes()) else {
            *damaged += 1;
            continue;
        };
        let came_of = match own {
            Some(own) if own == envelope.origin => CameOf::Own,
            Some(own) if envelope.recipients.contains(&own) => CameOf::Ours,
            _ => CameOf::Foreign,
        };
        let carried = Carried {
            origin: envelope.origin,
            recipients: envelope.recipients,
            expires: envelope.expires,
            bytes: envelope.size,
            came_of,
        };
        all.push((carried, waiting));
    }
    Ok(all)
}

/// Takes the envelopes of a file that are for this instance, each as a whole or not at all. Those for others stay
/// where they are, unread.
///
/// # Errors
/// What store or disk report; what was taken before stays.
pub fn bundle_open(node: &Node, actor: &Actor, path: &Path) -> Result<CarriedFile> {
    // What is written from when a changed card came on may go to its key.
    note_keys(node)?;
    let now = node.now();
    let mut file = CarriedFile::default();
    let name = path.file_name().unwrap_or(path.as_os_str());
    let name = name.to_string_lossy().into_owned();
    let mut runs = Vec::new();
    for (mut carried, waiting) in outsides(path, Some(node.own_id()), &mut file.damaged)? {
        if carried.came_of == CameOf::Ours {
            let coming = Coming {
                peer: carried.origin,
                road: Road::Bundle,
                detail: &name,
                run_no: None,
                started: now,
            };
            let line = waiting.envelope.as_bytes();
            carried.came_of = match take(node, line, &waiting.body.0, coming)? {
                Taken::New {
                    changed, run_no, ..
                } => {
                    runs.extend(run_no.map(|run_no| (run_no, counts(&changed))));
                    file.changed.extend(changed);
                    CameOf::Taken
                }
                Taken::Known => CameOf::Known,
                Taken::Left(_) | Taken::Waits => CameOf::Left,
                Taken::Refused(rule) => CameOf::Refused(rule.as_str()),
            };
        }
        file.envelopes.push(carried);
    }
    if !runs.is_empty() {
        let write = node.store.write_in_sight()?;
        for (run_no, counts) in runs {
            let end = RunEnd {
                at: now,
                outcome: "done",
                cause: None,
                counts,
            };
            write.end_run(run_no, &end)?;
        }
        write.commit()?;
    }
    let mut taken = file.envelopes.iter();
    if taken.any(|one| one.came_of == CameOf::Taken) {
        let detail = format!("sealed: {} records changed", file.changed.len());
        node.audit(now, actor, "bundle import", &path.display(), detail)?;
    }
    Ok(file)
}

fn counts(changed: &[Changed]) -> RunCounts {
    let mut counts = RunCounts::default();
    for change in changed {
        match change.difference {
            Difference::New => counts.pulled_new += 1,
            Difference::Changed => counts.pulled_changed += 1,
            Difference::Gone => counts.pulled_gone += 1,
        }
    }
    counts
}
