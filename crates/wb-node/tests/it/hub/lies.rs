//! A hub that puts into its pages what it was never given: the steps of the vectors, over real sockets.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::Value;
use wb_core::id::InstanceId;
use wb_core::scope::Scope;
use wb_core::sync::Policy;
use wb_hub::ChangesPage;
use wb_node::command::sync::Synced;
use wb_node::query::inbox::inbox;
use wb_node::view::InboxView;

use super::world::{HubUp, Member, titles};

/// A file of `docs/spec/vectors`.
pub fn vector(name: &str) -> Value {
    let file = format!("../../docs/spec/vectors/{name}.json");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(file).expect("a vector file");
    serde_json::from_str(&text).expect("a vector file is JSON")
}

/// The steps of a vector of feeds.
pub fn steps(name: &str) -> Vec<Value> {
    let vector = vector(&format!("feeds/{name}"));
    vector["steps"].as_array().expect("steps").clone()
}

fn texts(value: &Value) -> Vec<String> {
    let texts = value.as_array().expect("a list").iter();
    texts
        .map(|text| text.as_str().expect("a text").to_owned())
        .collect()
}

/// An identity log as a section of a stream.
pub fn identity(id: &str, lines: &[String]) -> Vec<String> {
    let entries = lines.len();
    let section = format!(
        r#"{{"section":"identity","schema_version":1,"origin":"{id}","entries":{entries}}}"#
    );
    [&[section], lines].concat()
}

/// A step of a vector as a section of a stream. A fill is none: lines are asked for.
pub fn section(step: &Value) -> Vec<String> {
    match step["do"].as_str().expect("what to do") {
        "identity" => {
            let lines = texts(&step["lines"]);
            identity(&instance(&lines[0]), &lines)
        }
        "snapshot" => texts(&step["lines"]),
        "delta" => {
            let (header, items) = (
                step["header"].as_str().expect("a text"),
                texts(&step["items"]),
            );
            let origin = origin(header);
            let count = items.len();
            let section = format!(
                r#"{{"section":"deltas","schema_version":1,"origin":"{origin}","scope":"public","deltas":1,"items":{count}}}"#
            );
            [&[section, header.to_owned()], &items[..]].concat()
        }
        other => panic!("no section for {other}"),
    }
}

/// The origin that a header names; where it cannot be read, that of its first letters.
fn origin(header: &str) -> String {
    const BEFORE: &str = r#""origin":""#;
    let at = header.find(BEFORE).expect("an origin") + BEFORE.len();
    header[at..at + 64].to_owned()
}

/// The id of a first identity entry.
fn instance(line: &str) -> String {
    let log = wb_core::identity::IdentityLog::verify(None, &[line]).expect("a vector");
    log.id().to_string()
}

/// Every row of an instance's feeds, as plain SQL says.
pub fn rows(member: &Member, id: &str) -> Vec<String> {
    let database = Connection::open(member.home().main()).expect("a database");
    let of = "(SELECT instance_no FROM instances WHERE lower(hex(id)) = ?1)";
    let tables = [
        format!("SELECT scope, seq, hash, live_n, live, forked FROM feeds WHERE instance_no = {of} ORDER BY scope"),
        format!(
            "SELECT h.seq, h.hash, h.line FROM headers h JOIN logs l USING (log_no) WHERE l.instance_no = {of}
             ORDER BY h.log_no, h.seq"
        ),
        format!(
            "SELECT x.id, x.op, x.rev, x.kind, x.line_hash, x.line, x.live, x.void
             FROM feed_lines x JOIN feeds f USING (feed_no) WHERE f.instance_no = {of} ORDER BY x.id, x.rev, x.op"
        ),
        format!("SELECT id, rev, cause, body FROM records WHERE instance_no = {of} ORDER BY id"),
    ];
    let mut rows = Vec::new();
    for sql in tables {
        let mut statement = database.prepare(&sql).expect("plain SQL");
        let columns = statement.column_count();
        let found = statement.query_map([id], |row| {
            let cells = (0..columns).map(|column| match row.get_ref(column)? {
                ValueRef::Blob(bytes) | ValueRef::Text(bytes) if bytes.len() > 32 => {
                    Ok(wb_core::hash::sha256(bytes).to_string())
                }
                ValueRef::Blob(bytes) => {
                    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
                }
                ValueRef::Text(text) => Ok(String::from_utf8_lossy(text).into_owned()),
                other => Ok(format!("{other:?}")),
            });
            Ok(cells.collect::<rusqlite::Result<Vec<_>>>()?.join("|"))
        });
        rows.extend(found.expect("plain SQL").map(|row| row.expect("a row")));
    }
    rows
}

/// A hub that lies to South, who follows everybody there; with every lie comes something true of North.
pub struct Town {
    pub hub: HubUp,
    pub north: Member,
    pub south: Member,
    told: usize,
}

impl Town {
    pub fn new() -> Self {
        let hub = HubUp::start("Harbour", Policy::Open);
        let (mut north, mut south) = (Member::found("North"), Member::found("South"));
        for member in [&mut north, &mut south] {
            member.register(&hub);
        }
        north.ask("Request 0", Scope::Public);
        north.sync(&hub);
        south.follow_all(&hub, &[north.id()]);
        assert_eq!(south.sync(&hub).end, None);
        Self {
            hub,
            north,
            south,
            told: 0,
        }
    }

    /// The hub puts these sections before what is true, and South syncs. Whatever becomes of them, what
    /// North says in the same page is taken.
    pub fn offer(&mut self, sections: &[Vec<String>]) -> Synced {
        let synced = self.tell(&sections.concat().join("\n"));
        let mut true_titles: Vec<String> =
            (0..=self.told).map(|n| format!("Request {n}")).collect();
        true_titles.sort();
        let mut mine = titles(&self.south);
        mine.retain(|title| title.starts_with("Request "));
        assert_eq!(mine, true_titles, "other feeds of the page go on");
        self.south.assert_equals(&self.north);
        synced
    }

    /// The hub puts these lines before what is true, and South syncs.
    pub fn tell(&mut self, lines: &str) -> Synced {
        self.told += 1;
        let title = format!("Request {}", self.told);
        let synced = tell(&self.hub, (&mut self.north, &mut self.south), &title, lines);
        self.south.assert_sound();
        synced
    }

    /// The items of South's inbox about an instance.
    pub fn inbox_of(&self, id: &str) -> Vec<InboxView> {
        let id: InstanceId = id.parse().expect("an id");
        let items = inbox(&self.south.node).expect("a store").into_iter();
        items.filter(|item| item.origin == Some(id)).collect()
    }
}

/// A hub puts lines before what is true, which is a request of the first member; the second syncs.
pub fn tell(
    hub: &HubUp,
    (north, south): (&mut Member, &mut Member),
    title: &str,
    lines: &str,
) -> Synced {
    north.ask(title, Scope::Public);
    // Others are told no lies.
    north.sync(hub);
    let lines = lines.to_owned();
    hub.seam()
        .lie_in_changes(move |page| with_more(page, &lines));
    let synced = south.sync(hub);
    hub.seam().be_honest();
    synced
}

/// A page of changes with more sections in it, after its first line.
fn with_more(page: ChangesPage, more: &str) -> ChangesPage {
    let text = String::from_utf8(page.body.clone()).expect("pages are text");
    let (first, rest) = text.split_once('\n').expect("a first line");
    if rest.is_empty() || more.is_empty() {
        return page;
    }
    ChangesPage {
        body: format!("{first}\n{more}\n{rest}").into_bytes(),
        ..page
    }
}
