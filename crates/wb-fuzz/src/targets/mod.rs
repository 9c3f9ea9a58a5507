//! The targets, one file for each decoder.

mod address;
mod answer;
mod backup_manifest;
mod body;
mod bundle;
mod bundle_damage;
mod bundle_file;
mod entry;
mod envelope;
mod feeds;
mod follows;
mod identity;
mod legacy;
mod letter;
mod lone_vouch;
mod message;
mod receipt;
mod record_line;
mod reply;
mod request;
mod sealed;
mod sections;
mod signed_line;
mod strict_json;
mod text;
mod want;
mod words;

use crate::Target;

/// Every target, by name.
pub const ALL: &[Target] = &[
    address::TARGET,
    answer::TARGET,
    backup_manifest::TARGET,
    body::TARGET,
    bundle::TARGET,
    bundle_damage::TARGET,
    bundle_file::TARGET,
    entry::TARGET,
    envelope::TARGET,
    feeds::TARGET,
    follows::TARGET,
    identity::TARGET,
    legacy::TARGET,
    letter::TARGET,
    lone_vouch::TARGET,
    message::TARGET,
    receipt::TARGET,
    record_line::TARGET,
    reply::TARGET,
    request::TARGET,
    sealed::TARGET,
    sections::TARGET,
    signed_line::TARGET,
    strict_json::TARGET,
    text::TARGET,
    want::TARGET,
    words::TARGET,
];
