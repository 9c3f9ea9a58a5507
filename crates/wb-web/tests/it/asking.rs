//! Requests of one's own: changing them, drafts, how far they go, taking back, and who has them.

use http::StatusCode;
use wb_core::id::RecordId;
use wb_core::scope::Scope;
use wb_core::want::Held;
use wb_node::command::draft::{DRAFTS_MAX, DraftPut, draft_put, draft_send};
use wb_store::Peer;

use super::site::{Browser, Elm};

fn path(elm: &Elm) -> String {
    format!("/requests/{}/{}", elm.node().own_id(), elm.request)
}

fn scope_path(elm: &Elm) -> String {
    format!("/records/{}/scope", elm.request)
}

fn scope(elm: &Elm) -> Scope {
    let record = elm.node().store().local(&elm.request).expect("it is read");
    record.expect("a record").scope
}

#[tokio::test]
async fn an_author_changes_the_words_and_what_was_shared_gets_a_revision() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    elm.post(&mira, &scope_path(&elm), &[("scope", "public")])
        .await;
    elm.publish();
    assert_eq!(elm.rev(&elm.request), 1);
    let edit = format!("{}/edit", path(&elm));
    let form = elm.get(&mira, &edit).await.body;
    assert!(form.contains("value=\"A ladder\""), "{form}");
    assert!(form.contains("This request is public"), "{form}");
    let words = [("title", "A long ladder"), ("description", "for a week")];
    for other in ["omar", "stella", "ada"] {
        let browser = elm.of(other);
        assert_eq!(elm.get(&browser, &edit).await.status, StatusCode::FORBIDDEN);
        let came = elm.post(&browser, &edit, &words).await;
        assert_eq!(came.status, StatusCode::FORBIDDEN, "{other}");
    }
    let empty = elm.post(&mira, &edit, &[("title", " ")]).await;
    assert!(empty.body.contains("role=\"alert\""), "{}", empty.body);
    let done = elm.post(&mira, &edit, &words).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert!(
        elm.get(&mira, &path(&elm))
            .await
            .body
            .contains("A long ladder")
    );
    elm.publish();
    assert_eq!(elm.rev(&elm.request), 2);
}

#[tokio::test]
async fn a_number_that_is_new_in_public_words_is_asked_about() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    let edit = format!("{}/edit", path(&elm));
    let words = [("title", "A ladder"), ("description", "call 0301234567")];
    // At home it may stand.
    let private = elm.post(&mira, &edit, &words).await;
    assert_eq!(private.status, StatusCode::SEE_OTHER);
    // Before it is made public, whatever form that comes from.
    let choice = format!("{}?scope=public", scope_path(&elm));
    assert!(elm.get(&mira, &choice).await.body.contains("phone number"));
    let public = [("scope", "public")];
    let asked = elm.post(&mira, &scope_path(&elm), &public).await;
    assert_eq!(asked.status, StatusCode::OK);
    assert!(asked.body.contains("phone number"), "{}", asked.body);
    assert_eq!(scope(&elm), Scope::Private);
    let sure = [("scope", "public"), ("sure", "yes")];
    elm.post(&mira, &scope_path(&elm), &sure).await;
    assert_eq!(scope(&elm), Scope::Public);
    // And when it comes into words that are public already.
    elm.post(&mira, &edit, &[("title", "A ladder"), ("description", "")])
        .await;
    let asked = elm.post(&mira, &edit, &words).await;
    assert!(asked.body.contains("phone number"), "{}", asked.body);
    assert!(
        !elm.get(&mira, &path(&elm))
            .await
            .body
            .contains("0301234567")
    );
}

/// The addresses of a member's drafts.
async fn drafts(elm: &Elm, browser: &Browser) -> Vec<String> {
    let page = elm.get(browser, "/drafts").await.body;
    let links = page.split("href=\"/drafts/").skip(1);
    links
        .map(|rest| format!("/drafts/{}", &rest[..36]))
        .collect()
}

