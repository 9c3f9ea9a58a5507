//! Help between two communities and a hub, from the offer to the thanks, each once as browsers come and once without
//! script: three clicks for who offers, two for who asked.

use std::cell::Cell;

use wb_browser::{Hub, Look, Node, Script, violations};

use super::journeys::{Person, folder};

const HELPER: &str = "ann@oak.example";
const ASKER: &str = "kim@elm.example";

/// Somebody whose clicks are counted.
struct Counted<'p> {
    person: &'p Person,
    clicks: Cell<u32>,
}

impl<'p> Counted<'p> {
    fn of(person: &'p Person) -> Self {
        Self {
            person,
            clicks: Cell::new(0),
        }
    }

    #[track_caller]
    fn follow(&self, name: &str) {
        self.clicks.set(self.clicks.get() + 1);
        self.person.follow(name);
    }

    #[track_caller]
    fn press(&self, name: &str) {
        self.clicks.set(self.clicks.get() + 1);
        self.person.press(name);
    }
}

/// Elm and Oak, members of one hub, which show each other; Kim lives in one and Ann in the other.
fn two(folder: &std::path::Path) -> (Hub, Node, Node) {
    let hub = Hub::start(folder, "Harbour", "open");
    let elm = Node::found(folder, "Elm", "ada");
    let oak = Node::found(folder, "Oak", "jo");
    elm.wb(&["user", "add", "kim", "--email", ASKER]);
    oak.wb(&[
        "user",
        "add",
        "ann",
        "--display-name",
        "Ann",
        "--email",
        HELPER,
    ]);
    for node in [&elm, &oak] {
        node.join(&hub);
        node.wb(&["sync"]);
    }
    elm.wb(&["sync"]);
    elm.wb(&["review", "accept", "Oak"]);
    oak.wb(&["review", "accept", "Elm"]);
    (hub, elm, oak)
}

fn sync(nodes: &[&Node]) {
    for node in nodes {
        node.wb(&["sync"]);
    }
}

/// The page as it is now can be used by everybody, in both themes, narrow and wide. What looks at it is a script: the
/// page is the same without.
#[track_caller]
fn everybody_can_use(person: &Person, script: Script) {
    if script == Script::Off {
        return;
    }
    for look in Look::ALL {
        person.look(look);
        let broken = violations(person);
        assert!(broken.is_empty(), "{look:?}: {}", broken.join("\n"));
        let beyond =
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(person.run(beyond, &[]), 0, "{look:?} scrolls sideways");
    }
}

