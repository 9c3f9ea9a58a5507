//! What stewards and admins see and do: the inbox, accounts, what is shared, and what was done.

use http::StatusCode;
use wb_core::id::RecordRef;
use wb_core::scope::Scope;
use wb_node::command::record_share::record_share;
use wb_node::query::shared::shared;
use wb_store::{AUDIT_ROWS_PER_ACTOR_MAX, AuditRow, Road, RunCounts, RunEnd, RunStart};

use super::origin::now;
use super::site::{Browser, Came, Elm};

fn key(elm: &Elm) -> RecordRef {
    RecordRef {
        origin: elm.node().own_id(),
        id: elm.request,
    }
}

/// Marks the request of mira to leave, as she would.
fn share(elm: &Elm) {
    let node = elm.node();
    let mira = node.actor(Some("mira")).expect("mira");
    record_share(&node, &mira, &key(elm), Scope::Public, None).expect("it is marked");
}

fn standing(elm: &Elm) -> Option<&'static str> {
    let rows = shared(&elm.node()).expect("it is read");
    let row = rows.iter().find(|row| row.id == elm.request)?;
    Some(row.standing())
}

fn code(came: &Came) -> String {
    let (_, rest) = came.body.split_once("class=\"code\">").expect("a code");
    rest.split('<').next().expect("a code").to_owned()
}

async fn waiting(elm: &Elm, handle: &str) -> (Browser, String) {
    let asked = elm
        .post(&elm.stranger(), "/login", &[("handle", handle)])
        .await;
    let browser = elm.holding(&asked);
    let code = code(&elm.get(&browser, "/waiting").await);
    (browser, code)
}

#[tokio::test]
async fn what_leaves_is_listed_searched_and_kept_here_by_a_steward_and_left_to_its_author_again() {
    let elm = Elm::found();
    let stella = elm.of("stella");
    assert!(standing(&elm).is_none());
    let empty = elm.get(&stella, "/shared?words=ladder").await;
    assert!(
        empty.body.contains("Nothing is shared here that fits"),
        "{}",
        empty.body
    );
    share(&elm);
    let listed = elm
        .get(&stella, "/shared?words=LADDER&author=mira&kind=request")
        .await;
    assert!(listed.body.contains("A ladder"), "{}", listed.body);
    assert!(listed.body.contains("leaves with the next publish"));
    for other in ["words=piano", "author=omar", "kind=comment"] {
        let came = elm.get(&stella, &format!("/shared?{other}")).await;
        assert!(!came.body.contains("A ladder"), "{other}");
    }
    let path = format!("/shared/{}/narrow", elm.request);
    let kept = elm.post(&stella, &path, &[]).await;
    assert_eq!(kept.status, StatusCode::SEE_OTHER);
    assert_eq!(standing(&elm), Some("stays here"));
    let shown = elm.get(&stella, "/shared").await;
    assert!(
        shown.body.contains("as a steward decided"),
        "{}",
        shown.body
    );
    // What its author does meanwhile does not lift it.
    share(&elm);
    assert_eq!(standing(&elm), Some("stays here"));
    elm.post(&stella, &path, &[("lift", "yes")]).await;
    assert_eq!(standing(&elm), Some("leaves with the next publish"));
}

#[tokio::test]
async fn a_browser_is_let_in_and_ended_under_accounts_by_who_may() {
    let elm = Elm::found();
    let (stella, ada) = (elm.of("stella"), elm.of("ada"));
    let (mira, right) = waiting(&elm, "mira").await;
    let page = elm.get(&stella, "/accounts").await;
    assert!(page.body.contains("Waits to be let in"), "{}", page.body);
    let wrong = [("handle", "mira"), ("code", "AAAAAA")];
    let refused = elm.post(&stella, "/accounts/approve", &wrong).await;
    assert!(
        refused.body.contains("no browser with that code"),
        "{}",
        refused.body
    );
    let fields = [("handle", "mira"), ("code", right.as_str())];
    let let_in = elm.post(&stella, "/accounts/approve", &fields).await;
    assert!(let_in.body.contains("Let in"), "{}", let_in.body);
    let mira = elm.holding(&elm.get(&mira, "/waiting").await);
    let ended = [("session", mira.session_name())];
    let ended = [(ended[0].0, ended[0].1.as_str())];
    elm.post(&stella, "/accounts/end", &ended).await;
    let out = elm.get(&mira, "/requests").await;
    assert_eq!(out.status, StatusCode::UNAUTHORIZED);

    // An admin's browsers are in the care of admins.
    let (_, right) = waiting(&elm, "ada").await;
    let fields = [("handle", "ada"), ("code", right.as_str())];
    let refused = elm.post(&stella, "/accounts/approve", &fields).await;
    assert!(refused.body.contains("needs an admin"), "{}", refused.body);
    let name = ada.session_name();
    let refused = elm
        .post(&stella, "/accounts/end", &[("session", &name)])
        .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(elm.get(&ada, "/requests").await.status, StatusCode::OK);
    let let_in = elm.post(&ada, "/accounts/approve", &fields).await;
    assert!(let_in.body.contains("Let in"), "{}", let_in.body);
}

