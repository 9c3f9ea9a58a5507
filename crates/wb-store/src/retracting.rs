//! Why a record of this instance is taken back, noted from the decision until it is sealed.

use rusqlite::{OptionalExtension as _, params};
use wb_core::entry::Reason;
use wb_core::id::RecordId;

use crate::erased::ErasedList;
use crate::error::Result;
use crate::sql::Sql;
use crate::store::{Store, Write};

/// The reason that a word stands for; whatever it is, it is one of three.
pub(crate) fn reason_of(word: &str) -> Reason {
    match word {
        "erase" => Reason::Erase,
        "mistake" => Reason::Mistake,
        _ => Reason::Scope,
    }
}

impl Store {
    /// The reason that was given for taking a record back, while that is not sealed yet.
    ///
    /// # Errors
    /// What the database reports.
    pub fn retract_reason(&self, id: &RecordId) -> Result<Option<Reason>> {
        let sql = "SELECT reason FROM retract_reasons WHERE id = ?1";
        let mut statement = self.main().prepare_cached(sql)?;
        let word: Option<String> = statement
            .query_row([Sql(id)], |row| row.get(0))
            .optional()?;
        Ok(word.as_deref().map(reason_of))
    }
}

impl Write<'_> {
    /// Notes why a record is taken back with the next sealing.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_retract_reason(&self, id: &RecordId, reason: Reason) -> Result<()> {
        self.transaction.execute(
            "INSERT INTO retract_reasons (id, reason) VALUES (?1, ?2)
             ON CONFLICT (id) DO UPDATE SET reason = excluded.reason",
            params![Sql(id), reason.as_str()],
        )?;
        Ok(())
    }

    /// It was sealed, or is not taken back after all.
    ///
    /// # Errors
    /// What the database reports.
    pub fn drop_retract_reason(&self, id: &RecordId) -> Result<()> {
        let sql = "DELETE FROM retract_reasons WHERE id = ?1";
        self.transaction.prepare_cached(sql)?.execute([Sql(id)])?;
        Ok(())
    }

    /// Removes the texts of void lines that nobody's decision is to bring back: of whoever is on the list of who was
    /// erased, also where no record of theirs is here, because somebody else published it with a stolen key.
    ///
    /// # Errors
    /// What the database reports, or that the list is damaged.
    pub fn erase_void_of_erased(&self) -> Result<()> {
        let Some(list) = ErasedList::read(self.home)? else {
            return Ok(());
        };
        let sql = "SELECT void_no, line FROM void_own WHERE line IS NOT NULL";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut theirs: Vec<i64> = Vec::new();
        while let Some(row) = rows.next()? {
            let line: Vec<u8> = row.get(1)?;
            if list.has_line(&line) {
                theirs.push(row.get(0)?);
            }
        }
        let sql = "UPDATE void_own SET line = NULL WHERE void_no = ?1";
        for void_no in theirs {
            self.transaction.prepare_cached(sql)?.execute([void_no])?;
        }
        Ok(())
    }

    /// Removes the text of what a recovery made void of a record: it was erased since.
    ///
    /// # Errors
    /// What the database reports.
    pub fn erase_void(&self, id: &RecordId) -> Result<()> {
        let sql = "UPDATE void_own SET line = NULL WHERE id = ?1 AND line IS NOT NULL";
        self.transaction.prepare_cached(sql)?.execute([Sql(id)])?;
        Ok(())
    }
}
