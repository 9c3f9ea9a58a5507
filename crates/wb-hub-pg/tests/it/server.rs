//! The server of these tests: one for each process that runs some of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use wb_core::id::LogId;
use wb_hub_pg::PgHub;
use wb_throwaway::{FAST, Server};

static SERVER: OnceLock<Server> = OnceLock::new();
static MADE: AtomicU64 = AtomicU64::new(0);
/// A server makes one database at a time.
static MAKING: Mutex<()> = Mutex::new(());

/// The server.
pub fn server() -> &'static Server {
    SERVER.get_or_init(|| Server::start(&FAST).unwrap_or_else(|error| panic!("{error}")))
}

/// The address of an empty database, and a number that no other has.
pub fn database() -> (String, u64) {
    let number = MADE.fetch_add(1, Ordering::SeqCst) + 1;
    let _turn = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let url = server().database(&format!("hub_{number}"));
    (url.expect("a database"), number)
}

/// A hub in a database, with a relay log of its own where it begins one.
pub fn hub(url: &str, log: u64) -> PgHub {
    let address = url.parse().expect("an address");
    PgHub::new(&address, log_id(log)).expect("a hub")
}

/// The relay log of a number.
pub fn log_id(number: u64) -> LogId {
    LogId(u128::from(number).to_be_bytes())
}

/// A hub in an empty database.
pub fn empty_hub() -> PgHub {
    let (url, number) = database();
    hub(&url, number)
}
