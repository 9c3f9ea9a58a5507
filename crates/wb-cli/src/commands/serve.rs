//! What `wb up` and `wb hub up` share: a runtime, a socket, what stands in front, and an end on Ctrl-C.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;
use tokio::sync::watch;
use wb_net::{Certificate, Front, ServerLimits};
use wb_node::entropy;
use wb_node::service::{AutoBackup, Made, auto_backup};
use wb_node::settings::{FrontSettings, Settings};
use wb_store::InUse;

use super::backup::size;
use crate::context::{Context, tell};
use crate::failure::Failure;
use crate::output::{self, clean};

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

/// What stands in front, with its certificate read.
pub fn front(settings: &FrontSettings) -> Result<Front, Failure> {
    let files = settings.tls.as_ref();
    let tls = files
        .map(|files| Certificate::read(&files.cert, &files.key, entropy::now()))
        .transpose()
        .map_err(|error| Failure {
            message: format!("{error}; nothing was started"),
            kind: wb_node::ErrorKind::Failed,
            hint: Some(
                "the settings tls_cert and tls_key name two files in PEM that belong together, and that this program may read"
                    .to_owned(),
            ),
        })?;
    Ok(Front {
        limits: ServerLimits::default(),
        proxies: Arc::new(settings.behind_proxy.clone()),
        tls,
    })
}

/// The scheme of what is served behind this.
pub fn scheme(front: &Front) -> &'static str {
    match front.tls {
        Some(_) => "https",
        None => "http",
    }
}

/// Reads the certificate again each time the process is told to (`kill -HUP`), for as long as this runs.
#[cfg(unix)]
pub async fn renew(front: Front) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Some(certificate), Ok(mut told)) = (front.tls, signal(SignalKind::hangup())) else {
        return std::future::pending().await;
    };
    while told.recv().await.is_some() {
        match certificate.reload(entropy::now()) {
            Ok(()) => tell(&format!(
                "the certificate was read again; it is valid until {}\n",
                certificate.valid_until()
            )),
            Err(error) => tell(&format!(
                "{error}; the certificate that was read before is still shown\n"
            )),
        }
    }
}

/// Nothing tells a process to read a file again here.
#[cfg(not(unix))]
pub async fn renew(_: Front) {
    std::future::pending().await
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

/// Says that something runs in this folder, for as long as it is held.
pub fn in_use(context: &Context) -> Result<Option<InUse>> {
    let home = context.home();
    if !home.dir().exists() {
        home.create().map_err(wb_node::NodeError::from)?;
    }
    Ok(InUse::share(home).map_err(wb_node::NodeError::from)?)
}

/// Backups that are made by itself while something is served.
pub struct Backups {
    stop: watch::Sender<bool>,
    task: Option<tokio::task::JoinHandle<()>>,
}

impl Backups {
    /// Starts where there is an instance; backups are made where a folder for them is set.
    pub fn start(context: &Context, settings: &Settings) -> Self {
        let (stop, stopping) = watch::channel(false);
        let task = context.home().is_founded().then(|| {
            let auto = AutoBackup {
                home: context.home().clone(),
                dir: settings.backup_dir.clone(),
                every: settings.backup_every,
                keep: settings.backup_keep,
            };
            let quiet = context.quiet();
            tokio::task::spawn_blocking(move || {
                let made = |made: &Made| {
                    if !quiet {
                        let (path, removed) = (clean(&made.backup.path), made.removed.len());
                        let older = output::count(removed as u64, "older one", "older ones");
                        tell(&format!(
                            "backup: {path} ({}), read back; {older} removed\n",
                            size(made.backup.bytes)
                        ));
                    }
                };
                let trouble = |error: &wb_node::NodeError| {
                    let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
                    tell(&format!(
                        "backup: {}{}; older backups are as they were, and it is tried again in an hour\n",
                        clean(&error.to_string()),
                        clean(&hint)
                    ));
                };
                auto_backup(&auto, stopping, &made, &trouble);
            })
        });
        Self { stop, task }
    }

    /// Stops, and waits until what was being written is gone or whole.
    pub async fn end(self) {
        let _ = self.stop.send(true);
        if let Some(task) = self.task {
            let _ = task.await;
        }
    }
}
