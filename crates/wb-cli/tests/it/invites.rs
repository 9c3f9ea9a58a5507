//! Invites across instances by the real programs: two communities and a hub, with everything that passed the network and
//! every file looked through for the secret of the home link and for who came.

use serde_json::Value;

use crate::sealed::{World, files_of, is_in};
use crate::support::database;
use crate::support::hub::titles;
use crate::support::instance::{Instance, text};

const NEED: &str = "Heron-lantern for the boathouse stairs";
const DAYS_30: &str = "2592000000";

fn sync(instances: &[&Instance]) {
    for instance in instances {
        instance.ok(&["sync"]);
    }
}

/// Makes an invite and shares it; its id and the secret of its link.
fn share(instance: &Instance, limits: &[&str]) -> (String, String) {
    let made = instance.json(&[&["invite", "create"], limits].concat());
    let (id, token) = (text(&made[0], "id"), text(&made[0], "token"));
    instance.ok(&["record", "share", id, "--scope", "public"]);
    (id.to_owned(), token.to_owned())
}

fn listed(instance: &Instance, id: &str) -> Value {
    let all = instance.json(&["invite", "list"]);
    let found = all.into_iter().find(|row| text(row, "id") == id);
    found.expect("it is shown")
}

fn redeem(instance: &Instance, code: &str, handle: &str) -> Value {
    let words = ["invite", "redeem", code, "--handle", handle, "--yes"];
    instance.json(&words).remove(0)
}

fn invited(instance: &Instance, handle: &str) -> Value {
    instance.json(&["user", "show", handle]).remove(0)["invited"].clone()
}

fn causes(instance: &Instance, id: &str) -> Vec<String> {
    let row = listed(instance, id);
    let used = row["elsewhere"].as_array().cloned().unwrap_or_default();
    let cause = |used: &Value| match used["cause"].as_str() {
        Some(cause) => cause.to_owned(),
        None => text(used, "state").to_owned(),
    };
    used.iter().map(cause).collect()
}

/// Days go by: what a clock does, done to what was written down.
fn age(instance: &Instance, sql: &str) {
    let file = rusqlite::Connection::open(instance.file("private.db")).expect("a file");
    file.execute_batch(sql).expect("it is sound");
}

#[test]
fn a_newcomer_comes_by_a_code_is_counted_and_is_named_to_nobody() {
    let world = World::new();
    let (north, south, east) = (&world.north, &world.south, &world.east);
    let (id, token) = share(north, &["--uses", "2"]);
    sync(&[north, south, east]);
    let code = text(&listed(south, &id), "share_code").to_owned();
    assert_ne!(code, token);

    // Nobody is asked where there is no terminal; exactly what would be sent is said all the same.
    let asked = south
        .run(&["invite", "redeem", &code, "--handle", "nora-heron"])
        .ends(3);
    for words in [
        &format!("code: {code}"),
        &format!("invitation: {id}"),
        "North",
    ] {
        assert!(asked.stderr.contains(words), "{words}: {}", asked.stderr);
    }
    south.run(&["user", "show", "nora-heron"]).ends(2);
    let made = redeem(south, &code, "nora-heron");
    assert_eq!(text(&made, "letter_to"), north.id());
    let waits = south.json(&["review", "list"]).remove(0);
    assert_eq!(text(&waits, "name"), "nora-heron");
    assert_eq!(text(&waits["invited"], "state"), "asked");
    let accepted = south
        .run(&["review", "accept", "nora-heron"])
        .ends(0)
        .stderr;
    assert!(accepted.contains("until North counted"), "{accepted}");
    let add = [
        "request",
        "add",
        "--title",
        NEED,
        "--description",
        "Please.",
    ];
    let scope = ["--scope", "public", "--as", "nora-heron"];
    let added = south.run(&[&add[..], &scope].concat()).ends(0);
    assert!(
        added.stderr.contains("stays on this node until"),
        "{}",
        added.stderr
    );
    let stays = south.json(&["record", "list", "--staying"]);
    let why = stays.iter().find(|row| text(row, "headline") == NEED);
    assert_eq!(text(why.expect("it stays"), "stays"), "author_provisional");
    sync(&[south, east]);
    assert_eq!(titles(east), Vec::<String>::new());
    for places in [&world.traffic(), &files_of(&world.hub.instance)] {
        assert!(!is_in(NEED, places), "it is provisional");
    }

    sync(&[north, south]);
    assert_eq!(causes(north, &id), ["counted"]);
    assert_eq!(listed(north, &id)["uses"], 1);
    assert_eq!(text(&invited(south, "nora-heron"), "state"), "counted");
    assert!(
        south
            .ok(&["user", "show", "nora-heron"])
            .contains("at North")
    );
    sync(&[south, east, north]);
    assert_eq!(titles(east), [NEED]);

    // The secret of the home link is nowhere but at home, and who came is named to nobody.
    let south_files = files_of(south);
    for places in [
        &world.traffic(),
        &files_of(&world.hub.instance),
        &south_files,
        &files_of(east),
    ] {
        assert!(!is_in(&token, places));
    }
    assert!(is_in(&token, &files_of(north)));
    for places in [
        &files_of(north),
        &files_of(&world.hub.instance),
        &world.traffic(),
    ] {
        assert!(!is_in("nora-heron", places));
        assert!(!is_in(text(&made, "id"), places));
    }
    for instance in [north, south, east] {
        instance.ok(&["doctor"]);
    }
}

