//! Vouching by page: an admin says it, renews it and takes it back, each after a step that says what comes of it; and how
//! a community is accepted as a steward.

use http::StatusCode;
use wb_core::id::InstanceId;
use wb_core::kinds::Level;
use wb_node::command::init::{Init, init};
use wb_node::command::review::{Decision, review_origin};
use wb_node::command::vouch::{VouchAdd, vouch_add};
use wb_node::query::trust::{VouchView, list};
use wb_store::{Home, Standing};

use super::site::{Browser, Elm};

/// Elm, which accepted Oak Square by hand, and knows Fir & Co, about which nobody decided yet.
fn world() -> (Elm, InstanceId, InstanceId) {
    let elm = Elm::found();
    let oak = elm.neighbour().origin;
    let input = Init {
        name: "Fir & Co",
        admin: "carol",
        words_file: None,
    };
    let home = Home::new(elm.store().home().dir().with_file_name("fir"));
    let mut fir = init(&home, &input).expect("it is founded").node;
    let carol = fir.actor(None).expect("the founder");
    elm.takes_from(&mut fir, &carol);
    stands(&elm, fir.own_id(), Standing::Waiting);
    (elm, oak, fir.own_id())
}

fn stands(elm: &Elm, id: InstanceId, standing: Standing) {
    let mut store = elm.store();
    let write = store.write().expect("a transaction");
    write.set_standing(&id, standing).expect("it is known");
    write.commit().expect("a commit");
}

fn path(id: InstanceId, act: &str) -> String {
    format!("/trust/{id}{act}")
}

/// What Elm vouches for another.
fn own(elm: &Elm, id: InstanceId) -> Option<VouchView> {
    let node = elm.node();
    let mut all = list(&node, Some(id)).expect("a store").into_iter();
    all.find(|vouch| vouch.issuer.id == node.own_id())
}

/// What a hidden field of a page holds.
fn hidden(page: &str, name: &str) -> String {
    let from = format!("type=\"hidden\" name=\"{name}\" value=\"");
    let rest = page.split(&from).nth(1).expect("the field");
    rest.split('"').next().unwrap_or_default().to_owned()
}

const SAYS: [(&str, &str); 3] = [
    ("level", "trusted"),
    ("basis", "We <met> at the weir"),
    ("months", "12"),
];

/// Says yes to a step.
async fn agree(elm: &Elm, browser: &Browser, path: &str, step: &str) -> super::site::Came {
    let shown = hidden(step, "shown");
    let fields = [&SAYS[..], &[("shown", shown.as_str())]].concat();
    elm.post(browser, path, &fields).await
}

#[tokio::test]
async fn an_admin_vouches_after_a_step_that_says_what_comes_of_it() {
    let (elm, _oak, fir) = world();
    let (ada, at) = (elm.of("ada"), path(fir, "/vouch"));
    let why = elm.get(&ada, &path(fir, "")).await.body;
    assert!(
        why.contains(&format!("href=\"{at}\">Vouch for it")),
        "{why}"
    );
    let form = elm.get(&ada, &at).await.body;
    assert!(
        form.contains("be offered what is for trusted communities"),
        "{form}"
    );
    assert!(form.contains("value=\"known\" checked"), "{form}");
    assert!(form.contains("max=\"24\" value=\"12\""), "{form}");

    let step = elm.post(&ada, &at, &SAYS).await;
    assert_eq!(step.status, StatusCode::OK);
    for words in [
        "We &#60;met&#62; at the weir",
        "Fir &#38; Co</bdi> rises here from level 0 (nothing of it is shown) to level 2 (it is shown)",
        "It is public, and goes with the next sync",
        "At most 20 vouches",
        "there are 1 with this one",
    ] {
        assert!(step.body.contains(words), "{words}: {}", step.body);
    }
    assert_eq!(own(&elm, fir), None, "looking says nothing");
    // What was typed can be changed before.
    let again = [&SAYS[..], &[("change", "yes")]].concat();
    let again = elm.post(&ada, &at, &again).await.body;
    assert!(again.contains("value=\"trusted\" checked"), "{again}");
    assert!(
        again.contains(">We &#60;met&#62; at the weir</textarea>"),
        "{again}"
    );

    let done = agree(&elm, &ada, &at, &step.body).await;
    assert_eq!(done.location, Some(path(fir, "")), "{}", done.body);
    let said = own(&elm, fir).expect("it is vouched for");
    assert_eq!(
        (said.level, said.basis.as_str()),
        (Level::Trusted, SAYS[1].1)
    );
    let why = elm.get(&ada, &path(fir, "")).await.body;
    assert!(
        why.contains("It vouches for it as <strong>trusted</strong>"),
        "{why}"
    );
    assert!(why.contains("it goes with the next sync"), "{why}");
    assert!(why.contains("<dt>Level here</dt><dd>2</dd>"), "{why}");
    elm.publish();
    let why = elm.get(&ada, &path(fir, "")).await.body;
    assert!(!why.contains("it goes with the next sync"), "{why}");
}

