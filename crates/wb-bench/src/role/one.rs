//! One record is changed, published and pushed, again and again; between two of them one wait for the disk.

use std::path::Path;

use wb_node::{Node, NodeError};
use wb_store::Home;

use super::sync::Syncing;
use super::{Report, runtime};
use crate::clock::timed;
use crate::error::Result;
use crate::limit::disk::Disk;
use crate::workload::Workload;

/// The record that is changed: a comment, which every work-load has.
const CHANGED: u64 = 2;
/// Its revisions begin above those of other measurements.
const FIRST_REVISION: u64 = 1_000;

/// Changes, publishes and pushes so many times.
pub fn one(home: &Path, times: u32) -> Result<Report> {
    let mut node = Node::open(&Home::new(home))?;
    let workload = Workload::new(node.own_id());
    let runtime = runtime()?;
    let mut disk = Disk::open(home)?;
    let mut report = Report::default();
    for revision in (FIRST_REVISION..).take(times as usize) {
        report.beside_s.push(disk.sync()?.as_secs_f64());
        let write = node.store().write_in_sight().map_err(NodeError::from)?;
        write.put_local(&workload.record(CHANGED, revision))?;
        write.commit()?;
        let syncing = Syncing::of(&node, true)?;
        let (synced, took) = timed(|| syncing.run(&mut node, &runtime));
        report.records += synced?.pushed.records;
        report.samples_s.push(took.as_secs_f64());
    }
    Ok(report)
}
