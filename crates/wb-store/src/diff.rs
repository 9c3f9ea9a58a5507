//! What a transaction would change of what is shown, record by record.
//!
//! A preview is the import itself, in a transaction that is dropped: so the two cannot disagree.

use rusqlite::Row;
use wb_core::id::{InstanceId, RecordId};
use wb_core::scope::Kind;

use crate::error::Result;
use crate::sql::{Sql, word};
use crate::store::Write;

/// How a record differs from before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Difference {
    /// It was not here.
    New,
    /// It has another revision.
    Changed,
    /// It is not here any more.
    Gone,
}

impl Difference {
    /// The word in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Gone => "gone",
        }
    }
}

/// One record that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its origin.
    pub origin: InstanceId,
    /// Its id there.
    pub id: RecordId,
    /// Its kind.
    pub kind: Kind,
    /// How it differs.
    pub difference: Difference,
    /// Its body now; before, when it is gone.
    pub body: Option<String>,
    /// Why it would not be shown, as far as the record itself decides.
    pub cause: Option<String>,
}

/// Keeps of each row that changes what it was before its first change; a row that is new is kept
/// without a kind. So the cost is that of what changes, not of what is held.
const REMEMBER: &str = "
    CREATE TEMP TABLE shown_before (
        instance_no INTEGER NOT NULL, id BLOB NOT NULL,
        kind TEXT, rev INTEGER, line_hash BLOB, body TEXT, cause TEXT,
        PRIMARY KEY (instance_no, id)
    ) WITHOUT ROWID;
    CREATE TEMP TRIGGER shown_updated BEFORE UPDATE ON main.records BEGIN
        INSERT INTO shown_before
        SELECT old.instance_no, old.id, old.kind, old.rev, old.line_hash, old.body, old.cause
        WHERE NOT EXISTS (SELECT 1 FROM shown_before b WHERE b.instance_no = old.instance_no AND b.id = old.id);
    END;
    CREATE TEMP TRIGGER shown_deleted BEFORE DELETE ON main.records BEGIN
        INSERT INTO shown_before
        SELECT old.instance_no, old.id, old.kind, old.rev, old.line_hash, old.body, old.cause
        WHERE NOT EXISTS (SELECT 1 FROM shown_before b WHERE b.instance_no = old.instance_no AND b.id = old.id);
    END;
    CREATE TEMP TRIGGER shown_inserted AFTER INSERT ON main.records BEGIN
        INSERT INTO shown_before (instance_no, id)
        SELECT new.instance_no, new.id
        WHERE NOT EXISTS (SELECT 1 FROM shown_before b WHERE b.instance_no = new.instance_no AND b.id = new.id);
    END;";

const FORGET: &str = "
    DROP TRIGGER IF EXISTS temp.shown_updated;
    DROP TRIGGER IF EXISTS temp.shown_deleted;
    DROP TRIGGER IF EXISTS temp.shown_inserted;
    DROP TABLE IF EXISTS temp.shown_before;";

impl Write<'_> {
    /// Remembers from now on what is shown before it changes, to compare with later.
    ///
    /// # Errors
    /// What the database reports.
    pub fn remember_shown(&self) -> Result<()> {
        self.transaction.execute_batch(FORGET)?;
        Ok(self.transaction.execute_batch(REMEMBER)?)
    }

    /// What of other instances differs from what was remembered, by origin, kind and id. Nothing is
    /// remembered any more afterwards.
    ///
    /// # Errors
    /// What the database reports.
    pub fn changed_since(&self) -> Result<Vec<Changed>> {
        let sql = "SELECT i.id, b.id, ifnull(r.kind, b.kind),
                     CASE WHEN b.kind IS NULL THEN 'new' WHEN r.id IS NULL THEN 'gone' ELSE 'changed' END,
                     CASE WHEN r.id IS NULL THEN b.body ELSE r.body END, r.cause
                   FROM temp.shown_before b JOIN instances i USING (instance_no)
                   LEFT JOIN records r ON r.instance_no = b.instance_no AND r.id = b.id
                   WHERE i.standing != 'self'
                     AND (b.kind IS NOT NULL OR r.id IS NOT NULL)
                     AND (b.kind IS NULL OR r.id IS NULL OR b.rev != r.rev
                          OR b.line_hash IS NOT r.line_hash OR b.cause IS NOT r.cause)
                   ORDER BY 1, 3, 2";
        let changed = {
            let mut statement = self.transaction.prepare(sql)?;
            let rows = statement.query_map([], read)?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        self.transaction.execute_batch(FORGET)?;
        Ok(changed)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Changed> {
    let difference = match row.get_ref(3)?.as_str()? {
        "new" => Difference::New,
        "changed" => Difference::Changed,
        _ => Difference::Gone,
    };
    Ok(Changed {
        origin: row.get::<_, Sql<InstanceId>>(0)?.0,
        id: row.get::<_, Sql<RecordId>>(1)?.0,
        kind: word(row, 2)?,
        difference,
        body: row.get(4)?,
        cause: row.get(5)?,
    })
}
