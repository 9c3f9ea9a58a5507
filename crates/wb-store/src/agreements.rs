//! What members were asked to share more widely, and what they answered.

use rusqlite::{OptionalExtension as _, Row, params};
use wb_core::id::RecordId;
use wb_core::scope::Scope;
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::private::Private;
use crate::sql::{Sql, some, word};

/// What an author answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgreementAnswer {
    /// The record goes as far as was asked.
    Agreed,
    /// It stays as it is, and is not asked about again.
    Declined,
}

impl AgreementAnswer {
    /// The word in the database and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agreed => "agreed",
            Self::Declined => "declined",
        }
    }
}

impl std::str::FromStr for AgreementAnswer {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        match text {
            "agreed" => Ok(Self::Agreed),
            "declined" => Ok(Self::Declined),
            _ => Err(()),
        }
    }
}

/// One record that its author was asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// The record.
    pub record: RecordId,
    /// Its author.
    pub user: RecordId,
    /// How far it would go.
    pub scope: Scope,
    /// Who asked; none once that account is erased.
    pub asked_by: Option<RecordId>,
    /// When.
    pub asked_at: Timestamp,
    /// The answer; none while it waits.
    pub answer: Option<AgreementAnswer>,
    /// When it was given.
    pub answered_at: Option<Timestamp>,
}

const SELECT: &str =
    "SELECT record, user_id, scope, asked_by, asked_at, answer, answered_at FROM agreements";

impl Private {
    /// Asks an author about a record, in the place of what was asked before.
    ///
    /// # Errors
    /// What the database reports.
    pub fn put_agreement(&self, row: &Agreement) -> Result<()> {
        let sql = "INSERT INTO agreements (record, user_id, scope, asked_by, asked_at, answer, answered_at)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                   ON CONFLICT (record) DO UPDATE SET user_id = ?2, scope = ?3, asked_by = ?4, asked_at = ?5,
                     answer = ?6, answered_at = ?7";
        self.connection().prepare_cached(sql)?.execute(params![
            Sql(row.record),
            Sql(row.user),
            row.scope.as_str(),
            row.asked_by.map(Sql),
            Sql(row.asked_at),
            row.answer.map(AgreementAnswer::as_str),
            row.answered_at.map(Sql),
        ])?;
        Ok(())
    }

    /// Takes back an open question that goes beyond a scope. What was answered stays answered.
    ///
    /// # Errors
    /// What the database reports.
    pub fn withdraw_agreement(&self, record: &RecordId, beyond: Scope) -> Result<()> {
        let Some(row) = self.agreement(record)? else {
            return Ok(());
        };
        if row.answer.is_none() && row.scope > beyond {
            let sql = "DELETE FROM agreements WHERE record = ?1 AND answer IS NULL";
            self.connection()
                .prepare_cached(sql)?
                .execute([Sql(record)])?;
        }
        Ok(())
    }

    /// What an author was asked about a record.
    ///
    /// # Errors
    /// What the database reports.
    pub fn agreement(&self, record: &RecordId) -> Result<Option<Agreement>> {
        let sql = format!("{SELECT} WHERE record = ?1");
        let mut statement = self.connection().prepare_cached(&sql)?;
        Ok(statement.query_row([Sql(record)], read).optional()?)
    }

    /// Everything an author was asked, the oldest first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn agreements_of(&self, user: &RecordId) -> Result<Vec<Agreement>> {
        let sql = format!("{SELECT} WHERE user_id = ?1 ORDER BY asked_at, record");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let rows = statement.query_map([Sql(user)], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Everything that was asked and not answered, the oldest first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn agreements_waiting(&self) -> Result<Vec<Agreement>> {
        let sql = format!("{SELECT} WHERE answer IS NULL ORDER BY asked_at, record");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let rows = statement.query_map([], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Agreement> {
    let answer: Option<String> = row.get(5)?;
    Ok(Agreement {
        record: row.get::<_, Sql<_>>(0)?.0,
        user: row.get::<_, Sql<_>>(1)?.0,
        scope: word(row, 2)?,
        asked_by: some(row.get(3)?),
        asked_at: row.get::<_, Sql<_>>(4)?.0,
        answer: answer.and_then(|answer| answer.parse().ok()),
        answered_at: some(row.get(6)?),
    })
}
