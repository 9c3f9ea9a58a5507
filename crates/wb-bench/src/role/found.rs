//! Founding the publisher, writing its records, sealing them; and changing 100 of them.

use std::collections::BTreeSet;
use std::ops::Range;

use wb_node::command::init::{Init, init};
use wb_node::command::publish::publish;
use wb_node::{Node, NodeError};
use wb_store::{Home, StoreError};

use super::Report;
use crate::cli::{Change, Found};
use crate::clock::timed;
use crate::error::Result;
use crate::limit::lines::packed_bytes;
use crate::limit::sqlite::{put_again, rows};
use crate::workload::{ADDED, Workload, id_of, revised};

/// Records in one transaction while writing.
const TRANSACTION: usize = 10_000;

/// Founds an instance, writes N records and seals them.
pub fn found(input: &Found) -> Result<Report> {
    let founding = Init {
        name: "North",
        admin: "alice",
        words_file: None,
    };
    let mut node = init(&Home::new(&input.home), &founding)?.node;
    let (written, writing) = timed(|| add(&node, 0..input.n));
    written?;
    let actor = node.actor(None)?;
    let (published, sealing) = timed(|| publish(&mut node, &actor));
    let (_, published) = published?;
    Ok(Report {
        id: node.own_id().to_string(),
        wall_s: sealing.as_secs_f64(),
        written_s: writing.as_secs_f64(),
        records: input.n,
        deltas: published.deltas,
        bytes_sealed: published.bytes,
        ..Report::default()
    })
}

/// Adds 80 records to N and revises 20; each time others and again.
pub fn change(input: &Change) -> Result<Report> {
    let node = Node::open(&Home::new(&input.home))?;
    add(&node, added(input))?;
    let revised = revised(input.n, input.nth);
    put(&node, &revised, 2 + input.nth)?;
    Ok(Report {
        records: ADDED + revised.len() as u64,
        ..Report::default()
    })
}

fn added(input: &Change) -> Range<u64> {
    let first = input.n + ADDED * input.nth;
    first..first + ADDED
}

/// Tells how small `zstd -3` makes the lines of a change that was published, and how long a plain SQLite file takes
/// to keep them in one commit.
pub fn changed(input: &Change) -> Result<Report> {
    let indices = added(input).chain(revised(input.n, input.nth));
    let ids: BTreeSet<[u8; 16]> = indices.map(|index| *id_of(index).as_bytes()).collect();
    let mut rows = rows(&input.home)?;
    rows.retain(|row| ids.contains(&row.id));
    let bytes = packed_bytes(rows.iter().map(|row| row.line.as_slice()))?;
    let took = put_again(&input.home, &rows)?;
    Ok(Report {
        bytes,
        records: rows.len() as u64,
        wall_s: took.as_secs_f64(),
        ..Report::default()
    })
}

/// Writes records, and the accounts behind those that are users.
pub fn add(node: &Node, indices: Range<u64>) -> Result<()> {
    let workload = Workload::new(node.own_id());
    // The record first, as when a member is added.
    let all: Vec<u64> = indices.collect();
    put(node, &all, 1)?;
    let accounts = all.iter().filter_map(|index| workload.account(*index));
    node.store()
        .private()
        .together(|private| -> std::result::Result<(), StoreError> {
            for account in accounts {
                private.put_account(&account)?;
            }
            Ok(())
        })?;
    Ok(())
}

fn put(node: &Node, indices: &[u64], revision: u64) -> Result<()> {
    let workload = Workload::new(node.own_id());
    for some in indices.chunks(TRANSACTION) {
        let write = node.store().write_in_sight().map_err(NodeError::from)?;
        for index in some {
            write.put_local(&workload.record(*index, revision))?;
        }
        write.commit()?;
    }
    Ok(())
}
