//! A hub whose data are in PostgreSQL, as three processes behind a balancer, of which one is killed and started again now
//! and then. With `WB_TEST_HUB=postgres` every hub that the tests start is one, and they know nothing of it.
//!
//! All of them have a database of their own in one server, which is restarted once while they run. What cannot
//! be tried like that is in [`super::left_out`].

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use data_encoding::HEXLOWER;
use serde_json::Value;
use wb_throwaway::{FAST, Server};

use super::balancer::Balancer;
use super::chance::Chance;
use super::database::LiveLine;
use super::instance::Instance;
use super::process::Up;

/// What says that hubs are like that.
const WANTED: (&str, &str) = ("WB_TEST_HUB", "postgres");
/// Names the file with the address of the database.
pub const STORE_FILE: &str = "WB_STORE_FILE";
/// Processes of one hub.
const PROCESSES: usize = 3;
/// How long all of them run before one is killed, at least and at most, and how long that one is away.
const RUNS_MS: (usize, usize) = (500, 3_500);
const AWAY: Duration = Duration::from_millis(300);
/// When the server is restarted, after it was first asked for.
const RESTARTED_AFTER: Duration = Duration::from_secs(20);

/// Whether hubs are like that in this run.
pub fn is_wanted() -> bool {
    std::env::var(WANTED.0).is_ok_and(|wanted| wanted == WANTED.1)
}

static SERVER: OnceLock<Server> = OnceLock::new();
static MADE: AtomicU32 = AtomicU32::new(0);
/// A server makes one database at a time, and answers nothing while it is restarted.
static ASKING: Mutex<()> = Mutex::new(());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The server of this run; it ends with the process of the tests.
fn server() -> &'static Server {
    SERVER.get_or_init(|| {
        let server = Server::start(&FAST).unwrap_or_else(|error| panic!("{error}"));
        std::thread::spawn(|| {
            std::thread::sleep(RESTARTED_AFTER);
            let _turn = lock(&ASKING);
            if let Some(server) = SERVER.get() {
                println!("the database is restarted");
                server.restart().unwrap_or_else(|error| panic!("{error}"));
            }
        });
        server
    })
}

/// Gives a hub's instance a database, unless it has one.
pub fn give_database(instance: &mut Instance) {
    if store_file(instance).is_some() {
        return;
    }
    let number = MADE.fetch_add(1, Ordering::SeqCst) + 1;
    let server = server();
    let url = {
        let _turn = lock(&ASKING);
        server.database(&format!("hub_{number}"))
    };
    let file = instance.home.with_extension("store");
    std::fs::write(&file, url.expect("a database")).expect("a file");
    instance.environment.push((STORE_FILE, file));
}

fn store_file(instance: &Instance) -> Option<&Path> {
    let mut environment = instance.environment.iter();
    let found = environment.find(|(name, _)| *name == STORE_FILE);
    found.map(|(_, file)| file.as_path())
}

/// The name of the database of a hub of this run.
pub fn database_of(instance: &Instance) -> Option<String> {
    let url = std::fs::read_to_string(store_file(instance)?).ok()?;
    url.trim().rsplit('/').next().map(str::to_owned)
}

/// What a query of the database of a hub gives, column after column.
#[track_caller]
pub fn ask_database(name: &str, sql: &[&str]) -> String {
    let server = server();
    let _turn = lock(&ASKING);
    let answer = server.run_in(name, sql);
    answer.unwrap_or_else(|error| panic!("{sql:?}: {error}"))
}

/// A number that a query of the database of a hub gives.
#[track_caller]
pub fn number(name: &str, sql: &str) -> i64 {
    let said = ask_database(name, &[sql]);
    said.trim().parse().expect("a number")
}

/// The live lines of an origin in the database of a hub.
#[track_caller]
pub fn live_lines(name: &str, origin: &str) -> BTreeSet<LiveLine> {
    let sql = format!(
        "SELECT encode(m.id, 'hex'), encode(l.id, 'hex'), encode(l.line_hash, 'hex'), encode(l.line, 'hex')
         FROM lines l JOIN members m USING (instance_no) WHERE l.live = 1 AND encode(m.id, 'hex') = '{origin}'"
    );
    let rows = ask_database(name, &[&sql]);
    let row = |line: &str| {
        let mut cells = line.split('|').map(str::to_owned);
        let mut cell = || cells.next().expect("four columns");
        let (of, id, hash) = (cell(), cell(), cell());
        let line = HEXLOWER.decode(cell().as_bytes()).expect("hex");
        (of, id, hash, line)
    };
    rows.lines().map(row).collect()
}

