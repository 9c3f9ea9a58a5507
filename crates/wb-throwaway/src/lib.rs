//! PostgreSQL servers that are thrown away, for tests and benchmarks: each on a free port, with a folder of its own,
//! and never longer there than whoever started it, however that ends.
//!
//! A server runs beside a shell that reads from a pipe. The other end of the pipe is here; when it closes, which the
//! system does for a killed process as well, the shell tells the server to stop at once, which gives back the shared
//! memory that the system would keep, and removes its folder. A line on it restarts the server
//! after so many seconds.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Where Debian keeps the servers of each version; they are not in the path.
const DEBIAN: &str = "/usr/lib/postgresql";
/// The user `nobody`: a server refuses to run as root.
const NOBODY: u32 = 65_534;
/// The user of the database.
pub const USER: &str = "bench";
/// How often it is asked whether a server answers, with [`REST`] between.
const TIMES_ASKED_MAX: u32 = 6_000;
const REST: Duration = Duration::from_millis(50);
/// What a server needs not survive: whoever asks for one that is thrown away asks for a fast one.
pub const FAST: [&str; 4] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=300",
];

/// Runs the arguments, anew with each line from the pipe; at the end of that it stops the server and removes the folder
/// that is named first. A server that does not stop is killed.
const KEEPER: &str = r#"folder=$1; shift
"$@" </dev/null >/dev/null 2>&1 &
server=$!
while read -r rest; do
    kill -INT $server
    wait $server
    sleep "$rest"
    "$@" </dev/null >/dev/null 2>&1 &
    server=$!
done
kill -QUIT $server 2>/dev/null
(sleep 10; kill -KILL $server 2>/dev/null) >/dev/null 2>&1 &
wait $server
kill $! 2>/dev/null
if [ -n "$folder" ]; then rm -rf "$folder"; fi"#;

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ThrowawayError {
    /// It is not installed.
    #[error("PostgreSQL is not installed ({0} was not found; on Debian: apt install postgresql)")]
    Missing(&'static str),
    /// A process or a file.
    #[error("{what}: {source}")]
    Io {
        /// What was done.
        what: &'static str,
        /// What went wrong.
        source: std::io::Error,
    },
    /// A program of it failed.
    #[error("{0}")]
    Failed(String),
}

/// What is returned everywhere here.
pub type Result<T> = std::result::Result<T, ThrowawayError>;

fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> ThrowawayError {
    move |source| ThrowawayError::Io { what, source }
}

/// A server.
#[derive(Debug)]
pub struct Server {
    psql: PathBuf,
    port: u16,
    keeper: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

impl Server {
    /// Starts one in a folder of its own under the system's place for temporary files.
    ///
    /// # Errors
    /// That it is not installed, or what went wrong.
    pub fn start(settings: &[&str]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("wb-postgres-").tempdir();
        let folder = folder.map_err(io("making a folder"))?;
        let user = hand_over(folder.path())?;
        // From here on the keeper removes it.
        let folder = folder.keep();
        Self::start_as(user, &folder.join("data"), settings, Some(&folder))
    }

    /// Starts one whose data are in a folder that its caller made, handed over ([`hand_over`]) and removes.
    ///
    /// # Errors
    /// That it is not installed, or what went wrong.
    pub fn start_in(data: &Path, settings: &[&str]) -> Result<Self> {
        Self::start_as(is_root()?.then_some(NOBODY), data, settings, None)
    }

    fn start_as(
        user: Option<u32>,
        data: &Path,
        settings: &[&str],
        remove: Option<&Path>,
    ) -> Result<Self> {
        let programs = Programs::find()?;
        let mut initdb = Command::new(&programs.initdb);
        initdb.args([
            "--no-sync",
            "-A",
            "trust",
            "-U",
            USER,
            "-E",
            "UTF8",
            "--locale",
            "C",
            "-D",
        ]);
        initdb.arg(data).current_dir("/");
        if let Some(user) = user {
            initdb.uid(user).gid(user);
        }
        finished(initdb)?;
        let port = free_port()?;
        let mut shell = Command::new("sh");
        shell.args(["-c", KEEPER, "sh"]);
        shell.arg(remove.unwrap_or(Path::new("")));
        shell.arg(&programs.postgres).arg("-D").arg(data);
        shell
            .args([
                "-p",
                &port.to_string(),
                "-c",
                "listen_addresses=127.0.0.1",
                "-k",
            ])
            .arg(data);
        for setting in settings {
            shell.args(["-c", setting]);
        }
        if let Some(user) = user {
            shell.uid(user).gid(user);
        }
        let started = shell
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let server = Self {
            psql: programs.psql,
            port,
            keeper: started.map_err(io("starting a program"))?,
        };
        server.wait()?;
        Ok(server)
    }

    /// Stops it as for an upgrade of the machine, every connection cut and everything committed kept, and starts it
    /// again at the same port. Ends when it answers.
    ///
    /// # Errors
    /// What went wrong.
    pub fn restart(&self) -> Result<()> {
        self.restart_after(Duration::ZERO)
    }

    /// The same, but it is away for so long before it is started again.
    ///
    /// # Errors
    /// What went wrong.
    pub fn restart_after(&self, rest: Duration) -> Result<()> {
        const STARTED: &str = "SELECT pg_postmaster_start_time();";
        let before = self.run(STARTED)?;
        let mut pipe = self.keeper.stdin.as_ref().expect("it is piped");
        writeln!(pipe, "{}", rest.as_secs_f64()).map_err(io("telling a server to restart"))?;
        std::thread::sleep(rest);
        for _ in 0..TIMES_ASKED_MAX {
            if self.run(STARTED).is_ok_and(|now| now != before) {
                return Ok(());
            }
            std::thread::sleep(REST);
        }
        Err(ThrowawayError::Failed(
            "the server did not start again".to_owned(),
        ))
    }

    /// Waits until it answers.
    fn wait(&self) -> Result<()> {
        let mut asked = self.run("SELECT 1;");
        for _ in 0..TIMES_ASKED_MAX {
            if asked.is_ok() {
                break;
            }
            std::thread::sleep(REST);
            asked = self.run("SELECT 1;");
        }
        asked.map(|_| ())
    }

    /// The port it answers on, at 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The number of the process that keeps it; what it uses is used by processes below that one.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.keeper.id()
    }

    /// The address of a database of it.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes a database, and gives its address.
    ///
    /// # Errors
    /// What it said.
    pub fn database(&self, name: &str) -> Result<String> {
        self.run(&format!("CREATE DATABASE {name};"))?;
        Ok(self.url(name))
    }

    /// Runs a command, and gives what it says.
    ///
    /// # Errors
    /// What it said.
    pub fn run(&self, sql: &str) -> Result<String> {
        self.run_all(&[sql])
    }

    /// Runs commands over one connection, each in a transaction of its own.
    ///
    /// # Errors
    /// What it said.
    pub fn run_all(&self, sql: &[&str]) -> Result<String> {
        self.run_in("postgres", sql)
    }

    /// The same in a database.
    ///
    /// # Errors
    /// What it said.
    pub fn run_in(&self, database: &str, sql: &[&str]) -> Result<String> {
        let mut psql = Command::new(&self.psql);
        psql.args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "127.0.0.1",
            "-U",
            USER,
        ]);
        psql.args(["-d", database, "-p", &self.port.to_string()]);
        for one in sql {
            psql.args(["-c", one]);
        }
        finished(psql)
    }
}

