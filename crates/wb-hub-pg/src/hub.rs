//! A hub in PostgreSQL: several processes share one database, each with connections of its own.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;
use wb_core::id::{InstanceId, LogId};
use wb_core::limits::PAGE_BYTES_TARGET;
use wb_core::time::Timestamp;
use wb_hub::{Kept, StoreLimits, StoreProblem};

use crate::address::Address;
use crate::error::Result;
use crate::listen::Heard;
use crate::pool::{Connections, Does};
use crate::tx::{Columns as _, Tx};
use crate::write::{Left, Write};
use crate::{arrivals, schema, tell};

/// A hub in PostgreSQL.
#[derive(Clone)]
pub struct PgHub {
    shared: Arc<Shared>,
    pub(crate) page_bytes: usize,
    pub(crate) limits: StoreLimits,
}

struct Shared {
    connections: Connections,
    numbering: InTurn,
    telling: InTurn,
}

/// Work that is for all who committed before it began: one call of this process does it at a time, and those who came
/// while it waited for its turn need not.
#[derive(Debug, Default)]
struct InTurn {
    turn: Mutex<()>,
    /// How often it was begun, and which of these was done last.
    begun: AtomicU64,
    done: AtomicU64,
}

impl InTurn {
    /// Does the work, unless another call began to since this one came, and ended.
    async fn run(&self, work: impl Future<Output = Kept<()>>) -> Kept<()> {
        let seen = self.begun.load(Ordering::SeqCst);
        let _turn = self.turn.lock().await;
        if self.done.load(Ordering::SeqCst) > seen {
            return Ok(());
        }
        let turn = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        work.await?;
        self.done.store(turn, Ordering::SeqCst);
        Ok(())
    }
}

impl std::fmt::Debug for PgHub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PgHub")
    }
}

impl PgHub {
    /// A hub in the database at an address. Nothing is asked of it yet: the first call makes its tables, or
    /// brings them up to date, and begins its arrivals under the log given, 16 fresh random bytes.
    ///
    /// # Errors
    /// When connections cannot be made like that.
    pub fn new(address: &Address, log_if_new: LogId) -> std::result::Result<Self, crate::PgError> {
        Self::of(Connections::new(address, Some(log_if_new))?)
    }

    /// The hub that is in a database: nothing is made there, and nothing brought to another format under the program that
    /// runs it.
    ///
    /// # Errors
    /// When connections cannot be made like that.
    pub fn existing(address: &Address) -> std::result::Result<Self, crate::PgError> {
        Self::of(Connections::new(address, None)?)
    }

    fn of(connections: Connections) -> std::result::Result<Self, crate::PgError> {
        Ok(Self {
            shared: Arc::new(Shared {
                connections,
                numbering: InTurn::default(),
                telling: InTurn::default(),
            }),
            page_bytes: PAGE_BYTES_TARGET,
            limits: StoreLimits::default(),
        })
    }

    /// Ends pages after so many bytes. The protocol names a target; a hub may stay below it.
    #[must_use]
    pub fn with_page_bytes(self, page_bytes: usize) -> Self {
        Self { page_bytes, ..self }
    }

    /// Keeps no more than that.
    #[must_use]
    pub fn with_limits(self, limits: StoreLimits) -> Self {
        Self { limits, ..self }
    }

    /// Makes the tables, or brings them up to date.
    ///
    /// # Errors
    /// What the database reports, and `Newer` where another program has to be upgraded.
    pub async fn prepare(&self) -> std::result::Result<(), crate::PgError> {
        self.shared.connections.ready().await?;
        Ok(())
    }

