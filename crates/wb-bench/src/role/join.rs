//! Becoming a member of the hub, and following.

use std::collections::BTreeSet;

use wb_core::id::InstanceId;
use wb_node::Node;
use wb_node::command::follow::accept_all;
use wb_node::command::hub_register::{Asking, find_hub, hub_register, split_link};
use wb_node::command::init::{Init, init};
use wb_store::Home;

use super::{Report, runtime};
use crate::cli::Join;
use crate::error::Result;

/// Registers the instance of a folder. A follower is founded first, and follows everybody from then on.
pub fn join(input: &Join) -> Result<Report> {
    let home = Home::new(&input.home);
    let mut node = match input.follow.as_slice() {
        [] => Node::open(&home)?,
        _ => {
            let founding = Init {
                name: "South",
                admin: "bob",
                words_file: None,
            };
            init(&home, &founding)?.node
        }
    };
    let actor = node.actor(None)?;
    let (address, id) = split_link(&input.hub)?;
    let peer = runtime()?.block_on(async {
        let found = find_hub(address, false, id).await?;
        hub_register(&mut node, &actor, &found, &Asking::default()).await
    })?;
    let follow: BTreeSet<InstanceId> = input.follow.iter().copied().collect();
    if !follow.is_empty() {
        accept_all(&mut node, &actor, peer, &follow)?;
    }
    Ok(Report {
        id: node.own_id().to_string(),
        ..Report::default()
    })
}
