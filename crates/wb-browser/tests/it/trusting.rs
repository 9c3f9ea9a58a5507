//! Trusting a community by page, what it then reads, and that it does not any more; vouching for it, and taking that
//! back; sharing many; closing, and staying open after all. Each once as browsers come and once without script.

use wb_browser::{Hub, Node, Script};

use super::journeys::{Person, folder, sync};

/// Elm and Oak, members of one hub, which show each other.
fn two(folder: &std::path::Path) -> (Hub, Node, Node) {
    let hub = Hub::start(folder, "Harbour", "open");
    let elm = Node::found(folder, "Elm", "ada");
    let oak = Node::found(folder, "Oak", "jo");
    for node in [&elm, &oak] {
        node.join(&hub);
        node.wb(&["sync"]);
    }
    elm.wb(&["sync"]);
    elm.wb(&["review", "accept", "Oak"]);
    oak.wb(&["review", "accept", "Elm"]);
    (hub, elm, oak)
}

fn asks(person: &Person, node: &Node, title: &str, who: &str) {
    person.open(&node.page("/requests/new"));
    person.fill("In a few words", title);
    person.choose(who);
    person.press("Ask");
    person.shows(title);
}

fn a_community_is_trusted_and_trusted_no_longer(script: Script) {
    let folder = folder();
    let (_hub, elm, oak) = two(folder.path());
    let ada = Person::of(script, &elm, "ada");
    ada.open(&elm.page("/requests/new"));
    ada.lacks("Trusted communities");
    ada.follow("Settings");
    ada.follow("Trusted communities");
    ada.shows("Nobody is trusted.");
    ada.follow("Look what it would see: Oak");
    ada.shows("No earlier record becomes visible there");
    ada.press("Trust it");
    ada.shows("Trust it no longer");
    asks(
        &ada,
        &elm,
        "A lantern for the boathouse",
        "Trusted communities only",
    );
    ada.shows("trusted communities");
    sync(&ada);

    let jo = Person::of(script, &oak, "jo");
    sync(&jo);
    jo.follow("Requests");
    jo.shows("A lantern for the boathouse");
    sync(&ada);
    ada.open(&elm.page("/trusted"));
    ada.shows("It has everything, as it said");

    // The record itself leads to who reads it.
    ada.follow("Requests");
    ada.follow("A lantern for the boathouse");
    ada.follow("Trusted communities: 1");
    ada.follow("Trust it no longer: Oak");
    ada.shows("What nobody can do");
    ada.press("Trust it no longer");
    ada.shows("it is asked to erase what it has");
    sync(&ada);
    sync(&jo);
    jo.open(&oak.page("/requests?show=all"));
    jo.lacks("A lantern for the boathouse");
    sync(&ada);
    ada.open(&elm.page("/trusted"));
    ada.shows("Nobody is trusted.");
}

fn a_community_is_vouched_for_and_no_more(script: Script) {
    let folder = folder();
    let (_hub, elm, oak) = two(folder.path());
    let (ada, jo) = (
        Person::of(script, &elm, "ada"),
        Person::of(script, &oak, "jo"),
    );
    ada.follow("Sync");
    ada.follow("How far other communities are trusted here, and by whose word");
    ada.follow("Oak");
    ada.shows("What this community says of it");
    ada.follow("Vouch for it");
    ada.choose("Trusted");
    ada.fill("Why", "We share the orchard");
    ada.press("Look what would come of it");
    ada.shows("No level here changes by it");
    ada.shows("goes with the next sync to every community");
    ada.press("Change it first");
    ada.fill("Why", "We share the orchard and its press");
    ada.press("Look what would come of it");
    ada.press("Vouch for it");
    ada.shows("It vouches for it as trusted");
    sync(&ada);
    sync(&jo);
    jo.open(&oak.page("/trust"));
    jo.shows("We share the orchard and its press");

    ada.open(&elm.page("/trust"));
    ada.follow("Oak");
    ada.follow("Take it back");
    ada.shows("it counts nowhere any more");
    ada.press("Take it back");
    ada.shows("Nothing yet.");
    sync(&ada);
    sync(&jo);
    jo.open(&oak.page("/trust"));
    jo.lacks("We share the orchard");
}

fn many_are_shared_and_a_community_nearly_closes(script: Script) {
    let folder = folder();
    let elm = Node::found(folder.path(), "Elm", "ada");
    elm.wb(&["user", "add", "teo"]);
    let words = [
        "--title",
        "A drill",
        "--description",
        "",
        "--scope",
        "private",
    ];
    elm.wb(&[&["--as", "teo", "request", "add"], &words[..]].concat());
    let ada = Person::of(script, &elm, "ada");
    asks(&ada, &elm, "A lift", "Members here");
    ada.follow("Shared");
    ada.follow("Share many at one time");
    ada.press("Look what would come of it");
    ada.shows("1 record goes with the next sync");
    ada.shows("1 author is asked about 1 record");
    ada.press("Let them go, and ask the authors");
    ada.shows("1 record is marked to go to everybody");
    ada.shows("teo, request: A drill");
    let teo = Person::of(script, &elm, "teo");
    let told = teo.text_of(".notices");
    assert!(told.contains("You are asked to let"), "{told}");
    teo.open(&elm.page("/agree"));
    teo.press("Let it go there");
    teo.shows("Nothing is asked of you");
    ada.open(&elm.page("/shared/all"));
    ada.shows("Nobody is asked anything");

    ada.follow("Settings");
    ada.follow("Closing");
    ada.fill("To go on, type the name of the community: Elm", "Oak");
    ada.press("Announce that it closes");
    ada.shows("That is not Elm");
    ada.fill("To go on, type the name of the community: Elm", "Elm");
    ada.press("Announce that it closes");
    ada.shows("It closes with the first sync");
    teo.reload();
    let told = teo.text_of(".notices");
    assert!(told.contains("This community closes"), "{told}");
    ada.press("Stay open");
    ada.shows("Announce that it closes");
}

#[test]
fn a_community_is_trusted_by_page_and_trusted_no_longer() {
    a_community_is_trusted_and_trusted_no_longer(Script::On);
}

#[test]
fn a_community_is_trusted_by_page_and_trusted_no_longer_without_script() {
    a_community_is_trusted_and_trusted_no_longer(Script::Off);
}

#[test]
fn a_community_is_vouched_for_by_page_and_no_more() {
    a_community_is_vouched_for_and_no_more(Script::On);
}

#[test]
fn a_community_is_vouched_for_by_page_and_no_more_without_script() {
    a_community_is_vouched_for_and_no_more(Script::Off);
}

#[test]
fn many_are_shared_at_one_time_and_a_community_stays_open_after_all() {
    many_are_shared_and_a_community_nearly_closes(Script::On);
}

#[test]
fn many_are_shared_at_one_time_and_a_community_stays_open_after_all_without_script() {
    many_are_shared_and_a_community_nearly_closes(Script::Off);
}
