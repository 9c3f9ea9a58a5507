//! Who is there: three instances, a hub behind a caching proxy, a registered stranger and one that nobody knows.
//!
//! Members reach the hub through `front`, the proxy reaches it through `back`, and who calls North's node goes through
//! `direct`: everything between two processes passes a recorder.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::proxy::Proxy;
use crate::support::instance::{Instance, WB, text};
use crate::support::process::Up;
use crate::support::wire::recorder::Recorder;

/// Whoever has it may read the metrics.
pub const METRICS_TOKEN: &str = "a-token-for-the-metrics";

/// A program that stays up, and where it answers.
pub struct Served {
    pub up: Up,
    pub port: u16,
}

pub struct World {
    pub proxy: Proxy,
    pub front: Recorder,
    pub back: Recorder,
    pub direct: Recorder,
    pub hub: Instance,
    pub hub_id: String,
    pub north: Instance,
    pub east: Instance,
    pub south: Instance,
    /// Registered at the hub, in no audience.
    pub crow: Instance,
    /// Registered nowhere.
    pub fox: Instance,
    /// The programs that stay up: of the hub, North, East and South.
    pub served: Vec<Served>,
    /// What programs wrote that are not up any more.
    pub said: Vec<String>,
    pub folder: TempDir,
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

impl World {
    /// Everybody is founded and registered, and follows everybody.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["tmp", "stick", "carried", "backups", "scratch"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        let (proxy_port, hub_port, north_port) = (free_port(), free_port(), free_port());
        let front = Recorder::before(proxy_port);
        let back = Recorder::before(hub_port);
        let direct = Recorder::before(north_port);
        let hub = found(folder.path(), "Harbour", "WB_HUB_HOSTS", front.port());
        let north = found(folder.path(), "North", "WB_NODE_HOSTS", direct.port());
        let [east, south, crow, fox] = ["East", "South", "Crow", "Fox"]
            .map(|name| found(folder.path(), name, "WB_NODE_HOSTS", 1));
        let mut world = Self {
            proxy: Proxy::start(folder.path(), proxy_port, back.port()),
            front,
            back,
            direct,
            hub_id: hub.id(),
            hub,
            north,
            east,
            south,
            crow,
            fox,
            served: Vec::new(),
            said: Vec::new(),
            folder,
        };
        let policy = ["--policy", "open"];
        let hub = serve(&world.hub, &["hub", "up"], hub_port, &policy);
        world.served.push(hub);
        let link = format!("http://127.0.0.1:{}#{}", world.front.port(), world.hub_id);
        for one in world.members() {
            one.ok(&["join", &link, "--yes"]);
            one.ok(&["sync"]);
        }
        for one in world.members() {
            for other in world.members() {
                if one.home != other.home {
                    one.ok(&["follow", &other.id(), "--yes"]);
                }
            }
            one.ok(&["sync"]);
        }
        for (instance, port) in [
            (&world.north, north_port),
            (&world.east, 0),
            (&world.south, 0),
        ] {
            let token = instance.file("metrics.token");
            std::fs::write(token, METRICS_TOKEN).expect("a file");
            let node = serve(instance, &["up"], port, &[]);
            world.served.push(node);
        }
        world
    }

    /// Everybody who is a member of the hub.
    pub fn members(&self) -> [&Instance; 4] {
        [&self.north, &self.east, &self.south, &self.crow]
    }

    /// Everybody says and hears everything there is to say.
    pub fn sync_all(&self) {
        for _ in 0..2 {
            for one in self.members() {
                one.run(&["sync"]).ends(0);
            }
        }
    }

    /// South's computer is switched off.
    pub fn south_goes_away(&mut self) {
        let mut south = self.served.pop().expect("it runs");
        south.up.end_it();
        self.said.push(south.up.said());
    }

    /// It is back.
    pub fn south_returns(&mut self) {
        let south = serve(&self.south, &["up"], 0, &[]);
        self.served.push(south);
    }

    /// The port of the pages of North's node, past the recorder: what a member's own browser sees is that member's.
    pub fn north_port(&self) -> u16 {
        self.served[1].port
    }

    /// A folder of the world.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same as a text.
    pub fn place(&self, name: &str) -> String {
        self.path(name)
            .to_str()
            .expect("a path in UTF-8")
            .to_owned()
    }
}

/// Founds an instance that also answers under a port of a recorder, and leaves its temporary files in the world.
fn found(folder: &Path, name: &str, hosts: &'static str, port: u16) -> Instance {
    let mut instance = Instance::at(folder, name, Path::new(WB));
    instance.environment = vec![
        (hosts, format!("127.0.0.1:{port}").into()),
        ("TMPDIR", folder.join("tmp")),
        ("RUST_LOG", "trace".into()),
    ];
    let words = format!("{name}-words.txt");
    let arguments = [
        "init",
        "--name",
        name,
        "--admin",
        "keeper",
        "--words-file",
        &words,
    ];
    instance.ok(&arguments);
    instance
}

/// Starts a program that stays up, at its most talkative.
fn serve(instance: &Instance, command: &[&str], port: u16, more: &[&str]) -> Served {
    let at = format!("127.0.0.1:{port}");
    let arguments = [&["--json", "--verbose"], command, &["--listen", &at], more].concat();
    let up = Up::start(&mut instance.command(&arguments));
    let started: Value = serde_json::from_str(&up.line("{")).expect("a line of JSON");
    let port = text(&started, "address")
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok());
    Served {
        up,
        port: port.expect("a port"),
    }
}
