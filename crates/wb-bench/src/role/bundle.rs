//! Writing a bundle, verifying it, and taking it into an empty node.

use std::path::Path;

use wb_node::Node;
use wb_node::command::bundle_export::{BundleExport, bundle_export};
use wb_node::command::bundle_import::{BundleImport, bundle_import};
use wb_node::command::bundle_verify::bundle_verify;
use wb_node::command::init::{Init, init};
use wb_store::Home;

use super::Report;
use crate::clock::timed;
use crate::error::{BenchError, Result};

/// The level that `wb bundle export --zstd` comes with.
const ZSTD_LEVEL: i32 = 2;

/// Writes one; everything is sealed already.
pub fn export(home: &Path, file: &Path) -> Result<Report> {
    let mut node = Node::open(&Home::new(home))?;
    let actor = node.actor(None)?;
    let input = BundleExport {
        file,
        want: None,
        zstd_level: Some(ZSTD_LEVEL),
    };
    let (exported, took) = timed(|| bundle_export(&mut node, &actor, &input, &mut |_, _| {}));
    let exported = exported?;
    Ok(Report {
        wall_s: took.as_secs_f64(),
        records: exported.contents.iter().map(|feed| feed.items).sum(),
        bytes: exported.file_bytes,
        ..Report::default()
    })
}

/// Verifies one, as anybody can without an instance.
pub fn verify(file: &Path) -> Result<Report> {
    let (verified, took) = timed(|| bundle_verify(file, &mut |_| {}));
    let verified = verified?;
    Ok(Report {
        wall_s: took.as_secs_f64(),
        records: verified.kinds.values().sum(),
        ..Report::default()
    })
}

/// Founds an instance, which is not counted, and takes one into it.
pub fn import(home: &Path, file: &Path) -> Result<Report> {
    let founding = Init {
        name: "West",
        admin: "dora",
        words_file: None,
    };
    let mut node = init(&Home::new(home), &founding)?.node;
    let actor = node.actor(None)?;
    let input = BundleImport {
        dry_run: false,
        accept: true,
        partial: false,
        lists: false,
    };
    let (imported, took) = timed(|| bundle_import(&mut node, &actor, file, input, &mut |_| {}));
    if !imported?.done {
        return Err(BenchError::Wrong("the bundle was not taken".to_owned()));
    }
    Ok(Report {
        wall_s: took.as_secs_f64(),
        ..Report::default()
    })
}
