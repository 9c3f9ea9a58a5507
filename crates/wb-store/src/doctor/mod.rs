//! Checking that the files are sound: what SQLite can check, and what only the formats can.

mod feeds;

use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;
use wb_core::hash;
use wb_core::id::Hash;

pub(crate) use self::feeds::{check_chains, check_identities, check_lines, check_live};
use crate::error::Result;
use crate::guard::Standing as GuardStanding;
use crate::project::rebuild;
use crate::sql::Sql;
use crate::store::{Store, Write};

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was checked, a short word.
    pub check: &'static str,
    /// How much was looked at.
    pub looked_at: u64,
    /// What is wrong; empty when it is sound.
    pub problems: Vec<String>,
}

/// Everything that was checked.
pub type Findings = Vec<Finding>;

/// All pages are copied into memory at once: were others to write in between, it would begin anew.
const PAGES_AT_ONCE: i32 = i32::MAX;
/// Problems listed per check; the rest is counted.
const PROBLEMS_MAX: usize = 20;

/// What a check saw.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    /// How much was looked at.
    pub at: u64,
    /// What is wrong.
    pub problems: Vec<String>,
}

impl Looked {
    pub fn problem(&mut self, what: impl Into<String>) {
        self.problems.push(what.into());
    }
}

impl Finding {
    /// What a check found. What cannot be read because it is damaged is wrong too, and the other checks
    /// go on.
    ///
    /// # Errors
    /// What stands in the way of reading.
    pub(crate) fn of(check: &'static str, looked: Result<Looked>) -> Result<Self> {
        let Looked {
            at: looked_at,
            mut problems,
        } = match looked {
            Err(error) if error.is_damage() => Looked {
                at: 0,
                problems: vec![format!("it cannot be read to its end: {error}")],
            },
            looked => looked?,
        };
        let more = problems.len().saturating_sub(PROBLEMS_MAX);
        problems.truncate(PROBLEMS_MAX);
        if more > 0 {
            problems.push(format!("and {more} more"));
        }
        Ok(Self {
            check,
            looked_at,
            problems,
        })
    }
}

impl Store {
    /// Checks both files. Changes nothing: what is rebuilt for comparison is dropped again.
    ///
    /// # Errors
    /// What the database reports while it is read.
    pub fn check(&mut self) -> Result<Findings> {
        let main = self.main();
        Ok(vec![
            Finding::of("main file", check_sqlite(main))?,
            Finding::of("private file", check_sqlite(self.private().connection()))?,
            Finding::of("identity logs", check_identities(main))?,
            Finding::of("header chains", check_chains(main))?,
            Finding::of("lines", check_lines(main))?,
            Finding::of("live sets", check_live(main))?,
            Finding::of("guard against restored copies", Ok(self.check_guard()))?,
            Finding::of("what is shown", self.check_projection())?,
        ])
    }

    fn check_guard(&self) -> Looked {
        let problems = match self.guard() {
            GuardStanding::Sound | GuardStanding::Crash => Vec::new(),
            GuardStanding::Suspect => vec![
                "this database is an older copy than the one that published last, or a copy from elsewhere; \
                 it publishes nothing, so that the feed does not fork; `wb restore` settles it"
                    .to_owned(),
            ],
        };
        Looked { at: 1, problems }
    }

    /// Rebuilding what is shown changes nothing. Where it cannot be tried in the file, because nothing can be
    /// written or somebody else is writing, it is tried on a copy in memory.
    fn check_projection(&mut self) -> Result<Looked> {
        let tried = self.write().and_then(|write| compare_shown(&write));
        match tried {
            Err(error) if error.is_full() || error.is_read_only() || error.is_busy() => {
                let mut copy = self.copy_in_memory()?;
                let transaction = copy.transaction()?;
                compare_shown(&Write::new(transaction, self.home()))
            }
            tried => tried,
        }
    }

    fn copy_in_memory(&self) -> Result<Connection> {
        let mut copy = Connection::open_in_memory()?;
        Backup::new(self.main(), &mut copy)?.run_to_completion(
            PAGES_AT_ONCE,
            Duration::ZERO,
            None,
        )?;
        Ok(copy)
    }
}

/// Compares what is shown with what a rebuild makes; the transaction is then to be dropped.
fn compare_shown(write: &Write<'_>) -> Result<Looked> {
    let before = digest_records(&write.transaction)?;
    let looked_at = rebuild(write)?;
    let after = digest_records(&write.transaction)?;
    let problems = if before == after {
        Vec::new()
    } else {
        vec!["what is shown is not what is stored; run `wb rebuild`".to_owned()]
    };
    Ok(Looked {
        at: looked_at,
        problems,
    })
}

/// What SQLite itself can check.
pub(crate) fn check_sqlite(connection: &Connection) -> Result<Looked> {
    let mut problems: Vec<String> = Vec::new();
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    for line in statement.query_map([], |row| row.get::<_, String>(0))? {
        let line = line?;
        if line != "ok" {
            problems.push(line);
        }
    }
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    for table in statement.query_map([], |row| row.get::<_, String>(0))? {
        problems.push(format!(
            "a row of `{}` refers to a row that is not there",
            table?
        ));
    }
    let pages = connection
        .query_row("PRAGMA page_count", [], |row| row.get::<_, Sql<u64>>(0))?
        .0;
    Ok(Looked {
        at: pages,
        problems,
    })
}

/// A digest of everything shown, without the row numbers.
fn digest_records(connection: &Connection) -> Result<Hash> {
    let sql = "SELECT hex(i.id) || ifnull(i.name, '') || hex(r.id) || r.kind || r.scope || r.rev || r.author || r.at
                 || r.created_at || ifnull(hex(r.parent_origin), '') || ifnull(hex(r.parent_id), '')
                 || ifnull(r.body, '') || ifnull(hex(r.line_hash), '') || ifnull(r.cause, '')
               FROM records r JOIN instances i USING (instance_no) ORDER BY i.id, r.id";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut digest = hash::sha256(b"");
    while let Some(row) = rows.next()? {
        let text = row.get_ref(0)?.as_str().unwrap_or_default();
        digest = hash::sha256(&[&digest.0, text.as_bytes()].concat());
    }
    Ok(digest)
}
