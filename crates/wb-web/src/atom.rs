//! Feeds for feed readers, as Atom (RFC 4287) and as RSS 2.0, from the same few plain values.
//!
//! Text goes in as people wrote it. What XML cannot hold is left out, the rest is escaped, and nothing in
//! a feed is markup: a reader shows text as text. Ids are the caller's and must never change; the
//! feed's own time is that of its newest entry, so that the same entries are the same bytes.

use std::fmt::Write as _;

use wb_core::hash;
use wb_core::time::Timestamp;

/// The type that Atom is sent as.
pub(crate) const ATOM: &str = "application/atom+xml; charset=utf-8";
/// The type that RSS is sent as.
pub(crate) const RSS: &str = "application/rss+xml; charset=utf-8";

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// A feed.
#[derive(Debug, Clone)]
pub(crate) struct Feed {
    /// Names it for ever, as an IRI.
    pub id: String,
    pub title: String,
    /// What it holds, in a sentence.
    pub about: String,
    /// The page that shows the same to people.
    pub page: String,
    /// Where the feed itself is.
    pub address: String,
    /// Said as the feed's time where it has no entry.
    pub since: Timestamp,
    /// The newest first.
    pub entries: Vec<Entry>,
}

/// One thing in a feed.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Names it for ever, as an IRI.
    pub id: String,
    pub title: String,
    /// Its page.
    pub page: String,
    pub author: String,
    /// In full, as plain text.
    pub text: String,
    pub published: Timestamp,
    pub updated: Timestamp,
    /// Words that a reader can sort by.
    pub categories: Vec<String>,
}

impl Feed {
    fn updated(&self) -> Timestamp {
        let newest = self.entries.iter().map(|entry| entry.updated).max();
        newest.unwrap_or(self.since)
    }

    /// The feed as Atom.
    pub fn atom(&self) -> String {
        let mut xml = Xml::new();
        xml.open("feed xmlns=\"http://www.w3.org/2005/Atom\"");
        xml.element("id", &self.id);
        xml.element("title", &self.title);
        xml.element("subtitle", &self.about);
        xml.element("updated", &self.updated().to_string());
        xml.link("self", &self.address);
        xml.link("alternate", &self.page);
        for entry in &self.entries {
            xml.open("entry");
            xml.element("id", &entry.id);
            xml.element("title", &entry.title);
            xml.open("author");
            xml.element("name", &entry.author);
            xml.close("author");
            xml.element("published", &entry.published.to_string());
            xml.element("updated", &entry.updated.to_string());
            xml.link("alternate", &entry.page);
            for category in &entry.categories {
                xml.line(&format!("<category term=\"{}\"/>", escape(category)));
            }
            xml.element("content", &entry.text);
            xml.close("entry");
        }
        xml.close("feed");
        xml.0
    }

    /// The feed as RSS 2.0. Authors stand in the words: RSS asks for an e-mail address there.
    pub fn rss(&self) -> String {
        let mut xml = Xml::new();
        xml.open("rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\"");
        xml.open("channel");
        xml.element("title", &self.title);
        xml.element("link", &self.page);
        xml.element("description", &self.about);
        xml.element("lastBuildDate", &mail_date(self.updated()));
        xml.line(&format!(
            "<atom:link rel=\"self\" href=\"{}\"/>",
            escape(&self.address)
        ));
        for entry in &self.entries {
            xml.open("item");
            xml.element("title", &entry.title);
            xml.element("link", &entry.page);
            xml.line(&format!(
                "<guid isPermaLink=\"false\">{}</guid>",
                escape(&entry.id)
            ));
            xml.element("pubDate", &mail_date(entry.published));
            for category in &entry.categories {
                xml.element("category", category);
            }
            // A description is read as HTML: what was escaped once would be markup again.
            let words = format!("{}\n{}", entry.author, entry.text);
            let lines: Vec<String> = words.lines().map(escape).collect();
            xml.element("description", &lines.join("<br>"));
            xml.close("item");
        }
        xml.close("channel");
        xml.close("rss");
        xml.0
    }
}

/// A name for ever, made from a text that names the same for ever: a version 8 UUID as an IRI.
pub(crate) fn name_of(text: &str) -> String {
    let mut digits = hash::sha256(text.as_bytes()).to_string();
    digits.truncate(32);
    // The two digits that say what kind of UUID it is.
    digits.replace_range(12..13, "8");
    digits.replace_range(16..17, "a");
    format!(
        "urn:uuid:{}-{}-{}-{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..]
    )
}

