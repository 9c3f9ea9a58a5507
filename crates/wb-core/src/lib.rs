//! The rules of WhiteBalloon, pure.
//!
//! Everything here is a function of its arguments: no clock, randomness, file, socket or async.
//! `now` and entropy come in, values go out. The byte formats are those of `docs/spec/`; each module
//! names its page. What is stored, sent or shown is decided by other crates with what they learn here.

pub mod backup;
pub mod bundle;
pub mod entry;
pub mod feed;
pub mod hash;
pub mod id;
pub mod identity;
pub mod json;
pub mod kinds;
pub mod leave;
pub mod letter;
pub mod limits;
pub mod line;
pub mod live;
pub mod merkle;
pub mod ndjson;
pub mod notice;
pub mod pairing;
pub mod protocol;
pub mod receipt;
pub mod reply;
pub mod rule;
pub mod scope;
pub mod sealed;
pub mod show;
pub mod signed;
pub mod status;
pub mod sync;
pub mod time;
pub mod trust;
pub mod want;
pub mod words;
