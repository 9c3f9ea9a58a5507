//! Between SQLite's values and the types of `wb-core`.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use wb_core::id::{Hash, InstanceId, LogId, RecordId, Token};
use wb_core::time::Timestamp;

/// A value of `wb-core` as SQLite stores it.
#[derive(Debug, Clone, Copy)]
pub struct Sql<T>(pub T);

macro_rules! bytes {
    ($($type:ty),*) => {$(
        impl ToSql for Sql<$type> {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(&self.0.as_bytes()[..]))
            }
        }

        impl ToSql for Sql<&$type> {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(&self.0.as_bytes()[..]))
            }
        }

        impl FromSql for Sql<$type> {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                <$type>::from_slice(value.as_blob()?).map(Self).ok_or(FromSqlError::InvalidType)
            }
        }
    )*};
}

bytes!(Hash, InstanceId, LogId, RecordId, Token);

impl ToSql for Sql<u64> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = i64::try_from(self.0)
            .map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))?;
        Ok(value.into())
    }
}

impl FromSql for Sql<u64> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        u64::try_from(value.as_i64()?)
            .map(Self)
            .map_err(|_| FromSqlError::InvalidType)
    }
}

impl ToSql for Sql<Timestamp> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.unix_ms().into())
    }
}

impl FromSql for Sql<Timestamp> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Timestamp::from_unix_ms(value.as_i64()?)
            .map(Self)
            .ok_or(FromSqlError::InvalidType)
    }
}

/// A statement that puts rows into a table, all columns of one row after all of the one before. It may fail after some of
/// them, and the transaction is dropped then: so SQLite need not keep what pages were before it, which costs more than
/// the rows.
pub fn insert(table: &str, columns: &[&str], rows: usize) -> String {
    let row = format!("({})", vec!["?"; columns.len()].join(", "));
    let (columns, rows) = (columns.join(", "), vec![row; rows].join(", "));
    format!("INSERT OR FAIL INTO {table} ({columns}) VALUES {rows}")
}

/// Reads a column that holds a word of `wb-core` (a scope, a kind …).
pub fn word<T: std::str::FromStr>(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map_err(|_| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            format!("`{text}` is not a known word").into(),
        )
    })
}

/// Reads a column that holds JSON this program wrote.
pub fn json<T: serde::de::DeserializeOwned>(
    row: &rusqlite::Row<'_>,
    column: usize,
) -> rusqlite::Result<T> {
    serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            Box::new(error),
        )
    })
}

/// Unwraps an optional column.
pub fn some<T>(value: Option<Sql<T>>) -> Option<T> {
    value.map(|Sql(value)| value)
}
