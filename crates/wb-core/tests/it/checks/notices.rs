//! `notices.json`: bodies of notices, which of them stands, and what is withheld and hidden.

use serde_json::Value;
use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::kinds::{Body, Notice, NoticeAct, Subject};
use wb_core::notice::{Answer, Book, Heeds, Said, Verdict, verdict};
use wb_core::time::Timestamp;

use crate::vectors::{cases, file, report};

fn text<T: std::str::FromStr>(value: &Value) -> Option<T> {
    value.as_str().and_then(|text| text.parse().ok())
}

#[test]
fn bodies_of_notices_are_allowed_as_the_vectors_say() {
    let vectors = file("notices.json");
    let hub: InstanceId = text(&vectors["hub"]).expect("an id");
    let mut findings = Vec::new();
    for case in vectors["bodies"].as_array().expect("bodies") {
        let body = case["body"].as_str().expect("a body");
        let read = Body::read(&"notice".parse().expect("a kind"), 1, hub, body);
        if Some(read.is_ok()) != case["allowed"].as_bool() {
            findings.push(format!("{}: {read:?}", case["name"]));
        }
    }
    report(&findings);
}

fn said(hub: u8, value: &Value) -> Said {
    Said {
        id: format!("0193a000-0000-7000-9000-{hub:012x}")
            .parse()
            .expect("an id"),
        line_hash: text(&value["hash"]).expect("a hash"),
        notice: Notice {
            act: serde_json::from_value::<NoticeAct>(value["act"].clone()).expect("an act"),
            subject: text(&value["subject"]).expect("an id"),
            record: text(&value["record"]),
            line: text(&value["line"]),
            n: value["n"].as_u64().expect("a number"),
            reason: "a reason".to_owned(),
            until: text(&value["until"]),
            note: None,
            issued_at: Timestamp::from_unix_ms(0).expect("a time"),
        },
    }
}

#[test]
fn which_notice_stands_and_what_it_hides_is_what_the_vectors_say() {
    let vectors = file("notices.json");
    let mut findings = Vec::new();
    for (name, case) in cases(&vectors) {
        let now: Timestamp = text(&case["now"]).expect("a time");
        let notices = case["notices"].as_array().expect("notices");
        for backwards in [false, true] {
            let mut all: Vec<Said> = (0..).zip(notices).map(|(n, one)| said(n, one)).collect();
            if backwards {
                all.reverse();
            }
            let book = Book::of(all);
            let hash = |said: Option<&Said>| said.map(|said| said.line_hash.to_string());
            let mut standing: Vec<(InstanceId, Option<RecordId>, Value)> = book
                .iter()
                .map(|(subject, said)| {
                    let id = match subject {
                        Subject::Instance(_) => None,
                        Subject::Record(key) => Some(key.id),
                    };
                    let is = serde_json::json!({"hash": said.line_hash.to_string(),
                        "in_force": said.notice.is_in_force(now)});
                    (subject.instance(), id, is)
                })
                .collect();
            standing.sort_by_key(|(instance, id, _)| (*instance, *id));
            let standing: Value = standing.into_iter().map(|(_, _, is)| is).collect();
            if standing != case["standing"] {
                findings.push(format!("{name}: stands {standing}"));
            }
            for asked in case["asked"].as_array().expect("what is asked") {
                let key = RecordRef {
                    origin: text(&asked["origin"]).expect("an id"),
                    id: text(&asked["record"]).expect("an id"),
                };
                let line = text(&asked["line"]).expect("a hash");
                let found = (
                    hash(book.withholds(&key, &line, now)),
                    hash(book.hides(&key, &line, now)),
                );
                let expected = (text(&asked["withheld_by"]), text(&asked["hidden_by"]));
                if found != expected {
                    findings.push(format!("{name}: {key:?} {found:?}"));
                }
            }
        }
    }
    report(&findings);
}

/// The table of the page, row by row.
#[test]
fn what_follows_from_a_notice_is_the_table_of_the_page() {
    let rows = [
        (None, false, None, Verdict::Hides),
        (None, true, None, Verdict::Waits),
        (Some(Heeds::Follow), false, None, Verdict::Hides),
        (Some(Heeds::Follow), true, None, Verdict::Hides),
        (Some(Heeds::Ask), false, None, Verdict::Waits),
        (Some(Heeds::Ask), true, None, Verdict::Waits),
        (Some(Heeds::Ignore), false, None, Verdict::Nothing),
        (Some(Heeds::Ignore), true, None, Verdict::Nothing),
    ];
    for (heeds, by_hand, answer, expected) in rows {
        assert_eq!(verdict(heeds, by_hand, answer), expected);
        assert_eq!(verdict(heeds, by_hand, Some(Answer::Hide)), Verdict::Hides);
        assert_eq!(
            verdict(heeds, by_hand, Some(Answer::Keep)),
            Verdict::Nothing
        );
    }
}
