//! Every live line of other instances that is not shown, each with the first cause that applies
//! (spec: showing: "it is kept and can be listed").
//!
//! `records` has one row a record; a record can be live in two feeds, and the line that another one
//! outdoes has a cause too.

use std::collections::BTreeSet;

use wb_core::id::{RecordId, RecordRef};
use wb_core::scope::FeedScope;

use crate::error::Result;
use crate::instances::Standing;
use crate::project::outdone;
use crate::query::Filter;
use crate::sql::{Sql, word};
use crate::store::Store;

/// A live line that is not shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HiddenLine {
    /// Its record.
    pub key: RecordRef,
    /// The feed it is live in.
    pub scope: FeedScope,
    /// Its revision.
    pub rev: u64,
    /// Why it is not shown.
    pub cause: String,
}

impl Store {
    /// Every live line that is not shown, ordered by record and scope.
    ///
    /// # Errors
    /// What the database reports.
    pub fn hidden_lines(&self) -> Result<Vec<HiddenLine>> {
        let mut lines = self.outdone_lines()?;
        let listed: BTreeSet<(RecordRef, FeedScope)> =
            lines.iter().map(|line| (line.key, line.scope)).collect();
        let everything = Filter {
            hidden_too: true,
            ..Filter::default()
        };
        for row in self.records(&everything)? {
            let Some(cause) = row.hidden.filter(|_| row.standing != Standing::Own) else {
                continue;
            };
            // What is not outdone in the one feed has the cause of its row.
            let live = self.live_in(&row.key)?;
            for (scope, rev) in live {
                if !listed.contains(&(row.key, scope)) {
                    let (key, cause) = (row.key, cause.clone());
                    lines.push(HiddenLine {
                        key,
                        scope,
                        rev,
                        cause,
                    });
                }
            }
        }
        lines.sort_by_key(|line| (line.key, line.scope));
        Ok(lines)
    }

    fn outdone_lines(&self) -> Result<Vec<HiddenLine>> {
        let sql = "SELECT DISTINCT f.instance_no, i.id, x.id FROM feed_lines x JOIN feeds f USING (feed_no)
                   JOIN instances i USING (instance_no) WHERE x.live = 1 AND i.standing != 'self'";
        let mut statement = self.main().prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut lines = Vec::new();
        while let Some(row) = rows.next()? {
            let key = RecordRef {
                origin: row.get::<_, Sql<_>>(1)?.0,
                id: row.get::<_, Sql<RecordId>>(2)?.0,
            };
            for (scope, rev, cause) in outdone(self.main(), row.get(0)?, &key.id)? {
                let cause = cause.as_str().to_owned();
                lines.push(HiddenLine {
                    key,
                    scope,
                    rev,
                    cause,
                });
            }
        }
        Ok(lines)
    }

    fn live_in(&self, key: &RecordRef) -> Result<Vec<(FeedScope, u64)>> {
        let sql = "SELECT f.scope, x.rev FROM feed_lines x JOIN feeds f USING (feed_no)
                   JOIN instances i USING (instance_no) WHERE i.id = ?1 AND x.id = ?2 AND x.live = 1";
        let mut statement = self.main().prepare_cached(sql)?;
        let rows = statement.query_map(rusqlite::params![Sql(key.origin), Sql(key.id)], |row| {
            Ok((word(row, 0)?, row.get::<_, Sql<u64>>(1)?.0))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
