//! Changing one's own profile: what it says, which of its fields others see, and how far it goes.

use wb_core::id::RecordRef;
use wb_core::kinds::{Body, User, check_name};
use wb_core::leave::ProfileShares;
use wb_core::scope::Scope;

use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::query::own_words;

/// What the profile says from here.
#[derive(Debug, Clone)]
pub struct ProfileEdit<'a> {
    /// The name shown.
    pub display_name: Option<&'a str>,
    /// About the member.
    pub bio: Option<&'a str>,
    /// Address of a picture.
    pub avatar: Option<&'a str>,
    /// Which fields go with it.
    pub shares: ProfileShares,
    /// How far it goes.
    pub scope: Scope,
    /// A contact that stays on this node whatever is chosen.
    pub email: Option<&'a str>,
}

/// Changes the actor's own profile.
///
/// # Errors
/// What is wrong with its texts; then nothing was changed.
pub fn profile_edit(node: &Node, actor: &Actor, input: &ProfileEdit<'_>) -> Result<()> {
    if let Some(email) = input.email {
        check_email(email)?;
    }
    // Read and written in one transaction: nobody's mark is lost.
    let write = node.store.write_in_sight()?;
    let found = node.store.local(&actor.user)?;
    let mut record = found.ok_or_else(|| NodeError::unknown("profile", actor.handle.as_str()))?;
    let kept = own_words(
        &record.kind,
        node.own_id(),
        &record.body,
        |body| match body {
            Body::User(user) => Some(user),
            _ => None,
        },
    );
    let body = Body::User(User {
        display_name: input.display_name.map(str::to_owned),
        bio: input.bio.map(str::to_owned),
        avatar: input.avatar.map(str::to_owned),
        ..kept.unwrap_or_default()
    });
    body.check(node.own_id())
        .map_err(NodeError::text("profile"))?;
    let had_picture = node.store.picture(&RecordRef {
        origin: node.own_id(),
        id: actor.user,
    })?;
    record.body = serde_json::to_string(&body).expect("a body has string keys and serialises");
    record.shares = Some(input.shares);
    record.scope = input.scope;
    let now = node.now();
    record.at = now;
    record.edit += 1;
    write.put_local(&record)?;
    write.commit()?;
    if had_picture.is_some() {
        // Where the profile names another address now, it was dropped with the commit.
        node.store.forget_erased()?;
    }
    node.store.private().together(|private| {
        private.drop_contacts(&actor.user, "email")?;
        if let Some(email) = input.email {
            private.put_contact(&actor.user, "email", email)?;
        }
        Ok::<_, NodeError>(())
    })?;
    let detail = format!("scope {}", input.scope);
    node.audit(now, actor, "profile edit", &actor.user, detail)
}

fn check_email(email: &str) -> Result<()> {
    check_name(email).map_err(NodeError::text("e-mail"))?;
    let is_one = email
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
        && !email.chars().any(char::is_whitespace);
    if is_one {
        Ok(())
    } else {
        Err(NodeError::Refused(format!(
            "`{email}` is not an e-mail address"
        )))
    }
}
