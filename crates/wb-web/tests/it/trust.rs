//! The page of trust: the picture and the tables say the same, each name opens to why, and a fall is decided by form.

use std::path::{Path, PathBuf};

use wb_core::id::InstanceId;
use wb_core::kinds::Level;
use wb_core::scope::Scope;
use wb_node::Node;
use wb_node::command::bundle_export::{BundleExport, bundle_export};
use wb_node::command::bundle_import::{BundleImport, bundle_import};
use wb_node::command::init::{Init, init};
use wb_node::command::request_add::{RequestAdd, request_add};
use wb_node::command::vouch::{VouchAdd, vouch_add, vouch_revoke};
use wb_node::query::requests::requests;
use wb_store::Home;

use super::site::Elm;

fn write(node: &mut Node, file: &Path) {
    let actor = node.actor(None).expect("the founder");
    let export = BundleExport {
        file,
        want: None,
        zstd_level: None,
    };
    bundle_export(node, &actor, &export, &mut |_, _| {}).expect("a file");
}

fn take(node: &mut Node, file: &Path, accept: bool) -> bool {
    let actor = node.actor(None).expect("the founder");
    let input = BundleImport {
        dry_run: false,
        accept,
        partial: false,
        lists: true,
    };
    let imported = bundle_import(node, &actor, file, input, &mut |_| {}).expect("it is whole");
    imported.done
}

/// A file or folder beside that of the site.
fn beside(elm: &Elm, name: &str) -> PathBuf {
    elm.store().home().dir().with_file_name(name)
}

/// Whether Elm shows what Fir asks.
fn shows(elm: &Elm) -> bool {
    let all = requests(&elm.node()).expect("a store");
    all.iter().any(|request| request.title == "A canoe")
}

/// Elm accepted Oak Square, which vouches for Fir: what Fir asks is shown at Elm by that alone.
fn world() -> (Elm, Node, InstanceId) {
    let elm = Elm::found();
    elm.neighbour();
    let beside = |name: &str| beside(&elm, name);
    let input = Init {
        name: "Fir & Co",
        admin: "carol",
        words_file: None,
    };
    let mut fir = init(&Home::new(beside("fir")), &input)
        .expect("it is founded")
        .node;
    let carol = fir.actor(None).expect("the founder");
    let ask = RequestAdd {
        title: "A canoe",
        description: "for Sunday",
        scope: Scope::Public,
    };
    request_add(&mut fir, &carol, &ask).expect("a request");
    write(&mut fir, &beside("fir.wbb"));
    let mut oak = Node::open(&Home::new(beside("oak"))).expect("it opens");
    assert!(take(&mut oak, &beside("fir.wbb"), true));
    let bob = oak.actor(None).expect("the founder");
    let input = VouchAdd {
        subject: fir.own_id(),
        level: Level::Trusted,
        basis: "We <met> at the weir",
        months: 12,
    };
    vouch_add(&oak, &bob, &input, None).expect("an admin may");
    write(&mut oak, &beside("oak2.wbb"));
    // Nobody has to agree: whom somebody vouches for that is trusted here needs no preview.
    assert!(take(&mut elm.node(), &beside("oak2.wbb"), false));
    let id = fir.own_id();
    (elm, oak, id)
}

#[tokio::test]
async fn the_picture_and_the_tables_say_the_same_and_each_name_opens_to_why() {
    let (elm, _oak, fir) = world();
    let omar = elm.of("omar");
    let page = elm.get(&omar, "/trust").await.body;
    let link = format!("<a href=\"/trust/{fir}\">");
    assert_eq!(
        page.matches(&link).count(),
        3,
        "picture and both tables: {page}"
    );
    assert!(page.contains("Fir &#38; Co</text>"), "{page}");
    assert_eq!(page.matches(">level 2</text>").count(), 2, "{page}");
    assert!(
        page.contains("level 2: You → Oak Square → Fir &#38; Co<"),
        "{page}"
    );
    assert!(page.contains("We &#60;met&#62; at the weir"), "{page}");
    assert_eq!(page.matches("class=\"by-vouch\"").count(), 1);
    assert_eq!(page.matches("class=\"by-hand\"").count(), 1);
    assert!(page.contains("shown by vouches"));
    assert!(shows(&elm));

    let why = elm.get(&omar, &format!("/trust/{fir}")).await.body;
    assert!(why.contains("Falls if"), "{why}");
    assert!(
        why.contains("Oak Square</bdi> takes its word back"),
        "{why}"
    );
    // A member reads, and decides nothing.
    assert!(!why.contains("/review/origin"), "{why}");
    let stella = elm.of("stella");
    let why = elm.get(&stella, &format!("/trust/{fir}")).await.body;
    assert!(why.contains("Accept it by hand"), "{why}");
}

#[tokio::test]
async fn a_steward_decides_by_form_what_becomes_of_a_community_that_fell() {
    let (elm, mut oak, fir) = world();
    let bob = oak.actor(None).expect("the founder");
    vouch_revoke(&oak, &bob, fir, None).expect("it vouched");
    let file = beside(&elm, "oak3.wbb");
    write(&mut oak, &file);
    assert!(take(&mut elm.node(), &file, false));
    let stella = elm.of("stella");
    assert!(shows(&elm), "what was shown stays until it is decided");
    let queue = elm.get(&stella, "/review").await.body;
    assert!(
        queue.contains("because Oak Square took back what it vouched for Fir &#38; Co"),
        "{queue}"
    );
    let id = fir.to_string();
    let decide = async |decision: &str| {
        let fields = [("origin", id.as_str()), ("decision", decision)];
        elm.post(&stella, "/review/fallen", &fields).await
    };
    assert_eq!(decide("keep").await.location.as_deref(), Some("/review"));
    assert!(shows(&elm));
    assert_eq!(decide("hide").await.location.as_deref(), Some("/review"));
    assert!(!shows(&elm));
    let again = decide("hide").await;
    assert_eq!(again.status, http::StatusCode::NOT_FOUND, "{}", again.body);
}