#[tokio::test]
async fn a_draft_is_kept_gone_on_with_and_sent() {
    let elm = Elm::found();
    let (mira, omar) = (elm.of("mira"), elm.of("omar"));
    let begun = [("title", "A drill"), ("draft", "yes"), ("scope", "public")];
    let kept = elm.post(&mira, "/requests/new", &begun).await;
    assert_eq!(kept.location.as_deref(), Some("/drafts"));
    let draft = drafts(&elm, &mira).await.remove(0);
    assert!(drafts(&elm, &omar).await.is_empty());
    assert!(
        !elm.get(&omar, "/requests?show=all")
            .await
            .body
            .contains("A drill")
    );
    elm.publish();
    // It is nobody else's, whatever they send.
    for act in ["", "/delete"] {
        let came = elm
            .post(&omar, &format!("{draft}{act}"), &[("title", "Mine")])
            .await;
        assert_eq!(came.status, StatusCode::NOT_FOUND, "{act}");
    }
    assert_eq!(elm.get(&omar, &draft).await.status, StatusCode::NOT_FOUND);
    // Sending asks about the number first, and loses nothing.
    let send = [
        ("title", "A drill"),
        ("description", "mira@example.org"),
        ("scope", "public"),
        ("send", "yes"),
    ];
    let asked = elm.post(&mira, &draft, &send).await;
    assert!(asked.body.contains("The draft is kept"), "{}", asked.body);
    assert!(
        elm.get(&mira, &draft)
            .await
            .body
            .contains("mira@example.org")
    );
    let mut sure = send.to_vec();
    sure.push(("sure", "yes"));
    let sent = elm.post(&mira, &draft, &sure).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    // The request has the id of the draft.
    let id = draft.trim_start_matches("/drafts/");
    assert!(sent.location.expect("its page").ends_with(id));
    assert!(drafts(&elm, &mira).await.is_empty());
    assert!(elm.get(&omar, "/requests").await.body.contains("A drill"));
}

#[tokio::test]
async fn a_draft_is_deleted_and_no_more_than_a_hundred_are_kept() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    let begun = [("title", "A drill"), ("draft", "yes")];
    for _ in 0..DRAFTS_MAX {
        elm.post(&mira, "/requests/new", &begun).await;
    }
    let full = elm.post(&mira, "/requests/new", &begun).await;
    assert!(
        full.body.contains("send or delete one first"),
        "{}",
        full.body
    );
    let all = drafts(&elm, &mira).await;
    assert_eq!(all.len(), DRAFTS_MAX);
    elm.post(&mira, &format!("{}/delete", all[0]), &[]).await;
    assert_eq!(drafts(&elm, &mira).await.len(), DRAFTS_MAX - 1);
}

#[tokio::test]
async fn what_would_come_of_it_is_said_before_and_looking_changes_nothing() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    let to = |scope: &str| format!("{}?scope={scope}", scope_path(&elm));
    let share = elm.get(&mira, &to("public")).await.body;
    assert!(
        share.contains("With the next sync it goes to every community that follows Elm Street"),
        "{share}"
    );
    assert!(share.contains("It carries no name"), "{share}");
    assert!(share.contains("it never left"), "{share}");
    assert_eq!(scope(&elm), Scope::Private);
    elm.post(&mira, &scope_path(&elm), &[("scope", "public")])
        .await;
    elm.publish();
    let answer = [("body", "I have one"), ("scope", "public")];
    elm.post(&elm.of("omar"), &format!("{}/comment", path(&elm)), &answer)
        .await;
    let back = elm.get(&mira, &to("private")).await.body;
    assert!(back.contains("it is taken back"), "{back}");
    assert!(back.contains("with the one answer from here"), "{back}");
    assert!(
        back.contains("Sealed in the public feed of Elm Street as number"),
        "{back}"
    );
    assert!(back.contains("There is no hub"), "{back}");
    assert_eq!(scope(&elm), Scope::Public);
    elm.post(&mira, &scope_path(&elm), &[("scope", "private")])
        .await;
    elm.publish();
    let after = elm.get(&mira, &scope_path(&elm)).await.body;
    assert!(after.contains("Taken back from the public feed"), "{after}");
    assert!(
        after.contains("It left once, and was taken back"),
        "{after}"
    );
}