#[tokio::test]
async fn a_vouch_is_renewed_with_its_words_and_taken_back_with_who_falls() {
    let (elm, _oak, fir) = world();
    let (ada, at) = (elm.of("ada"), path(fir, "/vouch"));
    let step = elm.post(&ada, &at, &SAYS).await.body;
    agree(&elm, &ada, &at, &step).await;
    let first = own(&elm, fir).expect("it is vouched for");
    let form = elm.get(&ada, &at).await.body;
    assert!(form.contains("Now it vouches for it as trusted"), "{form}");
    assert!(
        form.contains(">We &#60;met&#62; at the weir</textarea>"),
        "{form}"
    );
    let step = elm.post(&ada, &at, &SAYS).await.body;
    assert!(step.contains("No level here changes by it"), "{step}");
    assert!(
        step.contains("takes the place of what was vouched before: trusted"),
        "{step}"
    );
    agree(&elm, &ada, &at, &step).await;
    let second = own(&elm, fir).expect("it is vouched for");
    assert_eq!(second.id, first.id, "one record, revised");

    let (back, gone) = (path(fir, "/revoke"), path(fir, ""));
    let step = elm.get(&ada, &back).await.body;
    let falls = "Fir &#38; Co</bdi> falls here from level 2 (it is shown) to level 0";
    assert!(step.contains(falls), "{step}");
    assert!(
        step.contains("stays until a steward decides about it"),
        "{step}"
    );
    // Without what was shown, and with something else, the step is there again.
    for fields in [&[][..], &[("shown", &*"0".repeat(64))]] {
        let looked = elm.post(&ada, &back, fields).await;
        assert!(looked.body.contains(falls), "{}", looked.body);
        assert!(own(&elm, fir).is_some(), "{fields:?}");
    }
    let shown = hidden(&step, "shown");
    let done = elm.post(&ada, &back, &[("shown", &*shown)]).await;
    assert_eq!(done.location, Some(gone), "{}", done.body);
    assert_eq!(own(&elm, fir), None);
    let nothing = elm.get(&ada, &back).await;
    assert_eq!(nothing.status, StatusCode::CONFLICT);
    assert!(
        nothing.body.contains("vouches for nothing of Fir"),
        "{}",
        nothing.body
    );
    // Commands in what went wrong are set as such.
    assert!(
        nothing.body.contains("<code>wb vouch list</code>"),
        "{}",
        nothing.body
    );
}

#[tokio::test]
async fn nobody_but_an_admin_vouches_or_takes_back_or_sees_how() {
    let (elm, oak, fir) = world();
    let ada = elm.of("ada");
    let (at, back) = (path(fir, "/vouch"), path(oak, "/revoke"));
    let oak_at = path(oak, "/vouch");
    let step = elm.post(&ada, &oak_at, &SAYS).await.body;
    agree(&elm, &ada, &oak_at, &step).await;
    let step = elm.post(&ada, &at, &SAYS).await.body;
    let back_shown = hidden(&elm.get(&ada, &back).await.body, "shown");
    for handle in ["mira", "omar", "stella"] {
        let browser = elm.of(handle);
        for page in [&at, &back] {
            let looked = elm.get(&browser, page).await;
            assert_eq!(looked.status, StatusCode::FORBIDDEN, "{handle} {page}");
        }
        let said = agree(&elm, &browser, &at, &step).await;
        assert_eq!(said.status, StatusCode::FORBIDDEN, "{handle}");
        let taken = elm.post(&browser, &back, &[("shown", &back_shown)]).await;
        assert_eq!(taken.status, StatusCode::FORBIDDEN, "{handle}");
        for id in [oak, fir] {
            let why = elm.get(&browser, &path(id, "")).await.body;
            assert!(
                !why.contains("/vouch\"") && !why.contains("/revoke\""),
                "{why}"
            );
        }
    }
    assert_eq!(own(&elm, fir), None);
    assert!(own(&elm, oak).is_some());
}

