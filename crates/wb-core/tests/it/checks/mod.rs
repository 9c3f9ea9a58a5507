//! What is checked: one file for each file or folder of vectors, and the histories.

mod bundles;
mod entries;
mod feeds;
mod hashes;
mod histories;
mod identity;
mod letters;
mod lone_vouches;
mod notices;
mod pairing;
mod requests;
mod sealed;
mod signed_line;
mod status;
mod streams;
mod strict_json;
mod sync;
mod trust;
mod wants;
mod words;
