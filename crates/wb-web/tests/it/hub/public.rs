//! What everybody may read: what is listed, with its home; nothing of anybody else; and nothing that was
//! taken back.

use http::{Method, StatusCode};
use wb_core::sync::{Standing, Visibility};
use wb_node::entropy;

use super::world::{Harbour, request};
use crate::origin::{Do, Origin, now};

/// Communities of every standing, each with a request of its own text.
struct Bay {
    harbour: Harbour,
    north: Origin,
    unlisted: Origin,
    /// Shown to members alone.
    members: Origin,
    suspended: Origin,
}

impl Bay {
    fn new() -> Self {
        let harbour = Harbour::new();
        let (mut north, mut unlisted, mut suspended) =
            (Origin::new(1), Origin::new(2), Origin::new(3));
        let mut members = Origin::new(4);
        harbour.register(&north, "North", true, 1);
        harbour.register(&unlisted, "Under the marker_unlisted", false, 1);
        harbour.register(&suspended, "Of the marker_suspended", true, 1);
        harbour.register_for(&members, "Of the marker_members", Visibility::Members, 1);
        harbour.publish(&mut members, &[(1, "marker_members")]);
        harbour.publish(&mut north, &[(1, "marker_north")]);
        harbour.publish(&mut unlisted, &[(1, "marker_unlisted")]);
        harbour.publish(&mut suspended, &[(1, "marker_suspended")]);
        // Each answers the request of North, too.
        for (origin, text) in [
            (&mut unlisted, "marker_unlisted"),
            (&mut members, "marker_members"),
            (&mut suspended, "marker_suspended"),
        ] {
            let comment = format!(
                r#"{{"request":{{"origin":"{}","id":"{}"}},"body":"{text}","created_at":"{}"}}"#,
                north.id(),
                north.record(1),
                now()
            );
            harbour.publish_bodies(origin, &[(2, "comment", comment)]);
        }
        harbour.stand(&suspended, Standing::Suspended, None);
        Self {
            harbour,
            north,
            unlisted,
            members,
            suspended,
        }
    }

    async fn all(&self) -> String {
        let origins = [&self.north, &self.unlisted, &self.members, &self.suspended];
        self.harbour.everything_public(&origins).await
    }
}

#[tokio::test]
async fn who_is_for_members_is_on_no_page_and_in_no_feed_until_it_is_for_everybody() {
    let bay = Bay::new();
    let shown = |counter, visibility| {
        bay.harbour
            .register_for(&bay.members, "Of the marker_members", visibility, counter);
    };
    let all = bay.all().await;
    assert!(!all.contains("marker_members"), "{all}");
    assert!(!all.contains(&bay.members.id().to_string()));
    // A moderator sees it, with the word for it.
    let stella = bay.harbour.of("stella");
    let list = bay.harbour.get(&stella, "/moderate?standing=member").await;
    assert!(list.body.contains("marker_members") && list.body.contains("for members"));
    let path = format!("/moderate/members/{}", bay.members.id());
    let page = bay.harbour.get(&stella, &path).await;
    assert!(
        page.body
            .contains("members of this hub, and on no public page")
    );

    shown(2, Visibility::Public);
    let all = bay.all().await;
    assert!(all.contains("marker_members") && all.contains("<span>1 answer</span>"));
    shown(3, Visibility::Members);
    assert!(!bay.all().await.contains("marker_members"));
}

#[tokio::test]
async fn nothing_of_who_is_not_listed_or_suspended_is_on_any_page() {
    let bay = Bay::new();
    let all = bay.all().await;
    assert!(all.contains("marker_north") && all.contains("from <bdi>North</bdi>"));
    assert!(all.contains("<span>0 answers</span>"));
    assert!(!all.contains("marker_unlisted"));
    assert!(!all.contains("marker_suspended"));
    assert!(!all.contains(&bay.unlisted.id().to_string()));
}

