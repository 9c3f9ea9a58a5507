//! The command line keeps its word: the list of commands, exit codes, streams, JSON, colour, questions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Stdio;

use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::database::{self, dump_home};
use crate::support::document::table;
use crate::support::help;
use crate::support::instance::{Instance, WB, run, text, wb};

/// An instance with something of everything, and another that holds records of it.
struct Two {
    folder: TempDir,
    north: Instance,
    south: Instance,
    request: String,
}

impl Two {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let north = Instance::found(folder.path(), "North", "keeper");
        let soup = [
            "--title",
            "Soup",
            "--description",
            "For three",
            "--scope",
            "public",
        ];
        let request = north.ok(&[&["request", "add"], &soup[..]].concat());
        let ladder = ["--title", "A ladder", "--description", "Tall"];
        north.ok(&[&["request", "add"], &ladder[..]].concat());
        let answer = ["--body", "With bread", "--scope", "public"];
        north.ok(&[&["comment", "add", &request], &answer[..]].concat());
        north.ok(&[
            "user",
            "add",
            "birch",
            "--display-name",
            "Birch",
            "--email",
            "b@mail.example",
        ]);
        north.ok(&["invite", "create", "--days", "3", "--gratitude", "Thanks"]);
        north.ok(&["bundle", "export", "north.wbb"]);
        let south = Instance::found(folder.path(), "South", "ash");
        south.ok(&["bundle", "import", "north.wbb", "--yes"]);
        Self {
            folder,
            north,
            south,
            request,
        }
    }

    fn bundle_of_a_stranger(&self) {
        let east = Instance::found(self.folder.path(), "East", "elm");
        let title = [
            "--title",
            "Chairs",
            "--description",
            "Six",
            "--scope",
            "public",
        ];
        east.ok(&[&["request", "add"], &title[..]].concat());
        east.ok(&["bundle", "export", "east.wbb"]);
    }
}

// The list

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    std::fs::read_to_string(path).expect("docs/cli.md is there")
}

fn words(cell: &str) -> BTreeSet<String> {
    let words = cell.split_whitespace();
    words
        .map(|word| word.trim_matches('`').to_owned())
        .collect()
}

#[test]
fn the_list_in_the_docs_is_that_of_help() {
    let documented: BTreeMap<String, help::Described> = table(&page(), "| command | options |")
        .into_iter()
        .map(|row| {
            let [name, options, about] = <[String; 3]>::try_from(row).expect("three cells");
            let described = help::Described {
                about,
                options: words(&options),
            };
            (name.trim_matches('`').to_owned(), described)
        })
        .collect();
    assert_eq!(documented, help::commands());
}

#[test]
fn global_options_and_exit_codes_in_the_docs_are_those_of_help() {
    let help = help::help(&["status"]);
    let global = help::option_names(&help, "Global options:");
    let documented: BTreeSet<String> = table(&page(), "| option |")
        .iter()
        .map(|row| row[0].trim_matches('`').to_owned())
        .collect();
    assert_eq!(documented, global);
    for row in table(&page(), "| option |") {
        assert!(help.contains(&format!("  {}\n", row[1])), "{row:?}");
    }
    let help: Vec<String> = help::help(&[])
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let help = help.join(" ");
    let codes = table(&page(), "| exit code |");
    assert_eq!(codes.len(), 8);
    for (number, row) in codes.iter().enumerate() {
        let short = row[1].split([':', '(']).next().expect("a meaning").trim();
        assert_eq!(row[0], number.to_string());
        assert!(
            help.contains(&format!("{number} {short}")),
            "{row:?}: {help}"
        );
    }
}

