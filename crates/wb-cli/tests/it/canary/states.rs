//! States that a record or its author can be in although no command leads there yet: the rules for what
//! may leave hold for them already. They are put into the files by hand.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::Connection;

use super::needles::{Needle, Searcher};
use crate::support::chance::Chance;
use crate::support::instance::{Instance, text};

/// What keeps a public request of an approved member home: the cause, the file, and the SQL that makes
/// it so; `?1` is the request, `?2` its author.
const STATES: [(&str, &str, &str); 8] = [
    (
        "author_pending",
        "private.db",
        "UPDATE accounts SET state = 'pending' WHERE lower(hex(user_id)) = ?2 AND ?1 != ''",
    ),
    (
        "author_provisional",
        "private.db",
        "INSERT INTO redemptions SELECT user_id, user_id, zeroblob(32), user_id, 0, 0, 'asked', NULL, NULL, NULL
         FROM accounts WHERE lower(hex(user_id)) = ?2 AND ?1 != ''",
    ),
    (
        "author_gone",
        "private.db",
        "UPDATE accounts SET state = 'gone' WHERE lower(hex(user_id)) = ?2 AND ?1 != ''",
    ),
    (
        "not_approved",
        "wb.db",
        "UPDATE local_records SET life = 'pending' WHERE lower(hex(id)) = ?1 AND ?2 != ''",
    ),
    (
        "deleted",
        "wb.db",
        "UPDATE local_records SET life = 'deleted' WHERE lower(hex(id)) = ?1 AND ?2 != ''",
    ),
    (
        "scope_private",
        "wb.db",
        "UPDATE local_records SET scope = 'private' WHERE lower(hex(id)) = ?1 AND ?2 != ''",
    ),
    (
        "scope_private",
        "wb.db",
        "UPDATE local_records SET ceiling = 'private' WHERE lower(hex(id)) = ?1 AND ?2 != ''",
    ),
    (
        "no_audience",
        "wb.db",
        "UPDATE local_records SET ceiling = 'trusted_peers' WHERE lower(hex(id)) = ?1 AND ?2 != ''",
    ),
];

/// A member's request with a comment by somebody else, in words that stand nowhere else.
struct Story {
    author: String,
    request: String,
    words: [String; 3],
}

fn write(north: &Instance, number: usize, chance: &mut Chance) -> Story {
    let handle = format!("member-{number}");
    let added = north.json(&["user", "add", &handle]);
    let words = [0; 3].map(|_| chance.word(16));
    let [title, description, answer] = &words;
    let request = [
        "request",
        "add",
        "--title",
        title,
        "--description",
        description,
    ];
    let scope = ["--scope", "public"];
    let acting = ["--as", &handle];
    let request = north.ok(&[&acting, &request[..], &scope].concat());
    north.ok(&[&["comment", "add", &request, "--body", answer], &scope[..]].concat());
    Story {
        author: text(&added[0], "id").to_owned(),
        request,
        words,
    }
}

fn put_into(north: &Instance, story: &Story, file: &str, sql: &str) {
    let database = Connection::open(north.file(file)).expect("the file is there");
    let hex = |id: &str| id.replace('-', "");
    let changed = database.execute(sql, [hex(&story.request), hex(&story.author)]);
    assert_eq!(changed, Ok(1), "{sql}");
}

fn needles(story: &Story) -> BTreeSet<Needle> {
    let words = story.words.iter();
    words.map(|word| Needle::text(word, word)).collect()
}

fn exported(north: &Instance, folder: &Path) -> Vec<u8> {
    north.ok(&["bundle", "export", "north.wbb"]);
    std::fs::read(folder.join("north.wbb")).expect("it was written")
}

/// Writes a request for each state and one more, which leaves, and puts the states into the files before
/// or after everything was published once.
fn what_is_in_such_a_state_stays_home(published_before: bool) {
    let mut chance = Chance::announced("what_is_in_such_a_state_stays_home");
    let folder = tempfile::tempdir().expect("a folder");
    let north = Instance::found(folder.path(), "North", "keeper");
    let free = write(&north, STATES.len(), &mut chance);
    let stories: Vec<Story> = (0..STATES.len())
        .map(|number| write(&north, number, &mut chance))
        .collect();
    if published_before {
        let bundle = exported(&north, folder.path());
        for story in &stories {
            let searcher = Searcher::new(&needles(story));
            assert_eq!(searcher.missing(&[&bundle]), BTreeSet::new());
        }
    }
    for (story, (_, file, sql)) in stories.iter().zip(STATES) {
        put_into(&north, story, file, sql);
    }
    let bundle = exported(&north, folder.path());
    assert_eq!(
        Searcher::new(&needles(&free)).missing(&[&bundle]),
        BTreeSet::new()
    );
    let staying = north.json(&["record", "list", "--staying", "--kind", "request"]);
    for (story, (cause, _, sql)) in stories.iter().zip(STATES) {
        let found = Searcher::new(&needles(story)).find(&bundle);
        assert_eq!(found, BTreeSet::new(), "{sql}");
        let stay = staying
            .iter()
            .find(|stay| stay["id"] == story.request.as_str());
        let stay = stay.unwrap_or_else(|| panic!("{sql}: it is not listed as staying"));
        assert_eq!(text(stay, "stays"), cause, "{sql}");
    }
}

#[test]
fn what_never_left_does_not_leave_then() {
    what_is_in_such_a_state_stays_home(false);
}

#[test]
fn what_was_published_is_taken_back_then() {
    what_is_in_such_a_state_stays_home(true);
}