fn help_is_offered_accepted_and_done(script: Script) {
    let folder = folder();
    let (_hub, elm, oak) = two(folder.path());
    let words = [
        "--title",
        "A lift to the clinic",
        "--description",
        "On Thursday.",
    ];
    let ask = [
        &["--as", "kim", "request", "add", "--scope", "public"],
        &words[..],
    ]
    .concat();
    elm.wb(&ask);
    sync(&[&elm, &oak]);

    // Who offers: three clicks, and every word that goes is on the page before the last.
    let ann = Person::of(script, &oak, "ann");
    ann.open(&oak.page("/"));
    let clicks = Counted::of(&ann);
    clicks.follow("A lift to the clinic");
    clicks.follow("Offer help");
    ann.shows("once they accept, and not before");
    ann.shows("operators of both communities could read it");
    let shown = ann.run("return document.getElementById('offer_email').value", &[]);
    assert_eq!(shown, HELPER);
    everybody_can_use(&ann, script);
    ann.fill("What you can do, and when", "I can drive you");
    clicks.press("Send the offer");
    ann.shows("you offered help; goes with the next sync");
    assert_eq!(clicks.clicks.get(), 3);
    // It is offered once.
    ann.open(&oak.page("/requests"));
    ann.follow("A lift to the clinic");
    ann.lacks("Offer help");
    ann.shows("Your offer");
    oak.wb(&["sync"]);
    ann.open(&oak.page("/things"));
    ann.shows("waits at Harbour until Elm takes it");
    sync(&[&elm, &oak]);
    ann.reload();
    ann.shows("it arrived at Elm");
    ann.lacks(ASKER);

    // Another member of Elm, who looks after it, is told nothing.
    let ada = Person::of(script, &elm, "ada");
    ada.open(&elm.page("/things"));
    ada.lacks("I can drive you");
    ada.open(&elm.page("/requests"));
    ada.follow("A lift to the clinic");
    ada.lacks("I can drive you");

    // Who asked: two clicks.
    let kim = Person::of(script, &elm, "kim");
    kim.open(&elm.page("/"));
    let told = kim.text_of(".notices");
    assert!(told.contains("Somebody offers you help"), "{told}");
    let clicks = Counted::of(&kim);
    clicks.follow("Look and answer");
    kim.shows("I can drive you");
    kim.lacks(HELPER);
    kim.shows("nobody can take back what was read");
    everybody_can_use(&kim, script);
    clicks.press("Accept");
    kim.shows("you accepted; how to reach them comes with a letter of Oak");
    assert_eq!(clicks.clicks.get(), 2);
    sync(&[&elm, &oak, &elm]);
    kim.reload();
    kim.shows(HELPER);
    everybody_can_use(&kim, script);
    kim.open(&elm.page("/requests"));
    kim.follow("A lift to the clinic");
    kim.shows(HELPER);
    everybody_can_use(&kim, script);
    ann.open(&oak.page("/"));
    let told = ann.text_of(".notices");
    assert!(told.contains("was accepted at Elm"), "{told}");
    ann.open(&oak.page("/things"));
    ann.shows(ASKER);

    ann.press("It is done");
    ann.shows("it is done");
    ann.lacks(ASKER);
    sync(&[&oak, &elm, &oak]);
    kim.open(&elm.page("/things"));
    kim.lacks(HELPER);
    kim.fill("A word of thanks", "You saved my day");
    kim.press("Say thanks");
    sync(&[&elm, &oak]);
    ann.reload();
    ann.shows("Thanks to you: You saved my day");
    for (person, node) in [(&kim, &elm), (&ann, &oak)] {
        person.open(&node.page("/requests?show=completed"));
        person.shows("A lift to the clinic");
    }
}

fn an_offer_is_declined_and_another_taken_back(script: Script) {
    let folder = folder();
    let elm = Node::found(folder.path(), "Elm", "ada");
    elm.wb(&["user", "add", "kim", "--email", ASKER]);
    let words = ["--title", "A drill", "--description", "For a shelf."];
    elm.wb(&[&["request", "add", "--scope", "private"], &words[..]].concat());
    let kim = Person::of(script, &elm, "kim");
    let ada = Person::of(script, &elm, "ada");
    let offer = || {
        kim.open(&elm.page("/requests"));
        kim.follow("A drill");
        kim.follow("Offer help");
        kim.press("Send the offer");
    };
    offer();
    ada.open(&elm.page("/things"));
    ada.lacks(ASKER);
    ada.fill("A kind word, if you like", "I found one at home");
    ada.press("Kindly decline");
    ada.shows("you kindly declined");
    kim.open(&elm.page("/things"));
    kim.shows("I found one at home");
    offer();
    // Without a way to be reached nothing is accepted, and what was typed is still there.
    ada.open(&elm.page("/things"));
    ada.fill("Another way", " ");
    ada.press("Accept");
    ada.shows("say at least one way to reach you");
    kim.press("Take the offer back");
    kim.shows("you took it back");
    ada.open(&elm.page("/things"));
    ada.shows("Nothing waits for you");
    ada.lacks(ASKER);
}

#[test]
fn help_between_communities_takes_three_clicks_and_two() {
    help_is_offered_accepted_and_done(Script::On);
}

#[test]
fn help_between_communities_takes_three_clicks_and_two_without_script() {
    help_is_offered_accepted_and_done(Script::Off);
}

#[test]
fn an_offer_is_kindly_declined_by_page_and_another_taken_back() {
    an_offer_is_declined_and_another_taken_back(Script::On);
}

#[test]
fn an_offer_is_kindly_declined_by_page_and_another_taken_back_without_script() {
    an_offer_is_declined_and_another_taken_back(Script::Off);
}
