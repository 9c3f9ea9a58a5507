//! What only reads: one file per query.

pub mod accounts;
pub mod address;
pub mod audit;
mod authors;
pub mod backups;
pub mod comments;
pub mod default_scope;
pub mod drafts;
pub mod feed_link;
pub mod find;
pub mod inbox;
pub mod invites;
pub mod news;
pub mod notices;
pub mod peer_holds;
pub mod peers;
pub mod reach;
pub mod records;
pub mod requests;
pub mod review;
pub mod sessions;
pub mod shared;
pub mod status;
pub mod sync_log;
pub mod users;
pub mod who;
mod words;

pub use find::{find_record, own_any, own_record};
pub use requests::{RequestStatus, request_status};
pub(crate) use words::own_words;
