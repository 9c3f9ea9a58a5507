//! `wb vouch export` and `wb vouch verify`: a vouch carried out of its feed, and what one that came alone says.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use serde::Serialize;
use wb_core::id::{InstanceId, RecordId};
use wb_core::kinds::Level;
use wb_core::limits::LONE_VOUCH_BYTES_MAX;
use wb_core::time::Timestamp;
use wb_core::trust::{LoneError, LoneVouch, VerifiedVouch};
use wb_store::Lone;

use super::peer_block::find_instance;
use crate::error::{NodeError, Result};
use crate::node::Node;
use crate::query::trust::Trust;
use crate::view::SCHEMA_VERSION;

/// What a vouch that came alone says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AloneView {
    /// Version of this form.
    pub schema_version: u32,
    /// The record.
    pub id: RecordId,
    /// Who signed it.
    pub issuer: InstanceId,
    /// For whom.
    pub subject: InstanceId,
    /// How far.
    pub level: Level,
    /// Why, as the issuer says.
    pub basis: String,
    /// Since when.
    pub issued_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// Whether that is over.
    pub is_over: bool,
    /// When the issuer sealed it, by its clock.
    pub sealed_at: Timestamp,
    /// Whether the header that signs it promised a newer one, and that time is over.
    pub is_stale: bool,
}

impl AloneView {
    /// What is told of one that verified.
    #[must_use]
    pub fn of(verified: &VerifiedVouch, now: Timestamp) -> Self {
        let vouch = &verified.vouch;
        Self {
            schema_version: SCHEMA_VERSION,
            id: verified.id,
            issuer: vouch.issuer,
            subject: vouch.subject,
            level: vouch.level,
            basis: vouch.basis.clone(),
            issued_at: vouch.issued_at,
            expires_at: vouch.expires_at,
            is_over: vouch.expires_at <= now,
            sealed_at: verified.sealed_at,
            is_stale: verified.valid_until.is_some_and(|until| until <= now),
        }
    }
}

/// The text of one vouch alone: that of this instance for an instance, or any that is carried here by its record id.
///
/// # Errors
/// That there is none, that it was not published yet, or that what signs it is not here.
pub fn vouch_export(node: &Node, which: &str) -> Result<String> {
    let trust = Trust::of(node)?;
    let (issuer, id) = match which.parse::<RecordId>() {
        Ok(id) => trust
            .issuer_of(&id)
            .map(|issuer| (issuer, id))
            .ok_or_else(|| NodeError::unknown("vouch", which))?,
        Err(_) => {
            let subject = find_instance(node, which)?;
            let own = trust.own(&subject).next().map(|(vouched, _)| vouched.id);
            let id = own.ok_or_else(|| {
                NodeError::Refused(format!(
                    "this instance vouches for nothing of {}; nothing was written. `wb vouch list` shows the ids of others",
                    trust.name(&subject)
                ))
            })?;
            (node.own_id(), id)
        }
    };
    if issuer == node.own_id()
        && let Some(record) = node.store.local(&id)?
        && record.edit != record.sealed_edit
    {
        return Err(NodeError::Refused(
            "this vouch was not published yet as it is now, so nothing signs it; nothing was written. `wb publish` does \
             that first"
                .to_owned(),
        ));
    }
    match node.store.served().lone_vouch(&issuer, &id)? {
        Lone::Vouch(vouch) => Ok(vouch.to_text()),
        Lone::Unproved => Err(NodeError::Refused(format!(
            "the feed of {} came here without the delta that put this vouch, so it cannot be proved alone; nothing was \
             written. Its issuer can export it",
            trust.name(&issuer)
        ))),
        Lone::None => Err(NodeError::Refused(
            "this vouch is in no public feed here; nothing was written. `wb publish` seals one of this instance"
                .to_owned(),
        )),
    }
}

/// Writes the text of a vouch alone into a new file.
///
/// # Errors
/// That there is a file of that name, or what the disk reports.
pub fn write_vouch(path: &Path, text: &str) -> Result<()> {
    let written = File::create_new(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()
    });
    written.map_err(NodeError::file(path))
}

/// Verifies the vouch in a file, without an instance and without a network.
///
/// # Errors
/// The rule it breaks, or what the disk reports.
pub fn vouch_verify(path: &Path, now: Timestamp) -> Result<AloneView> {
    let file = File::open(path).map_err(NodeError::file(path))?;
    let mut bytes = Vec::new();
    file.take(LONE_VOUCH_BYTES_MAX as u64 + 2)
        .read_to_end(&mut bytes)
        .map_err(NodeError::file(path))?;
    // An editor or a mailer may have ended the line.
    let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let verified = LoneVouch::read(text)
        .map_err(LoneError)
        .and_then(|vouch| vouch.verify());
    let verified = verified.map_err(|source| NodeError::LoneVouch {
        path: path.to_owned(),
        source,
    })?;
    Ok(AloneView::of(&verified, now))
}
