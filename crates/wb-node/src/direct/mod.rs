//! Two nodes without a hub (spec: peers): what is asked for, what is answered, and what is taken.
//!
//! Everything here works on an open node and bytes; the network is in `service/direct` on one side and in
//! `command/sync/direct` on the other, and a folder needs neither.

pub(crate) mod deliver;
pub(crate) mod exchange;
pub(crate) mod folder;
pub(crate) mod make;
pub(crate) mod pairing;
pub(crate) mod quota;
pub(crate) mod reach;
pub(crate) mod refusal;
pub(crate) mod take;
pub(crate) mod want;
