//! Where a request stands, by page: what each may say, what follows said before it, and one click that ends what is
//! contested.

use http::StatusCode;
use wb_core::id::{InstanceId, RecordRef};
use wb_core::kinds::To;
use wb_core::scope::Scope;
use wb_node::Node;
use wb_node::command::bundle_export::{BundleExport, bundle_export};
use wb_node::command::bundle_import::{BundleImport, bundle_import};
use wb_node::command::record_share::record_share;
use wb_node::command::status_say::say;
use wb_node::query::request_status;
use wb_store::Home;

use super::site::{Browser, Elm};

/// Elm, where Mira asked for a ladder, and Oak, which is accepted there and has the request.
struct World {
    elm: Elm,
    oak: Node,
    request: RecordRef,
}

impl World {
    fn new() -> Self {
        let elm = Elm::found();
        elm.neighbour();
        let node = elm.node();
        let request = RecordRef {
            origin: node.own_id(),
            id: elm.request,
        };
        let mira = node.actor(Some("mira")).expect("mira");
        record_share(&node, &mira, &request, Scope::Public, None).expect("hers");
        let oak = Home::new(node.store().home().dir().with_file_name("oak"));
        let oak = Node::open(&oak).expect("it opens");
        let mut world = Self { elm, oak, request };
        world.elm_to_oak();
        world
    }

    fn elm_to_oak(&mut self) {
        carry(&mut self.elm.node(), &mut self.oak);
    }

    fn oak_to_elm(&mut self) {
        carry(&mut self.oak, &mut self.elm.node());
    }

    /// Oak says something of the request, and Elm hears it.
    fn oak_says(&mut self, to: To, note: &str) {
        let bob = self.oak.actor(None).expect("bob");
        say(&self.oak, &bob, &self.request, to, Some(note)).expect("it may");
        self.oak_to_elm();
    }

    fn oak_id(&self) -> InstanceId {
        self.oak.own_id()
    }

    fn path(&self, act: &str) -> String {
        format!("/requests/{}/{}{act}", self.request.origin, self.request.id)
    }

    fn shown(&self) -> (To, bool) {
        let status = request_status(&self.elm.node(), &self.request).expect("a status");
        (status.value, status.contested)
    }

    async fn page(&self, browser: &Browser) -> String {
        self.elm.get(browser, &self.path("")).await.body
    }

    async fn name_oak(&self, browser: &Browser) -> StatusCode {
        let id = self.oak_id().to_string();
        let fields = [("instance", id.as_str())];
        let came = self.elm.post(browser, &self.path("/helper"), &fields).await;
        came.status
    }
}

/// The words that a page with a button to settle shows.
fn seen(page: &str) -> String {
    let rest = page.split("name=\"seen\" value=\"").nth(1).expect("a form");
    rest.split('"').next().unwrap_or_default().to_owned()
}

/// Carries what one node shares to another in a file.
fn carry(from: &mut Node, to: &mut Node) {
    let file = from.store().home().dir().with_file_name("carried.wbb");
    let actor = from.actor(None).expect("the founder");
    let export = BundleExport {
        file: &file,
        want: None,
        zstd_level: None,
    };
    bundle_export(from, &actor, &export, &mut |_, _| {}).expect("a file");
    let actor = to.actor(None).expect("the founder");
    let take = BundleImport {
        dry_run: false,
        accept: true,
        partial: false,
        lists: true,
    };
    bundle_import(to, &actor, &file, take, &mut |_| {}).expect("it is taken");
    std::fs::remove_file(file).expect("it is removed");
}