/// Arguments with which each command of the list works; `REQUEST` is a request of this instance.
const WORKING: &[(&str, &[&str])] = &[
    ("wb demo", &["--once"]),
    (
        "wb init",
        &[
            "--home",
            "Fresh",
            "--name",
            "Fresh",
            "--words-file",
            "fresh.txt",
        ],
    ),
    ("wb status", &[]),
    ("wb doctor", &[]),
    ("wb publish", &[]),
    ("wb record list", &[]),
    ("wb record show", &["REQUEST"]),
    ("wb record share", &["REQUEST", "--scope", "public"]),
    ("wb record unshare", &["REQUEST"]),
    ("wb record who", &["REQUEST"]),
    (
        "wb record retract",
        &["REQUEST", "--reason", "mistake", "--yes"],
    ),
    ("wb request add", &["--title", "T", "--description", "D"]),
    ("wb request edit", &["REQUEST", "--title", "T2"]),
    ("wb request list", &[]),
    ("wb request show", &["REQUEST"]),
    ("wb request complete", &["REQUEST", "--note", "Thanks"]),
    ("wb request reopen", &["REQUEST"]),
    ("wb request cancel", &["REQUEST"]),
    ("wb comment add", &["REQUEST", "--body", "B"]),
    ("wb comment list", &["REQUEST"]),
    ("wb user add", &["cedar", "--role", "steward"]),
    ("wb user list", &[]),
    ("wb user show", &["birch"]),
    (
        "wb invite create",
        &["--unlimited", "--example", "soup", "--example", "lifts"],
    ),
    ("wb invite list", &[]),
    ("wb user login-link", &["birch"]),
    ("wb bundle export", &["new.wbb"]),
    ("wb bundle want", &["new.want"]),
    ("wb bundle verify", &["north.wbb"]),
    ("wb bundle import", &["north.wbb"]),
    ("wb backup", &["new.wbk"]),
    ("wb upgrade", &["--check"]),
    ("wb rebuild", &[]),
    ("wb user export", &["birch", "--to", "birch"]),
    ("wb user erase", &["birch", "--yes"]),
    ("wb retire", &["--yes"]),
    ("wb key show", &[]),
    ("wb import whiteballoon", &["app.db", "--dry-run"]),
    ("wb config show", &[]),
    ("wb completions", &["bash"]),
    ("wb sim", &["--seed", "1", "--steps", "10"]),
    ("wb man", &[]),
];

/// Commands that need a hub or what came from one, a browser, or that stay up: what they do is tested in
/// `peers`, `peer_acts`, `keys`, `pages`, `hub_pages`, and in the walk-through through a hub.
const WITH_PEERS: &[&str] = &[
    // In `conflicts`.
    "wb conflict list",
    "wb conflict settle",
    "wb conflict show",
    "wb request helper",
    // In `invites`.
    "wb invite off",
    "wb invite redeem",
    // In `letters`.
    "wb comment publish",
    "wb inbox letters",
    "wb user contact",
    // In `offers`.
    "wb offer accept",
    "wb offer decline",
    "wb offer done",
    "wb offer list",
    "wb offer make",
    "wb follow",
    "wb hub approve",
    "wb hub audit",
    "wb hub bundle",
    "wb hub delist",
    // In `hub_policies`.
    "wb hub invite create",
    "wb hub invite list",
    "wb hub invite off",
    "wb hub list",
    "wb hub login-link",
    // In `hub_move`.
    "wb hub move",
    "wb hub notices",
    "wb hub register",
    "wb hub reinstate",
    "wb hub revoke",
    "wb hub show",
    "wb hub suspend",
    "wb hub up",
    "wb hub withhold",
    "wb inbox",
    "wb inbox dismiss",
    "wb inbox drop",
    "wb inbox keep",
    "wb inbox show",
    "wb join",
    "wb key recover",
    "wb key rotate",
    // In `hub_notices`.
    "wb notice about",
    "wb notice heed",
    "wb notice hide",
    "wb notice keep",
    "wb notice list",
    "wb notice reply",
    "wb notice undo",
    "wb peer accept",
    "wb peer add",
    "wb peer block",
    "wb peer forget",
    "wb peer invite",
    "wb peer list",
    "wb peer pause",
    "wb peer resume",
    "wb peer retry",
    "wb peer show",
    // In `sealed`.
    "wb peer trust",
    "wb peer untrust",
    // In `backup`: it needs a folder of its own each time.
    "wb restore",
    "wb review accept",
    "wb review list",
    "wb review refuse",
    "wb session approve",
    "wb session deny",
    "wb session list",
    "wb sync",
    "wb sync log",
    "wb unfollow",
    "wb up",
    // In `vouches`.
    "wb review hide",
    "wb review keep",
    "wb vouch add",
    "wb vouch export",
    "wb vouch list",
    "wb vouch revoke",
    "wb vouch roots",
    "wb vouch verify",
    "wb vouch why",
];

