//! A process that serves until its input ends.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use wb_net::ServerLimits;
use wb_net::rates::Rate;

use super::{Report, tell, wait_for_the_end};
use crate::error::{BenchError, Result};

/// Threads stay, so that the CPU time they used is still counted when it is read.
const THREADS_STAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Threads that serve, as `wb up` and `wb hub up` have them.
const WORKER_THREADS: usize = 2;

/// Connections at once, as a hub has them by default.
const CONNECTIONS: usize = 8_192;

/// Nothing is ever refused for coming too often.
pub const ENDLESS: Rate = Rate {
    burst: 1_000_000,
    every_ms: 1,
};

/// Serves what `prepare` makes for an address, on a free port, and says so.
pub fn serve(prepare: impl FnOnce(SocketAddr) -> Result<(Router, Report)>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
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
        let (router, report) = prepare(address)?;
        tell(&report);
        let limits = ServerLimits {
            connections: CONNECTIONS,
            ..ServerLimits::default()
        };
        wb_net::serve(listener, router, limits, async {
            let _ = stopped.await;
        })
        .await;
        Ok(())
    })
}
