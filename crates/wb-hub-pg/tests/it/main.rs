//! What a store of a hub promises, held against PostgreSQL: a server of its own for each run, which does not outlive
//! it.

mod agree;
mod arrivals;
#[path = "../../../wb-hub/tests/it/conformance.rs"]
mod conformance;
#[expect(
    unused_imports,
    reason = "shared with the tests of wb-core, which use more of it"
)]
#[path = "../../../wb-core/tests/it/histories/mod.rs"]
mod histories;
mod listings;
mod moving;
#[expect(
    unused_imports,
    reason = "shared with the tests of wb-core, which use more of it"
)]
#[path = "../../../wb-core/tests/it/naive/mod.rs"]
mod naive;
mod notices;
#[expect(
    dead_code,
    reason = "shared with the tests of wb-store, which use more of it"
)]
#[path = "../../../wb-store/tests/it/origin.rs"]
mod origin;
#[path = "../../../wb-hub/tests/it/policies.rs"]
mod policies;
mod server;
mod suite;