#[test]
fn every_command_works() {
    let listed: BTreeSet<String> = help::commands().into_keys().collect();
    let working = WORKING.iter().map(|(name, _)| *name);
    let tried: BTreeSet<String> = working
        .chain(WITH_PEERS.iter().copied())
        .map(str::to_owned)
        .collect();
    assert_eq!(tried, listed);
    for json in [false, true] {
        let two = Two::new();
        let app_db = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/legacy/app.db");
        std::fs::copy(app_db, two.folder.path().join("app.db")).expect("the fixture is there");
        for (name, arguments) in WORKING {
            let words = name.split(' ').skip(1).chain(arguments.iter().copied());
            let words: Vec<&str> = words
                .map(|word| {
                    if word == "REQUEST" {
                        &two.request
                    } else {
                        word
                    }
                })
                .collect();
            let mut command = wb(two.folder.path());
            if !words.contains(&"--home") {
                command.arg("--home").arg(&two.north.home);
            }
            if json {
                command.arg("--json");
            }
            let run = run(command.args(&words)).ends(0);
            let says_something = !run.stdout.is_empty();
            // These print what they were asked for whatever form it is to have.
            let has_no_json = ["wb completions", "wb man"].contains(name);
            assert!(says_something, "{name}");
            if json && !has_no_json {
                for value in run.json() {
                    assert_eq!(value["schema_version"], 1, "{name}: {value}");
                }
                assert!(!run.stderr.contains("{\"schema_version\""), "{name}");
            }
        }
    }
}

// Exit codes

#[test]
fn usage_ends_with_2() {
    let two = Two::new();
    let wrong: [&[&str]; 12] = [
        &[],
        &["no-such-command"],
        &["request", "add", "--title", "no description"],
        &["request", "add", "--title", "", "--description", "D"],
        &["request", "edit", &two.request],
        &["record", "share", &two.request, "--scope", "everybody"],
        &["record", "show", "nowhere"],
        &["user", "show", "nobody"],
        &[
            "--as",
            "nobody",
            "request",
            "add",
            "--title",
            "T",
            "--description",
            "D",
        ],
        &["--as", "nobody", "user", "list"],
        &["user", "add", "birch"],
        &["init", "--name", "Again", "--words-file", "again.txt"],
    ];
    let before = dump_home(&two.north.home);
    for arguments in wrong {
        let run = two.north.run(arguments).ends(2);
        assert_eq!(run.stdout, "", "{arguments:?}");
        assert!(!run.stderr.is_empty(), "{arguments:?}");
    }
    let again = two.folder.path().join("again.txt");
    assert!(!again.exists() && dump_home(&two.north.home) == before);
}

#[test]
fn an_instance_is_needed_and_not_made_by_asking() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = Instance::at(folder.path(), "nowhere", Path::new(WB));
    let commands: [&[&str]; 6] = [
        &["status"],
        &["doctor"],
        &["request", "list"],
        &["bundle", "import", "x"],
        &["publish"],
        &["rebuild"],
    ];
    for arguments in commands {
        let run = nowhere.run(arguments).ends(2);
        assert!(run.stderr.contains("wb init"), "{run:?}");
        assert!(
            !nowhere.home.exists(),
            "{arguments:?} made {:?}",
            nowhere.home
        );
    }
}

#[test]
fn the_words_need_somewhere_to_go() {
    let folder = tempfile::tempdir().unwrap();
    let instance = Instance::at(folder.path(), "home", Path::new(WB));
    let run = instance.run(&["init", "--name", "North"]).ends(2);
    assert!(run.stderr.contains("--words-file"), "{run:?}");
    assert!(!instance.home.exists());
    let founded = instance.json(&["init", "--name", "North"]);
    assert_eq!(text(&founded[0], "recovery_words").split(' ').count(), 12);
    let sheet = folder.path().join("words.txt");
    std::fs::write(&sheet, "other words").unwrap();
    let second = Instance::at(folder.path(), "second", Path::new(WB));
    let run = second.run(&["init", "--name", "South", "--words-file", "words.txt"]);
    assert_ne!(run.code, Some(0), "{run:?}");
    assert_eq!(std::fs::read_to_string(&sheet).unwrap(), "other words");
    assert!(!second.home.join("wb.db").exists());
}

