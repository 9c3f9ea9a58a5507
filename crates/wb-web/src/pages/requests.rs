//! What is asked for: open, mine, completed, of one instance, by words.

use std::collections::BTreeMap;

use askama::Template;
use wb_core::id::InstanceId;
use wb_core::kinds::To;
use wb_core::scope::Scope;
use wb_node::command::draft::{DraftPut, draft_put};
use wb_node::command::request_add::{RequestAdd, request_add};
use wb_node::query;
use wb_node::view::RequestView;

use crate::answer::Answer;
use crate::contact;
use crate::limits::ROWS_PER_PAGE;
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

struct Tab {
    address: String,
    name: String,
    is_here: bool,
}

#[derive(Template)]
#[template(path = "requests.html")]
struct List {
    shell: Shell,
    tabs: Vec<Tab>,
    slice: &'static str,
    words: String,
    /// The communities whose requests are in the slice, with how many.
    homes: Vec<Tab>,
    home: String,
    rows: Vec<RequestView>,
    total: usize,
    newer: Option<String>,
    older: Option<String>,
}

/// The list, newest first.
pub fn list(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let wanted = visit.query.word("show").unwrap_or_default();
    let slice = Slice::ALL
        .into_iter()
        .find(|slice| slice.word() == wanted)
        .unwrap_or(Slice::Open);
    let searched = visit.query.word("words").unwrap_or_default();
    let needle = searched.to_lowercase();
    let page: usize = visit
        .query
        .word("page")
        .and_then(|page| page.parse().ok())
        .unwrap_or(0);
    let handle = visit.actor()?.handle;
    let mut rows = query::requests::requests(visit.node()?)?;
    rows.retain(|row| {
        row.base.hidden.is_none()
            && slice.holds(row, Some(&handle))
            && (needle.is_empty() || says(row, &needle))
    });
    rows.reverse();
    let home = visit.query.word("home").unwrap_or_default();
    let slice_of = |home: &str| {
        format!(
            "/requests?show={}&words={}&home={home}",
            slice.word(),
            words::encode(&searched)
        )
    };
    let homes = homes(&rows, &home, &slice_of);
    rows.retain(|row| home.is_empty() || row.base.origin.to_string() == home);
    let total = rows.len();
    let first = page.saturating_mul(ROWS_PER_PAGE);
    let rows: Vec<RequestView> = rows.into_iter().skip(first).take(ROWS_PER_PAGE).collect();
    let address = |page: usize| format!("{}&page={page}", slice_of(&words::encode(&home)));
    let tab = |other: Slice| Tab {
        address: format!("/requests?show={}", other.word()),
        name: other.name().to_owned(),
        is_here: other == slice,
    };
    let page = List {
        shell: visit.shell("Requests"),
        tabs: Slice::ALL.into_iter().map(tab).collect(),
        slice: slice.word(),
        words: searched.clone(),
        homes,
        home: home.clone(),
        newer: (page > 0).then(|| address(page - 1)),
        older: (first + rows.len() < total).then(|| address(page + 1)),
        rows,
        total,
    };
    Ok(Answer::page(page.render()?))
}

/// One tab for each community that something in the slice is of, and one for all of them. Where everything
/// is of this community, there is nothing to choose from.
fn homes(rows: &[RequestView], home: &str, address: &dyn Fn(&str) -> String) -> Vec<Tab> {
    let mut counts: BTreeMap<InstanceId, (&str, usize)> = BTreeMap::new();
    for row in rows {
        let (_, count) = counts
            .entry(row.base.origin)
            .or_insert((row.base.home.as_str(), 0));
        *count += 1;
    }
    if counts.len() < 2 && home.is_empty() {
        return Vec::new();
    }
    let all = Tab {
        address: address(""),
        name: format!("Everywhere ({})", rows.len()),
        is_here: home.is_empty(),
    };
    let each = counts.into_iter().map(|(origin, (name, count))| Tab {
        address: address(&origin.to_string()),
        name: format!("{name} ({count})"),
        is_here: origin.to_string() == home,
    });
    std::iter::once(all).chain(each).collect()
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
