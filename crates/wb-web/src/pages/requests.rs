//! What is asked for: open, mine, completed, of one instance, by words.

use askama::Template;
use wb_core::kinds::To;
use wb_core::scope::Scope;
use wb_node::command::draft::{DraftPut, draft_put};
use wb_node::command::request_add::{RequestAdd, request_add};
use wb_node::view::RequestView;

use super::requests_part::{Part, Tab};
use crate::answer::Answer;
use crate::contact;
use crate::limits::LISTED_WHOLE_MAX;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};
use crate::words;

/// Which requests are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slice {
    Open,
    Mine,
    Completed,
    All,
}

impl Slice {
    const ALL: [Self; 4] = [Self::Open, Self::Mine, Self::Completed, Self::All];

    fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Mine => "mine",
            Self::Completed => "completed",
            Self::All => "all",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Mine => "Mine",
            Self::Completed => "Completed",
            Self::All => "All",
        }
    }

    fn holds(self, request: &RequestView, own: Option<&str>) -> bool {
        match self {
            Self::Open => request.status == To::Open && !request.unlisted,
            Self::Mine => request.base.local && own == Some(request.base.author.as_str()),
            Self::Completed => request.status == To::Completed,
            Self::All => true,
        }
    }
}

#[derive(Template)]
#[template(path = "requests.html")]
struct List {
    shell: Shell,
    tabs: Vec<Tab>,
    slice: &'static str,
    words: String,
    home: String,
    part: Part,
}

/// What is asked for with an address.
pub(super) struct Wanted {
    slice: Slice,
    /// As they were typed.
    pub words: String,
    /// The same as they are compared.
    needle: String,
    /// A community, or empty.
    pub home: String,
    handle: String,
}

impl Wanted {
    pub fn holds(&self, request: &RequestView) -> bool {
        request.base.hidden.is_none()
            && self.slice.holds(request, Some(&self.handle))
            && (self.needle.is_empty() || says(request, &self.needle))
    }

    /// Whether only what is asked for here can be wanted.
    pub fn is_own(&self) -> bool {
        self.slice == Slice::Mine
    }

    /// The first part of the same of one community, or of all.
    pub fn address(&self, home: &str) -> String {
        format!(
            "/requests?show={}&words={}&home={}",
            self.slice.word(),
            words::encode(&self.words),
            words::encode(home)
        )
    }
}

/// The list, newest first.
pub fn list(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let word = |name: &str| visit.query.word(name).unwrap_or_default();
    let show = word("show");
    let slice = Slice::ALL.into_iter().find(|slice| slice.word() == show);
    let wanted = Wanted {
        slice: slice.unwrap_or(Slice::Open),
        needle: word("words").to_lowercase(),
        words: word("words"),
        home: word("home"),
        handle: visit.actor()?.handle,
    };
    let (page, from) = (word("page").parse().unwrap_or(0), word("from"));
    let node = visit.node()?;
    let kind = "request".parse().expect("a kind");
    let held = node.store().count_up_to(&kind, LISTED_WHOLE_MAX);
    let part = if held.map_err(wb_node::NodeError::from)? > LISTED_WHOLE_MAX {
        Part::of_many(node, &wanted, &from)?
    } else {
        Part::of_all(node, &wanted, page)?
    };
    let tab = |other: Slice| Tab {
        address: format!("/requests?show={}", other.word()),
        name: other.name().to_owned(),
        is_here: other == wanted.slice,
    };
    let page = List {
        shell: visit.shell("Requests"),
        tabs: Slice::ALL.into_iter().map(tab).collect(),
        slice: wanted.slice.word(),
        words: wanted.words,
        home: wanted.home,
        part,
    };
    Ok(Answer::page(page.render()?))
}

fn says(request: &RequestView, needle: &str) -> bool {
    [&request.title, &request.description, &request.base.author]
        .into_iter()
        .any(|text| text.to_lowercase().contains(needle))
}

#[derive(Template)]
#[template(path = "request_new.html")]
struct New {
    shell: Shell,
    title: String,
    description: String,
    scope: Scope,
    wrong: Option<String>,
    warning: Option<&'static str>,
}

/// The form for a new one.
pub fn new(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    write_new(visit, None, None)
}

fn write_new(
    visit: &mut Visit<'_>,
    wrong: Option<String>,
    warning: Option<&'static str>,
) -> Result<Answer, Trouble> {
    let page = New {
        scope: visit.default_scope()?,
        shell: visit.shell("Ask for help"),
        title: visit.form.text("title"),
        description: visit.form.text("description"),
        wrong,
        warning,
    };
    Ok(Answer::page(page.render()?))
}

fn scope(visit: &Visit<'_>) -> Scope {
    visit.form.text("scope").parse().unwrap_or(Scope::Private)
}

/// Writes it. Where it would leave with an address or number in its text, that is asked about first.
pub fn create(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (title, description, scope) = (
        visit.form.word("title").unwrap_or_default(),
        visit.form.text("description"),
        scope(visit),
    );
    let actor = visit.actor()?;
    if visit.form.has("draft") {
        let input = DraftPut {
            title: &title,
            description: description.trim(),
            scope,
        };
        return match draft_put(visit.node()?, &actor, None, &input) {
            Ok(_) => Ok(Answer::see("/drafts")),
            Err(error) => write_new(visit, Some(crate::words::failure(&error)), None),
        };
    }
    let may_leave = scope != Scope::Private;
    let has_contact = contact::is_in(&[&title, &description]);
    if may_leave && has_contact && !visit.form.has("sure") {
        return write_new(visit, None, Some(contact::WARNING));
    }
    let input = RequestAdd {
        title: &title,
        description: description.trim(),
        scope,
    };
    let node = visit.node()?;
    match request_add(node, &actor, &input) {
        Ok(id) => Ok(Answer::see(format!("/requests/{}/{id}", node.own_id()))),
        Err(error) => write_new(visit, Some(crate::words::failure(&error)), None),
    }
}
