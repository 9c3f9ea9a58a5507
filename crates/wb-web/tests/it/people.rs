//! Profiles, field by field, and the directory.

use http::StatusCode;
use wb_core::scope::Scope;

use super::site::{Browser, Elm};

fn own_page(elm: &Elm, handle: &str) -> String {
    let node = elm.node();
    let user = node.actor(Some(handle)).expect("a member").user;
    format!("/members/{}/{user}", node.own_id())
}

/// The line with which a member's profile left; none where it did not.
fn sealed_profile(elm: &Elm, handle: &str) -> Option<String> {
    elm.publish();
    let node = elm.node();
    let user = node.actor(Some(handle)).expect("a member").user;
    let mut found = None;
    let feeds = node.store().served();
    for feed in feeds.feeds().expect("feeds") {
        let headers = feeds
            .all_headers(&feed.held.origin, feed.held.scope)
            .expect("headers");
        for header in headers.unwrap_or_default() {
            for item in feeds.items(&header).expect("items") {
                let text = String::from_utf8_lossy(&item).into_owned();
                if text.contains(&user.to_string()) && text.contains("\"kind\":\"user\"") {
                    found = Some(text);
                }
            }
        }
    }
    found
}

async fn edit(elm: &Elm, browser: &Browser, more: &[(&str, &str)]) -> super::site::Came {
    let mut fields = vec![
        ("display_name", "Mira Lund"),
        ("bio", "bakes bread"),
        ("avatar", "https://pictures.example.org/mira.png"),
        ("email", "mira@example.org"),
    ];
    fields.extend(more);
    elm.post(browser, "/settings/profile", &fields).await
}

#[tokio::test]
async fn others_see_of_a_profile_what_its_owner_ticked_and_never_the_address() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    let kept = edit(&elm, &mira, &[("scope", "private"), ("share_bio", "yes")]).await;
    assert_eq!(kept.location, Some(own_page(&elm, "mira")));
    assert_eq!(sealed_profile(&elm, "mira"), None);
    let ticked = [("scope", "public"), ("share_display_name", "yes")];
    edit(&elm, &mira, &ticked).await;
    let line = sealed_profile(&elm, "mira").expect("it left");
    assert!(line.contains("Mira Lund"), "{line}");
    for stays in [
        "bakes bread",
        "pictures.example.org",
        "mira@example.org",
        "\"mira\"",
    ] {
        assert!(!line.contains(stays), "{stays}: {line}");
    }
    // At home everything is there as it was typed, and the address for its owner and admins alone.
    for (who, sees) in [
        ("mira", true),
        ("ada", true),
        ("omar", false),
        ("stella", false),
    ] {
        let page = elm.get(&elm.of(who), &own_page(&elm, "mira")).await.body;
        assert!(page.contains("bakes bread"), "{who}");
        assert!(
            page.contains("rel=\"noreferrer noopener nofollow\""),
            "{who}"
        );
        assert!(!page.contains("<img"), "{who}");
        assert_eq!(page.contains("mira@example.org"), sees, "{who}");
    }
    let form = elm.get(&mira, "/settings/profile").await.body;
    assert!(form.contains("name=\"share_display_name\" value=\"yes\" checked"));
    assert!(!form.contains("name=\"share_bio\" value=\"yes\" checked"));
}

#[tokio::test]
async fn a_number_in_a_profile_is_asked_about_only_where_it_would_leave() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    let bio = ("bio", "call 0301234567");
    for (scope, shared, asks) in [
        ("private", true, false),
        ("public", false, false),
        ("public", true, true),
    ] {
        let mut more = vec![bio, ("scope", scope)];
        more.extend(shared.then_some(("share_bio", "yes")));
        let came = edit(&elm, &mira, &more).await;
        assert_eq!(came.status == StatusCode::OK, asks, "{scope} {shared}");
        assert_eq!(came.body.contains("phone number"), asks);
    }
    let sure = [
        bio,
        ("scope", "public"),
        ("share_bio", "yes"),
        ("sure", "yes"),
    ];
    let came = edit(&elm, &mira, &sure).await;
    assert_eq!(came.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn what_is_wrong_with_a_profile_changes_nothing_and_loses_nothing() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    for wrong in [
        ("avatar", "javascript:alert(1)"),
        ("email", "nobody"),
        ("display_name", "\u{7}"),
    ] {
        let came = edit(&elm, &mira, &[wrong, ("scope", "public")]).await;
        assert_eq!(came.status, StatusCode::OK, "{wrong:?}");
        assert!(came.body.contains("role=\"alert\""), "{wrong:?}");
        assert!(came.body.contains("bakes bread"), "{wrong:?}");
    }
    let node = elm.node();
    let user = node.actor(Some("mira")).expect("mira").user;
    let record = node.store().local(&user).expect("it is read");
    assert_eq!(record.expect("a profile").scope, Scope::Private);
}

#[tokio::test]
async fn the_directory_is_searched_and_parted_by_community() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    let alone = elm.get(&mira, "/members").await.body;
    assert!(alone.contains("Nobody of another community"), "{alone}");
    let tent = elm.neighbour();
    let all = elm.get(&mira, "/members").await.body;
    assert!(all.contains("Elm Street (4)") && all.contains("Oak Square (1)"));
    let found = elm.get(&mira, "/members?words=OMA").await.body;
    assert!(found.contains(">omar<") && !found.contains(">stella<"));
    let theirs = format!("/members?home={}", tent.origin);
    let theirs = elm.get(&mira, &theirs).await.body;
    assert!(theirs.contains(">bob<") && !theirs.contains(">omar<"));
    let none = elm.get(&mira, "/members?words=nobody").await.body;
    assert!(none.contains("Nobody has these words"), "{none}");
}

#[tokio::test]
async fn a_page_of_a_person_shows_what_they_ask_for() {
    let elm = Elm::found();
    let omar = elm.of("omar");
    let page = elm.get(&omar, &own_page(&elm, "mira")).await.body;
    assert!(page.contains("A ladder"), "{page}");
    let own = elm.get(&omar, &own_page(&elm, "omar")).await.body;
    assert!(own.contains("Nothing that you can see"), "{own}");
    assert!(own.contains("Change your profile"), "{own}");
    assert!(!page.contains("Change your profile"), "{page}");
}