#[tokio::test]
async fn a_contested_request_says_who_says_what_and_is_settled_with_one_click() {
    let mut world = World::new();
    let (mira, omar, stella) = (
        world.elm.of("mira"),
        world.elm.of("omar"),
        world.elm.of("stella"),
    );
    assert_eq!(world.name_oak(&omar).await, StatusCode::FORBIDDEN);
    assert_eq!(world.name_oak(&mira).await, StatusCode::SEE_OTHER);
    world.elm_to_oak();
    // They cross: Elm said twice what Oak had not heard.
    world.elm.post(&mira, &world.path("/complete"), &[]).await;
    world.elm.post(&mira, &world.path("/reopen"), &[]).await;
    world.oak_says(To::Completed, "brought <b>at noon</b>");
    assert_eq!(world.shown(), (To::Open, true));
    // Everybody reads who says what; only who decides has the buttons.
    for (browser, decides) in [(&mira, true), (&stella, true), (&omar, false)] {
        let page = world.page(browser).await;
        for words in [
            "Contested",
            "Oak Square, which helps here, says completed",
            "Elm Street, where it was asked, says open",
            "brought &#60;b&#62;at noon",
        ] {
            assert!(page.contains(words), "{words}: {page}");
        }
        assert_eq!(page.contains("It is done"), decides, "{page}");
        assert_eq!(page.contains("It is still open"), decides, "{page}");
    }
    // The count on the dashboard opens to the list.
    let dashboard = world.elm.get(&stella, "/sync").await.body;
    assert!(dashboard.contains("<a href=\"/conflicts\">1 request is contested</a>"));
    let list = world.elm.get(&stella, "/conflicts").await.body;
    assert!(
        list.contains("A ladder") && list.contains("It is done"),
        "{list}"
    );
    let done = [("to", "completed"), ("list", "yes")];
    let refused = world.elm.post(&omar, &world.path("/settle"), &done).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(world.shown(), (To::Open, true));
    // A word that came after the list was read is not heard unseen.
    let seen = seen(&list);
    world.oak_says(To::Open, "a rung is broken");
    world.oak_says(To::Completed, "with tape");
    let mut done = done.to_vec();
    done.push(("seen", seen.as_str()));
    let late = world.elm.post(&stella, &world.path("/settle"), &done).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(
        late.body.contains("since it was shown to you"),
        "{}",
        late.body
    );
    assert_eq!(world.shown(), (To::Open, true));
    let list = world.elm.get(&stella, "/conflicts").await.body;
    let seen = self::seen(&list);
    done.pop();
    done.push(("seen", seen.as_str()));
    let settled = world.elm.post(&stella, &world.path("/settle"), &done).await;
    assert_eq!(
        settled.location.as_deref(),
        Some("/conflicts"),
        "{}",
        settled.body
    );
    assert_eq!(world.shown(), (To::Completed, false));
    let list = world.elm.get(&stella, "/conflicts").await.body;
    assert!(list.contains("Nobody disagrees"), "{list}");
    let page = world.page(&mira).await;
    assert!(page.contains("Elm Street has heard that"), "{page}");
}

#[tokio::test]
async fn a_claim_is_shown_beside_a_request_and_its_author_may_let_that_word_count() {
    let mut world = World::new();
    world.oak_says(To::Completed, "done");
    assert_eq!(world.shown(), (To::Open, false));
    let (mira, omar) = (world.elm.of("mira"), world.elm.of("omar"));
    let page = world.page(&omar).await;
    assert!(page.contains("That is a claim"), "{page}");
    assert!(!page.contains("Let the word of"), "{page}");
    assert!(world.page(&mira).await.contains("Let the word of"));
    assert_eq!(world.name_oak(&mira).await, StatusCode::SEE_OTHER);
    assert_eq!(world.shown(), (To::Open, false));
    let page = world.page(&mira).await;
    assert!(page.contains("Let it count no more"), "{page}");
    let id = world.oak_id().to_string();
    let fields = [("instance", id.as_str()), ("withdraw", "yes")];
    world.elm.post(&mira, &world.path("/helper"), &fields).await;
    assert!(!world.page(&mira).await.contains("Let it count no more"));
}

#[tokio::test]
async fn a_word_on_a_request_of_another_community_is_a_claim_that_is_agreed_to_first() {
    let world = World::new();
    let omar = world.elm.of("omar");
    let tent = wb_node::query::requests::requests(&world.elm.node()).expect("a list");
    let tent = tent.iter().find(|row| row.title == "A tent");
    let base = &tent.expect("the request of Oak").base;
    let path = format!("/requests/{}/{}", base.origin, base.id);
    let page = world.elm.get(&omar, &path).await.body;
    assert!(page.contains("Say that help was given"), "{page}");
    assert!(page.contains("this is a claim"), "{page}");
    assert!(!page.contains("Not needed any more"), "{page}");
    let complete = format!("{path}/complete");
    let asked = world.elm.post(&omar, &complete, &[]).await;
    assert!(asked.body.contains("Nothing was said"), "{}", asked.body);
    let done = [("claim", "yes"), ("note", "I lent mine")];
    let said = world.elm.post(&omar, &complete, &done).await;
    assert_eq!(said.status, StatusCode::SEE_OTHER, "{}", said.body);
    let page = world.elm.get(&omar, &path).await.body;
    assert!(page.contains("That is a claim"), "{page}");
    assert!(page.contains("I lent mine"), "{page}");
    // Home alone cancels.
    let cancel = world
        .elm
        .post(&omar, &format!("{path}/cancel"), &done)
        .await;
    assert_eq!(cancel.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn an_author_cancels_what_is_not_needed_and_opens_it_again() {
    let world = World::new();
    let mira = world.elm.of("mira");
    world.elm.post(&mira, &world.path("/cancel"), &[]).await;
    assert_eq!(world.shown(), (To::Cancelled, false));
    let page = world.page(&mira).await;
    assert!(page.contains("Help is needed after all"), "{page}");
    world.elm.post(&mira, &world.path("/reopen"), &[]).await;
    assert_eq!(world.shown(), (To::Open, false));
}
