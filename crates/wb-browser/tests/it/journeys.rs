//! The ways people go through the pages, each once as browsers come and once without script.

use tempfile::TempDir;
use wb_browser::{Chromium, Hub, Node, Script, wait_until};

/// Somebody in front of a browser.
pub(super) struct Person {
    browser: Chromium,
    script: Script,
}

impl std::ops::Deref for Person {
    type Target = Chromium;

    fn deref(&self) -> &Chromium {
        &self.browser
    }
}

impl Person {
    fn new(script: Script) -> Self {
        let browser = Chromium::start(script);
        Self { browser, script }
    }

    /// Somebody who has lost all browsers gets in by a link that the operator printed.
    pub(super) fn of(script: Script, node: &Node, handle: &str) -> Self {
        let person = Self::new(script);
        person.open(&node.page(&node.login_path(handle)));
        person.press("Log in here");
        person
    }

    /// Waits for what a page shows by itself with script, and after being loaded again without.
    #[track_caller]
    pub(super) fn comes_to_show(&self, words: &str) {
        if self.script == Script::On {
            return self.shows(words);
        }
        wait_until(words, || {
            let shown = self.words().contains(words);
            if !shown {
                self.reload();
            }
            shown.then_some(())
        });
    }
}

pub(super) fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Founds by the printed link: one form, the words on paper, two of them asked back.
fn found(ada: &Person, node: &Node) {
    ada.open(&node.setup_link);
    ada.fill("Name of the community", "Elm Street");
    ada.fill("Your own name here", "ada");
    ada.press("Found it");
    ada.shows("Write these twelve words down");
    let words = ada.text_of(".words");
    let words: Vec<&str> = words
        .split_whitespace()
        .filter(|word| word.chars().all(|letter| letter.is_ascii_lowercase()))
        .collect();
    assert_eq!(words.len(), 12, "{words:?}");
    for field in ["first", "second"] {
        let label = ada.text_of(&format!("label[for={field}]"));
        let number = label
            .rsplit(' ')
            .next()
            .and_then(|word| word.parse::<usize>().ok());
        ada.fill(&label, words[number.expect("the number of a word") - 1]);
    }
    ada.press("I have them on paper");
    ada.shows("What I write goes");
    ada.choose("to everybody.");
    ada.press("Go on to the first invitation");
    ada.shows("Invite somebody");
}

fn a_community_is_founded_and_grows(script: Script) {
    let folder = folder();
    let node = Node::empty(folder.path(), "elm");
    let ada = Person::new(script);
    found(&ada, &node);

    ada.fill("Thank them for something", "For the soup when I was ill");
    ada.press("Make the invitation");
    ada.shows("An invitation to Elm Street");
    let link = ada.text_of("main .card a");

    let nela = Person::new(script);
    nela.open(&link);
    nela.shows("ada invites you to Elm Street");
    nela.shows("For the soup when I was ill");
    nela.fill("Your name here", "nela");
    nela.press("Join");
    nela.shows("still looks at your account");

    ada.follow("Review");
    ada.press_beside("nela", "Accept");
    ada.shows("Nobody waits");
    nela.comes_to_show("Ask for help");

    // A second browser shows a code, which is typed on the first.
    let phone = Person::new(script);
    phone.open(&node.page("/login"));
    phone.fill("Your name here", "nela");
    phone.press("Ask to be let in");
    phone.shows("It shows this code");
    phone.fill("In a few words", "A ladder");
    phone.press("Keep the draft");
    phone.shows("A ladder");
    let code = phone.text_of(".code");
    nela.reload();
    let told = nela.text_of(".notices");
    assert!(told.contains("asks to be let in as you"), "{told}");
    nela.follow("Settings");
    nela.fill("The code that the other browser shows", "AAA AAA");
    nela.press("Let it in");
    nela.lacks("Let in:");
    nela.fill("The code that the other browser shows", &code);
    nela.press("Let it in");
    nela.shows("Let in:");
    phone.comes_to_show("Ask for help");
}

/// Elm and Oak, members of a hub that lets in by hand.
struct Two {
    _folder: TempDir,
    hub: Hub,
    elm: Node,
    oak: Node,
}

impl Two {
    fn new() -> Self {
        let folder = folder();
        let hub = Hub::start(folder.path(), "Harbour", "approval");
        let elm = Node::found(folder.path(), "Elm", "ada");
        let oak = Node::found(folder.path(), "Oak", "jo");
        Self {
            _folder: folder,
            hub,
            elm,
            oak,
        }
    }
}

pub(super) fn sync(person: &Person) {
    person.follow("Sync");
    person.press("Sync now");
    // What came of it, and not what earlier exchanges in the table came to.
    person.comes_to_show("gone here;");
}

/// Somebody who moderates a hub, by the link that its operator printed.
fn moderator(script: Script, hub: &Hub) -> Person {
    let link = hub.wb(&["hub", "login-link"]);
    let person = Person::new(script);
    person.open(link.lines().next().expect("a link"));
    person.press("Log in here");
    person.shows("Members");
    person
}

