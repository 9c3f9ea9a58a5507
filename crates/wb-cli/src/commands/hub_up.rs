//! `wb hub up`

use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;
use tokio::net::TcpListener;
use wb_core::id::Hash;
use wb_core::sync::Policy;
use wb_hub::{Hub, HubInfo, HubStore, Quota, StoreLimits};
use wb_hub_pg::{Address, Heard};
use wb_net::Front;
use wb_net::metrics::MetricsToken;
use wb_node::settings::Settings;
use wb_node::{ErrorKind, Node, NodeError, entropy, service};
use wb_store::Home;
use wb_web::hub::{HubSite, HubSiteConfig, carry};

use super::hub_watch;
use super::init;
use super::serve::{Backups, front, in_use, known_hosts, listen, renew, runtime, scheme, stopped};
use crate::context::{Context, tell};
use crate::failure::Failure;
use crate::hub_store::{self, AnyHub, Opening, StoreArg};
use crate::output::{self, clean};

/// How often old deltas are looked for, and suspensions that have ended.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// A key that another process put in place is noticed this soon.
const LOOK_FOR_KEY_EVERY: Duration = Duration::from_secs(1);
/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Run the hub of this folder until Ctrl-C
#[derive(Debug, Args)]
pub struct Up {
    /// Address and port (default 127.0.0.1:8100; port 0 takes a free one)
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Who may become a member: `approval` (whom you approve, the default), `open` or `invite` (whoever brings a code)
    #[arg(long, value_parser = wb_node::settings::policy, value_name = "POLICY")]
    policy: Option<Policy>,
    /// Forget deltas after so many days; members away for longer take snapshots
    #[arg(long, value_name = "DAYS")]
    keep_days: Option<u32>,
    /// Found the hub's instance with this name when the folder is empty
    #[arg(long)]
    name: Option<String>,
    /// With --name: put the recovery words on a sheet in this new file
    #[arg(long, value_name = "FILE", requires = "name")]
    words_file: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArg,
}

#[derive(Serialize)]
struct Started<'a> {
    schema_version: u32,
    id: String,
    name: &'a str,
    address: String,
    link: String,
    policy: Policy,
    /// Where its data are, where they are not in a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<String>,
}

/// A hub that can be served.
pub struct Prepared {
    hub: Arc<Hub<AnyHub>>,
    store: AnyHub,
    keep_days: Option<u32>,
    pages: HubSiteConfig,
    home: Home,
    /// The identity entry whose key it speaks with.
    key: Hash,
    lock: HubLock,
}

/// Keeps a second hub off the folder whose data are in a file: members that wait at one would not be woken by what
/// arrives at the other. Several that share a database wake each other. It goes with the process. The file says where
/// the hub listens, for links that are printed.
pub(super) struct HubLock {
    file: File,
}

/// The address at which the hub of a folder listens, or listened last.
pub fn last_address(home: &Home) -> Option<SocketAddr> {
    let text = std::fs::read_to_string(lock_path(home)).ok()?;
    text.trim().parse().ok()
}

fn lock_path(home: &Home) -> PathBuf {
    home.dir().join("hub.lock")
}

impl HubLock {
    pub(super) fn take(node: &Node, is_shared: bool) -> Result<Self> {
        let dir = node.store().home().dir();
        let path = lock_path(node.store().home());
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .with_context(|| path.display().to_string())?;
        let locked = if is_shared {
            file.try_lock_shared()
        } else {
            file.try_lock()
        };
        match locked {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(Failure {
                message: format!("the hub of {} is running already", dir.display()),
                kind: ErrorKind::Conflict,
                hint: Some(
                    "`wb hub list` and the other commands work while it runs; stop it to start it anew"
                        .to_owned(),
                ),
            }
            .into()),
            Err(TryLockError::Error(error)) => Err(anyhow::Error::new(error).context(path.display().to_string())),
        }
    }

    /// Notes where the hub listens, as well as it goes: only links that are printed lean on it.
    fn note(&mut self, address: SocketAddr) {
        let _ = self
            .file
            .set_len(0)
            .and_then(|()| writeln!(self.file, "{address}"));
    }
}

/// What the hub of a folder keeps at most.
pub fn store_limits(settings: &Settings) -> StoreLimits {
    StoreLimits {
        member: Quota {
            bytes: settings.hub_member_bytes_max,
            records: settings.hub_member_records_max,
        },
        ..StoreLimits::default()
    }
}

