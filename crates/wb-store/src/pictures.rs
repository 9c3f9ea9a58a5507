//! Pictures that members asked to see, by the profile that names them.
//!
//! A picture never outlives what it belongs to: the fold that makes the row of a record drops it, in the same
//! transaction, when the record is gone, hidden, or names another address; and so does a decision against its
//! origin. It is a copy of something from elsewhere, so it may always go, and be fetched again.

use std::str::FromStr;

use rusqlite::{Connection, OptionalExtension as _, params};
use wb_core::id::{RecordId, RecordRef};
use wb_core::kinds::Body;
use wb_core::scope::Kind;
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::levels::{IS_SHOWN, RECORD_IS_SHOWN};
use crate::project::picture as named;
use crate::sql::{Sql, word};
use crate::store::{Store, Write};

/// Most pictures that are kept; protects the disk, and backups. The oldest go first.
pub const PICTURES_MAX: u64 = 500;

/// Most bytes of pictures that are kept; protects the disk, and backups. The oldest go first.
pub const PICTURES_BYTES_MAX: u64 = 32 * 1_024 * 1_024;

/// How a picture is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFormat {
    /// What has no holes.
    Jpeg,
    /// What one can see through in places.
    Png,
}

impl PictureFormat {
    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
        }
    }
}

impl FromStr for PictureFormat {
    type Err = ();

    fn from_str(word: &str) -> std::result::Result<Self, ()> {
        match word {
            "jpeg" => Ok(Self::Jpeg),
            "png" => Ok(Self::Png),
            _ => Err(()),
        }
    }
}

/// A picture as this node wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// How it is written.
    pub format: PictureFormat,
    /// Points from left to right.
    pub width: u32,
    /// Points from top to bottom.
    pub height: u32,
    /// The file.
    pub bytes: Vec<u8>,
}

/// A picture that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptPicture {
    /// The address it came from, as the record says it.
    pub address: String,
    /// When it was fetched.
    pub at: Timestamp,
    /// What it is.
    pub picture: Picture,
}

impl Store {
    /// The picture that is kept of a profile.
    ///
    /// # Errors
    /// What the database reports.
    pub fn picture(&self, key: &RecordRef) -> Result<Option<KeptPicture>> {
        let sql = "SELECT p.address, p.at, p.format, p.width, p.height, p.bytes
                   FROM pictures p JOIN instances i USING (instance_no) WHERE i.id = ?1 AND p.id = ?2";
        let mut statement = self.main().prepare_cached(sql)?;
        let found = statement.query_row(params![Sql(key.origin), Sql(key.id)], |row| {
            Ok(KeptPicture {
                address: row.get(0)?,
                at: row.get::<_, Sql<Timestamp>>(1)?.0,
                picture: Picture {
                    format: word(row, 2)?,
                    width: row.get(3)?,
                    height: row.get(4)?,
                    bytes: row.get(5)?,
                },
            })
        });
        Ok(found.optional()?)
    }
}

impl Write<'_> {
    /// Keeps a picture of a profile in the place of the one before; the oldest go where there are too many. False,
    /// and nothing is kept, where the profile is not shown or does not name this address (any more).
    ///
    /// # Errors
    /// What the database reports.
    pub fn keep_picture(
        &self,
        key: &RecordRef,
        address: &str,
        picture: &Picture,
        now: Timestamp,
    ) -> Result<bool> {
        let sql = format!(
            "SELECT r.instance_no, r.kind, r.body FROM records r JOIN instances i USING (instance_no)
             WHERE i.id = ?1 AND r.id = ?2 AND r.cause IS NULL AND {RECORD_IS_SHOWN}"
        );
        let mut statement = self.transaction.prepare_cached(&sql)?;
        let shown = statement
            .query_row(params![Sql(key.origin), Sql(key.id)], |row| {
                Ok((row.get(0)?, word(row, 1)?, row.get(2)?))
            })
            .optional()?;
        let Some((instance_no, kind, body)): Option<(i64, Kind, Option<String>)> = shown else {
            return Ok(false);
        };
        let body = body.and_then(|body| Body::read(&kind, 1, key.origin, &body).ok());
        if body.as_ref().and_then(named).as_deref() != Some(address) {
            return Ok(false);
        }
        self.transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO pictures (instance_no, id, address, format, width, height, bytes, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                instance_no,
                Sql(key.id),
                address,
                picture.format.as_str(),
                picture.width,
                picture.height,
                picture.bytes,
                Sql(now),
            ])?;
        make_room(&self.transaction, PICTURES_MAX, PICTURES_BYTES_MAX)?;
        Ok(true)
    }

    /// Drops the picture of a profile. True where there was one.
    ///
    /// # Errors
    /// What the database reports.
    pub fn drop_picture(&self, key: &RecordRef) -> Result<bool> {
        let sql = "DELETE FROM pictures WHERE id = ?2
                   AND instance_no = (SELECT instance_no FROM instances WHERE id = ?1)";
        let mut statement = self.transaction.prepare_cached(sql)?;
        Ok(statement.execute(params![Sql(key.origin), Sql(key.id)])? > 0)
    }

    /// Drops every picture: of a copy that was restored nobody knows what was taken back since.
    pub(crate) fn drop_pictures(&self) -> Result<()> {
        self.transaction.execute("DELETE FROM pictures", [])?;
        Ok(())
    }
}

