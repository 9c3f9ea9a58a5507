//! Settings: one's own profile, and which of its fields others see.

use askama::Template;
use wb_core::leave::ProfileShares;
use wb_core::scope::Scope;
use wb_node::NodeError;
use wb_node::command::profile_edit::{ProfileEdit, profile_edit};
use wb_node::query::users::user;

use crate::answer::Answer;
use crate::contact;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

#[derive(Template)]
#[template(path = "profile.html")]
struct Page {
    shell: Shell,
    handle: String,
    home: String,
    display_name: String,
    bio: String,
    avatar: String,
    email: String,
    shares: ProfileShares,
    scope: Scope,
    wrong: Option<String>,
    warning: Option<&'static str>,
}

/// The form.
pub fn form(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let node = visit.node()?;
    let (user, home) = (user(node, &actor, &actor.handle)?, node.name().to_owned());
    let email = user
        .contacts
        .into_iter()
        .find(|contact| contact.kind == "email");
    // What its author chose, also where a steward keeps it here.
    let kept = node.store().local(&actor.user)?;
    let page = Page {
        shell: visit.shell("Your profile"),
        handle: actor.handle,
        home,
        display_name: user.display_name.unwrap_or_default(),
        bio: user.bio.unwrap_or_default(),
        avatar: user.avatar.unwrap_or_default(),
        email: email.map_or_else(String::new, |contact| contact.value),
        shares: user.shares.unwrap_or_default(),
        scope: kept.map_or(Scope::Private, |record| record.scope),
        wrong: None,
        warning: None,
    };
    Ok(Answer::page(page.render()?))
}

/// What was typed, as a page that can be sent again.
fn typed(visit: &mut Visit<'_>) -> Result<Page, Trouble> {
    let (actor, home) = (visit.actor()?, visit.node()?.name().to_owned());
    // What this form does not ask about stays as it was.
    let kept = visit.node()?.store().local(&actor.user)?;
    let kept = kept.and_then(|record| record.shares).unwrap_or_default();
    let form = &visit.form;
    Ok(Page {
        shell: visit.shell("Your profile"),
        handle: actor.handle,
        home,
        display_name: form.text("display_name"),
        bio: form.text("bio"),
        avatar: form.text("avatar"),
        email: form.text("email"),
        shares: ProfileShares {
            handle: form.has("share_handle"),
            display_name: form.has("share_display_name"),
            bio: form.has("share_bio"),
            avatar: form.has("share_avatar"),
            home: form.has("share_home"),
            ..kept
        },
        scope: form.text("scope").parse().unwrap_or(Scope::Private),
        wrong: None,
        warning: None,
    })
}

/// Keeps it. Where a number would leave in the words about oneself, that is asked about first.
pub fn edit(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let mut page = typed(visit)?;
    let shared = [
        (page.shares.bio, page.bio.as_str()),
        (page.shares.display_name, page.display_name.as_str()),
    ];
    let leaves: Vec<&str> = shared
        .into_iter()
        .filter_map(|(shared, text)| (shared && page.scope != Scope::Private).then_some(text))
        .collect();
    if contact::is_in(&leaves) && !visit.form.has("sure") {
        page.warning = Some(contact::WARNING);
        return Ok(Answer::page(page.render()?));
    }
    let [name, bio, avatar, email] =
        ["display_name", "bio", "avatar", "email"].map(|field| visit.form.word(field));
    let input = ProfileEdit {
        display_name: name.as_deref(),
        bio: bio.as_deref(),
        avatar: avatar.as_deref(),
        email: email.as_deref(),
        shares: page.shares,
        scope: page.scope,
    };
    let node = visit.node()?;
    match profile_edit(node, &actor, &input) {
        Ok(()) => {
            let own = node.own_id();
            Ok(Answer::see(format!("/members/{own}/{}", actor.user)))
        }
        Err(error @ (NodeError::Text { .. } | NodeError::Refused(_))) => {
            page.wrong = Some(crate::words::failure(&error));
            Ok(Answer::page(page.render()?))
        }
        Err(error) => Err(error.into()),
    }
}
