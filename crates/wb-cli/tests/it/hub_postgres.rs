//! A hub whose data are in PostgreSQL: two processes of the real program on one database, each with a copy of the hub's
//! folder. Whoever waits at the one hears what came through the other.

use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use wb_core::sync::{ChangesSection, FollowList};
use wb_node::Node;
use wb_node::sync::{Connected, connect};
use wb_store::Home;
use wb_throwaway::{FAST, Server};

use crate::hub_caches::carries_and_takes_back;
use crate::support::hub::{Hub, ask, titles};
use crate::support::instance::{Instance, WB, text};

/// A password that must not be shown anywhere; the server asks for none.
const PASSWORD: &str = "s3cret-word";
/// How often somebody waits, and how often an answer has to come at once: a process that does not hear the other looks
/// again by itself after five seconds, so one in five would.
const ROUNDS: usize = 7;
const AT_ONCE: usize = 5;
/// Less than after how long who waits looks again by itself (20 seconds).
const AT_LAST: Duration = Duration::from_secs(18);

/// How often the database is restarted.
const RESTARTS: usize = 3;
/// How long it is away where that is what is looked at.
const AWAY: Duration = Duration::from_millis(1_500);

/// A database, and two hubs of one instance that share it.
struct Two {
    folder: TempDir,
    server: Server,
    hubs: [Hub; 2],
}

/// An instance whose commands find the address of the database in a file.
fn with_store(folder: &Path, name: &str, file: &Path) -> Instance {
    let mut instance = Instance::at(folder, name, Path::new(WB));
    instance.environment = vec![("WB_STORE_FILE", file.to_owned())];
    instance
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(copied.expect("cp runs").success());
}

fn store_file(folder: &Path, server: &Server) -> PathBuf {
    let file = folder.join("store.txt");
    let url = format!(
        "postgres://bench:{PASSWORD}@127.0.0.1:{}/hub\n",
        server.port()
    );
    std::fs::write(&file, url).expect("a file");
    file
}

impl Two {
    fn start(policy: &'static str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(&FAST).unwrap_or_else(|error| panic!("{error}"));
        server.database("hub").expect("a database");
        let file = store_file(folder.path(), &server);
        let founded = Instance::found(folder.path(), "Harbour", "operator");
        copy(&founded.home, &folder.path().join("Harbour-2"));
        let hubs = ["Harbour", "Harbour-2"].map(|name| {
            let mut hub = Hub::of(with_store(folder.path(), name, &file), policy);
            hub.again();
            hub
        });
        assert_eq!(hubs[0].id(), hubs[1].id(), "one hub");
        Self {
            folder,
            server,
            hubs,
        }
    }

    /// A community that goes by one of the processes.
    fn member(&self, name: &str, hub: usize) -> Instance {
        let member = Instance::found(self.folder.path(), name, "keeper");
        member.ok(&["join", &self.hubs[hub].link(), "--yes"]);
        member
    }
}

/// The hub as a member calls it.
fn client(member: &Instance) -> Connected {
    let node = Node::open(&Home::new(member.home.clone())).expect("a node");
    let peers = node.store().peers().expect("peers");
    connect(&node, &peers[0]).expect("a hub")
}

#[test]
fn who_waits_at_one_process_hears_what_came_through_the_other() {
    let two = Two::start("open");
    let (north, east) = (two.member("North", 0), two.member("East", 1));
    ask(&north, "round 0");
    north.ok(&["sync"]);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut at_once = 0;
    for round in 1..=ROUNDS {
        ask(&north, &format!("round {round}"));
        let mut hub = client(&east);
        let heads = runtime.block_on(hub.heads(None)).expect("heads");
        let since = heads.cursor;
        let waiting = runtime.spawn(async move {
            let body = hub.changes(&since, Duration::from_secs(50), None).await;
            let body = body.expect("an answer");
            let first = body.split(|byte| *byte == b'\n').next().expect("a line");
            ChangesSection::read(first).expect("a section").cursor.n - since.n
        });
        // By the time North has opened its files the other call waits.
        north.ok(&["sync"]);
        let came = runtime.block_on(async {
            let mut waiting = waiting;
            let soon = tokio::time::timeout(Duration::from_secs(1), &mut waiting).await;
            at_once += usize::from(soon.is_ok());
            match soon {
                Ok(came) => came,
                Err(_) => waiting.await,
            }
        });
        assert_eq!(came.expect("it ends"), 1, "one delta");
    }
    assert!(at_once >= AT_ONCE, "{at_once} of {ROUNDS} came at once");
    east.ok(&["sync"]);
    assert_eq!(titles(&east).len(), ROUNDS + 1);
}

