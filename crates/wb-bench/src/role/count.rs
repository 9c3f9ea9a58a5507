//! How many records of others are shown, read as pages read them.

use std::path::Path;

use wb_node::Node;
use wb_store::{Filter, Home};

use super::Report;
use crate::error::Result;

/// Kinds of the work-load.
const KINDS: [&str; 3] = ["user", "request", "comment"];

/// Counts what is shown of others. Rows are read whole, so this is a process of its own.
pub fn count(home: &Path) -> Result<Report> {
    let node = Node::open(&Home::new(home))?;
    let mut records = 0;
    for kind in KINDS {
        let filter = Filter {
            kind: Some(kind.parse().expect("a kind")),
            ..Filter::default()
        };
        let shown = node.store().records(&filter)?;
        let others = shown.iter().filter(|row| row.key.origin != node.own_id());
        records += others.count() as u64;
    }
    Ok(Report {
        records,
        ..Report::default()
    })
}
