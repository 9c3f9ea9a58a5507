//! Tells one source from another, so that reading it again finds what moved already.

use std::fmt;

use serde::{Serialize, Serializer};
use wb_core::hash::sha256;
use wb_core::id::Hash;

use super::{LegacyInvite, LegacyRequest, LegacyUser};

/// The fingerprint of a source: a hash of its first user's id, name and time of joining.
///
/// It stays the same while the file grows and its schema changes, and it is another one for another
/// instance. It changes when the first user is deleted or renamed. Without users the first request
/// stands in (id, time), without requests the first invite (token, time). It says nothing about what a
/// file holds and proves nothing about where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub Hash);

impl SourceId {
    /// The fingerprint; the lists are in order.
    pub(super) fn of(
        users: &[LegacyUser],
        requests: &[LegacyRequest],
        invites: &[LegacyInvite],
    ) -> Self {
        let row = if let Some(user) = users.first() {
            let name = user.username.as_deref().unwrap_or_default();
            format!("user\n{}\n{}\n{name}", user.id, user.created_at)
        } else if let Some(request) = requests.first() {
            format!("request\n{}\n{}", request.id, request.created_at)
        } else if let Some(invite) = invites.first() {
            format!("invite\n{}\n{}", invite.token, invite.created_at)
        } else {
            "nothing".to_owned()
        };
        Self(sha256(format!("wb/legacy-source/v1\n{row}").as_bytes()))
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for SourceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
