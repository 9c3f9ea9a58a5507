//! What `wb up` and `wb hub up` share: a runtime, a socket, and an end on Ctrl-C.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;

use crate::failure::Failure;

/// Threads that serve: answers are short, and what blocks has threads of its own.
const WORKER_THREADS: usize = 2;

/// Makes the runtime of a program that stays up.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .enable_all()
        .build()
        .context("starting the threads that serve")
}

/// Listens; port 0 takes a free one.
pub async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                "another program listens there; name another port with --listen, or 127.0.0.1:0 for a free one"
            }
            std::io::ErrorKind::PermissionDenied => {
                "ports below 1024 need rights; name another with --listen"
            }
            _ => "name an address of this computer with --listen",
        };
        Failure {
            message: format!("cannot listen at {address}: {error}"),
            kind: wb_node::ErrorKind::Failed,
            hint: Some(hint.to_owned()),
        }
    })?;
    let local = listener
        .local_addr()
        .context("asking for the own address")?;
    Ok((listener, local))
}

/// The names under which pages may be asked for: this computer's own, and those that are set.
pub fn known_hosts(address: SocketAddr, set: &[String]) -> Vec<String> {
    let port = address.port();
    let mut hosts = vec![
        address.to_string(),
        format!("localhost:{port}"),
        format!("127.0.0.1:{port}"),
    ];
    hosts.extend(set.iter().cloned());
    hosts
}

/// Waits for Ctrl-C, or for whoever runs services to say stop.
pub async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
