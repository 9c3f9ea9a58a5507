//! A large database moves in one go.
//!
//! `WB_IMPORT_REQUESTS=10000` with `--release -- --nocapture` shows how long a large one takes.

use super::build::Legacy;
use super::{Alice, FOR_REAL};

/// Requests when nothing else is asked for: enough for several deltas.
const REQUESTS: u64 = 2_000;

/// 1,000 members, and some requests with 3 comments each.
fn large(requests: u64) -> Legacy {
    let legacy = Legacy::new();
    legacy.run(&format!(
        "BEGIN;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
         INSERT INTO users SELECT i, 'member' || i, 0, 'm' || i || '@example.org',
           '2026-01-01 10:00:00', iif(i % 3, 'public', 'private') FROM n;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {requests})
         INSERT INTO help_requests SELECT i, 'Request ' || i, printf('%.*c', 300, 'x') || i,
           iif(i % 5, 'open', 'completed'), NULL, 1 + i % 1000, '2026-02-01 10:00:00',
           '2026-02-02 10:00:00', NULL, iif(i % 2, 'public', 'private') FROM n;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {comments})
         INSERT INTO request_comments SELECT i, 1 + i % {requests}, 1 + i % 1000, 'Comment ' || i,
           '2026-02-03 10:00:00', NULL, 'public' FROM n;
         COMMIT;",
        comments = 3 * requests,
    ));
    legacy
}

#[test]
fn a_large_database_moves_in_one_go_and_only_once() {
    let asked = std::env::var("WB_IMPORT_REQUESTS").ok();
    let requests = asked.map_or(REQUESTS, |text| text.parse().expect("a number"));
    let legacy = large(requests);
    let mut alice = Alice::found("alice");
    let started = wb_node::entropy::now();
    let report = alice.import(&legacy.path(), FOR_REAL);
    let done = wb_node::entropy::now();
    assert_eq!(report.changes(), 1_000 + 4 * requests);
    let again = alice.import(&legacy.path(), FOR_REAL);
    assert_eq!(again.changes(), 0);
    let end = wb_node::entropy::now();
    let [first, second] = [(done, started), (end, done)].map(|(b, a)| b.unix_ms() - a.unix_ms());
    eprintln!("first import {first} ms, second {second} ms");
}