#[test]
fn a_new_origin_ends_with_3_until_somebody_agrees() {
    let two = Two::new();
    two.bundle_of_a_stranger();
    let before = dump_home(&two.south.home);
    let import = ["bundle", "import", "east.wbb"];
    let run = two.south.run(&import).ends(3);
    assert!(run.stdout.contains("Chairs") && run.stdout.contains("Nothing was imported"));
    let json = two.south.run(&[&["--json"], &import[..]].concat()).ends(3);
    assert_eq!(json.json()[0]["imported"], false);
    two.south
        .run(&[&import[..], &["--dry-run"]].concat())
        .ends(0);
    assert!(dump_home(&two.south.home) == before);
    two.south.run(&[&import[..], &["--yes"]].concat()).ends(0);
    assert!(two.south.ok(&["request", "list"]).contains("Chairs"));
    // What was agreed to once is not asked again.
    two.south.run(&import).ends(0);
}

#[test]
fn nobody_is_asked_without_a_terminal() {
    let two = Two::new();
    two.bundle_of_a_stranger();
    // Somebody's words on standard input are no answer of a person.
    let answers = two.folder.path().join("answers");
    std::fs::write(&answers, "y\n".repeat(9)).unwrap();
    let mut command = two.south.command(&["bundle", "import", "east.wbb"]);
    command.stdin(std::fs::File::open(&answers).unwrap());
    let run = run(&mut command).ends(3);
    assert!(!run.stderr.contains("[y/N]"), "{run:?}");
    assert!(!two.south.ok(&["request", "list"]).contains("Chairs"));
}

/// Runs a command at a terminal, with `answer` typed; returns the exit code and everything shown.
fn at_a_terminal(instance: &Instance, arguments: &[&str], answer: &str) -> (Option<i32>, String) {
    at_a_terminal_with(instance, arguments, answer, &[])
}

fn at_a_terminal_with(
    instance: &Instance,
    arguments: &[&str],
    answer: &str,
    variables: &[(&str, &str)],
) -> (Option<i32>, String) {
    let quoted: Vec<String> = arguments.iter().map(|word| format!("'{word}'")).collect();
    let line = format!(
        "'{WB}' --home '{}' {}",
        instance.home.display(),
        quoted.join(" ")
    );
    let mut command = std::process::Command::new("script");
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").expect("a path"))
        .env("TERM", "xterm")
        .env("SHELL", "/bin/sh")
        .envs(variables.iter().copied())
        .current_dir(instance.home.parent().expect("a folder"))
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().expect("`script` of util-linux is here");
    let mut stdin = child.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut stdin, answer.as_bytes()).expect("it reads");
    // The pipe stays open until the end, as a terminal does.
    let output = child.wait_with_output().expect("it ends");
    drop(stdin);
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), shown)
}

#[test]
fn a_person_at_a_terminal_is_asked() {
    let two = Two::new();
    two.bundle_of_a_stranger();
    let import = ["bundle", "import", "east.wbb"];
    let before = dump_home(&two.south.home);
    let (code, shown) = at_a_terminal(&two.south, &import, "n\n");
    assert_eq!(code, Some(3), "{shown}");
    assert!(
        shown.contains("Chairs") && shown.contains("[y/N]"),
        "{shown}"
    );
    assert!(dump_home(&two.south.home) == before);
    let (code, shown) = at_a_terminal(&two.south, &import, "y\n");
    assert_eq!(code, Some(0), "{shown}");
    assert!(two.south.ok(&["request", "list"]).contains("Chairs"));
}

#[test]
fn colour_is_for_terminals_and_no_color_is_honoured() {
    const ESCAPE: char = '\u{1b}';
    let two = Two::new();
    let list = ["request", "list"];
    let coloured = |out: String| out.contains(ESCAPE);
    assert!(!coloured(two.north.ok(&list)));
    assert!(coloured(
        two.north.ok(&[&["--color", "always"], &list[..]].concat())
    ));
    assert!(coloured(at_a_terminal(&two.north, &list, "").1));
    let never = [&["--color", "never"], &list[..]].concat();
    assert!(!coloured(at_a_terminal(&two.north, &never, "").1));
    let variable = [("NO_COLOR", "1")];
    assert!(!coloured(
        at_a_terminal_with(&two.north, &list, "", &variable).1
    ));
}

