//! Nothing private leaves: the lines that would leave, and those that did, are searched as bytes.

use wb_core::id::RecordId;
use wb_core::scope::{By, Scope};
use wb_node::command::publish::publish;
use wb_store::legacy::LegacyStatus;

use super::{Alice, fixture_dump};

/// What every private thing of the fixture carries, in lower case.
const CANARY: &str = "canary-private";

#[test]
fn no_line_that_would_leave_holds_anything_private() {
    let alice = Alice::with_fixture();
    let lines = alice.lines();
    for line in &lines {
        assert!(!line.to_lowercase().contains(CANARY), "{line}");
    }
    for put in alice.plan().puts {
        assert!(!put.leaving.body().to_lowercase().contains(CANARY));
    }
    // The search would find something: what is public is there.
    let text = lines.join("\n");
    for request in fixture_dump().requests {
        let leaves = request.scope == Scope::Public
            && matches!(request.status, LegacyStatus::Open | LegacyStatus::Completed);
        let description = serde_json::to_string(&request.description).unwrap();
        assert_eq!(text.contains(&description), leaves, "{}", request.id);
    }
}

#[test]
fn no_home_token_leaves() {
    let alice = Alice::with_fixture();
    let text = alice.lines().join("\n");
    for invite in fixture_dump().invites {
        // In quotes: six digits alone may be part of any hash.
        assert!(!text.contains(&format!("\"{}\"", invite.token)));
        let bio = invite.suggested_bio.unwrap_or_default();
        assert!(bio.is_empty() || !text.contains(&bio));
        let held: i64 = alice.private(&format!(
            "SELECT count(*) FROM invites WHERE token = '{}'",
            invite.token
        ));
        assert_eq!(held, 1);
    }
    assert!(text.contains("I can help with rides"), "the rest is shared");
}

#[test]
fn what_is_published_holds_nothing_private_either() {
    let mut alice = Alice::with_fixture();
    let actor = alice.node.actor(None).unwrap();
    publish(&mut alice.node, &actor).unwrap();
    let private: i64 = alice.main(&format!(
        "SELECT count(*) FROM feed_lines WHERE instr(lower(CAST(line AS TEXT)), '{CANARY}')"
    ));
    let all: i64 = alice.main("SELECT count(*) FROM feed_lines WHERE line IS NOT NULL");
    assert_eq!(private, 0);
    assert!(all > 300, "{all}");
    alice.check();
}

#[test]
fn a_private_member_speaks_under_a_pseudonym() {
    let alice = Alice::with_fixture();
    let dump = fixture_dump();
    let private: Vec<_> = dump
        .users
        .iter()
        .filter(|user| user.scope == Scope::Private)
        .collect();
    let text = alice.lines().join("\n");
    let ids: Vec<RecordId> = private
        .iter()
        .map(|user| {
            assert!(!text.contains(&user.handle));
            let account = alice.node.store().private().account(&user.handle);
            account.unwrap().unwrap().user
        })
        .collect();
    for id in &ids {
        assert!(!text.contains(&id.to_string()), "the id names the member");
    }
    let mut pseudonyms = 0;
    for put in alice.plan().puts {
        let record = alice
            .node
            .store()
            .local(&put.leaving.id())
            .unwrap()
            .unwrap();
        let is_private = record.author.is_some_and(|author| ids.contains(&author));
        match put.leaving.by() {
            By::Pseudonym(_) => pseudonyms += 1,
            By::User(_) => assert!(!is_private),
            By::Instance => assert_eq!(record.kind.as_str(), "card"),
        }
    }
    assert!(pseudonyms > 0);
}

#[test]
fn a_profile_shares_its_handle_and_nothing_else() {
    let alice = Alice::with_fixture();
    let puts = alice.plan().puts;
    let bodies = puts
        .iter()
        .filter(|put| put.leaving.kind().as_str() == "user")
        .map(|put| serde_json::from_str::<serde_json::Value>(put.leaving.body()).unwrap());
    for body in bodies {
        let members: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(members, ["handle"]);
    }
    let inviters: i64 = alice.main(
        "SELECT count(*) FROM local_records WHERE kind = 'user' AND body LIKE '%\"inviter\"%'",
    );
    assert!(inviters > 40, "kept at home: {inviters}");
}