/// Drops the picture of a record, unless this is the address that the record names and shows.
pub(crate) fn drop_unless(
    connection: &Connection,
    instance_no: i64,
    id: &RecordId,
    address: Option<&str>,
) -> Result<()> {
    let sql = "DELETE FROM pictures WHERE instance_no = ?1 AND id = ?2 AND address IS NOT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    statement.execute(params![instance_no, Sql(id), address])?;
    Ok(())
}

/// Drops the pictures of an instance of which nothing is shown any more.
pub(crate) fn drop_of_hidden(connection: &Connection) -> Result<()> {
    let sql = format!(
        "DELETE FROM pictures WHERE instance_no IN (SELECT instance_no FROM instances i
           WHERE NOT {IS_SHOWN} AND NOT (i.standing = 'waiting'
             AND EXISTS (SELECT 1 FROM fallen f WHERE f.instance_no = i.instance_no)))"
    );
    connection.prepare_cached(&sql)?.execute([])?;
    Ok(())
}

/// Drops the pictures whose record has no row.
pub(crate) fn drop_without_record(connection: &Connection) -> Result<()> {
    connection.execute(
        "DELETE FROM pictures WHERE NOT EXISTS (SELECT 1 FROM records r
           WHERE r.instance_no = pictures.instance_no AND r.id = pictures.id)",
        [],
    )?;
    Ok(())
}

/// Drops the oldest until there are no more than so many of so many bytes.
fn make_room(connection: &Connection, count_max: u64, bytes_max: u64) -> Result<()> {
    let sql = "DELETE FROM pictures WHERE picture_no IN (
                 SELECT picture_no FROM (
                   SELECT picture_no, count(*) OVER newest AS place, sum(length(bytes)) OVER newest AS held
                   FROM pictures WINDOW newest AS (ORDER BY picture_no DESC ROWS UNBOUNDED PRECEDING))
                 WHERE place > ?1 OR held > ?2)";
    let mut statement = connection.prepare_cached(sql)?;
    statement.execute(params![Sql(count_max), Sql(bytes_max)])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::{MAIN, Opening, open};

    #[test]
    fn the_oldest_go_where_there_are_too_many_or_too_much() {
        let dir = tempfile::tempdir().unwrap();
        let connection = open(&dir.path().join("wb.db"), MAIN, Opening::Make).unwrap();
        connection
            .execute("INSERT INTO instances (instance_no, id, standing, first_seen) VALUES (1, x'00', 'approved', 0)", [])
            .unwrap();
        let keep = |id: u8, bytes: i64| {
            let sql = "INSERT OR REPLACE INTO pictures (instance_no, id, address, format, width, height, bytes, at)
                       VALUES (1, ?1, '', 'png', 1, 1, zeroblob(?2), 0)";
            connection.execute(sql, params![[id], bytes]).unwrap();
        };
        let held = || -> Vec<Vec<u8>> {
            let sql = "SELECT id FROM pictures ORDER BY picture_no";
            let mut statement = connection.prepare(sql).unwrap();
            let rows = statement.query_map([], |row| row.get(0)).unwrap();
            rows.collect::<rusqlite::Result<_>>().unwrap()
        };
        for id in 1..=5 {
            keep(id, 100);
        }
        // Fetched again: it is the newest.
        keep(1, 100);
        make_room(&connection, 4, 1_000).unwrap();
        assert_eq!(held(), [vec![3], vec![4], vec![5], vec![1]]);
        make_room(&connection, 4, 399).unwrap();
        assert_eq!(held(), [vec![4], vec![5], vec![1]]);
        make_room(&connection, 4, 300).unwrap();
        assert_eq!(held().len(), 3);
    }
}