/// A member that waits at one process said by another whom it follows now: what comes of those wakes it at once, and not
/// when it would look again by itself.
#[test]
fn who_waits_at_one_process_is_woken_by_whom_it_follows_since_it_said_so_at_the_other() {
    let two = Two::start("open");
    let (north, east) = (two.member("North", 0), two.member("East", 1));
    let mut waits = client(&east);
    goes_by(&east, &two.hubs[0]);
    let mut says = client(&east);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let nobody = FollowList {
        counter: 1_000,
        ..FollowList::default()
    };
    runtime
        .block_on(waits.put_follows(&nobody))
        .expect("it is newer");
    let since = runtime.block_on(waits.heads(None)).expect("heads").cursor;
    // From before it waits, however long what is done meanwhile takes.
    let at_last = tokio::time::Instant::now() + AT_LAST;
    let waiting = runtime.spawn(async move {
        let body = waits.changes(&since, Duration::from_secs(50), None).await;
        let body = body.expect("an answer");
        String::from_utf8_lossy(&body).into_owned()
    });
    let follows = FollowList {
        counter: 1_001,
        follow: vec![north.id().parse().expect("an id")],
        ..FollowList::default()
    };
    // By then the other call waits.
    std::thread::sleep(Duration::from_secs(1));
    runtime
        .block_on(says.put_follows(&follows))
        .expect("it is newer");
    ask(&north, "A ladder");
    north.ok(&["sync"]);
    let soon = runtime.block_on(async { tokio::time::timeout_at(at_last, waiting).await });
    let told = soon.expect("it is woken").expect("it ends");
    assert!(told.contains("A ladder"), "{told}");
}

/// Sends a member by another process from now on.
#[track_caller]
fn goes_by(member: &Instance, hub: &Hub) {
    let database = rusqlite::Connection::open(member.file("wb.db")).expect("a database");
    let changed = database.execute("UPDATE peers SET address = ?1", [hub.address()]);
    assert_eq!(changed, Ok(1));
}

#[test]
fn a_killed_process_and_a_database_that_comes_back_cost_nobody_anything() {
    let mut two = Two::start("open");
    let (north, east) = (two.member("North", 0), two.member("East", 1));
    ask(&north, "before");
    north.ok(&["sync"]);
    two.hubs[0].kill();
    // North goes by the other one now, as a balancer would send it.
    goes_by(&north, &two.hubs[1]);
    ask(&north, "after");
    north.ok(&["sync"]);
    // Every connection is cut at once, as when the database starts anew.
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'hub' AND pid <> pg_backend_pid();";
    two.server.run(cut).expect("it can");
    east.ok(&["sync"]);
    assert_eq!(titles(&east), ["after", "before"]);
    two.hubs[0].again();
    let listed = two.hubs[0].instance.json(&["hub", "list"]);
    assert_eq!(listed.len(), 2);
}

/// A database that is stopped and started while members sync and the operator decides is waited for by everybody.
#[test]
fn a_database_that_restarts_is_waited_for() {
    let two = Two::start("open");
    let (north, east) = (two.member("North", 0), two.member("East", 1));
    std::thread::scope(|scope| {
        let restarted = scope.spawn(|| {
            for _ in 0..RESTARTS {
                two.server
                    .restart()
                    .unwrap_or_else(|error| panic!("{error}"));
            }
        });
        let mut round = 0;
        while !restarted.is_finished() || round < RESTARTS {
            ask(&north, &format!("round {round}"));
            north.ok(&["sync"]);
            two.hubs[0].instance.ok(&["hub", "show", "North"]);
            round += 1;
        }
        east.ok(&["sync"]);
        assert_eq!(titles(&east).len(), round);
    });
}

/// The same where it is away for longer than a call of a member would be repeated for: what the operator asks, by a command
/// that nobody repeats, waits as well.
#[test]
fn a_command_waits_for_a_database_that_is_away() {
    let two = Two::start("open");
    let _north = two.member("North", 0);
    let address = (Ipv4Addr::LOCALHOST, two.server.port());
    for _ in 0..RESTARTS {
        std::thread::scope(|scope| {
            let restarted = scope.spawn(|| {
                two.server
                    .restart_after(AWAY)
                    .unwrap_or_else(|error| panic!("{error}"));
            });
            while TcpStream::connect(address).is_ok() {
                assert!(!restarted.is_finished(), "it was never away");
            }
            two.hubs[0].instance.ok(&["hub", "show", "North"]);
        });
    }
}

