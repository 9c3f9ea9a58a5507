//! PostgreSQL copying the same rows to another PostgreSQL, by its own logical replication: two servers that are thrown
//! away, on free ports, as durable as they come.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::clock::Stopwatch;
use crate::error::{BenchError, Result};
use crate::folder::text;
use crate::held::Held;

/// Where Debian keeps the servers of each version; they are not in the path.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Where a server writes its number, while it runs.
const PID: &str = "postmaster.pid";
/// The user `nobody`: a server refuses to run as root.
const NOBODY: u32 = 65_534;
/// Longest wait for a server to answer, or for rows to come.
const PATIENCE: Duration = Duration::from_secs(300);
/// Longest wait for one to stop.
const STOPPING: Duration = Duration::from_secs(5);
const REST: Duration = Duration::from_millis(50);
/// How the other side was set when it was measured as a peer: it looks for work ten times a second.
const SETTINGS: [&str; 4] = [
    "listen_addresses=127.0.0.1",
    "wal_level=logical",
    "wal_retrieve_retry_interval=100ms",
    "max_wal_size=4GB",
];
/// The same columns and indexes that the plain SQLite file has.
const TABLE: &str = "CREATE TABLE plain (id uuid PRIMARY KEY, kind text NOT NULL, at bigint NOT NULL, line text NOT NULL);
    CREATE INDEX plain_kind ON plain (kind, at);";
/// Waits until the first copy of the table is committed.
const WAIT: &str = "DO $$ BEGIN LOOP EXIT WHEN (SELECT bool_and(srsubstate IN ('f', 's', 'r')) FROM pg_subscription_rel);
    PERFORM pg_sleep(0.005); END LOOP; END $$;";

/// A server with the rows, and one that copies them.
#[derive(Debug)]
pub struct Postgres {
    from: Server,
    to: Server,
    /// Rows that the first has.
    rows: u64,
    _dir: TempDir,
}

impl Postgres {
    /// Starts both. The error is for people: why it is not measured.
    pub fn start(beside: &Path) -> Result<Self> {
        let programs = programs()?;
        let dir = tempfile::tempdir_in(beside).map_err(BenchError::io("making a folder"))?;
        let user = is_root().then_some(NOBODY);
        if let Some(user) = user {
            // The server has to reach its folder: whoever made the one around it may have kept it to himself.
            std::os::unix::fs::chown(dir.path(), Some(user), Some(user))
                .map_err(BenchError::file(dir.path()))?;
        }
        let from = Server::start(&programs, &dir.path().join("from"), user)?;
        let to = Server::start(&programs, &dir.path().join("to"), user)?;
        from.run(TABLE)?;
        from.run("CREATE PUBLICATION all_rows FOR TABLE plain;")?;
        Ok(Self {
            from,
            to,
            rows: 0,
            _dir: dir,
        })
    }

    /// Gives the first server rows in the place of those that it had.
    pub fn load(&mut self, copy: &Path) -> Result<()> {
        self.from.run("TRUNCATE plain;")?;
        self.from
            .run(&format!("\\copy plain FROM '{}'", text(copy)?))?;
        self.rows = self.from.count()?;
        self.from.run("VACUUM ANALYZE plain;")?;
        Ok(())
    }

    /// Copies all to the second server, which has nothing; rows a second.
    pub fn replicate(&self) -> Result<f64> {
        self.to.run("DROP TABLE IF EXISTS plain;")?;
        self.to.run(TABLE)?;
        let subscribe = format!(
            "CREATE SUBSCRIPTION copy CONNECTION 'host=127.0.0.1 port={} user=bench dbname=postgres' PUBLICATION all_rows;",
            self.from.port
        );
        let clock = "SELECT extract(epoch FROM clock_timestamp());";
        let said = self.to.run_all(&[clock, &subscribe, WAIT, clock])?;
        let times: Vec<f64> = said.lines().filter_map(|line| line.parse().ok()).collect();
        let (Some(begun), Some(ended)) = (times.first(), times.last()) else {
            return Err(BenchError::Wrong(format!("PostgreSQL said `{said}`")));
        };
        let rows = self.to.count()?;
        self.to.run("DROP SUBSCRIPTION copy;")?;
        if rows != self.rows {
            return Err(BenchError::Wrong(format!(
                "PostgreSQL copied {rows} rows, not {}",
                self.rows
            )));
        }
        Ok(rows as f64 / (ended - begun))
    }
}

