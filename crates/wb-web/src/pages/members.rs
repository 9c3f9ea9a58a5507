//! Who is here, and who of other communities shows a profile.

use askama::Template;
use wb_node::query::users::{user, users};
use wb_node::view::UserView;

use crate::answer::Answer;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

#[derive(Template)]
#[template(path = "members.html")]
struct List {
    shell: Shell,
    own: Vec<UserView>,
    elsewhere: Vec<UserView>,
}

/// The directory.
pub fn list(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let mut all = users(visit.node()?, &actor)?;
    all.retain(|user| user.base.hidden.is_none());
    let (own, elsewhere) = all.into_iter().partition(|user| user.base.local);
    let shell = visit.shell("Members");
    let page = List {
        shell,
        own,
        elsewhere,
    };
    Ok(Answer::page(page.render()?))
}

#[derive(Template)]
#[template(path = "member.html")]
struct Page {
    shell: Shell,
    member: UserView,
}

/// One member.
pub fn page(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let key = visit.record()?;
    let actor = visit.actor()?;
    let name = format!("{}/{}", key.origin, key.id);
    let member = user(visit.node()?, &actor, &name)?;
    if member.base.hidden.is_some() {
        return Err(Trouble::NotFound);
    }
    let shell = visit.shell(member.base.author.clone());
    Ok(Answer::page(Page { shell, member }.render()?))
}
