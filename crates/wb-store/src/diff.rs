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

impl Write<'_> {
    /// Remembers what is shown now, to compare with later.
    ///
    /// # Errors
    /// What the database reports.
    pub fn remember_shown(&self) -> Result<()> {
        self.transaction.execute_batch(
            "DROP TABLE IF EXISTS temp.shown_before;
             CREATE TEMP TABLE shown_before AS
               SELECT instance_no, id, kind, rev, line_hash, body, cause FROM records
               WHERE instance_no NOT IN (SELECT instance_no FROM instances WHERE standing = 'self');
             CREATE UNIQUE INDEX temp.shown_before_key ON shown_before (instance_no, id);",
        )?;
        Ok(())
    }

    /// What differs from what was remembered, by origin, kind and id.
    ///
    /// # Errors
    /// What the database reports.
    pub fn changed_since(&self) -> Result<Vec<Changed>> {
        let sql = "SELECT i.id, r.id, r.kind, CASE WHEN b.id IS NULL THEN 'new' ELSE 'changed' END, r.body, r.cause
                   FROM records r JOIN instances i USING (instance_no)
                   LEFT JOIN temp.shown_before b ON b.instance_no = r.instance_no AND b.id = r.id
                   WHERE i.standing != 'self'
                     AND (b.id IS NULL OR b.rev != r.rev OR b.line_hash IS NOT r.line_hash OR b.cause IS NOT r.cause)
                   UNION ALL
                   SELECT i.id, b.id, b.kind, 'gone', b.body, NULL
                   FROM temp.shown_before b JOIN instances i USING (instance_no)
                   WHERE NOT EXISTS (SELECT 1 FROM records r WHERE r.instance_no = b.instance_no AND r.id = b.id)
                   ORDER BY 1, 3, 2";
        let mut statement = self.transaction.prepare(sql)?;
        let rows = statement.query_map([], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
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