#[test]
fn a_damaged_bundle_ends_with_4_and_a_missing_one_with_1() {
    let two = Two::new();
    let path = two.folder.path().join("north.wbb");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    for command in ["verify", "import"] {
        let run = two.south.run(&["bundle", command, "north.wbb"]).ends(4);
        assert!(
            run.stderr.contains("line ") && run.stderr.contains("stage "),
            "{run:?}"
        );
        let run = two.south.run(&["bundle", command, "no.wbb"]).ends(1);
        assert!(run.stderr.contains("no.wbb"), "{run:?}");
    }
    let run = two
        .north
        .run(&["bundle", "export", "x.wbb", "--want", "north.wbb"])
        .ends(4);
    assert!(run.stderr.contains("line 1"), "{run:?}");
    assert!(!two.folder.path().join("x.wbb").exists());
}

#[test]
fn an_old_copy_of_the_database_publishes_nothing() {
    let two = Two::new();
    let (home, copy) = (&two.north.home, two.folder.path().join("copy"));
    std::fs::create_dir(&copy).unwrap();
    for file in ["wb.db", "private.db"] {
        std::fs::copy(home.join(file), copy.join(file)).unwrap();
    }
    let bread = [
        "--title",
        "Bread",
        "--description",
        "D",
        "--scope",
        "public",
    ];
    two.north.ok(&[&["request", "add"], &bread[..]].concat());
    two.north.ok(&["publish"]);
    for file in ["wb.db", "private.db"] {
        std::fs::copy(copy.join(file), home.join(file)).unwrap();
    }
    let milk = ["--title", "Milk", "--description", "D", "--scope", "public"];
    two.north.ok(&[&["request", "add"], &milk[..]].concat());
    for command in [&["publish"][..], &["bundle", "export", "x.wbb"]] {
        let run = two.north.run(command).ends(5);
        assert!(run.stderr.contains("older than what"), "{run:?}");
    }
    assert!(!two.folder.path().join("x.wbb").exists());
    assert_eq!(two.north.json(&["status"])[0]["suspect"], true);
    // Reading and writing at home go on.
    assert!(two.north.ok(&["request", "list"]).contains("Milk"));
}

#[test]
fn a_database_of_a_newer_or_another_program_is_left_alone() {
    for (sql, code) in [
        ("PRAGMA user_version = 9999", 7),
        ("PRAGMA application_id = 12345", 1),
    ] {
        for file in ["wb.db", "private.db"] {
            let two = Two::new();
            let database = Connection::open(two.north.file(file)).unwrap();
            database.execute_batch(sql).unwrap();
            drop(database);
            let before = dump_home(&two.north.home);
            for arguments in [
                &["status"][..],
                &["publish"],
                &["bundle", "export", "x.wbb"],
            ] {
                let run = two.north.run(arguments).ends(code);
                assert!(run.stderr.contains(file), "{run:?}");
            }
            assert!(dump_home(&two.north.home) == before);
        }
    }
}

#[test]
fn enough_of_an_id_is_needed() {
    let two = Two::new();
    let same_start = &two.request[..4];
    let run = two.north.run(&["record", "show", same_start]).ends(2);
    assert!(
        run.stderr.contains("records; give more of the id"),
        "{run:?}"
    );
    let end = &two.request[two.request.len() - 12..];
    assert!(two.north.ok(&["record", "show", end]).contains("Soup"));
    let named = format!("North/{}", two.request);
    assert!(two.south.ok(&["record", "show", &named]).contains("Soup"));
    let run = two
        .south
        .run(&["request", "edit", &named, "--title", "Mine"])
        .ends(1);
    assert!(run.stderr.contains("only North can change it"), "{run:?}");
}

// Streams and JSON

#[test]
fn data_goes_to_stdout_and_messages_to_stderr() {
    let two = Two::new();
    let add = ["request", "add", "--title", "T", "--description", "D"];
    let run = two.north.run(&add).ends(0);
    assert_eq!(run.stdout.trim_end().len(), 36, "{run:?}");
    assert!(run.stderr.contains("stays on this node"));
    let quiet = two.north.run(&[&["-q"], &add[..]].concat()).ends(0);
    assert_eq!(
        (quiet.stdout.trim_end().len(), quiet.stderr.as_str()),
        (36, "")
    );
    let empty = two.north.run(&["request", "list", "--drafts"]).ends(0);
    assert_eq!(empty.stdout, "");
    assert!(empty.stderr.contains("No drafts"));
    let empty = two
        .north
        .run(&["--json", "request", "list", "--drafts"])
        .ends(0);
    assert_eq!((empty.stdout.as_str(), empty.stderr.as_str()), ("", ""));
}

