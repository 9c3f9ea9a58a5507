//! The same file again, the file grown, another file, and the same file under another first user.

use wb_core::id::RecordRef;
use wb_core::leave::Life;
use wb_node::command::publish::publish;
use wb_node::command::record_share::record_share;
use wb_node::import::whiteballoon::{Done, Found, ImportWhiteballoon};
use wb_node::query::requests;

use super::build::Legacy;
use super::{Alice, FOR_REAL, assert_same, fixture_path, troubles};

/// Three members, a request of birch, a comment of cedar.
fn small() -> Legacy {
    let legacy = Legacy::new();
    legacy.user(1, "ash");
    legacy.user(2, "birch");
    legacy.user(3, "cedar");
    legacy.request(1, 2);
    legacy.comment(1, 1, 3);
    legacy
}

#[test]
fn a_second_import_changes_nothing() {
    let mut alice = Alice::with_fixture();
    let before = alice.rows();
    let report = alice.import(&fixture_path(), FOR_REAL);
    assert_same(&before, &alice.rows());
    assert_eq!(report.changes(), 0);
    let comments = report.table("request_comments").unwrap();
    assert_eq!((comments.already_here, comments.not_moved), (584, 16));
    assert_eq!(report.table("users").unwrap().already_here, 50);
}

#[test]
fn a_second_import_says_the_same_of_what_leaves() {
    let mut alice = Alice::found("alice");
    let first = alice.import(&fixture_path(), FOR_REAL);
    let actor = alice.node.actor(None).unwrap();
    publish(&mut alice.node, &actor).unwrap();
    let second = alice.import(&fixture_path(), FOR_REAL);
    assert_eq!(first.sharing, second.sharing);
}

#[test]
fn a_grown_file_brings_only_what_is_new() {
    let legacy = small();
    let mut alice = Alice::found("alice");
    alice.import(&legacy.path(), FOR_REAL);
    legacy.user(4, "dahlia");
    legacy.request(2, 4);
    legacy.comment(2, 1, 4);
    legacy.comment(3, 2, 2);
    let report = alice.import(&legacy.path(), FOR_REAL);
    let new: Vec<u64> = report.tables.iter().map(|table| table.new).collect();
    assert_eq!(new, [1, 0, 1, 2, 0, 0, 0]);
    let shown = requests::requests(&alice.node).unwrap();
    let mut comments: Vec<u64> = shown.iter().map(|request| request.comments).collect();
    comments.sort_unstable();
    assert_eq!(comments, [1, 2]);
    alice.check();
}

#[test]
fn what_was_changed_here_wins() {
    let legacy = small();
    let mut alice = Alice::found("alice");
    alice.import(&legacy.path(), FOR_REAL);
    legacy.run(
        "UPDATE help_requests SET title = 'other', status = 'completed', updated_at = '2026-03-01'",
    );
    let before = alice.rows();
    let report = alice.import(&legacy.path(), FOR_REAL);
    assert_eq!(
        troubles(&report, "help_requests", "1"),
        [(&Found::ChangedSince, &Done::NotTaken)]
    );
    assert_same(&before, &alice.rows());
}

#[test]
fn a_comment_deleted_since_is_deleted_here_and_taken_back() {
    let legacy = small();
    let mut alice = Alice::found("alice");
    alice.import(&legacy.path(), FOR_REAL);
    let actor = alice.node.actor(None).unwrap();
    publish(&mut alice.node, &actor).unwrap();
    legacy.run("UPDATE request_comments SET body = 'gone words', deleted_at = '2026-03-01'");
    let report = alice.import(&legacy.path(), FOR_REAL);
    assert_eq!(report.deleted_now, 1);
    assert_eq!(
        troubles(&report, "request_comments", "1"),
        [(&Found::DeletedSince, &Done::Deleted)]
    );
    let plan = alice.plan();
    let [retract] = &plan.retracts[..] else {
        panic!("{:?}", plan.retracts)
    };
    assert_eq!(retract.reason, wb_core::entry::Reason::Erase);
    let record = alice.node.store().local(&retract.id).unwrap().unwrap();
    assert_eq!(record.life, Life::Deleted);
    assert!(record.body.contains("\"body\":\"\""), "{}", record.body);
    // It does not come back, also when the old program brings it back.
    legacy.run("UPDATE request_comments SET deleted_at = NULL");
    let report = alice.import(&legacy.path(), FOR_REAL);
    assert_eq!(report.changes(), 0);
    assert_eq!(alice.plan().retracts.len(), 1);
}

#[test]
fn a_comment_deleted_from_the_start_never_comes_back() {
    let legacy = small();
    legacy.run("UPDATE request_comments SET deleted_at = '2026-03-01'");
    let mut alice = Alice::found("alice");
    alice.import(&legacy.path(), FOR_REAL);
    legacy.run("UPDATE request_comments SET deleted_at = NULL");
    let report = alice.import(&legacy.path(), FOR_REAL);
    assert_eq!(report.changes(), 0);
    let comments: i64 = alice.main("SELECT count(*) FROM local_records WHERE kind = 'comment'");
    assert_eq!(comments, 0);
}