#[tokio::test]
async fn who_is_let_in_again_is_shown_at_once_and_who_is_suspended_goes_at_once() {
    let bay = Bay::new();
    bay.harbour.stand(&bay.suspended, Standing::Member, None);
    assert!(bay.all().await.contains("marker_suspended"));
    bay.harbour.stand(&bay.suspended, Standing::Suspended, None);
    assert!(!bay.all().await.contains("marker_suspended"));
    // Its end has passed, though nothing was tidied yet.
    let past = entropy::now().plus_ms(-1);
    bay.harbour
        .stand(&bay.suspended, Standing::Suspended, Some(past));
    assert!(bay.all().await.contains("marker_suspended"));
}

#[tokio::test]
async fn what_is_taken_back_is_gone_at_once_also_for_who_holds_a_copy() {
    let mut bay = Bay::new();
    let nobody = bay.harbour.nobody();
    let held = bay.harbour.get(&nobody, "/requests").await;
    let tag = held.header("etag").expect("a tag").to_owned();
    let asking = [("if-none-match", tag.as_str())];
    let again = bay
        .harbour
        .ask(&nobody, Method::GET, "/requests", &[], &asking)
        .await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    assert!(again.body.is_empty());

    let delta = bay.north.seal(&[Do::Retract(1)]);
    bay.harbour
        .write(|write| write.push_delta(&delta.read(), entropy::now()))
        .expect("a feed");
    let fresh = bay
        .harbour
        .ask(&nobody, Method::GET, "/requests", &[], &asking)
        .await;
    assert_eq!(fresh.status, StatusCode::OK);
    assert!(!bay.all().await.contains("marker_north"));
}

#[tokio::test]
async fn hostile_text_is_harmless() {
    let (harbour, mut north) = (Harbour::new(), Origin::new(1));
    harbour.register(&north, "<b>North</b>", true, 1);
    let hostile = "</title><script>alert(1)</script>\" onload=\"x ]]> &amp; \u{202e}gnp";
    harbour.publish(&mut north, &[(1, hostile)]);
    let all = harbour.everything_public(&[&north]).await;
    assert!(!all.contains("<script>alert"));
    assert!(!all.contains("<b>North"));
    assert!(!all.contains("\" onload"));
    let page = harbour.get(&harbour.nobody(), "/requests").await;
    // What turns the writing direction ends where the text does.
    assert!(page.body.contains("\u{202e}gnp</bdi>"), "{}", page.body);
}