#[tokio::test]
async fn nothing_is_vouched_that_was_not_shown_before() {
    let (elm, _oak, fir) = world();
    let (ada, at) = (elm.of("ada"), path(fir, "/vouch"));
    let step = elm.post(&ada, &at, &SAYS).await.body;
    assert_eq!(own(&elm, fir), None, "without what was shown it is shown");
    let shown = hidden(&step, "shown");
    let other = [&SAYS[..2], &[("months", "24"), ("shown", &*shown)]].concat();
    let other = elm.post(&ada, &at, &other).await;
    assert!(
        other.body.contains("is not what was shown"),
        "{}",
        other.body
    );
    assert_eq!(own(&elm, fir), None);
    // Somebody accepted it by hand meanwhile: no level moves by the vouch any more, and that is said first.
    let mut node = elm.node();
    let actor = node.actor(None).expect("the founder");
    review_origin(&mut node, &actor, fir, Decision::Accept).expect("it is known");
    let late = agree(&elm, &ada, &at, &step).await;
    assert!(late.body.contains("is not what was shown"), "{}", late.body);
    assert!(
        late.body.contains("No level here changes by it"),
        "{}",
        late.body
    );
    assert_eq!(own(&elm, fir), None);
    let done = agree(&elm, &ada, &at, &late.body).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    assert!(own(&elm, fir).is_some());
}

