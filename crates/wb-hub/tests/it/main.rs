//! Integration tests of `wb-hub`: what a store of a hub promises, whichever database it is in.

mod conformance;
#[expect(
    dead_code,
    reason = "shared with the tests of wb-store, which use more of it"
)]
#[path = "../../../wb-store/tests/it/origin.rs"]
mod origin;
mod sqlite;
