//! Traffic on a real socket: recording it, and taking off everything that may hide what was sent.
//!
//! A [`recorder::Recorder`] stands in front of a port and keeps every byte that passes.
//! [`layers::layers`] and [`recorder::Connection::layers`] give back all that these bytes may say: as
//! they are, message by message, and with each coding undone, however deep they lie in each other.
//! What cannot be accounted for ends the test: a word that is not found must not be a word that was
//! not looked at.

mod http;
pub mod layers;
pub mod recorder;
mod undo;
