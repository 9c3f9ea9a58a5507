//! The pages, one file for each thing that people look at, and a template of the same name.

pub mod events;
pub mod found;
pub mod home;
pub mod invite;
pub mod invites;
pub mod login;
pub mod members;
pub mod request;
pub mod requests;
pub mod review;
pub mod settings;
pub mod share;
pub mod sync;
pub mod waiting;
