//! Everything of this community that is marked to leave or has left, with a way to keep each here.

use askama::Template;
use wb_core::id::RecordRef;
use wb_node::command::record_share::{record_lift, record_unshare};
use wb_node::query::shared::{SharedView, shared};

use crate::answer::Answer;
use crate::limits::ROWS_PER_PAGE;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};
use crate::words;

#[derive(Template)]
#[template(path = "shared.html")]
struct Page {
    shell: Shell,
    home: String,
    /// The handle of who looks: nobody lifts what keeps an own record here.
    me: String,
    /// Kinds that there are, with how many of each.
    kinds: Vec<(String, usize)>,
    kind: String,
    words: String,
    author: String,
    rows: Vec<SharedView>,
    total: usize,
    newer: Option<String>,
    older: Option<String>,
}

/// The list.
pub fn list(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let [kind, searched, author] =
        ["kind", "words", "author"].map(|name| visit.query.word(name).unwrap_or_default());
    let number = visit.query.word("page").and_then(|page| page.parse().ok());
    let page: usize = number.unwrap_or(0);
    let node = visit.node()?;
    let home = node.own_id().to_string();
    let mut rows = shared(node)?;
    let mut counts = std::collections::BTreeMap::new();
    for row in &rows {
        *counts.entry(row.kind.to_string()).or_default() += 1;
    }
    let needle = searched.to_lowercase();
    rows.retain(|row| {
        (kind.is_empty() || row.kind.as_str() == kind)
            && (author.is_empty() || row.author.eq_ignore_ascii_case(&author))
            && (needle.is_empty() || row.headline.to_lowercase().contains(&needle))
    });
    let total = rows.len();
    let first = page.saturating_mul(ROWS_PER_PAGE);
    let rows: Vec<SharedView> = rows.into_iter().skip(first).take(ROWS_PER_PAGE).collect();
    let address = |page: usize| {
        let [kind, searched, author] = [&kind, &searched, &author].map(|text| words::encode(text));
        format!("/shared?kind={kind}&words={searched}&author={author}&page={page}")
    };
    let page = Page {
        me: visit.actor()?.handle,
        shell: visit.shell("What is shared"),
        newer: (page > 0).then(|| address(page - 1)),
        older: (first + rows.len() < total).then(|| address(page + 1)),
        home,
        kinds: counts.into_iter().collect(),
        kind,
        words: searched,
        author,
        rows,
        total,
    };
    Ok(Answer::page(page.render()?))
}

/// Keeps a record here, or leaves it to its author again.
pub fn narrow(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (id, actor) = (visit.own_record()?, visit.actor()?);
    let lifts = visit.form.has("lift");
    let node = visit.node()?;
    let key = RecordRef {
        origin: node.own_id(),
        id,
    };
    if lifts {
        record_lift(node, &actor, &key)?;
    } else {
        record_unshare(node, &actor, &key)?;
    }
    Ok(Answer::see("/shared"))
}
