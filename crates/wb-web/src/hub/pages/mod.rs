//! One file for each page of a hub.

pub mod communities;
pub mod decide;
pub mod feed;
pub mod invites;
pub mod log;
pub mod login;
pub mod members;
pub mod notices;
pub mod requests;
pub mod sessions;
pub mod start;
