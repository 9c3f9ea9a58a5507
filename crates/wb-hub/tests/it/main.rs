//! Integration tests of `wb-hub`: a hub on a real port with a real file, as strangers and members find it,
//! and what a store of a hub promises, whichever database it is in.

mod bodies;
mod conformance;
mod file;
mod invites;
mod kinds;
mod often;
#[expect(
    dead_code,
    reason = "shared with the tests of wb-store, which use more of it"
)]
#[path = "../../../wb-store/tests/it/origin.rs"]
mod origin;
mod policies;
mod room;
mod skew;
mod sqlite;
mod world;