/// Gives a folder to whoever a server runs as; who that is, where it is somebody else.
///
/// # Errors
/// What went wrong.
pub fn hand_over(folder: &Path) -> Result<Option<u32>> {
    let user = is_root()?.then_some(NOBODY);
    if let Some(user) = user {
        // The server has to reach its folder: whoever made the one around it may have kept it to himself.
        std::os::unix::fs::chown(folder, Some(user), Some(user)).map_err(io("giving a folder"))?;
    }
    Ok(user)
}

struct Programs {
    postgres: PathBuf,
    initdb: PathBuf,
    psql: PathBuf,
}

impl Programs {
    fn find() -> Result<Self> {
        let mut dirs: Vec<PathBuf> = std::env::var_os("PATH")
            .map(|path| std::env::split_paths(&path).collect())
            .unwrap_or_default();
        let versions = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
        dirs.extend(versions.map(|version| version.path().join("bin")));
        let find = |name: &'static str| {
            let found = dirs
                .iter()
                .map(|dir| dir.join(name))
                .find(|file| file.is_file());
            found.ok_or(ThrowawayError::Missing(name))
        };
        Ok(Self {
            postgres: find("postgres")?,
            initdb: find("initdb")?,
            psql: find("psql")?,
        })
    }
}

fn is_root() -> Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let own = std::fs::metadata("/proc/self").map_err(io("looking who runs this"))?;
    Ok(own.uid() == 0)
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(io("finding a port"))?;
    let address = listener.local_addr();
    Ok(address.map_err(io("finding a port"))?.port())
}

fn finished(mut command: Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let ran = command.stdin(Stdio::null()).output();
    let ran = ran.map_err(io("starting PostgreSQL"))?;
    if ran.status.success() {
        return Ok(String::from_utf8_lossy(&ran.stdout).into_owned());
    }
    let errors = String::from_utf8_lossy(&ran.stderr);
    let first = errors.lines().find(|line| !line.is_empty());
    Err(ThrowawayError::Failed(format!(
        "{name} ended with {}: {}",
        ran.status,
        first.unwrap_or_default()
    )))
}
