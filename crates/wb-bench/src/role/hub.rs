//! A hub on a free port, as `wb hub up` puts it together.

use std::path::Path;
use std::sync::Arc;

use wb_core::sync::Policy;
use wb_hub::{Hub, HubInfo, HubLimits, SqliteHub};
use wb_node::command::init::{Init, init};
use wb_node::{Node, entropy, service};
use wb_store::Home;
use wb_store::relay::Relay;

use super::serve::ENDLESS;
use super::{Report, serve};
use crate::error::Result;

/// Serves until the input ends.
pub fn run(home: &Path) -> Result<()> {
    let founding = Init {
        name: "Harbour",
        admin: "carol",
        words_file: None,
    };
    let node = init(&Home::new(home), &founding)?.node;
    let hub = put_together(&node)?;
    serve::serve(|address| {
        let report = Report {
            link: format!("http://{address}#{}", node.own_id()),
            ..Report::default()
        };
        Ok((hub.router(), report))
    })
}

fn put_together(node: &Node) -> Result<Arc<Hub<SqliteHub>>> {
    let path = node.store().home().dir().join("hub.db");
    let store = SqliteHub::new(Relay::open(&path, entropy::log_id())?);
    let info = HubInfo {
        name: node.name().to_owned(),
        identity: node.identity().clone(),
        policy: Policy::Open,
    };
    let report: wb_hub::Report = Arc::new(|text| eprintln!("hub: {text}"));
    // All members come from this machine, and at once: the limits on that are lifted.
    let limits = HubLimits {
        member: ENDLESS,
        address: ENDLESS,
        new_per_address: ENDLESS,
        new: ENDLESS,
        ..HubLimits::default()
    };
    Ok(Hub::with_limits(
        store,
        service::responder(node)?,
        info,
        Arc::new(entropy::now),
        report,
        limits,
    ))
}