#[test]
fn what_became_private_in_the_old_program_becomes_private_here() {
    let legacy = small();
    let mut alice = Alice::found("alice");
    alice.import(&legacy.path(), FOR_REAL);
    legacy.run("UPDATE help_requests SET sync_scope = 'private'");
    let report = alice.import(&legacy.path(), FOR_REAL);
    assert_eq!(report.narrowed_now, 1);
    assert_eq!(
        troubles(&report, "help_requests", "1"),
        [(&Found::PrivateThere, &Done::MadePrivate)]
    );
    let before = alice.rows();
    assert_eq!(alice.import(&legacy.path(), FOR_REAL).changes(), 0);
    assert_same(&before, &alice.rows());

    // Who shares it here again has the last word; it is only told.
    let request = requests::requests(&alice.node).unwrap().remove(0);
    let key = RecordRef {
        origin: request.base.origin,
        id: request.base.id,
    };
    let birch = alice.node.actor(Some("birch")).unwrap();
    record_share(
        &alice.node,
        &birch,
        &key,
        wb_core::scope::Scope::Public,
        None,
    )
    .unwrap();
    let report = alice.import(&legacy.path(), FOR_REAL);
    assert_eq!(report.changes(), 0);
    assert_eq!(
        troubles(&report, "help_requests", "1"),
        [(&Found::PrivateThere, &Done::NotTaken)]
    );
}

#[test]
fn a_draft_sent_in_the_old_program_stays_a_draft_here() {
    let legacy = small();
    legacy.run("UPDATE help_requests SET status = 'draft'");
    let mut alice = Alice::found("alice");
    let report = alice.import(&legacy.path(), FOR_REAL);
    assert_eq!(report.drafts, 1);
    // Its comment is kept and waits for it.
    assert_eq!(report.sharing[3].stays["parent_unknown"], 1);
    legacy.run("UPDATE help_requests SET status = 'open', updated_at = '2026-04-01'");
    let report = alice.import(&legacy.path(), FOR_REAL);
    assert_eq!(
        troubles(&report, "help_requests", "1"),
        [(&Found::ChangedSince, &Done::NotTaken)]
    );
    assert!(requests::requests(&alice.node).unwrap().is_empty());
    assert_eq!(alice.private::<i64>("SELECT count(*) FROM drafts"), 1);
    alice.check();
}

#[test]
fn a_number_given_to_another_row_is_told() {
    // SQLite gives the number of a deleted last row to the next one.
    let legacy = small();
    let mut alice = Alice::found("alice");
    alice.import(&legacy.path(), FOR_REAL);
    legacy.run(
        "DELETE FROM users WHERE id = 3;
         INSERT INTO users VALUES (3, 'eve', 0, NULL, '2026-05-01 10:00:00', 'public');",
    );
    legacy.comment(2, 1, 3);
    let report = alice.import(&legacy.path(), FOR_REAL);
    assert_eq!(
        troubles(&report, "users", "3"),
        [(&Found::AnotherRow, &Done::LeftBehind)]
    );
    // Her comment is not put into cedar's mouth.
    let cedar = alice.node.actor(Some("cedar")).unwrap().user;
    let cedars: Vec<_> = alice
        .plan()
        .puts
        .into_iter()
        .filter(|put| put.leaving.by() == wb_core::scope::By::User(cedar))
        .filter(|put| put.leaving.kind().as_str() == "comment")
        .collect();
    assert_eq!(cedars.len(), 1);
    assert_eq!(
        troubles(&report, "request_comments", "2"),
        [(&Found::NoAuthor, &Done::KeptPrivate)]
    );
    alice.check();
}

#[test]
fn another_file_comes_beside_the_first() {
    let mut alice = Alice::with_fixture();
    let legacy = Legacy::new();
    legacy.user(1, "ash");
    legacy.user(2, "zinnia");
    legacy.request(1, 1);
    let report = alice.import(&legacy.path(), FOR_REAL);
    assert_eq!(report.table("users").unwrap().new, 2);
    assert_eq!(
        troubles(&report, "users", "1"),
        [(
            &Found::HandleTaken {
                handle: "ash".to_owned()
            },
            &Done::Renamed {
                handle: "ash-2".to_owned()
            }
        )]
    );
    let report = alice.import(&fixture_path(), FOR_REAL);
    assert_eq!(report.changes(), 0);
    alice.check();
}

#[test]
fn a_file_whose_first_user_was_renamed_is_not_brought_twice() {
    let legacy = small();
    let mut alice = Alice::found("alice");
    alice.import(&legacy.path(), FOR_REAL);
    legacy.run("UPDATE users SET username = 'aspen' WHERE id = 1");
    let before = alice.rows();
    let error = alice.try_import(&legacy.path(), FOR_REAL).unwrap_err();
    assert!(error.to_string().contains("--another"), "{error}");
    assert_same(&before, &alice.rows());
    let another = ImportWhiteballoon {
        dry_run: false,
        another: true,
    };
    let report = alice.import(&legacy.path(), another);
    assert_eq!(report.table("users").unwrap().new, 3);
    alice.check();
}