#[derive(Debug)]
struct Server {
    psql: PathBuf,
    port: u16,
    data: PathBuf,
    _held: Held,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Told to stop at once, it gives back the shared memory that the system would keep.
        let pid = std::fs::read_to_string(self.data.join(PID)).unwrap_or_default();
        let Some(pid) = pid.lines().next() else {
            return;
        };
        let told = Command::new("kill").args(["-QUIT", pid]).status();
        let watch = Stopwatch::start();
        while told.is_ok() && self.data.join(PID).exists() && watch.elapsed() < STOPPING {
            std::thread::sleep(REST);
        }
    }
}

impl Server {
    fn start(programs: &Programs, data: &Path, user: Option<u32>) -> Result<Self> {
        let mut initdb = Command::new(&programs.initdb);
        initdb.args([
            "--no-sync",
            "-A",
            "trust",
            "-U",
            "bench",
            "-E",
            "UTF8",
            "--locale",
            "C",
            "-D",
        ]);
        initdb.arg(data);
        if let Some(user) = user {
            use std::os::unix::process::CommandExt as _;
            initdb.uid(user).gid(user).current_dir("/");
        }
        finished(initdb)?;
        let port = free_port()?;
        let (number, folder) = (port.to_string(), text(data)?);
        let mut arguments = vec!["-D", folder, "-p", &number, "-k", folder];
        for setting in SETTINGS {
            arguments.extend(["-c", setting]);
        }
        let held = Held::start(text(&programs.postgres)?, &arguments, user)?;
        let server = Self {
            psql: programs.psql.clone(),
            port,
            data: data.to_owned(),
            _held: held,
        };
        let watch = Stopwatch::start();
        while let Err(error) = server.run("SELECT 1;") {
            if watch.elapsed() > PATIENCE {
                return Err(error);
            }
            std::thread::sleep(REST);
        }
        Ok(server)
    }

    fn run(&self, sql: &str) -> Result<String> {
        self.run_all(&[sql])
    }

    /// Runs commands over one connection, each in a transaction of its own.
    fn run_all(&self, sql: &[&str]) -> Result<String> {
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
            "bench",
            "-d",
            "postgres",
        ]);
        psql.args(["-p", &self.port.to_string()]);
        for one in sql {
            psql.args(["-c", one]);
        }
        finished(psql)
    }

    fn count(&self) -> Result<u64> {
        let said = self.run("SELECT count(*) FROM plain;")?;
        let count = said.trim().parse();
        count.map_err(|_| BenchError::Wrong(format!("PostgreSQL counted `{said}`")))
    }
}

struct Programs {
    postgres: PathBuf,
    initdb: PathBuf,
    psql: PathBuf,
}

fn programs() -> Result<Programs> {
    let mut dirs: Vec<PathBuf> = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default();
    let versions = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    dirs.extend(versions.map(|version| version.path().join("bin")));
    let find = |name: &str| {
        let found = dirs
            .iter()
            .map(|dir| dir.join(name))
            .find(|file| file.is_file());
        found.ok_or_else(|| {
            BenchError::Wrong(format!(
                "PostgreSQL is not installed ({name} was not found; on Debian: apt install postgresql)"
            ))
        })
    };
    Ok(Programs {
        postgres: find("postgres")?,
        initdb: find("initdb")?,
        psql: find("psql")?,
    })
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(BenchError::io("finding a port"))?;
    let address = listener.local_addr();
    Ok(address.map_err(BenchError::io("finding a port"))?.port())
}

fn finished(mut command: Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let ran = command.stdin(Stdio::null()).output();
    let ran = ran.map_err(BenchError::io("starting PostgreSQL"))?;
    if ran.status.success() {
        return Ok(String::from_utf8_lossy(&ran.stdout).into_owned());
    }
    let errors = String::from_utf8_lossy(&ran.stderr);
    let first = errors.lines().find(|line| !line.is_empty());
    Err(BenchError::Wrong(format!(
        "{name} ended with {}: {}",
        ran.status,
        first.unwrap_or_default()
    )))
}
