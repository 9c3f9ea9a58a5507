//! The fixture moves with the figures it has, and what leaves is what an independent count says.

use std::collections::BTreeMap;

use wb_core::scope::Scope;
use wb_node::import::whiteballoon::{Report, Sharing};
use wb_node::query::{comments, drafts, invites, requests, users};
use wb_store::legacy::{Dump, LegacyStatus};

use super::{Alice, DRY, FOR_REAL, assert_same, fixture_dump, fixture_path};

/// What leaves, counted from the file alone.
fn expected(dump: &Dump) -> BTreeMap<&'static str, u64> {
    let now = wb_node::entropy::now();
    let is_public = |scope| scope == Scope::Public;
    let requests: BTreeMap<i64, LegacyStatus> = dump
        .requests
        .iter()
        .filter(|request| is_public(request.scope) && request.creator.is_some())
        .filter(|request| matches!(request.status, LegacyStatus::Open | LegacyStatus::Completed))
        .map(|request| (request.id, request.status))
        .collect();
    let completed = requests
        .values()
        .filter(|status| **status == LegacyStatus::Completed);
    let comments = dump.comments.iter().filter(|comment| {
        is_public(comment.scope)
            && comment.deleted_at.is_none()
            && comment.author.is_some()
            && requests.contains_key(&comment.request)
    });
    let invites = dump.invites.iter().filter(|invite| {
        is_public(invite.scope)
            && !invite.disabled
            && invite.use_count < invite.max_uses
            && invite.expires_at.is_none_or(|end| now < end)
    });
    let users = dump.users.iter().filter(|user| is_public(user.scope));
    BTreeMap::from([
        ("user", users.count() as u64),
        ("request", requests.len() as u64),
        ("status", completed.count() as u64),
        ("comment", comments.count() as u64),
        ("invite", invites.count() as u64),
    ])
}

fn sharing<'r>(report: &'r Report, kind: &str) -> &'r Sharing {
    let mut kinds = report.sharing.iter();
    kinds
        .find(|sharing| sharing.kind == kind)
        .expect("the kind is counted")
}

#[test]
fn the_fixture_moves_with_its_figures() {
    let mut alice = Alice::found("alice");
    let report = alice.import(&fixture_path(), FOR_REAL);
    let counts: Vec<_> = report
        .tables
        .iter()
        .map(|table| (table.table, table.in_file, table.new, table.already_here))
        .collect();
    assert_eq!(
        counts,
        [
            ("users", 50, 50, 0),
            ("user_attributes", 100, 100, 0),
            ("help_requests", 200, 200, 0),
            ("request_comments", 600, 584, 0),
            ("invite_tokens", 40, 40, 0),
            ("invite_personalizations", 40, 40, 0),
            ("vouches", 30, 30, 0),
        ]
    );
    assert_eq!(report.drafts, 18);
    let actor = alice.node.actor(None).unwrap();
    assert_eq!(users::users(&alice.node, &actor).unwrap().len(), 51);
    // Drafts are no records, and pending requests are not in the list.
    assert_eq!(
        requests::requests(&alice.node).unwrap().len(),
        200 - 18 - 18
    );
    assert_eq!(invites::invites(&alice.node, &actor).unwrap().len(), 40);
    assert!(!comments::comments(&alice.node, None).unwrap().is_empty());
    assert_eq!(alice.private::<i64>("SELECT count(*) FROM drafts"), 18);
    assert!(drafts::drafts(&alice.node, &actor).unwrap().is_empty());
    let status = wb_node::query::status::status(&alice.node).unwrap();
    assert_eq!(status.records["member_vouch"], 30);
    assert_eq!(status.needs_newer_version, 0);
    assert_eq!(
        alice.private::<i64>("SELECT count(*) FROM audit WHERE act = 'import whiteballoon'"),
        1
    );
    alice.check();
}

#[test]
fn completed_requests_are_shown_as_completed() {
    let alice = Alice::with_fixture();
    let shown = requests::requests(&alice.node).unwrap();
    let completed = shown
        .iter()
        .filter(|request| request.status.as_str() == "completed");
    assert_eq!(completed.count(), 36);
    let first = shown.first().unwrap();
    assert_eq!(first.title, "Winter coats #1");
    assert_eq!(
        first.base.created_at.to_string(),
        "2026-03-01T10:43:00.000Z"
    );
    assert_eq!(first.base.at.to_string(), "2026-03-01T12:23:00.000Z");
}

