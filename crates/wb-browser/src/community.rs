//! Nodes and hubs of the program `wb`, each a process with a folder and a port of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use crate::held::Held;

/// How a command ends that waits for somebody.
const PENDING: i32 = 3;

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// The program as it is in the work tree now. Tests of another crate are not given its path by cargo, and one
/// that was left from before would be tested in its place.
fn program() -> &'static Path {
    PROGRAM.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args([
                "build", "--locked", "--quiet", "-p", "wb-cli", "--bin", "wb",
            ])
            .args(["--message-format", "json"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo runs");
        assert!(built.status.success(), "the program does not build");
        let lines = String::from_utf8_lossy(&built.stdout).into_owned();
        lines
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find_map(|message| message["executable"].as_str().map(PathBuf::from))
            .expect("cargo says where it is")
    })
}

fn command(home: &Path) -> Command {
    let folder = home.parent().expect("a home is in a folder");
    let mut command = Command::new(program());
    command.env_clear().env("HOME", folder).current_dir(folder);
    command.arg("--home").arg(home);
    command
}

#[track_caller]
fn ok(home: &Path, arguments: &[&str]) -> String {
    ends(home, arguments, 0)
}

#[track_caller]
fn ends(home: &Path, arguments: &[&str], code: i32) -> String {
    let mut command = command(home);
    let ran = command
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    let (out, err) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    assert_eq!(ran.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
    out.trim_end().to_owned()
}

pub(crate) fn member(line: &Value, name: &str) -> String {
    line[name].as_str().unwrap_or_default().to_owned()
}

/// A node that runs.
#[derive(Debug)]
pub struct Node {
    home: PathBuf,
    up: Option<Held>,
    /// Where its pages are.
    pub address: String,
    /// The link under which it can be founded; empty where it is.
    pub setup_link: String,
}

impl Node {
    /// Founds a community in a folder that is named like it, and starts its node.
    #[must_use]
    pub fn found(folder: &Path, name: &str, admin: &str) -> Self {
        let home = folder.join(name);
        let words = format!("{name}-words.txt");
        let arguments = [
            "init",
            "--name",
            name,
            "--admin",
            admin,
            "--words-file",
            &words,
        ];
        ok(&home, &arguments);
        Self::start(home)
    }

    /// Starts a node in an empty folder.
    #[must_use]
    pub fn empty(folder: &Path, name: &str) -> Self {
        Self::start(folder.join(name))
    }

    fn start(home: PathBuf) -> Self {
        let mut node = Self {
            home,
            up: None,
            address: String::new(),
            setup_link: String::new(),
        };
        node.again();
        node
    }

    /// Ends its process and starts it again, on another port.
    pub fn again(&mut self) {
        drop(self.up.take());
        let mut command = command(&self.home);
        command.args(["--json", "up", "--listen", "127.0.0.1:0"]);
        let up = Held::start(&command);
        let line: Value = serde_json::from_str(&up.line("{")).expect("a line of JSON");
        self.address = member(&line, "address");
        self.setup_link = member(&line, "setup_link");
        self.up = Some(up);
    }

    /// Runs a command that must work; gives what it writes.
    #[track_caller]
    pub fn wb(&self, arguments: &[&str]) -> String {
        ok(&self.home, arguments)
    }

    /// The same with `--json`; gives its lines.
    #[track_caller]
    #[must_use]
    pub fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let out = self.wb(&[&["--json"], arguments].concat());
        out.lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }

    /// A page of it.
    #[must_use]
    pub fn page(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// The path of a link with which somebody can log in once.
    #[must_use]
    pub fn login_path(&self, handle: &str) -> String {
        let link = member(&self.json(&["user", "login-link", handle])[0], "link");
        let at = link.find("/login/").expect("a link to log in");
        link[at..].to_owned()
    }

    /// The id of the community.
    #[must_use]
    pub fn id(&self) -> String {
        member(&self.json(&["status"])[0], "id")
    }

    /// Asks a hub that lets in by hand.
    pub fn asks_to_join(&self, hub: &Hub) {
        ends(
            &self.home,
            &["--yes", "hub", "register", &hub.link()],
            PENDING,
        );
    }

    /// Becomes a member of a hub that lets in whoever comes, and follows everybody there.
    pub fn join(&self, hub: &Hub) {
        self.wb(&["--yes", "hub", "register", &hub.link()]);
        self.wb(&["follow", &format!("{}/*", hub.name)]);
    }
}

/// A hub that runs.
#[derive(Debug)]
pub struct Hub {
    home: PathBuf,
    name: String,
    _up: Held,
    /// Where it answers.
    pub address: String,
    id: String,
}

impl Hub {
    /// Founds one and starts it. The policy is `open` or `approval`.
    #[must_use]
    pub fn start(folder: &Path, name: &str, policy: &str) -> Self {
        let home = folder.join(name);
        let words = format!("{name}-words.txt");
        let arguments = [
            "init",
            "--name",
            name,
            "--admin",
            "operator",
            "--words-file",
            &words,
        ];
        ok(&home, &arguments);
        let mut command = command(&home);
        command.args([
            "--json",
            "hub",
            "up",
            "--listen",
            "127.0.0.1:0",
            "--policy",
            policy,
        ]);
        let up = Held::start(&command);
        let line: Value = serde_json::from_str(&up.line("{")).expect("a line of JSON");
        Self {
            home,
            name: name.to_owned(),
            address: member(&line, "address"),
            id: member(&line, "id"),
            _up: up,
        }
    }

    /// The link that it is joined by.
    #[must_use]
    pub fn link(&self) -> String {
        format!("{}#{}", self.address, self.id)
    }

    /// Runs a command in its folder.
    #[track_caller]
    pub fn wb(&self, arguments: &[&str]) -> String {
        ok(&self.home, arguments)
    }
}
