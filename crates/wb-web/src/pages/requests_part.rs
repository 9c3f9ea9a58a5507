//! A part of the list of requests: counted where few are held, and walked along from a place where there are many, so that
//! a page costs what it shows.

use std::collections::BTreeMap;

use wb_core::id::InstanceId;
use wb_core::time::Timestamp;
use wb_node::query::requests::{requests, requests_part};
use wb_node::view::RequestView;
use wb_node::{Node, NodeError};
use wb_store::{ListPlace, Standing};

use super::requests::Wanted;
use crate::limits::{HOMES_SHOWN_MAX, ROWS_PER_PAGE};
use crate::visit::Trouble;

/// A choice among lists.
pub(super) struct Tab {
    pub address: String,
    pub name: String,
    pub is_here: bool,
}

/// The rows of a page, and where the others are.
pub(super) struct Part {
    pub rows: Vec<RequestView>,
    /// The communities whose requests can be chosen, with how many where they are counted.
    pub homes: Vec<Tab>,
    /// How many there are in all, where they are counted.
    pub total: Option<usize>,
    /// Where newer ones are, and what that is called.
    pub newer: Option<(String, &'static str)>,
    pub older: Option<String>,
    /// Until when requests were looked at, where the page is not full and there are more.
    pub looked_until: Option<Timestamp>,
}

impl Part {
    /// Of all that are wanted, counted.
    pub fn of_all(node: &Node, wanted: &Wanted, page: usize) -> Result<Self, Trouble> {
        let mut rows = requests(node)?;
        rows.retain(|row| wanted.holds(row));
        rows.reverse();
        let homes = counted_homes(&rows, wanted);
        rows.retain(|row| wanted.home.is_empty() || row.base.origin.to_string() == wanted.home);
        let total = rows.len();
        let first = page.saturating_mul(ROWS_PER_PAGE);
        let rows: Vec<RequestView> = rows.into_iter().skip(first).take(ROWS_PER_PAGE).collect();
        let address = |page: usize| format!("{}&page={page}", wanted.address(&wanted.home));
        Ok(Self {
            homes,
            total: Some(total),
            newer: (page > 0).then(|| (address(page - 1), "Newer")),
            older: (first + rows.len() < total).then(|| address(page + 1)),
            rows,
            looked_until: None,
        })
    }

    /// Of a list that is too long to be read whole, from a place on.
    pub fn of_many(node: &Node, wanted: &Wanted, from: &str) -> Result<Self, Trouble> {
        let after = place(from);
        let origin = match wanted.home.parse() {
            Ok(home) => Some(home),
            Err(_) if wanted.is_own() => Some(node.own_id()),
            Err(_) => None,
        };
        let holds = |row: &RequestView| wanted.holds(row);
        let found = requests_part(node, origin, after, ROWS_PER_PAGE, &holds)?;
        let list = wanted.address(&wanted.home);
        let is_full = found.rows.len() == ROWS_PER_PAGE;
        Ok(Self {
            homes: named_homes(node, wanted)?,
            total: None,
            newer: after.map(|_| (list.clone(), "Newest")),
            older: found
                .next
                .map(|next| format!("{list}&from={}", place_word(&next))),
            looked_until: found.next.filter(|_| !is_full).map(|next| next.created_at),
            rows: found.rows,
        })
    }
}

/// A place as it stands in an address.
fn place_word(place: &ListPlace) -> String {
    let ms = place.created_at.unix_ms();
    format!("{ms}.{}.{}", place.id, place.origin)
}

/// Reads it; what is none begins the list.
fn place(text: &str) -> Option<ListPlace> {
    let mut parts = text.split('.');
    let (ms, id, origin) = (parts.next()?, parts.next()?, parts.next()?);
    Some(ListPlace {
        created_at: Timestamp::from_unix_ms(ms.parse().ok()?)?,
        id: id.parse().ok()?,
        origin: origin.parse().ok()?,
    })
}

/// One tab for each community that something in the slice is of, and one for all of them. Where everything
/// is of this community, there is nothing to choose from.
fn counted_homes(rows: &[RequestView], wanted: &Wanted) -> Vec<Tab> {
    let mut counts: BTreeMap<InstanceId, (&str, usize)> = BTreeMap::new();
    for row in rows {
        let (_, count) = counts
            .entry(row.base.origin)
            .or_insert((row.base.home.as_str(), 0));
        *count += 1;
    }
    if counts.len() < 2 && wanted.home.is_empty() {
        return Vec::new();
    }
    let each = counts
        .into_iter()
        .map(|(origin, (name, count))| (origin, format!("{name} ({count})")));
    tabs(format!("Everywhere ({})", rows.len()), each, wanted)
}

/// One tab for each community of which something can be shown, by name; of many the first, and the chosen one.
fn named_homes(node: &Node, wanted: &Wanted) -> Result<Vec<Tab>, Trouble> {
    let instances = node.store().instances().map_err(NodeError::from)?;
    let mut shown: Vec<(InstanceId, String)> = instances
        .into_iter()
        .filter(|known| known.standing == Standing::Own || known.standing.is_accepted())
        .map(|known| (known.id, known.label()))
        .collect();
    if shown.len() < 2 && wanted.home.is_empty() {
        return Ok(Vec::new());
    }
    shown.sort_by_key(|(id, name)| (*id != node.own_id(), name.to_lowercase()));
    let chosen = shown
        .iter()
        .skip(HOMES_SHOWN_MAX)
        .find(|(id, _)| id.to_string() == wanted.home)
        .cloned();
    shown.truncate(HOMES_SHOWN_MAX);
    shown.extend(chosen);
    Ok(tabs("Everywhere".to_owned(), shown.into_iter(), wanted))
}

fn tabs(
    all: String,
    each: impl Iterator<Item = (InstanceId, String)>,
    wanted: &Wanted,
) -> Vec<Tab> {
    let everywhere = Tab {
        address: wanted.address(""),
        name: all,
        is_here: wanted.home.is_empty(),
    };
    let each = each.map(|(origin, name)| {
        let home = origin.to_string();
        Tab {
            address: wanted.address(&home),
            is_here: home == wanted.home,
            name,
        }
    });
    std::iter::once(everywhere).chain(each).collect()
}
