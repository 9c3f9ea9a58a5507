//! Reading `app.db` of the Python program: the fixture's figures, everything nasty, and that the
//! source is never touched.

mod build;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use wb_core::hash::sha256;
use wb_core::scope::Scope;
use wb_store::legacy::{
    Consequence, Dump, LegacyError, LegacyStatus, Problem, What, fallback, read, read_through,
};

use build::Legacy;

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/legacy/app.db")
}

/// Every file of a folder with the hash of its bytes.
fn contents(dir: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(dir).expect("the folder can be listed");
    let hash = |path: &Path| sha256(&fs::read(path).expect("the file can be read")).to_string();
    entries
        .map(|entry| entry.expect("the folder can be listed"))
        .map(|entry| {
            (
                entry.file_name().to_string_lossy().into_owned(),
                hash(&entry.path()),
            )
        })
        .collect()
}

fn of<'a>(dump: &'a Dump, table: &str, row: &str) -> Vec<&'a Problem> {
    let problems = dump.problems.iter();
    problems
        .filter(|problem| problem.table == table && problem.row.as_deref() == Some(row))
        .collect()
}

/// The one problem of a row.
fn only<'a>(dump: &'a Dump, table: &str, row: &str) -> &'a Problem {
    let [problem] = of(dump, table, row)[..] else {
        panic!("{table} {row}: {:#?}", of(dump, table, row))
    };
    problem
}

#[test]
fn the_fixture_has_its_known_figures() {
    let dump = read(&fixture()).unwrap();
    assert_eq!(dump.users.len(), 50);
    assert_eq!(dump.requests.len(), 200);
    assert_eq!(dump.comments.len(), 600);
    assert_eq!(dump.invites.len(), 40);
    assert!(
        dump.invites
            .iter()
            .all(|invite| invite.personalisation.is_some())
    );
    assert_eq!(dump.vouches.len(), 30);

    let public: Vec<_> = dump
        .requests
        .iter()
        .filter(|r| r.scope == Scope::Public)
        .collect();
    let live = [LegacyStatus::Open, LegacyStatus::Completed];
    assert_eq!(public.len(), 120);
    assert_eq!(
        public
            .iter()
            .filter(|request| live.contains(&request.status))
            .count(),
        97
    );

    let scopes: BTreeMap<i64, Scope> = dump.requests.iter().map(|r| (r.id, r.scope)).collect();
    let public: Vec<_> = dump
        .comments
        .iter()
        .filter(|c| c.scope == Scope::Public)
        .collect();
    let on_private = public
        .iter()
        .filter(|c| scopes[&c.request] == Scope::Private);
    assert_eq!(public.len(), 450);
    assert_eq!(on_private.count(), 180);
    assert_eq!(
        public
            .iter()
            .filter(|comment| comment.deleted_at.is_some())
            .count(),
        12
    );

    let users_public = dump
        .users
        .iter()
        .filter(|user| user.scope == Scope::Public)
        .count();
    let invites_public = dump
        .invites
        .iter()
        .filter(|i| i.scope == Scope::Public)
        .count();
    assert_eq!((users_public, invites_public), (30, 20));
    assert_eq!(dump.users[0].handle, "ash");
    assert_eq!(
        dump.users[0].created_at.to_string(),
        "2026-03-01T09:01:00.000Z"
    );
    assert!(
        dump.users
            .iter()
            .all(|user| user.attributes.iter().any(|a| a.key == "profile_note"))
    );
    let examples = &dump.invites[20].personalisation.as_ref().unwrap().examples;
    assert_eq!(examples[1..], ["soup"]);
}

#[test]
fn the_fixture_names_what_is_odd_and_what_stays() {
    let dump = read(&fixture()).unwrap();
    let problems: Vec<String> = dump.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "user_attributes 1 invited_by_user_id: invited_by_user_id names the user itself; \
          kept as a private attribute only"
        ]
    );
    let left: Vec<_> = dump
        .left_behind
        .iter()
        .map(|left| (left.table.as_str(), left.rows))
        .collect();
    assert_eq!(
        left,
        [
            ("auth_requests", Some(10)),
            ("request_attributes", Some(200)),
            ("rss_feed_tokens", Some(10)),
            ("sessions", Some(50)),
        ]
    );
}

