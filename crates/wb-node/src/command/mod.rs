//! What changes something: one file per command.

pub mod bundle_export;
pub mod bundle_import;
pub mod bundle_verify;
pub mod bundle_want;
pub mod comment_add;
pub mod follow;
pub mod hub_register;
pub mod inbox_dismiss;
pub mod init;
pub mod invite_create;
pub mod invite_take;
pub mod join;
pub mod login_link;
pub mod publish;
pub mod rebuild;
pub mod record_share;
pub mod request_add;
pub mod request_complete;
pub mod request_edit;
pub mod review;
pub mod session;
pub mod session_idle;
pub mod sync;
pub mod user_add;
