//! Offers of help by the real programs: made, accepted and done by command across two communities and a hub, and at
//! home, with everything that passed the network and every file looked through for what the other side may not have.

use serde_json::Value;

use crate::sealed::{World, files_of, is_in};
use crate::support::hub::ask;
use crate::support::instance::{Instance, text};

const WORDS: &str = "Heron-ladder over the fence";
const HELPER: &str = "ann.heron@south.example";
const ASKER: &str = "+49 30 5550 1234 kingfisher";
const THANKS: &str = "Warbler-cake for your roof";

fn sync(instances: &[&Instance]) {
    for instance in instances {
        instance.ok(&["sync"]);
    }
}

fn request(instance: &Instance, title: &str) -> String {
    let all = instance.json(&["request", "list"]);
    let found = all.iter().find(|row| text(row, "title") == title);
    text(found.expect("it is shown"), "id").to_owned()
}

fn the_offer(instance: &Instance) -> Value {
    instance.json(&["offer", "list"]).remove(0)
}

fn status(instance: &Instance, id: &str) -> String {
    let shown = instance.json(&["request", "show", id]).remove(0);
    text(&shown, "status").to_owned()
}

/// Before both agreed, nothing of either is in a file of the other or of the hub, or passed the network. That letters are
/// sealed hides what is in them from a search: what is told in them is looked at where they were opened.
fn neither_has_contacts(world: &World) {
    let (traffic, hub) = (world.traffic(), files_of(&world.hub.instance));
    for words in [HELPER, ASKER, WORDS] {
        for places in [&traffic, &hub, &files_of(&world.east)] {
            assert!(!is_in(words, places), "{words} is for one community alone");
        }
    }
    assert!(!is_in(HELPER, &files_of(&world.north)));
    assert!(!is_in(ASKER, &files_of(&world.south)));
}

#[test]
fn help_is_offered_accepted_and_done_by_command_and_contacts_are_where_both_agreed() {
    let world = World::new();
    let (north, south, east) = (&world.north, &world.south, &world.east);
    ask(north, "A ladder for Sunday");
    sync(&[north, south, east]);
    let id = request(south, "A ladder for Sunday");

    // Nobody is asked where there is no terminal; what would go, when and to whom is said all the same.
    let make = ["offer", "make", &id, "--text", WORDS, "--email", HELPER];
    let asked = south.run(&make).ends(3);
    for part in [
        WORDS,
        HELPER,
        "to North alone",
        "once they accept",
        "nobody can take",
    ] {
        assert!(asked.stderr.contains(part), "{part}: {}", asked.stderr);
    }
    assert!(south.json(&["offer", "list"]).is_empty());
    let without = south.run(&["offer", "make", &id, "--yes"]).ends(1);
    assert!(
        without.stderr.contains("at least one way to reach you"),
        "{}",
        without.stderr
    );
    let made = south.json(&[&make[..], &["--yes"]].concat()).remove(0);
    assert_eq!(text(&made, "letter_to"), north.id());
    let offer = text(&made, "id").to_owned();
    assert!(text(&the_offer(south), "sentence").contains("goes with the next sync"));
    sync(&[south]);
    assert!(text(&the_offer(south), "sentence").contains("waits at Harbour until North takes it"));
    sync(&[north, south, east]);
    assert!(text(&the_offer(south), "sentence").contains("it arrived at North"));
    neither_has_contacts(&world);
    let came = the_offer(north);
    assert_eq!(
        (text(&came, "state"), &came["waits"]),
        ("offered", &Value::Bool(true))
    );
    assert_eq!(
        (text(&came, "text"), &came["contact"]),
        (WORDS, &Value::Null)
    );
    // It is shown to its two sides and to nobody else.
    north.ok(&["user", "add", "omar", "--role", "steward"]);
    assert!(north.json(&["offer", "list", "--as", "omar"]).is_empty());
    let refused = north.run(&[
        "offer", "accept", &offer, "--phone", "1", "--yes", "--as", "omar",
    ]);
    refused.ends(2);
    let listed = north.json(&["inbox", "letters", "--as", "omar"]);
    assert!(listed.iter().all(|row| row["text"].is_null()), "{listed:?}");

    let accept = ["offer", "accept", &offer, "--phone", ASKER];
    let asked = north.run(&accept).ends(3);
    assert!(asked.stderr.contains(ASKER), "{}", asked.stderr);
    assert!(asked.stderr.contains("hidden again when the help is done"));
    assert_eq!(text(&the_offer(north), "state"), "offered");
    neither_has_contacts(&world);
    let told = north.json(&[&accept[..], &["--yes"]].concat()).remove(0);
    assert!(text(&told, "sentence").contains("comes with a letter of South"));
    sync(&[north, south, north]);
    assert_eq!(text(&the_offer(south)["contact"], "phone"), ASKER);
    assert_eq!(text(&the_offer(north)["contact"], "email"), HELPER);
    let table = north.ok(&["offer", "list"]);
    assert!(
        table.contains(HELPER) && table.contains("accepted"),
        "{table}"
    );
    for places in [
        &world.traffic(),
        &files_of(&world.hub.instance),
        &files_of(east),
    ] {
        for words in [HELPER, ASKER, WORDS] {
            assert!(!is_in(words, places), "{words} is for the two alone");
        }
    }
    // The feed names the community that helps, and nobody in it.
    let named = north.json(&["record", "list", "--kind", "helper"]);
    let shown = north
        .json(&["record", "show", text(&named[0], "id")])
        .remove(0);
    assert_eq!(text(&shown["body"], "instance"), south.id());

    south.ok(&["offer", "done", &offer, "--thanks", THANKS]);
    sync(&[south, north, south, east]);
    sync(&[north, south]);
    for instance in [north, south, east] {
        assert_eq!(status(instance, &id), "completed", "{}", instance.id());
    }
    for instance in [north, south] {
        let over = the_offer(instance);
        assert_eq!(
            (text(&over, "state"), &over["contact"]),
            ("done", &Value::Null)
        );
        for words in [HELPER, ASKER] {
            assert!(
                !is_in(words, &files_of(instance)),
                "{words} is hidden again"
            );
        }
        instance.ok(&["doctor"]);
    }
    assert_eq!(text(&the_offer(north), "thanks"), THANKS);
}