/// Opens a hub's folder.
pub async fn prepare(
    node: &Node,
    address: Option<&Address>,
    policy: Policy,
    keep_days: Option<u32>,
    limits: StoreLimits,
    report: wb_hub::Report,
) -> Result<Prepared> {
    let lock = HubLock::take(node, address.is_some())?;
    let store = hub_store::open(node, address, limits, Opening::Make).await?;
    let info = HubInfo {
        name: node.name().to_owned(),
        identity: node.identity().clone(),
        policy,
    };
    let responder = service::responder(node)?;
    let hub = Hub::new(
        store.clone(),
        responder,
        info,
        Arc::new(entropy::now),
        report,
    );
    hub.serve_metrics_to(MetricsToken::in_folder(node.store().home().dir()));
    let pages = HubSiteConfig {
        home: node.store().home().clone(),
        id: node.own_id(),
        name: node.name().to_owned(),
        since: node.identity().newest().at,
        policy,
        hosts: Vec::new(),
        secure: false,
        moderated: false,
    };
    Ok(Prepared {
        hub,
        store,
        keep_days,
        pages,
        home: node.store().home().clone(),
        key: node.identity().newest().hash,
        lock,
    })
}

impl Prepared {
    /// Serves until `shutdown` is ready: syncing, and pages under the names of this computer and those given.
    pub async fn serve(
        mut self,
        listening: (TcpListener, SocketAddr),
        front: Front,
        hosts: &[String],
        shutdown: impl Future<Output = ()>,
    ) {
        let (listener, address) = listening;
        self.lock.note(address);
        let site = site(&self.store, self.pages, address, hosts, &front);
        let router = wb_web::hub::router(&Arc::new(site), self.hub.router());
        let listening = tokio::spawn(hear(self.store.clone(), Arc::clone(&self.hub)));
        let tidying = tokio::spawn(tidy(self.store, self.keep_days, self.home.clone()));
        let following = tokio::spawn(follow_key(Arc::clone(&self.hub), self.home, self.key));
        let looking = tokio::spawn(Arc::clone(&self.hub).follow_store());
        let renewing = tokio::spawn(renew(front.clone()));
        wb_net::serve_with(listener, router, front, shutdown).await;
        renewing.abort();
        listening.abort();
        tidying.abort();
        following.abort();
        looking.abort();
    }
}

/// The pages. Moderators log in where nobody on the way could read along: over TLS, by a proxy that is named, or at
/// this computer. By which of them a request came is looked at for each.
fn site(
    store: &AnyHub,
    config: HubSiteConfig,
    address: SocketAddr,
    hosts: &[String],
    front: &Front,
) -> HubSite<AnyHub> {
    let has_tls = front.tls.is_some();
    let mut known = known_hosts(address, hosts);
    if has_tls {
        known.extend(
            hosts
                .iter()
                .map(|name| format!("{name}:{}", address.port())),
        );
    }
    let secure = has_tls || !front.proxies.is_empty();
    let config = HubSiteConfig {
        hosts: known,
        secure,
        moderated: secure || address.ip().is_loopback(),
        ..config
    };
    // A page is made on a thread that may block.
    HubSite::new(config, store.clone().in_place())
}

/// Speaks with the key that another process put in place in the same folder.
async fn follow_key(hub: Arc<Hub<AnyHub>>, home: Home, mut known: Hash) {
    let mut every = tokio::time::interval(LOOK_FOR_KEY_EVERY);
    loop {
        every.tick().await;
        let home = home.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let node = Node::open(&home)?;
            let entry = node.identity().newest().hash;
            if known == entry {
                return Ok((entry, None));
            }
            let responder = service::responder(&node)?;
            Ok::<_, NodeError>((entry, Some((responder, node.identity().clone()))))
        });
        match looked.await {
            Ok(Ok((entry, changed))) => {
                if let Some((responder, identity)) = changed {
                    hub.speak_with(responder, identity);
                    tell("hub: its key was changed; it speaks with the new one\n");
                }
                known = entry;
            }
            Ok(Err(error)) => tell(&format!(
                "hub: looking for its key: {error}; it is tried again\n"
            )),
            Err(_) => {}
        }
    }
}

/// Wakes who waits here when something arrives through another process on the same database.
async fn hear(store: AnyHub, hub: Arc<Hub<AnyHub>>) {
    let AnyHub::Postgres(store) = store else {
        return;
    };
    let tell = |heard: Heard| match heard {
        Heard::Of(origins) => origins.iter().for_each(|origin| hub.tell_arrival(origin)),
        Heard::Follows(member) => hub.tell_follows(&member),
        Heard::Something => hub.tell_something(),
    };
    store.listen(tell).await;
}

/// Carries what the hub's own instance said and was not heeded yet: whoever said it may have been interrupted.
async fn carry_own(store: &AnyHub, home: &Home) {
    let (store, home) = (store.clone(), home.clone());
    let carried = tokio::task::spawn_blocking(move || {
        let node = Node::open(&home)?;
        tokio::runtime::Handle::current().block_on(carry(&store, &node, entropy::now()))
    });
    if let Ok(Err(problem)) = carried.await {
        tell(&format!(
            "hub: carrying its own notices: {problem}; it is tried again\n"
        ));
    }
}