#[tokio::test]
async fn pages_go_on_where_the_one_before_ended_and_miss_nothing() {
    let (harbour, mut north) = (Harbour::new(), Origin::new(1));
    harbour.register(&north, "North", true, 1);
    let bodies: Vec<(u64, &str, String)> = (0..75)
        .map(|n| (n, "request", request(&format!("number_{n}_"))))
        .collect();
    harbour.publish_bodies(&mut north, &bodies);
    let nobody = harbour.nobody();
    let (mut all, mut path, mut pages) = (String::new(), "/requests?words=NUMBER".to_owned(), 0);
    loop {
        let came = harbour.get(&nobody, &path).await;
        all.push_str(&came.body);
        pages += 1;
        let Some(next) = next(&came.body) else { break };
        path = next;
    }
    assert_eq!(pages, 3);
    for n in 0..75 {
        assert_eq!(
            all.matches(&format!("<bdi>number_{n}_</bdi></a>")).count(),
            1,
            "{n}"
        );
    }
    let none = harbour
        .get(&nobody, "/requests?words=nothing+like+this")
        .await;
    assert!(none.body.contains("Nothing has these words"));
    let bad = harbour.get(&nobody, "/requests?after=elsewhere").await;
    assert_eq!(bad.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn two_communities_of_one_name_are_told_apart() {
    let (harbour, mut north, mut south) = (Harbour::new(), Origin::new(1), Origin::new(2));
    for origin in [&north, &south] {
        harbour.register(origin, "Elm Street", true, 1);
    }
    harbour.publish(&mut north, &[(1, "one")]);
    harbour.publish(&mut south, &[(1, "two")]);
    let page = harbour.get(&harbour.nobody(), "/requests").await;
    for origin in [&north, &south] {
        let name = format!("from <bdi>Elm Street ({})</bdi>", origin.id().short());
        assert!(page.body.contains(&name), "{}", page.body);
    }
}

/// The address of the next page, where there is one.
fn next(page: &str) -> Option<String> {
    let (before, _) = page.split_once("\" rel=\"next\"")?;
    let (_, next) = before.rsplit_once("href=\"")?;
    Some(next.replace("&#38;", "&").replace("&amp;", "&"))
}

#[tokio::test]
async fn the_list_of_communities_goes_on_though_the_last_of_a_page_went() {
    let harbour = Harbour::new();
    let origins: Vec<Origin> = (1..=40).map(Origin::new).collect();
    for (n, origin) in origins.iter().enumerate() {
        harbour.register(origin, &format!("Nº {n:02} & more."), true, 1);
    }
    let nobody = harbour.nobody();
    let first = harbour.get(&nobody, "/communities").await;
    let next = next(&first.body).expect("more");
    harbour.register(&origins[29], "Nº 29 & more.", false, 2);
    let second = harbour.get(&nobody, &next).await;
    for (n, origin) in origins.iter().enumerate() {
        let page = if n < 30 { &first.body } else { &second.body };
        let address = format!("href=\"/communities/{}\"", origin.id());
        assert_eq!(page.matches(&address).count(), 1, "{n}");
    }
    assert_eq!(second.body.matches("href=\"/communities/").count(), 10);
}

#[tokio::test]
async fn addresses_of_lists_do_not_tell_whether_somebody_unlisted_is_a_member() {
    let bay = Bay::new();
    let (unlisted, unknown) = (bay.unlisted.id(), Origin::new(9).id());
    let nobody = bay.harbour.nobody();
    let request = format!("/requests/{}/{}", bay.north.id(), bay.north.record(1));
    let record = bay.north.record(2);
    let addresses = [
        ("/communities?after=ID".to_owned(), StatusCode::NOT_FOUND),
        ("/communities?after=ID.A.".to_owned(), StatusCode::OK),
        (
            format!("{request}?after=ID.{record}"),
            StatusCode::NOT_FOUND,
        ),
        (format!("{request}?after=0.ID.{record}"), StatusCode::OK),
    ];
    for (address, status) in addresses {
        let of = |id: String| address.replace("ID", &id);
        let known = bay.harbour.get(&nobody, &of(unlisted.to_string())).await;
        let strange = bay.harbour.get(&nobody, &of(unknown.to_string())).await;
        assert_eq!(
            (known.status, strange.status),
            (status, status),
            "{address}"
        );
        let text = |body: &str, id: String| body.replace(&id, "ID");
        assert_eq!(
            text(&known.body, unlisted.to_string()),
            text(&strange.body, unknown.to_string()),
            "{address}"
        );
    }
}

#[tokio::test]
async fn a_page_says_where_search_and_counting_stopped() {
    let (harbour, mut north) = (Harbour::new(), Origin::new(1));
    harbour.register(&north, "North", true, 1);
    for first in (0..5_005).step_by(1_001) {
        let bodies: Vec<(u64, &str, String)> = (first..first + 1_001)
            .map(|n| (n, "request", request(&format!("number_{n}_"))))
            .collect();
        harbour.publish_bodies(&mut north, &bodies);
    }
    let nobody = harbour.nobody();
    let page = harbour.get(&nobody, "/requests?words=number_4_").await;
    assert!(page.body.contains("Nothing found so far."));
    assert!(page.body.contains("Search stopped after 5000 requests."));
    let path = next(&page.body).expect("more");
    let page = harbour.get(&nobody, &path).await;
    assert!(page.body.contains("<bdi>number_4_</bdi></a>"));
    assert!(!page.body.contains("Search stopped"));
    assert!(next(&page.body).is_none());
    let page = harbour.get(&nobody, "/communities").await;
    assert!(page.body.contains("1000+ requests"));
}