#[test]
fn the_issuer_decides_what_is_over_and_both_sides_say_why() {
    let world = World::new();
    let (north, south, east) = (&world.north, &world.south, &world.east);
    let (last, _) = share(north, &[]);
    let (off, _) = share(north, &["--unlimited"]);
    let (ended, _) = share(north, &["--days", "9", "--unlimited"]);
    let (home, _) = share(north, &["--unlimited"]);
    sync(&[north, south, east]);
    let code = |id: &str| text(&listed(south, id), "share_code").to_owned();
    let (one, two, three, four) = (code(&last), code(&off), code(&ended), code(&home));
    redeem(east, &one, "emil");
    redeem(south, &one, "nora");
    redeem(south, &two, "olga");
    redeem(south, &three, "pia");
    redeem(south, &four, "rosa");
    // East arrives first.
    sync(&[east, south]);
    assert!(
        north
            .run(&["invite", "off", &off])
            .ends(0)
            .stderr
            .contains("Switched off")
    );
    age(
        north,
        "UPDATE invites SET expires_at = 1 WHERE expires_at IS NOT NULL",
    );
    north.ok(&["record", "unshare", &home]);
    sync(&[north, east, south]);
    assert_eq!(causes(north, &last), ["counted", "used_up"]);
    for (id, handle, cause) in [
        (&last, "nora", "used_up"),
        (&off, "olga", "off"),
        (&ended, "pia", "expired"),
        (&home, "rosa", "not_shared"),
    ] {
        assert_eq!(causes(north, id).last().map(String::as_str), Some(cause));
        let told = invited(south, handle);
        assert_eq!(
            (text(&told, "state"), text(&told, "cause")),
            ("refused", cause)
        );
    }
    assert_eq!(text(&invited(east, "emil"), "state"), "counted");
    // What is over is not shown any more, and no code of it is taken.
    sync(&[south]);
    for code in [&one, &two, &three, &four] {
        let words = ["invite", "redeem", code, "--handle", "late", "--yes"];
        let refused = south.run(&words).ends(1);
        assert!(
            refused.stderr.contains("nobody was told"),
            "{}",
            refused.stderr
        );
    }
    // A steward of South decides about who was refused; one who is let in is a member like any other.
    south.ok(&["review", "accept", "nora"]);
    assert_eq!(text(&invited(south, "nora"), "state"), "settled");
    south.ok(&["review", "refuse", "olga"]);
    south.run(&["user", "show", "olga"]).ends(2);
    let roots = south.json(&["user", "list", "--isolated"]);
    assert_eq!(roots.len(), 1, "{roots:?}");
    assert_eq!(text(&roots[0], "handle"), "nora");
    assert!(text(&roots[0], "connects").contains("North did not count"));
}

#[test]
fn a_newcomer_of_whom_nothing_is_heard_for_30_days_is_for_a_steward_to_decide() {
    let world = World::new();
    let (north, south) = (&world.north, &world.south);
    let (id, _) = share(north, &["--unlimited"]);
    sync(&[north, south]);
    let code = text(&listed(south, &id), "share_code").to_owned();
    redeem(south, &code, "nora");
    south.ok(&["review", "accept", "nora"]);
    assert_eq!(south.json(&["review", "list"]), Vec::<Value>::new());
    age(
        south,
        &format!("UPDATE redemptions SET at = at - {DAYS_30}"),
    );
    let waits = south.json(&["review", "list"]).remove(0);
    assert_eq!(text(&waits, "name"), "nora");
    // Sent out first, then let in after all.
    south.ok(&["review", "refuse", "nora"]);
    assert_eq!(south.json(&["user", "show", "nora"])[0]["state"], "pending");
    south.ok(&["review", "accept", "nora"]);
    assert_eq!(text(&invited(south, "nora"), "state"), "settled");
    assert_eq!(south.json(&["review", "list"]), Vec::<Value>::new());
    // The answer comes late and is noted.
    sync(&[south, north, south]);
    assert_eq!(text(&invited(south, "nora"), "state"), "counted");
    assert_eq!(causes(north, &id), ["counted"]);
    let rows = "SELECT count(*) FROM invite_uses";
    assert_eq!(database::count(&north.file("private.db"), rows), 1);
}
