//! A hub under the load of many communities: registered ones, some of whom wait for news, and pushes one after the
//! other as fast as the hub takes them.
//!
//! The hub is a process of its own, put together as `wb hub up` does it, with its data in a file or in a PostgreSQL
//! server of this run; all communities are this process. Each has a key and a connection of its own; what they push is
//! sealed here, and what arrives is looked at here, so both are part of what the machine has to do.

mod database;
mod member;
mod pushing;
mod sent;
mod waiting;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::Instant;
use wb_net::{Base, HubClient};
use wb_node::command::hub_register::{find_hub, split_link};

use crate::child::Running;
use crate::cli::{Keeps, Many};
use crate::error::{BenchError, Result};
use crate::folder::text;
use crate::load::within;
use crate::machine::Machine;
use crate::number::grouped;
use crate::usage::{Usage, now_kib};
use crate::words::Writer as Author;
use database::Database;
use member::{Member, Place};
use sent::Sent;

/// Registrations and first pushes at once, while nothing is measured.
const AT_ONCE: usize = 16;
/// Records of one delta of what is stored before.
const STORED_AT_ONCE: u64 = 500;
/// How long those who wait have to begin, and what is on its way to arrive once nothing more is pushed.
const SETTLING: Duration = Duration::from_secs(60);
/// How long a process rests before its memory is looked at.
const REST: Duration = Duration::from_secs(3);

/// What came of a load.
struct Load {
    pushes: u64,
    seconds: f64,
    /// Milliseconds from when a push was begun to when a follower had it, the shortest first.
    delivered_ms: Vec<f64>,
    missing: u64,
    hub: Usage,
    /// Seconds of CPU of the database, where there is one.
    database_cpu_s: Option<f64>,
    own: Usage,
    kib_waiting: f64,
}

/// A hub with nothing in it, and what its data are in. They end in this order.
struct Loaded {
    hub: Running,
    link: String,
    database: Option<Database>,
    _folder: TempDir,
}

/// Loads a hub, and prints a table with one line for each place of its data and number of stored records.
pub fn many(input: &Many, dir: Option<&Path>) -> Result<()> {
    let before = Machine::now();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(BenchError::io("starting the runtime"))?;
    println!("Begun {before}.\n");
    println!(
        "| store | records stored | members | waiting | pushes/s | deliveries/s | p50 ms | p99 ms | missing | hub CPU ms a push | database CPU ms a push | hub peak MiB | KiB a waiting follower | CPU of the communities, s |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for stored in &input.stored {
        for keeps in &input.store {
            let loaded = Loaded::start(*keeps, dir)?;
            let load = load(&runtime, input, *stored, &loaded)?;
            loaded.hub.end()?;
            println!("{}", line(input, *keeps, *stored, &load));
        }
    }
    println!("\nEnded {}.", Machine::now());
    Ok(())
}

fn line(input: &Many, keeps: Keeps, stored: u64, load: &Load) -> String {
    let per_second = |n: u64| n as f64 / load.seconds;
    let a_push_ms = |seconds: f64| seconds * 1_000.0 / load.pushes.max(1) as f64;
    let database = load.database_cpu_s.map(a_push_ms);
    format!(
        "| {} | {} | {} | {} | {:.1} | {:.1} | {:.1} | {:.1} | {} | {:.2} | {} | {:.1} | {:.1} | {:.1} |",
        match keeps {
            Keeps::File => "file",
            Keeps::Postgres => "PostgreSQL",
        },
        grouped(stored as f64),
        grouped(input.members as f64),
        grouped(input.waiting as f64),
        per_second(load.pushes),
        per_second(load.delivered_ms.len() as u64),
        within(&load.delivered_ms, 0.5),
        within(&load.delivered_ms, 0.99),
        load.missing,
        a_push_ms(load.hub.cpu_s),
        database.map_or("-".to_owned(), |ms| format!("{ms:.2}")),
        load.hub.peak_kib as f64 / 1_024.0,
        load.kib_waiting,
        load.own.cpu_s,
    )
}

fn folder(dir: Option<&Path>) -> Result<TempDir> {
    let made = match dir {
        Some(dir) => tempfile::tempdir_in(dir),
        None => tempfile::tempdir(),
    };
    made.map_err(BenchError::io("making a folder"))
}

