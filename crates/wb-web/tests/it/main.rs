//! The pages from outside: who may see what, and what a form does.

mod access;
mod asking;
mod closing;
mod codes;
mod door;
mod feeds;
mod founding;
mod hub;
mod invites;
mod keys;
mod live;
mod operating;
#[expect(
    dead_code,
    reason = "shared with the tests of wb-store, which use more of it"
)]
#[path = "../../../wb-store/tests/it/origin.rs"]
mod origin;
mod pairing;
mod peers;
mod people;
mod pictures;
mod rates;
mod rights;
mod sessions;
mod site;
mod status;
mod trust;
mod trusted;
mod vouching;
