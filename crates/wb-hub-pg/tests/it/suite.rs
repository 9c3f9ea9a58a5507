//! The suite that every store passes.

use crate::conformance::{PAGE_BYTES, suite};
use crate::policies::suite as policies;
use crate::server::empty_hub;

#[test]
fn a_hub_in_postgresql_keeps_what_a_store_promises() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(suite(|| empty_hub().with_page_bytes(PAGE_BYTES)));
}

#[test]
fn a_hub_in_postgresql_keeps_what_a_store_promises_of_who_comes_in_and_is_seen() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(policies(|| empty_hub().with_page_bytes(PAGE_BYTES)));
}
