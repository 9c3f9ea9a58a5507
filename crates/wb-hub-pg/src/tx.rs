//! One transaction, as a thread that may block sees it.
//!
//! The rules of `wb-core` ask for what they need where they need it, so calls are written as plain code; each runs
//! on a thread of its own, and there are never more of them than connections.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use deadpool_postgres::Transaction;
use tokio::runtime::Handle;
use tokio_postgres::Row;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{FromSql, ToSql, Type};
use wb_core::id::{Hash, InstanceId, LogId, RecordId, Token};
use wb_core::time::Timestamp;

use crate::error::{PgError, Result};

/// Values of a statement.
pub(crate) type Values<'v> = &'v [&'v (dyn ToSql + Sync)];

/// A value that is put into a table.
pub(crate) type Boxed<'v> = Box<dyn ToSql + Send + Sync + 'v>;

/// A transaction. Dropped without [`Tx::commit`] it changes nothing.
pub(crate) struct Tx<'c> {
    transaction: Transaction<'c>,
    handle: Handle,
    refused: Cell<bool>,
}

impl<'c> Tx<'c> {
    pub fn new(transaction: Transaction<'c>, handle: Handle) -> Self {
        Self {
            transaction,
            handle,
            refused: Cell::new(false),
        }
    }

    async fn query(&self, sql: &str, values: Values<'_>) -> Result<Vec<Row>> {
        let statement = self.transaction.prepare_cached(sql).await?;
        Ok(self.transaction.query(&statement, values).await?)
    }

    /// All rows.
    pub fn rows(&self, sql: &str, values: Values<'_>) -> Result<Vec<Row>> {
        self.handle.block_on(self.query(sql, values))
    }

    /// The row, where there is one.
    pub fn row(&self, sql: &str, values: Values<'_>) -> Result<Option<Row>> {
        Ok(self.rows(sql, values)?.into_iter().next())
    }

    /// The row of a statement that always has one.
    pub fn one(&self, sql: &str, values: Values<'_>) -> Result<Row> {
        let row = self.row(sql, values)?;
        row.ok_or_else(|| PgError::damaged("a statement that has a row gave none"))
    }

    /// Changes something; how many rows.
    pub fn execute(&self, sql: &str, values: Values<'_>) -> Result<u64> {
        self.handle.block_on(async {
            let statement = self.transaction.prepare_cached(sql).await?;
            Ok(self.transaction.execute(&statement, values).await?)
        })
    }