fn help_goes_between_communities(script: Script) {
    let two = Two::new();
    let Two { hub, elm, oak, .. } = &two;
    for node in [elm, oak] {
        node.asks_to_join(hub);
    }
    let ada = Person::of(script, elm, "ada");
    // Whoever waits for the hub is told so.
    ada.follow("Sync");
    ada.press("Sync now");
    ada.comes_to_show("waits");
    let mo = moderator(script, hub);
    for name in ["Elm", "Oak"] {
        mo.open(&format!("{}/moderate", hub.address));
        mo.follow(name);
        mo.press("Let it in");
        mo.shows("What was decided");
        mo.lacks("Let in, it can sync here");
    }

    for (title, who) in [
        ("A lift to the clinic", "Everybody"),
        ("A cot for a guest", "Everybody"),
        ("Sugar", "Members here"),
    ] {
        ada.open(&elm.page("/requests/new"));
        ada.fill("In a few words", title);
        ada.fill("What would help, and when", "On Thursday at nine");
        ada.choose(who);
        ada.press("Ask");
        ada.shows(title);
    }

    // The preview names what would leave, and one is kept home there.
    ada.follow("Sync");
    ada.press("See what a sync would do");
    ada.comes_to_show("A lift to the clinic");
    ada.shows("A cot for a guest");
    ada.lacks("Sugar");
    ada.press_beside("A cot for a guest", "Keep it home");
    wait_until("a preview without it", || {
        ada.reload();
        let words = ada.words();
        (words.contains("A lift to the clinic") && !words.contains("A cot for a guest"))
            .then_some(())
    });
    sync(&ada);

    let jo = Person::of(script, oak, "jo");
    oak.wb(&["follow", "Harbour/*"]);
    sync(&jo);
    jo.follow("Review");
    jo.shows("A lift to the clinic");
    jo.press("Show what it shares");
    jo.follow("Requests");
    jo.shows("A lift to the clinic");
    jo.lacks("A cot for a guest");
    jo.lacks("Sugar");
    jo.follow("A lift to the clinic");
    jo.shows("from Elm");
    jo.fill("Answer", "I can drive you");
    jo.choose("Everybody");
    jo.press("Send the answer");
    jo.shows("I can drive you");
    sync(&jo);

    elm.wb(&["follow", "Harbour/*"]);
    sync(&ada);
    ada.follow("Review");
    ada.press("Show what it shares");
    ada.follow("Requests");
    ada.follow("A lift to the clinic");
    ada.shows("I can drive you");
    ada.shows("from Oak");
    ada.press("Help was given");
    ada.shows("completed");
    sync(&ada);
    sync(&jo);
    jo.open(&oak.page("/requests?show=completed"));
    jo.shows("A lift to the clinic");

    // What is not shared any more is gone elsewhere.
    ada.open(&elm.page("/requests?show=completed"));
    ada.follow("A lift to the clinic");
    ada.choose("Members here");
    ada.press("Look what would come of it");
    ada.shows("With the next sync it is taken back");
    ada.press("Take it back");
    ada.shows("stays here");
    sync(&ada);
    sync(&jo);
    jo.open(&oak.page("/requests?show=all"));
    jo.lacks("A lift to the clinic");

    mo.fill("Why", "It sent what nobody wanted");
    // First what would come of it, then the act.
    mo.press("Suspend…");
    mo.press("Suspend it");
    mo.shows("Why it is let in again");
    jo.follow("Sync");
    jo.press("Sync now");
    jo.comes_to_show("It sent what nobody wanted");
    mo.fill("Why it is let in again", "They talked to us");
    mo.press("Undo what was decided");
    mo.press("Undo it");
    mo.lacks("Why it is let in again");
    mo.follow("Log");
    mo.shows("They talked to us");
    sync(&jo);
}

#[test]
fn a_community_is_founded_invites_and_lets_a_second_browser_in() {
    a_community_is_founded_and_grows(Script::On);
}

#[test]
fn a_community_is_founded_invites_and_lets_a_second_browser_in_without_script() {
    a_community_is_founded_and_grows(Script::Off);
}

#[test]
fn help_is_asked_for_and_given_between_communities() {
    help_goes_between_communities(Script::On);
}

#[test]
fn help_is_asked_for_and_given_between_communities_without_script() {
    help_goes_between_communities(Script::Off);
}

#[test]
fn where_script_is_off_no_page_runs_any() {
    let folder = folder();
    let node = Node::found(folder.path(), "Elm", "ada");
    for (script, link) in [(Script::On, 0), (Script::Off, 1)] {
        let person = Person::new(script);
        person.open(&node.page("/login"));
        person.fill("Your name here", "ada");
        person.press("Ask to be let in");
        person.shows("It shows this code");
        // A browser makes what is in `noscript` part of the page only where it runs no script.
        let found = person.run(
            "return document.querySelectorAll('main noscript a').length",
            &[],
        );
        assert_eq!(found, link, "{script:?}");
    }
}