#[tokio::test]
async fn a_steward_keeps_a_record_here_and_its_author_cannot_lift_that() {
    let elm = Elm::found();
    let (mira, stella, omar) = (elm.of("mira"), elm.of("stella"), elm.of("omar"));
    elm.post(&mira, &scope_path(&elm), &[("scope", "public")])
        .await;
    let foreign = elm.get(&omar, &scope_path(&elm)).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    elm.post(&stella, &scope_path(&elm), &[("scope", "private")])
        .await;
    let page = elm.get(&mira, &scope_path(&elm)).await.body;
    assert!(page.contains("A steward keeps this here"), "{page}");
    elm.post(&mira, &scope_path(&elm), &[("scope", "public")])
        .await;
    elm.publish();
    assert_eq!(elm.rev(&elm.request), 0);
    // What its author chose stays the limit for stewards.
    elm.post(&mira, &scope_path(&elm), &[("scope", "private")])
        .await;
    elm.post(&stella, &scope_path(&elm), &[("scope", "public")])
        .await;
    elm.publish();
    assert_eq!(elm.rev(&elm.request), 0);
}

#[tokio::test]
async fn an_answer_is_taken_back_by_who_wrote_it_and_else_only_kept_here_by_stewards() {
    let elm = Elm::found();
    let (mira, omar) = (elm.of("mira"), elm.of("omar"));
    elm.post(&mira, &scope_path(&elm), &[("scope", "public")])
        .await;
    let answer = [("body", "I have one"), ("scope", "public")];
    let sent = elm
        .post(&omar, &format!("{}/comment", path(&elm)), &answer)
        .await;
    let location = sent.location.expect("its place");
    let id = location.split('#').nth(1).expect("its id").to_owned();
    let record = id.parse().expect("an id");
    let link = format!("/records/{id}/scope");
    elm.publish();
    assert_eq!(elm.rev(&record), 1);
    assert!(elm.get(&omar, &path(&elm)).await.body.contains(&link));
    assert!(!elm.get(&mira, &path(&elm)).await.body.contains(&link));
    let foreign = elm.post(&mira, &link, &[("scope", "private")]).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    let back = elm.post(&omar, &link, &[("scope", "private")]).await;
    assert_eq!(back.location, Some(path(&elm)));
    elm.publish();
    let sealed = elm.node().store().sealed(&record).expect("it is read");
    assert!(sealed.is_empty(), "{sealed:?}");
}

#[tokio::test]
async fn an_author_erases_and_its_text_is_gone_from_the_files_and_the_pages() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    elm.post(&mira, &scope_path(&elm), &[("scope", "public")])
        .await;
    elm.publish();
    let asked = elm
        .get(&mira, &format!("{}?scope=private", scope_path(&elm)))
        .await
        .body;
    for words in ["Nobody can promise", "value=\"erase\"", "value=\"mistake\""] {
        assert!(asked.contains(words), "{words}: {asked}");
    }
    // A steward keeps home, and is not asked why.
    let stella = elm.of("stella");
    let asked = elm
        .get(&stella, &format!("{}?scope=private", scope_path(&elm)))
        .await
        .body;
    assert!(!asked.contains("value=\"erase\""), "{asked}");
    let erase = [("scope", "private"), ("reason", "erase")];
    let refused = elm.post(&stella, &scope_path(&elm), &erase).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let wrong = [("scope", "private"), ("reason", "whim")];
    assert!(
        !elm.post(&mira, &scope_path(&elm), &wrong)
            .await
            .status
            .is_redirection()
    );

    let done = elm.post(&mira, &scope_path(&elm), &erase).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    let local = elm.node().store().local(&elm.request).expect("it is read");
    assert_eq!(local.expect("its mark stays").body, "{}");
    elm.publish();
    let list = elm.get(&mira, "/requests").await.body;
    assert!(!list.contains("A ladder"), "{list}");
    let page = elm.get(&mira, &done.location.expect("a page")).await.body;
    assert!(page.contains("Taken back from the public feed"), "{page}");
}

