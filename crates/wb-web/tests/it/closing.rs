//! Closing a community by page, and sharing many records at one time: each said before it is done.

use http::StatusCode;
use wb_core::id::RecordRef;
use wb_core::scope::Scope;
use wb_node::command::record_share::{record_share, record_unshare};
use wb_node::command::request_add::{RequestAdd, request_add};
use wb_node::command::retire::{Retirement, retirement};

use super::site::Elm;

const PAGE: &str = "/settings/retire";

fn stands(elm: &Elm) -> Retirement {
    retirement(&elm.node()).expect("it is read")
}

#[tokio::test]
async fn an_admin_announces_the_end_by_its_name_and_takes_it_back_while_there_is_time() {
    let elm = Elm::found();
    let ada = elm.of("ada");
    let page = elm.get(&ada, PAGE).await.body;
    assert!(page.contains("nobody can undo it"), "{page}");
    let refused = [
        ("Elm", "7", "That is not Elm Street"),
        ("", "7", "That is not Elm Street"),
        ("Elm Street", "soon", "as a number"),
        ("Elm Street", "366", "as a number"),
    ];
    for (name, days, says) in refused {
        let came = elm
            .post(&ada, PAGE, &[("name", name), ("days", days)])
            .await;
        assert!(came.body.contains(says), "{}", came.body);
        assert_eq!(stands(&elm), Retirement::Open);
    }
    let fields = [("name", "Elm Street"), ("days", "7")];
    for handle in ["mira", "stella"] {
        let browser = elm.of(handle);
        assert_eq!(elm.get(&browser, PAGE).await.status, StatusCode::FORBIDDEN);
        let came = elm.post(&browser, PAGE, &fields).await;
        assert_eq!(came.status, StatusCode::FORBIDDEN);
    }
    let done = elm.post(&ada, PAGE, &fields).await;
    assert_eq!(done.location.as_deref(), Some(PAGE), "{}", done.body);
    assert!(matches!(stands(&elm), Retirement::Announced(_)));
    let page = elm.get(&ada, PAGE).await.body;
    assert!(page.contains("Stay open"), "{page}");
    elm.post(&ada, "/settings/retire/undo", &[]).await;
    assert_eq!(stands(&elm), Retirement::Open);
    elm.post(&ada, PAGE, &[("name", "Elm Street"), ("days", "0")])
        .await;
    elm.publish();
    let page = elm.get(&ada, PAGE).await.body;
    assert!(page.contains("cannot be undone"), "{page}");
    let late = elm.post(&ada, "/settings/retire/undo", &[]).await;
    assert!(late.status.is_client_error(), "{}", late.status);
}

#[tokio::test]
async fn many_are_shared_as_far_as_their_authors_chose_and_the_rest_is_asked() {
    let elm = Elm::found();
    let (mut node, stella) = (elm.node(), elm.of("stella"));
    // Omar shared his, and a steward kept it here; Mira never shared hers.
    let omar = node.actor(Some("omar")).expect("omar");
    let steward = node.actor(Some("stella")).expect("a steward");
    let ask = RequestAdd {
        title: "A tent",
        description: "",
        scope: Scope::Private,
    };
    let id = request_add(&mut node, &omar, &ask).expect("a request");
    let key = RecordRef {
        origin: node.own_id(),
        id,
    };
    record_share(&node, &omar, &key, Scope::Public, None).expect("its author shares it");
    record_unshare(&node, &steward, &key).expect("a steward keeps it");
    let ceiling = || {
        let record = elm.node().store().local(&id).expect("it is read");
        record.expect("a record").ceiling
    };
    let step = "/shared/all?kind=request&scope=public";
    let looked = elm.get(&stella, step).await.body;
    assert!(
        looked.contains("<strong>1 record goes</strong>"),
        "{looked}"
    );
    assert!(
        looked.contains("<strong>1 author is asked</strong>"),
        "{looked}"
    );
    assert!(looked.contains("Nobody is asked anything"), "{looked}");
    assert_eq!(ceiling(), Scope::Private, "looking changes nothing");
    let fields = [("kind", "request"), ("scope", "public")];
    for handle in ["mira", "omar"] {
        let browser = elm.of(handle);
        let came = elm.post(&browser, "/shared/all", &fields).await;
        assert_eq!(came.status, StatusCode::FORBIDDEN);
    }
    for wrong in [("kind", "session"), ("scope", "private"), ("scope", "")] {
        let mut fields = fields.to_vec();
        fields.push(wrong);
        let came = elm.post(&stella, "/shared/all", &fields).await;
        assert_eq!(came.status, StatusCode::BAD_REQUEST, "{wrong:?}");
    }
    let done = elm.post(&stella, "/shared/all", &fields).await.body;
    assert!(
        done.contains("1 record is marked to go to everybody"),
        "{done}"
    );
    assert!(
        done.contains("About 1 record its author is asked now"),
        "{done}"
    );
    assert!(done.contains("mira") && done.contains("A ladder"), "{done}");
    assert_eq!(ceiling(), Scope::Public);
    let again = elm.get(&stella, step).await.body;
    assert!(again.contains("There is nothing to do"), "{again}");
    assert!(
        again.contains("was asked before and has not answered"),
        "{again}"
    );
    // Once she declined, nobody is asked about it any more.
    let record = elm.request.to_string();
    let no = [("record", record.as_str()), ("answer", "decline")];
    elm.post(&elm.of("mira"), "/agree", &no).await;
    let after = elm.get(&stella, step).await.body;
    assert!(after.contains("the author declined"), "{after}");
    assert!(after.contains("Nobody is asked anything"), "{after}");
}