#[test]
fn the_operator_decides_at_either_process_and_the_password_is_shown_nowhere() {
    let two = Two::start("approval");
    let north = Instance::found(two.folder.path(), "North", "keeper");
    north.run(&["join", &two.hubs[0].link(), "--yes"]).ends(3);
    let other = &two.hubs[1].instance;
    let approved = other.json(&["hub", "approve", "North"]).remove(0);
    assert_eq!(text(&approved, "standing"), "member");
    north.ok(&["sync"]);
    let shown = two.hubs[0]
        .instance
        .json(&["hub", "show", "North"])
        .remove(0);
    assert_eq!(text(&shown, "standing"), "member");
    assert!(!other.file("hub.db").exists(), "nothing is in the folder");

    // Without the address the folder does not begin a hub of its own.
    let mut bare = Instance::at(two.folder.path(), "Harbour", Path::new(WB));
    let refused = bare.run(&["hub", "list"]).ends(2);
    assert!(
        refused
            .stderr
            .contains("the data of this hub are in postgres://bench@127.0.0.1")
    );
    let mut said = vec![refused.stderr];
    // A file that is named and is not there is no reason to begin anew either.
    bare.environment = vec![("WB_STORE_FILE", two.folder.path().join("nothing"))];
    bare.run(&["hub", "up"]).ends(2);
    // Another hub's database, a port where nobody listens, and what is no address.
    let another = Instance::found(two.folder.path(), "Other", "operator");
    let port = two.server.port();
    for (address, code) in [
        (
            format!("postgres://bench:{PASSWORD}@127.0.0.1:{port}/hub"),
            5,
        ),
        (format!("postgres://bench:{PASSWORD}@127.0.0.1:1/hub"), 1),
        (
            format!("postgres://bench:{PASSWORD}@127.0.0.1:{port}/nothing"),
            1,
        ),
        (format!("mysql://bench:{PASSWORD}@127.0.0.1/hub"), 2),
    ] {
        let run = another.run(&["hub", "up", "--store", &address]).ends(code);
        said.extend([run.stdout, run.stderr]);
    }
    for arguments in [
        &["config", "show"][..],
        &["--json", "config", "show"],
        &["hub", "list"],
    ] {
        let run = two.hubs[0].instance.run(arguments).ends(0);
        assert!(arguments[0] == "hub" || run.stdout.contains("postgres://bench@127.0.0.1"));
        said.extend([run.stdout, run.stderr]);
    }
    let [first, second] = two.hubs;
    for mut hub in [first, second] {
        let (code, told) = hub.process().signal("TERM");
        assert_eq!(code, Some(0));
        said.push(told);
    }
    for told in said {
        assert!(!told.contains(PASSWORD), "{told}");
    }
    // What the members table of the database says is what `wb hub list` said.
    let count = two.server.run_in(
        "hub",
        &["SELECT count(*) FROM members WHERE standing = 'member';"],
    );
    assert_eq!(count.expect("a count").trim(), "1");
}

/// Pages of snapshots are kept as they travel, and kept by caches, as with a file.
#[test]
fn a_cache_carries_what_a_hub_gives_to_many_and_what_is_taken_back_goes_through_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&FAST).unwrap_or_else(|error| panic!("{error}"));
    server.database("hub").expect("a database");
    let file = store_file(folder.path(), &server);
    carries_and_takes_back(&[("WB_STORE_FILE", file)]);
}

#[test]
fn a_newer_program_changed_the_tables() {
    let mut two = Two::start("open");
    let north = two.member("North", 0);
    ask(&north, "before");
    two.server
        .run_in("hub", &["UPDATE hub_schema SET version = 99, needs = 99;"])
        .expect("it can");
    // A process that runs refuses each push and changes nothing; one that starts says who has to upgrade.
    north.run(&["sync"]).ends(6);
    two.hubs[1].kill();
    let refused = two.hubs[1].instance.run(&["hub", "up"]).ends(7);
    assert!(
        refused
            .stderr
            .contains("the program of this process has to be upgraded"),
        "{}",
        refused.stderr
    );
    // One that only adds leaves those that run alone.
    two.server
        .run_in("hub", &["UPDATE hub_schema SET version = 99, needs = 1;"])
        .expect("it can");
    north.ok(&["sync"]);
}
