//! The pages, one file for each thing that people look at, and a template of the same name.

pub mod accounts;
pub mod address;
pub mod audit;
pub mod drafts;
pub mod events;
pub mod feed_link;
pub mod feeds;
pub mod found;
pub mod home;
pub mod inbox;
pub mod invite;
pub mod invites;
pub mod login;
pub mod members;
pub mod notices;
pub mod profile;
pub mod request;
pub mod request_edit;
pub mod requests;
pub mod review;
pub mod settings;
pub mod share;
pub mod shared;
pub mod sharing;
pub mod sync;
pub mod waiting;
