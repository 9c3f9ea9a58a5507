//! Who reads what is for trusted communities only: the list for every member, and what an admin decides about it. Both
//! acts have a page before them that says what they do and what nobody can do.

use askama::Template;
use wb_core::id::InstanceId;
use wb_core::time::Timestamp;
use wb_node::command::peer_trust::{Shows, chosen_since, peer_trust, peer_untrust, would_show};
use wb_node::query::audience::{audience, could_be_trusted, readers};
use wb_node::view::AudienceView;
use wb_store::{AudienceRow, Belongs, Instance};

use crate::answer::Answer;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

/// Where the list is.
const LIST: &str = "/trusted";

/// A member of the audience, as people read it.
struct Row {
    member: AudienceView,
    name: String,
}

impl Row {
    /// Whether it reads what is written from now on.
    fn is_in(&self) -> bool {
        !matches!(self.member.state, "leaving" | "parted" | "unsure")
    }

    /// What stands there, where an admin acts on a page and not by command.
    fn sentence(&self) -> String {
        let words = self.words();
        let mut letters = words.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        first.chain(letters).collect()
    }

    fn words(&self) -> &'static str {
        match self.member.state {
            "new_key" => {
                "its sealing key changed; it gets nothing of what was before until an admin confirms the new one"
            }
            "unsure" => {
                "it was trusted when this copy was made; nothing is sealed to it until an admin trusts it again"
            }
            _ => self.member.sentence,
        }
    }

    /// What an admin does about it by the step before trusting.
    fn act(&self) -> &'static str {
        match self.member.state {
            "new_key" => "Look at the new key",
            "unsure" | "parted" => "Trust it again",
            _ => "Choose from when on",
        }
    }

    /// Whether it can be trusted, or trusted otherwise, as it stands.
    fn can_be_trusted(&self) -> bool {
        !matches!(
            self.member.state,
            "leaving" | "not_accepted" | "no_key" | "key_in_doubt"
        )
    }

    /// Whether there is something to take away.
    fn can_be_removed(&self) -> bool {
        !matches!(self.member.state, "leaving" | "parted")
    }
}

#[derive(Template)]
#[template(path = "trusted.html")]
struct List {
    shell: Shell,
    rows: Vec<Row>,
    /// Whom an admin may add.
    others: Vec<Instance>,
    is_admin: bool,
    is_steward: bool,
}

/// The list.
pub fn list(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let is_admin = visit.is_admin();
    let node = visit.node()?;
    let rows = audience(node)?.into_iter().map(|member| Row {
        name: member.name.clone().unwrap_or_else(|| member.id.short()),
        member,
    });
    let rows = rows.collect();
    let others = if is_admin {
        could_be_trusted(node)?
    } else {
        Vec::new()
    };
    let page = List {
        shell: visit.shell("Trusted communities"),
        rows,
        others,
        is_admin,
        is_steward: visit.is_steward(),
    };
    Ok(Answer::page(page.render()?))
}

fn id(visit: &Visit<'_>) -> Result<InstanceId, Trouble> {
    visit.param("home").parse().map_err(|_| Trouble::NotFound)
}

fn row(visit: &mut Visit<'_>, id: InstanceId) -> Result<Option<AudienceRow>, Trouble> {
    Ok(visit.node()?.store().in_audience(&id)?)
}

/// A day as it is typed, or a whole time; none where nothing was typed.
fn since(typed: Option<String>) -> Result<Option<Timestamp>, Trouble> {
    let Some(typed) = typed else {
        return Ok(None);
    };
    let whole = if typed.len() == 10 {
        format!("{typed}T00:00:00.000Z")
    } else {
        typed
    };
    let wrong = || Trouble::Refused("Write the day like 2026-12-31".to_owned());
    whole.parse().map(Some).map_err(|_| wrong())
}

/// What trusting somebody would show.
#[derive(Template)]
#[template(path = "trusted_ask.html")]
struct Ask {
    shell: Shell,
    shows: Shows,
    name: String,
    since: Option<Timestamp>,
    /// Whether it was trusted when this copy was made.
    was_in: bool,
}

impl Ask {
    /// The from-date as the field for a day has it.
    fn day(&self) -> String {
        let text = self.since.map(|since| since.to_string());
        text.map_or_else(String::new, |text| text.chars().take(10).collect())
    }

    /// The same to the moment, as it is sent on.
    fn moment(&self) -> String {
        self.since
            .map_or_else(String::new, |since| since.to_string())
    }
}

/// The step before: how much becomes visible, from when on, and under which key.
pub fn ask(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let id = id(visit)?;
    let held = row(visit, id)?;
    let since = if visit.query.has("since") {
        since(visit.query.word("since"))?
    } else {
        // What was chosen before stays chosen.
        chosen_since(visit.node()?, id)?
    };
    let shows = would_show(visit.node()?, id, since)?;
    let page = Ask {
        shell: visit.shell("Trust a community"),
        name: shows.name.clone().unwrap_or_else(|| id.short()),
        shows,
        since,
        was_in: held.is_some_and(|row| row.belongs == Belongs::Unsure),
    };
    Ok(Answer::page(page.render()?))
}

/// Trusts, under the key that the step before showed.
pub fn trust(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (actor, id) = (visit.actor()?, id(visit)?);
    let since = since(visit.form.word("since"))?;
    let Some(key) = visit.form.word("key") else {
        let first = "Look first how many records become visible there";
        return Err(Trouble::Refused(first.to_owned()));
    };
    peer_trust(visit.node()?, &actor, id, since, &key)?;
    Ok(Answer::see(LIST))
}

#[derive(Template)]
#[template(path = "trusted_remove.html")]
struct Remove {
    shell: Shell,
    id: InstanceId,
    name: String,
    /// Whether something was sealed to it.
    had: bool,
    /// Whether nobody else reads what is for trusted communities.
    is_last: bool,
}

/// The step before removing: what it does, and what nobody can do.
pub fn ask_remove(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let id = id(visit)?;
    let held = row(visit, id)?;
    let held = held.filter(|row| matches!(row.belongs, Belongs::In | Belongs::Unsure));
    let held = held.ok_or(Trouble::NotFound)?;
    let node = visit.node()?;
    let known = node.store().instances()?.into_iter();
    let mut named = known.filter(|known| known.id == id);
    let others = readers(node)? - usize::from(held.belongs == Belongs::In);
    let page = Remove {
        shell: visit.shell("Trust a community no longer"),
        id,
        name: named
            .next()
            .map_or_else(|| id.short(), |known| known.label()),
        had: held.had,
        is_last: others == 0,
    };
    Ok(Answer::page(page.render()?))
}

/// Removes.
pub fn remove(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (actor, id) = (visit.actor()?, id(visit)?);
    peer_untrust(visit.node()?, &actor, id)?;
    Ok(Answer::see(LIST))
}
