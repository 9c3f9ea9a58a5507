//! What a transaction would change of what is shown, record by record.
//!
//! A preview is the import itself, in a transaction that is dropped: so the two cannot disagree.

use rusqlite::{Connection, Row};
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

impl Changed {
    /// Where it stands in a list.
    fn place(&self) -> (&InstanceId, &str, &RecordId) {
        (&self.origin, self.kind.as_str(), &self.id)
    }
}

/// Records of an instance that is new here from which on its rows are not looked at one by one. Below it that costs
/// less than to stop looking.
const MANY_NEW: u64 = 1_000;

/// Keeps of each row that changes what it was before its first change; a row that is new is kept
/// without a kind. So the cost is that of what changes, not of what is held. Of an instance that is new, every row is.
const REMEMBER: &str = "
    CREATE TEMP TABLE shown_before (
        instance_no INTEGER NOT NULL, id BLOB NOT NULL,
        kind TEXT, rev INTEGER, line_hash BLOB, body TEXT, cause TEXT,
        PRIMARY KEY (instance_no, id)
    ) WITHOUT ROWID;
    CREATE TEMP TABLE shown_first (instance_no INTEGER PRIMARY KEY);";

const LOOK: &str = "
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

const LOOK_AWAY: &str = "
    DROP TRIGGER IF EXISTS temp.shown_updated;
    DROP TRIGGER IF EXISTS temp.shown_deleted;
    DROP TRIGGER IF EXISTS temp.shown_inserted;";

const FORGET: &str = "
    DROP TABLE IF EXISTS temp.shown_before;
    DROP TABLE IF EXISTS temp.shown_first;";

/// Looks away while a feed of an instance that is new here comes. Returns whether [`look_again`] is due after it.
pub(crate) fn look_away(connection: &Connection, instance_no: i64, records: u64) -> Result<bool> {
    let remembers = "SELECT 1 FROM temp.sqlite_schema WHERE name = 'shown_inserted'";
    if records < MANY_NEW || !connection.prepare(remembers)?.exists([])? {
        return Ok(false);
    }
    let first = "INSERT INTO temp.shown_first VALUES (?1) ON CONFLICT DO NOTHING";
    connection.execute(first, [instance_no])?;
    connection.execute_batch(LOOK_AWAY)?;
    Ok(true)
}

/// Remembers again what is shown before it changes.
pub(crate) fn look_again(connection: &Connection) -> Result<()> {
    Ok(connection.execute_batch(LOOK)?)
}

/// Puts changes in the order of a list: by origin, kind and id.
pub fn sort_changed(changed: &mut [Changed]) {
    changed.sort_unstable_by(|a, b| a.place().cmp(&b.place()));
}

