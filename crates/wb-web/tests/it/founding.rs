//! Founding: from the printed link by way of the words and the default share to the first invitation.

use http::StatusCode;
use wb_core::scope::Scope;

use super::site::{Browser, Came, Elm};

async fn found(elm: &Elm, secret: &str, address: &str) -> Came {
    let fields = [
        ("name", "Elm Street"),
        ("handle", "ada"),
        ("address", address),
    ];
    elm.post(&Elm::founder(), &format!("/setup/{secret}"), &fields)
        .await
}

/// Types back the two words that are asked for.
async fn confirm(elm: &Elm, ada: &Browser, path: &str) -> Came {
    let page = elm.get(ada, path).await.body;
    let list = page.split("<ol class=\"words\">").nth(1).expect("words");
    let list = list.split("</ol>").next().expect("words");
    let words: Vec<&str> = list
        .split("<li>")
        .skip(1)
        .map(|item| item.split('<').next().expect("a word"))
        .collect();
    let asked: Vec<&str> = page
        .split("Word number ")
        .skip(1)
        .map(|rest| {
            let number = rest.split('<').next().expect("a number");
            words[number.parse::<usize>().expect("a number") - 1]
        })
        .collect();
    let fields = [("first", asked[0]), ("second", asked[1])];
    elm.post(ada, path, &fields).await
}

#[tokio::test]
async fn founding_ends_with_an_invitation_that_leads_to_the_address_that_was_named() {
    let (elm, secret) = Elm::unfounded();
    let came = found(&elm, &secret, "elm.example.org").await;
    assert_eq!(came.status, StatusCode::SEE_OTHER, "{}", came.body);
    let ada = elm.holding(&came);
    let words = came.location.expect("the words");
    let confirmed = confirm(&elm, &ada, &words).await;
    let share = confirmed.location.expect("the default share");
    assert_eq!(share, "/settings/sharing?next=invites");
    let page = elm.get(&ada, &share).await.body;
    assert!(page.contains("to members here."), "{page}");
    assert!(page.contains("value=\"private\" checked"), "{page}");
    let chosen = [("scope", "public"), ("next", "invites")];
    let next = elm.post(&ada, "/settings/sharing", &chosen).await;
    assert_eq!(next.location.as_deref(), Some("/invites"));
    let made = elm.post(&ada, "/invites", &[]).await;
    let card = elm.get(&ada, &made.location.expect("a card")).await.body;
    assert!(card.contains("https://elm.example.org/invite/"), "{card}");
    // What was chosen stands in the next form, and changed nothing by itself.
    let new = elm.get(&ada, "/requests/new").await.body;
    assert!(new.contains("value=\"public\" checked"), "{new}");
    let node = elm.node();
    let actor = node.actor(None).expect("the founder");
    let chosen = node.store().private().default_scope(&actor.user);
    assert_eq!(chosen.expect("it is read"), Some(Scope::Public));
    let profile = node.store().local(&actor.user).expect("it is read");
    assert_eq!(profile.expect("a profile").scope, Scope::Private);
}

#[tokio::test]
async fn nothing_is_founded_with_an_address_that_is_none_and_what_was_typed_stays() {
    let (elm, secret) = Elm::unfounded();
    for wrong in ["http://elm.example.org", "elm street", "127.0.0.1:8000"] {
        let came = found(&elm, &secret, wrong).await;
        assert_eq!(came.status, StatusCode::OK);
        assert!(came.body.contains("role=\"alert\""), "{wrong}");
        assert!(came.body.contains(&format!("value=\"{wrong}\"")), "{wrong}");
        assert!(came.body.contains("Elm Street"), "{wrong}");
        assert!(!elm.is_founded(), "{wrong}");
    }
    let none = found(&elm, &secret, "").await;
    assert_eq!(none.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_admin_names_the_address_later_and_takes_it_away() {
    let elm = Elm::found();
    let ada = elm.of("ada");
    let link = |body: &str| body.contains("https://elm.example.org/invite/");
    let made = elm.post(&ada, "/invites", &[]).await;
    let card = made.location.expect("a card");
    assert!(!link(&elm.get(&ada, &card).await.body));
    let typed = [("address", "Elm.Example.Org")];
    let kept = elm.post(&ada, "/settings/address", &typed).await;
    assert_eq!(kept.status, StatusCode::SEE_OTHER);
    assert!(link(&elm.get(&ada, &card).await.body));
    let page = elm.get(&ada, "/settings/address").await.body;
    assert!(page.contains("You did not open this page under that address"));
    elm.post(&ada, "/settings/address", &[]).await;
    assert!(!link(&elm.get(&ada, &card).await.body));
}

#[tokio::test]
async fn a_newcomer_says_how_far_their_words_go_and_else_they_stay() {
    let elm = Elm::found();
    let ada = elm.of("ada");
    for (handle, chosen, scope) in [
        ("nela", Some("public"), Scope::Public),
        ("otto", None, Scope::Private),
    ] {
        let made = elm.post(&ada, "/invites", &[]).await;
        let card = made.location.expect("a card");
        let token = card.trim_start_matches("/invites/");
        let mut fields = vec![("handle", handle)];
        fields.extend(chosen.map(|scope| ("scope", scope)));
        let path = format!("/invite/{token}");
        let taken = elm.post(&elm.stranger(), &path, &fields).await;
        assert_eq!(taken.status, StatusCode::SEE_OTHER);
        let node = elm.node();
        let private = node.store().private();
        let account = private.account(handle).expect("it is read");
        let kept = private.default_scope(&account.expect("an account").user);
        assert_eq!(kept.expect("it is read"), Some(scope), "{handle}");
    }
}