#[tokio::test]
async fn who_has_it_says_what_a_hub_confirmed_and_nothing_more() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    let head = || -> Held {
        let node = elm.node();
        let feeds = node.store().served().feeds().expect("feeds");
        feeds[0].held.clone()
    };
    elm.publish();
    let before = head();
    elm.post(&mira, &scope_path(&elm), &[("scope", "public")])
        .await;
    elm.publish();
    let page = elm.get(&mira, &path(&elm)).await.body;
    assert!(page.contains("Who has this"), "{page}");
    let node = elm.node();
    let hub = |acked: Vec<Held>| Peer {
        id: node.own_id(),
        role: wb_core::sync::Role::Hub,
        address: "https://hub.test".to_owned(),
        lan: false,
        name: "Town hub".to_owned(),
        follows: wb_core::sync::FollowList::default(),
        cursor: None,
        heads_at: None,
        acked,
        paused: false,
        registered: None,
        counter: 0,
        state: String::new(),
        first_seen: node.now(),
        last_ok: Some(node.now()),
    };
    for (acked, words) in [
        (vec![], "has not confirmed it yet"),
        (vec![before], "has not confirmed it yet"),
        (vec![head()], "has confirmed that it holds it"),
    ] {
        let mut store = elm.store();
        let write = store.write().expect("a transaction");
        write.put_peer(&hub(acked)).expect("a hub");
        write.commit().expect("a commit");
        let page = elm.get(&mira, &path(&elm)).await.body;
        assert!(page.contains("Town hub"), "{page}");
        assert!(page.contains(words), "{page}");
    }
}

#[tokio::test]
async fn requests_are_listed_by_the_community_they_are_of() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    let page = elm.get(&mira, "/requests").await.body;
    assert!(!page.contains("Of which community"), "{page}");
    let tent = elm.neighbour();
    let page = elm.get(&mira, "/requests").await.body;
    for tab in ["Everywhere (2)", "Elm Street (1)", "Oak Square (1)"] {
        assert!(page.contains(tab), "{tab}: {page}");
    }
    let of = format!("/requests?show=open&home={}", tent.origin);
    let theirs = elm.get(&mira, &of).await.body;
    assert!(theirs.contains("A tent") && !theirs.contains("A ladder"));
    assert!(theirs.contains("Elm Street (1)"), "{theirs}");
    let own = elm.node().own_id();
    let of = format!("/requests?show=open&home={own}");
    let ours = elm.get(&mira, &of).await.body;
    assert!(ours.contains("A ladder") && !ours.contains("A tent"));
    let nowhere = elm.get(&mira, "/requests?home=%3Cb%3E").await;
    assert_eq!(nowhere.status, StatusCode::OK);
    assert!(!nowhere.body.contains("<b>"));
    // Another community's request has no way to change how far it goes.
    let shown = elm
        .get(&mira, &format!("/requests/{}/{}", tent.origin, tent.id))
        .await
        .body;
    assert!(!shown.contains("/scope\""), "{shown}");
}

/// A steward lifts what keeps a request here without seeing its words: so they are asked about before.
#[tokio::test]
async fn a_number_in_words_that_a_steward_keeps_here_is_asked_about_too() {
    let elm = Elm::found();
    let (mira, stella) = (elm.of("mira"), elm.of("stella"));
    let edit = format!("{}/edit", path(&elm));
    let first = [
        ("title", "A ladder"),
        ("description", "call 0301234567\nor come"),
    ];
    elm.post(&mira, &edit, &first).await;
    let sure = [("scope", "public"), ("sure", "yes")];
    elm.post(&mira, &scope_path(&elm), &sure).await;
    elm.post(&stella, &format!("/shared/{}/narrow", elm.request), &[])
        .await;
    let same = [
        ("title", "A ladder"),
        ("description", "call 0301234567\nor come by"),
    ];
    let kept = elm.post(&mira, &edit, &same).await;
    assert_eq!(
        kept.status,
        StatusCode::SEE_OTHER,
        "that number was asked about"
    );
    let other = [("title", "A ladder"), ("description", "call 0307654321")];
    let asked = elm.post(&mira, &edit, &other).await;
    assert!(asked.body.contains("phone number"), "{}", asked.body);
}