struct Xml(String);

impl Xml {
    fn new() -> Self {
        Self("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n".to_owned())
    }

    fn line(&mut self, line: &str) {
        writeln!(self.0, "{line}").expect("writing to a string does not fail");
    }

    fn open(&mut self, tag: &str) {
        self.line(&format!("<{tag}>"));
    }

    fn close(&mut self, name: &str) {
        self.line(&format!("</{name}>"));
    }

    fn element(&mut self, name: &str, text: &str) {
        self.line(&format!("<{name}>{}</{name}>", escape(text)));
    }

    fn link(&mut self, rel: &str, href: &str) {
        self.line(&format!("<link rel=\"{rel}\" href=\"{}\"/>", escape(href)));
    }
}

/// Text as it stands in an element or an attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars().filter(|letter| fits(*letter)) {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Whether XML 1.0 can hold a character, even escaped.
fn fits(letter: char) -> bool {
    match letter {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        other => other >= ' ',
    }
}

/// A time as mails have it, which RSS asks for.
fn mail_date(at: Timestamp) -> String {
    // 2026-11-22T10:23:59.123Z
    let text = at.to_string();
    let month: usize = text[5..7].parse().expect("a time has a month");
    let weekday = at.unix_ms().div_euclid(DAY_MS).rem_euclid(7);
    let weekday = usize::try_from(weekday).expect("a remainder is not negative");
    format!(
        "{}, {} {} {} {} +0000",
        DAYS[weekday],
        &text[8..10],
        MONTHS[month - 1],
        &text[..4],
        &text[11..19]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn feed(text: &str) -> Feed {
        Feed {
            id: "urn:wb:feed".to_owned(),
            title: "Elm & Oak".to_owned(),
            about: "What is asked for".to_owned(),
            page: "https://elm.test/requests".to_owned(),
            address: "https://elm.test/feed?a=1&b=2".to_owned(),
            since: at("2026-01-01T00:00:00.000Z"),
            entries: vec![Entry {
                id: "urn:wb:one".to_owned(),
                title: text.to_owned(),
                page: "https://elm.test/requests/one".to_owned(),
                author: "mira".to_owned(),
                text: text.to_owned(),
                published: at("2026-11-22T10:23:59.123Z"),
                updated: at("2026-11-23T00:00:00.000Z"),
                categories: vec!["open".to_owned()],
            }],
        }
    }

    #[test]
    fn text_of_people_is_never_markup() {
        let hostile = "</title><script>alert('1')</script> \u{0}\u{b}\u{ffff}&amp; ]]>";
        let feed = feed(hostile);
        for xml in [feed.atom(), feed.rss()] {
            assert!(!xml.contains("<script"), "{xml}");
            assert!(!xml.contains(['\u{0}', '\u{b}', '\u{ffff}']), "{xml}");
            assert!(xml.contains("&lt;/title&gt;&lt;script&gt;"), "{xml}");
        }
        // A reader takes a description of RSS for HTML: there it is escaped once more.
        assert!(feed.rss().contains("&amp;lt;script&amp;gt;"));
    }

    #[test]
    fn a_feed_says_when_it_changed_last() {
        let mut feed = feed("one");
        assert!(
            feed.atom()
                .contains("<updated>2026-11-23T00:00:00.000Z</updated>")
        );
        assert!(
            feed.rss()
                .contains("<pubDate>Sun, 22 Nov 2026 10:23:59 +0000</pubDate>")
        );
        feed.entries.clear();
        assert!(
            feed.atom()
                .contains("<updated>2026-01-01T00:00:00.000Z</updated>")
        );
    }

    #[test]
    fn names_are_uuids_and_differ() {
        let (one, two) = (name_of("one"), name_of("two"));
        assert_ne!(one, two);
        assert_eq!(one, name_of("one"));
        let parts: Vec<usize> = one[9..].split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert!(one[9..].split('-').nth(2).unwrap().starts_with('8'));
    }

    #[test]
    fn days_before_the_epoch_have_their_names_too() {
        assert_eq!(
            mail_date(at("1969-12-31T23:59:59.000Z")),
            "Wed, 31 Dec 1969 23:59:59 +0000"
        );
        assert_eq!(
            mail_date(at("2000-02-29T00:00:00.000Z")),
            "Tue, 29 Feb 2000 00:00:00 +0000"
        );
    }
}
