//! A hub on a free port, as `wb hub up` puts it together.

use std::path::Path;
use std::sync::Arc;

use wb_core::sync::Policy;
use wb_hub::{Hub, HubInfo, HubLimits, HubStore, SqliteHub};
use wb_hub_pg::{Address, Heard, PgHub};
use wb_node::command::init::{Init, init};
use wb_node::{Node, entropy, service};
use wb_store::Home;
use wb_store::relay::Relay;

use super::serve::ENDLESS;
use super::{Report, runtime, serve};
use crate::cli::HubIn;
use crate::error::Result;

/// Serves until the input ends.
pub fn run(input: &HubIn) -> Result<()> {
    let founding = Init {
        name: "Harbour",
        admin: "carol",
        words_file: None,
    };
    let node = init(&Home::new(input.home.as_path()), &founding)?.node;
    match &input.store {
        None => {
            let file = in_file(&node.store().home().dir().join("hub.db"))?;
            let hub = put_together(&node, file)?;
            serve_it(&node, &hub, || {})
        }
        Some(address) => {
            let store = in_postgres(&node, &address.parse()?)?;
            let hub = put_together(&node, store.clone())?;
            serve_it(&node, &hub, || {
                tokio::spawn(hear(store, Arc::clone(&hub)));
            })
        }
    }
}

fn in_file(path: &Path) -> Result<SqliteHub> {
    Ok(SqliteHub::new(Relay::open(path, entropy::log_id())?))
}

/// The connections that make the tables are of a runtime that ends with this.
fn in_postgres(node: &Node, address: &Address) -> Result<PgHub> {
    let first = PgHub::new(address, entropy::log_id())?;
    runtime()?.block_on(first.claim(node.own_id()))?;
    Ok(PgHub::existing(address)?)
}

fn put_together<S: HubStore>(node: &Node, store: S) -> Result<Arc<Hub<S>>> {
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

/// Serves it, with what runs beside it until it ends.
fn serve_it<S: HubStore>(node: &Node, hub: &Arc<Hub<S>>, beside: impl FnOnce()) -> Result<()> {
    serve::serve(|address| {
        beside();
        tokio::spawn(Arc::clone(hub).follow_store());
        let report = Report {
            link: format!("http://{address}#{}", node.own_id()),
            ..Report::default()
        };
        Ok((hub.router(), report))
    })
}

/// Wakes who waits when the database tells of arrivals.
async fn hear(store: PgHub, hub: Arc<Hub<PgHub>>) {
    let tell = |heard: Heard| match heard {
        Heard::Of(origins) => origins.iter().for_each(|origin| hub.tell_arrival(origin)),
        Heard::Follows(member) => hub.tell_follows(&member),
        Heard::Something => hub.tell_something(),
    };
    store.listen(tell).await;
}
