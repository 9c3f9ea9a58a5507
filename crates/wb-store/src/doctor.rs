//! Checking that the files are sound: what SQLite can check, and what only the formats can.

use rusqlite::Connection;
use wb_core::feed::{Header, Live};
use wb_core::hash;
use wb_core::id::{Hash, InstanceId, RecordId};
use wb_core::live::LiveHash;

use crate::error::Result;
use crate::guard::Standing as GuardStanding;
use crate::instances::identity_log;
use crate::project::rebuild;
use crate::sql::{Sql, word};
use crate::store::Store;

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

/// Problems listed per check; the rest is counted.
const PROBLEMS_MAX: usize = 20;

impl Store {
    /// Checks both files. Changes nothing: what is rebuilt for comparison is dropped again.
    ///
    /// # Errors
    /// What the database reports while it is read.
    pub fn check(&mut self) -> Result<Findings> {
        let mut findings = vec![
            check_sqlite("main file", self.main())?,
            check_sqlite("private file", self.private().connection())?,
            self.check_identities()?,
            self.check_chains()?,
            self.check_lines()?,
            self.check_live()?,
            self.check_guard(),
        ];
        findings.push(self.check_projection()?);
        for finding in &mut findings {
            let more = finding.problems.len().saturating_sub(PROBLEMS_MAX);
            finding.problems.truncate(PROBLEMS_MAX);
            if more > 0 {
                finding.problems.push(format!("and {more} more"));
            }
        }
        Ok(findings)
    }

    fn check_identities(&self) -> Result<Finding> {
        let (mut problems, mut looked_at) = (Vec::new(), 0);
        for instance in self.instances()? {
            looked_at += 1;
            if let Err(error) = identity_log(self.main(), &instance.id) {
                problems.push(error.to_string());
            }
        }
        Ok(Finding {
            check: "identity logs",
            looked_at,
            problems,
        })
    }

    /// Every header leads to the next, and the head of a log is the head of its feed.
    fn check_chains(&self) -> Result<Finding> {
        let sql = "SELECT h.log_no, h.seq, h.hash, h.body_hash, h.line FROM headers h ORDER BY h.log_no, h.seq";
        let mut statement = self.main().prepare(sql)?;
        let mut rows = statement.query([])?;
        let (mut problems, mut looked_at, mut before) = (Vec::new(), 0, None);
        while let Some(row) = rows.next()? {
            looked_at += 1;
            let (log_no, Sql(seq)): (i64, Sql<u64>) = (row.get(0)?, row.get(1)?);
            let (Sql(hash), Sql(body)): (Sql<Hash>, Sql<Hash>) = (row.get(2)?, row.get(3)?);
            let prev = before
                .filter(|(log, _, _)| *log == log_no)
                .map(|(_, seq, hash)| (seq, hash));
            let follows = prev.map_or(seq == 0, |(before, _): (u64, Hash)| before + 1 == seq);
            if !follows || hash::header(prev.map(|(_, hash)| hash).as_ref(), &body) != hash {
                problems.push(format!(
                    "header {seq} of log {log_no} does not follow the one before"
                ));
            }
            if let Some(line) = row.get::<_, Option<Vec<u8>>>(4)? {
                let read = Header::read(&line)
                    .map(|(_, unverified)| Header::body_hash(unverified.payload()));
                if read != Ok(body) {
                    problems.push(format!(
                        "the line of header {seq} of log {log_no} is not the one signed"
                    ));
                }
            }
            before = Some((log_no, seq, hash));
        }
        let heads = "SELECT count(*) FROM feeds f LEFT JOIN headers h ON h.log_no = f.log_no AND h.seq = f.seq
                     WHERE h.hash IS NOT f.hash AND f.log_no IS NOT NULL";
        let wrong: u64 = self
            .main()
            .query_row(heads, [], |row| row.get::<_, Sql<u64>>(0))?
            .0;
        if wrong > 0 {
            problems.push(format!(
                "{wrong} feeds have a head that is not in their log"
            ));
        }
        Ok(Finding {
            check: "header chains",
            looked_at,
            problems,
        })
    }

