//! Many small instances: each is founded, writes a few records, registers at the hub and pushes. Their folders are
//! removed at once: nobody asks them again.

use wb_node::Node;
use wb_node::command::hub_register::{Asking, find_hub, hub_register, split_link};
use wb_node::command::init::{Init, init};
use wb_store::Home;

use super::sync::Syncing;
use super::{Report, found, runtime};
use crate::cli::Crowd;
use crate::error::Result;
use crate::folder;

/// Records of each.
pub const EACH: u64 = 10;

/// Founds them one after the other; tells their ids, with commas between.
pub fn crowd(input: &Crowd) -> Result<Report> {
    let runtime = runtime()?;
    let (address, id) = split_link(&input.hub)?;
    let mut ids = Vec::new();
    for nth in 0..input.n {
        let home = input.home.join(nth.to_string());
        let founding = Init {
            name: &format!("Village {nth}"),
            admin: "alice",
            words_file: None,
        };
        let mut node: Node = init(&Home::new(&home), &founding)?.node;
        found::add(&node, 0..EACH)?;
        let actor = node.actor(None)?;
        runtime.block_on(async {
            let found = find_hub(address, false, id).await?;
            hub_register(&mut node, &actor, &found, &Asking::default()).await
        })?;
        Syncing::of(&node, true)?.run(&mut node, &runtime)?;
        ids.push(node.own_id().to_string());
        drop(node);
        folder::remove(&home)?;
    }
    Ok(Report {
        id: ids.join(","),
        records: input.n * EACH,
        ..Report::default()
    })
}