    /// Several statements that are on their way at once and run in this order: one time there and back for all of
    /// them. They are prepared first; one that is not yet would let those behind it overtake.
    pub fn all<const N: usize>(
        &self,
        statements: [(&str, Values<'_>); N],
    ) -> Result<[Vec<Row>; N]> {
        self.handle.block_on(async {
            let prepared = statements.map(|(sql, _)| self.transaction.prepare_cached(sql));
            let mut queries = Vec::with_capacity(N);
            for (statement, (_, values)) in in_order(prepared).await.into_iter().zip(statements) {
                queries.push((statement?, values));
            }
            let queries = queries
                .iter()
                .map(|(statement, values)| self.transaction.query(statement, values));
            let rows = in_order(queries).await.into_iter();
            let rows: Vec<Vec<Row>> = rows.collect::<std::result::Result<_, _>>()?;
            let rows = rows.try_into();
            Ok(rows.unwrap_or_else(|_| unreachable!("as many as statements")))
        })
    }

    /// Every row of a statement, a batch at a time, for as long as `give` wants more.
    pub fn each(
        &self,
        sql: &str,
        rows_at_once: usize,
        mut give: impl FnMut(Vec<Row>) -> Result<bool>,
    ) -> Result<()> {
        let rows_at_once = i32::try_from(rows_at_once).unwrap_or(i32::MAX);
        self.handle.block_on(async {
            let statement = self.transaction.prepare_cached(sql).await?;
            let portal = self.transaction.bind(&statement, &[]).await?;
            loop {
                let rows = self.transaction.query_portal(&portal, rows_at_once).await?;
                if rows.is_empty() || !give(rows)? {
                    return Ok(());
                }
            }
        })
    }

    /// Puts rows into a table, as the statement `COPY … FROM STDIN BINARY` names it.
    pub fn copy(&self, sql: &str, types: &[Type], rows: &[Vec<Boxed<'_>>]) -> Result<()> {
        self.handle.block_on(async {
            let sink = self.transaction.copy_in(sql).await?;
            let mut writer = std::pin::pin!(BinaryCopyInWriter::new(sink, types));
            for row in rows {
                let values: Vec<&(dyn ToSql + Sync)> = row
                    .iter()
                    .map(|value| &**value as &(dyn ToSql + Sync))
                    .collect();
                writer.as_mut().write(&values).await?;
            }
            writer.finish().await?;
            Ok(())
        })
    }

    /// Text with several statements, without values.
    pub fn batch(&self, sql: &str) -> Result<()> {
        Ok(self.handle.block_on(self.transaction.batch_execute(sql))?)
    }

    /// Nothing of it is to count, although nothing went wrong.
    pub fn refuse(&self) {
        self.refused.set(true);
    }

    /// Makes it count, unless it was refused.
    pub fn commit(self) -> Result<()> {
        if self.refused.get() {
            return Ok(self.handle.block_on(self.transaction.rollback())?);
        }
        Ok(self.handle.block_on(self.transaction.commit())?)
    }
}

/// Waits for all, begun in their order.
async fn in_order<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in waiting.iter_mut().zip(&mut done) {
            if done.is_none()
                && let Poll::Ready(output) = future.as_mut().poll(context)
            {
                *done = Some(output);
            }
        }
        if done.iter().all(Option::is_some) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

/// Columns of a row as types of `wb-core`.
pub(crate) trait Columns {
    fn value<'r, T: FromSql<'r>>(&'r self, column: usize) -> Result<T>;

    fn bytes(&self, column: usize) -> Result<Vec<u8>> {
        self.value(column)
    }

    fn fixed<T>(&self, column: usize, read: impl Fn(&[u8]) -> Option<T>) -> Result<T> {
        let bytes: &[u8] = self.value(column)?;
        read(bytes).ok_or_else(|| PgError::damaged(format!("column {column} has another length")))
    }

    fn fixed_or<T>(&self, column: usize, read: impl Fn(&[u8]) -> Option<T>) -> Result<Option<T>> {
        let bytes: Option<&[u8]> = self.value(column)?;
        let Some(bytes) = bytes else { return Ok(None) };
        let read = read(bytes);
        read.map(Some)
            .ok_or_else(|| PgError::damaged(format!("column {column} has another length")))
    }

    fn instance(&self, column: usize) -> Result<InstanceId> {
        self.fixed(column, InstanceId::from_slice)
    }

    fn record(&self, column: usize) -> Result<RecordId> {
        self.fixed(column, RecordId::from_slice)
    }

    fn hash(&self, column: usize) -> Result<Hash> {
        self.fixed(column, Hash::from_slice)
    }

    fn hash_or(&self, column: usize) -> Result<Option<Hash>> {
        self.fixed_or(column, Hash::from_slice)
    }

    fn log(&self, column: usize) -> Result<LogId> {
        self.fixed(column, LogId::from_slice)
    }

    fn token(&self, column: usize) -> Result<Token> {
        self.fixed(column, Token::from_slice)
    }

    fn number(&self, column: usize) -> Result<u64> {
        let number: i64 = self.value(column)?;
        u64::try_from(number)
            .map_err(|_| PgError::damaged(format!("column {column} is below zero")))
    }

    fn time(&self, column: usize) -> Result<Timestamp> {
        let ms: i64 = self.value(column)?;
        time(ms)
    }

    fn time_or(&self, column: usize) -> Result<Option<Timestamp>> {
        let ms: Option<i64> = self.value(column)?;
        ms.map(time).transpose()
    }

    /// A word of `wb-core`: a kind, a standing …
    fn word<T: std::str::FromStr>(&self, column: usize) -> Result<T> {
        let word: &str = self.value(column)?;
        let read = word.parse();
        read.map_err(|_| PgError::damaged(format!("`{word}` is not a known word")))
    }
}

impl Columns for Row {
    fn value<'r, T: FromSql<'r>>(&'r self, column: usize) -> Result<T> {
        Ok(self.try_get(column)?)
    }
}

fn time(ms: i64) -> Result<Timestamp> {
    Timestamp::from_unix_ms(ms).ok_or_else(|| PgError::damaged("a time"))
}

/// A number as the database keeps it.
pub(crate) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Ids as an array.
pub(crate) fn ids(ids: &[InstanceId]) -> Vec<&[u8]> {
    ids.iter().map(|id| &id.0[..]).collect()
}