#[test]
fn errors_are_json_when_json_is_asked_for() {
    let two = Two::new();
    let run = two
        .north
        .run(&["--json", "record", "show", "nowhere"])
        .ends(2);
    assert_eq!(run.stdout, "");
    let error: Value = serde_json::from_str(&run.stderr).expect("one line of JSON");
    assert_eq!(error["schema_version"], 1);
    assert_eq!(error["error"]["code"], "usage");
    assert!(text(&error["error"], "message").contains("nowhere"));
}

#[test]
fn lists_are_lines_of_json_with_what_every_record_has() {
    let two = Two::new();
    let app_db = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/legacy/app.db");
    two.north
        .ok(&["import", "whiteballoon", app_db.to_str().unwrap()]);
    two.north.ok(&["bundle", "export", "all.wbb"]);
    two.south.ok(&["bundle", "import", "all.wbb"]);
    let lists: [&[&str]; 9] = [
        &["record", "list"],
        &["record", "list", "--hidden"],
        &["record", "list", "--staying"],
        &["request", "list"],
        &["request", "list", "--drafts"],
        &["comment", "list"],
        &["user", "list"],
        &["invite", "list"],
        &["publish", "--dry-run"],
    ];
    // Only its author sees a draft.
    let drafts = "SELECT handle FROM accounts JOIN drafts ON author = user_id";
    let writers = database::texts(&two.north.file("private.db"), drafts);
    let writer = writers.first().expect("somebody has a draft");
    for (instance, draft_of) in [(&two.north, writer.as_str()), (&two.south, "ash")] {
        let own = instance.id();
        for list in lists {
            let draft = list.contains(&"--drafts");
            let values = if draft {
                instance.json(&[&["--as", draft_of], list].concat())
            } else {
                instance.json(list)
            };
            // South wrote no drafts, and north has published everything.
            let is_south = draft_of == "ash";
            let may_be_empty = (draft && is_south) || (list[0] == "publish" && !is_south);
            assert_eq!(values.is_empty(), may_be_empty, "{list:?}");
            for value in values {
                assert_eq!(value["schema_version"], 1, "{list:?}: {value}");
                assert_eq!(text(&value, "id").len(), 36);
                let origin = text(&value, "origin");
                assert_eq!(origin.len(), 64);
                let home = text(&value, "home");
                assert_eq!(
                    origin == own,
                    home == instance_name(instance),
                    "{list:?}: {value}"
                );
                let scopes = ["private", "trusted_peers", "public"];
                assert!(scopes.contains(&text(&value, "scope")), "{list:?}: {value}");
                if list[0] == "request" {
                    assert!(!text(&value, "title").is_empty());
                    let statuses = ["open", "completed", "cancelled"];
                    assert!(draft || statuses.contains(&text(&value, "status")));
                }
            }
        }
    }
}

fn instance_name(instance: &Instance) -> &str {
    let name = instance.home.file_name().expect("a folder has a name");
    name.to_str().expect("a name in UTF-8")
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let two = Two::new();
    for arguments in [
        &["record", "list"][..],
        &["--json", "record", "list"],
        &["man"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = two.north.command(arguments);
        command.stdout(writer).stderr(Stdio::piped());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    }
    let head = "'$0' --home '$1' record list | head -1"
        .replace("$0", WB)
        .replace("$1", two.north.home.to_str().unwrap());
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &head]);
    let run = run(&mut shell).ends(0);
    assert!(
        run.stdout.contains("id") && run.stderr.is_empty(),
        "{run:?}"
    );
}

/// Whoever else is on this machine reads neither keys nor members' words.
#[cfg(unix)]
#[test]
fn keys_and_databases_are_readable_by_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().expect("a folder");
    let north = Instance::found(folder.path(), "North", "keeper");
    north.ok(&["request", "add", "--title", "A saw", "--description", "D"]);
    let files: Vec<_> = std::fs::read_dir(&north.home)
        .expect("a folder")
        .map(|file| file.expect("a file"))
        .collect();
    assert!(files.len() > 3, "{files:?}");
    for file in files {
        let mode = file.metadata().expect("a file").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", file.path().display());
    }
}