#[test]
fn problems_and_leftovers_are_plain_json_without_secrets() {
    let legacy = Legacy::new();
    legacy.add("invite_personalizations", &[("token", "'secret-token'")]);
    let dump = legacy.read();
    let json = serde_json::to_string(&(&dump.problems, &dump.left_behind)).unwrap();
    assert!(
        json.contains(r#""row":"se… (row 1)","what":{"cause":"dangling","column":"token""#),
        "{json}"
    );
    assert!(
        json.contains(r#""consequence":{"done":"left_behind"}"#),
        "{json}"
    );
    assert!(!json.contains("secret-token"));
}

#[test]
fn the_source_is_the_same_after_more_was_written_and_another_one_elsewhere() {
    let legacy = Legacy::new();
    legacy.user(1, "ash");
    let before = legacy.read();
    legacy.user(2, "birch");
    legacy.run("ALTER TABLE users ADD COLUMN colour TEXT");
    legacy.run("CREATE TABLE later (id INTEGER)");
    let after = legacy.read();
    assert_eq!(before.source, after.source);
    assert_ne!(before.source, read(&fixture()).unwrap().source);
    assert_eq!(
        read(&fixture()).unwrap().source,
        read(&fixture()).unwrap().source
    );

    let empty = Legacy::new().read().source;
    let requests = Legacy::new();
    requests.add("help_requests", &[("id", "1")]);
    let invites = Legacy::new();
    invites.add("invite_tokens", &[("token", "'a1'")]);
    let all = [
        before.source,
        empty,
        requests.read().source,
        invites.read().source,
    ];
    assert_eq!(std::collections::BTreeSet::from(all).len(), 4);
}

#[test]
fn only_exactly_public_is_public() {
    let legacy = Legacy::new();
    let words = [
        "'public'",
        "'private'",
        "NULL",
        "'Public'",
        "' public'",
        "CAST('public' AS BLOB)",
        "1",
    ];
    for (id, word) in (1..).zip(words) {
        legacy.user(id, &format!("user{id}"));
        legacy.run(&format!(
            "UPDATE users SET sync_scope = {word} WHERE id = {id}"
        ));
    }
    let dump = legacy.read();
    let public: Vec<i64> = dump
        .users
        .iter()
        .filter(|user| user.scope == Scope::Public)
        .map(|user| user.id)
        .collect();
    assert_eq!(public, [1]);
    for id in 3..=7 {
        let problem = only(&dump, "users", &id.to_string());
        assert!(
            matches!(problem.what, What::UnknownScope { .. }),
            "{problem}"
        );
        assert_eq!(problem.consequence, Consequence::KeptPrivate);
    }
    assert_eq!(dump.problems.len(), 5);
}

#[test]
fn an_unknown_status_is_pending() {
    let legacy = Legacy::new();
    legacy.user(1, "ash");
    let words = [
        "'draft'",
        "'pending'",
        "'open'",
        "'completed'",
        "'Open'",
        "'cancelled'",
        "NULL",
    ];
    for (id, word) in (1..).zip(words) {
        legacy.request(id, 1);
        legacy.run(&format!(
            "UPDATE help_requests SET status = {word} WHERE id = {id}"
        ));
    }
    let dump = legacy.read();
    let statuses: Vec<_> = dump.requests.iter().map(|request| request.status).collect();
    use LegacyStatus::{Completed, Draft, Open, Pending};
    assert_eq!(
        statuses,
        [Draft, Pending, Open, Completed, Pending, Pending, Pending]
    );
    assert_eq!(
        only(&dump, "help_requests", "6").to_string(),
        "help_requests 6: the status is `cancelled`, which is unknown; kept as pending, so it stays home"
    );
    assert_eq!(dump.problems.len(), 3);
}

#[test]
fn an_unreadable_time_falls_back_to_the_nearest_one() {
    let legacy = Legacy::new();
    legacy.user(1, "ash");
    legacy.user(2, "birch");
    legacy.run("UPDATE users SET created_at = 'never' WHERE id = 2");
    for id in 1..=3 {
        legacy.request(id, 1);
    }
    legacy.run("UPDATE help_requests SET created_at = NULL, updated_at = '2026-05-01T10:00:00+02:00' WHERE id = 1");
    legacy.run("UPDATE help_requests SET created_at = 17, updated_at = x'ff' WHERE id = 2");
    legacy.run("UPDATE help_requests SET completed_at = 'soon' WHERE id = 3");
    legacy.comment(1, 1, 1);
    legacy.run("UPDATE request_comments SET created_at = '', deleted_at = '?' WHERE id = 1");
    let dump = legacy.read();
    assert_eq!(dump.users[1].created_at, fallback());
    assert_eq!(
        dump.requests[0].created_at.to_string(),
        "2026-05-01T08:00:00.000Z"
    );
    assert_eq!(dump.requests[1].created_at, dump.users[0].created_at);
    assert_eq!(dump.requests[1].updated_at, dump.users[0].created_at);
    assert_eq!(
        dump.requests[2].completed_at,
        Some(dump.requests[2].updated_at)
    );
    assert_eq!(dump.comments[0].created_at, dump.requests[0].created_at);
    assert_eq!(
        dump.comments[0].deleted_at,
        Some(dump.comments[0].created_at),
        "deleted stays deleted"
    );
    assert_eq!(dump.problems.len(), 7, "{:#?}", dump.problems);
    assert_eq!(
        only(&dump, "users", "2").to_string(),
        "users 2: created_at is `never`, which is not a time; 1970-01-01T00:00:00.000Z is used instead"
    );
}

#[test]
fn odd_text_is_kept_readable_and_long_text_is_kept_whole() {
    let legacy = Legacy::new();
    legacy.user(1, "ash");
    for id in 1..=4 {
        legacy.request(id, 1);
    }
    legacy.run("UPDATE help_requests SET title = 'one' || char(10) || 'two', description = 'a' || char(13, 10) || 'b' WHERE id = 1");
    legacy.run(
        "UPDATE help_requests SET description = 'a' || char(0) || 'b' || char(27) WHERE id = 2",
    );
    legacy.run("UPDATE help_requests SET title = CAST(x'61ff62' AS TEXT), description = x'c3bc' WHERE id = 3");
    legacy.run("UPDATE help_requests SET title = '  ', description = replace(hex(zeroblob(10001)), '00', 'äö') WHERE id = 4");
    let dump = legacy.read();
    let texts = |i: usize| {
        (
            dump.requests[i].title.as_deref(),
            dump.requests[i].description.as_str(),
        )
    };
    assert_eq!(texts(0), (Some("one two"), "a\nb"));
    assert_eq!(
        only(&dump, "help_requests", "1").what,
        What::ControlCharacters {
            column: "title",
            count: 1
        }
    );
    assert_eq!(texts(1).1, "ab");
    assert_eq!(
        only(&dump, "help_requests", "2").what,
        What::ControlCharacters {
            column: "description",
            count: 2
        }
    );
    assert_eq!(texts(2), (Some("a\u{fffd}b"), "ü"));
    assert_eq!(
        only(&dump, "help_requests", "3").what,
        What::NotUtf8 { column: "title" }
    );
    assert_eq!((texts(3).0, texts(3).1.chars().count()), (None, 20_002));
    assert_eq!(
        only(&dump, "help_requests", "4").consequence,
        Consequence::KeptUnshareable
    );
    let too_long: Vec<bool> = dump
        .requests
        .iter()
        .map(|request| request.too_long)
        .collect();
    assert_eq!(too_long, [false, false, false, true]);
}

#[test]
fn every_user_gets_a_handle_of_their_own() {
    let legacy = Legacy::new();
    legacy.run("DROP INDEX ix_users_username");
    let long = "x".repeat(81);
    let names = [
        "ash",
        "Ash",
        "ASH ",
        "ash-2",
        "",
        "user-5",
        long.as_str(),
        "ÄSCHE",
        "äsche",
        "user-7",
    ];
    for (id, name) in (1..).zip(names) {
        legacy.user(id, name);
    }
    legacy.run("INSERT INTO users (id, created_at, sync_scope, is_admin) VALUES (11, '2026-01-01', 'public', 0)");
    let dump = legacy.read();
    let handles: Vec<&str> = dump.users.iter().map(|user| user.handle.as_str()).collect();
    assert_eq!(
        handles,
        [
            "ash", "ash-3", "ash-4", "ash-2", "user-5-2", "user-5", "user-7-2", "äsche", "äsche-2",
            "user-7", "user-11"
        ]
    );
    assert_eq!(
        only(&dump, "users", "2").to_string(),
        "users 2: the name `ash` belongs to user 1 already; offered the handle `ash-3`"
    );
    assert_eq!(only(&dump, "users", "11").what, What::NoHandle);
    assert!(dump.users[6].too_long && dump.users[6].username.as_deref() == Some(long.as_str()));
    assert_eq!(dump.users[10].username, None);
}

#[test]
fn references_into_nothing_are_named_one_by_one() {
    let legacy = Legacy::new();
    legacy.user(1, "ash");
    legacy.user(2, "birch");
    legacy.request(1, 99);
    legacy.request(2, 1);
    legacy.run(
        "INSERT INTO help_requests (id, description, status, created_at, updated_at, sync_scope)
                VALUES (3, '', 'open', '2026-01-01', '2026-01-01', 'public')",
    );
    legacy.comment(1, 77, 1);
    legacy.comment(2, 2, 88);
    legacy.add(
        "invite_tokens",
        &[("token", "'a1b2c3'"), ("created_by_user_id", "66")],
    );
    legacy.add(
        "invite_tokens",
        &[("token", "'d4e5f6'"), ("created_by_user_id", "NULL")],
    );
    legacy.add("invite_personalizations", &[("token", "'ffffff'")]);
    for (id, voucher, subject) in [(1, 1, 55), (2, 55, 1), (3, 1, 1), (4, 1, 2)] {
        legacy.vouch(id, voucher, subject);
    }
    for (user, key, value) in [
        (44, "note", "'lost'"),
        (1, "invited_by_user_id", "'33'"),
        (2, "invited_by_user_id", "'1'"),
        (1, "invite_token_used", "'gone00'"),
        (2, "invite_token_used", "'a1b2c3'"),
        (2, "profile_photo_url", "'/static/p.png'"),
        (2, "note", "NULL"),
    ] {
        legacy.attribute(user, key, value);
    }
    let dump = legacy.read();

    let done = |table, row| only(&dump, table, row).consequence.clone();
    assert_eq!(done("help_requests", "1"), Consequence::KeptWithoutAuthor);
    assert_eq!(done("help_requests", "3"), Consequence::KeptWithoutAuthor);
    assert_eq!(done("request_comments", "1"), Consequence::LeftBehind);
    assert_eq!(
        done("request_comments", "2"),
        Consequence::KeptWithoutAuthor
    );
    assert_eq!(
        done("invite_tokens", "a1… (row 1)"),
        Consequence::KeptWithoutAuthor
    );
    assert_eq!(
        done("invite_personalizations", "ff… (row 1)"),
        Consequence::LeftBehind
    );
    for vouch in ["1", "2", "3"] {
        assert_eq!(done("vouches", vouch), Consequence::LeftBehind);
    }
    assert_eq!(done("user_attributes", "44 note"), Consequence::LeftBehind);
    assert_eq!(
        done("user_attributes", "1 invited_by_user_id"),
        Consequence::KeptAsAttribute
    );
    assert_eq!(
        done("user_attributes", "1 invite_token_used"),
        Consequence::KeptAsAttribute
    );
    assert_eq!(dump.problems.len(), 12, "{:#?}", dump.problems);

    assert_eq!(dump.requests[0].creator, None);
    assert_eq!(
        dump.vouches
            .iter()
            .map(|vouch| vouch.id)
            .collect::<Vec<_>>(),
        [4]
    );
    assert_eq!(
        (dump.users[0].invited_by, dump.users[0].attributes.len()),
        (None, 2)
    );
    let birch = &dump.users[1];
    assert_eq!(
        (birch.invited_by, birch.invite_token.as_deref()),
        (Some(1), Some("a1b2c3"))
    );
    assert_eq!(
        (birch.photo.as_deref(), birch.attributes.len()),
        (Some("/static/p.png"), 1)
    );
    let left: Vec<_> = dump
        .left_behind
        .iter()
        .map(|left| (left.table.as_str(), left.rows))
        .collect();
    assert_eq!(
        left,
        [
            ("invite_personalizations", Some(1)),
            ("request_comments", Some(1)),
            ("user_attributes", Some(1)),
            ("vouches", Some(1)),
            ("vouches", Some(2)),
        ]
    );
}

#[test]
fn what_is_unreadable_about_an_invite_closes_it() {
    let legacy = Legacy::new();
    for (token, column, value) in [
        ("a", "max_uses", "0"),
        ("b", "max_uses", "'many'"),
        ("c", "use_count", "-1"),
        ("d", "disabled", "'maybe'"),
        ("e", "auto_approve", "2"),
        ("f", "expires_at", "'one day'"),
        ("g", "disabled", "'true'"),
        ("h", "max_uses", "'7'"),
    ] {
        legacy.add(
            "invite_tokens",
            &[("token", &format!("'{token}'")), (column, value)],
        );
    }
    let dump = legacy.read();
    let invites = &dump.invites;
    assert_eq!((invites[0].max_uses, invites[1].max_uses), (0, 0));
    assert_eq!(invites[2].use_count, invites[2].max_uses);
    assert!(invites[3].disabled && !invites[4].auto_approve);
    assert_eq!(invites[5].expires_at, Some(invites[5].created_at));
    assert_eq!(dump.problems.len(), 6, "{:#?}", dump.problems);
    assert!(invites[6].disabled);
    assert_eq!(invites[7].max_uses, 7);
}

#[test]
fn older_and_newer_files_are_read() {
    let legacy = Legacy::new();
    legacy.user(1, "ash");
    legacy.request(1, 1);
    legacy.run(
        "ALTER TABLE help_requests DROP COLUMN sync_scope; ALTER TABLE users DROP COLUMN is_admin",
    );
    legacy.run("DROP TABLE vouches; DROP TABLE invite_personalizations");
    legacy.run(
        "CREATE TABLE direct_messages (id INTEGER); INSERT INTO direct_messages VALUES (1), (2)",
    );
    legacy.run("CREATE TABLE \"new \"\"thing\" (id INTEGER); CREATE VIEW lists AS SELECT 1");
    let dump = legacy.read();
    assert_eq!(dump.requests[0].scope, Scope::Private);
    assert!(!dump.users[0].is_admin);
    let problems: Vec<String> = dump
        .problems
        .iter()
        .map(|p| format!("{}: {}", p.table, p.what))
        .collect();
    assert_eq!(
        problems,
        [
            "users: the table has no column is_admin",
            "invite_personalizations: the file has no such table",
            "help_requests: the table has no column sync_scope",
            "vouches: the file has no such table",
        ]
    );
    let left: Vec<_> = dump
        .left_behind
        .iter()
        .map(|left| (left.table.as_str(), left.rows))
        .collect();
    assert_eq!(
        left,
        [("direct_messages", Some(2)), ("new \"thing", Some(0))]
    );
}

#[test]
fn rows_that_nothing_tells_apart_are_left_and_counted() {
    let legacy = Legacy::new();
    legacy.run("DROP TABLE users");
    legacy
        .run("CREATE TABLE users (id, username, is_admin, contact_email, created_at, sync_scope)");
    for id in ["1", "'2'", "1", "NULL", "'x'"] {
        legacy.add(
            "users",
            &[
                ("id", id),
                ("username", "'n' || random()"),
                ("created_at", "'2026-01-01'"),
                ("sync_scope", "'private'"),
            ],
        );
    }
    let dump = legacy.read();
    assert_eq!(
        dump.users.iter().map(|user| user.id).collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(
        only(&dump, "users", "1").what,
        What::DuplicateId { column: "id" }
    );
    assert!(matches!(
        only(&dump, "users", "(row 4)").what,
        What::BadId { .. }
    ));
    assert_eq!(dump.left_behind[0].rows, Some(3));
}

#[test]
fn a_file_that_is_no_legacy_database_says_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    assert!(matches!(
        read(&dir.path().join("none")),
        Err(LegacyError::Read { .. })
    ));
    assert!(matches!(read(dir.path()), Err(LegacyError::NotAFile(_))));
    assert!(matches!(
        read(&write("empty", b"")),
        Err(LegacyError::Empty(_))
    ));
    assert!(matches!(
        read(&write("text", b"not a database")),
        Err(LegacyError::NotSqlite(_))
    ));
    let truncated = read(&write("short", b"SQLite format 3\0 and no more"));
    assert!(matches!(
        truncated,
        Err(LegacyError::Damaged(_) | LegacyError::MissingTable(_))
    ));

    let other = Legacy::new();
    other.run("DROP TABLE help_requests");
    assert!(matches!(
        other.try_read(),
        Err(LegacyError::MissingTable("help_requests"))
    ));
    let other = Legacy::new();
    other.run("DROP INDEX ix_users_username; ALTER TABLE users DROP COLUMN username");
    assert!(matches!(
        other.try_read(),
        Err(LegacyError::MissingColumn {
            column: "username",
            ..
        })
    ));
}

#[test]
fn a_view_or_a_virtual_table_in_place_of_a_table_is_refused() {
    let legacy = Legacy::new();
    legacy.run("DROP TABLE users; CREATE VIEW users AS SELECT 1 AS id, 'eve' AS username");
    assert!(matches!(
        legacy.try_read(),
        Err(LegacyError::NotATable("users"))
    ));
    let legacy = Legacy::new();
    legacy.run("DROP TABLE vouches; CREATE VIRTUAL TABLE vouches USING fts5(id, voucher_user_id)");
    assert!(matches!(
        legacy.try_read(),
        Err(LegacyError::NotATable("vouches"))
    ));
}

#[test]
fn damage_is_an_error_wherever_it_is() {
    let whole = fs::read(fixture()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.db");
    let (mut damaged_n, page_bytes) = (0, 4096);
    for page in 0..whole.len() / page_bytes {
        let mut bytes = whole.clone();
        bytes[page * page_bytes + 100 * usize::from(page == 0)..][..64].fill(0x5a);
        fs::write(&path, bytes).unwrap();
        // Damage in tables and indexes that do not move may go unnoticed.
        match read(&path) {
            Ok(dump) => assert_eq!(
                (dump.users.len(), dump.requests.len(), dump.comments.len()),
                (50, 200, 600)
            ),
            Err(LegacyError::Damaged(_)) => damaged_n += 1,
            Err(error) => panic!("page {page}: {error}"),
        }
    }
    assert!(damaged_n > 20, "{damaged_n}");
    for len in [100, 5_000, whole.len() / 2, whole.len() - 4_096] {
        fs::write(&path, &whole[..len]).unwrap();
        assert!(read(&path).is_err(), "{len} bytes");
    }
}

/// Flips bytes all over the fixture; `WB_LEGACY_ROUNDS` asks for more rounds, a round is its own seed.
#[test]
fn no_flipped_bytes_make_it_panic() {
    let whole = fs::read(fixture()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.db");
    let rounds = std::env::var("WB_LEGACY_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok());
    for round in 1..=rounds.unwrap_or(60_u64) {
        println!("round {round}");
        let mut state = round.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut bytes = whole.clone();
        for _ in 0..1 + round % 64 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let place = usize::try_from(state % whole.len() as u64).unwrap();
            bytes[place] ^= state.to_be_bytes()[0];
        }
        fs::write(&path, bytes).unwrap();
        let _either = read(&path);
    }
}

#[test]
fn a_value_beyond_the_limit_is_an_error() {
    let legacy = Legacy::new();
    legacy.user(1, "ash");
    legacy.request(1, 1);
    legacy.run("UPDATE help_requests SET description = CAST(zeroblob(16777217) AS TEXT)");
    let error = legacy.try_read().unwrap_err().to_string();
    assert_eq!(
        error,
        "row 1 of `help_requests` holds a value of 16777217 bytes, at most 16777216 are read"
    );
}

#[test]
fn what_stands_in_the_wal_is_read_and_the_folder_stays_as_it_is() {
    let legacy = Legacy::new();
    legacy.run("PRAGMA journal_mode = WAL");
    let open = Connection::open(legacy.path()).unwrap();
    open.execute_batch("PRAGMA wal_autocheckpoint = 0").unwrap();
    open.execute_batch("INSERT INTO users VALUES (1, 'ash', 0, NULL, '2026-01-01', 'public')")
        .unwrap();
    let dir = legacy.path().parent().unwrap().to_owned();
    assert!(contents(&dir).contains_key("app.db-wal"));
    let before = contents(&dir);
    let scratch = tempfile::tempdir().unwrap();
    let dump = read_through(&legacy.path(), scratch.path()).unwrap();
    assert_eq!(dump.users.len(), 1);
    assert_eq!(contents(&dir), before);
    assert_eq!(
        fs::read_dir(scratch.path()).unwrap().count(),
        0,
        "the copy is gone"
    );
}

#[test]
fn an_unfinished_transaction_is_rolled_back_in_the_copy_only() {
    let legacy = Legacy::new();
    legacy.user(1, "ash");
    let open = Connection::open(legacy.path()).unwrap();
    // A cache of a few pages makes SQLite write to the file before the commit.
    open.execute_batch(
        "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 5; BEGIN;
         WITH n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
         INSERT INTO users SELECT i, 'user' || i, 0, NULL, '2026-01-01', 'public' FROM n;",
    )
    .unwrap();
    let dir = tempfile::tempdir().unwrap();
    for (name, _) in contents(legacy.path().parent().unwrap()) {
        fs::copy(legacy.path().with_file_name(&name), dir.path().join(&name)).unwrap();
    }
    let before = contents(dir.path());
    assert!(before.contains_key("app.db-journal"));
    let dump = read(&dir.path().join("app.db")).unwrap();
    assert_eq!(dump.users.len(), 1);
    assert_eq!(contents(dir.path()), before);
}

/// SQLite deletes the super-journal that a journal names, once it has rolled back. A crafted journal
/// beside a crafted database could so have deleted any file of whoever read it.
#[test]
fn a_journal_that_names_another_file_is_not_played() {
    let legacy = Legacy::new();
    let mut journal = vec![0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    journal.extend([0; 512]);
    journal.extend([0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]);
    fs::write(legacy.path().with_file_name("app.db-journal"), journal).unwrap();
    assert!(matches!(
        legacy.try_read(),
        Err(LegacyError::LinkedJournal(_))
    ));
}

#[cfg(unix)]
#[test]
fn a_read_only_source_is_read_and_left_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.db");
    fs::copy(fixture(), &path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o500)).unwrap();
    let before = contents(dir.path());
    let dump = read(&path);
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(dump.unwrap().users.len(), 50);
    assert_eq!(contents(dir.path()), before);
}

#[test]
fn a_second_reading_gives_the_same() {
    assert_eq!(read(&fixture()).unwrap(), read(&fixture()).unwrap());
}
