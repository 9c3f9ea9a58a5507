//! A hub of the real program, and communities that go by it.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::database::{self, LiveLine, live_lines_in};
use super::instance::{Instance, WB, text};
use super::process::Up;
use super::several::{self, Several};

/// A hub: its folder, and its process while it runs, or its processes.
pub struct Hub {
    /// The instance the hub is.
    pub instance: Instance,
    policy: &'static str,
    /// Host and port it answered at last.
    place: String,
    running: Option<(Running, Value)>,
}

/// What runs of a hub.
enum Running {
    One(Up),
    Several(Several),
}

impl Hub {
    /// Founds a hub in `folder` and starts it on a free port.
    #[track_caller]
    pub fn start(folder: &Path, name: &str, policy: &'static str) -> Self {
        Self::start_by(folder, name, policy, Path::new(WB))
    }

    /// The same with another build of the program.
    #[track_caller]
    pub fn start_by(folder: &Path, name: &str, policy: &'static str, program: &Path) -> Self {
        let instance = Instance::found_by(folder, name, "operator", program);
        let mut hub = Self::of(instance, policy);
        hub.again();
        hub
    }

    /// A hub of an instance that is founded; it does not run yet.
    pub fn of(mut instance: Instance, policy: &'static str) -> Self {
        if several::is_wanted() {
            several::give_database(&mut instance);
        }
        Self {
            instance,
            policy,
            place: String::new(),
            running: None,
        }
    }

    /// Starts it, where it does not run, on another free port.
    #[track_caller]
    pub fn again(&mut self) {
        self.listen("127.0.0.1:0");
    }

    /// Starts it where it answered before.
    #[track_caller]
    pub fn back(&mut self) {
        let place = self.place.clone();
        self.listen(&place);
    }

    /// Starts it, where it does not run, on a port.
    #[cfg(feature = "next-schema")]
    #[track_caller]
    pub fn again_at(&mut self, port: u16) {
        self.listen(&format!("127.0.0.1:{port}"));
    }

    #[track_caller]
    fn listen(&mut self, place: &str) {
        if several::is_wanted() {
            let (running, started) = Several::start(&self.instance, self.policy, place);
            self.runs(Running::Several(running), started);
            return;
        }
        let arguments = ["--json", "hub", "up", "--listen", place];
        let policy = ["--policy", self.policy];
        let mut command = self.instance.command(&[&arguments[..], &policy].concat());
        let up = Up::start(&mut command);
        let started = serde_json::from_str(&up.line("{")).expect("a line of JSON");
        self.runs(Running::One(up), started);
    }

    fn runs(&mut self, running: Running, started: Value) {
        self.running = Some((running, started));
        let address = self.address();
        self.place = address.strip_prefix("http://").expect("HTTP").to_owned();
    }

    /// Ends it as a power cut does.
    pub fn kill(&mut self) {
        match self.running.take() {
            Some((Running::One(up), _)) => up.kill(),
            Some((Running::Several(several), _)) => drop(several),
            None => {}
        }
    }

    /// Sends its processes a signal.
    #[track_caller]
    pub fn send(&self, signal: &str) {
        match &self.running.as_ref().expect("it runs").0 {
            Running::One(up) => up.send(signal),
            Running::Several(several) => several.send(signal),
        }
    }

    /// The number of its process, where there is one.
    #[track_caller]
    pub fn pid(&self) -> u32 {
        match &self.running.as_ref().expect("it runs").0 {
            Running::One(up) => up.pid(),
            Running::Several(_) => panic!("several processes: a test for one is in `left_out`"),
        }
    }

    /// Its process, where there is one.
    #[track_caller]
    pub fn process(&mut self) -> Up {
        match self.running.take().expect("it runs").0 {
            Running::One(up) => up,
            Running::Several(_) => panic!("several processes: a test for one is in `left_out`"),
        }
    }

    /// The live lines that it has of an origin.
    #[track_caller]
    pub fn live_lines(&self, origin: &str) -> BTreeSet<LiveLine> {
        match several::database_of(&self.instance) {
            Some(name) => several::live_lines(&name, origin),
            None => live_lines_in(&self.instance.file("hub.db"), origin),
        }
    }

    /// Whether SQLite finds its file sound. A database server looks after its own files.
    #[track_caller]
    pub fn is_sound(&self) -> bool {
        let sound = |file: &Path| database::texts(file, "PRAGMA integrity_check") == ["ok"];
        several::database_of(&self.instance).is_some() || sound(&self.instance.file("hub.db"))
    }

    /// A number that it has, by a query of its file or of its database.
    #[track_caller]
    pub fn number(&self, of_file: &str, of_database: &str) -> i64 {
        match several::database_of(&self.instance) {
            Some(name) => several::number(&name, of_database),
            None => database::number(&self.instance.file("hub.db"), of_file),
        }
    }

    fn started(&self) -> &Value {
        &self.running.as_ref().expect("it runs").1
    }

    /// Where it answers.
    pub fn address(&self) -> &str {
        text(self.started(), "address")
    }

    /// Its id.
    pub fn id(&self) -> &str {
        text(self.started(), "id")
    }

    /// The port of the address.
    pub fn port(&self) -> u16 {
        let port = self.address().rsplit(':').next();
        port.and_then(|port| port.parse().ok()).expect("a port")
    }

    /// A link to join by another port of this machine, behind which the hub is.
    pub fn link_by(&self, port: u16) -> String {
        format!("http://127.0.0.1:{port}#{}", self.id())
    }

    /// A link to join.
    pub fn link(&self) -> String {
        self.link_by(self.port())
    }
}

/// Asks for help in the open; gives the id of the request.
#[track_caller]
pub fn ask(instance: &Instance, title: &str) -> String {
    let words = ["--title", title, "--description", "For Saturday."];
    instance.ok(&[&["request", "add"], &words[..], &["--scope", "public"]].concat())
}

/// The titles of all requests an instance shows, in order.
#[track_caller]
pub fn titles(instance: &Instance) -> Vec<String> {
    let requests = instance.json(&["request", "list"]);
    let mut titles: Vec<String> = requests
        .iter()
        .map(|request| text(request, "title").to_owned())
        .collect();
    titles.sort();
    titles
}