impl Write<'_> {
    /// Remembers from now on what is shown before it changes, to compare with later.
    ///
    /// # Errors
    /// What the database reports.
    pub fn remember_shown(&self) -> Result<()> {
        self.forget_shown()?;
        self.transaction.execute_batch(REMEMBER)?;
        Ok(self.transaction.execute_batch(LOOK)?)
    }

    /// What of other instances differs from what was remembered, by origin, kind and id. Nothing is
    /// remembered any more afterwards.
    ///
    /// # Errors
    /// What the database reports.
    pub fn changed_since(&self) -> Result<Vec<Changed>> {
        let mut changed = Vec::new();
        self.each_changed(|change| changed.push(change))?;
        sort_changed(&mut changed);
        Ok(changed)
    }

    /// The same one by one, in whatever order, for what may be more than memory should hold.
    ///
    /// # Errors
    /// What the database reports.
    pub fn each_changed(&self, mut receive: impl FnMut(Changed)) -> Result<()> {
        // In this order: what differs is little, and records are many.
        let sql = "SELECT i.id, b.id, ifnull(r.kind, b.kind),
                     CASE WHEN b.kind IS NULL THEN 'new' WHEN r.id IS NULL THEN 'gone' ELSE 'changed' END,
                     CASE WHEN r.id IS NULL THEN b.body ELSE r.body END, r.cause
                   FROM temp.shown_before b CROSS JOIN instances i USING (instance_no)
                   LEFT JOIN records r ON r.instance_no = b.instance_no AND r.id = b.id
                   WHERE i.standing != 'self'
                     AND b.instance_no NOT IN (SELECT instance_no FROM temp.shown_first)
                     AND (b.kind IS NOT NULL OR r.id IS NOT NULL)
                     AND (b.kind IS NULL OR r.id IS NULL OR b.rev != r.rev
                          OR b.line_hash IS NOT r.line_hash OR b.cause IS NOT r.cause)
                   UNION ALL
                   SELECT i.id, r.id, r.kind, 'new', r.body, r.cause
                   FROM temp.shown_first f CROSS JOIN instances i USING (instance_no)
                   CROSS JOIN records r USING (instance_no)
                   WHERE i.standing != 'self'";
        let mut statement = self.transaction.prepare(sql)?;
        for change in statement.query_map([], read)? {
            receive(change?);
        }
        drop(statement);
        self.forget_shown()
    }

    fn forget_shown(&self) -> Result<()> {
        self.transaction.execute_batch(LOOK_AWAY)?;
        Ok(self.transaction.execute_batch(FORGET)?)
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

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, params};

    use super::{Difference, MANY_NEW, look_again, look_away};
    use crate::home::Home;
    use crate::open::{MAIN, Opening, open};
    use crate::store::Write;

    fn put_instance(connection: &Connection, number: u8, standing: &str) {
        let sql =
            "INSERT INTO instances (instance_no, id, standing, first_seen) VALUES (?1, ?2, ?3, 0)";
        let values = params![number, [number; 32], standing];
        connection.execute(sql, values).expect("an instance");
    }

    fn put_record(connection: &Connection, instance_no: u8, number: u8) {
        let mut id = [number; 16];
        (id[6], id[8]) = (0x70, 0x80);
        let sql =
            "INSERT INTO records (instance_no, id, kind, scope, rev, author, at, created_at, body)
                   VALUES (?1, ?2, 'request', 'public', 1, 'instance', 0, 0, '{}')";
        connection
            .execute(sql, params![instance_no, id])
            .expect("a record");
    }

    /// What came while nobody looked is told as what it is, new, and once; and what changes after it is told as well.
    #[test]
    fn an_instance_that_is_new_is_told_whole_and_others_record_by_record() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("wb.db");
        let mut connection = open(&path, MAIN, Opening::Make).expect("a file");
        let home = Home::new(dir.path());
        put_instance(&connection, 1, "self");
        put_instance(&connection, 2, "approved");
        put_instance(&connection, 3, "approved");
        put_record(&connection, 2, 20);
        let write = Write::new(connection.transaction().expect("a transaction"), &home);
        let connection = &write.transaction;
        let looks_away = |records| look_away(connection, 3, records).expect("a file");

        assert!(!looks_away(MANY_NEW), "nothing is remembered yet");
        write.remember_shown().expect("a file");
        assert!(!looks_away(MANY_NEW - 1), "so few are told one by one");
        put_record(connection, 3, 30);
        assert!(looks_away(MANY_NEW));
        put_record(connection, 3, 31);
        look_again(connection).expect("a file");
        put_record(connection, 3, 32);
        put_record(connection, 2, 21);
        connection
            .execute("DELETE FROM records WHERE instance_no = 2 AND id = (SELECT min(id) FROM records WHERE instance_no = 2)", [])
            .expect("a record");

        let changed = write.changed_since().expect("a file");
        let told: Vec<(u8, u8, Difference)> = changed
            .iter()
            .map(|one| {
                (
                    one.origin.as_bytes()[0],
                    one.id.as_bytes()[0],
                    one.difference,
                )
            })
            .collect();
        let expected = [
            (2, 20, Difference::Gone),
            (2, 21, Difference::New),
            (3, 30, Difference::New),
            (3, 31, Difference::New),
            (3, 32, Difference::New),
        ];
        assert_eq!(told, expected);
        // Nothing is remembered any more.
        assert!(!looks_away(MANY_NEW));
    }
}