/// Forgets what is too old, and lets those back whose suspension has ended.
async fn tidy(store: AnyHub, keep_days: Option<u32>, home: Home) {
    let mut every = tokio::time::interval(TIDY_EVERY);
    loop {
        every.tick().await;
        carry_own(&store, &home).await;
        let now = entropy::now();
        let ended = store.end_suspensions(now).await;
        let forgotten = match keep_days {
            Some(days) => {
                let before = now.plus_ms(-i64::from(days).saturating_mul(DAY_MS));
                store.forget_before(before).await
            }
            None => Ok(0),
        };
        for problem in [ended.err(), forgotten.err()].into_iter().flatten() {
            tell(&format!("hub: tidying: {problem}; it is tried again\n"));
        }
    }
}

/// Runs the hub.
pub fn run(context: &Context, args: &Up) -> Result<()> {
    let settings = context.settings()?;
    found_if_asked(context, args)?;
    let node = context.node()?;
    node.unlock()?;
    let policy = args.policy.unwrap_or(settings.hub_policy);
    let keep_days = args.keep_days.or(settings.hub_keep_days);
    let report = hub_watch::report(settings.hub_log, context.quiet());
    let _in_use = in_use(context)?;
    let store = hub_store::address(context, &args.store)?;
    let mut front = front(&settings.hub_front)?;
    front.limits.connections = hub_watch::make_room(settings.hub_connections_max);
    if front.limits.connections < settings.hub_connections_max {
        context.say(format!(
            "The system lets this process have {} connections, fewer than hub.connections_max ({}): raise its limit of open files.",
            front.limits.connections, settings.hub_connections_max
        ));
    }
    runtime()?.block_on(async {
        let limits = store_limits(&settings);
        let prepared = prepare(&node, store.as_ref(), policy, keep_days, limits, report).await?;
        if settings.hub_cacheable {
            prepared.hub.let_caches_keep();
        }
        if let Some(journal) = hub_watch::journal(settings.hub_log) {
            prepared.hub.tell_calls(journal);
        }
        let (listener, address) = listen(args.listen.unwrap_or(settings.hub_listen)).await?;
        let has_tls = settings.hub_front.is_tls();
        let store = store.as_ref().map(ToString::to_string);
        announce(
            context,
            &node,
            (scheme(&front), address),
            policy,
            has_tls,
            store,
        )?;
        let backups = Backups::start(context, &settings);
        prepared
            .serve((listener, address), front, &settings.hub_hosts, stopped())
            .await;
        backups.end().await;
        context.say("Stopped.");
        Ok(())
    })
}

/// Founds the instance that the hub is, where the folder is empty and a name is given.
fn found_if_asked(context: &Context, args: &Up) -> Result<()> {
    if context.home().is_founded() {
        return Ok(());
    }
    let Some(name) = &args.name else {
        return Err(Failure::usage(
            format!("no instance in {}", context.home().dir().display()),
            "a hub has a name and a key of its own: found it with --name NAME, or name its folder with --home",
        )
        .into());
    };
    init::found(context, name, args.words_file.as_deref())
}

fn announce(
    context: &Context,
    node: &Node,
    at: (&str, SocketAddr),
    policy: Policy,
    has_tls: bool,
    store: Option<String>,
) -> Result<()> {
    let (scheme, address) = at;
    let base = format!("{scheme}://{address}");
    let link = format!("{base}#{}", node.own_id());
    if context.json() {
        return output::json(&Started {
            schema_version: 1,
            id: node.own_id().to_string(),
            name: node.name(),
            address: base,
            link,
            policy,
            store,
        });
    }
    output::line(format!("{}  {}", clean(node.name()), node.own_id()))?;
    output::line(format!("listening   {base}"))?;
    if let Some(store) = store {
        output::line(format!("data        {store}"))?;
    }
    let who = match policy {
        Policy::Open => "whoever registers is a member (--policy open)",
        Policy::Approval => "whoever registers waits until `wb hub approve`",
        Policy::Invite => "whoever brings a code of `wb hub invite create` (--policy invite)",
    };
    output::line(format!("members     {who}"))?;
    output::line(format!("to join     wb join {link}"))?;
    context.say("Open that address in a browser; `wb hub login-link` lets you moderate there.");
    if !address.ip().is_loopback() && !has_tls {
        context.say(
            "This is reachable from other computers without encryption: set hub.tls_cert and hub.tls_key, or put a proxy with \
             TLS in front of it and set hub.behind_proxy to its address.",
        );
    }
    context.say("Ctrl-C stops it.");
    Ok(())
}
