//! The transport from outside: real sockets on this machine, and clients and servers that misbehave.
//!
//! Where something has to be cut off, the limits are short, and a test waits for it to happen; nothing
//! asserts how long it took. Where nothing may be cut off, they are the real ones.

mod address;
mod body;
mod certificate;
mod client;
mod fetch;
mod network;
mod reach;
mod server;
mod support;
mod tls;
mod traffic;