#[test]
fn what_leaves_is_what_an_independent_count_says() {
    let mut alice = Alice::found("alice");
    let report = alice.import(&fixture_path(), FOR_REAL);
    let expected = expected(&fixture_dump());
    assert_eq!(expected["request"], 97);
    let reported: BTreeMap<&str, u64> = report
        .sharing
        .iter()
        .map(|sharing| (sharing.kind, sharing.leaves))
        .collect();
    assert_eq!(reported, expected);
    let mut planned: BTreeMap<String, u64> = BTreeMap::new();
    for put in alice.plan().puts {
        *planned.entry(put.leaving.kind().to_string()).or_default() += 1;
    }
    // The instance's own card leaves too.
    assert_eq!(planned.remove("card"), Some(1));
    let planned: BTreeMap<&str, u64> = planned.iter().map(|(k, n)| (k.as_str(), *n)).collect();
    assert_eq!(planned, expected);
}

#[test]
fn every_public_row_leaves_or_has_its_cause() {
    let mut alice = Alice::found("alice");
    let report = alice.import(&fixture_path(), FOR_REAL);
    for sharing in &report.sharing {
        let stays: u64 = sharing.stays.values().sum();
        assert_eq!(
            sharing.public_in_file,
            sharing.leaves + stays,
            "{sharing:?}"
        );
    }
    let requests = sharing(&report, "request");
    assert_eq!(requests.public_in_file, 120);
    assert_eq!(
        requests.stays,
        BTreeMap::from([("draft", 12), ("not_approved", 11)])
    );
    let comments = sharing(&report, "comment");
    assert_eq!(comments.public_in_file, 450);
    assert_eq!(comments.stays["deleted"], 12);
    assert!(comments.stays.contains_key("parent_stays"), "{comments:?}");
    assert!(
        comments.stays.contains_key("parent_unknown"),
        "{comments:?}"
    );
    let invites = sharing(&report, "invite");
    assert_eq!(invites.stays, BTreeMap::from([("invite_closed", 6)]));
    assert_eq!(sharing(&report, "user").public_in_file, 30);
}

#[test]
fn a_dry_run_says_the_same_and_changes_nothing() {
    let mut alice = Alice::found("alice");
    let before = alice.rows();
    let rehearsed = alice.import(&fixture_path(), DRY);
    assert!(rehearsed.dry_run);
    assert_same(&before, &alice.rows());
    let mut done = alice.import(&fixture_path(), FOR_REAL);
    assert!(!done.dry_run);
    done.dry_run = true;
    assert_eq!(done, rehearsed);
}

#[test]
fn the_report_is_json_with_a_version() {
    let mut alice = Alice::found("ash");
    let report = alice.import(&fixture_path(), DRY);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["schema_version"], 1);
    assert_eq!(json["tables"][0]["in_file"], 50);
    // What the reader found has the same form as what moving over found.
    let mut problems = json["problems"].as_array().unwrap().iter();
    assert!(problems.all(|problem| {
        problem["what"]["cause"].is_string() && problem["consequence"]["done"].is_string()
    }));
    let mut problems = json["problems"].as_array().unwrap().iter();
    assert!(problems.any(|problem| {
        problem["what"]["cause"] == "handle_taken" && problem["consequence"]["done"] == "renamed"
    }));
}

#[test]
fn only_an_admin_imports() {
    let mut alice = Alice::with_fixture();
    let actor = alice.node.actor(Some("birch")).unwrap();
    let error = wb_node::import::whiteballoon::import_whiteballoon(
        &mut alice.node,
        &actor,
        &fixture_path(),
        DRY,
        &mut |_, _| (),
    );
    assert!(error.unwrap_err().to_string().contains("only an admin"));
}

#[test]
fn progress_goes_up_to_the_end() {
    let mut alice = Alice::found("alice");
    let actor = alice.node.actor(None).unwrap();
    let mut heard = Vec::new();
    let mut hear = |done, total| heard.push((done, total));
    wb_node::import::whiteballoon::import_whiteballoon(
        &mut alice.node,
        &actor,
        &fixture_path(),
        DRY,
        &mut hear,
    )
    .unwrap();
    assert!(heard.is_sorted());
    assert_eq!(heard.last(), Some(&(920, 920)));
}