#[tokio::test]
async fn what_cannot_be_vouched_says_why_and_keeps_what_was_typed() {
    let (elm, oak, fir) = world();
    let (ada, at) = (elm.of("ada"), path(fir, "/vouch"));
    let wrong = [
        (["trusted", "", "12"], "Say why"),
        (["", "Weir", "12"], "Choose how far"),
        (["trusted", "Weir", "soon"], "a number from 1 to 24"),
        (["trusted", "Weir", "25"], "a vouch lasts 1 to 24 months"),
        (["trusted", "Weir", "0"], "a vouch lasts 1 to 24 months"),
    ];
    for ([level, basis, months], says) in wrong {
        let fields = [("level", level), ("basis", basis), ("months", months)];
        let came = elm.post(&ada, &at, &fields).await;
        assert!(came.body.contains("role=\"alert\""), "{}", came.body);
        assert!(came.body.contains(says), "{says}: {}", came.body);
        assert!(
            came.body.contains(&format!(">{basis}</textarea>")),
            "{}",
            came.body
        );
    }
    // Whoever can be reached by these words is asked once more.
    let fields = [SAYS[0], ("basis", "ask nela@elm.test"), SAYS[2]];
    let step = elm.post(&ada, &at, &fields).await.body;
    assert!(step.contains("e-mail address or a phone number"), "{step}");
    let shown = hidden(&step, "shown");
    let unsure = [&fields[..], &[("shown", &*shown)]].concat();
    elm.post(&ada, &at, &unsure).await;
    assert_eq!(own(&elm, fir), None);
    let sure = [&unsure[..], &[("sure", "yes")]].concat();
    elm.post(&ada, &at, &sure).await;
    assert!(own(&elm, fir).is_some());

    let mut node = elm.node();
    let actor = node.actor(None).expect("the founder");
    review_origin(&mut node, &actor, oak, Decision::Refuse).expect("it is known");
    let refused = elm.post(&ada, &path(oak, "/vouch"), &SAYS).await;
    assert!(refused.body.contains("is refused here"), "{}", refused.body);
    let why = elm.get(&ada, &path(oak, "")).await.body;
    assert!(
        why.contains("whoever refuses a community cannot vouch for it"),
        "{why}"
    );
    assert!(!why.contains("/vouch\""), "{why}");
    let own_id = elm.node().own_id();
    let itself = elm.post(&ada, &path(own_id, "/vouch"), &SAYS).await;
    assert_eq!(itself.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_admin_accepts_a_community_as_a_steward_and_no_more_and_a_steward_does_not() {
    let (elm, oak, fir) = world();
    let (ada, stella) = (elm.of("ada"), elm.of("stella"));
    // It waits with something that is held.
    let words = "whom it vouches for as stewards may be offered what is for trusted communities";
    let is_steward = |id| {
        let all = elm.store().instances().expect("a store");
        let mut all = all.into_iter();
        all.find(|one| one.id == id)
            .is_some_and(|one| one.standing == Standing::Approved && one.steward)
    };
    let queue = elm.get(&ada, "/review").await.body;
    assert!(queue.contains(words), "{queue}");
    assert!(queue.contains("value=\"steward\""), "{queue}");
    let queue = elm.get(&stella, "/review").await.body;
    assert!(queue.contains("Show what it shares"), "{queue}");
    assert!(!queue.contains("value=\"steward\""), "{queue}");
    for id in [oak, fir] {
        let why = elm.get(&ada, &path(id, "")).await.body;
        assert!(
            why.contains(words) && why.contains("value=\"steward\""),
            "{why}"
        );
        let why = elm.get(&stella, &path(id, "")).await.body;
        assert!(!why.contains("value=\"steward\""), "{why}");
        let id = id.to_string();
        let fields = [("origin", id.as_str()), ("decision", "steward")];
        let no = elm.post(&stella, "/review/origin", &fields).await;
        assert_eq!(no.status, StatusCode::FORBIDDEN);
    }
    assert!(!is_steward(oak) && !is_steward(fir));
    let decide = async |id: InstanceId, decision: &str, from: &str| {
        let id = id.to_string();
        let fields = [("origin", &*id), ("decision", decision), ("from", from)];
        elm.post(&ada, "/review/origin", &fields).await.location
    };
    assert_eq!(decide(fir, "steward", "").await.as_deref(), Some("/review"));
    assert_eq!(decide(oak, "steward", "trust").await, Some(path(oak, "")));
    assert!(is_steward(oak) && is_steward(fir));
    let why = elm.get(&ada, &path(oak, "")).await.body;
    assert!(why.contains("accepted by hand, as a steward"), "{why}");
    assert!(why.contains("Accept it as a steward no more"), "{why}");
    decide(oak, "accept", "trust").await;
    assert!(!is_steward(oak));
    // Of people nobody is accepted so.
    let person = [("user", "0"), ("decision", "steward")];
    let no = elm.post(&ada, "/review/account", &person).await;
    assert_eq!(no.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_vouch_that_ends_leads_to_where_it_is_renewed_and_commands_are_set_as_such() {
    let (elm, oak, _fir) = world();
    let node = elm.node();
    let actor = node.actor(None).expect("the founder");
    let input = VouchAdd {
        subject: oak,
        level: Level::Trusted,
        basis: "We <b>met</b> at the weir",
        months: 1,
    };
    vouch_add(&node, &actor, &input, None).expect("an admin may");
    let stella = elm.of("stella");
    let inbox = elm.get(&stella, "/inbox").await.body;
    let renew = format!("<a href=\"{}\">Renew it", path(oak, "/vouch"));
    let command = "<code>wb vouch add ";
    let (link, code) = (inbox.find(&renew), inbox.find(command));
    assert!(link.is_some() && link < code, "{inbox}");
    assert!(inbox.contains("We &#60;b&#62;met&#60;/b&#62;"), "{inbox}");
    assert!(!inbox.contains('`'), "{inbox}");
    let sync = elm.get(&stella, "/sync").await.body;
    assert!(sync.contains(&renew) && sync.contains(command), "{sync}");
    let after = inbox.split(&renew).nth(1).expect("the item");
    let key = after.split("href=\"/inbox/").nth(1).expect("its page");
    let key = key.split('"').next().expect("a key");
    let item = elm.get(&stella, &format!("/inbox/{key}")).await.body;
    assert!(item.contains(command) && !item.contains('`'), "{item}");
}

#[tokio::test]
async fn two_columns_of_the_picture_are_as_wide_as_the_narrowest_phone_shows() {
    let (elm, _oak, fir) = world();
    stands(&elm, fir, Standing::Approved);
    let page = elm.get(&elm.of("omar"), "/trust").await.body;
    assert!(page.contains("width=\"18rem\""), "{page}");
}
