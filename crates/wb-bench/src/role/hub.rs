//! A hub on a free port, as `wb hub up` puts it together.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use wb_core::sync::Policy;
use wb_hub::{Hub, HubInfo, SqliteHub};
use wb_net::ServerLimits;
use wb_node::command::init::{Init, init};
use wb_node::{Node, entropy, service};
use wb_store::Home;
use wb_store::relay::Relay;

use super::{Report, tell, wait_for_the_end};
use crate::error::{BenchError, Result};

/// Threads stay, so that the CPU time they used is still counted when it is read.
const THREADS_STAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Serves until the input ends.
pub fn serve(home: &Path) -> Result<()> {
    let founding = Init {
        name: "Harbour",
        admin: "carol",
        words_file: None,
    };
    let node = init(&Home::new(home), &founding)?.node;
    let hub = put_together(&node)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_keep_alive(THREADS_STAY)
        .enable_all()
        .build()
        .map_err(BenchError::io("starting the runtime"))?;
    let (stop, stopped) = oneshot::channel();
    std::thread::spawn(move || {
        wait_for_the_end();
        // Nobody waits any more when serving ended by itself.
        let _ = stop.send(());
    });
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.map_err(BenchError::io("opening a port"))?;
        let address = listener
            .local_addr()
            .map_err(BenchError::io("opening a port"))?;
        tell(&Report {
            link: format!("http://{address}#{}", node.own_id()),
            ..Report::default()
        });
        wb_net::serve(listener, hub.router(), ServerLimits::default(), async {
            let _ = stopped.await;
        })
        .await;
        Ok(())
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
    Ok(Hub::new(
        store,
        service::responder(node)?,
        info,
        Arc::new(entropy::now),
        report,
    ))
}