#[tokio::test]
async fn what_was_done_is_told_whole_to_admins_and_to_members_as_far_as_it_concerns_them() {
    let elm = Elm::found();
    let (stella, ada, mira, omar) = (
        elm.of("stella"),
        elm.of("ada"),
        elm.of("mira"),
        elm.of("omar"),
    );
    let (_, right) = waiting(&elm, "mira").await;
    let fields = [("handle", "mira"), ("code", right.as_str())];
    elm.post(&stella, "/accounts/approve", &fields).await;
    let path = format!("/shared/{}/narrow", elm.request);
    elm.post(&stella, &path, &[]).await;
    let whole = elm.get(&ada, "/audit").await.body;
    for says in [
        "let a browser in",
        "kept a record here",
        "logged in",
        "Everything that was done",
    ] {
        assert!(whole.contains(says), "{says}: {whole}");
    }
    let hers = elm.get(&mira, "/audit").await.body;
    assert!(hers.contains("let a browser in"), "{hers}");
    assert!(hers.contains("kept a record here"), "it is hers: {hers}");
    let his = elm.get(&omar, "/audit").await.body;
    assert!(!his.contains("let a browser in"), "{his}");
    assert!(!his.contains("kept a record here"), "{his}");
}

#[tokio::test]
async fn the_log_goes_on_by_page() {
    let elm = Elm::found();
    for _ in 0..110 {
        elm.of("omar");
    }
    let ada = elm.of("ada");
    let first = elm.get(&ada, "/audit").await.body;
    let (_, rest) = first
        .split_once("href=\"/audit?before=")
        .expect("older ones");
    let number = rest.split('"').next().expect("a number");
    let second = elm.get(&ada, &format!("/audit?before={number}")).await.body;
    assert!(second.contains("added a member"), "{second}");
    assert!(!second.contains("href=\"/audit?before="));
}

