//! What this version does not know survives it: a newer program publishes a kind and a field more, this
//! version takes them, keeps their bytes and counts them, and after an upgrade they are shown without
//! another exchange.
//!
//! The program under test here is the newer one, built with the feature `next-schema`; `WB_OLDER` names
//! a build without it. `scripts/test next-schema` makes both.

use std::path::PathBuf;

use rusqlite::{Connection, params};

use crate::support::database::{LiveLine, live_lines};
use crate::support::instance::{Instance, text};

/// A program without the feature.
pub fn older() -> PathBuf {
    let path = std::env::var_os("WB_OLDER");
    path.expect("WB_OLDER names a wb without the feature next-schema; see scripts/test next-schema")
        .into()
}

/// Writes what no command of the newer program writes yet, where such a command would: a `skill`, and
/// the urgency of a request.
pub fn write_what_is_new(newer: &Instance, request: &str) -> String {
    let database = Connection::open(newer.file("wb.db")).expect("the file is there");
    let skill = "018f3f6e-8a00-7000-8000-00000000abcd";
    let id = data_encoding::HEXLOWER.decode(skill.replace('-', "").as_bytes());
    let body = r#"{"title":"Mending bicycles","created_at":"2026-11-22T10:00:00.000Z"}"#;
    let added = database.execute(
        "INSERT INTO local_records (id, kind, author, scope, ceiling, life, body, created_at, at)
         SELECT ?1, 'skill', author, 'public', 'public', 'active', ?2, created_at, at
         FROM local_records WHERE kind = 'request' AND lower(hex(id)) = ?3",
        params![id.expect("hex digits"), body, request.replace('-', "")],
    );
    let changed = database.execute(
        r#"UPDATE local_records SET body = json_insert(body, '$.urgency', 'today')
           WHERE kind = 'request' AND lower(hex(id)) = ?1"#,
        [request.replace('-', "")],
    );
    assert_eq!((added, changed), (Ok(1), Ok(1)));
    skill.to_owned()
}

fn line_of(lines: &[LiveLine], id: &str) -> String {
    let id = id.replace('-', "");
    let line = lines.iter().find(|(_, record, ..)| *record == id);
    let (_, _, _, bytes) = line.expect("the line is live");
    String::from_utf8(bytes.clone()).expect("a line is UTF-8")
}

#[test]
fn what_is_not_known_yet_is_kept_and_shown_after_an_upgrade() {
    let folder = tempfile::tempdir().unwrap();
    let newer = Instance::found(folder.path(), "Newer", "keeper");
    let soup = [
        "--title",
        "Soup",
        "--description",
        "For three",
        "--scope",
        "public",
    ];
    let request = newer.ok(&[&["request", "add"], &soup[..]].concat());
    let skill = write_what_is_new(&newer, &request);
    newer.ok(&["bundle", "export", "newer.wbb"]);
    let id = newer.id();
    let sent: Vec<LiveLine> = live_lines(&newer.home, &id).into_iter().collect();
    assert!(line_of(&sent, &skill).contains(r#""kind":"skill""#));
    assert!(line_of(&sent, &request).contains(r#""urgency":"today""#));

    // The older program takes both, shows what it knows, and counts the rest.
    let south = Instance::found_by(folder.path(), "South", "ash", &older());
    south.ok(&["bundle", "import", "newer.wbb", "--yes"]);
    let kept: Vec<LiveLine> = live_lines(&south.home, &id).into_iter().collect();
    assert_eq!(kept, sent);
    let status = south.json(&["status"]);
    assert_eq!(status[0]["needs_newer_version"], 1);
    let said = "1 record needs a newer version of this program; they are kept and shown";
    assert!(
        south.ok(&["status"]).contains(said),
        "{}",
        south.ok(&["status"])
    );
    assert!(south.ok(&["request", "list"]).contains("Soup"));
    assert!(!south.ok(&["record", "list"]).contains("skill"));
    let hidden = south.json(&["record", "list", "--hidden", "--kind", "skill"]);
    assert_eq!(text(&hidden[0], "hidden"), "needs_newer_version");
    assert_eq!(text(&hidden[0], "id"), skill);
    south.ok(&["doctor"]);

    // It hands both on as they came: a third community gets the same bytes from it.
    let east = Instance::found(folder.path(), "East", "elm");
    south.ok(&["bundle", "export", "south.wbb"]);
    east.ok(&["bundle", "import", "south.wbb", "--yes"]);
    let relayed: Vec<LiveLine> = live_lines(&east.home, &id).into_iter().collect();
    assert_eq!(relayed, sent);
    assert!(east.ok(&["record", "list"]).contains("Mending bicycles"));

    // The same home under the newer program: no new exchange, and the bytes are the same.
    let upgraded = Instance::at(folder.path(), "South", &newer.program);
    upgraded.ok(&["rebuild"]);
    assert_eq!(upgraded.json(&["status"])[0]["needs_newer_version"], 0);
    let shown = upgraded.json(&["record", "list", "--kind", "skill"]);
    assert_eq!(text(&shown[0], "headline"), "Mending bicycles");
    let detail = upgraded.json(&["record", "show", &request]);
    assert_eq!(detail[0]["body"]["urgency"], "today");
    let after: Vec<LiveLine> = live_lines(&upgraded.home, &id).into_iter().collect();
    assert_eq!(after, sent);
    upgraded.ok(&["doctor"]);
}
