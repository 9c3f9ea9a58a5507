//! Who reads what is for trusted communities only: every member sees the list, an admin changes it, and each act has a
//! step before it that says what comes of it.

use http::StatusCode;
use wb_core::id::InstanceId;
use wb_core::scope::Scope;
use wb_node::command::request_add::{RequestAdd, request_add};
use wb_store::Belongs;

use super::site::Elm;

/// Elm, which accepted Oak Square, with one request that is for trusted communities only.
fn world() -> (Elm, InstanceId) {
    let elm = Elm::found();
    let oak = elm.neighbour().origin;
    let mut node = elm.node();
    let mira = node.actor(Some("mira")).expect("mira");
    let ask = RequestAdd {
        title: "A heron lantern",
        description: "for the boathouse",
        scope: Scope::TrustedPeers,
    };
    request_add(&mut node, &mira, &ask).expect("a request");
    (elm, oak)
}

fn path(oak: InstanceId, act: &str) -> String {
    format!("/trusted/{oak}{act}")
}

fn belongs(elm: &Elm, oak: InstanceId) -> Option<Belongs> {
    let row = elm.store().in_audience(&oak).expect("it is read");
    row.map(|row| row.belongs)
}

/// What a hidden field of a page holds.
fn hidden(page: &str, name: &str) -> String {
    let from = format!("type=\"hidden\" name=\"{name}\" value=\"");
    let rest = page.split(&from).nth(1).expect("the field");
    rest.split('"').next().unwrap_or_default().to_owned()
}

/// Trusts as an admin does, by the step before.
async fn trust(elm: &Elm, oak: InstanceId) {
    let ada = elm.of("ada");
    let step = elm.get(&ada, &path(oak, "")).await.body;
    let (since, key) = (hidden(&step, "since"), hidden(&step, "key"));
    let fields = [("since", since.as_str()), ("key", key.as_str())];
    let done = elm.post(&ada, &path(oak, ""), &fields).await;
    assert_eq!(done.location.as_deref(), Some("/trusted"), "{}", done.body);
}

#[tokio::test]
async fn an_admin_trusts_by_a_step_that_counts_and_everybody_reads_who_is_trusted() {
    let (elm, oak) = world();
    let (ada, omar) = (elm.of("ada"), elm.of("omar"));
    let empty = elm.get(&omar, "/trusted").await.body;
    assert!(empty.contains("Nobody is trusted"), "{empty}");
    assert!(!empty.contains("Look what it would see"), "{empty}");
    let list = elm.get(&ada, "/trusted").await.body;
    assert!(list.contains("Oak Square"), "{list}");
    let step = elm.get(&ada, &path(oak, "")).await.body;
    assert!(
        step.contains("<strong>1 earlier record</strong> becomes"),
        "{step}"
    );
    let later = elm.get(&ada, &path(oak, "?since=2999-12-31")).await.body;
    assert!(later.contains("No earlier record"), "{later}");
    assert!(
        later.contains("1 from before stays without words"),
        "{later}"
    );
    assert_eq!(hidden(&later, "since"), "2999-12-31T00:00:00.000Z");
    let wrong = elm.get(&ada, &path(oak, "?since=soon")).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert_eq!(belongs(&elm, oak), None, "looking adds nobody");
    trust(&elm, oak).await;
    assert_eq!(belongs(&elm, oak), Some(Belongs::In));
    for browser in [&omar, &ada] {
        let list = elm.get(browser, "/trusted").await.body;
        assert!(
            list.contains("Oak Square") && list.contains("trusted</span>"),
            "{list}"
        );
    }
    let list = elm.get(&omar, "/trusted").await.body;
    assert!(!list.contains("Trust it no longer"), "{list}");
}

#[tokio::test]
async fn nobody_but_an_admin_changes_who_is_trusted() {
    let (elm, oak) = world();
    let step = elm.get(&elm.of("ada"), &path(oak, "")).await.body;
    let key = hidden(&step, "key");
    let fields = [("since", ""), ("key", key.as_str())];
    for handle in ["mira", "omar", "stella"] {
        let browser = elm.of(handle);
        for act in ["", "/remove"] {
            let looked = elm.get(&browser, &path(oak, act)).await;
            assert_eq!(looked.status, StatusCode::FORBIDDEN, "{handle}");
            let sent = elm.post(&browser, &path(oak, act), &fields).await;
            assert_eq!(sent.status, StatusCode::FORBIDDEN, "{handle}");
        }
    }
    assert_eq!(belongs(&elm, oak), None);
}

