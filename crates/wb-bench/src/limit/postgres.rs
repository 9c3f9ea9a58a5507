//! PostgreSQL copying the same rows to another PostgreSQL, by its own logical replication: two servers that are thrown
//! away, on free ports, as durable as they come.

use std::path::Path;

use tempfile::TempDir;
use wb_throwaway::{Server, USER, hand_over};

use crate::error::{BenchError, Result};
use crate::folder::text;

/// How the other side was set when it was measured as a peer: it looks for work ten times a second.
const SETTINGS: [&str; 3] = [
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
        let dir = tempfile::tempdir_in(beside).map_err(BenchError::io("making a folder"))?;
        hand_over(dir.path())?;
        let from = Server::start_in(&dir.path().join("from"), &SETTINGS)?;
        let to = Server::start_in(&dir.path().join("to"), &SETTINGS)?;
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
        self.rows = count(&self.from)?;
        self.from.run("VACUUM ANALYZE plain;")?;
        Ok(())
    }

    /// Copies all to the second server, which has nothing; rows a second.
    pub fn replicate(&self) -> Result<f64> {
        self.to.run("DROP TABLE IF EXISTS plain;")?;
        self.to.run(TABLE)?;
        let subscribe = format!(
            "CREATE SUBSCRIPTION copy CONNECTION 'host=127.0.0.1 port={} user={USER} dbname=postgres' PUBLICATION all_rows;",
            self.from.port()
        );
        let clock = "SELECT extract(epoch FROM clock_timestamp());";
        let said = self.to.run_all(&[clock, &subscribe, WAIT, clock])?;
        let times: Vec<f64> = said.lines().filter_map(|line| line.parse().ok()).collect();
        let (Some(begun), Some(ended)) = (times.first(), times.last()) else {
            return Err(BenchError::Wrong(format!("PostgreSQL said `{said}`")));
        };
        let rows = count(&self.to)?;
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

fn count(server: &Server) -> Result<u64> {
    let said = server.run("SELECT count(*) FROM plain;")?;
    let count = said.trim().parse();
    count.map_err(|_| BenchError::Wrong(format!("PostgreSQL counted `{said}`")))
}