    /// Makes sure that the database is that of the hub of an instance, and gives its relay log. Whoever comes first
    /// makes it theirs.
    ///
    /// # Errors
    /// What the database reports, and `OfAnother`.
    pub async fn claim(&self, own: InstanceId) -> std::result::Result<LogId, crate::PgError> {
        let connections = &self.shared.connections;
        connections.ready().await?;
        let claim = move |tx: &Tx<'_>| {
            let id = &own.0[..];
            tx.execute("UPDATE relay SET owner = $1 WHERE owner IS NULL", &[&id])?;
            let row = tx.one("SELECT owner, log FROM relay", &[])?;
            Ok((row.instance(0)?, row.log(1)?))
        };
        match connections.run(Does::Write, claim).await? {
            (owner, log) if owner == own => Ok(log),
            (owner, _) => Err(crate::PgError::OfAnother(owner)),
        }
    }

    /// Tells, for as long as it runs, when something may have arrived through another process.
    pub async fn listen(&self, tell: impl FnMut(Heard)) {
        self.shared.connections.listen(tell).await;
    }

    /// Whether the engine tells listeners of something.
    pub(crate) async fn can_notify(&self) -> Kept<bool> {
        Ok(self.shared.connections.ready().await?.can_notify)
    }

    /// Whether it hears of what any process numbers, also itself.
    pub(crate) fn hears(&self) -> bool {
        self.shared.connections.hears()
    }

    /// Reads as of one moment.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&Tx<'_>) -> Result<T> + Send + Sync + 'static,
    ) -> Kept<T> {
        self.shared.connections.ready().await?;
        Ok(self.shared.connections.run(Does::Read, work).await?)
    }

    /// Writes what leaves nothing to be done, where this program still may.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&Tx<'_>) -> Result<T> + Send + Sync + 'static,
    ) -> Kept<T> {
        let checked = move |tx: &Tx<'_>| {
            schema::check_now(tx)?;
            work(tx)
        };
        self.write_checked(checked).await
    }

    /// The same, where the work asks by itself whether it still may.
    async fn write_checked<T: Send + 'static>(
        &self,
        work: impl Fn(&Tx<'_>) -> Result<T> + Send + Sync + 'static,
    ) -> Kept<T> {
        self.shared.connections.ready().await?;
        Ok(self.shared.connections.run(Does::Write, work).await?)
    }

    /// The same as [`PgHub::change_of_member`], where the work locks no member first.
    pub(crate) async fn change<T: Send + 'static, R: Send + 'static>(
        &self,
        now: Timestamp,
        work: impl Fn(&Write<'_, '_>) -> Result<std::result::Result<T, R>> + Send + Sync + 'static,
    ) -> Kept<std::result::Result<T, R>> {
        let checked = move |write: &Write<'_, '_>| {
            schema::check_now(write.tx)?;
            work(write)
        };
        self.change_of_member(now, checked).await
    }

    /// Writes something of members, then does what that left to do. Where the work refuses, nothing is written. It
    /// goes on to its end also where nobody waits for it any more. The work locks a member first, and asks along whether
    /// this program still may write.
    pub(crate) async fn change_of_member<T: Send + 'static, R: Send + 'static>(
        &self,
        now: Timestamp,
        work: impl Fn(&Write<'_, '_>) -> Result<std::result::Result<T, R>> + Send + Sync + 'static,
    ) -> Kept<std::result::Result<T, R>> {
        let hub = self.clone();
        let changing = tokio::spawn(async move {
            let changed = hub.write_checked(move |tx| {
                let write = Write::new(tx, now);
                let done = work(&write)?;
                let left = match &done {
                    Ok(_) => write.finish()?,
                    Err(_) => {
                        tx.refuse();
                        Left::default()
                    }
                };
                Ok((done, left))
            });
            let (done, left) = changed.await?;
            hub.do_what_is_left(left).await?;
            Ok(done)
        });
        let changed = changing.await;
        changed.map_err(|error| StoreProblem::Failed(error.to_string()))?
    }

    async fn do_what_is_left(&self, left: Left) -> Kept<()> {
        let number = async {
            match left.arriving {
                true => self.number().await,
                false => Ok(()),
            }
        };
        let tell = async {
            match left.untold {
                true => self.tell().await,
                false => Ok(()),
            }
        };
        // Neither needs what the other does: they wait for the disk at once.
        let (numbered, told) = tokio::join!(number, tell);
        numbered.and(told)
    }

    /// Gives numbers to what was committed before this was called.
    pub(crate) async fn number(&self) -> Kept<()> {
        let number = async {
            let can_notify = self.can_notify().await?;
            while self
                .write(move |tx| arrivals::number(tx, can_notify))
                .await?
            {}
            Ok(())
        };
        self.shared.numbering.run(number).await
    }

    /// Tells where requests stand of which something was committed before this was called.
    pub(crate) async fn tell(&self) -> Kept<()> {
        let tell = async {
            while self.write(tell::tell).await? {}
            Ok(())
        };
        self.shared.telling.run(tell).await
    }
}
