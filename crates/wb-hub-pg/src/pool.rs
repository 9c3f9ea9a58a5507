//! Connections, and transactions on them: tried again where another one was in the way or a connection was lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
};
use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use tokio_postgres::IsolationLevel;
use wb_core::id::LogId;

use crate::address::Address;
use crate::arrivals;
use crate::error::{PgError, Result};
use crate::listen::{Heard, listen};
use crate::moving::fence;
use crate::schema;
use crate::tls::Tls;
use crate::tx::Tx;

/// Connections of one process. A call holds one while it runs; more calls wait for one.
pub const CONNECTIONS: usize = 16;
/// Longest wait for a connection, to be made or to come free.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a transaction is tried that another one was in the way of.
const TRIES: u32 = 5;
/// The rest before it is tried again; longer each time.
const REST: Duration = Duration::from_millis(20);
/// The same while the database cannot be reached: in all some five seconds, in which it may start anew, or a standby
/// take its place.
const TRIES_AWAY: u32 = 7;
const REST_AWAY: Duration = Duration::from_millis(50);

/// What a transaction does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    /// It reads, as of one moment.
    Read,
    /// It writes; what others committed meanwhile is seen by each statement, and rows are locked by name.
    Write,
}

/// What there is in one engine and not in another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Engine {
    /// It tells listeners of something.
    pub can_notify: bool,
}

/// Connections to one database.
pub(crate) struct Connections {
    pool: Pool,
    /// For the one that listens.
    config: tokio_postgres::Config,
    tls: Tls,
    hears: AtomicBool,
    /// The relay log that a database without one begins with; none where it has to be there.
    log_if_new: Option<LogId>,
    /// Set once the tables are those that this program knows: what the engine can.
    ready: OnceCell<Engine>,
}

impl Connections {
    pub fn new(address: &Address, log_if_new: Option<LogId>) -> Result<Self> {
        let tls = Tls::new(address.roots.as_deref())?;
        let how = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_config(address.config.clone(), tls.clone(), how);
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .recycle_timeout(Some(PATIENCE))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| PgError::Address(error.to_string()))?;
        Ok(Self {
            pool,
            config: address.config.clone(),
            tls,
            hears: AtomicBool::new(false),
            log_if_new,
            ready: OnceCell::new(),
        })
    }

    async fn connection(&self) -> Result<Object> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => PgError::Database(error),
            _ => PgError::NoConnection,
        })
    }

    /// Makes sure that the tables are those that this program knows. The first call does; while the database is away
    /// each tries again.
    pub async fn ready(&self) -> Result<Engine> {
        let ready = self.ready.get_or_try_init(|| self.prepare()).await;
        ready.copied()
    }

    async fn prepare(&self) -> Result<Engine> {
        let current = |tx: &Tx<'_>| {
            let engine = Engine {
                can_notify: arrivals::can_notify(tx)?,
            };
            Ok(schema::is_current(tx)?.then_some(engine))
        };
        let mut looked = self.run(Does::Read, current).await;
        if matches!(looked, Err(PgError::Fenced)) {
            // A move that did not end is no reason to stay away from where everything still is.
            self.run(Does::Write, fence::lift).await?;
            looked = self.run(Does::Read, current).await;
        }
        if let Some(engine) = looked? {
            return Ok(engine);
        }
        let log = self.log_if_new.ok_or(PgError::Absent)?;
        match self.run(Does::Write, schema::begin).await {
            Err(error) if schema::was_made_by_another(&error) => {}
            begun => begun?,
        }
        let migrate = move |tx: &Tx<'_>| {
            schema::migrate(tx)?;
            arrivals::begin(tx, log)?;
            Ok(Engine {
                can_notify: arrivals::can_notify(tx)?,
            })
        };
        self.run(Does::Write, migrate).await
    }

    /// Tells of arrivals for as long as it runs.
    pub async fn listen(&self, tell: impl FnMut(Heard)) {
        listen(self.config.clone(), self.tls.clone(), &self.hears, tell).await;
    }

    /// Whether it hears of what any process numbers, also itself.
    pub fn hears(&self) -> bool {
        self.hears.load(Ordering::Relaxed)
    }

    /// Runs a transaction on a thread that may block, and commits what it wrote.
    pub async fn run<T: Send + 'static>(
        &self,
        does: Does,
        work: impl Fn(&Tx<'_>) -> Result<T> + Send + Sync + 'static,
    ) -> Result<T> {
        let work = Arc::new(work);
        let mut tries = 1;
        loop {
            let done = self.run_once(does, Arc::clone(&work)).await;
            let rest = match &done {
                Err(error) if error.is_in_the_way() && tries < TRIES => REST,
                Err(error) if error.is_away() && tries < TRIES_AWAY => REST_AWAY,
                _ => return done,
            };
            tokio::time::sleep(rest * tries * tries).await;
            tries += 1;
        }
    }

    /// The same once: it is not tried again.
    pub async fn run_once<T: Send + 'static>(
        &self,
        does: Does,
        work: Arc<impl Fn(&Tx<'_>) -> Result<T> + Send + Sync + 'static>,
    ) -> Result<T> {
        // Taken before the thread is: there are never more of these than connections.
        let mut connection = self.connection().await?;
        let handle = Handle::current();
        let run = move || {
            let transaction = handle.block_on(async {
                let begin = connection.build_transaction();
                match does {
                    Does::Read => {
                        let begin = begin.isolation_level(IsolationLevel::RepeatableRead);
                        begin.read_only(true).start().await
                    }
                    Does::Write => {
                        begin
                            .isolation_level(IsolationLevel::ReadCommitted)
                            .start()
                            .await
                    }
                }
            })?;
            let tx = Tx::new(transaction, handle.clone());
            let done = work(&tx)?;
            if does == Does::Write {
                tx.commit()?;
            }
            Ok(done)
        };
        let ran = tokio::task::spawn_blocking(run).await;
        ran.map_err(|error| PgError::Thread(error.to_string()))?
    }
}
