//! Sealed envelopes beside a bundle, in words and in JSON.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use wb_core::id::InstanceId;
use wb_core::limits::ENVELOPE_DAYS;
use wb_core::time::Timestamp;
use wb_node::command::bundle_sealed::{
    CameOf, Carried, CarriedFile, CarriedFor, bundle_look, bundle_open, sealed_beside,
};
use wb_node::{Actor, ErrorKind, Node};

use super::super::registration::NAME_CHARS;
use crate::context::Context;
use crate::output::{self, clean, count, short};

/// Envelopes that were written for one peer.
#[derive(Serialize)]
pub(super) struct ForView {
    id: InstanceId,
    name: Option<String>,
    envelopes: u64,
}

pub(super) fn for_view(one: &CarriedFor) -> ForView {
    ForView {
        id: one.id,
        name: one.name.clone(),
        envelopes: one.envelopes,
    }
}

/// A file of envelopes.
#[derive(Serialize)]
pub(super) struct FileView {
    envelopes: Vec<EnvelopeView>,
    damaged: u64,
    changed: u64,
}

#[derive(Serialize)]
struct EnvelopeView {
    origin: InstanceId,
    recipients: Vec<InstanceId>,
    expires: Timestamp,
    bytes: u64,
    came_of: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'static str>,
}

#[derive(Serialize)]
pub(super) struct AloneView {
    schema_version: u32,
    envelopes: FileView,
}

pub(super) fn file_view(file: &CarriedFile) -> FileView {
    let envelopes = file.envelopes.iter().map(|one| EnvelopeView {
        origin: one.origin,
        recipients: one.recipients.clone(),
        expires: one.expires,
        bytes: one.bytes,
        came_of: one.came_of.as_str(),
        rule: match one.came_of {
            CameOf::Refused(rule) => Some(rule),
            _ => None,
        },
    });
    FileView {
        envelopes: envelopes.collect(),
        damaged: file.damaged,
        changed: file.changed.len() as u64,
    }
}

pub(super) fn alone(file: &CarriedFile) -> AloneView {
    AloneView {
        schema_version: 1,
        envelopes: file_view(file),
    }
}

/// Says what was written for whom.
pub(super) fn show_written(context: &Context, bundle: &Path, written: &[CarriedFor]) -> Result<()> {
    for one in written {
        let name = match &one.name {
            Some(name) => clean(&short(name, NAME_CHARS)),
            None => one.id.short(),
        };
        output::line(if one.envelopes == 0 {
            format!("{name} has everything that is for trusted peers only, as it said.")
        } else {
            let envelopes = count(one.envelopes, "envelope", "envelopes");
            format!(
                "{}  {envelopes} that only {name} can open",
                sealed_beside(bundle).display()
            )
        })?;
    }
    if written.iter().any(|one| one.envelopes > 0) {
        context.say(format!(
            "Carry both files. They are taken within {ENVELOPE_DAYS} days; what is taken back meanwhile stays in them, sealed, \
             until somebody deletes them."
        ));
    }
    Ok(())
}

/// Takes what is for this instance, or only looks.
pub(super) fn open(node: &Node, actor: &Actor, path: &Path, takes: bool) -> Result<CarriedFile> {
    Ok(if takes {
        bundle_open(node, actor, path)?
    } else {
        bundle_look(path, Some(node.own_id()))?
    })
}

/// Shows a file of envelopes without an instance.
pub(super) fn look(context: &Context, path: &Path) -> Result<ExitCode> {
    let file = bundle_look(path, None)?;
    if context.json() {
        output::json(&alone(&file))?;
    } else {
        show(path, &file, &|id| id.short())?;
    }
    let is_damaged = file.damaged > 0;
    let code = if is_damaged {
        ErrorKind::Verification.exit_code()
    } else {
        0
    };
    Ok(ExitCode::from(code))
}

/// Shows what came of a file of envelopes, by the names that are known here.
pub(super) fn show_opened(
    context: &Context,
    node: &Node,
    path: &Path,
    file: &CarriedFile,
) -> Result<()> {
    let known = node.store().instances().map_err(wb_node::NodeError::from)?;
    let own = (node.own_id(), node.name().to_owned());
    let name = |id: &InstanceId| {
        let found = known.iter().find(|known| known.id == *id);
        match found {
            _ if *id == own.0 => clean(&short(&own.1, NAME_CHARS)),
            Some(found) => clean(&short(&found.label(), NAME_CHARS)),
            None => id.short(),
        }
    };
    show(path, file, &name)?;
    if file
        .envelopes
        .iter()
        .any(|one| one.came_of == CameOf::Taken)
    {
        let records = count(file.changed.len() as u64, "record", "records");
        output::line(format!("Opened: {records} changed here."))?;
        context.say(
            "Who sealed it is told what is held here with the next sync, or by `wb bundle export FILE --for` it.",
        );
    }
    Ok(())
}

/// Shows a file of envelopes: from whom each is, who can open it, and what came of it.
pub(super) fn show(
    path: &Path,
    file: &CarriedFile,
    name: &dyn Fn(&InstanceId) -> String,
) -> Result<()> {
    let envelopes = count(
        file.envelopes.len() as u64,
        "sealed envelope",
        "sealed envelopes",
    );
    output::line(format!("{}  {envelopes}", path.display()))?;
    for one in &file.envelopes {
        let readers: Vec<String> = one.recipients.iter().map(name).collect();
        output::line(format!(
            "  from {}, {} bytes, can be opened by {} until {}: {}",
            name(&one.origin),
            one.bytes,
            readers.join(", "),
            one.expires,
            words(one)
        ))?;
    }
    if file.damaged > 0 {
        let lines = count(file.damaged, "line is", "lines are");
        output::line(format!("  {lines} damaged, and nothing of that counts"))?;
    }
    Ok(())
}

fn words(one: &Carried) -> String {
    match one.came_of {
        CameOf::Ours => "for this instance; not opened yet".to_owned(),
        CameOf::Foreign => "for others; left as it is".to_owned(),
        CameOf::Own => "sealed here".to_owned(),
        CameOf::Taken => "opened and taken".to_owned(),
        CameOf::Known => "came before".to_owned(),
        CameOf::Left => {
            "left, because its origin is not accepted here, has a key that is not known yet, or there is no room"
                .to_owned()
        }
        CameOf::Refused(rule) => format!("refused ({rule}); nothing of it counts"),
    }
}

/// How a command ends for the sake of these.
pub(super) fn exit_code(file: &CarriedFile) -> u8 {
    let is = |what: fn(CameOf) -> bool| file.envelopes.iter().any(|one| what(one.came_of));
    if file.damaged > 0 || is(|came_of| matches!(came_of, CameOf::Refused(_))) {
        ErrorKind::Verification.exit_code()
    } else if is(|came_of| came_of == CameOf::Left) {
        ErrorKind::Pending.exit_code()
    } else {
        0
    }
}
