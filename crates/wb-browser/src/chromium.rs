//! A browser of one person: a chromedriver with one Chromium, and a folder for both that goes with them.

use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::held::{Held, PATIENCE};
use crate::wire;

/// Whether pages may run script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// As browsers come.
    On,
    /// As some people set theirs.
    Off,
}

/// No sandbox, as tests run as root in containers; no graphics card; and nothing that talks to the network by
/// itself.
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
];

/// How Chromium writes "block" in its preferences.
const BLOCK: u8 = 2;

/// How often the driver is started until it finds a port.
const DRIVER_TRIES: u32 = 5;

/// A browser. What one does in front of it is in `page.rs`.
#[derive(Debug)]
pub struct Chromium {
    driver: Held,
    port: u16,
    session: String,
    _folder: TempDir,
}

/// Starts the driver; gives it with its port. None where it found no port: it takes one that is free in IPv6, and
/// in IPv4 somebody else may have that number.
fn start_driver(command: &Command) -> Option<(Held, u16)> {
    let driver = Held::start(command);
    let Some(line) = driver.try_line("successfully on port") else {
        let said = driver.said();
        assert!(
            said.contains("port not available"),
            "chromedriver said:\n{said}"
        );
        return None;
    };
    let port = line.trim_end_matches('.').rsplit(' ').next();
    let port = port.and_then(|port| port.parse().ok());
    Some((driver, port.expect("chromedriver names its port")))
}

impl Chromium {
    /// Starts one that nobody has used.
    ///
    /// # Panics
    ///
    /// Where Chromium or its driver is missing or does not start.
    #[must_use]
    pub fn start(script: Script) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new("chromedriver");
        command
            .arg("--port=0")
            .env("TMPDIR", folder.path())
            .env("HOME", folder.path());
        let found = Command::new("chromedriver").arg("--version").output();
        assert!(
            found.is_ok_and(|ran| ran.status.success()),
            "there is no chromedriver: install Debian's chromium and chromium-driver, or run `scripts/test \
             browser` as root, which does"
        );
        let (driver, port) = (0..DRIVER_TRIES)
            .find_map(|_| start_driver(&command))
            .expect("chromedriver finds a port");
        let mut options = json!({ "args": FLAGS });
        if script == Script::Off {
            options["prefs"] =
                json!({ "profile.managed_default_content_settings.javascript": BLOCK });
        }
        let wait_ms = u64::try_from(PATIENCE.as_millis()).expect("seconds");
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": options,
            "timeouts": { "implicit": wait_ms, "pageLoad": 2 * wait_ms, "script": 2 * wait_ms },
        }}});
        let begun = wire::call(port, "POST", "/session", &wanted);
        let begun = begun
            .unwrap_or_else(|error| panic!("Chromium does not start: {error}\n{}", driver.said()));
        let session = begun["sessionId"].as_str().expect("a session").to_owned();
        Self {
            driver,
            port,
            session,
            _folder: folder,
        }
    }

    /// A command of WebDriver; gives the value, or else what is wrong.
    pub(crate) fn try_command(
        &self,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<Value, String> {
        let path = format!("/session/{}{path}", self.session);
        wire::call(self.port, method, &path, body)
    }

    /// A command that works.
    #[track_caller]
    pub(crate) fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        self.try_command(method, path, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// A command of Chromium's own protocol.
    #[track_caller]
    pub(crate) fn devtools(&self, command: &str, params: &Value) -> Value {
        let body = json!({ "cmd": command, "params": params });
        self.command("POST", "/goog/cdp/execute", &body)
    }

    /// The process group of the browser.
    #[must_use]
    pub fn group(&self) -> u32 {
        self.driver.group()
    }
}
