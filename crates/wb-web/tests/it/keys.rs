//! The keys of the community on pages: changing one, and taking it back with the words.

use http::StatusCode;
use wb_core::scope::Scope;
use wb_node::command::request_add::{RequestAdd, request_add};

use super::site::{Browser, Elm};

/// The words that a page shows, and the numbers of those that it asks back.
fn shown(page: &str) -> (Vec<String>, Vec<usize>) {
    let list = page.split("<ol class=\"words\">").nth(1).expect("words");
    let list = list.split("</ol>").next().expect("words");
    let words = list.split("<li>").skip(1);
    let words = words.map(|item| item.split('<').next().expect("a word").to_owned());
    let asked = page.split("Word number ").skip(1).map(|rest| {
        let number = rest.split('<').next().expect("a number");
        number.parse().expect("a number")
    });
    (words.collect(), asked.collect())
}

/// The value of the choice that is checked.
fn checked(page: &str) -> String {
    let (before, _) = page.split_once("\" checked").expect("one is suggested");
    before.rsplit('"').next().expect("a value").to_owned()
}

async fn entries(elm: &Elm, ada: &Browser) -> usize {
    let page = elm.get(ada, "/settings/keys").await.body;
    page.matches("data-label=\"What it did\"").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_changed_once_somebody_said_so_twice() {
    let elm = Elm::found();
    let ada = elm.of("ada");
    let unsure = elm.post(&ada, "/settings/keys/rotate", &[]).await;
    assert!(unsure.body.contains("role=\"alert\""), "{}", unsure.body);
    assert_eq!(entries(&elm, &ada).await, 1);
    let sure = [("sure", "yes")];
    let done = elm.post(&ada, "/settings/keys/rotate", &sure).await;
    assert_eq!(
        done.location.as_deref(),
        Some("/settings/keys"),
        "{}",
        done.body
    );
    assert_eq!(entries(&elm, &ada).await, 2);
    // Pages that were opened before go on with the new key.
    elm.publish();
    let stella = elm
        .post(&elm.of("stella"), "/settings/keys/rotate", &sure)
        .await;
    assert_eq!(stella.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_taken_back_with_the_words_and_what_came_after_is_kept_or_dropped() {
    let elm = Elm::found();
    let ada = elm.of("ada");
    elm.publish();
    let ask = |title| {
        let mut node = elm.node();
        let actor = node.actor(None).expect("the founder");
        let input = RequestAdd {
            title,
            description: "D",
            scope: Scope::Public,
        };
        request_add(&mut node, &actor, &input).expect("a request")
    };
    let kept = ask("Perhaps mine");
    ask("Send money");
    elm.publish();

    let wrong = [("words", "abandon abandon")];
    let refused = elm.post(&ada, "/settings/keys/recover", &wrong).await;
    assert!(
        refused.body.contains("the sheet has 12 words"),
        "{}",
        refused.body
    );
    let words = elm.words.clone();
    let typed = [("words", words.as_str())];
    let begun = elm.post(&ada, "/settings/keys/recover", &typed).await;
    assert_eq!(
        begun.location.as_deref(),
        Some("/settings/keys/recover"),
        "{}",
        begun.body
    );
    let page = elm.get(&ada, "/settings/keys/recover").await.body;
    assert!(!page.contains(&words), "what was typed is not shown again");
    let (new, asked) = shown(&page);
    assert_eq!((new.len(), asked.len()), (12, 2));
    // The newest is suggested; the one before it is chosen.
    let newest = checked(&page);
    let values: Vec<&str> = page
        .split("name=\"last_good\" value=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!((values[0], values.len()), (newest.as_str(), 3));

    let misread = [("last_good", values[1]), ("first", "x"), ("second", "y")];
    let again = elm.post(&ada, "/settings/keys/recovered", &misread).await;
    assert!(
        again.body.contains("Look at the paper again"),
        "{}",
        again.body
    );
    assert_eq!(shown(&again.body).0, new, "the same words are shown again");
    let right = [
        ("last_good", values[1]),
        ("first", &new[asked[0] - 1]),
        ("second", &new[asked[1] - 1]),
    ];
    let done = elm.post(&ada, "/settings/keys/recovered", &right).await;
    assert_eq!(
        done.location.as_deref(),
        Some("/settings/keys"),
        "{}",
        done.body
    );
    let page = elm.get(&ada, "/settings/keys").await.body;
    assert!(
        page.contains("Send money") && page.contains("Perhaps mine"),
        "{page}"
    );
    assert!(page.contains("The next sync opens a new log"), "{page}");
    // The words are not in memory any more, and the old ones are dead.
    let over = elm.get(&ada, "/settings/keys/recover").await;
    assert_eq!(over.location.as_deref(), Some("/settings/keys"));
    let dead = elm.post(&ada, "/settings/keys/recover", &typed).await;
    assert!(
        dead.body.contains("not the recovery words"),
        "{}",
        dead.body
    );

    let id = kept.to_string();
    let keep = [("id", id.as_str()), ("act", "keep")];
    let done = elm.post(&ada, "/settings/keys/void", &keep).await;
    assert_eq!(
        done.location.as_deref(),
        Some("/settings/keys"),
        "{}",
        done.body
    );
    let page = elm.get(&ada, "/settings/keys").await.body;
    assert!(
        page.contains("Send money") && !page.contains("Perhaps mine"),
        "{page}"
    );
    let all = [("id", "all"), ("act", "drop")];
    elm.post(&ada, "/settings/keys/void", &all).await;
    let page = elm.get(&ada, "/settings/keys").await.body;
    assert!(!page.contains("Send money"), "{page}");
    elm.publish();
    let sealed = elm.store().sealed(&kept).expect("a store");
    assert_eq!(sealed.len(), 1, "what was kept is published again");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_goes_on_with_what_another_admin_began() {
    let elm = Elm::found();
    let ada = elm.of("ada");
    let words = elm.words.clone();
    elm.post(&ada, "/settings/keys/recover", &[("words", &words)])
        .await;
    let stella = elm.get(&elm.of("stella"), "/settings/keys/recover").await;
    assert_eq!(stella.status, StatusCode::FORBIDDEN);
    // Another browser of the same admin does go on.
    let again = elm.get(&elm.of("ada"), "/settings/keys/recover").await;
    assert_eq!(again.status, StatusCode::OK);
}