    /// Every stored line has the hash its entry says; what is not live has no line.
    fn check_lines(&self) -> Result<Finding> {
        let mut statement = self
            .main()
            .prepare("SELECT id, line_hash, line, live FROM feed_lines WHERE line IS NOT NULL")?;
        let mut rows = statement.query([])?;
        let (mut problems, mut looked_at) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            looked_at += 1;
            let Sql(id): Sql<RecordId> = row.get(0)?;
            let line: Vec<u8> = row.get(2)?;
            if row.get::<_, Option<Sql<Hash>>>(1)?.map(|Sql(hash)| hash) != Some(hash::line(&line))
            {
                problems.push(format!(
                    "the line of record {id} is not the one its hash names"
                ));
            }
            if row.get::<_, i64>(3)? != 1 {
                problems.push(format!("record {id} keeps a line that is not live"));
            }
        }
        Ok(Finding {
            check: "lines",
            looked_at,
            problems,
        })
    }

    /// The live set of each feed has the digest and the count that its head committed to.
    fn check_live(&self) -> Result<Finding> {
        let sql = "SELECT f.feed_no, i.id, f.scope, f.live, f.live_n, h.line FROM feeds f
                   JOIN instances i USING (instance_no) LEFT JOIN headers h ON h.log_no = f.log_no AND h.seq = f.seq
                   WHERE f.log_no IS NOT NULL";
        let mut statement = self.main().prepare(sql)?;
        let mut rows = statement.query([])?;
        let (mut problems, mut looked_at) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            looked_at += 1;
            let (lanes, count) = fold_live(self.main(), row.get(0)?)?;
            let Sql(id): Sql<InstanceId> = row.get(1)?;
            let scope: String = row.get(2)?;
            let head: Option<Vec<u8>> = row.get(5)?;
            let committed = head
                .as_deref()
                .and_then(|line| Header::read(line).ok())
                .map(|(h, _)| (h.live, h.live_n));
            let stored = LiveHash::from_bytes(&row.get::<_, Vec<u8>>(3)?);
            let is_sound = committed == Some((lanes.digest(), count))
                && stored.as_ref() == Some(&lanes)
                && row.get::<_, Sql<u64>>(4)?.0 == count;
            if !is_sound {
                problems.push(format!(
                    "the {scope} feed of {} does not hold what its head committed to",
                    id.short()
                ));
            }
        }
        Ok(Finding {
            check: "live sets",
            looked_at,
            problems,
        })
    }

    fn check_guard(&self) -> Finding {
        let problems = match self.guard() {
            GuardStanding::Sound | GuardStanding::Crash => Vec::new(),
            GuardStanding::Suspect => vec![
                "this database is an older copy than the one that published last, or a copy from elsewhere; \
                 it publishes nothing, so that the feed does not fork"
                    .to_owned(),
            ],
        };
        Finding {
            check: "guard against restored copies",
            looked_at: 1,
            problems,
        }
    }

    /// Rebuilding what is shown changes nothing.
    fn check_projection(&mut self) -> Result<Finding> {
        let write = self.write()?;
        let before = digest_records(&write.transaction)?;
        let looked_at = rebuild(&write)?;
        let after = digest_records(&write.transaction)?;
        // Dropped: the transaction changes nothing.
        drop(write);
        let problems = if before == after {
            Vec::new()
        } else {
            vec!["what is shown is not what is stored; run `wb rebuild`".to_owned()]
        };
        Ok(Finding {
            check: "what is shown",
            looked_at,
            problems,
        })
    }
}

fn check_sqlite(check: &'static str, connection: &Connection) -> Result<Finding> {
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
    Ok(Finding {
        check,
        looked_at: pages,
        problems,
    })
}

fn fold_live(connection: &Connection, feed_no: i64) -> Result<(LiveHash, u64)> {
    let sql = "SELECT id, rev, kind, line_hash FROM feed_lines WHERE feed_no = ?1 AND live = 1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([feed_no])?;
    let (mut lanes, mut count) = (LiveHash::default(), 0);
    while let Some(row) = rows.next()? {
        let Sql(id): Sql<RecordId> = row.get(0)?;
        let live = Live {
            rev: row.get::<_, Sql<u64>>(1)?.0,
            kind: word(row, 2)?,
            line_hash: row.get::<_, Sql<Hash>>(3)?.0,
        };
        lanes.add(&live.element(&id));
        count += 1;
    }
    Ok((lanes, count))
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