#[tokio::test]
async fn everything_set_aside_is_named_with_what_is_safe_and_the_next_action() {
    let elm = Elm::found();
    let main = elm.store().home().main();
    let copy = main.with_extension("copy");
    std::fs::copy(&main, &copy).expect("a copy");
    share(&elm);
    elm.publish();
    // Somebody puts the copy back by hand, and this node would publish a second history.
    for ending in ["db-wal", "db-shm"] {
        // Whoever closed the files last may have tidied them away.
        let _ = std::fs::remove_file(main.with_extension(ending));
    }
    std::fs::rename(&copy, &main).expect("it is put back");
    let stella = elm.of("stella");
    let list = elm.get(&stella, "/inbox").await;
    for says in [
        "What happened",
        "What is safe",
        "Next",
        "is older than what",
    ] {
        assert!(list.body.contains(says), "{says}: {}", list.body);
    }
    let (_, rest) = list.body.split_once("href=\"/inbox/").expect("an item");
    let key = rest.split('"').next().expect("a key");
    let item = elm.get(&stella, &format!("/inbox/{key}")).await;
    assert!(item.body.contains("is older than what"), "{}", item.body);
    // It is no news that could be put away.
    assert!(!list.body.contains("/dismiss"), "{}", list.body);
    let kept = elm
        .post(&stella, &format!("/inbox/{key}/dismiss"), &[])
        .await;
    assert_eq!(kept.status, StatusCode::CONFLICT);
    assert!(
        kept.body.contains("stays until it is over"),
        "{}",
        kept.body
    );
    let again = elm.get(&stella, "/inbox").await;
    assert!(again.body.contains("is older than what"), "{}", again.body);
    let nothing = elm.get(&stella, "/inbox/ffffffff").await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_empty_inbox_says_so() {
    let elm = Elm::found();
    let page = elm.get(&elm.of("stella"), "/inbox").await;
    assert!(page.body.contains("nothing waits for you"), "{}", page.body);
}

#[tokio::test]
async fn a_steward_does_not_lift_what_another_keeps_here_of_their_own_and_it_is_not_widened() {
    let elm = Elm::found();
    let (stella, admin) = (elm.of("stella"), elm.of("ada"));
    let fields = [("title", "Chairs"), ("scope", "public")];
    elm.post(&stella, "/requests/new", &fields).await;
    let row = |elm: &Elm| {
        let rows = shared(&elm.node()).expect("it is read");
        rows.into_iter().find(|row| row.headline == "Chairs")
    };
    let id = row(&elm).expect("it is shared").id;
    let narrow = format!("/shared/{id}/narrow");
    elm.post(&admin, &narrow, &[]).await;
    let local = |elm: &Elm| {
        let record = elm.node().store().local(&id).expect("it is read");
        record.map(|record| (record.scope, record.ceiling))
    };
    assert_eq!(local(&elm), Some((Scope::Public, Scope::Private)));
    let page = elm.get(&stella, "/shared").await;
    assert!(
        !page.body.contains("Leave it to its author again"),
        "no button for it"
    );
    let refused = elm.post(&stella, &narrow, &[("lift", "yes")]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(local(&elm), Some((Scope::Public, Scope::Private)));
    elm.post(&admin, &narrow, &[("lift", "yes")]).await;
    assert_eq!(local(&elm), Some((Scope::Public, Scope::Public)));
}

/// Twenty thousand lines of one member leave the line of another.
#[tokio::test]
async fn nobody_washes_away_what_others_did() {
    let elm = Elm::found();
    let node = elm.node();
    let private = node.store().private();
    let by = |handle: &str| {
        let account = private.account(handle).expect("it is read");
        Some(account.expect("an account").user)
    };
    let line = |actor, act: &str| AuditRow {
        at: node.now(),
        actor,
        act: act.to_owned(),
        target: String::new(),
        detail: String::new(),
    };
    private.audit(&line(by("stella"), "first")).expect("noted");
    let mira = by("mira");
    let many = private.together(|private| {
        for _ in 0..=AUDIT_ROWS_PER_ACTOR_MAX {
            private.audit(&line(mira, "many"))?;
        }
        Ok::<_, wb_store::StoreError>(())
    });
    many.expect("noted");
    let rows = private.audit_rows(None, None, 50_000).expect("it is read");
    let count = |act: &str| {
        let found = rows.iter().filter(|(_, row)| row.act == act).count();
        i64::try_from(found).expect("not that many")
    };
    assert_eq!(
        (count("first"), count("many")),
        (1, AUDIT_ROWS_PER_ACTOR_MAX)
    );
}

/// Notes exchanges that failed; gives the number of the last.
fn fail(elm: &Elm, times: usize) -> i64 {
    let mut store = elm.store();
    let write = store.write().expect("a transaction");
    let mut last = 0;
    for _ in 0..times {
        let start = RunStart {
            peer: None,
            road: Road::Bundle,
            detail: "oak.wbb",
            at: now(),
        };
        last = write.start_run(&start).expect("a run");
        let end = RunEnd {
            at: now(),
            outcome: "failed",
            cause: Some("unreachable"),
            counts: RunCounts::default(),
        };
        write.end_run(last, &end).expect("a run");
    }
    write.commit().expect("a commit");
    last
}

/// The exchanges that a page lists, in order.
fn listed(page: &str) -> Vec<i64> {
    let parts = page
        .split("<td data-label=\"When\"><a href=\"/sync/runs/")
        .skip(1);
    let mut numbers: Vec<i64> = parts
        .filter_map(|part| part.split('"').next()?.parse().ok())
        .collect();
    numbers.dedup();
    numbers
}

fn older(page: &str) -> Option<String> {
    let (_, rest) = page.split_once("href=\"/sync/runs?before=")?;
    let number = rest.split('"').next()?;
    Some(format!("/sync/runs?before={number}"))
}

#[tokio::test]
async fn older_exchanges_go_on_by_page_and_new_ones_move_nothing_to_another() {
    let elm = Elm::found();
    let stella = elm.of("stella");
    let last = fail(&elm, 90);
    let first = elm.get(&stella, "/sync").await.body;
    let mut seen = listed(&first);
    let mut next = older(&first);
    while let Some(path) = next {
        fail(&elm, 3);
        let page = elm.get(&stella, &path).await.body;
        seen.extend(listed(&page));
        next = older(&page);
    }
    let all: Vec<i64> = (1..=last).rev().collect();
    assert_eq!(seen, all);
    let newest = elm.get(&stella, "/sync/runs").await.body;
    assert!(listed(&newest)[0] > last);
}