impl Loaded {
    fn start(keeps: Keeps, dir: Option<&Path>) -> Result<Self> {
        let own = folder(dir)?;
        let home = own.path().join("hub");
        let database = match keeps {
            Keeps::File => None,
            Keeps::Postgres => Some(Database::start(folder(dir)?)?),
        };
        let mut arguments = vec!["hub", "--home", text(&home)?];
        if let Some(database) = &database {
            arguments.extend(["--store", database.address.as_str()]);
        }
        let (hub, says) = Running::start(&arguments)?;
        Ok(Self {
            hub,
            link: says.link,
            database,
            _folder: own,
        })
    }

    fn database_cpu_s(&self) -> Result<Option<f64>> {
        let used = self.database.as_ref().map(Database::cpu_s);
        used.transpose()
    }
}

fn load(runtime: &Runtime, input: &Many, stored: u64, loaded: &Loaded) -> Result<Load> {
    let hub = &loaded.hub;
    runtime.block_on(async {
        let place = Arc::new(find(&loaded.link).await?);
        let members = register(&place, input.members, stored).await?;
        tokio::time::sleep(REST).await;
        let alone = now_kib(hub.pid())?;
        let sent = Arc::new(Sent::default());
        let waiting = waiting::start(&place, &members, input, &sent).await?;
        let seen = tokio::time::timeout(SETTLING, waiting.all_wait()).await;
        seen.map_err(|_| BenchError::Wrong("those who should wait did not begin to".to_owned()))?;
        tokio::time::sleep(REST).await;
        let with_all = now_kib(hub.pid())?;
        let (hub_before, own_before) = (hub.usage()?, Usage::of(std::process::id())?);
        let database_before = loaded.database_cpu_s()?;
        let begun = Instant::now();
        let length = Duration::from_secs(input.seconds);
        let pushes = pushing::push(members, input, &sent, begun + length).await?;
        let seconds = begun.elapsed().as_secs_f64();
        let (hub_used, own) = (
            hub.usage()?.since(hub_before),
            Usage::of(std::process::id())?.since(own_before),
        );
        let database_after = loaded.database_cpu_s()?;
        let missing = sent.all_there(SETTLING).await;
        waiting.end();
        let mut delivered_ms = sent.take_delivered();
        delivered_ms.sort_by(f64::total_cmp);
        Ok::<_, BenchError>(Load {
            pushes,
            seconds,
            delivered_ms,
            missing,
            hub: hub_used,
            database_cpu_s: database_after.zip(database_before).map(|(b, a)| b - a),
            own,
            kib_waiting: with_all.saturating_sub(alone) as f64 / input.waiting.max(1) as f64,
        })
    })
}

async fn find(link: &str) -> Result<Place> {
    let (address, id) = split_link(link)?;
    let found = find_hub(address, true, id).await?;
    let base = Base::parse(&found.address).map_err(|error| BenchError::Wrong(error.to_string()))?;
    Ok(Place {
        base,
        identity: found.identified.identity,
    })
}

/// A community that is registered, with the connection by which it pushes.
pub struct Registered {
    member: Member,
    client: HubClient,
}

/// Registers all, and lets each push its part of what is stored.
async fn register(place: &Arc<Place>, count: u64, stored: u64) -> Result<Vec<Registered>> {
    let author = Arc::new(Author::default());
    let mut all = Vec::new();
    let mut running = JoinSet::new();
    for nth in 0..count {
        if running.len() >= AT_ONCE {
            all.push(joined(running.join_next().await)?);
        }
        let (place, author) = (Arc::clone(place), Arc::clone(&author));
        let mut own = stored / count + u64::from(nth < stored % count);
        running.spawn(async move {
            let mut member = Member::new(nth)?;
            let mut client = member.client(&place);
            let registration = member.registration();
            client.register(&registration).await?;
            while own > 0 {
                let part = own.min(STORED_AT_ONCE);
                let sealed = member.seal(part, &author)?;
                client.push(sealed.body).await?;
                own -= part;
            }
            Ok::<_, BenchError>(Registered { member, client })
        });
    }
    while let Some(one) = running.join_next().await {
        all.push(joined(Some(one))?);
    }
    Ok(all)
}

fn joined<T>(one: Option<std::result::Result<Result<T>, tokio::task::JoinError>>) -> Result<T> {
    one.expect("one runs")
        .map_err(|error| BenchError::Wrong(error.to_string()))?
}
