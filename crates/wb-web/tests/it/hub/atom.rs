//! Feeds, read by a parser that is not ours.

use http::{Method, StatusCode};
use roxmltree::{Document, Node};
use wb_core::sync::Standing;

use super::world::{Harbour, NAME};
use crate::origin::Origin;

const ATOM: &str = "http://www.w3.org/2005/Atom";

fn child<'a>(node: Node<'a, 'a>, name: &str) -> Option<Node<'a, 'a>> {
    node.children()
        .find(|child| child.has_tag_name((ATOM, name)))
}

fn text(node: Node<'_, '_>, name: &str) -> String {
    let found = node
        .children()
        .find(|child| child.has_tag_name((ATOM, name)));
    found
        .and_then(|found| found.text())
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn a_feed_has_what_the_format_asks_for_and_says_what_was_written() {
    let (harbour, mut north) = (Harbour::new(), Origin::new(1));
    harbour.register(&north, "North & South", true, 1);
    let hostile = "<b>&amp;]]></content><entry/> \u{202e}x";
    harbour.publish(&mut north, &[(1, "A ladder"), (2, hostile)]);
    let home = format!("/communities/{}/requests.atom", north.id());
    for path in ["/requests.atom", home.as_str()] {
        let came = harbour.get(&harbour.nobody(), path).await;
        assert_eq!(
            came.header("content-type"),
            Some("application/atom+xml; charset=utf-8")
        );
        let document = Document::parse(&came.body).expect("well formed");
        let feed = document.root_element();
        assert!(feed.has_tag_name((ATOM, "feed")));
        assert!(text(feed, "id").starts_with("urn:uuid:"));
        assert!(!text(feed, "title").is_empty());
        let itself = feed
            .children()
            .find(|link| link.attribute("rel") == Some("self"));
        let address = itself
            .and_then(|link| link.attribute("href"))
            .expect("its address");
        assert_eq!(address, format!("http://{NAME}{path}"));
        let entries = feed
            .children()
            .filter(|entry| entry.has_tag_name((ATOM, "entry")));
        let entries: Vec<Node<'_, '_>> = entries.collect();
        assert_eq!(entries.len(), 2);
        for entry in &entries {
            assert!(text(*entry, "id").starts_with("urn:uuid:"));
            assert!(text(*entry, "updated") <= text(feed, "updated"));
            assert!(child(*entry, "author").is_some_and(|author| !text(author, "name").is_empty()));
            let said = text(*entry, "content");
            assert!(
                said.starts_with("open · public · from North & South"),
                "{said}"
            );
        }
        let titles: Vec<String> = entries.iter().map(|entry| text(*entry, "title")).collect();
        assert!(titles.contains(&hostile.to_owned()), "{titles:?}");
    }
    let page = harbour.get(&harbour.nobody(), "/requests").await;
    assert!(
        page.body
            .contains(r#"<link rel="alternate" type="application/atom+xml" href="/requests.atom""#)
    );
}

#[tokio::test]
async fn a_reader_is_told_that_it_holds_the_newest_and_never_after_something_went() {
    let (harbour, mut north) = (Harbour::new(), Origin::new(1));
    harbour.register(&north, "North", true, 1);
    harbour.publish(&mut north, &[(1, "A ladder")]);
    let nobody = harbour.nobody();
    let first = harbour.get(&nobody, "/requests.atom").await;
    let ids = |body: &str| {
        let document = Document::parse(body).expect("well formed");
        let entries = document.root_element().descendants();
        let entries = entries.filter(|entry| entry.has_tag_name((ATOM, "entry")));
        entries.map(|entry| text(entry, "id")).collect::<Vec<_>>()
    };
    let before = ids(&first.body);
    // Within its first second a feed does not say since when it is so.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let second = harbour.get(&nobody, "/requests.atom").await;
    let since = second.header("last-modified").expect("a time").to_owned();
    let tag = second.header("etag").expect("a tag").to_owned();
    for asking in [
        ("if-none-match", tag.as_str()),
        ("if-modified-since", since.as_str()),
    ] {
        let came = harbour
            .ask(&nobody, Method::GET, "/requests.atom", &[], &[asking])
            .await;
        assert_eq!(came.status, StatusCode::NOT_MODIFIED);
        assert_eq!(came.header("etag"), Some(tag.as_str()));
    }
    harbour.stand(&north, Standing::Suspended, None);
    for asking in [
        ("if-none-match", tag.as_str()),
        ("if-modified-since", since.as_str()),
    ] {
        let came = harbour
            .ask(&nobody, Method::GET, "/requests.atom", &[], &[asking])
            .await;
        assert_eq!(came.status, StatusCode::OK);
        assert!(ids(&came.body).is_empty(), "{}", came.body);
    }
    harbour.stand(&north, Standing::Member, None);
    let again = harbour.get(&nobody, "/requests.atom").await;
    assert_eq!(ids(&again.body), before, "what comes back is what it was");
}
