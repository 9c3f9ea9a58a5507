//! The limits that everything is held against: other programs, or plain ones, that do the same work with less to do.

pub mod disk;
pub mod files;
pub mod lines;
pub mod postgres;
pub mod sqlite;
pub mod tables;