/// Everything that is in the database of a hub, row by row; bytes as the text that they are.
pub fn rows_of(instance: &Instance) -> Option<Vec<u8>> {
    let name = database_of(instance)?;
    let tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
    let mut all = String::new();
    for table in ask_database(&name, &[tables]).lines() {
        let rows = format!("SELECT t::text FROM {table} t");
        all.push_str(&ask_database(
            &name,
            &["SET bytea_output = 'escape'", &rows],
        ));
    }
    Some(all.into_bytes())
}

/// The processes of a hub, behind a balancer.
pub struct Several {
    balancer: Balancer,
    shared: Arc<Shared>,
    /// Dropped, it ends the disturbing.
    calm: Option<Sender<()>>,
    disturbing: Option<JoinHandle<()>>,
}

struct Shared {
    instance: Instance,
    policy: &'static str,
    hosts: String,
    ports: Vec<u16>,
    ups: Mutex<Vec<Option<Up>>>,
    /// Set while none may be killed or started.
    is_still: AtomicBool,
}

impl Several {
    /// Starts all behind a balancer at a place; gives what the first said.
    #[track_caller]
    pub fn start(instance: &Instance, policy: &'static str, place: &str) -> (Self, Value) {
        let ports: Vec<u16> = (0..PROCESSES).map(|_| free_port()).collect();
        let balancer = Balancer::start(place, ports.clone());
        let shared = Arc::new(Shared {
            instance: instance.clone(),
            policy,
            hosts: format!("127.0.0.1:{}", balancer.port()),
            ports,
            ups: Mutex::default(),
            is_still: AtomicBool::new(false),
        });
        let ups: Vec<Up> = shared
            .ports
            .iter()
            .map(|port| shared.begin(*port))
            .collect();
        let said: Vec<String> = ups.iter().map(|up| up.line("{")).collect();
        *lock(&shared.ups) = ups.into_iter().map(Some).collect();
        let mut started: Value = serde_json::from_str(&said[0]).expect("a line of JSON");
        started["address"] = format!("http://{}", shared.hosts).into();
        let (calm, calmed) = channel();
        let disturbed = Arc::clone(&shared);
        let disturbing = std::thread::spawn(move || disturbed.disturb(&calmed));
        let several = Self {
            balancer,
            shared,
            calm: Some(calm),
            disturbing: Some(disturbing),
        };
        (several, started)
    }

    /// Sends each process a signal. Those that are stopped are left alone until they go on.
    #[track_caller]
    pub fn send(&self, signal: &str) {
        let ups = lock(&self.shared.ups);
        self.shared
            .is_still
            .store(signal == "STOP", Ordering::SeqCst);
        for up in ups.iter().flatten() {
            up.send(signal);
        }
    }
}

impl Drop for Several {
    /// Nobody answers any more, and whoever connects is refused.
    fn drop(&mut self) {
        drop(self.calm.take());
        let disturbed = self.disturbing.take().map(JoinHandle::join);
        lock(&self.shared.ups).clear();
        let failed = disturbed.is_some_and(|ended| ended.is_err());
        assert!(
            !failed || std::thread::panicking(),
            "a process that was killed did not start again; port {}",
            self.balancer.port()
        );
    }
}

impl Shared {
    fn begin(&self, port: u16) -> Up {
        let place = format!("127.0.0.1:{port}");
        let arguments = ["--json", "hub", "up", "--listen", &place];
        let policy = ["--policy", self.policy];
        let mut command: Command = self.instance.command(&[&arguments[..], &policy].concat());
        Up::start(command.env("WB_HUB_HOSTS", &self.hosts))
    }

    /// Kills one now and then, and starts it again.
    fn disturb(&self, calmed: &Receiver<()>) {
        let mut chance = Chance::announced("which process is killed when");
        let rests = |chance: &mut Chance| {
            let ms = RUNS_MS.0 + chance.below(RUNS_MS.1 - RUNS_MS.0);
            calmed.recv_timeout(Duration::from_millis(ms as u64))
        };
        while rests(&mut chance) == Err(RecvTimeoutError::Timeout) {
            let mut ups = lock(&self.ups);
            if self.is_still.load(Ordering::SeqCst) {
                continue;
            }
            let nth = chance.below(PROCESSES);
            // Dropped, it is killed.
            ups[nth] = None;
            std::thread::sleep(AWAY);
            let again = catch_unwind(AssertUnwindSafe(|| {
                let up = self.begin(self.ports[nth]);
                up.line("{");
                up
            }));
            match again {
                Ok(up) => ups[nth] = Some(up),
                // A test that is over removes its folder before its hub, where it holds them in that order.
                Err(_) if !self.instance.home.exists() => return,
                Err(failed) => resume_unwind(failed),
            }
        }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("it is bound").port()
}