#[test]
fn an_offer_is_kindly_declined_and_another_taken_back() {
    let world = World::new();
    let (north, south) = (&world.north, &world.south);
    ask(north, "A cart for Sunday");
    sync(&[north, south]);
    let id = request(south, "A cart for Sunday");
    let make = [
        "offer", "make", &id, "--text", WORDS, "--email", HELPER, "--yes",
    ];
    let first = south.ok(&make);
    sync(&[south, north]);
    let first = first.lines().next().expect("an id").to_owned();
    north.ok(&["offer", "decline", &first, "--text", "Somebody was faster"]);
    sync(&[north, south, north]);
    let told = the_offer(south);
    assert_eq!(
        (text(&told, "state"), text(&told, "answer")),
        ("declined", "Somebody was faster")
    );
    neither_has_contacts(&world);

    let second = south.json(&make).remove(0);
    sync(&[south, north]);
    south.ok(&["offer", "decline", text(&second, "id")]);
    sync(&[south, north, south]);
    assert_eq!(text(&the_offer(north), "state"), "taken_back");
    neither_has_contacts(&world);
    assert!(
        !is_in(WORDS, &files_of(north)),
        "what was said with both is gone"
    );
    assert_eq!(status(south, &id), "open");
}

#[test]
fn members_of_one_community_offer_each_other_help() {
    let folder = tempfile::tempdir().expect("a folder");
    let north = Instance::found(folder.path(), "North", "keeper");
    north.ok(&["user", "add", "omar", "--email", HELPER]);
    ask(&north, "A drill");
    let id = request(&north, "A drill");
    let made = north
        .json(&["offer", "make", &id, "--yes", "--as", "omar"])
        .remove(0);
    assert_eq!(made["letter_to"], Value::Null);
    let offer = text(&made, "id");
    assert_eq!(the_offer(&north)["contact"], Value::Null);
    north.ok(&["offer", "accept", offer, "--phone", ASKER, "--yes"]);
    assert_eq!(text(&the_offer(&north)["contact"], "email"), HELPER);
    let his = north.json(&["offer", "list", "--as", "omar"]).remove(0);
    assert_eq!(text(&his["contact"], "phone"), ASKER);
    north.ok(&["offer", "done", offer]);
    assert_eq!(status(&north, &id), "completed");
    assert!(!is_in(ASKER, &files_of(&north)), "it is hidden again");
}
