//! What a store of a hub promises, held against PostgreSQL: a server of its own for each run, which does not outlive
//! it.

mod arrivals;
#[path = "../../../wb-hub/tests/it/conformance.rs"]
mod conformance;
#[expect(
    dead_code,
    reason = "shared with the tests of wb-store, which use more of it"
)]
#[path = "../../../wb-store/tests/it/origin.rs"]
mod origin;
mod server;
mod suite;
