//! The store that a hub has in an SQLite file.

use std::cell::{Cell, RefCell};

use wb_core::id::LogId;
use wb_hub::SqliteHub;
use wb_store::relay::Relay;

use super::conformance::{PAGE_BYTES, suite};
use super::policies::suite as policies;

/// Runs something with what makes empty stores.
fn with_files(run: impl AsyncFnOnce(&dyn Fn() -> SqliteHub)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (folders, made) = (RefCell::new(Vec::new()), Cell::new(0));
    let make = || {
        let folder = tempfile::tempdir().expect("a folder");
        made.set(made.get() + 1);
        let relay = Relay::open(&folder.path().join("hub.db"), LogId([made.get(); 16]));
        folders.borrow_mut().push(folder);
        SqliteHub::new(relay.expect("a new file")).with_page_bytes(PAGE_BYTES)
    };
    runtime.block_on(run(&make));
}

#[test]
fn a_hub_in_a_file_keeps_what_a_store_promises() {
    with_files(async |make| suite(make).await);
}

#[test]
fn a_hub_in_a_file_keeps_what_a_store_promises_of_who_comes_in_and_is_seen() {
    with_files(async |make| policies(make).await);
}
