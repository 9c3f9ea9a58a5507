//! Who is here, and who of other communities shows a profile.

use std::collections::BTreeMap;

use askama::Template;
use wb_core::id::InstanceId;
use wb_core::scope::By;
use wb_core::time::Timestamp;
use wb_net::fetch::FileAddress;
use wb_node::query::invited::{IsolatedView, isolated};
use wb_node::query::picture::picture;
use wb_node::query::requests::requests;
use wb_node::query::users::{user, users};
use wb_node::view::{RequestView, UserView};

use crate::answer::Answer;
use crate::limits::ROWS_PER_PAGE;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};
use crate::words;

/// The members of one community that are listed.
struct Group {
    name: String,
    is_own: bool,
    members: Vec<UserView>,
}

#[derive(Template)]
#[template(path = "members.html")]
struct List {
    shell: Shell,
    words: String,
    home: String,
    /// Communities to choose from: address, name, whether it is chosen.
    homes: Vec<(String, String, bool)>,
    groups: Vec<Group>,
    total: usize,
    newer: Option<String>,
    older: Option<String>,
    /// Members whom nothing joins to others; stewards see the first of them, on the first page.
    isolated: Vec<IsolatedView>,
    /// How many more there are.
    isolated_more: usize,
    own: InstanceId,
}

/// The directory, by community, this one first.
pub fn list(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let searched = visit.query.word("words").unwrap_or_default();
    let home = visit.query.word("home").unwrap_or_default();
    let page = visit.query.word("page").and_then(|page| page.parse().ok());
    let page: usize = page.unwrap_or(0);
    let mut all = users(visit.node()?, &actor)?;
    let needle = searched.to_lowercase();
    all.retain(|user| user.base.hidden.is_none() && (needle.is_empty() || says(user, &needle)));
    let address = |home: &str| {
        format!(
            "/members?words={}&home={}",
            words::encode(&searched),
            words::encode(home)
        )
    };
    let homes = homes(&all, &home, &address);
    all.retain(|user| home.is_empty() || user.base.origin.to_string() == home);
    all.sort_by_key(|user| {
        let base = &user.base;
        (
            !base.local,
            base.home.clone(),
            base.origin,
            base.author.to_lowercase(),
        )
    });
    let total = all.len();
    let first = page.saturating_mul(ROWS_PER_PAGE);
    let shown: Vec<UserView> = all.into_iter().skip(first).take(ROWS_PER_PAGE).collect();
    let at = |page: usize| format!("{}&page={page}", address(&home));
    let is_first = page == 0 && searched.is_empty() && home.is_empty();
    let is_steward = visit.is_steward();
    let node = visit.node()?;
    let mut alone = if is_first && is_steward {
        isolated(node, &actor)?
    } else {
        Vec::new()
    };
    let isolated_more = alone.len().saturating_sub(ROWS_PER_PAGE);
    alone.truncate(ROWS_PER_PAGE);
    let page = List {
        isolated: alone,
        isolated_more,
        own: node.own_id(),
        newer: (page > 0).then(|| at(page - 1)),
        older: (first + shown.len() < total).then(|| at(page + 1)),
        groups: groups(shown),
        shell: visit.shell("Members"),
        words: searched.clone(),
        home: home.clone(),
        homes,
        total,
    };
    Ok(Answer::page(page.render()?))
}

fn says(user: &UserView, needle: &str) -> bool {
    let texts = [
        Some(&user.base.author),
        user.handle.as_ref(),
        user.display_name.as_ref(),
        user.bio.as_ref(),
    ];
    let mut texts = texts.into_iter().flatten();
    texts.any(|text| text.to_lowercase().contains(needle))
}

fn homes(
    all: &[UserView],
    home: &str,
    address: &dyn Fn(&str) -> String,
) -> Vec<(String, String, bool)> {
    let mut counts: BTreeMap<InstanceId, (&str, usize)> = BTreeMap::new();
    for user in all {
        let base = &user.base;
        counts.entry(base.origin).or_insert((&base.home, 0)).1 += 1;
    }
    if counts.len() < 2 && home.is_empty() {
        return Vec::new();
    }
    let everywhere = format!("Everywhere ({})", all.len());
    let mut choices = vec![(address(""), everywhere, home.is_empty())];
    choices.extend(counts.into_iter().map(|(origin, (name, count))| {
        let id = origin.to_string();
        (address(&id), format!("{name} ({count})"), id == home)
    }));
    choices
}

fn groups(members: Vec<UserView>) -> Vec<Group> {
    let mut groups: Vec<(InstanceId, Group)> = Vec::new();
    for member in members {
        let origin = member.base.origin;
        match groups.last_mut() {
            Some((last, group)) if *last == origin => group.members.push(member),
            _ => groups.push((
                origin,
                Group {
                    name: member.base.home.clone(),
                    is_own: member.base.local,
                    members: vec![member],
                },
            )),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

#[derive(Template)]
#[template(path = "member.html")]
struct Page {
    shell: Shell,
    member: UserView,
    /// What they ask for, as far as this browser's member may see it; the newest first.
    requests: Vec<RequestView>,
    is_self: bool,
    /// What was fetched of the picture that the profile names.
    picture: Option<Shown>,
    /// Whom this node would ask for it; none where it cannot be asked for.
    place: Option<String>,
    /// Why it is not shown although somebody asked.
    wrong: Option<String>,
}

/// A picture on the page of its member.
struct Shown {
    width: u32,
    height: u32,
    at: Timestamp,
}

/// One member.
pub fn page(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    page_saying(visit, None)
}

/// One member, with why the picture is not shown.
pub(super) fn page_saying(visit: &mut Visit<'_>, wrong: Option<String>) -> Result<Answer, Trouble> {
    let key = visit.record()?;
    let actor = visit.actor()?;
    let name = format!("{}/{}", key.origin, key.id);
    let node = visit.node()?;
    let member = user(node, &actor, &name)?;
    if member.base.hidden.is_some() {
        return Err(Trouble::NotFound);
    }
    let by = By::User(key.id).to_string();
    let mut requests = requests(node)?;
    requests.retain(|request| {
        request.base.hidden.is_none()
            && request.base.origin == key.origin
            && request.base.by.as_deref() == Some(by.as_str())
    });
    requests.reverse();
    requests.truncate(ROWS_PER_PAGE);
    let address = member.avatar.as_deref().map(FileAddress::parse);
    let kept = picture(node, &actor, &key)?;
    let page = Page {
        picture: kept.map(|kept| Shown {
            width: kept.picture.width,
            height: kept.picture.height,
            at: kept.at,
        }),
        place: address.and_then(Result::ok).map(|place| place.host()),
        wrong,
        is_self: key.origin == node.own_id() && key.id == actor.user,
        shell: visit.shell(member.base.author.clone()),
        member,
        requests,
    };
    Ok(Answer::page(page.render()?))
}
