//! Pages of what a member may ask for: everything about them, that it goes, and being asked before words go further.

use http::StatusCode;
use wb_core::scope::Scope;
use wb_node::command::record_share::record_unshare;
use wb_node::command::retire::{retire, retire_undo};
use wb_node::command::share_all::share_all;
use wb_node::command::user_add::{UserAdd, user_add};
use wb_store::BackupRow;

use super::site::Elm;

#[tokio::test]
async fn a_member_takes_all_of_their_data_along_by_page() {
    let elm = Elm::found();
    let mira = elm.of("mira");
    let page = elm.get(&mira, "/settings/data").await;
    assert_eq!(page.status, StatusCode::OK);
    for (path, name, start) in [
        ("/settings/data/page", "data.html", "<!doctype html>"),
        ("/settings/data/json", "data.json", "{"),
    ] {
        let came = elm.post(&mira, path, &[]).await;
        assert_eq!(came.status, StatusCode::OK);
        let kept = came.header("content-disposition").expect("it is kept");
        assert!(
            kept.starts_with("attachment") && kept.contains(name),
            "{kept}"
        );
        assert!(came.body.starts_with(start), "{}", came.body);
        assert!(came.body.contains("A ladder"), "{}", came.body);
        assert!(!came.body.contains(&mira.session_name()), "{}", came.body);
        // A link from elsewhere gives nobody anything.
        assert_ne!(elm.get(&mira, path).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn who_types_their_name_is_erased_and_out_and_the_thread_stays() {
    let elm = Elm::found();
    let (mira, omar) = (elm.of("mira"), elm.of("omar"));
    let second = elm.of("mira");
    let node = elm.node();
    let request = format!("/requests/{}/{}", node.own_id(), elm.request);
    let answer = [("body", "I have one"), ("scope", "private")];
    elm.post(&omar, &format!("{request}/comment"), &answer)
        .await;
    let wrong = elm
        .post(&mira, "/settings/data/erase", &[("handle", "omar")])
        .await;
    assert!(wrong.body.contains("Nothing was erased"), "{}", wrong.body);
    let done = elm
        .post(&mira, "/settings/data/erase", &[("handle", "mira")])
        .await;
    assert_eq!(done.location.as_deref(), Some("/"));
    for browser in [&mira, &second] {
        let out = elm.get(browser, "/settings").await;
        assert_eq!(out.status, StatusCode::UNAUTHORIZED);
    }
    let thread = elm.get(&omar, &request).await.body;
    assert!(
        thread.contains("I have one") && thread.contains("a former member"),
        "{thread}"
    );
    assert!(
        !thread.contains("A ladder") && !thread.contains("mira"),
        "{thread}"
    );
    assert!(!thread.contains("Send the answer"), "{thread}");
    let all = elm.get(&omar, "/requests?show=all").await.body;
    assert!(all.contains("A request that was erased"), "{all}");
    let open = elm.get(&omar, "/requests").await.body;
    assert!(!open.contains("A request that was erased"), "{open}");
    let members = elm.get(&omar, "/members").await.body;
    assert!(!members.contains(">mira<"), "{members}");
    let log = elm.get(&elm.of("ada"), "/audit").await.body;
    assert!(!log.contains("mira"), "{log}");
    // The last admin is told why not.
    let ada = elm
        .post(&elm.of("ada"), "/settings/data/erase", &[("handle", "ada")])
        .await;
    assert!(ada.body.contains("last admin"), "{}", ada.body);
}

/// The command named older copies, and the page, which said that they are named, forgot them.
#[tokio::test]
async fn who_erases_by_page_is_told_of_the_older_copies() {
    let elm = Elm::found();
    let node = elm.node();
    let file = node.store().home().dir().with_file_name("before.wbk");
    std::fs::write(&file, "a backup").expect("it is written");
    let row = BackupRow {
        at: node.now(),
        path: file.display().to_string(),
        scheduled: true,
        bytes: 8,
        sha256: None,
        problem: None,
    };
    node.store()
        .private()
        .put_backup(&row)
        .expect("it is noted");
    let omar = elm.of("omar");
    let fields = [("handle", "omar")];
    let told = elm.post(&omar, "/settings/data/erase", &fields).await;
    assert_eq!(told.status, StatusCode::OK);
    assert!(told.body.contains("before.wbk"), "{}", told.body);
    // Where on this computer they lie is for admins, and whoever is erased is out.
    assert!(!told.body.contains(&row.path), "{}", told.body);
    assert!(!told.body.contains("Log out"), "{}", told.body);
    let user = node.actor(Some("mira")).expect("mira").user;
    let erase = format!("/accounts/{user}/erase");
    let told = elm
        .post(&elm.of("ada"), &erase, &[("handle", "mira")])
        .await;
    assert!(told.body.contains(&row.path), "{}", told.body);
    assert!(told.body.contains("Log out"), "{}", told.body);
}

#[tokio::test]
async fn the_name_of_who_was_erased_is_nobodys_to_take_and_an_admin_may_give_it() {
    let elm = Elm::found();
    let omar = elm.of("omar");
    elm.post(&omar, "/settings/data/erase", &[("handle", "omar")])
        .await;
    let mut node = elm.node();
    let ada = node.actor(None).expect("the founder");
    let invite = wb_node::command::invite_create::InviteCreate::default();
    let (_, token) = wb_node::command::invite_create::invite_create(&mut node, &ada, &invite)
        .expect("an invite");
    let path = format!("/invite/{token}");
    let fields = [
        ("handle", "Omar"),
        ("default_scope", "private"),
        ("scope", "private"),
    ];
    let taken = elm.post(&elm.stranger(), &path, &fields).await;
    assert!(taken.body.contains("taken"), "{}", taken.body);
    let user = UserAdd {
        handle: "omar",
        display_name: None,
        bio: None,
        role: wb_store::Role::Member,
        email: None,
    };
    user_add(&mut node, &ada, &user).expect("an admin gives it");
}

#[tokio::test]
async fn an_admin_gives_somebody_their_data_and_erases_them_and_nobody_else_does() {
    let elm = Elm::found();
    let (node, ada) = (elm.node(), elm.of("ada"));
    let user = node.actor(Some("mira")).expect("mira").user;
    let base = format!("/accounts/{user}");
    let accounts = elm.get(&ada, "/accounts").await.body;
    assert!(accounts.contains(&base), "{accounts}");
    for handle in ["mira", "omar", "stella"] {
        let browser = elm.of(handle);
        assert_eq!(elm.get(&browser, &base).await.status, StatusCode::FORBIDDEN);
        for act in ["page", "json", "erase"] {
            let came = elm
                .post(&browser, &format!("{base}/{act}"), &[("handle", "mira")])
                .await;
            assert_eq!(came.status, StatusCode::FORBIDDEN, "{handle} {act}");
        }
    }
    let came = elm.post(&ada, &format!("{base}/json"), &[]).await;
    assert!(came.body.contains("A ladder"), "{}", came.body);
    let log = elm.get(&elm.of("mira"), "/audit").await.body;
    assert!(
        log.contains("took along what is held about a member"),
        "{log}"
    );
    elm.post(&ada, &format!("{base}/erase"), &[("handle", "mir")])
        .await;
    assert!(node.store().private().account("mira").unwrap().is_some());
    let done = elm
        .post(&ada, &format!("{base}/erase"), &[("handle", "mira")])
        .await;
    assert_eq!(done.location.as_deref(), Some("/accounts"));
    assert!(node.store().private().account("mira").unwrap().is_none());
    assert_eq!(elm.get(&ada, &base).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_author_is_asked_on_every_page_and_answers_there() {
    let elm = Elm::found();
    let (node, mira) = (elm.node(), elm.of("mira"));
    let stella = node.actor(Some("stella")).expect("a steward");
    let kind = "request".parse().expect("a kind");
    let done = share_all(&node, &stella, &kind, Scope::Public).expect("it is asked");
    assert_eq!((done.changed, done.asked), (0, 1));
    let scope = || {
        node.store()
            .local(&elm.request)
            .unwrap()
            .expect("a request")
            .scope
    };
    assert_eq!(scope(), Scope::Private);
    let page = elm.get(&mira, "/requests").await.body;
    assert!(page.contains("You are asked to let"), "{page}");
    assert!(
        !elm.get(&elm.of("omar"), "/requests")
            .await
            .body
            .contains("You are asked to let")
    );
    let agree = elm.get(&mira, "/agree").await.body;
    assert!(agree.contains("A ladder"), "{agree}");
    let record = elm.request.to_string();
    // Nobody answers for somebody else.
    let fields = [("record", record.as_str()), ("answer", "agree")];
    let other = elm.post(&elm.of("omar"), "/agree", &fields).await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
    assert_eq!(scope(), Scope::Private);
    let agreed = elm.post(&mira, "/agree", &fields).await;
    assert_eq!(agreed.status, StatusCode::SEE_OTHER);
    assert_eq!(scope(), Scope::Public);
    assert!(
        !elm.get(&mira, "/requests")
            .await
            .body
            .contains("You are asked to let")
    );
    let log = elm.get(&mira, "/audit").await.body;
    assert!(log.contains("asked to let records go further"), "{log}");
}

#[tokio::test]
async fn members_are_told_that_their_community_closes_and_what_a_steward_did_with_their_words() {
    let elm = Elm::found();
    let (node, omar) = (elm.node(), elm.of("omar"));
    let ada = node.actor(None).expect("the founder");
    retire(&node, &ada, 7).expect("it is announced");
    let page = elm.get(&omar, "/requests").await.body;
    assert!(page.contains("This community closes"), "{page}");
    retire_undo(&node, &ada).expect("there is time");
    assert!(
        !elm.get(&omar, "/requests")
            .await
            .body
            .contains("This community closes")
    );
    retire(&node, &ada, 0).expect("it is announced");
    elm.publish();
    let page = elm.get(&omar, "/requests").await.body;
    assert!(page.contains("This community was closed"), "{page}");
    let stella = node.actor(Some("stella")).expect("a steward");
    let key = wb_core::id::RecordRef {
        origin: node.own_id(),
        id: elm.request,
    };
    record_unshare(&node, &stella, &key).expect("a steward narrows");
    let log = elm.get(&elm.of("mira"), "/audit").await.body;
    assert!(log.contains("kept a record here"), "{log}");
}
