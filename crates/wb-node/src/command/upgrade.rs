//! `wb upgrade`: brings every database of a folder to the newest format, or tries it on copies.

use wb_store::{FileUpgrade, Home};

use crate::error::Result;
use crate::view::{FileUpgradeView, SCHEMA_VERSION, UpgradeView};

/// Brings every database to the newest format. A copy of each is kept beside it.
///
/// # Errors
/// What stands in the way; a file that failed is as it was.
pub fn upgrade(home: &Home) -> Result<UpgradeView> {
    let files = wb_store::upgrade(home)?;
    Ok(UpgradeView {
        schema_version: SCHEMA_VERSION,
        tried: false,
        files: files.into_iter().map(view).collect(),
        problems: Vec::new(),
        needed_bytes: 0,
        free_bytes: wb_store::free_bytes(home.dir()),
        good: true,
    })
}

/// Tries it on copies, and checks them as `wb doctor` does.
///
/// # Errors
/// What stands in the way of copying, or that the files are of a newer version.
pub fn rehearse(home: &Home) -> Result<UpgradeView> {
    let rehearsal = wb_store::rehearse_upgrade(home)?;
    let good = rehearsal.is_good();
    let problems = rehearsal.findings.into_iter().flat_map(|finding| {
        let check = finding.check;
        let problems = finding.problems.into_iter();
        problems.map(move |problem| format!("{check}: {problem}"))
    });
    Ok(UpgradeView {
        schema_version: SCHEMA_VERSION,
        tried: true,
        problems: problems.collect(),
        files: rehearsal.files.into_iter().map(view).collect(),
        needed_bytes: rehearsal.needed_bytes,
        free_bytes: rehearsal.free_bytes,
        good,
    })
}

fn view(file: FileUpgrade) -> FileUpgradeView {
    FileUpgradeView {
        file: file.file,
        found: file.found,
        known: file.known,
        bytes: file.bytes,
        kept: format!("{}.v{}.bak", file.file, file.found),
        problem: file.problem,
    }
}