#[tokio::test]
async fn nobody_is_trusted_without_the_step_before_and_under_no_key_but_the_one_it_showed() {
    let (elm, oak) = world();
    let ada = elm.of("ada");
    let key = elm.get(&ada, &path(oak, "")).await.body;
    let other = hidden(&key, "key").replace("age1", "age2");
    for fields in [&[][..], &[("since", "")], &[("key", other.as_str())]] {
        let sent = elm.post(&ada, &path(oak, ""), fields).await;
        assert!(sent.status.is_client_error(), "{}", sent.status);
        assert_eq!(belongs(&elm, oak), None, "{fields:?}");
    }
}

#[tokio::test]
async fn removing_says_what_it_cannot_do_and_a_from_date_that_was_chosen_stays_chosen() {
    let (elm, oak) = world();
    let ada = elm.of("ada");
    let step = elm.get(&ada, &path(oak, "?since=2020-02-03")).await.body;
    let (since, key) = (hidden(&step, "since"), hidden(&step, "key"));
    let fields = [("since", since.as_str()), ("key", key.as_str())];
    elm.post(&ada, &path(oak, ""), &fields).await;
    let again = elm.get(&ada, &path(oak, "")).await.body;
    assert_eq!(
        hidden(&again, "since"),
        "2020-02-03T00:00:00.000Z",
        "{again}"
    );
    let asked = elm.get(&ada, &path(oak, "/remove")).await.body;
    assert!(asked.contains("Nothing was sealed to it yet"), "{asked}");
    assert!(asked.contains("Nobody else is trusted"), "{asked}");
    assert_eq!(
        belongs(&elm, oak),
        Some(Belongs::In),
        "looking removes nobody"
    );
    // Once something was sealed, it has to be asked to erase that.
    elm.publish();
    let store = elm.store();
    let row = store.in_audience(&oak).expect("it is read").expect("a row");
    let mut store = elm.store();
    let write = store.write().expect("a transaction");
    write
        .put_audience(&wb_store::AudienceRow { had: true, ..row })
        .expect("a row");
    write.commit().expect("a commit");
    let asked = elm.get(&ada, &path(oak, "/remove")).await.body;
    assert!(
        asked.contains("it is asked to erase what it has"),
        "{asked}"
    );
    assert!(asked.contains("What nobody can do"), "{asked}");
    let done = elm.post(&ada, &path(oak, "/remove"), &[]).await;
    assert_eq!(done.location.as_deref(), Some("/trusted"));
    let list = elm.get(&ada, "/trusted").await.body;
    assert!(list.contains("no longer trusted"), "{list}");
    assert!(list.contains("it is asked to erase what it has"), "{list}");
    let gone = elm.get(&ada, &path(oak, "/remove")).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_form_offers_trusted_communities_once_there_are_some_and_leads_to_their_list() {
    let (elm, oak) = world();
    let mira = elm.of("mira");
    let scope = format!("/records/{}/scope", elm.request);
    for page in ["/requests/new", scope.as_str()] {
        let form = elm.get(&mira, page).await.body;
        assert!(!form.contains("trusted_peers"), "{form}");
    }
    trust(&elm, oak).await;
    for page in ["/requests/new", scope.as_str()] {
        let form = elm.get(&mira, page).await.body;
        assert!(form.contains("trusted_peers"), "{form}");
        assert!(
            form.contains("href=\"/trusted\">Trusted communities: 1"),
            "{form}"
        );
    }
    let step = elm
        .get(&mira, &format!("{scope}?scope=trusted_peers"))
        .await;
    assert!(step.body.contains("it goes, sealed"), "{}", step.body);
    assert_eq!(hidden(&step.body, "scope"), "trusted_peers");
    let done = elm.post(&mira, &scope, &[("scope", "trusted_peers")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    let record = elm.node().store().local(&elm.request).expect("it is read");
    assert_eq!(record.expect("a record").scope, Scope::TrustedPeers);
    elm.publish();
    // From there to everybody is one step further, and words that lead to somebody are asked about once more.
    let edit = format!("/requests/{}/{}/edit", elm.node().own_id(), elm.request);
    let words = [
        ("title", "A ladder"),
        ("description", "call 0301234567"),
        ("sure", "yes"),
    ];
    elm.post(&mira, &edit, &words).await;
    let asked = elm.post(&mira, &scope, &[("scope", "public")]).await;
    assert!(asked.body.contains("phone number"), "{}", asked.body);
}