/// The request was written, and the program ended before the draft was gone.
#[tokio::test]
async fn a_draft_that_is_sent_a_second_time_goes_as_it_is_now() {
    let elm = Elm::found();
    let mut node = elm.node();
    let mira = node.actor(Some("mira")).expect("mira");
    let put = |draft: Option<&RecordId>, title: &str, scope| {
        let input = DraftPut {
            title,
            description: "x",
            scope,
        };
        draft_put(&node, &mira, draft, &input).expect("it is kept")
    };
    let id = put(None, "For everybody", Scope::Public);
    let drafts = node.store().private().drafts().expect("drafts");
    draft_send(&mut node, &mira, &id).expect("it is sent");
    let draft = drafts.into_iter().find(|draft| draft.id == id);
    let draft = draft.expect("the draft");
    node.store()
        .private()
        .put_draft(&draft)
        .expect("as if it were there still");
    let put = |title: &str, scope| {
        let input = DraftPut {
            title,
            description: "x",
            scope,
        };
        draft_put(&node, &mira, Some(&id), &input).expect("it is kept")
    };
    put("For us", Scope::Private);
    draft_send(&mut node, &mira, &id).expect("it is sent");
    let record = node
        .store()
        .local(&id)
        .expect("it is read")
        .expect("a request");
    assert_eq!(record.scope, Scope::Private);
    assert!(record.body.contains("For us"), "{}", record.body);
    assert!(node.store().private().drafts().expect("drafts").is_empty());
}

#[tokio::test]
async fn a_list_of_very_many_is_walked_along_and_shows_each_once() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    let file = rusqlite::Connection::open(elm.home.dir().join("wb.db")).expect("a file");
    for n in 0..620 {
        let copied = file.execute(
            "INSERT INTO records (instance_no, id, kind, scope, rev, author, at, created_at, body)
             SELECT instance_no, unhex(?1), kind, scope, rev, author, at, ?2, json_set(body, '$.title', ?3) FROM records
             WHERE kind = 'request' AND cause IS NULL LIMIT 1",
            (
                format!("019adf00000070008000{n:012x}"),
                1_600_000_000_000_i64 + n,
                format!("Number {n:04}"),
            ),
        );
        assert_eq!(copied.expect("a row"), 1);
    }
    drop(file);
    let (mut address, mut seen, mut pages) = ("/requests?show=all".to_owned(), Vec::new(), 0);
    loop {
        let page = elm.get(&mira, &address).await.body;
        seen.extend(
            page.match_indices("Number ")
                .map(|(at, _)| page[at..at + 11].to_owned()),
        );
        pages += 1;
        assert!(!page.contains("in all"), "they are not counted");
        let Some(older) = page
            .split("rel=\"next\"")
            .next()
            .filter(|before| before.len() < page.len())
        else {
            break;
        };
        let link = older.rsplit("href=\"").next().expect("a link");
        let link = link.split('"').next().expect("a link");
        address = link.replace("&#38;", "&").replace("&amp;", "&");
    }
    assert_eq!(pages, 13);
    let all: Vec<String> = (0..620).rev().map(|n| format!("Number {n:04}")).collect();
    assert_eq!(seen, all);
    let page = elm.get(&mira, &address).await.body;
    assert!(page.contains(">Newest</a>"), "{page}");
    let found = elm
        .get(&mira, "/requests?show=all&words=number+0007")
        .await
        .body;
    assert!(found.contains("Number 0007") && !found.contains("Number 0008"));
}
