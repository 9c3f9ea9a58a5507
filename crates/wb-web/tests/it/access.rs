//! Who may ask for what: every route, every kind of browser. The table is `docs/routes.md`; a route that is
//! not in it, or answers otherwise, fails here.

use http::{Method, StatusCode};
use wb_web::ROUTES;

use super::site::{Browser, Elm};

/// Whether the door let it through: what is behind may still say that something is wrong with a form.
fn word(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "log in",
        StatusCode::FORBIDDEN => "no",
        StatusCode::NOT_FOUND => "nothing",
        _ => "yes",
    }
}

async fn row(elm: &Elm, browsers: &[Browser], index: usize) -> String {
    let route = &ROUTES[index];
    let node = elm.node();
    let path = route
        .path
        .replace("{home}", &node.own_id().to_string())
        .replace("{id}", &elm.request.to_string())
        .replace("{token}", "0123")
        .replace("{key}", "0123")
        .replace("{run}", "0");
    let mut row = format!("| {} `{}` |", route.method, route.path);
    for browser in browsers {
        let came = match route.method {
            Method::GET => elm.get(browser, &path).await,
            _ => elm.post(browser, &path, &[]).await,
        };
        row.push_str(&format!(" {} |", word(came.status)));
    }
    row
}

#[tokio::test]
async fn every_route_answers_each_kind_of_browser_as_the_table_says() {
    let mut table = String::from(
        "| route | anybody | waiting | author | other member | steward | admin |\n|---|---|---|---|---|---|---|\n",
    );
    for index in 0..ROUTES.len() {
        // Anew for each route: one that changes something must not decide about the next.
        let elm = Elm::found();
        let browsers = [
            elm.stranger(),
            elm.waiting(),
            elm.of("mira"),
            elm.of("omar"),
            elm.of("stella"),
            elm.of("ada"),
        ];
        table.push_str(&row(&elm, &browsers, index).await);
        table.push('\n');
    }
    keep(
        NODE,
        "Every page and form of a node, and who may ask for it.",
        &table,
    );
}

/// The page that has the tables, one section for each program that serves pages.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/routes.md");
const HEAD: &str = "# Routes\n\nMade by tests that ask each of them as each kind of browser \
    (`crates/wb-web/tests/it/access.rs`, `hub/access.rs`).\nThey fail when a table is not what they find; with \
    `WB_WRITE_ROUTES=1` they write it.\n";
/// Sections of that page.
pub const NODE: &str = "## A node\n";
pub const HUB: &str = "## A hub\n";

/// Holds a section of the page against what was found, or writes it.
pub fn keep(section: &str, about: &str, table: &str) {
    let found = format!("{section}\n{about}\n\n{table}");
    let page = std::fs::read_to_string(PAGE).expect("the page is there");
    if std::env::var_os("WB_WRITE_ROUTES").is_some() {
        let other = if section == NODE { HUB } else { NODE };
        let kept = page.find(other).map_or("", |start| &page[start..]);
        let kept = kept
            .find(&format!("\n{section}"))
            .map_or(kept, |end| &kept[..end]);
        let mut sections = [found.trim_end(), kept.trim_end()];
        sections.sort_by_key(|text| !text.starts_with(NODE));
        let body = sections.join("\n\n");
        std::fs::write(PAGE, format!("{HEAD}\n{}\n", body.trim())).expect("the page is written");
        return;
    }
    assert!(
        page.contains(&found),
        "docs/routes.md is not what was found:\n{table}"
    );
}
